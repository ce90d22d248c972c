"""What became of proofs as JSON values; docs/proofs.md describes the schema."""

from invariants.prove.solver import Result, expected
from oracle.report.as_json import Json
from oracle.report.prove_text import sentence


def result_json(result: Result) -> Json:
    """One proof of `svcproof prove --format json`."""
    proof = result.proof
    return {
        "id": proof.id,
        "part": proof.part,
        "claim": sentence(proof),
        "method": proof.method.value,
        "scope": proof.scope,
        "why": proof.why,
        "expected": expected(proof).value,
        "outcome": result.outcome.value,
        "as_expected": result.is_as_expected,
        "seconds": round(result.seconds, 3),
        "query": result.query,
        "witness": result.witness,
    }
