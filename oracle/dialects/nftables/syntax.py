"""A ruleset as nft sees it: tables of sets, maps and chains of rules, from text or JSON.

Law: nothing is dropped and nothing is guessed. What cannot be read is `Unknown` with its
text, at the place where it stood (`expressions`, `statements`).

Sources: nft(8), libnftables-json(5), rules-nftables 5 and 6.
"""

import enum
from typing import NamedTuple

import attrs

from oracle.dialects.nftables.expressions import Element, VerdictKind
from oracle.dialects.nftables.statements import Statement


class Form(enum.Enum):
    """How a dump is written."""

    TEXT = "text"
    JSON = "json"


class TableFamily(enum.Enum):
    """An address family of tables."""

    IP = "ip"
    IP6 = "ip6"
    INET = "inet"
    ARP = "arp"
    BRIDGE = "bridge"
    NETDEV = "netdev"


class Hook(enum.Enum):
    """Where the kernel enters a base chain."""

    PREROUTING = "prerouting"
    INPUT = "input"
    FORWARD = "forward"
    OUTPUT = "output"
    POSTROUTING = "postrouting"
    INGRESS = "ingress"
    EGRESS = "egress"


class ChainType(enum.Enum):
    """What a base chain may do."""

    FILTER = "filter"
    NAT = "nat"
    ROUTE = "route"


class Rule(NamedTuple):
    """One rule. `text` is the dump's own, without comment and handle; empty in JSON.

    `line` counts from 1 in a text; in JSON it is the object's index in the array
    `nftables`, counted from 0, where what stands first is no rule. `handle` is 0 when
    the listing has none.
    """

    statements: tuple[Statement, ...]
    line: int
    text: str = ""
    comment: str = ""
    handle: int = 0


@attrs.frozen
class NamedSet:
    """A named set, or a map when `value_types` is not empty. Types are nft's names.

    `key_types` has one name for each part of the key (`ipv4_addr`, `inet_service`). A type
    given by `typeof` is worked out, or the empty name where it cannot be. `timeout` is in
    seconds, None without; `size` None without. `flags` are sorted; JSON of some versions
    leaves out `dynamic`.
    """

    name: str
    key_types: tuple[str, ...]
    line: int
    value_types: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    timeout: float | None = None
    size: int | None = None
    elements: tuple[Element, ...] = ()


@attrs.frozen
class Chain:
    """Rules in order. A base chain has hook, type, priority and policy; others have none.

    `priority` is a number whatever its name was. A listing without policy means accept,
    and is given so. JSON of some versions leaves out `devices`.
    """

    name: str
    rules: tuple[Rule, ...]
    line: int
    hook: Hook | None = None
    type: ChainType | None = None
    priority: int | None = None
    policy: VerdictKind | None = None
    devices: tuple[str, ...] = ()


@attrs.frozen
class NamedObject:
    """A counter, quota, limit, flowtable, ct helper ...: that it is there."""

    kind: str
    name: str
    line: int


@attrs.frozen
class Table:
    """A table; its sets, maps and chains by name. A dormant table (`flags`) hooks nothing."""

    family: TableFamily
    name: str
    line: int
    sets: dict[str, NamedSet]
    chains: dict[str, Chain]
    objects: tuple[NamedObject, ...] = ()
    flags: tuple[str, ...] = ()


@attrs.frozen
class Dump:
    """What one listing says. `tool_version` is empty where it does not.

    `managed_by_iptables` names the tables that a warning of the listing says are
    iptables-nft's.
    """

    file: str
    form: Form
    tables: tuple[Table, ...]
    tool_version: str = ""
    managed_by_iptables: tuple[tuple[TableFamily, str], ...] = ()
