"""What recorded nodes' rules do, as cases for the claims: each frontend asked from each side."""

import gzip
import json
from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from pathlib import Path

from model.addresses import Family, parse_address
from model.affinity import Client, Connection, Memory, connect
from model.cluster.from_objects import state_of
from model.cluster.state import ClusterState
from model.frontends import NodeView, node_view
from model.outcome import Outcome, Target
from model.packet import PROTOCOL_NUMBERS, Origin, Packet
from oracle.bundle import read_bundle
from oracle.node_rules import NodeRules, read_node
from oracle.plain import trace
from tests.strategies.cases import FlowCase, PacketCase, frontends

DUMPS = Path(__file__).parents[1] / "dumps"

CASES = tuple(sorted(path.name.removesuffix(".iptables") for path in DUMPS.glob("*.iptables")))
HEALTHY = tuple(case for case in CASES if not case.startswith(("stale-", "broken-")))
"""Recorded clusters whose nodes keep every promise."""


@cache
def state_in(case: str) -> ClusterState:
    """The state that the objects of a recorded cluster make."""
    folder = DUMPS / f"{case}.iptables"
    files = sorted([*folder.glob("cluster.*"), *folder.glob("servicecidrs.*")])
    return state_of((file.name, _content(file)) for file in files)


def _content(file: Path) -> bytes:
    return gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()


def nodes(case: str, only: str = "") -> Iterator[tuple[NodeRules, NodeView]]:
    """Each node of a recorded cluster, or only one, with its rules and its view, by family."""
    bundle = read_bundle(DUMPS / f"{case}.iptables")
    assert bundle.cluster is not None
    for evidence in bundle.nodes:
        if only in ("", evidence.name):
            rules = read_node(evidence, bundle.cluster)
            for family in rules.by_family:
                yield rules, node_view(bundle.cluster, rules.config, family)


@cache
def packet_cases(case: str, only: str = "") -> tuple[PacketCase, ...]:
    """Every frontend and the port beside it, asked by a pod, by the node and from outside."""
    return tuple(_packet_cases(case, only))


def _packet_cases(case: str, only: str) -> Iterator[PacketCase]:
    for rules, view in nodes(case, only):
        yield from cases_of(rules, view)


def cases_of(rules: NodeRules, view: NodeView) -> Iterator[PacketCase]:
    """Every frontend of a node and the port beside it, asked from each side and by its own endpoints."""
    for one in view.service_ports:
        own = sorted({each.address for some in one.endpoint_choices for each in some if each.local})
        itself = [(address, Origin.WIRE) for address in own]
        for address, port in frontends(view, one):
            for source, origin in (*_askers(view), *itself):
                for number in (port, port + 1):
                    packet = Packet(view.family, origin, source, address, one.protocol, number)
                    yield PacketCase(view, packet, found(rules, packet))


def flow_cases(case: str, only: str = "") -> Iterator[FlowCase]:
    """Clients that come back to each service port by each frontend, ten times, as the rules have it.

    Chance falls on another third each time, so only a memory can keep a client where it was.
    """
    for rules, view in nodes(case, only):
        history: list[Connection] = []
        memory: Memory = {}
        for one in view.service_ports:
            for source, origin in _askers(view):
                for destination, port in frontends(view, one):
                    packet = Packet(view.family, origin, source, destination, one.protocol, port)
                    outcome = found(rules, packet)
                    for at in range(10):
                        chance = Fraction(at % 3, 3)
                        connection, memory = connect(
                            memory, Client(source, one.name), len(history), outcome, chance
                        )
                        history.append(connection)
        yield FlowCase(view, history)


def kernel_flows(case: str) -> Iterator[FlowCase]:
    """What a kernel did with real connections through the rules, in the order that they were made.

    Times were not recorded; the tries of a case followed each other within the timeouts.
    """
    probes = json.loads((DUMPS / f"{case}.iptables" / "probes.json").read_text())["probes"]
    for rules, view in nodes(case, "node-a"):
        names = {str(one.name): one for one in view.service_ports}
        history: list[Connection] = []
        for probe in probes:
            name = probe["service"] + (f":{probe['portName']}" if probe["portName"] else "")
            if name not in names or "wrong-port" in probe["frontend"]:
                continue
            one = names[name]
            (of, destination), (_, source) = map(parse_address, (probe["destination"], probe["source"]))
            if of is not view.family:
                continue
            origin = Origin.NODE if probe["role"].startswith("node") else Origin.WIRE
            protocol = PROTOCOL_NUMBERS[probe["proto"].lower()]
            packet = Packet(of, origin, source, destination, protocol, probe["port"])
            outcome = found(rules, packet)
            for text, times in probe["conntrackDnat"].items():
                target = None if text == "untranslated" else _target(text)
                history += [Connection(Client(source, one.name), 0, outcome, target)] * times
        yield FlowCase(view, history)


def found(rules: NodeRules, packet: Packet) -> Outcome:
    """What the rules do with the packet, of which they leave no doubt."""
    traced = trace(rules.by_family[packet.family], rules.config, packet)
    assert traced.unsure == ()
    return traced.outcome


def _target(text: str) -> Target:
    """`ip:port` as conntrack lists it; the probes are of IPv4."""
    host, _, port = text.rpartition(":")
    return Target(parse_address(host)[1], int(port))


def _askers(view: NodeView) -> list[tuple[int, Origin]]:
    """A pod of the cluster, the node itself, and somebody outside."""
    outside = 0xC6336407 if view.family is Family.IPV4 else 0x20010DB8000C << 80 | 7
    node = view.config.primary_address(view.family)
    assert node is not None
    pods = [(low + 200, Origin.WIRE) for low, _ in view.pod_sources or ()]
    return [*pods, (node, Origin.NODE), (outside, Origin.WIRE)]
