"""Literals in the text of nft: single values, lists of flags, and the elements of sets.

What a word means depends on the type of what it is compared with; each word of a type is
worked out once in the life of a reading.
"""

from typing import Final

from oracle.dialects.nftables.datatypes import Types, scalar, seconds
from oracle.dialects.nftables.expressions import (
    ANYTHING,
    Concat,
    Element,
    Expression,
    Flags,
    Range,
    SetLiteral,
    Unknown,
    Value,
    Verdict,
    VerdictKind,
)
from oracle.dialects.nftables.spans import prefix, span
from oracle.dialects.nftables.tokens import Cursor, NotReadError, is_word, shown, unquoted

VERDICTS: Final = {
    kind.value: Verdict(kind)
    for kind in (VerdictKind.ACCEPT, VerdictKind.DROP, VerdictKind.RETURN, VerdictKind.CONTINUE)
}
JUMPS: Final = {"jump": VerdictKind.JUMP, "goto": VerdictKind.GOTO}

VERDICT: Final[Types] = ("verdict",)

_ELEMENT_ENDS: Final = frozenset({",", "}", ":"})
_KEY_ENDS: Final = frozenset({"timeout", "expires", "comment", "counter", "limit", "quota", "last"})
_AFTER_KEY: Final = _ELEMENT_ENDS | _KEY_ENDS | {"\n"}


def meaning(word: str, type_name: str) -> Value:
    """The value of a word or string in a type; Unknown when it has none.

    >>> meaning("1-5", "inet_service")
    Range(low=1, high=5)
    """
    if word[:1] == '"':
        return unquoted(word)
    if word == "*":
        return ANYTHING
    base, slash, length = word.partition("/")
    if slash and length.isascii() and length.isdigit() and len(length) < 4:
        network = prefix(scalar(base, type_name), int(length), type_name, word)
        if not isinstance(network, Unknown) or type_name in ("ipv4_addr", "ipv6_addr"):
            return network
    value = scalar(word, type_name)
    if "-" not in word or not (isinstance(value, Unknown) or (isinstance(value, str) and not type_name)):
        return value
    low, _, high = word.partition("-")
    ends = scalar(low, type_name), scalar(high, type_name)
    if any(isinstance(end, str) for end in ends):
        return value
    return span(*ends, word)


class Values:
    """The meanings worked out so far, by type and word."""

    __slots__ = ("columns", "known")

    def __init__(self) -> None:
        self.known: dict[str, dict[str, Value]] = {}
        self.columns: dict[Types, tuple[tuple[str, dict[str, Value]], ...]] = {}

    def of(self, type_name: str) -> dict[str, Value]:
        """The words known in a type."""
        return self.known.setdefault(type_name, {})

    def single(self, cursor: Cursor, type_name: str) -> Value:
        """The value that comes next, without lists. Raises NotReadError for punctuation."""
        token = cursor.tokens[cursor.at]
        known = self.known.get(type_name)
        if known is None:
            known = self.of(type_name)
        value = known.get(token)
        if value is None:
            if not is_word(token):
                raise NotReadError(f"{shown(token)} where a value should be")
            value = known[token] = meaning(token, type_name)
        cursor.at += 1
        if cursor.tokens[cursor.at] == "-" and isinstance(value, str):
            cursor.at += 1
            high = meaning(cursor.name(), type_name)
            return Range(value, high) if isinstance(high, str) else Unknown(f"{value}-{high}")
        return value

    def listed(self, cursor: Cursor, type_name: str, separators: tuple[str, ...]) -> Value:
        """A value, or several that one of the separators joins: names or bits together."""
        closing = cursor.takes("(")
        value = self.single(cursor, type_name)
        if cursor.token in separators:
            values = [value]
            while any(cursor.takes(separator) for separator in separators):
                values.append(self.single(cursor, type_name))
            value = together(values)
        if closing:
            cursor.expect(")")
        return value

    def key(self, cursor: Cursor, types: Types) -> Expression:
        """An element's key or value: one value for each part of a concatenation.

        Nearly all are plain words, which are looked up without further calls.
        """
        tokens = cursor.tokens
        columns = self.columns.get(types)
        if columns is None:
            columns = self.columns[types] = tuple((name, self.of(name)) for name in types)
        at = cursor.at
        parts: list[Expression] = []
        for type_name, known in columns:
            token = tokens[at]
            value = known.get(token)
            if value is None:
                if not is_word(token):
                    break
                value = known[token] = meaning(token, type_name)
            parts.append(value)
            at += 1
            if tokens[at] != ".":
                break
            at += 1
        if tokens[at] not in _AFTER_KEY or tokens[at - 1] == ".":
            return self._composed_key(cursor, types)
        cursor.at = at
        return parts[0] if len(parts) == 1 else Concat(tuple(parts))

    def _composed_key(self, cursor: Cursor, types: Types) -> Expression:
        """A key whose parts may be ranges of names or united bits."""
        first = self.listed(cursor, types[0], ("|",))
        parts: list[Expression] = [first]
        while cursor.takes("."):
            at = len(parts)
            parts.append(self.single(cursor, types[at] if at < len(types) else ""))
        return first if len(parts) == 1 else Concat(tuple(parts))

    def verdict(self, cursor: Cursor) -> Verdict:
        """The verdict that comes next. Raises NotReadError for anything else."""
        token = cursor.take()
        if token in JUMPS:
            return Verdict(JUMPS[token], cursor.name())
        if token not in VERDICTS:
            raise NotReadError(f"{shown(token)} where a verdict should be")
        return VERDICTS[token]

    def literal(self, cursor: Cursor, types: Types, value_types: Types) -> SetLiteral:
        """`{ ... }` in a rule."""
        return SetLiteral(self.elements(cursor, types, value_types, numbered=False))

    def elements(
        self, cursor: Cursor, types: Types, value_types: Types, *, numbered: bool
    ) -> tuple[Element, ...]:
        """All of `{ ... }`, braces passed over; `numbered` ones know their line."""
        cursor.expect("{")
        tokens = cursor.tokens
        found: list[Element] = []
        while True:
            while tokens[cursor.at] == "\n":
                cursor.at += 1
                cursor.line += 1
            if tokens[cursor.at] == "}":
                break
            line = cursor.line if numbered else 0
            key = self.key(cursor, types)
            timeout = expires = None
            comment = ""
            value: Expression | None = None
            token = tokens[cursor.at]
            while token != "," and token != "}" and token != "\n":
                cursor.at += 1
                if token == ":" and value_types:
                    value = self.verdict(cursor) if value_types == VERDICT else self.key(cursor, value_types)
                elif token == "timeout":
                    timeout = duration(cursor)
                elif token == "expires":
                    expires = duration(cursor)
                elif token == "comment":
                    comment = cursor.name()
                else:
                    self._statement(cursor, token)
                token = tokens[cursor.at]
            if value_types and value is None:
                raise NotReadError(f"an element without a value before {shown(token)}")
            found.append(Element(key, value, timeout, expires, comment, line))
            while tokens[cursor.at] == "\n":
                cursor.at += 1
                cursor.line += 1
            if tokens[cursor.at] != ",":
                break
            cursor.at += 1
        cursor.expect("}")
        return tuple(found)

    def _statement(self, cursor: Cursor, token: str) -> None:
        """Pass over what an element counts or limits; it says nothing of membership."""
        if token not in _KEY_ENDS:
            raise NotReadError(f"{shown(token)} in an element")
        while cursor.token not in _ELEMENT_ENDS and cursor.token not in _KEY_ENDS:
            cursor.name()


def together(values: list[Value]) -> Value:
    """Several bits as one value: the numbers' union, or the names."""
    if all(isinstance(value, int) for value in values):
        union = 0
        for value in values:
            assert isinstance(value, int)
            union |= value
        return union
    names = [value for value in values if isinstance(value, str)]
    if len(names) == len(values):
        return Flags(tuple(names))
    return Unknown(",".join(value.text if isinstance(value, Unknown) else str(value) for value in values))


def duration(cursor: Cursor) -> float | None:
    """The seconds that come next; None for `never`."""
    word = cursor.name()
    if word == "never":
        return None
    given = seconds(word)
    if given is None:
        raise NotReadError(f"{shown(word)} is not a duration")
    return given
