"""How walks of many packets begin and end: cells, and what becomes of them."""

from typing import NamedTuple

from model.outcome import Verdict
from oracle.hooks import Stop
from oracle.space.flow import Flow
from oracle.space.ladder import Ladder
from oracle.space.places import Signature

# For names that `-o` asks for, whether the packet leaves by what they mean; not listed: unknown.
Outward = tuple[tuple[str, bool], ...]

OWN = -1  # the node's own address, which depends on where the packet comes from


class End(NamedTuple):
    """Packets whose walk through the hooks so far is over.

    For DNAT the walk goes on at the new `address` and `port`, behind the base chain `turn`;
    REDIRECT has `OWN`. `stuck` says that a target which cannot be judged decided.
    """

    flow: Flow
    verdict: Verdict
    address: int | None = None
    port: int | None = None
    reject_with: str = ""
    stuck: bool = False
    turn: Stop | None = None


class Group(NamedTuple):
    """Packets that a ladder distributes: one end for each rung, for all of the flow."""

    flow: Flow
    ladder: Ladder
    turn: Stop


Ends = list[End | Group]


class Later(NamedTuple):
    """What becomes of packets from some sources after destination nat."""

    flow: Flow
    verdict: Verdict
    reject_with: str
    stuck: bool


class Destination(NamedTuple):
    """What the walk after destination nat needs to know of an address."""

    signature: Signature  # of the sets that rules met by then speak of
    to_node: bool
    outward: Outward


class Cell(NamedTuple):
    """One class of (destination, protocol, port), by numbers that stand for it."""

    signature: Signature
    destination: int
    protocol: int
    port: int
