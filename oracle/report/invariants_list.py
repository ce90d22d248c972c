"""The catalogue as text, Markdown and JSON: every claim with everything that tries it."""

from collections.abc import Iterator, Sequence

import attrs

from invariants.catalogue import CATALOGUE
from invariants.invariant import Kind
from invariants.prove.catalogue import PROOFS
from oracle.report.as_json import VERSION as VERSION
from oracle.report.as_json import Json
from oracle.report.prove_text import sentence

DRAWN = {
    Kind.STATE: "drawn histories",
    Kind.STEP: "drawn histories",
    Kind.EVENTUAL: "drawn histories, settled",
    Kind.NUMBER: "drawn sizes",
    Kind.PACKET: "drawn clusters and packets",
    Kind.FLOW: "drawn histories of connections",
    Kind.WORLDS: "drawn clusters and changes",
    Kind.DNS: "drawn clusters",
}
"""What hypothesis draws for a claim of each kind."""

DUMPED = {Kind.PACKET: "rules of recorded nodes"}
"""What is recorded that a claim of the kind is held against."""


@attrs.frozen
class Claim:
    """One id; `modes` and `assumption` are empty where there are none."""

    id: str
    kind: str
    sentence: str
    modes: tuple[str, ...]
    assumption: str
    source: tuple[str, ...]
    tried: tuple[str, ...]


def claims() -> tuple[Claim, ...]:
    """Every claim of the catalogue, then those that are proved or refuted only."""
    listed = [
        Claim(
            claim.id,
            claim.kind.value,
            claim.sentence,
            tuple(mode.value for mode in claim.modes),
            claim.assumption,
            claim.source,
            tuple(filter(None, (DRAWN[claim.kind], DUMPED.get(claim.kind), *_proofs(claim.id)))),
        )
        for claim in sorted(CATALOGUE, key=lambda claim: claim.id)
    ]
    known = {claim.id for claim in listed}
    others = {proof.id: sentence(proof) for proof in PROOFS if proof.id not in known}
    return (
        *listed,
        *(Claim(id, "", text, (), "", (), tuple(_proofs(id))) for id, text in sorted(others.items())),
    )


def _proofs(id: str) -> Iterator[str]:
    """Each way in which the claim is proved, or refuted, once."""
    words = (
        f"{'refuted' if proof.refuted else 'proved'} ({proof.method.value})"
        for proof in PROOFS
        if proof.id == id
    )
    yield from dict.fromkeys(words)


def claims_lines(found: Sequence[Claim]) -> Iterator[str]:
    """Three lines a claim, and a fourth where something is assumed."""
    for claim in found:
        modes = f"  [{', '.join(claim.modes)}]" if claim.modes else ""
        yield f"{claim.id}  {claim.kind or '-'}{modes}"
        yield f"  {claim.sentence}"
        if claim.assumption:
            yield f"  assumes: {claim.assumption}"
        yield f"  tried: {', '.join(claim.tried) or 'not yet'}"


def claims_markdown(found: Sequence[Claim]) -> Iterator[str]:
    """A table, one row a claim."""
    yield "| id | kind | claim | modes | assumes | tried |"
    yield "|---|---|---|---|---|---|"
    for claim in found:
        cells = (
            claim.id,
            claim.kind or "-",
            claim.sentence,
            ", ".join(claim.modes) or "-",
            claim.assumption or "-",
            ", ".join(claim.tried) or "-",
        )
        yield f"| {' | '.join(cells)} |"


def claims_json(found: Sequence[Claim]) -> list[Json]:
    """The `invariants` of `svcproof invariants --format json`."""
    return [attrs.asdict(claim) for claim in found]
