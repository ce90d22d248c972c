"""INV-19 without its assumption: the history that the solver finds, and that none is shorter."""

import pytest
import z3  # type: ignore[import-untyped]  # the package has no type information

from invariants.allocation import node_ports_have_one_owner
from invariants.prove.inductive_hole import (
    SHORTEST,
    Found,
    found,
    nobody_shares_a_served_number,
    replayed,
    trace,
)
from invariants.stored import held_numbers, is_external_name, services


@pytest.fixture(scope="module")
def history() -> tuple[Found, ...]:
    of = trace(SHORTEST)
    solver = z3.Solver()
    solver.add(*of.premises(), *of.nothing_is_left_to_chance())
    solver.add(z3.Not(nobody_shares_a_served_number(of.moments[-1])))
    assert str(solver.check()) == "sat"
    return found(solver.model(), of)


def test_the_history_creates_two_services_and_changes_the_type_of_one(history: tuple[Found, ...]) -> None:
    """ALLOC-NP-09: through an ExternalName Service with a number of its own."""
    changed = next(one for one in history if one.kind == "update")
    was = next(one for one in history if one.kind == "create" and one.service == changed.service)

    assert ["create", "create", "update"] == sorted(one.kind for one in history)
    assert "ExternalName" == was.type
    assert {*was.asked} & {*changed.asked}


def test_the_model_comes_to_two_services_that_nodes_serve_with_one_number(
    history: tuple[Found, ...],
) -> None:
    now = replayed(history)

    numbers = [{*held_numbers(one)} for one in services(now) if not is_external_name(one)]
    assert 2 == len(numbers)
    assert numbers[0] & numbers[1]
    assert node_ports_have_one_owner.check(now) is not None


@pytest.mark.parametrize("steps", range(1, SHORTEST))
def test_no_shorter_history_leads_there(steps: int) -> None:
    """Whatever is drawn, and whatever else happens."""
    of = trace(steps)
    solver = z3.Solver()
    solver.add(*of.premises(), z3.Not(nobody_shares_a_served_number(of.moments[-1])))

    assert "unsat" == str(solver.check())
