"""Every proof, in the order of ids. A claim may have several, by different methods."""

from invariants.prove import (
    claims_affinity,
    claims_endpoints,
    claims_isolation,
    claims_masquerade,
    claims_numbers,
    claims_policies,
    claims_publishing,
    claims_ranges,
    claims_refuted,
    claims_verdicts,
    inductive_claims,
)
from invariants.prove.query import Proof

PROOFS: tuple[Proof, ...] = tuple(
    sorted(
        (
            *claims_verdicts.PROOFS,
            *claims_endpoints.PROOFS,
            *claims_policies.PROOFS,
            *claims_ranges.PROOFS,
            *claims_masquerade.PROOFS,
            *claims_numbers.PROOFS,
            *claims_isolation.PROOFS,
            *claims_affinity.PROOFS,
            *claims_publishing.PROOFS,
            *claims_refuted.PROOFS,
            *inductive_claims.PROOFS,
        ),
        key=lambda proof: proof.id,
    )
)
