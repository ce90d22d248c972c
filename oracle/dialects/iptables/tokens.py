"""A rule line is words, quoted as iptables-restore reads them, grouped into options.

Blanks and tabs part words; double quotes hold blanks together, and inside them a
backslash makes the next character plain. Single quotes mean nothing. A raw word keeps
its quotes, so that it can be shown as the dump has it; `unquote` takes them off.

Grammar: `option := [ "!" ] flag { value }`; very old tools write `flag ! value`.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from model.addresses import Family

_WORD = re.compile(r'(?:[^ \t"]|"(?:[^"\\]|\\.)*")+|"')
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_NEEDS_QUOTES = re.compile(r'[ \t"\\]')
_ESCAPE = re.compile(r"\\(.)")


class MalformedError(ValueError):
    """A rule that iptables-restore would not read; the text says why, without the line."""


class WrongFamilyError(MalformedError):
    """An address or type of the other IP family."""

    def __init__(self, text: str, family: Family) -> None:
        other = Family.IPV6 if family is Family.IPV4 else Family.IPV4
        super().__init__(f"wrong family: {text} is {other.value} in an {family.value} dump")


class Option(NamedTuple):
    """One option of a rule; `values` are unquoted."""

    negated: bool
    flag: str
    values: Sequence[str]

    @property
    def text(self) -> str:
        """The option as today's tools write it, quoted where it needs be."""
        return " ".join(["! " * self.negated + self.flag, *map(quote, self.values)])


class Module(NamedTuple):
    """A match module with the options that follow it.

    `named` is the `-m NAME` itself, None for options that stand before any.
    """

    named: Option | None
    given: Sequence[Option]

    @property
    def text(self) -> str:
        """Name and options as today's tools write them."""
        head = [self.named] if self.named else []
        return " ".join(option.text for option in (*head, *self.given))


Cut = tuple[str, str, str]
"""A rule's text after the chain name: its matches without comments, `-j`, `-g` or empty
when the rule has no target, and the target."""


def words(text: str) -> list[str]:
    """The raw words of a text.

    Raises MalformedError for a quote that is never closed.

    >>> words('-m comment --comment "a \\\\" b"')
    ['-m', 'comment', '--comment', '"a \\\\" b"']
    """
    if '"' not in text and "\t" not in text:
        return [word for word in text.split(" ") if word]
    found: list[str] = _WORD.findall(text)
    if '"' in found:
        raise MalformedError("a quote is not closed")
    return found


def unquote(word: str) -> str:
    """The word without its quotes and escapes."""
    if '"' not in word:
        return word
    return _QUOTED.sub(lambda quoted: _ESCAPE.sub(r"\1", quoted[1]), word)


def quote(value: str) -> str:
    """The value as a word that `unquote` reads back."""
    if value and not _NEEDS_QUOTES.search(value):
        return value
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def options(text: str) -> list[Option]:
    """The options of a text in order; `!` may stand before or after the flag.

    Raises MalformedError when a word has no flag to belong to.
    """
    raw = words(text)
    quoted = '"' in text
    found: list[Option] = []
    at, end = 0, len(raw)
    while at < end:
        negated = raw[at] == "!"
        at += negated
        if at == end or raw[at][0] != "-":
            raise MalformedError(f"{raw[min(at, end - 1)]} stands where an option should")
        flag = raw[at]
        at += 1
        if at + 1 < end and raw[at] == "!" and raw[at + 1][0] != "-":
            negated = not negated
            at += 1
        first = at
        while at < end and raw[at] != "!" and raw[at][0] != "-":
            at += 1
        values = raw[first:at]
        found.append(Option(negated, flag, [unquote(word) for word in values] if quoted else values))
    return found


def cut(rest: str) -> Cut:
    """The parts of what follows `-A CHAIN`, found word by word.

    A comment may hold anything, also ` -j `; what follows the first `-j` or `-g`
    belongs to the target. Raises MalformedError for an open quote or a flag without value.
    """
    kept: list[str] = []
    begin = 0
    spans = [(word[0], word.start(), word.end()) for word in _WORD.finditer(rest)]
    at = 0
    while at < len(spans):
        word, start, end = spans[at]
        if word == '"':
            raise MalformedError("a quote is not closed")
        if word in ("-j", "-g"):
            if at + 1 == len(spans):
                raise MalformedError(f"{word} without a target")
            return "".join(kept) + rest[begin : start - 1], word, rest[end + 1 :]
        if word == "-m" and [span[0] for span in spans[at + 1 : at + 3]] == ["comment", "--comment"]:
            if at + 3 >= len(spans):
                raise MalformedError("--comment without a text")
            if spans[at + 3][0] == '"':
                raise MalformedError("a quote is not closed")
            kept.append(rest[begin : start - 1])
            begin = spans[at + 3][2]
            at += 3
        at += 1
    return "".join(kept) + rest[begin:], "", ""
