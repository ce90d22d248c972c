"""The index answers as the plain walk does."""

import random
from pathlib import Path

import pytest

from model.frontends import NodeView, node_view
from model.packet import SCTP, TCP, UDP, Origin, Packet
from oracle.bundle import read_bundle
from oracle.node_rules import read_node
from oracle.plain import trace
from oracle.space.lookup import Lookup

DUMPS = Path(__file__).parents[1] / "dumps"
CASES = [
    "etp-local-lb",
    "session-affinity",
    "externalips",
    "no-endpoints",
    "dual-stack",
    "nodeport-addresses",
]


def packets(view: NodeView, draw: random.Random) -> list[Packet]:
    """Packets to frontends and beside them, from endpoints, the node and outside."""
    places = [*view.by_address]
    places += [(span[0], *key) for span in view.local_addresses for key in view.by_node_port]
    places += [
        (address, protocol, port + 1) for address, protocol, port in draw.sample(places, min(5, len(places)))
    ]
    endpoints = [
        endpoint.address
        for one in view.service_ports
        for chosen in one.endpoint_choices
        for endpoint in chosen
    ]
    outside = view.family.top // 7
    own = view.local_addresses[-1][0]
    asked = []
    for address, protocol, port in places:
        for source in (outside, own, draw.choice(endpoints or [outside])):
            asked.append(Packet(view.family, Origin.WIRE, source, address, protocol, port))
        asked.append(Packet(view.family, Origin.NODE, own, address, draw.choice([TCP, UDP, SCTP]), port))
    return asked


@pytest.mark.parametrize("case", CASES)
def test_the_index_equals_the_plain_walk_on_recorded_rules(case: str) -> None:
    """Asked twice, so that what it remembers is asked too."""
    bundle = read_bundle(str(DUMPS / f"{case}.iptables"))
    assert bundle.cluster is not None
    node = read_node(bundle.nodes[0], bundle.cluster)
    draw = random.Random(case)
    count = 0
    for family, rulesets in node.by_family.items():
        view = node_view(bundle.cluster, node.config, family)
        lookup = Lookup(view, rulesets)
        for packet in packets(view, draw) * 2:
            expected = trace(rulesets, node.config, packet).outcome

            assert lookup.outcome(packet) == expected, packet
            count += 1

    assert count > 20
