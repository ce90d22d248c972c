"""Expressions in the text of nft: what a packet has, and what is computed of it.

Operators bind as in nft's grammar: shifts, then `&`, `^`, `|`. A literal is read in the
type of what it stands beside. A kind of expression whose extent is known but not its
meaning (`rt`, `socket`, `tcp option` ...) is `Unknown` with nft's words for it.
"""

from typing import Final

from oracle.dialects.nftables.datatypes import (
    CT_KEYS,
    INTEGER,
    META_KEYS,
    PAYLOAD_FIELDS,
    UNQUALIFIED_META,
    Types,
    is_bitmask,
    types_of,
)
from oracle.dialects.nftables.expressions import (
    Binary,
    BitOp,
    Concat,
    Ct,
    Expression,
    Fib,
    Jhash,
    MapLookup,
    Meta,
    Numgen,
    Payload,
    RawPayload,
    SetLiteral,
    SetReference,
    Symhash,
    Unknown,
)
from oracle.dialects.nftables.text_values import Values
from oracle.dialects.nftables.tokens import Cursor, NotReadError, shown

_OPERATORS: Final = {op.value: op for op in BitOp} | {
    "and": BitOp.AND,
    "or": BitOp.OR,
    "xor": BitOp.XOR,
    "lshift": BitOp.LSHIFT,
    "rshift": BitOp.RSHIFT,
}
_BINDING: Final = {BitOp.LSHIFT: 4, BitOp.RSHIFT: 4, BitOp.AND: 3, BitOp.XOR: 2, BitOp.OR: 1}

_DIRECTIONS: Final = frozenset({"original", "reply"})
_FIB_FLAGS: Final = frozenset({"saddr", "daddr", "mark", "iif", "oif"})
_EXTENSION_FIELDS: Final = {
    "hbh": {"nexthdr", "hdrlength"},
    "rt": {"nexthdr", "hdrlength", "type", "seg-left"},
    "frag": {"nexthdr", "reserved", "frag-off", "reserved2", "more-fragments", "id"},
    "dst": {"nexthdr", "hdrlength"},
    "mh": {"nexthdr", "hdrlength", "type", "reserved", "checksum"},
}
_TCP_OPTION_FIELDS: Final = frozenset(
    {"kind", "length", "size", "count", "left", "right", "tsval", "tsecr", "subtype", "type", "ptr", "value"}
)


class Expressions:
    """Reads expressions at a cursor; `values` remembers what words mean."""

    __slots__ = ("cursor", "values")

    def __init__(self, cursor: Cursor, values: Values) -> None:
        self.cursor = cursor
        self.values = values

    def left(self) -> Expression:
        """What a match or lookup asks of the packet: an expression or a concatenation."""
        return self._concat(self._binary(self._primary(), 1))

    def value(self, types: Types) -> Expression:
        """What is assigned or translated to: an expression, a lookup in a map, or a literal."""
        cursor = self.cursor
        first = self._optional()
        if first is None:
            literal = self.values.key(cursor, types)
            return self._binary(literal, 1)
        found = self._concat(self._binary(first, 1))
        if not cursor.takes("map"):
            return found
        return MapLookup(found, self.data(types_of(found), types))

    def right(self, types: Types) -> Expression:
        """What a match compares with: a literal, a list, a set or its name."""
        cursor = self.cursor
        token = cursor.token
        if token == "{":
            return self.values.literal(cursor, types, ())
        if token[:1] == "@":
            cursor.at += 1
            return SetReference(token[1:])
        if token in ("meta", "ct", "numgen", "jhash", "symhash", "fib"):
            raise NotReadError(f"{token} where a literal should be")
        if is_bitmask(types):
            return self.values.listed(cursor, types[0], (",", "|"))
        return self.values.key(cursor, types)

    def data(self, types: Types, value_types: Types) -> SetLiteral | SetReference:
        """The map of a lookup: a literal or a name."""
        token = self.cursor.token
        if token == "{":
            return self.values.literal(self.cursor, types, value_types)
        if token[:1] == "@" and len(token) > 1:
            self.cursor.at += 1
            name, colon, port = token[1:].partition(":")
            if colon:  # `map @name:80` of a nat statement; names have no colon
                self.cursor.at -= 1
                self.cursor.tokens[self.cursor.at] = ":" + port
            return SetReference(name)
        raise NotReadError(f"{shown(token)} where a map should be")

    def _concat(self, first: Expression) -> Expression:
        if self.cursor.token != ".":
            return first
        parts = [first]
        while self.cursor.takes("."):
            parts.append(self._binary(self._primary(), 1))
        return Concat(tuple(parts))

    def _binary(self, left: Expression, binding: int) -> Expression:
        """The operations that follow `left` and bind at least so tightly."""
        cursor = self.cursor
        while (op := _OPERATORS.get(cursor.token)) is not None and _BINDING[op] >= binding:
            cursor.at += 1
            right = self._optional()
            if right is None:
                types = types_of(left) if op not in (BitOp.LSHIFT, BitOp.RSHIFT) else INTEGER
                separators = (",", "|") if is_bitmask(types) else ()
                right = self.values.listed(cursor, types[0], separators)
            left = Binary(op, left, self._binary(right, _BINDING[op] + 1))
        return left

    def _primary(self) -> Expression:
        found = self._optional()
        if found is None:
            raise NotReadError(f"{shown(self.cursor.token)} where an expression should be")
        return found

    def _optional(self) -> Expression | None:
        """The expression that begins here; None, and nothing passed over, for a literal."""
        cursor = self.cursor
        token = cursor.token
        following = cursor.tokens[cursor.at + 1]
        fields = PAYLOAD_FIELDS.get(token)
        if fields is not None:
            if following in fields:
                cursor.at += 2
                return Payload(token, following)
            if token == "arp" and f"{following} {cursor.tokens[cursor.at + 2]}" in fields:
                cursor.at += 3
                return Payload(token, f"{following} {cursor.tokens[cursor.at - 1]}")
        if token == "meta" and following in META_KEYS:
            cursor.at += 2
            return Meta(following)
        if token in UNQUALIFIED_META:
            cursor.at += 1
            return Meta(token)
        if token == "(":
            return self._parenthesis()
        if token == "ct":
            return self._ct()
        if token == "fib":
            return self._fib()
        if token == "numgen":
            return self._numgen()
        if token == "jhash":
            return self._jhash()
        if token == "symhash":
            return self._symhash()
        if token[:1] == "@" and cursor.tokens[cursor.at + 1] == ",":
            return self._raw_payload()
        return self._other(token, following)

    def _parenthesis(self) -> Expression | None:
        """`( expression )`; None for a parenthesis around literals."""
        start = self.cursor.at
        self.cursor.at += 1
        inner = self._optional()
        if inner is None:
            self.cursor.at = start
            return None
        inner = self._binary(inner, 1)
        self.cursor.expect(")")
        return inner

    def _ct(self) -> Ct | None:
        cursor = self.cursor
        at = cursor.at + 1
        direction = cursor.tokens[at] if cursor.tokens[at] in _DIRECTIONS else ""
        at += bool(direction)
        key = cursor.tokens[at]
        if key in ("ip", "ip6"):
            at += 1
            key = f"{key} {cursor.tokens[at]}"
        if key not in CT_KEYS:
            return None
        cursor.at = at + 1
        return Ct(key, direction)

    def _fib(self) -> Fib:
        cursor = self.cursor
        cursor.at += 1
        flags = [cursor.name()]
        while cursor.takes("."):
            flags.append(cursor.name())
        if not _FIB_FLAGS.issuperset(flags):
            raise NotReadError(f"fib of {' . '.join(flags)}")
        result = cursor.name()
        if result not in ("type", "oif", "oifname", "check"):
            raise NotReadError(f"fib {result}")
        return Fib(tuple(flags), result)

    def _numgen(self) -> Numgen:
        self.cursor.at += 1
        mode = self.cursor.name()
        if mode not in ("random", "inc"):
            raise NotReadError(f"numgen {mode}")
        self.cursor.expect("mod")
        return Numgen(mode, self._number(), self._number_after("offset") or 0)

    def _jhash(self) -> Jhash:
        self.cursor.at += 1
        of = self.left()
        self.cursor.expect("mod")
        return Jhash(of, self._number(), self._number_after("seed"), self._number_after("offset") or 0)

    def _symhash(self) -> Symhash:
        self.cursor.at += 1
        self.cursor.expect("mod")
        return Symhash(self._number(), self._number_after("offset") or 0)

    def _number_after(self, word: str) -> int | None:
        return self._number() if self.cursor.takes(word) else None

    def _number(self) -> int:
        number = self.values.single(self.cursor, "integer")
        if not isinstance(number, int):
            raise NotReadError(f"{number} is not a number")
        return number

    def _raw_payload(self) -> RawPayload:
        cursor = self.cursor
        base = cursor.take()[1:]
        cursor.expect(",")
        offset = self._number()
        cursor.expect(",")
        return RawPayload(base, offset, self._number())

    def _other(self, token: str, following: str) -> Unknown | None:
        """An expression whose meaning has no place here, with its extent."""
        cursor = self.cursor
        third = cursor.tokens[cursor.at + 2]
        if token in ("tcp", "ip") and following == "option":
            extent = 3 + (cursor.tokens[cursor.at + 3] in _TCP_OPTION_FIELDS)
        elif token == "exthdr":
            extent = 2
        elif following in _EXTENSION_FIELDS.get(token, ()):
            cursor.at += 2
            return Unknown(f"exthdr {token} {following}")
        elif token == "rt" and following in ("classid", "mtu", "ipsec", "nexthop"):
            extent = 2
        elif token == "rt" and third == "nexthop":
            cursor.at += 3
            return Unknown("rt nexthop")
        elif token == "socket" and third == "level":
            cursor.at += 4
            return Unknown(f"socket {following}")
        elif token == "socket" and following in ("transparent", "mark", "wildcard"):
            extent = 2
        elif token == "ipsec" and following in ("in", "out"):
            extent = 4 if third in ("ip", "ip6") else 3
        else:
            return None
        start = cursor.at
        for _ in range(extent):
            cursor.name()
        return Unknown(cursor.text_since(start))
