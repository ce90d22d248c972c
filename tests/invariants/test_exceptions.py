"""The exceptions and assumptions of claims are as wide as the rules make them, and no wider."""

from fractions import Fraction

import pytest

from invariants.affinity import MOST_SOURCES, a_client_stays_with_its_endpoint
from invariants.reachability import (
    frontends_and_only_frontends_are_captured,
    without_usable_endpoints_every_frontend_refuses,
)
from model.addresses import Family, parse_address
from model.affinity import Client, Connection
from model.frontends import NodeView, node_view
from model.node_config import InterfaceAddress, NodeConfig, ProxyMode
from model.objects import (
    Cluster,
    Ingress,
    ObjectName,
    Service,
    ServicePort,
    ServicePortName,
    ServiceType,
    SessionAffinity,
)
from model.outcome import Leaf, Outcome, Target, Verdict
from model.packet import TCP, Origin, Packet

BALANCED = Service(
    ObjectName("shop", "web"),
    ServiceType.LOAD_BALANCER,
    (ServicePort("", "TCP", 80, 30080),),
    ("10.96.0.10",),
    ingress=(Ingress("192.0.2.10"),),
    load_balancer_source_ranges=("203.0.113.0/24",),
    session_affinity=SessionAffinity.CLIENT_IP,
    affinity_seconds=60,
)
NAME = ServicePortName(BALANCED.name, "", "TCP")
A, B = Target(0x0AF40005, 8080), Target(0x0AF40006, 8080)


def a_view(mode: ProxyMode = ProxyMode.IPTABLES) -> NodeView:
    """A node with the balanced Service, which has no endpoint at all."""
    config = NodeConfig(
        "node-a",
        mode,
        addresses=(InterfaceAddress("eth0", *parse_address("10.32.1.11"), 24),),
        primary=(parse_address("10.32.1.11"),),
    )
    return node_view(Cluster((BALANCED,)), config, Family.IPV4)


def a_packet(source: str, to: str, port: int = 80, origin: Origin = Origin.WIRE) -> Packet:
    return Packet(Family.IPV4, origin, parse_address(source)[1], parse_address(to)[1], TCP, port)


def outcome(verdict: Verdict) -> Outcome:
    return Outcome((Leaf(verdict, Fraction(1)),))


OUTSIDE = a_packet("198.51.100.7", "192.0.2.10")  # and outside the source ranges
FROM_NODE = a_packet("10.32.1.11", "192.0.2.10", origin=Origin.NODE)
TO_LOOPBACK = a_packet("198.51.100.7", "127.0.0.5", 30080)


@pytest.mark.parametrize(
    ("packet", "mode", "expected"),
    [
        pytest.param(OUTSIDE, ProxyMode.IPTABLES, {Verdict.REJECT}, id="iptables refuses first (MODE-12)"),
        pytest.param(
            OUTSIDE, ProxyMode.NFTABLES, {Verdict.REJECT, Verdict.DROP}, id="nftables filters first"
        ),
        pytest.param(
            a_packet("203.0.113.5", "192.0.2.10"), ProxyMode.NFTABLES, {Verdict.REJECT}, id="in the ranges"
        ),
        pytest.param(
            a_packet("198.51.100.7", "10.96.0.10"), ProxyMode.NFTABLES, {Verdict.REJECT}, id="no balancer's"
        ),
        pytest.param(FROM_NODE, ProxyMode.IPTABLES, {Verdict.REJECT, Verdict.PASS}, id="MODE-10"),
        pytest.param(FROM_NODE, ProxyMode.NFTABLES, {Verdict.REJECT, Verdict.DROP}, id="no MODE-10 there"),
        pytest.param(TO_LOOPBACK, ProxyMode.IPTABLES, {Verdict.REJECT, Verdict.DROP}, id="guard of loopback"),
        pytest.param(
            a_packet("127.0.0.1", "127.0.0.5", 30080, Origin.NODE),
            ProxyMode.IPTABLES,
            {Verdict.REJECT},
            id="no guard among loopback addresses",
        ),
    ],
)
def test_inv_40_allows_refusal_and_just_the_stated_exceptions(
    packet: Packet, mode: ProxyMode, expected: set[Verdict]
) -> None:
    view = a_view(mode)

    claim = without_usable_endpoints_every_frontend_refuses
    assert {v for v in Verdict if claim.violation(view, packet, outcome(v)) is None} == expected


def test_inv_38_leaves_only_the_nodes_own_packets_to_foreign_addresses_alone_and_only_in_iptables_mode() -> (
    None
):
    claim, passed = frontends_and_only_frontends_are_captured, outcome(Verdict.PASS)
    iptables, nftables = a_view(), a_view(ProxyMode.NFTABLES)
    to_cluster_ip = a_packet("10.32.1.11", "10.96.0.10", origin=Origin.NODE)

    assert claim.violation(iptables, FROM_NODE, passed) is None
    assert claim.violation(nftables, FROM_NODE, passed) is not None
    assert claim.violation(iptables, OUTSIDE, passed) is not None
    assert claim.violation(iptables, to_cluster_ip, passed) is not None


def to(target: Target, now: int, source: int = 1, *, among: tuple[Target, ...] = (A, B)) -> Connection:
    """A connection to `target` at `now`, when a stranger could have gone to any of `among`."""
    leaves = tuple(Leaf(Verdict.DNAT, Fraction(1, len(among)), each) for each in among)
    return Connection(Client(source, NAME), now, Outcome(leaves), target)


CROWD = [to(A, 0, source) for source in range(2, MOST_SOURCES + 1)]


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        pytest.param([to(A, 0), to(B, 60)], True, id="at the timeout"),
        pytest.param([to(A, 0), to(B, 61)], False, id="after the timeout"),
        pytest.param([to(A, 0), to(A, 60), to(B, 120)], True, id="refreshed by each connection"),
        pytest.param([to(A, 0), to(B, 1, source=2), to(A, 2)], False, id="another client"),
        pytest.param([to(A, 0), to(B, 1, among=(B,))], False, id="another set"),
        pytest.param([to(A, 0), *CROWD, to(B, 1)], True, id="a hundred sources"),
        pytest.param([to(A, 0), *CROWD, to(A, 0, source=999), to(B, 1)], False, id="more than a hundred"),
    ],
)
def test_inv_57_speaks_of_returns_within_the_timeout_to_the_same_set(
    history: list[Connection], expected: bool
) -> None:
    assert (a_client_stays_with_its_endpoint.violation(a_view(), history) is not None) is expected


def test_inv_57_goes_on_beyond_a_hundred_sources_where_memory_has_no_such_bound() -> None:
    history = [to(A, 0), *CROWD, to(A, 0, source=999), to(B, 1)]

    assert a_client_stays_with_its_endpoint.violation(a_view(ProxyMode.NFTABLES), history) is not None
