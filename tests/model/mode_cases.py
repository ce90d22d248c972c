"""One small cluster on one node, asked packet by packet in any mode, with answers that read as sentences.

Service `web` (10.96.0.10:80, external IP 203.0.113.9, load balancer 192.0.2.9, node port
30080) has an endpoint here and one elsewhere unless a case says otherwise; `idle`
(10.96.0.20:80, the same kinds of frontend) has none at all. The node has 192.168.0.2, which is
primary, and 10.9.9.9; pods are 10.244.0.0/16.
"""

from collections.abc import Sequence

import attrs

from model.addresses import Family, format_address, parse_address
from model.expectation import Expectation, expect
from model.frontends import NodeView, node_view
from model.node_config import DetectLocalMode, InterfaceAddress, NodeConfig, ProxyMode
from model.objects import (
    Cluster,
    Endpoint,
    EndpointPort,
    EndpointSlice,
    Ingress,
    ObjectName,
    Service,
    ServicePort,
    ServiceType,
    TrafficPolicy,
)
from model.outcome import Leaf, Verdict
from model.packet import PROTOCOL_NUMBERS, Origin, Packet
from model.proxy_version import quirks_of

V4 = Family.IPV4
LOCAL, CLUSTER = TrafficPolicy.LOCAL, TrafficPolicy.CLUSTER
OUTSIDE, POD, NODE = "198.51.100.7", "10.244.7.7", "192.168.0.2"
HERE = Endpoint(("10.244.1.5",), ready=True, node_name="node-a")
ELSEWHERE = Endpoint(("10.244.2.5",), ready=True, node_name="node-b")
SERVICE_CIDRS = ("10.96.0.0/16",)

WEB = Service(
    ObjectName("shop", "web"),
    ServiceType.LOAD_BALANCER,
    (ServicePort("", "TCP", 80, 30080, 8080),),
    ("10.96.0.10",),
    ("203.0.113.9",),
    (Ingress("192.0.2.9"),),
)
IDLE = attrs.evolve(
    WEB,
    name=ObjectName("shop", "idle"),
    ports=(ServicePort("", "TCP", 80, 30081, 8080),),
    cluster_ips=("10.96.0.20",),
    external_ips=("203.0.113.10",),
    ingress=(Ingress("192.0.2.10"),),
)


def _number(text: str) -> int:
    return parse_address(text)[1]


CONFIG = NodeConfig(
    "node-a",
    cluster_cidrs=("10.244.0.0/16",),
    addresses=(
        InterfaceAddress("lo", V4, _number("127.0.0.1"), 8),
        InterfaceAddress("eth0", V4, _number(NODE), 24),
        InterfaceAddress("eth1", V4, _number("10.9.9.9"), 24),
    ),
    addresses_are_complete=True,
    primary=((V4, _number(NODE)),),
)


def a_node(
    mode: ProxyMode,
    *,
    minor: int = 36,
    node_port_addresses: tuple[str, ...] = (),
    masquerade_all: bool = False,
    detect_local: DetectLocalMode = DetectLocalMode.CLUSTER_CIDR,
    also: Sequence[tuple[str, str]] = (),
) -> NodeConfig:
    """kube-proxy 1.`minor` on node-a in a mode, its other settings at their defaults.

    The node has further addresses, `also`: (interface, address) each.
    """
    further = tuple(InterfaceAddress(name, V4, _number(text), 32) for name, text in also)
    return attrs.evolve(
        CONFIG,
        mode=mode,
        quirks=quirks_of(minor),
        node_port_addresses=node_port_addresses,
        masquerade_all=masquerade_all,
        detect_local=detect_local,
        addresses=(*CONFIG.addresses, *further),
    )


def slices(service: Service, endpoints: Sequence[Endpoint]) -> EndpointSlice:
    port = EndpointPort("", "TCP", 8080)
    return EndpointSlice(service.name, service.name, "IPv4", tuple(endpoints), (port,))


def view(
    config: NodeConfig,
    web: Service = WEB,
    endpoints: Sequence[Endpoint] = (HERE, ELSEWHERE),
    service_cidrs: tuple[str, ...] = SERVICE_CIDRS,
    others: Sequence[Service] = (),
) -> NodeView:
    """The node's view of web with these endpoints, of idle, and of others with web's endpoints."""
    services = (web, *others)
    cluster = Cluster(
        services=(*services, IDLE),
        slices=tuple(slices(service, endpoints) for service in services),
        service_cidrs=service_cidrs,
    )
    return node_view(cluster, config, V4)


def told(
    of: NodeView, source: str, to: str, *, origin: Origin | None = None, protocol: str = "tcp"
) -> Expectation:
    """What the contract says of a packet; the node's own addresses are taken to send from the node."""
    host, _, port = to.partition(":")
    sender = {NODE: Origin.NODE, "127.0.0.1": Origin.NODE}.get(source, Origin.WIRE)
    packet = Packet(
        V4,
        origin or sender,
        _number(source),
        _number(host),
        PROTOCOL_NUMBERS[protocol],
        int(port or 0),
    )
    return expect(of, packet)


def fate(
    of: NodeView, source: str, to: str, *, origin: Origin | None = None, protocol: str = "tcp"
) -> tuple[str, str]:
    """The row that decides, and what becomes of the packet in words."""
    found = told(of, source, to, origin=origin, protocol=protocol)
    (outcome,) = found.allowed
    return found.cites[0], ", ".join(sorted(map(_in_words, outcome.leaves)))


def _in_words(leaf: Leaf) -> str:
    if leaf.target is None:
        return {Verdict.REJECT: leaf.reject_with}.get(leaf.verdict, leaf.verdict.value)
    rewritten = "from the node" if leaf.masquerade else "as sent"
    return f"{format_address(V4, leaf.target.address)} {rewritten}"


REFUSED = "icmp-port-unreachable"
BOTH_KEPT = "10.244.1.5 as sent, 10.244.2.5 as sent"
BOTH_REWRITTEN = "10.244.1.5 from the node, 10.244.2.5 from the node"
