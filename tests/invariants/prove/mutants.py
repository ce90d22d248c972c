"""Contracts made wrong on purpose, as patches of what proofs read."""

from collections.abc import Callable, Sequence

import attrs
import pytest
import z3  # type: ignore[import-untyped]  # the package has no type information

from invariants.prove import (
    claims_endpoints,
    claims_isolation,
    claims_numbers,
    claims_ranges,
    claims_refuted,
    endpoints,
    tables,
    world,
)
from invariants.prove.endpoints import Endpoints, Sets
from invariants.prove.tables import Tables
from model.forwarding import (
    OUTSIDE_RANGES,
    Decision,
    MasqueradeRow,
    Row,
)
from model.predicate import All

Mutant = Callable[[pytest.MonkeyPatch], None]
RIGHT_SETS, RIGHT_MODE = endpoints.sets, endpoints._mode


def with_tables(change: Callable[[Tables], Tables]) -> Mutant:
    """Every table changed in one way."""

    def mutant(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(tables, "ALL_TABLES", tuple(map(change, tables.ALL_TABLES)))
        patch.setattr(claims_refuted, "MODE", change(claims_refuted.MODE))

    return mutant


def with_row(id: str, change: Callable[[Row], Sequence[Row]]) -> Mutant:
    """The rows of one id replaced by others, or by none."""

    def changed(of: Tables) -> Tables:
        rows = (change(row) if row.id == id else (row,) for row in of.verdicts)
        return attrs.evolve(of, verdicts=tuple(row for several in rows for row in several))

    return with_tables(changed)


def without(id: str) -> Mutant:
    return with_row(id, lambda _: ())


def deciding(id: str, then: Decision) -> Mutant:
    return with_row(id, lambda row: (attrs.evolve(row, then=then),))


def asking(id: str, *when: object) -> Mutant:
    return with_row(id, lambda row: (attrs.evolve(row, when=All(when)),))  # type: ignore[arg-type]  # predicates


def all_dropped_refused(of: Tables) -> Tables:
    def refused(row: Row) -> Row:
        return attrs.evolve(row, then=Decision.REJECT) if row.then is Decision.DROP else row

    return attrs.evolve(of, verdicts=tuple(map(refused, of.verdicts)))


def rewriting(id: str, then: bool | None) -> Mutant:
    """A row of the source translation that says something else; None takes it away."""

    def changed(of: Tables) -> Tables:
        rows = [one for row in of.masquerade if (one := other(row)) is not None]
        return attrs.evolve(of, masquerade=tuple(rows))

    def other(row: MasqueradeRow) -> MasqueradeRow | None:
        if row.id != id:
            return row
        return None if then is None else attrs.evolve(row, then=then)

    return with_tables(changed)


def never_rewriting(of: Tables) -> Tables:
    return attrs.evolve(of, masquerade=tuple(attrs.evolve(row, then=False) for row in of.masquerade))


def with_sets(change: Callable[[Endpoints, Sets], Sets]) -> Mutant:
    """Other sets, in both readings: otherwise no witness would be believed."""

    def wrong(of: Endpoints, *how: object) -> Sets:
        return change(of, RIGHT_SETS(of, *how))  # type: ignore[arg-type]  # passed on as given

    def mutant(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(world, "sets", wrong)
        patch.setattr(world, "agrees", lambda *_: True)

    return mutant


def whatever_is_listed(of: Endpoints, made: Sets) -> Sets:
    return attrs.evolve(made, cluster=lambda one: of.is_("listed", one))


def ready_or_not(of: Endpoints, made: Sets) -> Sets:
    return attrs.evolve(made, cluster=lambda one: z3.Or(of.ready(one), of.still_serving(one)))


def only_ready_that_stay(of: Endpoints, made: Sets) -> Sets:
    def stays(one: z3.ExprRef) -> z3.BoolRef:
        return z3.And(of.ready(one), z3.Not(of.is_("terminating", one)))

    return attrs.evolve(
        made,
        cluster=lambda one: z3.And(made.cluster(one), stays(one)),
        local=lambda one: z3.And(made.local(one), stays(one)),
    )


def with_mode(wrong: Callable[[Endpoints, str, str], z3.BoolRef]) -> Mutant:
    def mutant(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(endpoints, "_mode", wrong)
        patch.setattr(world, "agrees", lambda *_: True)

    return mutant


def though_no_hint_is_here(of: Endpoints, any_hint: str, _: str) -> z3.BoolRef:
    """FWD-TOPO-01 without "one names this place"."""
    return of.domain.every(lambda one: z3.Implies(of.ready(one), of.is_(any_hint, one)))


def though_some_have_no_hint(of: Endpoints, _: str, here: str) -> z3.BoolRef:
    """FWD-TOPO-01 without "all have hints"."""
    return of.domain.some(lambda one: z3.And(of.ready(one), of.is_(here, one)))


def patching(module: object, name: str, value: object) -> Mutant:
    return lambda patch: patch.setattr(module, name, value)


def remembering_anyone(of: world.World, _: endpoints.Property) -> object:
    """Memories are asked of every endpoint, whatever its conditions."""
    return RIGHT_REMEMBERING(of, lambda one: of.endpoints.is_("listed", one))


RIGHT_REMEMBERING = claims_endpoints.remembering


def allowing_the_address_of_a_stranger(ranges: claims_ranges.Ranges, source: z3.BitVecRef) -> z3.BoolRef:
    """FWD-LBSR-04 turned round: a balancer's address where the node's is not allowed."""
    own = z3.And(z3.Not(ranges.has(ranges.primary)), ranges.is_vip(source))
    return z3.Or(z3.Not(ranges.some), ranges.has(source), own)


def serving_without_address(of: claims_isolation.Services, one: z3.ExprRef) -> z3.BoolRef:
    return z3.And(of.exists(one), z3.Not(of.external_name(one)), z3.Not(of.other_proxy(one)))


def size_of_a_longer_band(size: z3.ArithRef, step: int, most: int) -> z3.ArithRef:
    return RIGHT_SIZE(size, step, 2 * most)


RIGHT_SIZE = claims_numbers.static_size


FIREWALLED = (Row("FWD-LBSR-01", OUTSIDE_RANGES, Decision.DROP), *tables.IPTABLES.verdicts)
"""A table that keeps sources out of every frontend."""
