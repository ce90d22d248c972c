"""The text of nft is words, strings in double quotes, punctuation and line ends.

nft puts blanks around every operator, so a word may hold anything that does not end one:
`10.0.0.1:80`, `fd00::/8`, `service-ULMVA6XW-ns1/svc1/tcp/p80`, `1-5`. Strings have no
escapes. A `#` at the head of a word begins a comment, which is one token.
"""

import re
from collections.abc import Iterable
from typing import Final

END: Final = ""
"""The token after the last."""

RULE_ENDS: Final = frozenset({"\n", ";", "}", END})

_TOKEN: Final = re.compile(
    r'\n|[^\s{}",;()\[\]#=!<>&|^][^\s{}",;()\[\]]*|[{},;]|"[^"\n]*"|[=!<>]=|<<|>>|[()\[\]=!<>&|^"]|#[^\n]*'
)


class NotReadError(Exception):
    """Text that is no statement, expression or object this reader knows; says what stands there."""


class Cursor:
    """Where the reading of a text stands: the token at `at`, in line `line`.

    `tokens` ends with several `END`, so that looking ahead is always allowed.
    """

    __slots__ = ("at", "line", "lines", "tokens")

    def __init__(self, text: str) -> None:
        self.tokens: list[str] = _TOKEN.findall(text)
        self.tokens += [END] * 4
        self.lines = text.split("\n")
        self.at = 0
        self.line = 1

    @property
    def token(self) -> str:
        """The token that comes next."""
        return self.tokens[self.at]

    def take(self) -> str:
        """The token that comes next, passed over; nothing passes the end."""
        token = self.tokens[self.at]
        if token != END:
            self.at += 1
        if token == "\n":
            self.line += 1
        return token

    def takes(self, token: str) -> bool:
        """Pass over the token if it comes next; whether it did."""
        if self.tokens[self.at] != token or token == END:
            return False
        self.at += 1
        return True

    def expect(self, token: str) -> None:
        """Pass over this token. Raises NotReadError when another comes next."""
        if not self.takes(token):
            raise NotReadError(f"{shown(self.token)} where {token!r} should be")

    def name(self) -> str:
        """A word or string, passed over, without quotes. Raises NotReadError for punctuation."""
        token = self.tokens[self.at]
        if not is_word(token):
            raise NotReadError(f"{shown(token)} where a word should be")
        self.at += 1
        return unquoted(token)

    def skip_lines(self) -> None:
        """Pass over line ends, semicolons and comments."""
        tokens = self.tokens
        while True:
            token = tokens[self.at]
            if token == "\n":
                self.line += 1
            elif token != ";" and token[:1] != "#":
                return
            self.at += 1

    def skip_rule(self) -> None:
        """Pass over everything to the rule's end, comment or handle, which stay; braces are kept whole."""
        depth = 0
        while True:
            token = self.token
            if token == END or (not depth and (token in RULE_ENDS or token[:1] == "#")):
                return
            if not depth and token == "comment" and self.tokens[self.at + 1][:1] == '"':
                return
            depth += (token == "{") - (token == "}")
            self.take()

    def skip_block(self) -> None:
        """Pass over everything to the `}` that closes the block, and over it."""
        depth = 1
        while depth:
            token = self.take()
            if token == END:
                raise NotReadError("the text ends")
            depth += (token == "{") - (token == "}")

    def text_since(self, start: int) -> str:
        """The tokens from `start` up to here as one line."""
        return joined(self.tokens[start : self.at])


def joined(tokens: Iterable[str]) -> str:
    """The tokens on one line, spaced as nft does: after a comma only within braces.

    >>> joined(["ct", "state", "new", ",", "related"]), joined(["{", "1", ",", "2", "}"])
    ('ct state new,related', '{ 1, 2 }')
    """
    line: list[str] = []
    depth = 0
    for token in tokens:
        if token == "\n":
            continue
        depth += (token == "{") - (token == "}")
        if line and token != "," and (line[-1] != "," or depth):
            line.append(" ")
        line.append(token)
    return "".join(line)


def is_word(token: str) -> bool:
    """Whether the token is a word or a closed string."""
    first = token[:1]
    if first == '"':
        return len(token) > 1
    return first not in (
        "",
        "\n",
        "#",
        "{",
        "}",
        ",",
        ";",
        "(",
        ")",
        "[",
        "]",
        "=",
        "!",
        "<",
        ">",
        "&",
        "|",
        "^",
    )


def unquoted(token: str) -> str:
    """The token without the quotes of a string."""
    return token[1:-1] if token[:1] == '"' else token


def shown(token: str) -> str:
    """The token for a message of one line."""
    if token == END:
        return "the end of the text"
    if token == "\n":
        return "the end of the line"
    clean = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in token[:60])
    return repr(clean + "..." * (len(token) > 60))
