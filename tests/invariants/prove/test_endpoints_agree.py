"""The endpoint sets as formulas are the sets of `model.eligibility`, over lists and over the sort."""

from collections.abc import Callable

import pytest
import z3  # type: ignore[import-untyped]  # the package has no type information
from hypothesis import given, settings

from invariants.prove.endpoints import (
    ENDPOINT,
    PROPERTIES,
    Endpoints,
    Listed,
    Property,
    Sets,
    Unbounded,
    any_endpoints,
    hints_make_sense,
    members,
    sets,
)
from invariants.prove.witness import HERE
from model.proxy_endpoints import ProxyEndpoint
from model.proxy_version import ZoneHints
from tests.strategies.endpoint_sets import Case, cases


def has(one: ProxyEndpoint) -> dict[str, bool]:
    return {
        "listed": True,
        "ready": one.ready,
        "serving": one.serving,
        "terminating": one.terminating,
        "local": one.local,
        "node hint": bool(one.node_hints),
        "hints this node": HERE in one.node_hints,
        "zone hint": bool(one.zone_hints),
        "hints this zone": HERE in one.zone_hints,
    }


def said(case: Case, of: Endpoints, names: tuple[z3.ExprRef, ...]) -> list[tuple[z3.BoolRef, z3.BoolRef]]:
    """What the case says of every symbol, as pairs of symbol and truth."""
    truths = [
        (of.properties[name](symbol), has(one)[name])
        for symbol, one in zip(names, case.endpoints, strict=True)
        for name in PROPERTIES
    ]
    truths += [
        (of.zone_known, case.zone_known),
        (of.reads_node_hints, case.reading.node_hints),
        (of.reads_zone_hints, case.reading.zone_hints is ZoneHints.ALWAYS),
        (of.reads_still_serving, case.reading.still_serving),
    ]
    return [(symbol, z3.BoolVal(truth)) for symbol, truth in truths]


def made(case: Case, of: Endpoints) -> Sets:
    return sets(of, z3.BoolVal(case.uses_cluster), z3.BoolVal(case.uses_local))


def wanted(case: Case) -> tuple[list[bool], list[bool], bool, bool]:
    right = case.sets()
    return (
        [one in (right.cluster or ()) for one in case.endpoints],
        [one in (right.local or ()) for one in case.endpoints],
        right.has,
        not right.local,
    )


def found(made: Sets, names: tuple[z3.ExprRef, ...], true: Callable[[z3.BoolRef], bool]) -> object:
    return (
        [true(made.cluster(one)) for one in names],
        [true(made.local(one)) for one in names],
        true(made.has),
        true(made.local_is_empty),
    )


@given(cases())
def test_unrolled_formulas_are_the_sets(case: Case) -> None:
    """FWD-EP-01..05, FWD-TOPO-01..04, under every reading of kube-proxy's versions."""
    names = tuple(members(len(case.endpoints)))
    of = any_endpoints(Listed(names))
    made_of = made(case, of)
    # Names are put in one by one: each stands for what comes before it.
    truths = said(case, of, names)
    for definition in made_of.definitions:
        symbol, meaning = definition.children()
        truths.append((symbol, z3.simplify(z3.substitute(meaning, *truths))))

    def true(term: z3.BoolRef) -> bool:
        settled = z3.simplify(z3.substitute(term, *truths))
        assert z3.is_true(settled) or z3.is_false(settled)
        return bool(z3.is_true(settled))

    assert found(made_of, names, true) == wanted(case)
    assert true(hints_make_sense(of))


@settings(max_examples=40)
@given(cases())
def test_formulas_over_the_sort_are_the_sets(case: Case) -> None:
    """With quantifiers, where the sort has just these elements: the solver finds no other sets."""
    names = tuple(members(len(case.endpoints)))
    of = any_endpoints(Unbounded())
    made_of = made(case, of)
    anyone = z3.Const("anyone", ENDPOINT)
    known = z3.Or([anyone == one for one in names]) if names else z3.BoolVal(False)
    solver = z3.Solver()
    solver.add(*made_of.definitions, *(symbol == truth for symbol, truth in said(case, of, names)))
    # Others may exist; nobody has listed them.
    solver.add(z3.Implies(z3.BoolVal(len(names) > 1), z3.Distinct(*names) if len(names) > 1 else True))
    solver.add(z3.ForAll([anyone], z3.Implies(of.is_("listed", anyone), known)))

    def true(term: z3.BoolRef) -> bool:
        may, may_not = solver.check(term), solver.check(z3.Not(term))
        assert {str(may), str(may_not)} == {"sat", "unsat"}
        return bool(may == z3.sat)

    assert found(made_of, names, true) == wanted(case)


@pytest.mark.parametrize("name", ["ready", "still_serving"])
def test_an_endpoint_that_is_not_listed_is_nothing(name: str) -> None:
    of = any_endpoints(Unbounded())
    stranger = z3.Const("stranger", ENDPOINT)
    solver = z3.Solver()
    solver.add(z3.Not(of.is_("listed", stranger)))
    ask: Property = getattr(of, name)

    assert solver.check(ask(stranger)) == z3.unsat
