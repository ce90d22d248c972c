"""API objects with every field as it is written: what the API server validates and stores.

Field for field the API types of core/v1, discovery/v1 and networking/v1, in snake case;
`model.api.json_form` reads and writes their JSON. Nothing is refused here: a port of
70000 or a type of "Wrong" is for validation to judge. None is an absent pointer; where
the API type has no pointer, absence is its zero value ("", 0, False, ()). Maps are pairs
sorted by key. `model.objects` holds the same objects as their consumers read them.
"""

import attrs

from model.objects import ObjectName

Pairs = tuple[tuple[str, str], ...]
"""A map of strings, as pairs sorted by key."""

HEADLESS = "None"  # the one value of clusterIP that is no address


@attrs.frozen
class OwnerReference:
    """One entry of metadata.ownerReferences."""

    api_version: str = ""
    kind: str = ""
    name: str = ""
    uid: str = ""
    controller: bool | None = None
    block_owner_deletion: bool | None = None


@attrs.frozen
class Metadata:
    """The parts of ObjectMeta that any rule speaks of."""

    name: str = ""
    generate_name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    deletion_timestamp: str | None = None
    labels: Pairs = ()
    annotations: Pairs = ()
    finalizers: tuple[str, ...] = ()
    owner_references: tuple[OwnerReference, ...] = ()
    generation: int = 0
    creation_timestamp: str | None = None
    deletion_grace_period_seconds: int | None = None

    @property
    def object_name(self) -> ObjectName:
        return ObjectName(self.namespace, self.name)


@attrs.frozen
class ServicePort:
    """One entry of spec.ports (API-F-03 to -09)."""

    name: str = ""
    protocol: str = ""
    app_protocol: str | None = None
    port: int = 0
    target_port: int | str = 0
    node_port: int = 0


@attrs.frozen
class ClientIPConfig:
    timeout_seconds: int | None = None


@attrs.frozen
class SessionAffinityConfig:
    client_ip: ClientIPConfig | None = None


@attrs.frozen
class ServiceSpec:
    """spec of a Service (API-F-02 to -26)."""

    ports: tuple[ServicePort, ...] = ()
    selector: Pairs = ()  # empty is stored as absent: selectorless (API-F-10, EPS-SEL-02)
    cluster_ip: str = ""
    cluster_ips: tuple[str, ...] = ()
    type: str = ""
    external_ips: tuple[str, ...] = ()
    session_affinity: str = ""
    session_affinity_config: SessionAffinityConfig | None = None
    load_balancer_ip: str = ""
    load_balancer_source_ranges: tuple[str, ...] = ()
    load_balancer_class: str | None = None
    allocate_load_balancer_node_ports: bool | None = None
    external_name: str = ""
    external_traffic_policy: str = ""
    internal_traffic_policy: str | None = None
    health_check_node_port: int = 0
    publish_not_ready_addresses: bool = False
    ip_families: tuple[str, ...] = ()
    ip_family_policy: str | None = None
    traffic_distribution: str | None = None


@attrs.frozen
class PortStatus:
    port: int = 0
    protocol: str = ""
    error: str | None = None


@attrs.frozen
class Ingress:
    """One entry of status.loadBalancer.ingress (API-F-29)."""

    ip: str = ""
    hostname: str = ""
    ip_mode: str | None = None
    ports: tuple[PortStatus, ...] = ()


@attrs.frozen
class LoadBalancerStatus:
    ingress: tuple[Ingress, ...] = ()


@attrs.frozen
class Condition:
    type: str = ""
    status: str = ""
    reason: str = ""


@attrs.frozen
class ServiceStatus:
    load_balancer: LoadBalancerStatus = LoadBalancerStatus()
    conditions: tuple[Condition, ...] = ()


@attrs.frozen
class Service:
    metadata: Metadata = Metadata()
    spec: ServiceSpec = ServiceSpec()
    status: ServiceStatus = ServiceStatus()

    @property
    def object_name(self) -> ObjectName:
        return self.metadata.object_name


@attrs.frozen
class ObjectReference:
    kind: str = ""
    namespace: str = ""
    name: str = ""


@attrs.frozen
class EndpointConditions:
    ready: bool | None = None
    serving: bool | None = None
    terminating: bool | None = None


@attrs.frozen
class Hint:
    """One entry of hints.forZones or hints.forNodes."""

    name: str = ""


@attrs.frozen
class EndpointHints:
    for_zones: tuple[Hint, ...] = ()
    for_nodes: tuple[Hint, ...] = ()


@attrs.frozen
class Endpoint:
    """One entry of an EndpointSlice's endpoints."""

    addresses: tuple[str, ...] = ()
    conditions: EndpointConditions = EndpointConditions()
    hostname: str | None = None
    target_ref: ObjectReference | None = None
    deprecated_topology: Pairs = ()
    node_name: str | None = None
    zone: str | None = None
    hints: EndpointHints | None = None


@attrs.frozen
class EndpointPort:
    """A port of an EndpointSlice; a None number means all ports."""

    name: str | None = None
    protocol: str | None = None
    port: int | None = None
    app_protocol: str | None = None


@attrs.frozen
class EndpointSlice:
    metadata: Metadata = Metadata()
    address_type: str = ""
    endpoints: tuple[Endpoint, ...] = ()
    ports: tuple[EndpointPort, ...] = ()


@attrs.frozen
class EndpointAddress:
    ip: str = ""
    hostname: str = ""
    node_name: str | None = None
    target_ref: ObjectReference | None = None


@attrs.frozen
class SubsetPort:
    """A port of an Endpoints object."""

    name: str = ""
    port: int = 0
    protocol: str = ""
    app_protocol: str | None = None


@attrs.frozen
class EndpointSubset:
    addresses: tuple[EndpointAddress, ...] = ()
    not_ready_addresses: tuple[EndpointAddress, ...] = ()
    ports: tuple[SubsetPort, ...] = ()


@attrs.frozen
class Endpoints:
    metadata: Metadata = Metadata()
    subsets: tuple[EndpointSubset, ...] = ()


@attrs.frozen
class ServiceCIDRSpec:
    cidrs: tuple[str, ...] = ()


@attrs.frozen
class ServiceCIDRStatus:
    conditions: tuple[Condition, ...] = ()


@attrs.frozen
class ServiceCIDR:
    metadata: Metadata = Metadata()
    spec: ServiceCIDRSpec = ServiceCIDRSpec()
    status: ServiceCIDRStatus = ServiceCIDRStatus()


@attrs.frozen
class ParentReference:
    group: str = ""
    resource: str = ""
    namespace: str = ""
    name: str = ""


@attrs.frozen
class IPAddressSpec:
    parent_ref: ParentReference | None = None


@attrs.frozen
class IPAddress:
    metadata: Metadata = Metadata()
    spec: IPAddressSpec = IPAddressSpec()
