"""Which endpoints of a service port a node may use: the sets Cl and Lo, and `has`.

The text of FWD-EP-01..05 and FWD-TOPO-01..04, nothing else. "Cluster" is Cl, the set
for traffic no policy holds to the node; "local" is Lo.
"""

import attrs

from model.proxy_endpoints import EndpointList, ProxyEndpoint


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
) -> EndpointSets:
    """The sets of one service port on the node `node_name` in `zone`."""
    cluster = _cluster_set(endpoints, node_name, zone) if uses_cluster else None
    local = _local_set(endpoints) if uses_local else None
    has = any(endpoint.usable for endpoint in endpoints)
    return EndpointSets(cluster, local, has)


def _cluster_set(endpoints: EndpointList, node_name: str, zone: str | None) -> EndpointList:
    """FWD-EP-02: ready endpoints that topology admits, else all that still serve."""
    ready = tuple(endpoint for endpoint in endpoints if endpoint.ready)
    if not ready:
        return tuple(endpoint for endpoint in endpoints if endpoint.still_serving)
    return _in_topology(ready, node_name, zone)


def _local_set(endpoints: EndpointList) -> EndpointList:
    """FWD-EP-03: ready local endpoints, else local ones that still serve."""
    ready = tuple(endpoint for endpoint in endpoints if endpoint.ready and endpoint.local)
    return ready or tuple(endpoint for endpoint in endpoints if endpoint.still_serving and endpoint.local)


def _in_topology(ready: EndpointList, node_name: str, zone: str | None) -> EndpointList:
    """FWD-TOPO-01/02: all-or-nothing, node hints before zone hints, never empty."""

    def chosen(hinted: list[bool], named: list[ProxyEndpoint]) -> EndpointList | None:
        return tuple(named) if all(hinted) and named else None

    by_node = chosen(
        [bool(endpoint.node_hints) for endpoint in ready],
        [endpoint for endpoint in ready if node_name in endpoint.node_hints],
    )
    if by_node:
        return by_node
    by_zone = chosen(
        [bool(endpoint.zone_hints) for endpoint in ready],
        [endpoint for endpoint in ready if zone and zone in endpoint.zone_hints],
    )
    return by_zone or ready
