"""The machine can fail: models made wrong on purpose break just the claim that speaks of it."""

from collections.abc import Callable
from random import Random
from typing import Any

import attrs
import pytest
from dns.message import Message
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from model.api.allocation import port_operation
from model.api.allocation.bands import Bands
from model.cluster import controllers, events, transition
from model.cluster.events import Event, IllegalEvent
from model.cluster.state import ClusterState
from model.cluster.transition import Stepped
from model.cluster.watched import Services, claims
from model.controllers import pod_endpoints
from model.controllers.mirroring import mirror
from model.objects import Endpoint, Service
from tests.invariants.dns_cases import answering, dns_case
from tests.strategies.machine import publishing
from tests.strategies.machine.histories import Histories
from tests.strategies.machine.publishing import Publishing
from tests.strategies.machine.requests import BrokenClaim, Requests

Mutant = Callable[[pytest.MonkeyPatch], None]


def found(machine: type[Requests]) -> BrokenClaim:
    """The claim that the machine breaks first; without one the test fails."""
    # The same search on every run; it ends with the first claim that breaks, however slow it is to come by.
    search = settings(
        max_examples=1500,
        stateful_step_count=40,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    with pytest.raises(BrokenClaim) as broken:
        run_state_machine_as_test(machine, settings=search)
    return broken.value


def stepping(wrong: Callable[[ClusterState, Event], Stepped]) -> Mutant:
    return lambda patch: patch.setattr(transition, "carry_out", wrong)


RIGHT = transition.carry_out


def dry_runs_are_wet(state: ClusterState, event: Event) -> Stepped:
    if isinstance(event, events.CreateService | events.UpdateService | events.DeleteService):
        event = attrs.evolve(event, dry_run=False)
    return RIGHT(state, event)


def illegal_events_pass_unnoticed(state: ClusterState, event: Event) -> Stepped:
    try:
        return RIGHT(state, event)
    except IllegalEvent:
        return Stepped(state)


def time_passes_in_the_state_before(state: ClusterState, event: Event) -> Stepped:
    stepped = RIGHT(state, event)
    object.__setattr__(state, "now", state.now + 1)
    return stepped


def deleted_services_keep_their_numbers(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("model.api.service_storage.release_ports", lambda _, pool: pool)


def allocated_values_are_not_carried_over(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("model.api.service_storage.patch_allocated_values", lambda new, _: new)


def numbers_are_drawn_from_below(patch: pytest.MonkeyPatch) -> None:
    def lowest(bands: Bands, is_taken: Callable[[int], bool], _: Random) -> int | None:
        free = (value for value in range(bands.first, bands.last + 1) if not is_taken(value))
        return next(free, None)

    patch.setattr(port_operation, "free_value", lowest)


def taken_addresses_are_given_again(patch: pytest.MonkeyPatch) -> None:
    def whatever(bands: Bands, _: Callable[[int], bool], draw: Random) -> int | None:
        return draw.randint(bands.middle, bands.last)

    patch.setattr("model.api.allocation.cluster_ips.free_value", whatever)


def terminating_pods_stay_ready(patch: pytest.MonkeyPatch) -> None:
    right = pod_endpoints.pod_endpoint

    def wrong(service: Service, *pod: Any) -> Endpoint:
        return attrs.evolve(right(service, *pod), ready=True)

    patch.setattr(pod_endpoints, "pod_endpoint", wrong)


def unready_pods_are_forgotten(patch: pytest.MonkeyPatch) -> None:
    right = pod_endpoints.is_eligible
    patch.setattr(pod_endpoints, "is_eligible", lambda pod, **how: pod.ready and right(pod, **how))


def every_service_is_managed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(pod_endpoints, "is_managed", lambda _: True)


def mirrors_outlive_what_they_mirror(patch: pytest.MonkeyPatch) -> None:
    right: Any = mirror

    def wrong(service: object, endpoints: object, existing: Any, **how: Any) -> Any:
        return right(service, endpoints, existing, **how) or tuple(existing)

    patch.setattr(controllers, "mirror", wrong)


def names_are_never_answered(patch: pytest.MonkeyPatch) -> None:
    def empty(message: Message) -> Message:
        message.answer.clear()
        return message

    patch.setattr(publishing, "dns_case", lambda cluster: answering(dns_case(cluster), empty))


def old_claims_stay_in_the_index(patch: pytest.MonkeyPatch) -> None:
    def wrong(self: Services, service: Service, at: int) -> Services:
        claimants = self.claimants
        for claim in claims(service):
            claimants = claimants.insert(claim, claimants.get(claim, frozenset()) | {service.name})
        by_name = self.by_name.insert(service.name, service)
        return Services(by_name, claimants, self.changes.add(at, service.name))

    patch.setattr(Services, "put", wrong)


@pytest.mark.bites("drawn")
@pytest.mark.parametrize(
    ("mutant", "expected"),
    [
        pytest.param(stepping(dry_runs_are_wet), "INV-16", id="dry runs are wet"),
        pytest.param(stepping(time_passes_in_the_state_before), "steps are pure", id="impure steps"),
        pytest.param(deleted_services_keep_their_numbers, "INV-24", id="numbers are kept"),
        pytest.param(allocated_values_are_not_carried_over, "INV-15", id="nothing is carried over"),
        pytest.param(numbers_are_drawn_from_below, "INV-22", id="the static band first"),
        pytest.param(taken_addresses_are_given_again, "INV-18", id="taken addresses given again"),
        pytest.param(old_claims_stay_in_the_index, "indexes are what a scan finds", id="stale index"),
    ],
)
def test_a_wrong_api_server_breaks_a_claim(
    monkeypatch: pytest.MonkeyPatch, mutant: Mutant, expected: str
) -> None:
    mutant(monkeypatch)

    assert expected == found(Requests).id


def test_a_cluster_that_refuses_nothing_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    stepping(illegal_events_pass_unnoticed)(monkeypatch)

    assert found(Histories).id == "illegal events are refused"


@pytest.mark.parametrize(
    ("mutant", "expected"),
    [
        pytest.param(terminating_pods_stay_ready, {"INV-26", "INV-29"}, id="ready for ever"),
        pytest.param(unready_pods_are_forgotten, {"INV-29", "INV-30"}, id="unready pods forgotten"),
        pytest.param(every_service_is_managed, {"INV-32"}, id="all are managed"),
        pytest.param(names_are_never_answered, {"INV-76", "INV-79"}, id="names are never answered"),
        pytest.param(
            mirrors_outlive_what_they_mirror, {"INV-31"}, id="mirrors stay", marks=pytest.mark.thorough
        ),
    ],
)
def test_a_wrong_controller_breaks_a_claim(
    monkeypatch: pytest.MonkeyPatch, mutant: Mutant, expected: set[str]
) -> None:
    mutant(monkeypatch)

    assert found(Publishing).id in expected
