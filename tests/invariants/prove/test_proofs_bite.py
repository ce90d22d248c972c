"""No proof comes out whatever is asked: for each claim a table or set made wrong refutes it."""

import attrs
import pytest
import z3  # type: ignore[import-untyped]  # the package has no type information

from invariants.prove import (
    claims_endpoints,
    claims_isolation,
    claims_numbers,
    claims_ranges,
    claims_refuted,
    service_fields,
    witness,
)
from invariants.prove.catalogue import PROOFS
from invariants.prove.query import Method, Proof, Query
from invariants.prove.solver import Outcome, run
from model.eligibility import EndpointSets
from model.forwarding import (
    EXTERNAL_LOCAL,
    FROM_POD,
    INTERNAL_LOCAL,
    IS_EXT,
    OUTSIDE_RANGES,
    Decision,
)
from tests.invariants.prove.mutants import (
    FIREWALLED,
    Mutant,
    all_dropped_refused,
    allowing_the_address_of_a_stranger,
    asking,
    deciding,
    never_rewriting,
    only_ready_that_stay,
    patching,
    ready_or_not,
    remembering_anyone,
    rewriting,
    serving_without_address,
    size_of_a_longer_band,
    though_no_hint_is_here,
    though_some_have_no_hint,
    whatever_is_listed,
    with_mode,
    with_row,
    with_sets,
    with_tables,
    without,
)

MUTANTS: list[tuple[str, str, Mutant]] = [
    ("INV-23", "a band twice as long", patching(claims_numbers, "static_size", size_of_a_longer_band)),
    ("INV-35", "conditions ignored", with_sets(whatever_is_listed)),
    ("INV-36", "no preference for ready ones", with_sets(ready_or_not)),
    ("INV-37", "hints elsewhere empty the set", with_mode(though_no_hint_is_here)),
    ("INV-38", "no last row", without("FWD-ETP-05")),
    ("INV-38", "a frontend left alone", deciding("FWD-ETP-05", Decision.PASS)),
    ("INV-38", "an empty set", without("FWD-ITP-01")),
    ("INV-39", "drops refused", deciding("FWD-ETP-05", Decision.REJECT)),
    ("INV-40", "refusals dropped", deciding("FWD-REJ-01", Decision.DROP)),
    ("INV-41", "internal policy ignored", deciding("FWD-ITP-02", Decision.TO_CLUSTER)),
    ("INV-42", "external policy ignored", deciding("FWD-ETP-04", Decision.TO_CLUSTER)),
    ("INV-43", "no short circuit for the node", without("FWD-ETP-03")),
    ("INV-44", "internal policy everywhere", asking("FWD-ITP-02", INTERNAL_LOCAL)),
    ("INV-45", "short circuit by external IPs only", asking("FWD-ETP-02", IS_EXT, EXTERNAL_LOCAL, FROM_POD)),
    ("INV-46", "no firewall", without("FWD-LBSR-01")),
    ("INV-47", "a firewall for all frontends", asking("FWD-LBSR-01", OUTSIDE_RANGES)),
    ("INV-48", "not monotone", patching(claims_ranges, "allows", allowing_the_address_of_a_stranger)),
    ("INV-49", "families mixed", patching(claims_isolation, "of_one_family", lambda of: of)),
    ("INV-53", "headless served", patching(claims_isolation, "serves", serving_without_address)),
    ("INV-56", "a chain of halves", patching(claims_numbers, "chance", lambda *_: z3.Q(1, 2))),
    ("INV-59", "unready ones remembered", patching(claims_endpoints, "remembering", remembering_anyone)),
    ("INV-62", "a row gone", rewriting("MASQ-06", None)),
    ("INV-62", "a row changed", rewriting("MASQ-05", True)),
    ("INV-63", "replies go astray", rewriting("MASQ-04", False)),
    ("INV-64", "no hairpin", rewriting("MASQ-08", None)),
    ("INV-65", "addresses hidden", rewriting("MASQ-07", True)),
]


def proof_of(id: str, *, refuted: bool) -> Proof:
    """The first proof of a claim here, by the tables and sets of this folder's files."""
    return next(
        one
        for one in PROOFS
        if one.id == id and one.refuted is refuted and one.queries.__module__.startswith("invariants.prove")
    )


@pytest.mark.bites("proved")
@pytest.mark.parametrize(
    ("id", "mutant"), [pytest.param(id, mutant, id=f"{id}: {what}") for id, what, mutant in MUTANTS]
)
def test_a_claim_is_refuted_of_a_wrong_contract(
    id: str, mutant: Mutant, monkeypatch: pytest.MonkeyPatch
) -> None:
    mutant(monkeypatch)

    result = run(proof_of(id, refuted=False))

    assert (result.outcome, result.is_as_expected) == (Outcome.REFUTED, False)
    assert result.witness


def test_a_row_that_never_has_its_turn_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """INV-38: behind its like a row stands in vain."""
    with_row("FWD-CIP-01", lambda row: (row, attrs.evolve(row, id="again")))(monkeypatch)

    result = run(proof_of("INV-38", refuted=False))

    assert (result.outcome, result.query) == (Outcome.VACUOUS, "again has its turn (contract)")


def test_drift_that_grows_faster_is_refuted(monkeypatch: pytest.MonkeyPatch) -> None:
    """INV-56, as printed."""
    monkeypatch.setattr(claims_numbers, "onward", lambda reached, taken: reached * taken)
    printed = next(one for one in PROOFS if one.id == "INV-56" and "printed" in one.scope)

    assert run(printed).outcome is Outcome.REFUTED


TRUE_THERE: list[tuple[str, str, Mutant]] = [
    ("NEG-01", "no fallback", with_sets(only_ready_that_stay)),
    ("NEG-03", "refusals for drops", with_tables(all_dropped_refused)),
    ("NEG-05", "a firewall for all frontends", with_tables(lambda of: attrs.evolve(of, verdicts=FIREWALLED))),
    ("NEG-07", "no source translation", with_tables(never_rewriting)),
    ("NEG-09", "hints one by one", with_mode(though_some_have_no_hint)),
]


def no_short_circuit(patch: pytest.MonkeyPatch) -> None:
    for id in ("FWD-ETP-02", "FWD-ETP-03"):
        without(id)(patch)


@pytest.mark.bites("proved")
@pytest.mark.parametrize(
    ("id", "mutant"),
    [
        *(pytest.param(id, mutant, id=f"{id}: {what}") for id, what, mutant in TRUE_THERE),
        pytest.param("NEG-02", no_short_circuit, id="NEG-02: no short circuit"),
    ],
)
def test_a_tempting_claim_is_true_of_the_contract_that_it_imagines(
    id: str, mutant: Mutant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What breaks the claim is taken away: then no witness is left, and the proof says so."""
    mutant(monkeypatch)

    result = run(proof_of(id, refuted=True))

    assert (result.outcome, result.is_as_expected) == (Outcome.PROVED, False)


@pytest.mark.bites("proved")
@pytest.mark.parametrize(("id", "field"), [("NEG-12", "allocates"), ("NEG-13", "external_ips")])
def test_a_tempting_claim_about_fields_is_true_without_the_field(
    id: str, field: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = service_fields.any_fields

    def wrong() -> service_fields.Fields:
        return attrs.evolve(right(), **{field: z3.BoolVal(field == "allocates")})

    monkeypatch.setattr(claims_refuted, "any_fields", wrong)

    assert run(proof_of(id, refuted=True)).outcome is Outcome.PROVED


def test_a_witness_that_python_does_not_bear_out_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(witness, "endpoint_sets", lambda *_, **__: EndpointSets((), (), False))

    assert run(proof_of("NEG-01", refuted=True)).outcome is Outcome.UNCONFIRMED


@pytest.mark.parametrize(
    ("premise", "goal", "outcome"),
    [
        (False, False, Outcome.VACUOUS),
        (True, True, Outcome.PROVED),
        (True, False, Outcome.REFUTED),
    ],
)
def test_a_claim_whose_premises_nothing_meets_is_vacuous(premise: bool, goal: bool, outcome: Outcome) -> None:
    query = Query("a question", (z3.BoolVal(premise),), z3.BoolVal(goal))

    assert run(Proof("INV-38", Method.EXHAUSTIVE, "", lambda: (query,))).outcome is outcome


def test_a_proof_without_queries_says_nothing() -> None:
    assert run(Proof("INV-38", Method.EXHAUSTIVE, "", lambda: ())).outcome is Outcome.VACUOUS


def test_what_the_solver_cannot_decide_is_unknown() -> None:
    """Fermat, for which a moment is not enough."""
    x, y, z = z3.Ints("x y z")
    query = Query("a question", (x > 2, y > 2, z > 2), x**3 + y**3 != z**3)

    result = run(Proof("INV-38", Method.UNBOUNDED, "", lambda: (query,)), seconds=1)

    assert (result.outcome, result.is_as_expected) == (Outcome.UNKNOWN, False)
