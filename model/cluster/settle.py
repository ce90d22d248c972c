"""What a cluster comes to when everybody keeps running and nothing else happens.

Fairness as a function: every controller makes its passes and every running proxy syncs
until nothing changes any more (07, kind L). Controllers are independent of proxies, so
they come first.
"""

from collections.abc import Iterator

from model.cluster import events
from model.cluster.state import ClusterState
from model.cluster.transition import step
from model.objects import ObjectName

MOST_ROUNDS = 8  # each pass needs one round; mirroring follows the Endpoints controller


class NeverQuiet(AssertionError):
    """Controllers that go on changing what they see: a fault of the model."""


def settle(state: ClusterState) -> ClusterState:
    """The state when controllers and running proxies have nothing left to do."""
    for _ in range(MOST_ROUNDS):
        before = state
        for event in passes(state):
            state = step(state, event)
        if state.slices.by_name == before.slices.by_name and state.endpoints == before.endpoints:
            break
    else:
        raise NeverQuiet(f"objects still change after {MOST_ROUNDS} rounds of every controller")
    for node in sorted(state.proxies):
        if state.proxies[node].running:
            state = step(state, events.SyncProxy(node))
    return state


def passes(state: ClusterState) -> Iterator[events.Event]:
    """One pass of every controller over everything that it may have to do with."""
    for name in sorted(_names(state)):
        yield events.SyncEndpoints(name)
        yield events.SyncSlices(name)
        yield events.MirrorEndpoints(name)
        yield events.CollectGarbage(name)


def _names(state: ClusterState) -> set[ObjectName]:
    return {*state.services.by_name, *state.slices.of_service, *state.endpoints}
