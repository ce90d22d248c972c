"""The catalogue as text, Markdown and JSON: every claim, true or false, with everything that tries it."""

from collections.abc import Iterator, Sequence

import attrs

from invariants.catalogue import CATALOGUE
from invariants.invariant import Invariant
from invariants.prove.catalogue import PROOFS
from invariants.refuted import REFUTED
from invariants.tried import Claimed, Means, drawn, recorded, versions
from oracle.report.as_json import VERSION as VERSION
from oracle.report.as_json import Json

HEAD = ("id", "kind", "claim", "where", "assumes", "from", "status", "tried by")
"""The columns of the Markdown table."""


@attrs.frozen
class Claim:
    """One id. `kind` is empty for a false claim, `modes` and `assumption` where there are none.

    `status` is `proved`, `tried` (nothing that was drawn or recorded breaks it) or `refuted`
    (it is false, and a case shows it); `tried` has `means: on what` for each of its means.
    """

    id: str
    kind: str
    sentence: str
    status: str
    modes: tuple[str, ...]
    versions: str
    assumption: str
    source: tuple[str, ...]
    tried: tuple[str, ...]

    @property
    def where(self) -> str:
        """The modes and versions in words."""
        of = f"kube-proxy, {' and '.join(self.modes)} mode" if self.modes else "Kubernetes"
        return f"{of}, {self.versions}"


def claims() -> tuple[Claim, ...]:
    """Every claim of the catalogue, then every one that is tempting and false, in the order of ids."""
    return (
        *(_claim(one) for one in sorted(CATALOGUE, key=lambda claim: claim.id)),
        *(_claim(one) for one in REFUTED),
    )


def _claim(claim: Claimed) -> Claim:
    is_claimed = isinstance(claim, Invariant)
    return Claim(
        claim.id,
        claim.kind.value if isinstance(claim, Invariant) else "",
        claim.sentence,
        _status(claim),
        tuple(mode.value for mode in claim.modes),
        versions(claim),
        claim.assumption if isinstance(claim, Invariant) else "",
        claim.source if isinstance(claim, Invariant) else claim.broken_by,
        (
            f"{Means.DRAWN.value}: {drawn(claim)}",
            *_proofs(claim.id, is_claimed=is_claimed),
            *([f"{Means.DUMPS.value}: {recorded(claim)}"] if recorded(claim) else []),
        ),
    )


def _status(claim: Claimed) -> str:
    if not isinstance(claim, Invariant):
        return "refuted"
    is_proved = any(proof.id == claim.id and not proof.refuted for proof in PROOFS)
    return "proved" if is_proved else "tried"


def _proofs(id: str, *, is_claimed: bool) -> Iterator[str]:
    """Each method by which it is proved or refuted, once.

    A claim that holds may be refuted beyond what it claims: without its assumption, or elsewhere.
    """
    found = {(proof.refuted, proof.method.value) for proof in PROOFS if proof.id == id}
    yield from (f"{Means.PROVED.value}: {method}" for refuted, method in sorted(found) if not refuted)
    beyond = "refuted beyond its terms" if is_claimed else "refuted"
    yield from (f"{beyond}: {method}" for refuted, method in sorted(found) if refuted)


def claims_lines(found: Sequence[Claim]) -> Iterator[str]:
    """Three lines a claim, and a fourth where something is assumed; then how many there are."""
    for claim in found:
        kind = f"  {claim.kind}" if claim.kind else ""
        yield f"{claim.id}{kind}  {claim.status}  ({claim.where})"
        yield f"  {claim.sentence}"
        if claim.assumption:
            yield f"  assumes: {claim.assumption}"
        yield f"  {'; '.join(claim.tried)}"
    counts = (
        f"{sum(claim.status == status for claim in found)} {status}"
        for status in ("proved", "tried", "refuted")
    )
    yield f"{len(found)} claims: {', '.join(counts)}"


def claims_markdown(found: Sequence[Claim]) -> Iterator[str]:
    """A table, one row a claim; docs/invariants.md holds it."""
    yield f"| {' | '.join(HEAD)} |"
    yield "|---" * len(HEAD) + "|"
    for claim in found:
        cells = (
            claim.id,
            claim.kind or "-",
            claim.sentence,
            claim.where,
            claim.assumption or "-",
            ", ".join(claim.source),
            claim.status,
            "; ".join(claim.tried),
        )
        yield f"| {' | '.join(cells)} |"


def claims_json(found: Sequence[Claim]) -> list[Json]:
    """The `invariants` of `svcproof invariants --format json`."""
    return [attrs.asdict(claim) for claim in found]
