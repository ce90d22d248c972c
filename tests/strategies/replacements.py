"""Histories of pods that come and go behind one Service, while controllers and proxies are late.

`web` selects pods by label; three of them may come up, on two nodes. Two are ready and known
everywhere when a history begins.
"""

import itertools
from collections.abc import Callable, Sequence
from fractions import Fraction

import attrs
from hypothesis import strategies as st

from invariants.invariant import Step
from model.addresses import Family, parse_address
from model.cluster import events, transition
from model.cluster.events import Event, Sees
from model.cluster.settle import settle
from model.cluster.state import ClusterState
from model.objects import ObjectName, Pod
from model.packet import TCP, Origin, Packet
from tests.invariants.playing import played
from tests.invariants.states import NAMESPACE, WEB, a_service, holding
from tests.strategies.flows import HTTP, NODES, Move, a_node
from tests.strategies.search import found
from tests.wording import brief

PODS = tuple(ObjectName(NAMESPACE, f"pod-{number}") for number in range(4))
PACKET = Packet(
    Family.IPV4, Origin.WIRE, parse_address("203.0.113.7")[1], parse_address("10.96.0.5")[1], TCP, 80, "eth0"
)


def comes_up(at: int) -> Move:
    """The pod of that number is made, started and found ready."""
    pod = Pod(PODS[at], labels=(("app", "web"),), uid=f"uid-{at}")
    return (
        events.CreatePod(pod),
        events.SchedulePod(pod.name, NODES[at % 2]),
        events.StartPod(pod.name, (f"10.244.{at % 2}.{at + 1}",)),
        events.SetPodReady(pod.name, ready=True),
    )


def goes(at: int) -> Move:
    """It ends: asked to, ended, gone. The controller may see it in between."""
    return (
        events.TerminatePod(PODS[at]),
        events.SyncSlices(WEB),
        events.SetPodReady(PODS[at], ready=False),
        events.DeletePod(PODS[at]),
    )


def _begun() -> ClusterState:
    state = holding(a_service(selector=(("app", "web"),), ports=(HTTP,)))
    opening: list[Event] = [events.AddNode(*a_node(node)) for node in NODES]
    for event in (*opening, *comes_up(0), *comes_up(1)):
        state = transition.step(state, event)
    return settle(state)


_BEGUN = _begun()  # by the model as it is, so that no test that changes it begins elsewhere


@attrs.frozen
class Replacement:
    """What happens to the pods; prints as its events in few words."""

    happening: tuple[Event, ...]

    def steps(self) -> tuple[Step, ...]:
        return played(self.happening, _BEGUN)

    def __repr__(self) -> str:
        return "\n".join(map(brief, self.happening))


_MOVES: Sequence[Move] = (
    *(comes_up(at) for at in (2, 3)),
    *(goes(at) for at in range(4)),
    *((events.TerminatePod(pod),) for pod in PODS),
    *((events.DeletePod(pod),) for pod in PODS[:2]),
    *((events.SetPodReady(pod, ready),) for pod in PODS for ready in (False, True)),
    *((events.SyncSlices(WEB, writes),) for writes in (None, None, None, None, 0, 1)),
    *((events.SyncProxy(node, sees),) for node in NODES for sees in (*Sees, Sees.ALL)),
    *(
        (events.Send(node, PACKET, 40000, chance),)
        for node in NODES
        for chance in (Fraction(0), Fraction(1, 2))
    ),
)


def replacements() -> st.SearchStrategy[Replacement]:
    """Any of this, in any order; controllers and proxies are as late as it falls."""
    moves = st.lists(st.integers(0, len(_MOVES) - 1).map(lambda at: _MOVES[at]), min_size=2, max_size=9)
    return moves.map(lambda drawn: Replacement(tuple(itertools.chain(*drawn))))


def steps_found(wanted: Callable[[tuple[Step, ...]], bool]) -> tuple[Step, ...]:
    """The steps of a drawn history that is wanted; the test fails when there is none."""
    return found(replacements(), lambda case: wanted(case.steps())).steps()
