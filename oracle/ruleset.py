"""A dump as data: tables of chains of rules, whatever dialect they were written in.

Law: a rule's `when` is a conjunction of literals (`Within`, `Fact` and their `Not`);
what the dialect could not judge is the fact `unsupported` with the option's text as
its argument, never an assumption. A rule with an `Unsupported` action may do anything.

Facts a rule may use, all of them about the packet at the rule's hook:

| fact | argument | true when |
|---|---|---|
| `source-local`, `destination-local` | | addrtype LOCAL of the address |
| `in-interface`, `out-interface` | name, or prefix ending in `+` | the packet came in / leaves by it |
| `ctstate` | NEW, ESTABLISHED, RELATED, INVALID, UNTRACKED, DNAT, SNAT | conntrack state or status holds |
| `mark` | `value/mask` in hex, lower case | mark & mask == value |
| `recent` | `list name/seconds` (seconds 0: any age) | the source was remembered in the list that recently |
| `unsupported` | the option's text | cannot be judged |
"""

import enum
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple

import attrs

from model.addresses import Family
from model.predicate import Predicate


@attrs.frozen
class Jump:
    """Go through another chain and come back (`-j CHAIN`)."""

    chain: str


@attrs.frozen
class Goto:
    """Go through another chain and come back to the caller's caller (`-g CHAIN`)."""

    chain: str


@attrs.frozen
class Accept:
    """The packet leaves this hook's table unharmed."""


@attrs.frozen
class Drop:
    """The packet is swallowed."""


@attrs.frozen
class Reject:
    """The packet is refused; `with_` is the error as the dialect writes it."""

    with_: str


@attrs.frozen
class Return:
    """Back to the calling chain; from a base chain, its policy."""


@attrs.frozen
class Dnat:
    """The destination becomes `address` (None: unchanged) and `port` (None: unchanged)."""

    address: int | None
    port: int | None


@attrs.frozen
class Redirect:
    """The destination becomes the node itself, at `port` (None: unchanged)."""

    port: int | None


@attrs.frozen
class Masquerade:
    """The source becomes an address of this node (MASQUERADE, SNAT)."""


@attrs.frozen
class SetMark:
    """mark = (mark & ~clear) ^ flip, and on to the next rule."""

    clear: int
    flip: int


@attrs.frozen
class Untrack:
    """Connection tracking skips the packet, so nat does too; on to the next rule."""


@attrs.frozen
class Continue:
    """Nothing that a packet's fate depends on (counters, LOG, no target at all)."""


@attrs.frozen
class Unsupported:
    """A target that cannot be judged; `why` says so in a few words."""

    why: str


Action = (
    Jump
    | Goto
    | Accept
    | Drop
    | Reject
    | Return
    | Dnat
    | Redirect
    | Masquerade
    | SetMark
    | Untrack
    | Continue
    | Unsupported
)


class Rule(NamedTuple):
    """One line of a dump. A tuple, not attrs: a large node has a quarter of a million.

    `odds` is the chance that a packet which meets `when` is taken (statistic), None
    for always. `remember` names the list that the packet's source enters when the rule
    matches (recent --set). `line` counts from 1 in the dump's file.
    """

    when: Predicate
    then: Action
    line: int
    text: str
    odds: Fraction | None = None
    remember: str = ""


class Hookpoint(enum.Enum):
    """The five places on a packet's way where netfilter asks base chains."""

    PREROUTING = "prerouting"
    INPUT = "input"
    FORWARD = "forward"
    OUTPUT = "output"
    POSTROUTING = "postrouting"


@attrs.frozen
class Base:
    """Where a base chain hangs; of one point's chains those of lower priority are asked first.

    `is_nat` says that connections are translated there: it is asked about the first
    packet of each, and about none that another such chain of the point has translated.
    """

    point: Hookpoint
    priority: int
    is_nat: bool = False


@attrs.frozen(eq=False)
class Chain:
    """Rules in order. `policy` is set for base chains: what happens at the end.

    `base` says where a base chain hangs; iptables' own hang where their table and name say.
    """

    name: str
    rules: list[Rule]
    line: int
    policy: Accept | Drop | None = None
    base: Base | None = None


class Dialect(enum.Enum):
    """Which tool's rules a rule set was read from."""

    IPTABLES = "iptables"
    NFTABLES = "nftables"
    IPVS = "ipvs"


@attrs.frozen
class Note:
    """Something about a dump that a reader must know: `what` in words, `line` or 0."""

    line: int
    what: str
    text: str = ""


@attrs.frozen(eq=False)
class Ruleset:
    """All tables of one family on one node, as one or more dumps of one moment gave them.

    `tables` maps table name to chain name to chain; nftables' names have their family
    before them ("ip kube-proxy"), ipvs has the one table "ipvs". `unsupported` lists each
    line that holds something not judged, whether or not a packet's fate depends on it.
    `backend` is iptables' "nft" or "legacy", "" when the dump does not say.
    """

    family: Family
    file: str
    tables: dict[str, dict[str, Chain]]
    unsupported: tuple[Note, ...] = ()
    warnings: tuple[Note, ...] = ()
    backend: str = ""
    dialect: Dialect = Dialect.IPTABLES

    @cached_property
    def base_chains(self) -> tuple[tuple[str, Chain], ...]:
        """The chains that netfilter itself asks, each with its table's name."""
        return tuple(
            (table, chain)
            for table, chains in self.tables.items()
            for chain in chains.values()
            if chain.policy is not None or chain.base is not None
        )
