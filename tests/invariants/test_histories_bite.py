"""Drawn histories find a model made wrong on purpose, by the claim about states or steps that it breaks.

INV-15, INV-16, INV-22, INV-24 and others of controllers are broken by the wrong machines of
`tests/model/cluster/test_wrong_machines.py`; those left out here are tried on steps by hand.
"""

from collections.abc import Callable
from typing import Any

import attrs
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from invariants.catalogue import CATALOGUE
from invariants.endpoint_slices import no_terminating_endpoint_is_ready, ready_is_serving_and_not_terminating
from invariants.invariant import Invariant, StepCheck
from model.api.allocation import port_operation
from model.cluster import controllers, events, transition
from model.cluster.events import Event
from model.cluster.state import ClusterState
from model.cluster.transition import Stepped
from model.controllers import hints, pod_endpoints
from model.objects import Endpoint, Service
from tests.invariants.wrong_services import STORED, UPDATED, Change, Update
from tests.strategies.machine import indexes
from tests.strategies.machine.publishing import Publishing
from tests.strategies.machine.requests import BrokenClaim, Requests
from tests.strategies.replacements import steps_found

Mutant = Callable[[pytest.MonkeyPatch], None]
RIGHT = transition.carry_out

SEARCH = settings(
    max_examples=1500,
    stateful_step_count=40,
    derandomize=True,
    database=None,
    deadline=None,  # a search ends by its count
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),  # every example but the last is one that is not wanted
)


def broken(id: str, machine: type[Requests]) -> BrokenClaim:
    """The first history that breaks the claim; of others nothing is said. Without one the test fails."""

    class Only(machine):  # type: ignore[misc, valid-type]  # a class that is passed on
        unclaimed = frozenset(claim.id for claim in CATALOGUE) - {id}

    with pytest.raises(BrokenClaim) as found:
        run_state_machine_as_test(Only, settings=SEARCH)
    return found.value


# --- Wrong API servers


def stepping(wrong: Callable[[ClusterState, Event], Stepped]) -> Mutant:
    return lambda patch: patch.setattr(transition, "carry_out", wrong)


def storing(change: Change) -> Mutant:
    """An API server that stores every Service changed so."""
    return updating(lambda _, new: change(new), also_new=True)


def updating(change: Update, *, also_new: bool = False) -> Mutant:
    """An API server that stores every Service that is updated changed so."""

    def wrong(state: ClusterState, event: Event) -> Stepped:
        stepped = RIGHT(state, event)
        if not isinstance(event, events.CreateService | events.UpdateService):
            return stepped
        name = event.service.object_name
        registry = stepped.state.registry
        old, new = state.registry.services.get(name), registry.services.get(name)
        if new is None or new is old or (old is None and not also_new):
            return stepped
        services = registry.services.insert(name, change(old or new, new))
        registry = attrs.evolve(registry, services=services)
        return attrs.evolve(stepped, state=attrs.evolve(stepped.state, registry=registry))

    return stepping(wrong)


def taken_numbers_are_given_again(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(port_operation, "free_value", lambda bands, *_: bands.last)


def taken_addresses_are_given_again(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("model.api.allocation.cluster_ips.free_value", lambda bands, *_: bands.last)


def numbers_leak_and_nobody_repairs(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("model.api.service_storage.release_ports", lambda _, pool: pool)

    def wrong(state: ClusterState, event: Event) -> Stepped:
        return Stepped(state) if isinstance(event, events.Repair) else RIGHT(state, event)

    stepping(wrong)(patch)


# --- Wrong controllers


def with_endpoints(change: Callable[[Endpoint], Endpoint]) -> Mutant:
    """A controller that makes another endpoint of each pod."""
    right: Any = pod_endpoints.pod_endpoint

    def wrong(service: Service, *pod: Any) -> Endpoint:
        return change(right(service, *pod))

    return lambda patch: patch.setattr(pod_endpoints, "pod_endpoint", wrong)


def unready_pods_are_forgotten(patch: pytest.MonkeyPatch) -> None:
    right = pod_endpoints.is_eligible
    patch.setattr(pod_endpoints, "is_eligible", lambda pod, **how: pod.ready and right(pod, **how))


def every_service_is_managed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(pod_endpoints, "is_managed", lambda _: True)


def nothing_is_mirrored(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(controllers, "mirror", lambda *_, **__: ())


def hints_for_another_zone(patch: pytest.MonkeyPatch) -> None:
    right: Any = hints._near

    def wrong(endpoint: Endpoint, **how: Any) -> Endpoint:
        near: Endpoint = right(endpoint, **how)
        return attrs.evolve(near, zone_hints=("elsewhere",) if near.zone_hints else ())

    patch.setattr(hints, "_near", wrong)


def in_the_other_family(endpoint: Endpoint) -> Endpoint:
    other = {True: "10.244.0.77", False: "fd00:10:244::77"}
    return attrs.evolve(endpoint, addresses=tuple(other[":" in one] for one in endpoint.addresses))


WRONG: list[tuple[str, str, type[Requests], Mutant]] = [
    *((id, change.__name__, Requests, storing(change)) for id, change in STORED.items()),
    *((id, change.__name__, Requests, updating(change)) for id, change in UPDATED.items()),
    ("INV-18", "taken addresses are given again", Requests, taken_addresses_are_given_again),
    ("INV-19", "taken numbers are given again", Requests, taken_numbers_are_given_again),
    ("INV-25", "numbers leak and nobody repairs", Publishing, numbers_leak_and_nobody_repairs),
    ("INV-28", "addresses of the other family", Publishing, with_endpoints(in_the_other_family)),
    ("INV-29", "unready pods are forgotten", Publishing, unready_pods_are_forgotten),
    ("INV-30", "unready pods are forgotten", Publishing, unready_pods_are_forgotten),
    ("INV-31", "nothing is mirrored", Publishing, nothing_is_mirrored),
    ("INV-32", "every Service is managed", Publishing, every_service_is_managed),
    ("INV-34", "hints for another zone", Publishing, hints_for_another_zone),
]


RARE = ("INV-13", "INV-17", "INV-25", "INV-29", "INV-30")
"""What takes up to a minute to come about."""


@pytest.mark.bites("drawn")
@pytest.mark.parametrize(
    ("id", "machine", "mutant"),
    [
        pytest.param(
            id, machine, mutant, id=f"{id}: {what}", marks=[pytest.mark.thorough] if id in RARE else []
        )
        for id, what, machine, mutant in WRONG
    ],
)
def test_histories_find_a_wrong_model(
    monkeypatch: pytest.MonkeyPatch, id: str, machine: type[Requests], mutant: Mutant
) -> None:
    mutant(monkeypatch)
    # What is stored wrongly is not what was read, which the machine would tell first.
    monkeypatch.setattr(indexes, "faults", lambda *_: ())

    assert id == broken(id, machine).id


@pytest.mark.bites("drawn")
@pytest.mark.parametrize(
    "claim",
    [
        pytest.param(ready_is_serving_and_not_terminating, id="INV-26"),
        pytest.param(no_terminating_endpoint_is_ready, id="INV-27"),
    ],
)
def test_terminating_pods_that_stay_ready_are_found(
    monkeypatch: pytest.MonkeyPatch, claim: Invariant[StepCheck]
) -> None:
    """In histories of pods that are replaced, where each terminates sooner or later."""
    with_endpoints(lambda one: attrs.evolve(one, ready=True))(monkeypatch)

    steps = steps_found(lambda steps: any(map(claim.violation, steps)))
    assert any(map(claim.violation, steps))
