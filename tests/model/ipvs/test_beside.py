"""What kube-proxy's rules in ipvs mode do beside their purpose is allowed there, and nowhere else."""

import attrs
import pytest

from model.addresses import parse_address
from model.frontends import NodeView
from model.intervals import EMPTY, contains
from model.ipvs.beside import may_be_dropped, may_be_masqueraded
from model.node_config import DetectLocalMode, ProxyMode
from model.objects import Ingress
from model.packet import TCP, UDP, Origin
from tests.model.mode_cases import NODE, WEB, a_node, view

IPVS = view(a_node(ProxyMode.IPVS))
WIRE, OWN = Origin.WIRE, Origin.NODE
TWO = (Ingress("192.0.2.9"), Ingress("192.0.2.10"))


def number(text: str) -> int:
    return parse_address(text)[1]


def masquerades(of: NodeView, source: str, to: str, origin: Origin = WIRE, protocol: int = TCP) -> bool:
    host, _, port = to.partition(":")
    return contains(may_be_masqueraded(of, number(host), protocol, int(port), origin), number(source))


@pytest.mark.parametrize(
    ("source", "to", "protocol", "expected"),
    [
        ("10.244.1.5", "10.244.1.5:8080", TCP, True),  # its own port, on this node
        ("10.244.1.5", "10.244.1.5:8081", TCP, False),
        ("10.244.1.5", "10.244.1.5:8080", UDP, False),
        ("10.244.2.5", "10.244.2.5:8080", TCP, False),  # an endpoint of another node
        ("10.244.1.9", "10.244.1.5:8080", TCP, False),
    ],
)
def test_an_endpoints_packets_to_itself(source: str, to: str, protocol: int, expected: bool) -> None:
    """MODE-21: the members of KUBE-LOOP-BACK, whoever sent the packet on."""
    assert masquerades(IPVS, source, to, protocol=protocol) is expected


@pytest.mark.parametrize(
    ("source", "to", "origin", "expected"),
    [
        (NODE, "127.0.0.1:30080", OWN, True),
        ("127.0.0.1", "127.0.0.1:30080", OWN, False),  # MODE-30
        (NODE, "198.51.100.1:30080", OWN, False),
        ("10.244.7.7", f"{NODE}:30080", WIRE, False),  # never meets postrouting
    ],
)
def test_what_the_node_sends_to_itself(source: str, to: str, origin: Origin, expected: bool) -> None:
    """MODE-01: the sets of node ports know no addresses."""
    assert masquerades(IPVS, source, to, origin) is expected


def test_a_cluster_ip_as_source_where_nothing_tells_pods() -> None:
    """MODE-22: KUBE-CLUSTER-IP is asked for source and port; with a detector it is not asked so."""
    undetected = view(a_node(ProxyMode.IPVS, detect_local=DetectLocalMode.NONE))

    assert masquerades(undetected, "10.96.0.10", "198.51.100.1:80", OWN)
    assert not masquerades(undetected, "10.96.0.10", "198.51.100.1:81", OWN)
    assert not masquerades(IPVS, "10.96.0.10", "198.51.100.1:80", OWN)


@pytest.mark.parametrize(
    ("ranges", "source", "origin", "expected"),
    [
        (("203.0.113.0/24",), "192.0.2.9", WIRE, True),  # MODE-13: closed to the node
        (("203.0.113.0/24",), "192.0.2.9", OWN, False),  # which the contract's own row says
        (("203.0.113.0/24",), "203.0.113.7", WIRE, False),
        (("192.168.0.0/24",), "192.0.2.10", WIRE, True),  # FWD-LBSR-04: the other address
        (("192.168.0.0/24",), "192.0.2.9", WIRE, False),
        ((), "192.0.2.9", WIRE, False),
    ],
)
def test_a_balancers_address_as_source(
    ranges: tuple[str, ...], source: str, origin: Origin, expected: bool
) -> None:
    """Of packets to 192.0.2.9:80, whose Service has 192.0.2.10 too."""
    web = attrs.evolve(WEB, load_balancer_source_ranges=ranges, ingress=TWO)
    of = view(a_node(ProxyMode.IPVS), web)

    dropped = may_be_dropped(of, number("192.0.2.9"), TCP, 80, origin)

    assert contains(dropped, number(source)) is expected


@pytest.mark.parametrize("mode", [ProxyMode.IPTABLES, ProxyMode.NFTABLES])
def test_other_modes_do_nothing_of_it(mode: ProxyMode) -> None:
    """MASQ-10: what is not translated keeps its source."""
    of = view(a_node(mode), attrs.evolve(WEB, load_balancer_source_ranges=("203.0.113.0/24",)))

    assert may_be_masqueraded(of, number("10.244.1.5"), TCP, 8080, WIRE) == EMPTY
    assert may_be_masqueraded(of, number("127.0.0.1"), TCP, 30080, OWN) == EMPTY
    assert may_be_dropped(of, number("192.0.2.9"), TCP, 80, WIRE) == EMPTY
