"""What is known of a place, whoever sends there: web is 10.96.0.10, the node 192.168.0.2."""

from collections.abc import Mapping

import attrs
import pytest

from model.addresses import parse_address
from model.forwarding import (
    DESTINATION_LOCAL,
    FROM_CLUSTER_IP,
    FROM_DESTINATION,
    IS_ICMP,
    ON_NODE_PORT_ADDRESS,
    SENT_BY_NODE,
    TO_BOUND,
    TO_CLUSTER_IP,
    TO_HEALTH_CHECK,
    TO_LOOPBACK,
    TO_SERVICE_RANGE,
)
from model.intervals import EMPTY, Intervals
from model.known_facts import place_facts
from model.node_config import ProxyMode
from model.objects import TrafficPolicy
from model.packet import ICMP, PROTOCOL_NUMBERS, Origin
from model.predicate import Fact
from tests.model.mode_cases import NODE, WEB, a_node, view

WITH_CHECK = {"external_traffic_policy": TrafficPolicy.LOCAL, "health_check_node_port": 32000}


def number(text: str) -> int:
    return parse_address(text)[1]


def known(
    destination: str,
    *,
    mode: ProxyMode = ProxyMode.NFTABLES,
    protocol: str = "tcp",
    port: int = 80,
    origin: Origin = Origin.WIRE,
) -> Mapping[Fact, bool | Intervals]:
    web = attrs.evolve(WEB, **WITH_CHECK)  # type: ignore[arg-type]  # fields by name
    of = view(a_node(mode), web)
    return place_facts(of, number(destination), PROTOCOL_NUMBERS[protocol], port, origin)


@pytest.mark.parametrize(
    ("destination", "true"),
    [
        ("10.96.0.10", {TO_CLUSTER_IP, TO_SERVICE_RANGE}),
        ("10.96.0.99", {TO_SERVICE_RANGE}),
        ("203.0.113.9", set()),
        (NODE, {DESTINATION_LOCAL, ON_NODE_PORT_ADDRESS}),
        ("127.0.0.1", {DESTINATION_LOCAL, TO_LOOPBACK}),
    ],
)
def test_a_destination_is_what_its_address_says(destination: str, true: set[Fact]) -> None:
    facts = known(destination)
    asked = (TO_CLUSTER_IP, TO_SERVICE_RANGE, DESTINATION_LOCAL, ON_NODE_PORT_ADDRESS, TO_LOOPBACK, TO_BOUND)

    assert {fact for fact in asked if facts[fact]} == true


def test_ipvs_binds_every_address_of_a_service_to_the_node() -> None:
    """MODE-03: its addresses are on the dummy device, and so local."""
    facts = known("203.0.113.9", mode=ProxyMode.IPVS)

    assert (facts[TO_BOUND], facts[DESTINATION_LOCAL]) == (True, True)
    assert not known("203.0.113.77", mode=ProxyMode.IPVS)[TO_BOUND]


@pytest.mark.parametrize(("protocol", "expected"), [("icmp", True), ("tcp", False), ("udp", False)])
def test_icmp_is_told_from_what_has_ports(protocol: str, expected: bool) -> None:
    assert known("10.96.0.10", protocol=protocol, port=0)[IS_ICMP] == expected


def test_both_families_have_their_icmp() -> None:
    assert {PROTOCOL_NUMBERS["icmp"], 58} == set(ICMP)


@pytest.mark.parametrize(
    ("mode", "protocol", "port", "expected"),
    [
        (ProxyMode.IPVS, "tcp", 32000, True),
        (ProxyMode.IPVS, "udp", 32000, True),
        (ProxyMode.IPVS, "sctp", 32000, False),
        (ProxyMode.IPVS, "tcp", 32001, False),
        (ProxyMode.NFTABLES, "tcp", 32000, False),
    ],
)
def test_a_health_checks_port_counts_in_ipvs_mode_for_tcp_and_udp(
    mode: ProxyMode, protocol: str, port: int, expected: bool
) -> None:
    """HC-05: the set of KUBE-IPVS-FILTER has ports without a protocol of its own."""
    assert known(NODE, mode=mode, protocol=protocol, port=port)[TO_HEALTH_CHECK] is expected


def test_only_ipvs_asks_whether_the_source_is_a_services_address() -> None:
    """MODE-13, MODE-22: with the packet's own protocol and port."""
    vip = number("10.96.0.10")
    ipvs = known("10.96.0.10", mode=ProxyMode.IPVS)
    other_port = known("10.96.0.10", mode=ProxyMode.IPVS, port=81)
    nftables = known("10.96.0.10")

    assert ipvs[FROM_DESTINATION] == ((vip, vip),)
    assert ipvs[FROM_CLUSTER_IP] == ((vip, vip), (number("10.96.0.20"), number("10.96.0.20")))
    assert other_port[FROM_CLUSTER_IP] == EMPTY
    assert (nftables[FROM_DESTINATION], nftables[FROM_CLUSTER_IP]) == (EMPTY, EMPTY)


def test_who_sends_is_known_by_where_the_packet_came_from() -> None:
    assert known(NODE, origin=Origin.NODE)[SENT_BY_NODE] is True
    assert known(NODE, origin=Origin.WIRE)[SENT_BY_NODE] is False
