"""The facts that the project set out from, as one cluster: what each frontend must do."""

from fractions import Fraction

import pytest

from benchmarks.kube_proxy_rules import write_iptables
from model.addresses import Family, format_address, parse_address, parse_cidr
from model.expectation import expect
from model.frontends import node_view
from model.intervals import intersect
from model.node_config import InterfaceAddress, NodeConfig
from model.objects import (
    Cluster,
    Endpoint,
    EndpointPort,
    EndpointSlice,
    Node,
    ObjectName,
    Service,
    ServicePort,
    ServiceType,
)
from model.outcome import Outcome, Verdict
from model.packet import TCP, Origin, Packet

V4 = Family.IPV4
NODE_NETWORK, POD_NETWORK, SERVICE_NETWORK = "10.32.1.0/24", "10.244.0.0/16", "10.96.0.0/12"
NODE_ADDRESSES = ("10.32.1.147", "172.17.0.1", "127.0.0.1")


def name(text: str) -> ObjectName:
    return ObjectName("default", text)


def sliced(service: str, port: int, *addresses: str, managed_by: str) -> EndpointSlice:
    return EndpointSlice(
        name=name(f"{service}-x2x9z"),
        service=name(service),
        address_type="IPv4",
        endpoints=tuple(Endpoint((address,), ready=True) for address in addresses),
        ports=(EndpointPort("", "TCP", port),),
        managed_by=managed_by,
    )


CONTROLLER = "endpointslice-controller.k8s.io"
PODS = ("10.244.196.136", "10.244.140.79")
CLUSTER = Cluster(
    services=(
        Service(
            name("my-nginx"),
            ports=(ServicePort("", "TCP", 80, target_port=80),),
            cluster_ips=("10.102.168.76",),
            selector=(("run", "my-nginx"),),
        ),
        Service(
            name("my-nginx-nodeport"),
            ServiceType.NODE_PORT,
            (ServicePort("", "TCP", 80, node_port=30380, target_port=80),),
            cluster_ips=("10.107.198.159",),
            selector=(("run", "my-nginx"),),
        ),
        Service(
            name("mysql"),
            ports=(ServicePort("", "TCP", 3306),),
            cluster_ips=("10.104.34.181",),
            selector=None,
        ),
        Service(
            name("client-svc"),
            ServiceType.EXTERNAL_NAME,
            (ServicePort("", "TCP", 80),),
            external_name="client.example.com",
        ),
    ),
    slices=(
        sliced("my-nginx", 80, *PODS, managed_by=CONTROLLER),
        sliced("my-nginx-nodeport", 80, *PODS, managed_by=CONTROLLER),
        # Written by hand as Endpoints, and mirrored into a slice.
        sliced("mysql", 3306, "10.32.1.149", managed_by="endpointslicemirroring-controller.k8s.io"),
    ),
    nodes=(Node("node-a", (("InternalIP", "10.32.1.147"),), ("10.244.196.128/26",)),),
    service_cidrs=(SERVICE_NETWORK,),
)
CONFIG = NodeConfig(
    name="node-a",
    cluster_cidrs=(POD_NETWORK,),
    addresses=tuple(
        InterfaceAddress(interface, V4, parse_address(text)[1], length)
        for interface, text, length in zip(
            ("eth0", "docker0", "lo"), NODE_ADDRESSES, (24, 16, 8), strict=True
        )
    ),
    addresses_are_complete=True,
    primary=((V4, parse_address("10.32.1.147")[1]),),
)
OUTSIDE, POD, NEIGHBOUR = "203.0.113.2", "10.244.7.7", "10.32.1.149"


def outcome(to: str, source: str, origin: Origin = Origin.WIRE) -> Outcome:
    """The one outcome allowed for a TCP packet."""
    host, _, port = to.partition(":")
    packet = Packet(V4, origin, parse_address(source)[1], parse_address(host)[1], TCP, int(port))
    (only,) = expect(node_view(CLUSTER, CONFIG, V4), packet).allowed
    return only


def shares(found: Outcome) -> dict[str, tuple[Fraction, bool]]:
    """Target -> (odds, whether the source is rewritten)."""
    return {
        f"{format_address(V4, leaf.target.address)}:{leaf.target.port}": (leaf.odds, leaf.masquerade)
        for leaf in found.leaves
        if leaf.target is not None
    }


HALF = Fraction(1, 2)


@pytest.mark.parametrize(("source", "rewritten"), [(POD, False), (OUTSIDE, True), (NEIGHBOUR, True)])
def test_my_nginx_is_shared_evenly_by_its_two_pods(source: str, rewritten: bool) -> None:
    """10.102.168.76:80 goes to either pod with odds 1/2; only pods keep their source."""
    assert shares(outcome("10.102.168.76:80", source)) == {
        "10.244.196.136:80": (HALF, rewritten),
        "10.244.140.79:80": (HALF, rewritten),
    }


def test_a_pod_that_meets_itself_is_rewritten() -> None:
    """The hairpin of one half; the other half keeps the pod's address."""
    assert shares(outcome("10.102.168.76:80", "10.244.140.79")) == {
        "10.244.196.136:80": (HALF, False),
        "10.244.140.79:80": (HALF, True),
    }


@pytest.mark.parametrize("address", NODE_ADDRESSES)
def test_the_node_port_answers_on_every_address_of_the_node(address: str) -> None:
    """80:30380/TCP, on loopback for the node itself."""
    origin = Origin.NODE if address == "127.0.0.1" else Origin.WIRE
    source = address if origin is Origin.NODE else OUTSIDE

    found = outcome(f"{address}:30380", source, origin)

    assert shares(found) == {"10.244.196.136:80": (HALF, True), "10.244.140.79:80": (HALF, True)}


def test_the_node_port_service_has_its_cluster_ip_too() -> None:
    """And its node port is not served there."""
    assert set(shares(outcome("10.107.198.159:80", POD))) == {"10.244.196.136:80", "10.244.140.79:80"}
    assert outcome("10.107.198.159:30380", POD).verdict is Verdict.PASS


def test_another_nodes_address_is_not_this_nodes_frontend() -> None:
    """10.32.1.149:30380 is for that node to answer."""
    assert outcome("10.32.1.149:30380", OUTSIDE).verdict is Verdict.PASS


def test_a_service_without_selector_leads_where_its_endpoints_say() -> None:
    """mysql goes to a machine of the node network, never to a pod."""
    assert shares(outcome("10.104.34.181:3306", POD)) == {"10.32.1.149:3306": (Fraction(1), False)}


def test_an_external_name_has_no_rules() -> None:
    """client-svc is a name in the DNS and nothing else: no service port and no frontend."""
    view = node_view(CLUSTER, CONFIG, V4)

    names = {one.name.service.name for one in view.service_ports}

    assert names == {"my-nginx", "my-nginx-nodeport", "mysql"}
    assert "client-svc" not in write_iptables(CLUSTER, CONFIG, V4)


@pytest.mark.parametrize("text", ["10.102.168.76", "10.107.198.159", "10.104.34.181"])
def test_cluster_ips_are_of_the_service_network(text: str) -> None:
    """10.96.0.0/12 reaches to 10.111.255.255 and holds them all."""
    address = parse_address(text)[1]

    assert parse_cidr(SERVICE_NETWORK)[1][0][0] <= address <= parse_address("10.111.255.255")[1]


def test_the_three_networks_do_not_meet() -> None:
    """Nodes, pods and Services are told apart by address."""
    nodes, pods, services = (parse_cidr(text)[1] for text in (NODE_NETWORK, POD_NETWORK, SERVICE_NETWORK))

    assert intersect(nodes, pods) == intersect(pods, services) == intersect(nodes, services) == ()
