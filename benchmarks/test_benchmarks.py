"""pytest-benchmark: parse, one lookup, the plain walk beside it, and the whole check.

Run by `make bench`; sizes are services with 10 endpoints each. Lookups ask the same number
of distinct packets at every size, once before the clock starts, so that what is compared is
the cost of an answer and not of a cold cache.
"""

import itertools
import random
import tempfile
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import attrs
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.generate import generate_cluster, write_bundle
from model.addresses import Family
from model.frontends import NodeView, node_view
from model.node_config import NodeConfig
from model.objects import Cluster
from model.packet import Origin, Packet
from oracle.bundle import EvidenceFile, NodeEvidence, read_bundle
from oracle.check import check_node
from oracle.dialects.iptables import parse_iptables
from oracle.findings import NodeVerdict
from oracle.plain import trace
from oracle.space.lookup import Lookup

SIZES = (100, 1_000, 5_000)
PACKETS = 200


@attrs.frozen(eq=False)
class Generated:
    """A generated node as `svcproof check` would be given it."""

    cluster: Cluster
    config: NodeConfig
    evidence: NodeEvidence
    dump: bytes
    view: NodeView


@lru_cache(maxsize=1)
def node(services: int) -> Generated:
    """The node of a generated cluster of so many services."""
    cluster, config = generate_cluster(services, 10)
    with tempfile.TemporaryDirectory() as folder:
        write_bundle(Path(folder), cluster, config)
        (evidence,) = read_bundle(folder).nodes
        dump = next(file.data for file in evidence.rules if file.label.endswith("/iptables-save"))
    evidence = attrs.evolve(evidence, rules=(EvidenceFile("iptables-save", dump),))
    return Generated(cluster, config, evidence, dump, node_view(cluster, config, Family.IPV4))


def questions(view: NodeView) -> list[Packet]:
    """Packets from outside and from the node to frontends all over the cluster."""
    draw = random.Random(7)
    places = draw.sample(sorted(view.by_address), min(PACKETS, len(view.by_address)))
    own = view.config.primary_address(Family.IPV4)
    assert own is not None
    asked = itertools.cycle(((Origin.WIRE, 0xCB007102), (Origin.WIRE, 0x0AF40109), (Origin.NODE, own)))
    return [
        Packet(Family.IPV4, origin, source, *place)
        for place, (origin, source) in zip(places, asked, strict=False)
    ]


@pytest.mark.parametrize("services", SIZES)
def test_parse(benchmark: BenchmarkFixture, services: int) -> None:
    """Reading a dump into a rule set."""
    dump = node(services).dump

    (ruleset,) = benchmark.pedantic(parse_iptables, (dump, "iptables-save"), rounds=3)  # type: ignore[no-untyped-call]  # the plugin leaves it untyped

    assert len(ruleset.tables["nat"]) > services


@pytest.mark.parametrize("services", SIZES)
def test_lookup(benchmark: BenchmarkFixture, services: int) -> None:
    """One packet's fate from the index."""
    given = node(services)
    lookup = Lookup(given.view, parse_iptables(given.dump, "iptables-save"))
    packets = questions(given.view)
    expected = {packet: lookup.outcome(packet) for packet in packets}
    rest: Iterator[Packet] = itertools.cycle(packets)

    benchmark(lambda: lookup.outcome(next(rest)))

    assert all(lookup.outcome(packet) == outcome for packet, outcome in expected.items())


@pytest.mark.parametrize("services", SIZES)
def test_plain_walk(benchmark: BenchmarkFixture, services: int) -> None:
    """One packet's fate by walking every rule, for comparison."""
    given = node(services)
    rulesets = parse_iptables(given.dump, "iptables-save")
    packets = questions(given.view)[:20]
    rest = itertools.cycle(packets)

    benchmark.pedantic(lambda: trace(rulesets, given.config, next(rest)), rounds=20)  # type: ignore[no-untyped-call]  # the plugin leaves it untyped

    lookup = Lookup(given.view, rulesets)
    for packet in packets:
        assert trace(rulesets, given.config, packet).outcome == lookup.outcome(packet)


@pytest.mark.parametrize("services", SIZES)
def test_check(benchmark: BenchmarkFixture, services: int) -> None:
    """Reading the dump and comparing it with the contract over all packets."""
    given = node(services)

    report = benchmark.pedantic(check_node, (given.evidence, given.cluster), rounds=2)  # type: ignore[no-untyped-call]  # the plugin leaves it untyped

    assert report.verdict is NodeVerdict.CONFORMS
