"""What became of proofs, as text: the id, the outcome, how, for whom, and the claim."""

import textwrap
from collections.abc import Iterator, Sequence

from invariants.catalogue import CATALOGUE
from invariants.prove.query import Proof
from invariants.prove.solver import Result, expected
from oracle.report.as_json import VERSION as VERSION

_SENTENCES = {claim.id: claim.sentence for claim in CATALOGUE}
_WIDTH = 110


def sentence(proof: Proof) -> str:
    """What is proved, in the proof's own words or else the claim's."""
    return proof.sentence or _SENTENCES.get(proof.id, "")


def result_lines(result: Result) -> Iterator[str]:
    """One proof: a line to skim, then the claim, and the witness or the query that failed."""
    proof = result.proof
    mark = "" if result.is_as_expected else f"  NOT AS EXPECTED ({expected(proof).value})"
    yield f"{proof.name}  {result.outcome.value.upper()}{mark}  {proof.method.value}  {result.seconds:.2f} s"
    yield from _wrapped("claim", sentence(proof))
    yield from _wrapped("scope", proof.scope)
    if proof.why:
        yield from _wrapped("why", proof.why)
    if result.query:
        yield from _wrapped("query", result.query)
    if result.witness:
        yield from _wrapped("witness", result.witness)


def _wrapped(label: str, text: str) -> list[str]:
    return textwrap.wrap(
        " ".join(text.split()),
        _WIDTH,
        initial_indent=f"  {label:8}",
        subsequent_indent=" " * 10,
        break_long_words=False,
        break_on_hyphens=False,
    )


def proofs_table(proofs: Sequence[Proof]) -> Iterator[str]:
    """What there is to prove as a Markdown table; docs/proofs.md holds it."""
    yield "| id | claim | outcome | method | scope |"
    yield "|---|---|---|---|---|"
    for proof in proofs:
        scope = f"{proof.scope}; {proof.why}" if proof.why else proof.scope
        cells = (proof.name, sentence(proof), expected(proof).value, proof.method.value, scope)
        yield f"| {' | '.join(' '.join(cell.split()) for cell in cells)} |"


def summary(results: Sequence[Result]) -> str:
    """How many came out as they should."""
    proved = sum(one.is_as_expected and not one.proof.refuted for one in results)
    refuted = sum(one.is_as_expected and one.proof.refuted for one in results)
    failed = len(results) - proved - refuted
    return f"{proved} proved, {refuted} false ones refuted, {failed} not as expected"
