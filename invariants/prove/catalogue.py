"""Every proof, in the order of ids. A claim may have several, by different methods."""

from invariants.prove.query import Proof

PROOFS: tuple[Proof, ...] = ()
