"""What a rule's statements say, in order; equal whichever form they were read from.

What a listing leaves out because it follows from the table's family (the kind of a bare
`reject`, the family of `dnat to`) is written out.

Sources: nft(8), libnftables-json(5), rules-nftables 5 and 6.
"""

import enum
from typing import TypeAlias

import attrs

from model.addresses import Family
from oracle.dialects.nftables.expressions import Expression, SetLiteral, SetReference, Unknown, Verdict


class MatchOp(enum.Enum):
    """How a match compares its left side with its right.

    `EQ` with a set, a range or a literal on the right means "is in". `IN` is the test of
    bits that nft writes without an operator: some bit of the right is set in the left.
    `NONE_OF` is its contrary (`tcp flags ! syn`): no bit of the right is set.
    """

    EQ = "=="
    NE = "!="
    LT = "<"
    GT = ">"
    LE = "<="
    GE = ">="
    IN = "in"
    NONE_OF = "!"


class SetOp(enum.Enum):
    """What a rule does to a set's element."""

    ADD = "add"
    UPDATE = "update"
    DELETE = "delete"


class NatKind(enum.Enum):
    """Which address a nat statement replaces."""

    DNAT = "dnat"
    SNAT = "snat"


@attrs.frozen
class Match:
    """The rule goes on only if this holds."""

    op: MatchOp
    left: Expression
    right: Expression


@attrs.frozen
class VerdictMap:
    """`key vmap ...`: the verdict that the map has for the key; none, and the rule goes on."""

    key: Expression
    data: SetLiteral | SetReference | Unknown


@attrs.frozen
class Reject:
    """`kind` is `icmp`, `icmpv6`, `icmpx` or `tcp reset`; `code` the ICMP code's name, else empty."""

    kind: str
    code: str = ""


@attrs.frozen
class Nat:
    """`dnat` or `snat`; a map in `address` may give address and port together (`Concat`).

    `family` is None only where neither the statement nor its table says it. `flags` are
    sorted: `random`, `fully-random`, `persistent`, `netmap`, `interval`, `prefix`.
    """

    kind: NatKind
    family: Family | None
    address: Expression | None
    port: Expression | None = None
    flags: tuple[str, ...] = ()


@attrs.frozen
class Redirect:
    """The packet goes to the node itself, at `port` (None: unchanged)."""

    port: Expression | None = None
    flags: tuple[str, ...] = ()


@attrs.frozen
class Masquerade:
    """The source becomes the node's address, with a port of `port` (None: any)."""

    port: Expression | None = None
    flags: tuple[str, ...] = ()


@attrs.frozen
class Tproxy:
    """The packet goes to a local socket; `family` is None where none is said."""

    family: Family | None
    address: Expression | None
    port: Expression | None = None


@attrs.frozen
class Notrack:
    """Connection tracking skips the packet."""


@attrs.frozen
class Mangle:
    """`key set value` for meta, ct and payload."""

    key: Expression
    value: Expression


@attrs.frozen
class SetUpdate:
    """A rule adds to, refreshes in or deletes from a named set or, with `value`, map.

    `timeout` is in seconds, None for the set's own. `statements` are bound to the element.
    """

    op: SetOp
    name: str
    key: Expression
    value: Expression | None = None
    timeout: float | None = None
    statements: "tuple[Statement, ...]" = ()


@attrs.frozen
class Counter:
    """What passed so far; both None in a stateless listing."""

    packets: int | None = None
    bytes: int | None = None


@attrs.frozen
class Opaque:
    """A statement known by its kind alone.

    `log`, `last`, `objref counter` and the assignment of an object to a connection let every
    packet go on. `limit`, `quota`, `connlimit`, `objref limit`, `objref quota` may stop the
    rule. `queue`, `synproxy`, `dup`, `fwd`, `flow` do something else with the packet.
    """

    kind: str
    text: str


@attrs.frozen
class Xt:
    """A match or target of xtables that nft cannot show; its meaning is hidden.

    `kind` is `match`, `target` or `watcher`; both are empty where the listing tells nothing.
    """

    kind: str
    name: str


Statement: TypeAlias = (
    Match
    | VerdictMap
    | Verdict
    | Reject
    | Nat
    | Redirect
    | Masquerade
    | Tproxy
    | Notrack
    | Mangle
    | SetUpdate
    | Counter
    | Opaque
    | Xt
    | Unknown
)
