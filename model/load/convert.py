"""From the written form of an object to the model's: defaults are the consumers'.

Unset fields get what kube-proxy and the controllers take them for, not what the API
server would store: a type of ClusterIP, protocol TCP, policy Cluster, an affinity of
three hours, `clusterIPs` from `clusterIP`, namespace "default".
"""

from collections.abc import Callable
from typing import Any

import attrs

from model import objects
from model.load import wire
from model.load.quantity import parse_quantity
from model.objects import ObjectName, ServiceType, SessionAffinity, TrafficPolicy

_HOSTNAME = "kubernetes.io/hostname"
_ZONE = "topology.kubernetes.io/zone"
_SERVICE_NAME = "kubernetes.io/service-name"
_HEADLESS = "service.kubernetes.io/headless"
_MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
_LABELS_OF_SLICES = frozenset((_SERVICE_NAME, _HEADLESS, _MANAGED_BY))
_AFFINITY_SECONDS = 10800  # API-F-21


@attrs.frozen
class ServiceCIDR:
    """A ServiceCIDR object; only its ranges live on in a Cluster."""

    name: str
    cidrs: tuple[str, ...]


Object = (
    objects.Service | objects.EndpointSlice | objects.Endpoints | objects.Pod | objects.Node | ServiceCIDR
)


@attrs.frozen
class Kind:
    """How one kind is read: API groups it is served in, written shape, conversion."""

    versions: frozenset[str]
    shape: type[wire.Named]
    convert: Callable[[Any, wire.Metadata, str], Object]


def service(written: wire.Service, meta: wire.Metadata, _: str) -> objects.Service:
    """A Service; an empty selector is no selector (EPS-SEL-02)."""
    spec = written.spec or _NO_SERVICE_SPEC
    affinity = spec.session_affinity_config and spec.session_affinity_config.client_ip
    seconds = affinity.timeout_seconds if affinity else None
    balancer = written.status.load_balancer if written.status else None
    cluster_ips = tuple(spec.cluster_ips or ()) or ((spec.cluster_ip,) if spec.cluster_ip else ())
    return objects.Service(
        name=_object_name(meta),
        type=ServiceType(spec.type) if spec.type else ServiceType.CLUSTER_IP,
        ports=tuple(
            objects.ServicePort(
                name=port.name or "",
                protocol=port.protocol or "TCP",
                port=port.port or 0,
                node_port=port.node_port or 0,
                target_port=port.target_port or None,
                app_protocol=port.app_protocol,
            )
            for port in spec.ports or ()
        ),
        cluster_ips=cluster_ips,
        external_ips=tuple(spec.external_ips or ()),
        ingress=tuple(
            objects.Ingress(ip=item.ip or "", hostname=item.hostname or "", ip_mode=item.ip_mode or None)
            for item in (balancer.ingress if balancer else None) or ()
        ),
        external_traffic_policy=_policy(spec.external_traffic_policy),
        internal_traffic_policy=_policy(spec.internal_traffic_policy),
        load_balancer_source_ranges=tuple(spec.load_balancer_source_ranges or ()),
        session_affinity=SessionAffinity(spec.session_affinity or "None"),
        affinity_seconds=_AFFINITY_SECONDS if seconds is None else seconds,
        health_check_node_port=spec.health_check_node_port or 0,
        selector=_pairs(spec.selector) or None,
        external_name=spec.external_name or "",
        publish_not_ready_addresses=spec.publish_not_ready_addresses or False,
        labels=_pairs(meta.labels),
        annotations=_pairs(meta.annotations),
        ip_families=tuple(spec.ip_families or ()),
        ip_family_policy=spec.ip_family_policy or None,
        load_balancer_ip=spec.load_balancer_ip or "",
        load_balancer_class=spec.load_balancer_class,
        allocate_load_balancer_node_ports=spec.allocate_load_balancer_node_ports,
        traffic_distribution=spec.traffic_distribution,
        uid=meta.uid or "",
        being_deleted=meta.deletion_timestamp is not None,
    )


def endpoint_slice(written: wire.EndpointSlice, meta: wire.Metadata, version: str) -> objects.EndpointSlice:
    """An EndpointSlice; in v1beta1 node and zone may be entries of `topology`."""
    labels = meta.labels or {}
    name = _object_name(meta)
    service_name = labels.get(_SERVICE_NAME)
    is_beta = version.endswith("/v1beta1")
    return objects.EndpointSlice(
        name=name,
        service=ObjectName(name.namespace, service_name) if service_name else None,
        address_type=written.address_type or "",
        endpoints=tuple([_endpoint(item, name.namespace, is_beta) for item in written.endpoints or ()]),
        ports=_endpoint_ports(written.ports),
        headless=_HEADLESS in labels,
        managed_by=labels.get(_MANAGED_BY, ""),
        labels=tuple(pair for pair in _pairs(labels) if pair[0] not in _LABELS_OF_SLICES),
        service_owners=tuple(
            owner.uid or ""
            for owner in meta.owner_references or ()
            if (owner.kind, owner.api_version) == ("Service", "v1")
        ),
        being_deleted=meta.deletion_timestamp is not None,
    )


def endpoints(written: wire.Endpoints, meta: wire.Metadata, _: str) -> objects.Endpoints:
    """A legacy Endpoints object."""
    name = _object_name(meta)

    def addresses(items: list[wire.EndpointAddress] | None) -> tuple[objects.EndpointAddress, ...]:
        return tuple(
            objects.EndpointAddress(
                item.ip or "", item.node_name, item.hostname or "", _pod(item.target_ref, name.namespace)
            )
            for item in items or ()
        )

    return objects.Endpoints(
        name=name,
        subsets=tuple(
            objects.EndpointSubset(
                addresses(subset.addresses),
                addresses(subset.not_ready_addresses),
                _endpoint_ports(subset.ports),
            )
            for subset in written.subsets or ()
        ),
        labels=_pairs(meta.labels),
        annotations=_pairs(meta.annotations),
    )


def pod(written: wire.Pod, meta: wire.Metadata, _: str) -> objects.Pod:
    """A Pod; its ports are those of containers, then of restartable init containers (EPS-PORT-02)."""
    spec = written.spec or wire.PodSpec()
    status = written.status or wire.PodStatus()
    restartable = [item for item in spec.init_containers or () if item.restart_policy == "Always"]
    ips = tuple(item.ip for item in status.pod_ips or () if item.ip)
    return objects.Pod(
        name=_object_name(meta),
        node_name=spec.node_name or "",
        ips=ips or ((status.pod_ip,) if status.pod_ip else ()),
        host_network=spec.host_network or False,
        phase=status.phase or "",
        ready=_ready(status.conditions) or False,
        terminating=meta.deletion_timestamp is not None,
        labels=_pairs(meta.labels),
        ports=tuple(
            objects.ContainerPort(
                port.name or "", port.protocol or "TCP", port.container_port or 0, port.host_port or 0
            )
            for container in [*(spec.containers or ()), *restartable]
            for port in container.ports or ()
        ),
        hostname=spec.hostname or "",
        subdomain=spec.subdomain or "",
        uid=meta.uid or "",
        dns_policy=objects.DnsPolicy(spec.dns_policy) if spec.dns_policy else None,
        dns_config=_dns_config(spec.dns_config),
    )


def _dns_config(written: wire.PodDNSConfig | None) -> objects.PodDnsConfig:
    if written is None:
        return objects.PodDnsConfig()
    options = tuple((item.name or "", item.value or "") for item in written.options or ())
    return objects.PodDnsConfig(tuple(written.nameservers or ()), tuple(written.searches or ()), options)


def node(written: wire.Node, meta: wire.Metadata, _: str) -> objects.Node:
    """A Node; one that says nothing about readiness counts as ready."""
    spec = written.spec or wire.NodeSpec()
    status = written.status or wire.NodeStatus()
    info = status.node_info or wire.NodeInfo()
    return objects.Node(
        name=meta.name or "",
        addresses=tuple((item.type or "", item.address or "") for item in status.addresses or ()),
        pod_cidrs=tuple(spec.pod_cidrs or ()) or ((spec.pod_cidr,) if spec.pod_cidr else ()),
        labels=_pairs(meta.labels),
        ready=_ready(status.conditions) is not False,
        kube_proxy_version=info.kube_proxy_version or "",
        kubelet_version=info.kubelet_version or "",
        allocatable_cpu=parse_quantity(str((status.allocatable and status.allocatable.cpu) or 0)),
    )


def service_cidr(written: wire.ServiceCIDR, meta: wire.Metadata, _: str) -> ServiceCIDR:
    """A ServiceCIDR."""
    return ServiceCIDR(meta.name or "", tuple((written.spec and written.spec.cidrs) or ()))


_CORE = frozenset(("", "v1"))
_DISCOVERY = frozenset(("", "discovery.k8s.io/v1", "discovery.k8s.io/v1beta1"))
_NETWORKING = frozenset(("", *(f"networking.k8s.io/{v}" for v in ("v1", "v1beta1", "v1alpha1"))))

# Another group's kind of the same name (a Knative Service) is another kind.
KINDS = {
    "Service": Kind(_CORE, wire.Service, service),
    "EndpointSlice": Kind(_DISCOVERY, wire.EndpointSlice, endpoint_slice),
    "Endpoints": Kind(_CORE, wire.Endpoints, endpoints),
    "Pod": Kind(_CORE, wire.Pod, pod),
    "Node": Kind(_CORE, wire.Node, node),
    "ServiceCIDR": Kind(_NETWORKING, wire.ServiceCIDR, service_cidr),
}

_NO_SERVICE_SPEC = wire.ServiceSpec()
_NO_CONDITIONS = wire.EndpointConditions()


def _endpoint(item: wire.Endpoint, namespace: str, is_beta: bool) -> objects.Endpoint:
    conditions = item.conditions or _NO_CONDITIONS
    node_name, zone, hints = item.node_name, item.zone, item.hints
    if is_beta and item.topology:
        node_name = node_name or item.topology.get(_HOSTNAME)
        zone = zone or item.topology.get(_ZONE)
    return objects.Endpoint(
        tuple(item.addresses or ()),
        conditions.ready,
        conditions.serving,
        conditions.terminating,
        node_name or None,
        zone or None,
        _names(hints.for_zones) if hints else (),
        _names(hints.for_nodes) if hints else (),
        item.hostname or None,
        _pod(item.target_ref, namespace),
    )


def _endpoint_ports(ports: list[wire.EndpointPort] | None) -> tuple[objects.EndpointPort, ...]:
    return tuple(
        objects.EndpointPort(port.name or "", port.protocol or "TCP", port.port, port.app_protocol)
        for port in ports or ()
    )


def _pod(reference: wire.ObjectReference | None, namespace: str) -> ObjectName | None:
    if reference is None or reference.kind != "Pod" or not reference.name:
        return None
    return ObjectName(reference.namespace or namespace, reference.name)


def _names(items: list[wire.Name] | None) -> tuple[str, ...]:
    return tuple(item.name or "" for item in items or ())


def _object_name(meta: wire.Metadata) -> ObjectName:
    return ObjectName(meta.namespace or "default", meta.name or "")


def _policy(text: str | None) -> TrafficPolicy:
    return TrafficPolicy.LOCAL if text == "Local" else TrafficPolicy.CLUSTER


def _pairs(mapping: dict[str, str] | None) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(mapping.items())) if mapping else ()


def _ready(conditions: list[wire.Condition] | None) -> bool | None:
    """Whether the Ready condition is True; None when there is no such condition."""
    for condition in conditions or ():
        if condition.type == "Ready":
            return condition.status == "True"
    return None
