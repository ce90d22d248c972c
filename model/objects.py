"""Kubernetes objects as far as a node's treatment of packets can depend on them.

Frozen; enums for closed vocabularies; addresses stay text here, as the API has them
(a stored object may hold text that a proxy ignores). Each field's docstring comment
names its rule; fields kept only to show that they have no effect are grouped and say so.
Objects are taken as stored: `None` is "not set", and the defaults a reader applies
are those of the consumer (kube-proxy), not of the API server.
"""

import enum
from fractions import Fraction
from functools import cached_property

import attrs


class ServiceType(enum.Enum):
    CLUSTER_IP = "ClusterIP"
    NODE_PORT = "NodePort"
    LOAD_BALANCER = "LoadBalancer"
    EXTERNAL_NAME = "ExternalName"


class TrafficPolicy(enum.Enum):
    CLUSTER = "Cluster"
    LOCAL = "Local"


class SessionAffinity(enum.Enum):
    NONE = "None"
    CLIENT_IP = "ClientIP"


@attrs.frozen(order=True)
class ObjectName:
    """Namespace and name; prints as `namespace/name`."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


@attrs.frozen(order=True)
class ServicePortName:
    """The unit of forwarding (FWD-OBJ-01), without its family."""

    service: ObjectName
    port_name: str
    protocol: str  # TCP, UDP or SCTP

    def __str__(self) -> str:
        return f"{self.service}:{self.port_name}" if self.port_name else str(self.service)


@attrs.frozen
class ServicePort:
    """One entry of spec.ports; `target_port` is a number, a name, or None for the number of `port`."""

    name: str
    protocol: str  # TCP, UDP or SCTP
    port: int
    node_port: int = 0
    target_port: int | str | None = None
    app_protocol: str | None = None  # no forwarding effect (API-F-09)


@attrs.frozen
class Ingress:
    """One entry of status.loadBalancer.ingress."""

    ip: str = ""
    hostname: str = ""  # creates no frontend (FWD-OBJ-04)
    ip_mode: str | None = None  # nil reads as VIP (FWD-OBJ-03)


@attrs.frozen
class Service:
    """A Service as stored. `cluster_ips` falls back to `cluster_ip` where it is unset."""

    name: ObjectName
    type: ServiceType = ServiceType.CLUSTER_IP
    ports: tuple[ServicePort, ...] = ()
    cluster_ips: tuple[str, ...] = ()  # may be ("None",): headless
    external_ips: tuple[str, ...] = ()
    ingress: tuple[Ingress, ...] = ()
    external_traffic_policy: TrafficPolicy = TrafficPolicy.CLUSTER
    internal_traffic_policy: TrafficPolicy = TrafficPolicy.CLUSTER
    load_balancer_source_ranges: tuple[str, ...] = ()
    session_affinity: SessionAffinity = SessionAffinity.NONE
    affinity_seconds: int = 10800
    health_check_node_port: int = 0
    selector: tuple[tuple[str, str], ...] | None = None  # None: selectorless
    external_name: str = ""
    publish_not_ready_addresses: bool = False
    labels: tuple[tuple[str, str], ...] = ()
    annotations: tuple[tuple[str, str], ...] = ()
    # Read and kept, with no effect on what a node does with a packet:
    ip_families: tuple[str, ...] = ()
    ip_family_policy: str | None = None
    load_balancer_ip: str = ""  # deprecated in 1.24 (API-F-16, FWD-OBJ-04)
    load_balancer_class: str | None = None
    allocate_load_balancer_node_ports: bool | None = None
    traffic_distribution: str | None = None  # acts through hints only (FWD-TOPO-04)
    uid: str = ""
    being_deleted: bool = False  # metadata.deletionTimestamp is set

    @cached_property
    def label_map(self) -> dict[str, str]:
        return dict(self.labels)


@attrs.frozen
class EndpointPort:
    """One port of a slice. A None number means "all ports", which proxies skip (EPS-PORT-06)."""

    name: str
    protocol: str
    port: int | None
    app_protocol: str | None = None  # no forwarding effect (API-F-09)


@attrs.frozen
class Endpoint:
    """One entry of a slice; None conditions read as EPS-COND-03 says.

    `zone_hints` and `node_hints` are hints.forZones and hints.forNodes.
    """

    addresses: tuple[str, ...]
    ready: bool | None = None
    serving: bool | None = None
    terminating: bool | None = None
    node_name: str | None = None
    zone: str | None = None
    zone_hints: tuple[str, ...] = ()
    node_hints: tuple[str, ...] = ()
    hostname: str | None = None
    target: ObjectName | None = None  # the pod, when targetRef names one


@attrs.frozen
class EndpointSlice:
    """`service` is the label kubernetes.io/service-name, None when absent.

    `labels` are those without a field of their own here.
    """

    name: ObjectName
    service: ObjectName | None
    address_type: str  # IPv4, IPv6 or FQDN
    endpoints: tuple[Endpoint, ...] = ()
    ports: tuple[EndpointPort, ...] = ()
    headless: bool = False  # label service.kubernetes.io/headless (FWD-OBJ-02)
    managed_by: str = ""  # label endpointslice.kubernetes.io/managed-by
    labels: tuple[tuple[str, str], ...] = ()
    service_owners: tuple[str, ...] = ()  # uids of the Services among its owner references
    being_deleted: bool = False  # metadata.deletionTimestamp is set


@attrs.frozen
class EndpointSubset:
    """One subset of a legacy Endpoints object; addresses as (ip, node name, pod)."""

    addresses: tuple["EndpointAddress", ...] = ()
    not_ready_addresses: tuple["EndpointAddress", ...] = ()
    ports: tuple[EndpointPort, ...] = ()


@attrs.frozen
class EndpointAddress:
    ip: str
    node_name: str | None = None
    hostname: str = ""
    target: ObjectName | None = None


@attrs.frozen
class Endpoints:
    """The legacy object; proxies do not read it (EPS-EP-05), mirroring makes slices of it."""

    name: ObjectName
    subsets: tuple[EndpointSubset, ...] = ()
    labels: tuple[tuple[str, str], ...] = ()
    annotations: tuple[tuple[str, str], ...] = ()


@attrs.frozen
class ContainerPort:
    name: str
    protocol: str
    container_port: int
    host_port: int = 0


class DnsPolicy(enum.Enum):
    """spec.dnsPolicy of a Pod (DNS-RES-01, DNS-RES-02)."""

    CLUSTER_FIRST = "ClusterFirst"
    CLUSTER_FIRST_WITH_HOST_NET = "ClusterFirstWithHostNet"
    DEFAULT = "Default"
    NONE = "None"


@attrs.frozen
class PodDnsConfig:
    """spec.dnsConfig of a Pod; options as (name, value), "" for one without a value."""

    nameservers: tuple[str, ...] = ()
    searches: tuple[str, ...] = ()
    options: tuple[tuple[str, str], ...] = ()


@attrs.frozen
class Pod:
    """A Pod as far as endpoints and its questions to the DNS depend on it."""

    name: ObjectName
    node_name: str = ""
    ips: tuple[str, ...] = ()
    host_network: bool = False
    phase: str = ""
    ready: bool = False
    terminating: bool = False
    labels: tuple[tuple[str, str], ...] = ()
    ports: tuple[ContainerPort, ...] = ()  # containers, then restartable init containers
    hostname: str = ""
    subdomain: str = ""
    uid: str = ""
    dns_policy: DnsPolicy | None = None  # kubelet reads unset as ClusterFirst
    dns_config: PodDnsConfig = PodDnsConfig()  # DNS-RES-03


@attrs.frozen
class Node:
    """A Node; `addresses` are (type, text) as in status.addresses.

    The versions are those of status.nodeInfo, "" where unset: kubeProxyVersion is no
    longer written since 1.33. `allocatable_cpu` is status.allocatable.cpu in CPUs, 0 where unset.
    """

    name: str
    addresses: tuple[tuple[str, str], ...] = ()
    pod_cidrs: tuple[str, ...] = ()
    labels: tuple[tuple[str, str], ...] = ()
    ready: bool = True
    kube_proxy_version: str = ""
    kubelet_version: str = ""
    allocatable_cpu: Fraction = Fraction(0)

    @property
    def zone(self) -> str | None:
        """The label topology.kubernetes.io/zone."""
        return dict(self.labels).get("topology.kubernetes.io/zone")


@attrs.frozen
class Cluster:
    """The objects of one moment. `service_cidrs` are those of ServiceCIDR objects."""

    services: tuple[Service, ...] = ()
    slices: tuple[EndpointSlice, ...] = ()
    endpoints: tuple[Endpoints, ...] = ()
    pods: tuple[Pod, ...] = ()
    nodes: tuple[Node, ...] = ()
    service_cidrs: tuple[str, ...] = ()

    def node(self, name: str) -> Node | None:
        """The Node of that name, None when the cluster has none."""
        return next((node for node in self.nodes if node.name == name), None)
