"""Every proof comes out as it should, and a second solver agrees with the first on every query."""

from collections import Counter

import cvc5  # type: ignore[import-untyped]  # the package has no type information
import pytest

from invariants.prove import world
from invariants.prove.catalogue import PROOFS
from invariants.prove.endpoints import CHOSEN, Listed, members
from invariants.prove.query import Method, Proof
from invariants.prove.solver import Outcome, Script, run, scripts
from oracle.report.prove_text import sentence

EACH_PROOF = pytest.mark.parametrize(
    "proof", [pytest.param(proof, id=f"{proof.name} {proof.scope[:40]}") for proof in PROOFS]
)


@EACH_PROOF
def test_a_proof_comes_out_as_it_should(proof: Proof) -> None:
    """Premises included: a claim whose premises nothing meets would be vacuous."""
    result = run(proof)

    wanted = Outcome.REFUTED if proof.refuted else Outcome.PROVED
    assert (result.outcome, result.query if not proof.refuted else "") == (wanted, ""), result.witness


OVER_ENDPOINTS = [proof for proof in PROOFS if "any number of endpoints" in proof.scope]


@pytest.mark.parametrize("proof", OVER_ENDPOINTS, ids=[proof.id for proof in OVER_ENDPOINTS])
def test_up_to_four_endpoints_one_by_one_give_the_same_answer(
    proof: Proof, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The claims without quantifiers, over every list of at most four endpoints."""
    monkeypatch.setattr(world, "Unbounded", lambda: Listed((CHOSEN, *members(3))))

    assert run(proof).outcome is Outcome.PROVED


def answer(script: Script) -> str:
    """What cvc5 says of a script."""
    manager = cvc5.TermManager()
    solver = cvc5.Solver(manager)
    solver.setOption("tlimit-per", "60000")
    solver.setOption("nl-cov", "true")  # for products of reals
    # Nothing leads from one endpoint to another: where there is a model, there is a finite one.
    is_quantified = "(forall " in script.text or "(exists " in script.text
    solver.setOption("finite-model-find", "true" if is_quantified else "false")
    parser = cvc5.InputParser(solver)
    parser.setStringInput(cvc5.InputLanguage.SMT_LIB_2_6, script.text, script.name)
    symbols, said = parser.getSymbolManager(), ""
    while not (command := parser.nextCommand()).isNull():
        said += command.invoke(solver, symbols)
    return said.strip()


@pytest.mark.parametrize(
    "proof",
    [
        # Histories over any number of things take the second solver some seconds each.
        pytest.param(
            proof,
            id=f"{proof.name} {proof.scope[:40]}",
            marks=[pytest.mark.thorough] if proof.scope.startswith("every history") else [],
        )
        for proof in PROOFS
    ],
)
def test_another_solver_agrees(proof: Proof) -> None:
    """cvc5, on the queries as `svcproof prove --smt2` writes them: premises and denial."""
    found = {script.name: answer(script) for script in scripts([proof])}

    assert found == {script.name: script.answer for script in scripts([proof])}


@EACH_PROOF
def test_every_proof_says_what_it_proves_and_for_whom(proof: Proof) -> None:
    assert sentence(proof)
    assert proof.scope
    assert proof.why or proof.method is not Method.BOUNDED


def test_each_proof_can_be_told_by_its_own_words() -> None:
    """A claim that is proved in parts, or refuted beyond its terms, has a name for each."""
    times = Counter(proof.name for proof in PROOFS)

    assert [name for name, count in times.items() if count > 1] == []
    assert {proof.name for proof in PROOFS if proof.id == "INV-56"} == {
        "INV-56 (exact odds)",
        "INV-56 (odds as printed)",
    }


def test_proofs_are_listed_in_the_order_of_ids() -> None:
    assert [proof.id for proof in PROOFS] == sorted(proof.id for proof in PROOFS)
