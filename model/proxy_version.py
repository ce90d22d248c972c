"""What a kube-proxy makes of endpoint slices depends on its version; the rest does not.

Feature gates are taken at their defaults. A version newer than `LATEST` counts as it.
"""

import enum
import re
from collections.abc import Iterable, Mapping

import attrs

from model.objects import Cluster

OLDEST, LATEST = 14, 36  # minor versions of Kubernetes 1.x that are told apart

_AUTO = "service.kubernetes.io/topology-aware-hints"
_MODE = "service.kubernetes.io/topology-mode"
_VERSION = re.compile(r"(?:Kubernetes )?v?1\.(\d{1,3})(?:[.+-]|$)")


class ZoneHints(enum.Enum):
    """When zone hints are honoured (KEP-2433, KEP-4444)."""

    NEVER = "never"  # alpha on 1.21, off by default until 1.24
    AUTO = "if the Service asks for topology-aware-hints auto"
    ANNOTATED = "if an annotation of the Service asks for them"  # 1.27
    ALWAYS = "always"  # 1.31: FWD-TOPO-04


@attrs.frozen
class Reading:
    """One way to read the slices; the defaults are the contract's (FWD-EP-02, FWD-TOPO-01)."""

    node_hints: bool = True
    zone_hints: ZoneHints = ZoneHints.ALWAYS
    still_serving: bool = True  # falls back to endpoints that serve while they terminate

    def uses_zone_hints(self, annotations: Mapping[str, str]) -> bool:
        """Whether zone hints of a Service with these annotations count."""
        match self.zone_hints:
            case ZoneHints.NEVER:
                return False
            case ZoneHints.AUTO:
                return annotations.get(_AUTO) in ("auto", "Auto")
            case ZoneHints.ANNOTATED:
                asked = annotations.get(_AUTO) or annotations.get(_MODE) or "disabled"
                return asked not in ("disabled", "Disabled")
            case ZoneHints.ALWAYS:
                return True


class Quirk(enum.Enum):
    """What rules of old layouts do otherwise than the contract, and always did."""

    # Up to 1.24 drops are marks, acted on in INPUT and OUTPUT only.
    MARKED_DROPS = "what is dropped by a mark is forwarded all the same"
    # Up to 1.19 external IPs are refused in INPUT only, load balancer IPs everywhere.
    EARLY_REFUSALS = "refusals of external addresses hang in other hooks"
    # Up to 1.26 kubelet wrote the guard of 127/8, where anyone did (CVE-2020-8558).
    UNGUARDED = "nothing keeps neighbours from the node's loopback"
    # Up to 1.20 an external IP is not served to the node itself.
    EXTERNAL_FROM_ELSEWHERE = "external IPs are served only to sources that are not the node's"

    # nftables mode. Up to 1.35 each endpoint's chain marks what the endpoint sends (MODE-21).
    MARKS_PER_ENDPOINT = "every endpoint is marked for its own packets, wherever it is"
    # Up to 1.35 the filter of OUTPUT comes before the translation.
    EARLY_OUTPUT = "the node's own packets are refused and dropped before they may be translated"
    # Up to 1.32 the ServiceCIDR API is off by default (MODE-06).
    RANGES_UNKNOWN = "the proxy does not know the service ranges"
    # 1.29 checks refusals where destinations are translated already.
    LATE_CHECKS = "cluster IPs are not checked, and refusal comes before all else"
    # So with the source ranges, which nothing that is translated meets any more (BZ-43).
    LATE_FIREWALL = "source ranges bind the node's own packets only"
    # What EARLY_OUTPUT does to a Service of policy Local without a local endpoint (BZ-44).
    SHORT_CUT_LOST = "under policy Local the node's own packets are dropped instead of short-cut"

    # ipvs mode. Up to 1.25 whatever listens on the node answers at the addresses of Services (MODE-05).
    OPEN_ADDRESSES = "undefined ports of bound addresses lead to the node's own listeners"
    # Up to 1.28 nothing stands in OUTPUT (MODE-13).
    OPEN_OUTPUT = "source ranges never bind the node's own packets"
    # Up to 1.19 policy Local has no other endpoints to fall back to (MODE-14, MODE-15).
    NO_FALLBACK = "under policy Local a node without endpoints refuses"


_LAST_MINOR = {
    Quirk.MARKS_PER_ENDPOINT: 35,
    Quirk.EARLY_OUTPUT: 35,
    Quirk.RANGES_UNKNOWN: 32,
    Quirk.LATE_CHECKS: 29,
    Quirk.LATE_FIREWALL: 29,
    Quirk.SHORT_CUT_LOST: 33,
    Quirk.OPEN_OUTPUT: 28,
    Quirk.OPEN_ADDRESSES: 25,
    Quirk.NO_FALLBACK: 19,
}

KNOWN_BUGS = {Quirk.LATE_FIREWALL: "BZ-43", Quirk.SHORT_CUT_LOST: "BZ-44"}
"""Quirks that Services were never promised: a node that has one is at fault, as its version is."""


def quirks_of(minor: int) -> frozenset[Quirk]:
    """What kube-proxy 1.`minor` in nftables or ipvs mode does otherwise than `LATEST`.

    Each concerns one mode only, so all may be set whatever the mode.
    """
    return frozenset(quirk for quirk, last in _LAST_MINOR.items() if minor <= last)


def reading_of(minor: int) -> Reading:
    """How kube-proxy 1.`minor` reads the slices."""
    if minor >= 31:
        zones = ZoneHints.ALWAYS
    elif minor >= 27:
        zones = ZoneHints.ANNOTATED
    else:
        zones = ZoneHints.AUTO if minor >= 24 else ZoneHints.NEVER
    return Reading(node_hints=minor >= 34, zone_hints=zones, still_serving=minor >= 26)


def readings(oldest: int, newest: int) -> tuple[Reading, ...]:
    """Every reading of the versions from 1.`oldest` to 1.`newest`, the newest first."""
    return tuple(dict.fromkeys(reading_of(minor) for minor in range(newest, oldest - 1, -1)))


def minor_version(text: str) -> int | None:
    """The minor version of `v1.30.5` and the like; None for a text that names none.

    >>> minor_version("v1.30.5-gke.100"), minor_version("Kubernetes v1.36.2"), minor_version("")
    (30, 36, None)
    """
    found = _VERSION.match(text.strip())
    return min(int(found.group(1)), LATEST) if found else None


def versions_text(some: Iterable[Reading]) -> str:
    """The versions that read the slices in one of these ways, in words.

    >>> versions_text([reading_of(32)]), versions_text([Reading()])
    ('1.31 to 1.33', '1.34 or newer')
    """
    wanted = set(some)
    minors = [minor for minor in range(OLDEST, LATEST + 1) if reading_of(minor) in wanted]
    if minors[-1] == LATEST:
        return f"1.{minors[0]} or newer"
    if minors[0] == OLDEST:
        return f"1.{minors[-1]} or older"
    return f"1.{minors[0]} to 1.{minors[-1]}"


def concerned(cluster: Cluster) -> Cluster:
    """The Services, with all their slices, whose endpoints depend on who reads them."""
    names = {
        one.service
        for one in cluster.slices
        if any(e.zone_hints or e.node_hints or e.terminating for e in one.endpoints)
    }
    return attrs.evolve(
        cluster,
        services=tuple(service for service in cluster.services if service.name in names),
        slices=tuple(one for one in cluster.slices if one.service in names),
    )
