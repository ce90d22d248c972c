"""Packets of written-down flows fare in recorded rules, and by the contract, as written down."""

import itertools
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from model.addresses import format_address, parse_address
from model.expectation import expect_packets
from model.outcome import Outcome
from model.packet import PROTOCOL_NUMBERS, Origin, Packet
from oracle.bundle import read_bundle
from oracle.check import trace_node
from oracle.node_rules import read_node

DUMPS = Path(__file__).parent.parent / "dumps"

Answer = tuple[str, tuple[str, ...], bool]  # verdict, targets, whether any of them sees another source


def answer(packet: Packet, outcome: Outcome) -> Answer:
    targets = sorted(
        f"{format_address(packet.family, leaf.target.address)}:{leaf.target.port}"
        for leaf in outcome.leaves
        if leaf.target is not None
    )
    return outcome.verdict.value, tuple(targets), any(leaf.masquerade for leaf in outcome.leaves)


def answers(folder: Path, packets: list[Packet]) -> Iterator[tuple[Answer, ...]]:
    """For each packet what the node's rules do, then what the contract allows where objects are given."""
    bundle = read_bundle(folder)
    evidence = bundle.nodes[0]
    traced = trace_node(evidence, bundle.cluster, packets)
    config = read_node(evidence, bundle.cluster).config
    expected = (
        itertools.repeat(())
        if bundle.cluster is None
        else (one.allowed for one in expect_packets(bundle.cluster, config, packets))
    )
    for packet, trace, allowed in zip(packets, traced, expected, strict=False):
        assert trace.unsure == ()
        yield tuple(answer(packet, one) for one in (trace.outcome, *allowed))


def tcp(source: str, to: str, origin: Origin = Origin.WIRE) -> Packet:
    family, address = parse_address(source)
    host, _, port = to.partition(":")
    return Packet(family, origin, address, parse_address(host)[1], PROTOCOL_NUMBERS["tcp"], int(port))


OUTSIDE, ALLOWED, POD, NODE = "198.51.100.9", "203.0.113.7", "10.244.2.33", "10.32.1.147"
WEB = ("10.244.0.10:8080", "10.244.1.10:8080")
HERE = ("10.244.0.10:8080",)
"""Of the two endpoints of web, the one on node-a."""

# etp-local-lb, on node-a: web (192.0.2.10:80 from 203.0.113.0/24 and 198.51.100.7, node port
# 30380) under external policy Local with an endpoint on node-a and one on node-b.
FLOWS: list[tuple[str, Packet, Answer]] = [
    ("a pod to the cluster IP keeps its address", tcp(POD, "10.96.147.248:80"), ("dnat", WEB, False)),
    ("an endpoint that meets itself does not", tcp("10.244.1.10", "10.96.147.248:80"), ("dnat", WEB, True)),
    ("the node to the cluster IP", tcp(NODE, "10.96.147.248:80", Origin.NODE), ("dnat", WEB, True)),
    ("an outsider to the cluster IP", tcp(OUTSIDE, "10.96.147.248:80"), ("dnat", WEB, True)),
    ("another port of the cluster IP", tcp(POD, "10.96.147.248:81"), ("pass", (), False)),
    ("an outsider to the node port, kept local", tcp(OUTSIDE, f"{NODE}:30380"), ("dnat", HERE, False)),
    ("a pod to the node port, taken anywhere", tcp(POD, f"{NODE}:30380"), ("dnat", WEB, False)),
    ("the node to its node port", tcp(NODE, f"{NODE}:30380", Origin.NODE), ("dnat", WEB, True)),
    ("the node by loopback", tcp("127.0.0.1", "127.0.0.1:30380", Origin.NODE), ("dnat", WEB, True)),
    ("another node's node port", tcp(OUTSIDE, "10.32.1.148:30380"), ("pass", (), False)),
    ("an allowed client to the balancer", tcp(ALLOWED, "192.0.2.10:80"), ("dnat", HERE, False)),
    ("the one allowed address", tcp("198.51.100.7", "192.0.2.10:80"), ("dnat", HERE, False)),
    ("its neighbour", tcp("198.51.100.8", "192.0.2.10:80"), ("drop", (), False)),
    ("a pod outside the ranges", tcp(POD, "192.0.2.10:80"), ("drop", (), False)),
    ("the node outside the ranges", tcp(NODE, "192.0.2.10:80", Origin.NODE), ("drop", (), False)),
    ("the balancer's other ports", tcp(OUTSIDE, "192.0.2.10:443"), ("pass", (), False)),
    ("the wire to loopback", tcp(OUTSIDE, "127.0.0.1:30380"), ("dnat", HERE, False)),
    ("the wire to loopback, no node port", tcp(OUTSIDE, "127.0.0.1:22"), ("drop", (), False)),
    ("the node to itself", tcp("127.0.0.1", "127.0.0.1:22", Origin.NODE), ("pass", (), False)),
    ("a pod to a pod", tcp(POD, "10.244.0.10:8080"), ("pass", (), False)),
]


@pytest.mark.parametrize(
    ("packet", "expected"), [flow[1:] for flow in FLOWS], ids=[flow[0] for flow in FLOWS]
)
def test_a_flow_through_a_local_load_balancer(packet: Packet, expected: Answer) -> None:
    """By the rules, and by the contract."""
    (found,) = answers(DUMPS / "etp-local-lb.iptables", [packet])

    assert found == (expected, expected)


def _packet(line: str) -> Packet:
    fields = json.loads(line)
    family, source = parse_address(fields["from"])
    return Packet(
        family,
        Origin(fields["origin"]),
        source,
        parse_address(fields["to"])[1],
        PROTOCOL_NUMBERS[fields["protocol"].lower()],
        fields["port"],
        fields.get("in_interface"),
    )


def _answer(line: str) -> Answer:
    fields = json.loads(line)
    targets = sorted(f"{one['address']}:{one['port']}" for one in fields["targets"])
    return fields["verdict"], tuple(targets), fields["masquerade"]


@pytest.mark.parametrize("mode", ["iptables", "nftables"])
def test_flows_outside_the_project_are_as_written_down(mode: str, recorded: Path) -> None:
    """kube-proxy's own flows, traced from the wire, and expected where their objects are given."""
    wrong, right = [], 0
    for folder in sorted(recorded.glob(f"flows/{mode}/*")):
        packets = [_packet(line) for line in (folder / "packets.jsonl").read_text().splitlines()]
        expected = [_answer(line) for line in (folder / "expected.jsonl").read_text().splitlines()]
        found = answers(folder, packets)
        for packet, wanted, given in zip(packets, expected, found, strict=True):
            if set(given) == {wanted}:
                right += 1
            else:
                wrong.append((folder.name, str(packet), wanted, given))
    print(f"flows of {mode} mode: {right} as written down, {len(wrong)} not")

    assert right
    assert wrong == []
