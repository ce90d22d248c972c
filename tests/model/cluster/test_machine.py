"""Every claim holds through every history that the machine finds, and every event happens in them.

How long it looks goes by the profile: some thousand steps on a desk, more than ten thousand
in CI, where each run is the same, and many more in a thorough one.
"""

from collections import Counter
from collections.abc import Callable
from typing import ClassVar, get_args

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from invariants.allocation import HOLE
from invariants.catalogue import CATALOGUE
from model.cluster.events import Event
from tests.strategies.machine.histories import Histories
from tests.strategies.machine.publishing import Publishing
from tests.strategies.machine.requests import BrokenClaim, Requests

THOROUGH = settings.get_profile("thorough")


def budget(*, examples: int, steps: int) -> settings:
    """The settings of the profile in force, for so many histories on a desk and longer ones elsewhere."""
    now = settings.default
    if now is not None and now.derandomize:
        examples = 4 * examples
    elif now is not None and now.max_examples == THOROUGH.max_examples:
        examples = 40 * examples
    # A history is sixty steps, each held to every claim: slow by hypothesis' measure, by intention.
    return settings(
        max_examples=examples,
        stateful_step_count=steps,
        suppress_health_check=[HealthCheck.too_slow],
        report_multiple_bugs=False,
    )


class Counted(Histories):
    """All that can happen, with counts of its own."""

    tried: ClassVar[Counter[str]] = Counter()


class WithTheHole(Histories):
    """Histories in which ExternalName Services have node ports, so that INV-19 and INV-20 assume too much."""

    external_names_have_node_ports = True
    unclaimed = frozenset(claim.id for claim in CATALOGUE if claim.assumption == HOLE)


@pytest.fixture(scope="module")
def broken() -> BrokenClaim | None:
    """The first thing that drawn histories break, with a small history; the search ends with it."""
    try:
        run_state_machine_as_test(Counted, settings=budget(examples=60, steps=60))
    except BrokenClaim as found:
        return found
    return None


# One worker lives through the histories, and all of these ask it.
@pytest.mark.xdist_group("histories")
@pytest.mark.parametrize("id", [claim.id for claim in CATALOGUE])
def test_a_claim_holds_through_every_history(
    broken: BrokenClaim | None, id: str, record_property: Callable[[str, object], None]
) -> None:
    record_property("cases", Counted.tried[id])

    if broken is not None and broken.id == id:
        raise broken
    assert Counted.tried[id] > 0


@pytest.mark.xdist_group("histories")
def test_histories_break_nothing_but_claims(broken: BrokenClaim | None) -> None:
    """Steps are pure, indexes are what a scan finds, and what is illegal is refused."""
    if broken is not None and broken.id not in {claim.id for claim in CATALOGUE}:
        raise broken


def test_only_what_assumes_the_hole_away_breaks_where_it_is_open() -> None:
    """ALLOC-NP-09"""
    assert {"INV-19", "INV-20"} == WithTheHole.unclaimed
    run_state_machine_as_test(WithTheHole, settings=budget(examples=20, steps=60))


def test_every_claim_holds_where_controllers_have_most_of_the_time() -> None:
    run_state_machine_as_test(Publishing, settings=budget(examples=20, steps=40))


def test_every_claim_about_services_holds_through_requests_alone() -> None:
    run_state_machine_as_test(Requests, settings=budget(examples=40, steps=40))


@pytest.mark.thorough
def test_every_event_is_carried_out_and_most_attempts_are_legal() -> None:
    class Watched(Histories):
        seen: ClassVar[Counter[tuple[str, bool]]] = Counter()

    same_each_time = settings(max_examples=100, stateful_step_count=60, derandomize=True, database=None)
    run_state_machine_as_test(Watched, settings=same_each_time)

    happened = {kind for kind, carried_out in Watched.seen if carried_out}
    assert {event.__name__ for event in get_args(Event)} == happened
    carried_out = sum(times for (_, carried_out), times in Watched.seen.items() if carried_out)
    assert carried_out > Watched.seen.total() * 2 / 3
