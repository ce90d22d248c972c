"""The cells of a node hold every packet once, and are cut wherever a rule or the model cuts."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.kube_proxy_rules import write_iptables
from model.addresses import Family, parse_address, parse_cidr
from model.frontends import NodeView, node_view
from model.intervals import Intervals, complement, contains
from model.objects import Cluster
from model.packet import TCP, UDP
from oracle.bundle import read_bundle
from oracle.dialects.iptables import parse_iptables
from oracle.node_rules import read_node
from oracle.ruleset import Ruleset
from oracle.space.cells import Region, regions
from oracle.space.compare import prepare
from tests.handmade import CONFIG, tables
from tests.strategies.clusters import clusters
from tests.strategies.packets import packets

DUMPS = Path(__file__).parent.parent / "dumps"
V4 = Family.IPV4


def cells(view: NodeView, rulesets: Sequence[Ruleset]) -> list[Region]:
    comparison = prepare(view, rulesets)
    return list(regions(comparison.places, comparison.mentions, view))


def by_hand(dump: str) -> list[Region]:
    """The cells of a node without Services."""
    return cells(node_view(Cluster(), CONFIG, V4), parse_iptables(dump.encode(), "dump", V4))


def holding(listed: Sequence[Region], destination: int, protocol: int, port: int) -> list[Region]:
    return [
        region
        for region in listed
        if contains(region.destinations, destination)
        and contains(region.protocols, protocol)
        and contains(region.ports, port)
    ]


def ports_at(dump: str, destination: str, protocol: int = TCP) -> set[Intervals]:
    """How the ports of one destination are cut."""
    address = parse_address(destination)[1]
    return {
        region.ports
        for region in by_hand(dump)
        if contains(region.destinations, address) and contains(region.protocols, protocol)
    }


@given(st.data())
def test_cells_of_drawn_rules_cover_everything_once(data: st.DataObject) -> None:
    """Their sizes sum to all there is, and drawn packets are in one cell each, as is its own example."""
    cluster, config = data.draw(clusters(clashes=True))
    asked = data.draw(st.lists(packets(cluster, config), min_size=1, max_size=5))
    for family in Family:
        view = node_view(cluster, config, family)
        text = write_iptables(cluster, config, family)

        listed = cells(view, parse_iptables(text.encode(), "dump"))

        assert sum(region.size for region in listed) == 2 ** (family.bits + 8 + 16)
        for one in asked:
            if one.family is family:
                assert len(holding(listed, one.destination, one.protocol, one.port)) == 1
        for region in listed:
            cell = region.cell
            assert holding(listed, cell.destination, cell.protocol, cell.port) == [region]


@pytest.mark.parametrize("case", ["busy-1", "dual-stack", "etp-local-lb", "kp130-nodeport", "terminating"])
def test_cells_of_recorded_rules_cover_everything_once(case: str) -> None:
    """Each family of the first node."""
    bundle = read_bundle(DUMPS / f"{case}.iptables")
    assert bundle.cluster is not None
    node = read_node(bundle.nodes[0], bundle.cluster)
    for family, rulesets in node.by_family.items():
        listed = cells(node_view(bundle.cluster, node.config, family), rulesets)

        assert sum(region.size for region in listed) == 2 ** (family.bits + 8 + 16)


def test_a_port_without_a_destination_is_cut_at_every_destination() -> None:
    """A rule of someone else's that drops one port wherever it goes."""
    dump = tables(
        filter="-A FORWARD -p tcp -m tcp --dport 8080 -j DROP\n-A INPUT -p tcp -m tcp --dport 22 -j DROP"
    )
    others: Intervals = complement(((8080, 8080),), 65535)

    assert ports_at(dump, "203.0.113.9") == {((8080, 8080),), others}
    assert ports_at(dump, "10.96.0.1") == {((8080, 8080),), others}
    assert ((22, 22),) in ports_at(dump, "10.32.1.11")  # INPUT is for the node's own addresses
    assert ports_at(dump, "203.0.113.9", UDP) == {((0, 65535),)}


def test_a_range_of_ports_is_cut_at_both_ends() -> None:
    """Ports within it stay together."""
    dump = tables(
        nat="-A PREROUTING -p tcp -m tcp --dport 30000:32767 -j DNAT --to-destination 10.244.0.1:80"
    )

    assert ((30000, 32767),) in ports_at(dump, "203.0.113.9")
    assert all(
        ports == ((30000, 32767),) or not contains(ports, 30000) for ports in ports_at(dump, "203.0.113.9")
    )


def test_a_list_of_ports_is_one_cell() -> None:
    """multiport: three numbers and a range that nothing tells apart."""
    dump = tables(filter="-A FORWARD -p tcp -m multiport --dports 80,443,8000:8010 -j DROP")
    listed = ((80, 80), (443, 443), (8000, 8010))

    assert ports_at(dump, "203.0.113.9") == {listed, complement(listed, 65535)}


def test_a_denied_destination_cuts_both_sides() -> None:
    """What is inside `! -d` is told apart from what is outside, whole."""
    dump = tables(filter="-A FORWARD ! -d 10.96.0.0/16 -p udp -j DROP")
    span = parse_cidr("10.96.0.0/16")[1]

    listed = by_hand(dump)

    assert {region.destinations for region in listed if contains(region.destinations, span[0][0])} == {span}
    outside = holding(listed, parse_address("203.0.113.9")[1], UDP, 53)
    assert [region.protocols for region in outside] == [((UDP, UDP),)]


def test_rules_are_followed_to_where_packets_are_sent() -> None:
    """A kept port is told apart at the new destination: here the endpoint's rule for port 22."""
    dump = tables(
        nat="-A PREROUTING -d 10.96.0.1/32 -p tcp -j DNAT --to-destination 10.244.0.1",
        filter="-A FORWARD -d 10.244.0.1/32 -p tcp -m tcp --dport 22 -j DROP",
    )

    assert ports_at(dump, "10.96.0.1") == {((22, 22),), complement(((22, 22),), 65535)}
    assert ports_at(dump, "10.96.0.2") == {((0, 65535),)}


def test_without_rules_and_services_only_the_node_itself_is_told_apart() -> None:
    """Its own address, loopback, and the rest of the world."""
    assert {region.destinations for region in by_hand(tables(filter=""))} == {
        ((0x0A20010B, 0x0A20010B),),
        ((0x7F000000, 0x7FFFFFFF),),
        ((0, 0x0A20010A), (0x0A20010C, 0x7EFFFFFF), (0x80000000, 0xFFFFFFFF)),
    }
