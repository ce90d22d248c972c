"""A claim that must hold of Services, written once, to be tried in every way we have.

A claim is a function of a case that answers with a `Violation` or None. It never asks how
the case came about, so one text is held against the model on drawn cases, against the rules
of recorded nodes, and against connections that a kernel made. It computes what it speaks of
from definitions, not from the tables or indexes that it is there to catch.
"""

import enum
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Generic, TypeVar

import attrs

from invariants.names import DnsCase
from model.affinity import Connection
from model.api.refusal import Refused
from model.cluster.events import Event, IllegalEvent
from model.cluster.state import ClusterState
from model.frontends import NodeView
from model.node_config import ProxyMode
from model.outcome import Outcome
from model.packet import Packet

if TYPE_CHECKING:  # to judge a step takes nothing of what carries it out
    from model.cluster.transition import Answer


class Kind(enum.Enum):
    """What a claim is about; the letters are those of the rules' own list, but for N."""

    STATE = "S"  # every state that a cluster can reach
    STEP = "T"  # every event, carried out or refused, with the states before and after it
    EVENTUAL = "L"  # every state in which controllers and proxies have nothing left to do
    NUMBER = "N"  # every size of a range: arithmetic, listed as S by the rules
    PACKET = "P"  # every state, node and new packet
    FLOW = "F"  # every sequence of new connections on a node whose view stays as it is
    WORLDS = "W"  # every two worlds that differ in one thing: listed as P by the rules
    DNS = "D"  # every moment's objects, with the DNS server over them: listed as S by the rules


@attrs.frozen
class Violation:
    """A case of which the claim is not true; `what` says why, with the values."""

    what: str


@attrs.frozen
class Step:
    """An event in a state, and what came of it.

    `after` is the state that counts from now on; `told` is the answer, or the error of an
    event that was refused, after which nothing may have changed.
    """

    before: ClusterState
    event: Event
    after: ClusterState
    told: "Answer | Refused | IllegalEvent"

    @property
    def is_refused(self) -> bool:
        return isinstance(self.told, Refused | IllegalEvent)


StateCheck = Callable[[ClusterState], Violation | None]
StepCheck = Callable[[Step], Violation | None]
NumberCheck = Callable[[int], Violation | None]
PacketCheck = Callable[[NodeView, Packet, Outcome], Violation | None]
FlowCheck = Callable[[NodeView, Sequence[Connection]], Violation | None]
DnsCheck = Callable[[DnsCase], Violation | None]

Check = TypeVar("Check", bound=Callable[..., Violation | None])
Check_co = TypeVar("Check_co", bound=Callable[..., Violation | None], covariant=True)

CONTRACT_MODES = (ProxyMode.IPTABLES, ProxyMode.NFTABLES)
"""The modes that the forwarding contract speaks of."""


def _nothing(*_: object) -> bool:
    """The assumption that is always true."""
    return True


@attrs.frozen
class Invariant(Generic[Check_co]):
    """One claim. `check` is the claim itself, with the exceptions that the rules state.

    `source` names the rules that it follows from, exceptions included. `modes` are the
    proxy modes that it is claimed of; empty where no proxy is concerned. `assumption` says
    in words what is taken for granted ("" for nothing), `assumes` whether that is so of a case.
    """

    id: str
    sentence: str
    kind: Kind
    source: tuple[str, ...]
    modes: tuple[ProxyMode, ...]
    assumption: str
    assumes: Callable[..., bool]
    check: Check_co

    def violation(self, *case: object) -> Violation | None:
        """How the case breaks the claim; None too where the assumption does not hold."""
        return self.check(*case) if self.assumes(*case) else None


def invariant(
    id: str,
    sentence: str,
    *,
    kind: Kind,
    source: tuple[str, ...],
    modes: tuple[ProxyMode, ...] = (),
    assumption: str = "",
    assumes: Callable[..., bool] = _nothing,
) -> Callable[[Check], Invariant[Check]]:
    """Makes the claim of a check. It is listed by hand in `invariants.catalogue`."""

    def claim(check: Check) -> Invariant[Check]:
        return Invariant(id, sentence, kind, source, modes, assumption, assumes, check)

    return claim


def state_invariant(
    id: str,
    sentence: str,
    *,
    source: tuple[str, ...],
    assumption: str = "",
    assumes: Callable[[ClusterState], bool] = _nothing,
) -> Callable[[StateCheck], Invariant[StateCheck]]:
    """Makes the claim of a check of one state."""
    return invariant(id, sentence, kind=Kind.STATE, source=source, assumption=assumption, assumes=assumes)


def step_invariant(
    id: str,
    sentence: str,
    *,
    source: tuple[str, ...],
    assumption: str = "",
    assumes: Callable[[Step], bool] = _nothing,
) -> Callable[[StepCheck], Invariant[StepCheck]]:
    """Makes the claim of a check of one step."""
    return invariant(id, sentence, kind=Kind.STEP, source=source, assumption=assumption, assumes=assumes)


def eventual_invariant(
    id: str, sentence: str, *, source: tuple[str, ...]
) -> Callable[[StateCheck], Invariant[StateCheck]]:
    """Makes the claim of a check of a state in which everybody has come to rest."""
    return invariant(id, sentence, kind=Kind.EVENTUAL, source=source)
