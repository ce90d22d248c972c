"""Small states by hand, for claims to be tried on: Services as stored, pods, slices, and their pools."""

from typing import Any

import attrs
from rpds import HashTrieMap

from invariants.invariant import Step
from model.api import objects as api
from model.api.as_read import read_service
from model.api.registry import ApiConfig, Registry
from model.cluster.events import Event
from model.cluster.state import ClusterState, Pods
from model.cluster.watched import Services, Slices
from model.objects import Endpoints, EndpointSlice, Node, ObjectName, Pod

NAMESPACE = "shop"
WEB = ObjectName(NAMESPACE, "web")
HTTP = api.ServicePort("http", "TCP", port=80, target_port=8080)


def a_service(name: str = "web", **spec: Any) -> api.Service:
    """A stored ClusterIP Service with 10.96.0.5, changed where `spec` says so.

    Of the cluster IPs only the list need be given.
    """
    spec.setdefault("cluster_ips", ("10.96.0.5",))
    spec.setdefault("cluster_ip", next(iter(spec["cluster_ips"]), ""))
    fields: dict[str, Any] = {
        "type": "ClusterIP",
        "ports": (HTTP,),
        "ip_families": ("IPv4",),
        "ip_family_policy": "SingleStack",
        "session_affinity": "None",
        "internal_traffic_policy": "Cluster",
    }
    metadata = api.Metadata(name=name, namespace=NAMESPACE, uid=f"uid-of-{name}", resource_version="1")
    return api.Service(metadata, api.ServiceSpec(**(fields | spec)))


def an_external_name(name: str = "elsewhere", **spec: Any) -> api.Service:
    """A stored ExternalName Service."""
    bare: dict[str, Any] = {"type": "ExternalName", "cluster_ips": (), "ip_families": ()}
    bare |= {"ip_family_policy": None, "internal_traffic_policy": None, "external_name": "db.example"}
    return a_service(name, **(bare | spec))


def a_balancer(name: str = "web", **spec: Any) -> api.Service:
    """A stored LoadBalancer Service with node port 30080."""
    fields: dict[str, Any] = {"type": "LoadBalancer", "external_traffic_policy": "Cluster"}
    fields |= {"allocate_load_balancer_node_ports": True, "ports": (at_node_port(30080),)}
    return a_service(name, **(fields | spec))


def at_node_port(number: int, name: str = "http", protocol: str = "TCP", port: int = 80) -> api.ServicePort:
    return api.ServicePort(name, protocol, port=port, target_port=8080, node_port=number)


def a_cidr(*cidrs: str, name: str = "kubernetes") -> api.ServiceCIDR:
    return api.ServiceCIDR(api.Metadata(name=name), api.ServiceCIDRSpec(cidrs))


def holding(
    *services: api.Service,
    cidrs: tuple[api.ServiceCIDR, ...] = (a_cidr("10.96.0.0/24", "fd00:10:96::/112"),),
    config: ApiConfig = ApiConfig(),
    pods: tuple[Pod, ...] = (),
    slices: tuple[EndpointSlice, ...] = (),
    endpoints: tuple[Endpoints, ...] = (),
    nodes: tuple[str, ...] = (),
) -> ClusterState:
    """A state with these objects, and with all that the Services hold in the pools."""
    read, read_slices, read_pods = Services(), Slices(), Pods()
    for service in services:
        read = read.put(read_service(service), 0)
    for one in slices:
        read_slices = read_slices.put(one, 0)
    for pod in pods:
        read_pods = read_pods.put(pod)
    return ClusterState(
        registry=_registry(services, cidrs, config),
        services=read,
        slices=read_slices,
        endpoints=HashTrieMap((one.name, one) for one in endpoints),
        pods=read_pods,
        nodes=HashTrieMap((name, Node(name)) for name in nodes),
    )


def _registry(
    services: tuple[api.Service, ...], cidrs: tuple[api.ServiceCIDR, ...], config: ApiConfig
) -> Registry:
    """Of two Services with one number or address the first owns it; ExternalName ones own nothing."""
    ips: dict[str, ObjectName] = {}
    ports: dict[int, ObjectName] = {}
    for service in services:
        spec = service.spec
        if spec.type == "ExternalName":
            continue
        for ip in spec.cluster_ips:
            ips.setdefault(ip, service.object_name)
        for number in (*(port.node_port for port in spec.ports), spec.health_check_node_port):
            ports.setdefault(number, service.object_name)
    return Registry(
        config,
        HashTrieMap((one.object_name, one) for one in services),
        HashTrieMap((one.metadata.name, one) for one in cidrs),
        HashTrieMap((ip, owner) for ip, owner in ips.items() if ip != "None"),
        HashTrieMap((number, owner) for number, owner in ports.items() if number),
    )


def with_pools(
    state: ClusterState,
    *,
    ports: dict[int, ObjectName] | None = None,
    ips: dict[str, ObjectName] | None = None,
) -> ClusterState:
    """The state with other pools than its Services call for."""
    registry = state.registry
    if ports is not None:
        registry = attrs.evolve(registry, node_ports=HashTrieMap(ports))
    if ips is not None:
        registry = attrs.evolve(registry, ip_owners=HashTrieMap(ips))
    return attrs.evolve(state, registry=registry)


def a_step(before: ClusterState, event: Event, after: ClusterState, told: Any = None) -> Step:
    return Step(before, event, after, told)
