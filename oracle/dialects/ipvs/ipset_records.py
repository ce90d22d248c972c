"""What ipset shows of a node: sets, each with its members as text and as exact sets of numbers."""

import enum
from collections.abc import Mapping
from typing import NamedTuple

import attrs

from model.addresses import Family
from model.intervals import Intervals
from oracle.ruleset import Note


class Dimension(enum.Enum):
    """What one part of a set's members speaks of, as in the name of its type."""

    IP = "ip"
    NET = "net"
    PORT = "port"
    SET = "set"


class Ports(NamedTuple):
    """Destination or source ports of some protocols.

    `icmp` is a type with its code, "" for all else: packets here have none, so it stands
    for all of ICMP that may be meant.
    """

    protocols: Intervals
    ports: Intervals
    icmp: str = ""


Part = Intervals | Ports


class Member(NamedTuple):
    """One member.

    `entry` is its text as ipset prints it, without options; `parts` one value a dimension,
    none in a set that is opaque. `excluded` (nomatch) takes a network out of a larger one.
    """

    entry: str
    parts: tuple[Part, ...]
    excluded: bool
    options: str
    line: int


@attrs.frozen(eq=False)
class IpSet:
    """One set. `opaque` says why its members cannot be judged, "" where they can.

    `family` is None where members have no addresses. `line` is that of its name.
    """

    name: str
    type: str
    family: Family | None
    dimensions: tuple[Dimension, ...]
    members: tuple[Member, ...]
    opaque: str = ""
    line: int = 0

    @property
    def entries(self) -> frozenset[str]:
        """The members' texts."""
        return frozenset(one.entry for one in self.members)


@attrs.frozen(eq=False)
class IpsetDump:
    """All sets of a node by name, those of both families and of whoever made them."""

    file: str
    sets: Mapping[str, IpSet]
    warnings: tuple[Note, ...] = ()
