"""What happened to Services between two moments, read from the objects of both, in words.

Only what a node's treatment of packets can depend on is told. An endpoint is one `ip:port`
of a service port, all slices merged as kube-proxy merges them (EPS-SL-07, -08).
"""

import enum
from collections import defaultdict
from collections.abc import Iterator, Sequence

import attrs

from model.addresses import Family
from model.objects import Cluster, EndpointSlice, ObjectName, Service, ServicePort
from model.proxy_endpoints import ProxyEndpoint, endpoint_text, merge_slices


class ChangeKind(enum.Enum):
    """What kind of thing changed; others script against these words."""

    SERVICE_ADDED = "service-added"
    SERVICE_REMOVED = "service-removed"
    SERVICE_CHANGED = "service-changed"
    PORT_ADDED = "port-added"
    PORT_REMOVED = "port-removed"
    PORT_CHANGED = "port-changed"
    ADDRESS_ADDED = "address-added"
    ADDRESS_REMOVED = "address-removed"
    POLICY_CHANGED = "policy-changed"
    ENDPOINT_ADDED = "endpoint-added"
    ENDPOINT_REMOVED = "endpoint-removed"
    ENDPOINT_CHANGED = "endpoint-changed"
    RANGE_CHANGED = "range-changed"
    NODE_CHANGED = "node-changed"
    SETTING_READ = "setting-read"


@attrs.frozen
class Change:
    """One thing that is not as it was; `service` is None for one that is no Service's."""

    service: ObjectName | None
    kind: ChangeKind
    text: str

    def __str__(self) -> str:
        return self.text if self.service is None else f"{self.service}: {self.text}"


def service_changes(before: Cluster, after: Cluster) -> tuple[Change, ...]:
    """Each change of a Service or of its endpoints, Services in the order of their names.

    After them come the ranges that cluster IPs are taken from (MODE-06).
    """
    old, new = _by_name(before), _by_name(after)
    old_slices, new_slices = _slices(before), _slices(after)
    out: list[Change] = []
    for name in sorted(old.keys() | new.keys() | old_slices.keys() | new_slices.keys()):
        one, other = old.get(name), new.get(name)
        first, second = old_slices.get(name, ()), new_slices.get(name, ())
        if one != other:
            out += [Change(name, kind, text) for kind, text in _of_service(one, other)]
        if first != second and other is not None and one is not None:
            out += [Change(name, kind, text) for kind, text in _of_endpoints(first, second)]
    out += [Change(None, ChangeKind.RANGE_CHANGED, text) for text in _of_ranges(before, after)]
    return tuple(out)


def _of_ranges(before: Cluster, after: Cluster) -> Iterator[str]:
    old, new = before.service_cidrs, after.service_cidrs
    yield from (f"service address range {cidr} removed" for cidr in old if cidr not in new)
    yield from (f"service address range {cidr} added" for cidr in new if cidr not in old)


def _by_name(cluster: Cluster) -> dict[ObjectName, Service]:
    return {service.name: service for service in cluster.services}


def _slices(cluster: Cluster) -> dict[ObjectName, tuple[EndpointSlice, ...]]:
    found: defaultdict[ObjectName, list[EndpointSlice]] = defaultdict(list)
    for one in cluster.slices:
        if one.service is not None:
            found[one.service].append(one)
    return {name: tuple(sorted(slices, key=lambda one: one.name)) for name, slices in found.items()}


_Said = tuple[ChangeKind, str]


def _of_service(one: Service | None, other: Service | None) -> Iterator[_Said]:
    if one is None and other is not None:
        yield ChangeKind.SERVICE_ADDED, f"added ({_described(other)})"
    elif other is None and one is not None:
        yield ChangeKind.SERVICE_REMOVED, f"removed ({_described(one)})"
    elif one is not None and other is not None:
        if one.uid and other.uid and one.uid != other.uid:
            yield ChangeKind.SERVICE_CHANGED, "deleted and created again (another uid)"
        yield from _of_ports(one, other)
        yield from _of_addresses(one, other)
        yield from _of_settings(one, other)


def _described(service: Service) -> str:
    ports = ", ".join(_port(port) for port in service.ports) or "none"
    return f"{service.type.value} {', '.join(service.cluster_ips) or 'without address'}, ports {ports}"


def _port(port: ServicePort) -> str:
    name = f" ({port.name})" if port.name else ""
    node_port = f" on node port {port.node_port}" if port.node_port else ""
    return f"{port.port}/{port.protocol}{name}{node_port}"


def _of_ports(one: Service, other: Service) -> Iterator[_Said]:
    old = {(port.name, port.protocol): port for port in one.ports}
    new = {(port.name, port.protocol): port for port in other.ports}
    yield from ((ChangeKind.PORT_REMOVED, f"port {_port(old[k])} removed") for k in old if k not in new)
    yield from ((ChangeKind.PORT_ADDED, f"port {_port(new[k])} added") for k in new if k not in old)
    for key, before in old.items():
        after = new.get(key, before)
        if before.port != after.port:
            yield ChangeKind.PORT_CHANGED, f"port {_port(before)} is now {after.port}/{after.protocol}"
        if before.node_port != after.node_port:
            said = f"{before.node_port or 'none'} -> {after.node_port or 'none'}"
            yield ChangeKind.PORT_CHANGED, f"node port of {after.port}/{after.protocol} {said}"
        if before.target_port != after.target_port:
            said = f"{before.target_port or before.port} -> {after.target_port or after.port}"
            yield ChangeKind.PORT_CHANGED, f"target port of {after.port}/{after.protocol} {said}"


def _of_addresses(one: Service, other: Service) -> Iterator[_Said]:
    for what, old, new in (
        ("cluster IP", one.cluster_ips, other.cluster_ips),
        ("external IP", one.external_ips, other.external_ips),
        ("load balancer address", _vips(one), _vips(other)),
    ):
        yield from ((ChangeKind.ADDRESS_REMOVED, f"{what} {ip} removed") for ip in old if ip not in new)
        yield from ((ChangeKind.ADDRESS_ADDED, f"{what} {ip} added") for ip in new if ip not in old)


def _vips(service: Service) -> tuple[str, ...]:
    """The addresses that nodes serve (FWD-OBJ-03)."""
    return tuple(one.ip for one in service.ingress if one.ip and one.ip_mode in (None, "VIP"))


def _of_settings(one: Service, other: Service) -> Iterator[_Said]:
    for what, old, new in (
        ("externalTrafficPolicy", one.external_traffic_policy.value, other.external_traffic_policy.value),
        ("internalTrafficPolicy", one.internal_traffic_policy.value, other.internal_traffic_policy.value),
        ("session affinity", _affinity(one), _affinity(other)),
        ("loadBalancerSourceRanges", _list(one), _list(other)),
        ("publishNotReadyAddresses", one.publish_not_ready_addresses, other.publish_not_ready_addresses),
        ("trafficDistribution", one.traffic_distribution or "none", other.traffic_distribution or "none"),
    ):
        if old != new:
            yield ChangeKind.POLICY_CHANGED, f"{what} {old} -> {new}"
    for what, before, after in (
        ("type", one.type.value, other.type.value),
        ("healthCheckNodePort", one.health_check_node_port or "none", other.health_check_node_port or "none"),
        ("being deleted", one.being_deleted, other.being_deleted),
    ):
        if before != after:
            yield ChangeKind.SERVICE_CHANGED, f"{what} {before} -> {after}"


def _affinity(service: Service) -> str:
    return f"{service.affinity_seconds} s" if service.session_affinity.value == "ClientIP" else "none"


def _list(service: Service) -> str:
    return ", ".join(service.load_balancer_source_ranges) or "none"


def _of_endpoints(first: Sequence[EndpointSlice], second: Sequence[EndpointSlice]) -> Iterator[_Said]:
    old, new = _endpoints(first), _endpoints(second)
    for text, one in old.items():
        other = new.get(text)
        if other is None:
            yield ChangeKind.ENDPOINT_REMOVED, f"endpoint {text} removed"
        elif _state(one) != _state(other):
            yield ChangeKind.ENDPOINT_CHANGED, f"endpoint {text} became {_state(other)} (was {_state(one)})"
        elif (one.zone_hints, one.node_hints) != (other.zone_hints, other.node_hints):
            yield ChangeKind.ENDPOINT_CHANGED, f"endpoint {text}: hints {_hints(one)} -> {_hints(other)}"
    for text, one in new.items():
        if text not in old:
            state = _state(one)
            yield (
                ChangeKind.ENDPOINT_ADDED,
                f"endpoint {text} added" + ("" if state == "ready" else f", {state}"),
            )


def _endpoints(slices: Sequence[EndpointSlice]) -> dict[str, ProxyEndpoint]:
    """Endpoints by `ip:port/PROTOCOL`."""
    return {
        f"{endpoint_text(family, one.address, one.port)}/{protocol}": one
        for family in Family
        for (_, protocol), lists in merge_slices(slices, family, "").items()
        for one in lists[0]
    }


def _state(endpoint: ProxyEndpoint) -> str:
    if endpoint.terminating:
        return "terminating, still serving" if endpoint.serving else "terminating, no longer serving"
    return "ready" if endpoint.ready else "unready"


def _hints(endpoint: ProxyEndpoint) -> str:
    return ", ".join((*endpoint.zone_hints, *endpoint.node_hints)) or "none"
