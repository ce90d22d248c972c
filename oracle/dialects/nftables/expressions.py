"""What rules compare, look up and compute; equal whichever form it was read from.

Symbols that mean a number (protocols, ports, marks, ICMP types, TCP flags, addresses) are
that number; other names (interfaces, conntrack states, address types) stay names.

Values, the leaves of expressions:

| Python | nft |
|---|---|
| `int` | port, protocol, mark, ICMP type, TCP flags, any number |
| `str` | name of an interface, conntrack state, address type, MAC address, text |
| `Address` | an IPv4 or IPv6 address |
| `Range` | `a-b` and `a/length`, both ends included |
| `Flags` | `established,related` and `established | related` |
| `ANYTHING` | `*`, the key that catches what no other does |

Sources: nft(8), libnftables-json(5), rules-nftables 5 and 6.
"""

import enum
from typing import Final, NamedTuple, TypeAlias

import attrs

from model.addresses import Family


class VerdictKind(enum.Enum):
    """What a verdict does with the packet; jump and goto name a chain."""

    ACCEPT = "accept"
    DROP = "drop"
    RETURN = "return"
    CONTINUE = "continue"
    JUMP = "jump"
    GOTO = "goto"


class BitOp(enum.Enum):
    """An operation on bits."""

    AND = "&"
    OR = "|"
    XOR = "^"
    LSHIFT = "<<"
    RSHIFT = ">>"


class Unknown(NamedTuple):
    """A statement or expression that cannot be read, as the dump has it; it may do anything."""

    text: str


class Address(NamedTuple):
    """An IP address."""

    family: Family
    value: int


class Range(NamedTuple):
    """All values from `low` to `high`, both included; a prefix is one too.

    The ends are two numbers or two addresses of one family; two names where nft has
    ordered names (`hour "10:00"-"12:00"`). The first is not above the second.
    """

    low: "Scalar"
    high: "Scalar"


class Flags(NamedTuple):
    """Several named bits (`established,related`), in the order of the dump."""

    names: tuple[str, ...]


class Anything(enum.Enum):
    """The one key that matches whatever no other element does (`*`)."""

    ANYTHING = "*"


ANYTHING: Final = Anything.ANYTHING

Scalar: TypeAlias = int | str | Address
Value: TypeAlias = Scalar | Range | Flags | Anything | Unknown


class Concat(NamedTuple):
    """Several expressions that are compared together (`a . b`); also as an element's key."""

    parts: tuple["Expression", ...]


class Verdict(NamedTuple):
    """A verdict, as a statement or as the value of a map; `chain` only for jump and goto."""

    kind: VerdictKind
    chain: str = ""


class Element(NamedTuple):
    """One element of a set or map.

    `value` is None in a set. `timeout` and `expires` are in seconds, None when not said.
    `line` as in `Rule`; 0 within a literal.
    """

    key: "Expression"
    value: "Expression | None" = None
    timeout: float | None = None
    expires: float | None = None
    comment: str = ""
    line: int = 0


class SetLiteral(NamedTuple):
    """`{ ... }` in a rule: a set, or a map when its elements have values."""

    elements: tuple[Element, ...]


class SetReference(NamedTuple):
    """`@name`: a named set or map of the same table."""

    name: str


@attrs.frozen
class Payload:
    """A header's field: `ip saddr`, `th dport`, `tcp flags`; the protocol is implied."""

    protocol: str
    field: str


@attrs.frozen
class RawPayload:
    """`@base,offset,length` in bits."""

    base: str
    offset: int
    length: int


@attrs.frozen
class Meta:
    """What the kernel knows of a packet: `mark`, `l4proto`, `iifname`, `random`."""

    key: str


@attrs.frozen
class Ct:
    """What conntrack knows: `state`, `status`, `mark`, or of one direction `proto-dst`."""

    key: str
    direction: str = ""


@attrs.frozen
class Fib:
    """What the routing table says of a packet's `flags` (`daddr`, `iif`): `type`, `oif`, `oifname`."""

    flags: tuple[str, ...]
    result: str


@attrs.frozen
class Numgen:
    """A number from `offset` to `offset + modulus - 1`: `random`, or `inc` for round robin."""

    mode: str
    modulus: int
    offset: int = 0


@attrs.frozen
class Jhash:
    """A number from `offset` to `offset + modulus - 1`, the hash of an expression."""

    of: "Expression"
    modulus: int
    seed: int | None = None
    offset: int = 0


@attrs.frozen
class Symhash:
    """A number from `offset` to `offset + modulus - 1`, the same for both directions of a flow."""

    modulus: int
    offset: int = 0


@attrs.frozen
class Binary:
    """An operation on bits."""

    op: BitOp
    left: "Expression"
    right: "Expression"


@attrs.frozen
class MapLookup:
    """`key map @name` or `key map { ... }`: the value that the map has for the key."""

    key: "Expression"
    data: "SetLiteral | SetReference | Unknown"


Expression: TypeAlias = (
    Value
    | Concat
    | Verdict
    | SetLiteral
    | SetReference
    | Payload
    | RawPayload
    | Meta
    | Ct
    | Fib
    | Numgen
    | Jhash
    | Symhash
    | Binary
    | MapLookup
)
