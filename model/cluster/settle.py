"""What a cluster comes to when everybody keeps running and nothing else happens.

Fairness as a function: every controller makes its passes and every running proxy syncs
until nothing changes any more (07, kind L). Controllers are independent of proxies, so
they come first.
"""

from collections.abc import Container, Iterator

from model.cluster import events
from model.cluster.state import ClusterState
from model.cluster.transition import step

MOST_ROUNDS = 8  # each pass needs one round; mirroring follows the Endpoints controller


class NeverQuiet(AssertionError):
    """Controllers that go on changing what they see: a fault of the model."""


def settle(state: ClusterState, late: Container[str] = ()) -> ClusterState:
    """The state when controllers, and running proxies but for late nodes', have nothing left to do."""
    state = published(state)
    for node in sorted(state.proxies):
        if state.proxies[node].running and node not in late:
            state = step(state, events.SyncProxy(node))
    return state


def published(state: ClusterState) -> ClusterState:
    """The state when every controller has nothing left to do.

    Repair loops are not among them: they report what they see at every pass.
    """
    for _ in range(MOST_ROUNDS):
        before = state
        for event in _passes(state):
            state = step(state, event)
        if state.slices.by_name == before.slices.by_name and state.endpoints == before.endpoints:
            return state
    raise NeverQuiet(f"objects still change after {MOST_ROUNDS} rounds of every controller")


def _passes(state: ClusterState) -> Iterator[events.Event]:
    """One pass of every controller over everything that it may have to do with."""
    yield events.FinalizeServiceCIDRs()
    for name in sorted({*state.services.by_name, *state.slices.of_service, *state.endpoints}):
        yield events.SyncEndpoints(name)
        yield events.SyncSlices(name)
        yield events.MirrorEndpoints(name)
        yield events.CollectGarbage(name)
