"""A Service, its endpoints and a node in ipvs mode, to vary in the tests of what is written for them."""

import attrs

from model.addresses import Family, parse_address
from model.frontends import node_view
from model.ipvs.records import Frontend, IpvsSettings, IpvsState, VirtualServer
from model.ipvs.state import ipvs_state
from model.node_config import InterfaceAddress, NodeConfig, ProxyMode
from model.objects import (
    Cluster,
    Endpoint,
    EndpointPort,
    EndpointSlice,
    ObjectName,
    Service,
    ServicePort,
    ServiceType,
)
from model.packet import TCP

V4, V6 = Family.IPV4, Family.IPV6
WEB = ObjectName("shop", "web")


def number(text: str) -> int:
    return parse_address(text)[1]


def on(interface: str, *texts: str) -> tuple[InterfaceAddress, ...]:
    """Addresses of an interface."""
    return tuple(InterfaceAddress(interface, *parse_address(text), 24) for text in texts)


CLUSTER_IP = Service(WEB, ports=(ServicePort("http", "TCP", 80),), cluster_ips=("10.96.0.10",))
NODE_PORT = attrs.evolve(
    CLUSTER_IP, type=ServiceType.NODE_PORT, ports=(ServicePort("http", "TCP", 80, 30080),)
)
LOAD_BALANCER = attrs.evolve(NODE_PORT, type=ServiceType.LOAD_BALANCER)
NODE = NodeConfig(
    "n1",
    ProxyMode.IPVS,
    addresses=(*on("lo", "127.0.0.1", "::1"), *on("eth0", "192.168.0.2")),
    addresses_are_complete=True,
    primary=((V4, number("192.168.0.2")),),
)
HERE = Endpoint(("10.244.1.5",), ready=True, node_name="n1")
FAR = Endpoint(("10.244.2.5",), ready=True, node_name="n2")


def slice_of(*endpoints: Endpoint, service: Service = CLUSTER_IP, family: Family = V4) -> EndpointSlice:
    """A slice of a Service's endpoints, at port 8080 of each protocol."""
    ports = tuple(EndpointPort(port.name, port.protocol, 8080) for port in service.ports)
    name = ObjectName(service.name.namespace, f"{service.name.name}-{family.value}")
    return EndpointSlice(name, service.name, family.value, endpoints, ports)


def state_of(
    service: Service,
    *endpoints: Endpoint,
    node: NodeConfig = NODE,
    settings: IpvsSettings | None = None,
    family: Family = V4,
) -> IpvsState:
    """What is written for one Service with these endpoints."""
    pieces = (slice_of(*endpoints, service=service, family=family),)
    return state_of_cluster(Cluster((service,), pieces), node, settings, family)


def state_of_cluster(
    cluster: Cluster, node: NodeConfig = NODE, settings: IpvsSettings | None = None, family: Family = V4
) -> IpvsState:
    return ipvs_state(node_view(cluster, node, family), cluster.services, settings or IpvsSettings())


def at(text: str, port: int, protocol: int = TCP) -> Frontend:
    return Frontend(number(text), protocol, port)


def server(state: IpvsState, frontend: Frontend) -> VirtualServer:
    """The one virtual server of a frontend."""
    (found,) = state.at(frontend)
    return found


def behind(state: IpvsState, text: str, port: int, protocol: int = TCP) -> set[int]:
    """The addresses of a frontend's real servers."""
    return {real.address for real in server(state, at(text, port, protocol)).real_servers}


def frontends(state: IpvsState) -> set[Frontend]:
    return {one.frontend for one in state.virtual_servers}
