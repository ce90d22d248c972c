"""Claims about health checks can fail: premises are reached, and wrong models are caught."""

from collections.abc import Callable
from typing import Any

import attrs
import pytest

from invariants import health
from invariants.applied import entries
from invariants.invariant import Step
from model import frontends
from model.addresses import Family
from model.api import objects as api
from model.cluster import events, questions
from model.cluster.events import Event
from model.cluster.state import ClusterState
from model.eligibility import EndpointSets, endpoint_sets
from model.health import ProxyHealth
from model.objects import ObjectName
from model.proxy_changes import EndpointsMap
from model.proxy_endpoints import EndpointList
from tests.invariants.playing import played
from tests.invariants.states import NAMESPACE
from tests.strategies.flows import (
    DRAINING,
    READY,
    UNREADY,
    a_send,
    a_slice,
    begun,
    step_found,
)

Mutant = Callable[[pytest.MonkeyPatch], None]
EDGE = ObjectName(NAMESPACE, "edge")
HEALTHY, DRAINED = (
    health.health_means_a_ready_endpoint_on_the_node,
    health.draining_nodes_fail_the_check_and_serve,
)
SYNC = events.SyncProxy("node-a")


def after(*happening: Event) -> ClusterState:
    return played(happening, begun())[-1].after


def edge_with(*conditions: tuple[bool, bool, bool]) -> events.WriteSlice:
    """The endpoints of `edge` in these conditions, the first two on node-a."""
    return events.WriteSlice(a_slice("edge", list(enumerate(conditions))))


def status(state: ClusterState, node: str = "node-a") -> int:
    """What the node answers for `edge`."""
    answer = questions.health(state, node, EDGE)
    return answer.status if answer else 0


def is_known_to_drain(step: Step) -> bool:
    applied = step.after.proxies["node-a"].applied
    assert applied is not None
    listed = entries(applied.slices.of(EDGE), Family.IPV4, "http", "TCP")
    return status(step.after) == 503 and bool(health.draining_on(listed, "node-a"))


@pytest.mark.parametrize(
    "premise",
    [
        pytest.param(lambda step: status(step.after) == 200, id="INV-66: a node answers 200"),
        pytest.param(lambda step: status(step.after) == 503, id="INV-67: a node answers 503"),
        pytest.param(is_known_to_drain, id="INV-67: all endpoints of a node drain"),
    ],
)
def test_the_premise_is_reached(premise: Callable[[Step], bool]) -> None:
    step = step_found(premise)

    assert premise(step)


# --- Wrong models


def every_endpoint_counts_as_local(patch: pytest.MonkeyPatch) -> None:
    def wrong(held: EndpointsMap) -> dict[ObjectName, set[int]]:
        return {name.service: {each.address for each in some} for name, some in held.items() if some}

    patch.setattr(questions, "local_ready_addresses", wrong)


def draining_endpoints_count(patch: pytest.MonkeyPatch) -> None:
    def wrong(held: EndpointsMap) -> dict[ObjectName, set[int]]:
        return {
            name.service: {each.address for each in some if each.local and each.serving}
            for name, some in held.items()
        }

    patch.setattr(questions, "local_ready_addresses", wrong)


def proxies_are_always_healthy(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(questions, "_proxy_health", lambda *_: ProxyHealth())


def draining_endpoints_are_not_used(patch: pytest.MonkeyPatch) -> None:
    def wrong(endpoints: EndpointList, **how: Any) -> EndpointSets:
        right = endpoint_sets(endpoints, **how)
        return attrs.evolve(right, local=tuple(each for each in right.local or () if each.ready))

    patch.setattr(frontends, "endpoint_sets", wrong)


@pytest.mark.bites("drawn")
@pytest.mark.parametrize(
    ("claim", "mutant"),
    [
        pytest.param(HEALTHY, every_endpoint_counts_as_local, id="INV-66: endpoints elsewhere count"),
        pytest.param(HEALTHY, draining_endpoints_count, id="INV-66: draining endpoints count"),
        pytest.param(HEALTHY, proxies_are_always_healthy, id="INV-66: late proxies are healthy"),
        pytest.param(DRAINED, draining_endpoints_count, id="INV-67: draining endpoints count"),
        pytest.param(DRAINED, draining_endpoints_are_not_used, id="INV-67: draining endpoints unused"),
    ],
)
def test_a_wrong_answer_is_caught(monkeypatch: pytest.MonkeyPatch, claim: Any, mutant: Mutant) -> None:
    mutant(monkeypatch)

    step = step_found(lambda step: claim.violation(step.after) is not None)
    assert claim.violation(step.after) is not None


# --- By hand


def test_a_node_that_drains_is_refuted_by_its_balancer_and_serves() -> None:
    """INV-67: 503 from the first moment, connections to the end."""
    told = [
        (status(state), played([a_send(3)], state)[0].told.target is not None)  # type: ignore[union-attr]  # sent
        for state in (
            after(edge_with(READY, READY), SYNC),
            after(edge_with(READY, DRAINING), SYNC),
            after(edge_with(DRAINING, DRAINING), SYNC),
            after(edge_with(UNREADY, UNREADY, READY), SYNC),
        )
    ]

    assert [(200, True), (200, True), (503, True), (503, False)] == told


def test_a_node_that_does_not_sync_for_a_minute_is_not_healthy() -> None:
    """INV-66, HC-04"""
    waiting = edge_with(READY)

    assert [200, 200, 503] == [
        status(after(waiting)),
        status(after(waiting, events.Tick(59))),
        status(after(waiting, events.Tick(60))),
    ]


def test_endpoints_count_on_every_port_of_the_slices_named_by_the_service_or_not() -> None:
    """INV-66, HC-03: kube-proxy counts what slices list, by their own ports."""
    ready = edge_with(READY)
    other_port = attrs.evolve(ready.slice, ports=(api.EndpointPort("metrics", "TCP", 9090),))

    state = after(events.WriteSlice(other_port), SYNC)

    assert 200 == status(state)
    assert played([a_send(3)], state)[0].told.target is None  # type: ignore[union-attr]  # sent
    assert [None, None] == [claim.violation(state) for claim in (HEALTHY, DRAINED)]
