"""By what each claim is tried: drawn cases, proofs, and what was recorded of real clusters.

Whoever lists the claims asks here, and so does the test that every claim has, for each of
its means, a fault that is caught by it. Proofs are counted by `invariants.prove.catalogue`,
which needs a solver; nothing here does.
"""

import enum
from collections.abc import Callable, Mapping
from typing import Any

from invariants.invariant import Invariant, Kind
from invariants.refuted.claim import Refuted


class Means(enum.Enum):
    """What can show that a claim is false of some model or node."""

    DRAWN = "drawn"
    PROVED = "proved"
    DUMPS = "on dumps"


Claimed = Invariant[Callable[..., Any]] | Refuted[Callable[..., Any]]

_DRAWN: Mapping[Kind, str] = {
    Kind.STATE: "states of histories",
    Kind.STEP: "steps of histories",
    Kind.EVENTUAL: "histories, settled",
    Kind.NUMBER: "sizes",
    Kind.PACKET: "clusters and packets",
    Kind.FLOW: "connections of clients who return",
    Kind.WORLDS: "pairs of worlds",
    Kind.DNS: "objects and names",
}
"""What is drawn for a claim of each kind."""

_RECORDED: Mapping[Kind, str] = {
    Kind.STATE: "objects of recorded clusters",
    Kind.EVENTUAL: "objects of recorded clusters",
    Kind.PACKET: "rules of recorded nodes",
    Kind.FLOW: "rules of recorded nodes, connections through a kernel",
    Kind.DNS: "objects of recorded clusters",
}
"""What is recorded that a claim of each kind is held against."""

_RECORDED_TOO = {"INV-45": "rules of recorded nodes"}
"""Claims of other kinds that are: the two worlds are two frontends of one node."""

OF_RUNNING_PROXIES = frozenset(("INV-66", "INV-67", "INV-72", "INV-74"))
"""Claims about what proxies have applied by now, of which the objects of a cluster say nothing."""

SINCE = 26
"""kube-proxy 1.26 is the oldest that claims about packets speak of: FWD-EP-03 came with it (KEP-1669)."""

BASELINE = 36
"""The version of Kubernetes whose API server, controllers and DNS the other claims speak of."""


def drawn(claim: Claimed) -> str:
    """What is drawn to try the claim."""
    if isinstance(claim, Refuted):
        return "short histories, until one breaks it"
    return _DRAWN[claim.kind]


def recorded(claim: Claimed) -> str:
    """What was recorded that the claim is held against, "" for nothing."""
    if isinstance(claim, Refuted) or claim.id in OF_RUNNING_PROXIES:
        return ""
    return _RECORDED_TOO.get(claim.id) or _RECORDED.get(claim.kind, "")


def versions(claim: Claimed) -> str:
    """Of which versions it is claimed, or shown to be false."""
    return f"1.{SINCE} to 1.{BASELINE}" if isinstance(claim, Invariant) and claim.modes else f"1.{BASELINE}"
