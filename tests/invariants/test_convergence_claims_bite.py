"""Claims about syncs can fail: premises are reached, and wrong models are caught."""

from collections.abc import Callable
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from invariants import convergence
from invariants.invariant import Step
from model.affinity import NO_MEMORY
from model.cluster import events, proxies, questions
from model.cluster.events import Event, Sees
from model.cluster.settle import settle
from model.cluster.state import ClusterState
from model.cluster.watched import Services, claims
from model.objects import ObjectName, Service
from tests.invariants.playing import played
from tests.invariants.states import NAMESPACE
from tests.strategies.flows import (
    DRAINING,
    READY,
    UNREADY,
    a_slice,
    begun,
    step_found,
)

Mutant = Callable[[pytest.MonkeyPatch], None]
EDGE = ObjectName(NAMESPACE, "edge")
WHOLE, SETTLED, ALIKE = (
    convergence.a_sync_applies_all_of_a_watch_or_nothing,
    convergence.every_node_comes_to_what_the_api_says,
    convergence.syncs_are_idempotent_and_know_no_order,
)


# --- The premises


def changes_everything(step: Step) -> bool:
    """INV-71: a sync that brings other slices."""
    if not isinstance(step.event, events.SyncProxy) or step.is_refused:
        return False
    was, now = (state.proxies[step.event.node].applied for state in (step.before, step.after))
    assert was is not None
    assert now is not None
    return not was.slices.by_name == now.slices.by_name  # noqa: SIM201  # `!=` of maps means something else


def brings_nothing_new(step: Step) -> bool:
    """INV-73: a node that knows flows and clients syncs, and has synced all before."""
    if not isinstance(step.event, events.SyncProxy) or step.is_refused:
        return False
    was = step.before.proxies[step.event.node]
    assert was.applied is not None
    known = was.traffic.flows and any(len(memory) for memory in was.traffic.memories.values())
    same = (
        was.applied.slices.changes.last == step.before.slices.changes.last
        and was.applied.services.changes.last == step.before.services.changes.last
    )
    return bool(known) and same


@pytest.mark.parametrize(
    "premise",
    [
        pytest.param(changes_everything, id="INV-71: a sync brings other slices"),
        pytest.param(brings_nothing_new, id="INV-73: a sync brings nothing new"),
    ],
)
def test_the_premise_is_reached(premise: Callable[[Step], bool]) -> None:
    step = step_found(premise)

    assert premise(step)


# --- Wrong models


def one_slice_a_sync(patch: pytest.MonkeyPatch) -> None:
    right = proxies.sync_proxy

    def wrong(state: ClusterState, event: events.SyncProxy) -> ClusterState:
        """Of the slices that are new, only one is seen at a time."""
        was = state.proxies[event.node].applied
        if was is None:
            return right(state, event)
        slices = was.slices
        for name, one in state.slices.by_name.items():
            if slices.by_name.get(name) != one:
                slices = attrs.evolve(slices, by_name=slices.by_name.insert(name, one))
                break
        after = right(attrs.evolve(state, slices=slices), event)
        return attrs.evolve(after, slices=state.slices)

    patch.setattr(proxies, "sync_proxy", wrong)


def nodes_sync_together(patch: pytest.MonkeyPatch) -> None:
    right = proxies.sync_proxy

    def wrong(state: ClusterState, event: events.SyncProxy) -> ClusterState:
        after = right(state, event)
        for node, proxy in after.proxies.items():
            applied = after.proxies[event.node].applied
            everybody = after.proxies.insert(node, attrs.evolve(proxy, applied=applied))
            after = attrs.evolve(after, proxies=everybody)
        return after

    patch.setattr(proxies, "sync_proxy", wrong)


def syncs_forget_clients(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("model.traffic.forgetting", lambda *_: NO_MEMORY)


def syncs_clean_whatever_happened(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(proxies, "changed_udp_service_ports", lambda _: ("all",))
    patch.setattr("model.traffic.cleaned", lambda flows, *_, **__: type(flows)())


@pytest.mark.bites("drawn")
@pytest.mark.parametrize(
    ("claim", "mutant"),
    [
        pytest.param(WHOLE, one_slice_a_sync, id="INV-71: one slice a sync"),
        pytest.param(WHOLE, nodes_sync_together, id="INV-71: another node's sync"),
        pytest.param(ALIKE, syncs_forget_clients, id="INV-73: clients forgotten"),
        pytest.param(ALIKE, syncs_clean_whatever_happened, id="INV-73: flows ended"),
    ],
)
def test_a_wrong_sync_is_caught(monkeypatch: pytest.MonkeyPatch, claim: Any, mutant: Mutant) -> None:
    mutant(monkeypatch)

    step = step_found(lambda step: claim.violation(step) is not None)
    assert claim.violation(step) is not None


# --- By hand


def after(*happening: Event) -> ClusterState:
    return played(happening, begun())[-1].after


def edge_with(*conditions: tuple[bool, bool, bool]) -> events.WriteSlice:
    """The endpoints of `edge` in these conditions, the first two on node-a."""
    return events.WriteSlice(a_slice("edge", list(enumerate(conditions))))


SYNC = events.SyncProxy("node-a")


def test_a_node_that_has_not_heard_of_the_last_slice_has_not_converged() -> None:
    """INV-72"""
    state = after(edge_with(DRAINING), SYNC)

    violation = SETTLED.violation(state)
    assert violation is not None
    assert violation.what == "node-b does not act on what the API holds"
    assert SETTLED.violation(settle(state)) is None


def test_a_node_whose_proxy_is_stopped_is_not_spoken_of() -> None:
    """INV-72: fairness is that proxies keep running."""
    state = settle(after(events.StopProxy("node-b"), edge_with(DRAINING)))

    assert SETTLED.violation(state) is None


def test_rules_that_go_by_who_came_first_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """INV-73: of two Services with one external address only the first to become known is asked."""
    shared = [
        Service(ObjectName(NAMESPACE, name), cluster_ips=(ip,), external_ips=("203.0.113.5",))
        for name, ip in (("first", "10.96.0.21"), ("second", "10.96.0.22"))
    ]
    assert ALIKE.violation(played([SYNC], knowing(*shared))[0]) is None

    def wrong(self: Services, service: Service, at: int) -> Services:
        claimants = self.claimants
        for claim in claims(service):
            claimants = claimants.insert(claim, claimants.get(claim, frozenset({service.name})))
        return Services(
            self.by_name.insert(service.name, service), claimants, self.changes.add(at, service.name)
        )

    monkeypatch.setattr(Services, "put", wrong)

    assert ALIKE.violation(played([SYNC], knowing(*shared))[0]) is not None


def knowing(*services: Service) -> ClusterState:
    state = begun()
    known = Services()
    for service in services:
        known = known.put(service, 0)
    return attrs.evolve(state, services=known)


@pytest.mark.bites("drawn", "INV-72")
def test_what_claims_no_packet_does_not_converge(monkeypatch: pytest.MonkeyPatch) -> None:
    """INV-72: a node that looks at no Service for its packets does not do what the objects call for."""
    state = settle(begun())
    monkeypatch.setattr(questions, "concerned", lambda *_: frozenset())

    violation = SETTLED.violation(state)
    assert violation is not None
    assert "does not do with" in violation.what


# --- News in any order


WRITES = (edge_with(READY, DRAINING), events.WriteSlice(a_slice("web", [(2, READY)])), edge_with(UNREADY))


@given(
    order=st.permutations(range(2)),
    syncs=st.lists(st.sampled_from((*Sees, None)), min_size=3, max_size=3),
)
def test_whatever_order_news_come_in_the_rules_are_the_same(
    order: list[int], syncs: list[Sees | None]
) -> None:
    """INV-73: of different slices, with a sync after any of them, of both watches or of one."""
    happening: list[Event] = []
    for at, sees in zip((*order, 2), syncs, strict=True):
        happening.append(WRITES[at])
        happening += [events.SyncProxy("node-a", sees)] if sees else []

    state = settle(after(*happening))

    expected = settle(after(WRITES[1], WRITES[2]))
    told, wanted = (one.proxies["node-a"].applied for one in (state, expected))
    assert told is not None
    assert wanted is not None
    assert wanted.slices.by_name == told.slices.by_name
    assert wanted.services.by_name == told.services.by_name
    assert SETTLED.violation(state) is None
