"""Kubernetes objects as they are written: the fields that are read, none required.

A null is an absent field, an empty string an unset one. Names and shapes are those of
the API types (core/v1, discovery/v1 and v1beta1, networking/v1); fields not listed
here are skipped without being decoded.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Raw, Struct, field

PortNumber = Annotated[int, Meta(ge=0, le=65535)]
Protocol = Literal["", "TCP", "UDP", "SCTP"]
# Longer exponents are nobody's CPUs, and would be astronomic to write out.
Quantity = Annotated[
    str, Meta(pattern=r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,2}|[numkMGTPE]|[KMGTPE]i)?$")
]
Int32 = Annotated[int, Meta(ge=-(1 << 31), le=(1 << 31) - 1)]


class Wire(Struct, rename="camel", gc=False):
    """A part of an object, its fields in lower camel case."""


class OwnerReference(Wire):
    api_version: str | None = None
    kind: str | None = None
    uid: str | None = None


class Metadata(Wire):
    name: str | None = None
    namespace: str | None = None
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    deletion_timestamp: str | None = None
    uid: str | None = None
    owner_references: list[OwnerReference] | None = None


class RawHead(Wire):
    """What tells an object's kind, and the items of a list still in JSON."""

    kind: str | None = None
    api_version: str | None = None
    items: list[Raw] | None = None


class TreeHead(Wire):
    """The same of an object that is a tree of Python values."""

    kind: str | None = None
    api_version: str | None = None
    items: list[Any] | None = None


class Named(Wire):
    metadata: Metadata | None = None


class ServicePort(Wire):
    name: str | None = None
    protocol: Protocol | None = None
    port: PortNumber | None = None
    node_port: PortNumber | None = None
    target_port: PortNumber | str | None = None
    app_protocol: str | None = None


class ClientIPConfig(Wire):
    timeout_seconds: Int32 | None = None


class SessionAffinityConfig(Wire):
    client_ip: ClientIPConfig | None = field(name="clientIP", default=None)


class ServiceSpec(Wire):
    type: Literal["", "ClusterIP", "NodePort", "LoadBalancer", "ExternalName"] | None = None
    ports: list[ServicePort] | None = None
    cluster_ip: str | None = field(name="clusterIP", default=None)
    cluster_ips: list[str] | None = field(name="clusterIPs", default=None)
    external_ips: list[str] | None = field(name="externalIPs", default=None)
    external_traffic_policy: Literal["", "Cluster", "Local"] | None = None
    internal_traffic_policy: Literal["", "Cluster", "Local"] | None = None
    load_balancer_source_ranges: list[str] | None = None
    session_affinity: Literal["", "None", "ClientIP"] | None = None
    session_affinity_config: SessionAffinityConfig | None = None
    health_check_node_port: PortNumber | None = None
    selector: dict[str, str] | None = None
    external_name: str | None = None
    publish_not_ready_addresses: bool | None = None
    ip_families: list[Literal["IPv4", "IPv6"]] | None = None
    ip_family_policy: Literal["", "SingleStack", "PreferDualStack", "RequireDualStack"] | None = None
    load_balancer_ip: str | None = field(name="loadBalancerIP", default=None)
    load_balancer_class: str | None = None
    allocate_load_balancer_node_ports: bool | None = None
    traffic_distribution: str | None = None


class Ingress(Wire):
    ip: str | None = None
    hostname: str | None = None
    ip_mode: Literal["", "VIP", "Proxy"] | None = None


class LoadBalancerStatus(Wire):
    ingress: list[Ingress] | None = None


class ServiceStatus(Wire):
    load_balancer: LoadBalancerStatus | None = None


class Service(Named):
    spec: ServiceSpec | None = None
    status: ServiceStatus | None = None


class ObjectReference(Wire):
    kind: str | None = None
    namespace: str | None = None
    name: str | None = None


class EndpointConditions(Wire):
    ready: bool | None = None
    serving: bool | None = None
    terminating: bool | None = None


class Name(Wire):
    name: str | None = None


class EndpointHints(Wire):
    for_zones: list[Name] | None = None
    for_nodes: list[Name] | None = None


class Endpoint(Wire):
    addresses: list[str] | None = None
    conditions: EndpointConditions | None = None
    hostname: str | None = None
    node_name: str | None = None
    target_ref: ObjectReference | None = None
    zone: str | None = None
    hints: EndpointHints | None = None
    topology: dict[str, str] | None = None  # v1beta1 only


class EndpointPort(Wire):
    name: str | None = None
    protocol: Protocol | None = None
    port: PortNumber | None = None
    app_protocol: str | None = None


class EndpointSlice(Named):
    address_type: Literal["", "IPv4", "IPv6", "FQDN"] | None = None
    endpoints: list[Endpoint] | None = None
    ports: list[EndpointPort] | None = None


class EndpointAddress(Wire):
    ip: str | None = None
    hostname: str | None = None
    node_name: str | None = None
    target_ref: ObjectReference | None = None


class EndpointSubset(Wire):
    addresses: list[EndpointAddress] | None = None
    not_ready_addresses: list[EndpointAddress] | None = None
    ports: list[EndpointPort] | None = None


class Endpoints(Named):
    subsets: list[EndpointSubset] | None = None


class ContainerPort(Wire):
    name: str | None = None
    protocol: Protocol | None = None
    container_port: PortNumber | None = None
    host_port: PortNumber | None = None


class Container(Wire):
    ports: list[ContainerPort] | None = None
    restart_policy: str | None = None


class PodDNSConfigOption(Wire):
    name: str | None = None
    value: str | None = None


class PodDNSConfig(Wire):
    nameservers: list[str] | None = None
    searches: list[str] | None = None
    options: list[PodDNSConfigOption] | None = None


class PodSpec(Wire):
    node_name: str | None = None
    host_network: bool | None = None
    hostname: str | None = None
    subdomain: str | None = None
    containers: list[Container] | None = None
    init_containers: list[Container] | None = None
    dns_policy: Literal["", "ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"] | None = None
    dns_config: PodDNSConfig | None = None


class Condition(Wire):
    type: str | None = None
    status: str | None = None


class PodIP(Wire):
    ip: str | None = None


class PodStatus(Wire):
    phase: str | None = None
    conditions: list[Condition] | None = None
    pod_ip: str | None = field(name="podIP", default=None)
    pod_ips: list[PodIP] | None = field(name="podIPs", default=None)


class Pod(Named):
    spec: PodSpec | None = None
    status: PodStatus | None = None


class NodeSpec(Wire):
    pod_cidr: str | None = field(name="podCIDR", default=None)
    pod_cidrs: list[str] | None = field(name="podCIDRs", default=None)


class NodeAddress(Wire):
    type: str | None = None
    address: str | None = None


class NodeInfo(Wire):
    kube_proxy_version: str | None = None
    kubelet_version: str | None = None


class Resources(Wire):
    cpu: Quantity | int | Annotated[float, Meta(ge=-1e18, le=1e18)] | None = None


class NodeStatus(Wire):
    allocatable: Resources | None = None
    addresses: list[NodeAddress] | None = None
    node_info: NodeInfo | None = None
    conditions: list[Condition] | None = None


class Node(Named):
    spec: NodeSpec | None = None
    status: NodeStatus | None = None


class ServiceCIDRSpec(Wire):
    cidrs: list[str] | None = None


class ServiceCIDR(Named):
    spec: ServiceCIDRSpec | None = None


def decode_error_text(error: msgspec.ValidationError) -> tuple[str, str]:
    """The field path ("" for the object itself) and the fault of a failed decoding."""
    fault, _, place = str(error).partition(" - at `")
    path = place.removesuffix("`").removeprefix("key in ").removeprefix("$").removeprefix(".")
    fault = fault.replace("`", "")
    return path, fault[:1].lower() + fault[1:]
