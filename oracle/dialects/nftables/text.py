"""The text of `nft list ruleset` or `nft list table` is a `Dump`.

Tokens count, not lines: lists of elements wrap, and a block may stand on one line. Tables may
come in any order, and from several listings one after the other; a table that comes twice
must say the same twice, otherwise nobody knows which of the two is live. A text that ends
before its blocks do is a listing cut off.

Source: rules-nftables 5; nft(8).
"""

import gc
import re
from typing import Final

from model.errors import InputError
from oracle.dialects.nftables.datatypes import Types, types_of
from oracle.dialects.nftables.expressions import Element, Expression
from oracle.dialects.nftables.foreign import is_message, refuse_foreign
from oracle.dialects.nftables.syntax import (
    Chain,
    Dump,
    Form,
    NamedObject,
    NamedSet,
    Rule,
    Table,
    TableFamily,
)
from oracle.dialects.nftables.tables import add_table
from oracle.dialects.nftables.text_base import Base, base_head, with_policy
from oracle.dialects.nftables.text_expressions import Expressions
from oracle.dialects.nftables.text_rules import RuleReader
from oracle.dialects.nftables.text_values import VERDICT, Values, duration
from oracle.dialects.nftables.tokens import END, Cursor, NotReadError, is_word, shown

_MANAGED: Final = re.compile(r"# Warning: table (\S+) (\S+) is managed by iptables-nft")
_FAMILIES: Final = {family.value: family for family in TableFamily}


def parse_text(data: bytes, file: str) -> Dump:
    """What a listing in text says.

    Raises InputError with file, line and fault when the data is no whole listing.
    """
    refuse_foreign(data, file)
    text = data.decode("utf-8", "backslashreplace").removeprefix("\ufeff").replace("\r\n", "\n")
    collecting = gc.isenabled()
    gc.disable()  # hundreds of thousands of tuples and no cycle: collecting only costs time
    try:
        return _Listing(text, file).parse()
    finally:
        if collecting:
            gc.enable()


class _Listing:
    """One text while it is being read."""

    def __init__(self, text: str, file: str) -> None:
        self.file = file
        self.cursor = Cursor(text)
        self.values = Values()
        self.rules: dict[TableFamily, RuleReader] = {}
        self.begun = 0
        self.managed: list[tuple[TableFamily, str]] = []

    def parse(self) -> Dump:
        cursor = self.cursor
        tables: dict[tuple[TableFamily, str], Table] = {}
        while (token := cursor.token) != END:
            begun = cursor.line
            if token == "\n":  # also the one behind a message, which is of the same line
                cursor.take()
            elif token[:1] == "#" or is_message(cursor.lines[begun - 1]):
                self._message(token)
            else:
                self.begun = cursor.at
                try:
                    table = self._table()
                except NotReadError as fault:
                    raise InputError(self.file, cursor.line, self._fault(fault, begun)) from None
                except RecursionError:
                    raise InputError(
                        self.file, cursor.line, "nested too deeply for a listing of nft"
                    ) from None
                add_table(tables, table, self.file)
        if not tables:
            raise InputError(self.file, 1, "no table in the listing")
        managed = tuple(dict.fromkeys(self.managed))
        return Dump(self.file, Form.TEXT, tuple(tables.values()), "", managed)

    def _fault(self, fault: NotReadError, begun: int) -> str:
        """What is wrong: the listing is cut off when its braces do not close, or when it just ends."""
        cursor = self.cursor
        depth = 0
        for token in cursor.tokens[self.begun :]:
            depth += (token == "{") - (token == "}")
        ends_here = all(token in (END, "\n") for token in cursor.tokens[cursor.at + 1 :])
        if depth > 0 or ends_here:
            return f"truncated: the text ends within the table that begins in line {begun}"
        return f"not a listing of nft: {fault}"

    def _message(self, token: str) -> None:
        """Pass over a line that is no part of a table."""
        cursor = self.cursor
        if (found := _MANAGED.match(token)) and found[1] in _FAMILIES:
            self.managed.append((_FAMILIES[found[1]], found[2]))
        while cursor.token not in ("\n", END):
            cursor.take()

    def _table(self) -> Table:
        """`table FAMILY NAME { ... }`."""
        cursor = self.cursor
        line = cursor.line
        cursor.expect("table")
        said = cursor.name()
        # `nft list table` takes the family ip where none is given, but always prints it.
        if said not in _FAMILIES:
            raise NotReadError(f"{shown(said)} is no family of tables")
        family, name = _FAMILIES[said], cursor.name()
        cursor.expect("{")
        sets: dict[str, NamedSet] = {}
        chains: dict[str, Chain] = {}
        objects: list[NamedObject] = []
        flags: tuple[str, ...] = ()
        while not self._block_ends():
            word, begun = cursor.name(), cursor.line
            match word:
                case "set" | "map":
                    found = self._set()
                    _unique(sets, found.name, word)
                    sets[found.name] = found
                case "chain":
                    chain = self._chain(family)
                    _unique(chains, chain.name, word)
                    chains[chain.name] = chain
                case "flags":
                    flags = self._words()
                case "comment":
                    cursor.name()
                case _:
                    objects.append(self._object(word, begun))
        self._line_end()
        return Table(family, name, line, sets, chains, tuple(objects), flags)

    def _line_end(self) -> None:
        """Pass over what may follow a table's end in its line."""
        while self.cursor.token[:1] == "#":
            self.cursor.take()

    def _block_ends(self) -> bool:
        """Whether the block ends here; what is between two entries is passed over."""
        self.cursor.skip_lines()
        return self.cursor.takes("}")

    def _object(self, kind: str, line: int) -> NamedObject:
        """A counter, a ct helper, a flowtable: words, then a block."""
        cursor = self.cursor
        words = [kind]
        while is_word(cursor.token):
            words.append(cursor.name())
        if len(words) < 2:
            raise NotReadError(f"{shown(kind)} in a table")
        cursor.expect("{")
        cursor.skip_block()
        return NamedObject(" ".join(words[:-1]), words[-1], line)

    def _words(self) -> tuple[str, ...]:
        """Flags: words with commas between."""
        words = [self.cursor.name()]
        while self.cursor.takes(","):
            words.append(self.cursor.name())
        return tuple(sorted(words))

    def _set(self) -> NamedSet:
        cursor = self.cursor
        line, name = cursor.line, cursor.name()
        cursor.expect("{")
        types: Types = ()
        value_types: Types = ()
        flags: tuple[str, ...] = ()
        timeout: float | None = None
        size: int | None = None
        elements: tuple[Element, ...] = ()
        while not self._block_ends():
            match cursor.name():
                case "type":
                    types, value_types = self._types()
                case "typeof":
                    types, value_types = self._typeof()
                case "flags":
                    flags = self._words()
                case "timeout":
                    timeout = duration(cursor)
                case "size":
                    word = cursor.name()
                    size = int(word) if word.isascii() and word.isdigit() and len(word) < 20 else None
                case "elements":
                    cursor.expect("=")
                    if not types:
                        raise NotReadError("elements before their type")
                    elements = self.values.elements(cursor, types, value_types, numbered=True)
                case _:  # comment, policy, auto-merge, gc-interval, counter ...
                    cursor.skip_rule()
        if not types:
            raise NotReadError(f"set {shown(name)} without a type")
        return NamedSet(name, types, line, value_types, flags, timeout, size, elements)

    def _types(self) -> tuple[Types, Types]:
        """`A . B [: C . D]`."""
        keys = self._type_list()
        return keys, self._type_list() if self.cursor.takes(":") else ()

    def _type_list(self) -> Types:
        names = [self.cursor.name()]
        while self.cursor.takes("."):
            names.append(self.cursor.name())
        return tuple(names)

    def _typeof(self) -> tuple[Types, Types]:
        """`expression [: expression]`; the types are worked out."""
        cursor = self.cursor
        expressions = Expressions(cursor, self.values)
        keys = types_of(expressions.left())
        if not cursor.takes(":"):
            return keys, ()
        cursor.takes("interval")
        if cursor.takes("verdict"):
            return keys, VERDICT
        value: Expression = expressions.left()
        return keys, types_of(value)

    def _chain(self, family: TableFamily) -> Chain:
        cursor = self.cursor
        line, name = cursor.line, cursor.name()
        cursor.expect("{")
        reader = self.rules.get(family)
        if reader is None:
            reader = self.rules[family] = RuleReader(cursor, self.values, family)
        rules: list[Rule] = []
        base: Base | None = None
        while not self._block_ends():
            token = cursor.token
            if not rules and token == "type" and cursor.tokens[cursor.at + 2] == "hook":
                base = base_head(cursor, family)
            elif not rules and token == "policy" and base is not None:
                base = with_policy(cursor, base)
            elif not rules and token in ("comment", "flags"):
                cursor.take()
                cursor.skip_rule()
            else:
                start = cursor.at
                rules.append(reader.rule())
                if cursor.at == start:
                    raise NotReadError(f"{shown(token)} where a rule should be")
        return Chain(name, tuple(rules), line, *(base or ()))


def _unique(known: dict[str, NamedSet] | dict[str, Chain], name: str, what: str) -> None:
    if name in known:
        raise NotReadError(f"{what} {shown(name)} comes twice in its table")
