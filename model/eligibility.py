"""Which endpoints of a service port a node may use: the sets Cl and Lo, and `has`.

The text of FWD-EP-01..05 and FWD-TOPO-01..04, as one `Reading` has it. "Cluster" is Cl,
the set for traffic no policy holds to the node; "local" is Lo.
"""

from collections.abc import Mapping

import attrs

from model.proxy_endpoints import EndpointList
from model.proxy_version import Reading

_CONTRACT = Reading()
_NO_ANNOTATIONS: Mapping[str, str] = {}


@attrs.frozen
class EndpointSets:
    """Cl and Lo on one node; None where no frontend uses the set (FWD-EP-01).

    `has` says whether any endpoint in the cluster is usable (FWD-EP-04).
    """

    cluster: EndpointList | None
    local: EndpointList | None
    has: bool


def endpoint_sets(
    endpoints: EndpointList,
    *,
    uses_cluster: bool,
    uses_local: bool,
    node_name: str,
    zone: str | None,
    reading: Reading = _CONTRACT,
    annotations: Mapping[str, str] = _NO_ANNOTATIONS,
) -> EndpointSets:
    """The sets of one service port on the node `node_name` in `zone`.

    `annotations` are the Service's; only old versions ask them.
    """
    ready = tuple([endpoint for endpoint in endpoints if endpoint.ready])
    draining = tuple([e for e in endpoints if e.still_serving]) if reading.still_serving else ()
    cluster = local = None
    if uses_cluster:  # FWD-EP-02: ready endpoints that topology admits, else all that still serve
        by_zone = reading.uses_zone_hints(annotations)
        cluster = _in_topology(ready, node_name if reading.node_hints else None, zone if by_zone else None)
        cluster = cluster or draining
    if uses_local:  # FWD-EP-03: ready local endpoints, else local ones that still serve
        local = _on_node(ready) or _on_node(draining)
    return EndpointSets(cluster, local, bool(ready or draining))


def _on_node(endpoints: EndpointList) -> EndpointList:
    return tuple(endpoint for endpoint in endpoints if endpoint.local)


def _in_topology(ready: EndpointList, node_name: str | None, zone: str | None) -> EndpointList:
    """FWD-TOPO-01/02: all-or-nothing, node hints before zone hints, empty only if `ready` is.

    None for the name or the zone leaves those hints out.
    """

    chosen: EndpointList = ()
    if node_name and all(endpoint.node_hints for endpoint in ready):
        chosen = tuple(endpoint for endpoint in ready if node_name in endpoint.node_hints)
    if not chosen and zone and all(endpoint.zone_hints for endpoint in ready):
        chosen = tuple(endpoint for endpoint in ready if zone in endpoint.zone_hints)
    return chosen or ready


def version_matters(endpoints: EndpointList) -> bool:
    """Whether versions of kube-proxy may make different sets of these endpoints."""
    return any(endpoint.zone_hints or endpoint.node_hints or endpoint.terminating for endpoint in endpoints)
