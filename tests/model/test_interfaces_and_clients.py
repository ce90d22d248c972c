"""By which interface a packet came in, and whom an ipvs node remembers, asked of the contract."""

from fractions import Fraction

import attrs
import pytest

from model.addresses import Family, parse_address
from model.expectation import expect
from model.frontends import NodeView
from model.node_config import DetectLocalMode, ProxyMode
from model.objects import SessionAffinity, TrafficPolicy
from model.packet import TCP, Origin, Packet
from model.traffic import Traffic, send
from tests.model.mode_cases import ELSEWHERE, HERE, OUTSIDE, WEB, a_node, view

POLICY_LOCAL = attrs.evolve(WEB, external_traffic_policy=TrafficPolicy.LOCAL)


def number(text: str) -> int:
    return parse_address(text)[1]


def packet(to: str, interface: str | None, port: int = 80) -> Packet:
    return Packet(Family.IPV4, Origin.WIRE, number(OUTSIDE), number(to), TCP, port, interface)


@pytest.mark.parametrize(
    ("detector", "interface", "row"),
    [
        (DetectLocalMode.BRIDGE_INTERFACE, "cni0", "FWD-ETP-02"),
        (DetectLocalMode.BRIDGE_INTERFACE, "cni01", "FWD-ETP-04"),
        (DetectLocalMode.BRIDGE_INTERFACE, "eth0", "FWD-ETP-04"),
        (DetectLocalMode.BRIDGE_INTERFACE, None, "FWD-ETP-04"),
        (DetectLocalMode.INTERFACE_NAME_PREFIX, "veth7", "FWD-ETP-02"),
        (DetectLocalMode.INTERFACE_NAME_PREFIX, "eth0", "FWD-ETP-04"),
    ],
)
def test_a_detector_by_interface_takes_what_comes_in_there_for_a_pods(
    detector: DetectLocalMode, interface: str | None, row: str
) -> None:
    """SRC-02: whatever the source address, which here is from outside."""
    node = attrs.evolve(
        a_node(ProxyMode.IPTABLES, detect_local=detector),
        bridge_interface="cni0",
        interface_name_prefix="veth",
    )

    told = expect(view(node, POLICY_LOCAL), packet("203.0.113.9", interface))

    assert told.cites[0] == row


def test_what_the_node_sends_came_in_nowhere() -> None:
    node = attrs.evolve(
        a_node(ProxyMode.IPTABLES, detect_local=DetectLocalMode.BRIDGE_INTERFACE), bridge_interface="cni0"
    )
    own = attrs.evolve(packet("203.0.113.9", "cni0"), origin=Origin.NODE)

    assert expect(view(node, POLICY_LOCAL), own).cites[0] == "FWD-ETP-04"


STICKY = attrs.evolve(WEB, session_affinity=SessionAffinity.CLIENT_IP, affinity_seconds=60)


def sticky(mode: ProxyMode) -> NodeView:
    return view(a_node(mode), STICKY, (HERE, ELSEWHERE))


@pytest.mark.parametrize(("mode", "is_remembered"), [(ProxyMode.IPTABLES, True), (ProxyMode.IPVS, False)])
def test_ipvs_remembers_a_client_at_each_frontend_apart(mode: ProxyMode, is_remembered: bool) -> None:
    """MODE-18: the first connection goes to the cluster IP, the second to the external IP."""
    of = sticky(mode)
    first, traffic = send(Traffic(), of, packet("10.96.0.10", None), 40000, 0, Fraction(0))

    second, _ = send(traffic, of, packet("203.0.113.9", None), 40001, 1, Fraction(3, 4))

    assert (second.target == first.target) is is_remembered


def test_in_ipvs_every_packet_of_a_flow_renews_the_memory_of_its_client() -> None:
    """MODE-19: the template lasts from the latest packet, so a connection after 100 s is remembered."""
    of = sticky(ProxyMode.IPVS)
    first, traffic = send(Traffic(), of, packet("10.96.0.10", None), 40000, 0, Fraction(0))
    _, traffic = send(traffic, of, packet("10.96.0.10", None), 40000, 50, Fraction(0))

    later, _ = send(traffic, of, packet("10.96.0.10", None), 40001, 100, Fraction(3, 4))
    unused = send(Traffic(), of, packet("10.96.0.10", None), 40001, 100, Fraction(3, 4))[0]

    assert later.target == first.target != unused.target
