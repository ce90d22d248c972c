"""Pods may be replaced one after the other without refusals, and unready ones are left alone at last."""

from collections.abc import Callable, Sequence
from typing import Any

import attrs
import pytest
from hypothesis import given

from invariants import replacement
from invariants.applied import entries, has_usable
from invariants.invariant import Step
from model import frontends
from model.addresses import Family
from model.cluster import events, proxies, questions
from model.cluster.settle import published, settle
from model.cluster.state import ClusterState
from model.controllers import pod_endpoints
from model.eligibility import EndpointSets, endpoint_sets
from model.objects import Endpoint, Service
from model.outcome import Verdict
from model.proxy_endpoints import EndpointList
from tests.invariants.states import WEB
from tests.strategies.flows import NODES
from tests.strategies.replacements import PACKET, PODS, Replacement, comes_up, replacements, steps_found

Mutant = Callable[[pytest.MonkeyPatch], None]
QUIET, SERVED = (
    replacement.unready_pods_get_no_new_connections,
    replacement.what_is_always_usable_is_never_refused,
)


def is_usable(state: ClusterState) -> bool:
    """Whether the API lists an endpoint that may be used."""
    return has_usable(entries(state.slices.of(WEB), Family.IPV4, "http", "TCP"))


def is_refused(state: ClusterState, node: str) -> bool:
    outcomes = questions.fate(state, node, PACKET).allowed
    return any(outcome.verdict is Verdict.REJECT for outcome in outcomes)


def is_refused_in_spite(steps: Sequence[Step]) -> bool:
    """Some node refuses, though every state of the API listed something usable."""
    states = [step.after for step in steps]
    return all(map(is_usable, states)) and any(is_refused(state, node) for state in states for node in NODES)


# --- They hold


@given(case=replacements())
def test_what_is_always_usable_is_never_refused(case: Replacement) -> None:
    """INV-75, sync by sync and from the first state to the last, however late the proxies are."""
    steps = case.steps()

    assert [] == [violation for violation in map(SERVED.violation, steps) if violation]
    assert not is_refused_in_spite(steps)


@given(case=replacements())
def test_unready_pods_are_left_alone_once_all_is_done(case: Replacement) -> None:
    """INV-74"""
    assert QUIET.violation(settle(case.steps()[-1].after)) is None


# --- The premises


def replaces_all(steps: Sequence[Step]) -> bool:
    """INV-75: what was there is gone in the end, a node was late, and something was usable all along."""
    last = steps[-1].after
    late = last.proxies["node-b"].applied
    assert late is not None
    return (
        all(is_usable(step.after) for step in steps)
        and not last.pods.by_name.keys() & {PODS[0], PODS[1]}
        and not late.slices.by_name == last.slices.by_name  # noqa: SIM201  # `!=` of maps means something else
    )


def leaves_an_unready_pod(steps: Sequence[Step]) -> bool:
    """INV-74: a pod is not ready, another one is."""
    state = settle(steps[-1].after)
    cold = list(replacement.cold_places(state, state.services.by_name[WEB]))
    return bool(cold) and any(pod.ready for pod in state.pods.by_name.values())


@pytest.mark.parametrize(
    "premise",
    [
        pytest.param(replaces_all, id="INV-75: all are replaced"),
        pytest.param(leaves_an_unready_pod, id="INV-74: one is not ready"),
    ],
)
def test_the_premise_is_reached(premise: Callable[[Sequence[Step]], bool]) -> None:
    assert premise(steps_found(premise))


# --- Wrong models


def with_sets(change: Callable[[EndpointList, EndpointSets], EndpointSets]) -> Mutant:
    """Proxies that make other sets of the endpoints."""

    def wrong(endpoints: EndpointList, **how: Any) -> EndpointSets:
        return change(endpoints, endpoint_sets(endpoints, **how))

    return lambda patch: patch.setattr(frontends, "endpoint_sets", wrong)


def only_ready_ones(endpoints: EndpointList, sets: EndpointSets) -> EndpointSets:
    ready = tuple(each for each in endpoints if each.ready)
    return attrs.evolve(sets, cluster=ready, has=bool(ready))


def every_one(endpoints: EndpointList, sets: EndpointSets) -> EndpointSets:
    return attrs.evolve(sets, cluster=endpoints, has=bool(endpoints))


def slices_are_removed_before_they_are_read(patch: pytest.MonkeyPatch) -> None:
    """A sync that sees changed slices acts on none of them at first."""
    right = proxies.sync_proxy

    def wrong(state: ClusterState, event: events.SyncProxy) -> ClusterState:
        applied = state.proxies[event.node].applied
        slices = state.slices
        for name, one in state.slices.by_name.items():
            if applied is not None and applied.slices.by_name.get(name) != one:
                slices = slices.remove(name, state.now)
        return attrs.evolve(right(attrs.evolve(state, slices=slices), event), slices=state.slices)

    patch.setattr(proxies, "sync_proxy", wrong)


def every_pod_counts_as_ready(patch: pytest.MonkeyPatch) -> None:
    right = pod_endpoints.pod_endpoint

    def wrong(service: Service, *pod: Any) -> Endpoint:
        return attrs.evolve(right(service, *pod), ready=True)

    patch.setattr(pod_endpoints, "pod_endpoint", wrong)


@pytest.mark.bites("drawn")
@pytest.mark.parametrize(
    "mutant",
    [
        pytest.param(with_sets(only_ready_ones), id="draining endpoints are not used"),
        pytest.param(slices_are_removed_before_they_are_read, id="changed slices are left out"),
    ],
)
def test_inv_75_catches_proxies_that_refuse(monkeypatch: pytest.MonkeyPatch, mutant: Mutant) -> None:
    mutant(monkeypatch)

    steps = steps_found(lambda steps: any(map(SERVED.violation, steps)) and is_refused_in_spite(steps))
    assert any(map(SERVED.violation, steps))


@pytest.mark.bites("drawn")
@pytest.mark.parametrize(
    "mutant",
    [
        pytest.param(with_sets(every_one), id="proxies ask no condition"),
        pytest.param(every_pod_counts_as_ready, id="controllers ask no condition"),
    ],
)
def test_inv_74_catches_connections_to_unready_pods(monkeypatch: pytest.MonkeyPatch, mutant: Mutant) -> None:
    mutant(monkeypatch)

    steps = steps_found(lambda steps: QUIET.violation(settle(steps[-1].after)) is not None)
    assert QUIET.violation(settle(steps[-1].after)) is not None


# --- By hand


def test_a_node_that_is_late_still_sends_to_an_unready_pod() -> None:
    """INV-74 is of what comes at last: it is broken until the last node has heard."""
    state = published(Replacement((events.SetPodReady(PODS[0], ready=False),)).steps()[-1].after)

    violation = QUIET.violation(state)
    assert violation is not None
    assert violation.what == "node-a sends connections for shop/web to 10.244.0.1 of shop/pod-0"
    assert QUIET.violation(settle(state, late=("node-a",))) is not None
    assert QUIET.violation(settle(state)) is None


def test_without_any_usable_endpoint_a_node_refuses_and_no_claim_is_broken() -> None:
    """INV-75 takes something usable for granted."""
    unready = tuple(events.SetPodReady(pod, ready=False) for pod in PODS[:2])
    steps = Replacement((*unready, events.SyncSlices(WEB), events.SyncProxy("node-a"))).steps()

    assert is_refused(steps[-1].after, "node-a")
    assert [None] * 4 == [SERVED.violation(step) for step in steps]


def test_one_pod_after_the_other_is_replaced_without_a_refusal() -> None:
    """INV-75: the new pod is known before the old one goes; the second node syncs only at the end."""
    known = (events.SyncSlices(WEB), events.SyncProxy("node-a"))
    steps = Replacement(
        (
            *comes_up(2),
            *known,
            events.TerminatePod(PODS[0]),
            *known,
            events.DeletePod(PODS[0]),
            *known,
            *comes_up(3),
            *known,
            events.TerminatePod(PODS[1]),
            events.DeletePod(PODS[1]),
            *known,
            events.SyncProxy("node-b"),
        )
    ).steps()

    assert all(not step.is_refused and is_usable(step.after) for step in steps)
    assert not any(is_refused(step.after, node) for step in steps for node in NODES)
