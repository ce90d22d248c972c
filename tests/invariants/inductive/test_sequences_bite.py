"""Proofs about sequences can fail: a wrong connection, pass or sync refutes each, and is shown."""

from collections.abc import Callable

import attrs
import pytest
import z3  # type: ignore[import-untyped]  # the package has no type information

from invariants.prove import affinity_machine, publishing_machine
from invariants.prove.affinity_machine import Connection, Memories, c, e, f
from invariants.prove.catalogue import PROOFS
from invariants.prove.publishing_machine import FACTS, SYNCED, Applied, n, q
from invariants.prove.query import Proof
from invariants.prove.solver import Outcome, run

Mutant = Callable[[pytest.MonkeyPatch], None]


def proof_of(name: str) -> Proof:
    return next(one for one in PROOFS if one.name == name)


def replacing(module: object, name: str, value: object) -> Mutant:
    return lambda patch: patch.setattr(module, name, value)


# --- Affinity


def chance_first(now: Memories, client: z3.ExprRef, one: z3.ExprRef) -> z3.BoolRef:
    """Nobody is remembered."""
    return now.goes(client, one)


def remembered_or_not_there(now: Memories, client: z3.ExprRef, one: z3.ExprRef) -> z3.BoolRef:
    """Whoever knows the client gets it, in the set or not."""
    known = z3.Exists(f, now.live(client, f))
    return z3.If(known, now.live(client, one), now.goes(client, one))


def the_first_of_the_set(now: Memories, client: z3.ExprRef, one: z3.ExprRef) -> z3.BoolRef:
    """Without a memory always the first."""
    first = z3.ForAll(f, z3.Implies(now.goes(client, f), z3.Not(affinity_machine.BEFORE(f, one))))
    return z3.And(now.goes(client, one), first)


def known_to_anybody(now: Memories, client: z3.ExprRef, one: z3.ExprRef) -> z3.BoolRef:
    """One memory for all clients."""
    known = z3.Exists([c, f], z3.And(now.live(c, f), now.goes(client, f)))
    is_known = z3.Exists(c, now.live(c, one))
    return z3.And(now.goes(client, one), z3.Implies(known, is_known))


def connects_without_a_trace(before: Memories, after: Memories, event: Connection) -> z3.BoolRef:
    """The new endpoint is not remembered."""
    same = z3.And(after.live(c, e) == before.live(c, e), after.goes(c, e) == before.goes(c, e))
    chosen = affinity_machine.may_be_chosen(before, event.client, event.chosen)
    return z3.And(chosen, z3.ForAll([c, e], same))


def choosing(wrong: object) -> Mutant:
    return replacing(affinity_machine, "may_be_chosen", wrong)


# --- Publishing and syncs


def terminating_pods_stay_ready(
    publishes_unready: z3.BoolRef, ready: z3.BoolRef, terminating: z3.BoolRef
) -> dict[str, z3.BoolRef]:
    return {"ready": z3.Or(publishes_unready, ready), "serving": ready, "terminating": terminating}


def a_node_applies_what_nobody_lists(before: Applied, after: Applied) -> z3.BoolRef:
    """A sync that takes endpoints for ready that the API does not call so."""
    right = publishing_machine.a_node_syncs(before, after)
    ready = z3.ForAll([n, q, e], z3.Implies(n == SYNCED, after.applied["ready"](n, q, e)))
    others = z3.And(
        [
            z3.ForAll([q, e], after.applied[name](SYNCED, q, e) == before.listed[name](q, e))
            for name in FACTS
            if name != "ready"
        ]
    )
    was = z3.ForAll(
        [n, q, e],
        after.was_usable(n, q, e)
        == z3.If(
            n == SYNCED,
            publishing_machine.usable({name: before.listed[name](q, e) for name in FACTS}),
            before.was_usable(n, q, e),
        ),
    )
    return z3.Or(right, z3.And(ready, others, was))


WRONG: list[tuple[str, str, Mutant]] = [
    (
        "INV-26",
        "terminating pods stay ready",
        replacing(publishing_machine, "conditions", terminating_pods_stay_ready),
    ),
    (
        "INV-27",
        "terminating pods stay ready",
        replacing(publishing_machine, "conditions", terminating_pods_stay_ready),
    ),
    (
        "INV-35 (over applied views)",
        "all count as ready",
        replacing(publishing_machine, "SYNCS", {"a sync": a_node_applies_what_nobody_lists}),
    ),
    ("INV-57", "nobody is remembered", choosing(chance_first)),
    ("INV-58", "always the first endpoint", choosing(the_first_of_the_set)),
    ("INV-59 (over connections)", "memory before the set", choosing(remembered_or_not_there)),
    ("INV-60", "memory before the set", choosing(remembered_or_not_there)),
    ("INV-60", "not remembered again", replacing(affinity_machine, "connects", connects_without_a_trace)),
    ("INV-61", "one memory for all", choosing(known_to_anybody)),
]


@pytest.mark.bites("proved")
@pytest.mark.parametrize(
    ("name", "mutant"), [pytest.param(name, mutant, id=f"{name}: {what}") for name, what, mutant in WRONG]
)
def test_a_wrong_event_refutes_the_claim(name: str, mutant: Mutant, monkeypatch: pytest.MonkeyPatch) -> None:
    mutant(monkeypatch)

    result = run(proof_of(name))

    assert (result.outcome, result.is_as_expected) == (Outcome.REFUTED, False)
    assert result.witness.startswith("before: ")


@pytest.mark.parametrize("kind", affinity_machine.EVENTS)
def test_every_event_of_affinity_happens_where_somebody_is_known(kind: str) -> None:
    """No proof rests on what cannot happen."""
    before, after = affinity_machine.memories("before"), affinity_machine.memories("after")
    solver = z3.Solver()
    solver.add(before.live(c, e), before.goes(c, e), before.was_given(c, e))
    solver.add(affinity_machine.EVENTS[kind](before, after, affinity_machine.CONNECTION))

    assert str(solver.check()) == "sat"


def test_a_proof_without_its_lemma_fails() -> None:
    """INV-57: known to two endpoints of the set, a client goes to the first and not to where it was."""
    proof = proof_of("INV-57")
    (query,) = (one for one in proof.queries() if one.name == "who is live goes where it was")
    without = attrs.evolve(query, premises=query.premises[:3] + query.premises[4:])

    assert run(attrs.evolve(proof, queries=lambda: (without,))).outcome is Outcome.REFUTED
