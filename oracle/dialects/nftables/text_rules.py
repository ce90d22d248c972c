"""The rules of a chain in the text of nft: statements, comment and handle, line by line.

Each distinct line is read once: chains of a large node repeat the same few rules. A comment
is last, and may hold quotes of its own, which nft prints as they are.
"""

import re
from typing import Final, NamedTuple

from oracle.dialects.nftables.statements import Statement
from oracle.dialects.nftables.syntax import Rule, TableFamily
from oracle.dialects.nftables.text_statements import Statements
from oracle.dialects.nftables.text_values import Values
from oracle.dialects.nftables.tokens import END, RULE_ENDS, Cursor, joined, unquoted

_HANDLE: Final = re.compile(r"# handle (\d{1,20})\s*", re.ASCII)
_QUOTES_IN_COMMENT: Final = re.compile(r' comment "(.*)"(?:\s*# handle \d+)?\s*$', re.ASCII)


class _Read(NamedTuple):
    """What a line held; `extent` is its number of tokens."""

    statements: tuple[Statement, ...]
    text: str
    comment: str
    extent: int


class RuleReader:
    """Reads rules in tables of one family at the cursor."""

    __slots__ = ("cursor", "known", "statements")

    def __init__(self, cursor: Cursor, values: Values, family: TableFamily) -> None:
        self.cursor = cursor
        self.statements = Statements(cursor, values, family)
        self.known: dict[str, _Read] = {}

    def rule(self) -> Rule:
        """The rule that begins at the cursor, which then stands at its end."""
        cursor = self.cursor
        tokens = cursor.tokens
        number = cursor.line
        line = cursor.lines[number - 1]
        is_whole_line = tokens[cursor.at - 1] == "\n"
        if is_whole_line and (known := self.known.get(line)) is not None:
            cursor.at += known.extent
            return Rule(known.statements, number, known.text, known.comment)
        start = cursor.at
        statements = self.statements.of_rule()
        end = cursor.at
        comment = self._comment()
        handle = self._handle()
        is_whole_line = is_whole_line and cursor.line == number and tokens[cursor.at] == "\n"
        text = _bare(line, comment) if is_whole_line else joined(tokens[start:end])
        if is_whole_line and not handle:
            self.known[line] = _Read(statements, text, comment, cursor.at - start)
        return Rule(statements, number, text, comment, handle)

    def _comment(self) -> str:
        """The comment that comes next, and all that it holds; empty without."""
        cursor = self.cursor
        if not cursor.takes("comment"):
            return ""
        comment = unquoted(cursor.name()) if cursor.token != '"' else ""
        if cursor.token in RULE_ENDS or cursor.token[:1] == "#":
            return comment
        whole = _QUOTES_IN_COMMENT.search(cursor.lines[cursor.line - 1])
        if whole is None:
            return comment
        while cursor.token not in ("\n", END) and not _HANDLE.fullmatch(cursor.token):
            cursor.at += 1
        return whole[1]

    def _handle(self) -> int:
        """The handle that comes next, 0 without; other comments of the tool are passed over."""
        handle = 0
        while self.cursor.token[:1] == "#":
            if found := _HANDLE.fullmatch(self.cursor.take()):
                handle = int(found[1])
        return handle


def _bare(line: str, comment: str) -> str:
    """The line without comment and handle."""
    text = line.strip()
    if text[-1:].isdigit():  # nothing else of nft's ends a rule with a `#`
        text = text.rpartition(" # handle ")[0] or text
    if comment:
        text = text.rpartition(f' comment "{comment}"')[0] or text
    return text.rstrip()
