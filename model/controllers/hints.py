"""Hints for spec.trafficDistribution, and whether a Service asks for hints at all.

Sources: staging/src/k8s.io/endpointslice trafficdist/trafficdist.go, utils.go
hintsEnabled, topologycache/utils.go RemoveHintsFromSlices (EPS-HINT-01, EPS-HINT-02).
"""

from model.controllers.slice_plan import SlicePlan, is_ready, with_endpoints, with_hints
from model.objects import Endpoint, EndpointSlice, Service

PREFER_CLOSE = "PreferClose"
PREFER_SAME_ZONE = "PreferSameZone"
PREFER_SAME_NODE = "PreferSameNode"
DISTRIBUTIONS = frozenset((PREFER_CLOSE, PREFER_SAME_ZONE, PREFER_SAME_NODE))

_TOPOLOGY_MODE = "service.kubernetes.io/topology-mode"
_TOPOLOGY_AWARE_HINTS = "service.kubernetes.io/topology-aware-hints"  # deprecated, and read first


def asks_for_topology_hints(service: Service) -> bool:
    """Whether an annotation says Auto or auto; of both keys the deprecated one counts (EPS-HINT-01)."""
    annotations = dict(service.annotations)
    return annotations.get(_TOPOLOGY_AWARE_HINTS, annotations.get(_TOPOLOGY_MODE)) in ("Auto", "auto")


def traffic_distribution(service: Service, *, prefer_same: bool = True) -> str | None:
    """The distribution that acts, None when it is unset, unknown or overruled by the annotation.

    Without `prefer_same` (the gate PreferSameTrafficDistribution), only PreferClose is known.
    """
    known = DISTRIBUTIONS if prefer_same else {PREFER_CLOSE}
    if service.traffic_distribution not in known or asks_for_topology_hints(service):
        return None
    return service.traffic_distribution


def distribute(distribution: str | None, plan: SlicePlan) -> SlicePlan:
    """The plan with every ready endpoint hinted at its own zone, and for PreferSameNode its node.

    Slices whose hints are right already stay unchanged; an endpoint that is not ready
    keeps what it has. None withdraws all hints.
    """
    if distribution not in DISTRIBUTIONS:
        return remove_hints(plan)
    to_node = distribution == PREFER_SAME_NODE

    def hinted(one: EndpointSlice) -> EndpointSlice:
        return with_endpoints(one, tuple(_near(endpoint, to_node=to_node) for endpoint in one.endpoints))

    stale = [one for one in plan.unchanged if hinted(one) != one]
    return SlicePlan(
        create=tuple(hinted(one) for one in plan.create),
        update=tuple(hinted(one) for one in (*plan.update, *stale)),
        unchanged=tuple(one for one in plan.unchanged if one not in stale),
    )


def remove_hints(plan: SlicePlan) -> SlicePlan:
    """The plan with no hints; an unchanged slice that had some is updated."""

    def bare(one: EndpointSlice) -> EndpointSlice:
        return with_endpoints(one, tuple(with_hints(endpoint, ()) for endpoint in one.endpoints))

    stale = [one for one in plan.unchanged if bare(one) != one]
    return SlicePlan(
        create=tuple(bare(one) for one in plan.create),
        update=tuple(bare(one) for one in (*plan.update, *stale)),
        unchanged=tuple(one for one in plan.unchanged if one not in stale),
    )


def _near(endpoint: Endpoint, *, to_node: bool) -> Endpoint:
    if not is_ready(endpoint):
        return endpoint
    zones = () if endpoint.zone is None else (endpoint.zone,)
    nodes = (endpoint.node_name,) if to_node and endpoint.node_name is not None else ()
    return with_hints(endpoint, zones, nodes)
