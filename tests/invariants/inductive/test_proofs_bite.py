"""Every inductive proof can fail: a machine made wrong on purpose refutes it, and the event is shown."""

import pytest
import z3  # type: ignore[import-untyped]  # the package has no type information

from invariants.prove import inductive
from invariants.prove.allocation_machine import Transition, create, request_for, stored, unchanged
from invariants.prove.inductive import (
    AFTER,
    BEFORE,
    EVENT,
    OF_ADDRESSES,
    OF_NUMBERS,
    RANGES,
    Inductive,
    step_queries,
)
from invariants.prove.inductive_claims import QUESTIONS, proof_of
from invariants.prove.machine_state import OF_A_SERVICE, Request, State, a, addresses, c, n, t
from invariants.prove.pool_machine import EVENTS, unasked
from invariants.prove.query import Proof, Query
from invariants.prove.solver import Outcome, ask


def deleted_services_keep_what_they_own(before: State, after: State, event: Request) -> z3.BoolRef:
    return z3.And(
        before.exists(event.target),
        z3.Not(after.exists(event.target)),
        unchanged(before, after, *OF_A_SERVICE),
    )


def unvalidated_update(before: State, after: State, event: Request) -> z3.BoolRef:
    """Any change goes."""
    return z3.And(before.exists(event.target), stored(before, after, event))


def a_service_takes_what_another_one_owns(before: State, after: State, _: Request) -> z3.BoolRef:
    """A repair that gives a duplicate to whom it comes to last."""
    has = z3.ForAll([a, t], z3.Implies(after.owned(a, t), addresses(before, t, a)))
    return z3.And(has, unchanged(before, after, "owned"))


def the_pool_is_emptied(before: State, after: State, _: Request) -> z3.BoolRef:
    """A repair that frees what is in use."""
    return z3.And(z3.ForAll([n, t], z3.Not(after.pooled(n, t))), unchanged(before, after, "pooled"))


def a_cidr_goes_while_it_is_in_use(before: State, after: State, event: Request) -> z3.BoolRef:
    return z3.And(
        z3.ForAll(c, after.present(c) == z3.And(before.present(c), c != event.cidr)),
        z3.ForAll(c, after.ready(c) == z3.And(before.ready(c), c != event.cidr)),
        unchanged(before, after, "present", "ready"),
    )


def addresses_from_nowhere(before: State, after: State, event: Request) -> z3.BoolRef:
    """Whatever is asked for is given, edges of ranges and all."""
    took = z3.And(addresses(after, event.target, a), t == event.target)
    return z3.And(
        z3.Not(before.exists(event.target)),
        after.exists(event.target),
        z3.ForAll([a, t], after.owned(a, t) == z3.Or(before.owned(a, t), took)),
        unchanged(before, after, *OF_A_SERVICE, "owned"),
    )


WRONG: dict[str, tuple[str, str, Transition]] = {
    "INV-12": ("claim at update", "update", request_for(unvalidated_update)),
    "INV-13": ("claim at update", "update", request_for(unvalidated_update)),
    "INV-14": ("claim at update", "update", request_for(unvalidated_update)),
    "INV-16": ("claim at create", "create", create),
    "INV-17": ("claim at update", "update", request_for(unvalidated_update)),
    "INV-18": (
        "lemmas after repair cluster IPs",
        "repair cluster IPs",
        unasked(a_service_takes_what_another_one_owns),
    ),
    "INV-19": ("lemmas after repair node ports", "repair node ports", unasked(the_pool_is_emptied)),
    "INV-20": (
        "cluster IPs: lemmas after drop ServiceCIDR",
        "drop ServiceCIDR",
        unasked(a_cidr_goes_while_it_is_in_use),
    ),
    "INV-21": ("lemmas after create", "create", request_for(addresses_from_nowhere)),
    "INV-24": ("claim at delete", "delete", request_for(deleted_services_keep_what_they_own)),
}
"""For each claim the query that falls, and the event that is made wrong."""


def query_of(proof: Proof, name: str) -> Query:
    return next(query for query in proof.queries() if query.name == name)


@pytest.mark.bites("proved")
@pytest.mark.parametrize("id", sorted(WRONG))
def test_a_wrong_event_refutes_the_claim_and_is_shown(id: str) -> None:
    name, kind, wrong = WRONG[id]
    outcome, witness = ask(query_of(proof_of(id, {**EVENTS, kind: wrong}), name))

    assert outcome is Outcome.REFUTED
    assert ["before", kind, "after"] == [line.partition(":")[0] for line in witness.splitlines()]


@pytest.mark.bites("proved", "INV-22")
def test_numbers_drawn_from_anywhere_refute_that_the_static_band_comes_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """INV-22: a machine that does not know the static band."""
    monkeypatch.setattr("invariants.prove.allocation_machine.STATIC", lambda _: z3.BoolVal(False))

    assert ask(query_of(proof_of("INV-22"), "claim at create"))[0] is Outcome.REFUTED


def test_every_claim_has_a_machine_that_refutes_it() -> None:
    assert {*QUESTIONS} == {*WRONG, "INV-22"}


def test_one_owner_of_a_number_needs_the_hole_to_be_closed() -> None:
    """ALLOC-NP-09: an ExternalName Service breaks INV-19 at once, and where it changes its type."""
    open_ones = {query.name for query in Inductive(OF_NUMBERS).queries() if ask(query)[0] is Outcome.REFUTED}

    assert {"lemmas after create", "lemmas after update"} == open_ones


def test_a_release_needs_a_service_cidr_that_holds_the_address() -> None:
    """INV-24 without the lemma that some ServiceCIDR holds all that is owned (ALLOC-IP-08)."""
    rest = tuple(one for one in OF_ADDRESSES if one is not inductive.a_range_holds_what_is_owned)
    claim = inductive.a_deleted_service_leaves_nothing_owned
    fallen = {query.name for query in step_queries(claim, rest) if ask(query)[0] is Outcome.REFUTED}

    assert {"claim at delete", "claim at finish"} == fallen


@pytest.mark.parametrize("kind", [kind for kind in EVENTS if kind != "anything else"])
def test_every_event_happens_in_a_state_of_which_all_lemmas_hold(kind: str) -> None:
    """Not refused and not dry, and something changes: no proof rests on what cannot happen."""
    solver = z3.Solver()
    lemmas = (*OF_ADDRESSES, *OF_NUMBERS, inductive.the_hole_is_closed)
    solver.add(*RANGES, *(lemma(BEFORE) for lemma in lemmas), EVENTS[kind](BEFORE, AFTER, EVENT))
    solver.add(z3.Not(EVENT.refused), z3.Not(EVENT.dry), z3.Not(unchanged(BEFORE, AFTER)))

    assert "sat" == str(solver.check())
