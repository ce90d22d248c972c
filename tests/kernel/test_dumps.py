"""For each frontend and class of source of a recorded node, the kernel, the walk and the contract agree."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from model.addresses import Family
from model.expectation import expect
from model.frontends import NodeView, ServicePortView, node_view
from model.intervals import contains
from model.node_config import NodeConfig
from model.objects import Cluster
from model.outcome import Leaf, Outcome, Verdict
from model.packet import Origin, Packet
from oracle.bundle import NodeEvidence, read_bundle
from oracle.dump_cases import askers, frontends
from oracle.node_rules import NodeRules, read_node
from oracle.plain import trace
from tests.kernel.fates import NO_ODDS, may_see, sights, tries
from tests.kernel.loading import TOOLS, Loader, load
from tests.kernel.node import Device, Node, standing

DUMPS = Path(__file__).parent.parent / "dumps"
WRONG = ("stale-", "broken-", "kp130-busy-1.nftables")
QUICK = ("clusterip-basic", "etp-local-lb", "session-affinity", "dual-stack")
LOADED = [
    pytest.param(
        folder.name,
        loader,
        id=f"{folder.stem}-{loader.value}",
        marks=() if folder.stem in QUICK else pytest.mark.thorough,
    )
    for loader in Loader
    for folder in sorted(DUMPS.glob("*.nftables" if loader is Loader.NFTABLES else "*.iptables"))
]

MISSED = 1e-9  # the chance that one frontend's packets leave a possible fate unseen
MOST_TRIES = 400

LINK_LOCAL = 0xFE80 >> 6  # the first ten bits; no IPv4 address of a node begins so

pytestmark = [pytest.mark.kernel, pytest.mark.needs_root, pytest.mark.needs_tool(*TOOLS)]


@pytest.mark.parametrize(("name", "loader"), LOADED)
def test_kernel_walk_and_contract_agree(name: str, loader: Loader) -> None:
    """Every fate seen is one that the walk and the contract allow, and every one with any odds is seen.

    Of nodes whose rules are wrong only the walk is asked: the contract says what they should do.
    """
    bundle = read_bundle(DUMPS / name)

    found = [
        one
        for evidence in bundle.nodes
        for one in compared(evidence, bundle.cluster, loader, is_right=not name.startswith(WRONG))
    ]

    assert [] == found
    assert bundle.nodes


def test_a_line_that_is_missing_in_the_kernel_is_noticed() -> None:
    """Without the REJECT of a Service that has no endpoints the kernel lets its packets pass."""
    bundle = read_bundle(DUMPS / "no-endpoints.iptables")
    evidence = bundle.nodes[0]

    found = list(compared(evidence, bundle.cluster, Loader.LEGACY, is_right=True, without="-j REJECT"))

    assert {"the walk does not say", "the contract does not say", "the kernel does not do"} == {
        what for _, _, what, *_ in found
    }


def compared(
    evidence: NodeEvidence, cluster: Cluster | None, loader: Loader, *, is_right: bool, without: str = "\0"
) -> Iterator[tuple[str, ...]]:
    """The disagreements on a node whose rules are loaded, but for the lines that have `without` in them."""
    assert cluster is not None
    rules = read_node(evidence, cluster)
    with standing(devices(rules.config)) as node:
        load(loader, texts(evidence, loader, without))
        for family in rules.by_family:
            view = node_view(cluster, rules.config, family)
            yield from ((evidence.name, *one) for one in disagreements(node, rules, view, is_right))


def devices(config: NodeConfig) -> tuple[Device, ...]:
    """The node's interfaces, that of its primary address first, and one behind which the pods are."""
    named = {one.interface: None for one in config.addresses if one.interface != "lo"}
    primary = next(one.interface for one in config.addresses if (one.family, one.address) in config.primary)
    return (
        *(
            Device(name, tuple(one for one in config.addresses if one.interface == name))
            for name in sorted(named, key=lambda name: name != primary)
        ),
        Device("pods0", leads_to=config.cluster_cidrs),
    )


def texts(evidence: NodeEvidence, loader: Loader, without: str) -> Mapping[Family, str] | str:
    """The files of rules, as they were recorded but for lines with `without`."""
    files = {
        file.label.rpartition("/")[2]: "".join(
            line for line in file.data.decode().splitlines(keepends=True) if without not in line
        )
        for file in evidence.rules
    }
    if loader is Loader.NFTABLES:
        return files["nft"]
    names = {"iptables-save": Family.IPV4, "ip6tables-save": Family.IPV6}
    return {names[name]: text for name, text in files.items()}


def disagreements(node: Node, rules: NodeRules, view: NodeView, is_right: bool) -> Iterator[tuple[str, ...]]:
    """Each packet of which something was seen that a reading does not say, or the other way round."""
    for packet in packets(view):
        traced = trace(rules.by_family[view.family], rules.config, packet)
        if traced.unsure:
            yield str(packet), "not judged"
            continue
        outcome = traced.outcome
        odds = may_see(packet, [outcome], rules.config)
        seen = ask(node, packet, outcome)
        yield from ((str(packet), "the walk does not say", str(leaf)) for leaf in seen - odds.keys())
        if not outcome.affinity:
            for leaf in outcome.leaves:
                if seen.isdisjoint(sights(packet, leaf, rules.config)):
                    yield str(packet), "the kernel does not do", str(leaf)
        if is_right:
            allowed = {*may_see(packet, expect(view, packet).allowed, rules.config), *guarded(view, packet)}
            yield from ((str(packet), "the contract does not say", str(leaf)) for leaf in seen - allowed)


def guarded(view: NodeView, packet: Packet) -> Iterator[Leaf]:
    """A drop, which the guard of the node's loopback may always come to, whoever owns the port (MODE-02)."""
    loopback = view.family.loopback
    to_loopback = contains(loopback, packet.destination) and not contains(loopback, packet.source)
    if view.guards_loopback and to_loopback:
        yield Leaf(Verdict.DROP, NO_ODDS)


def ask(node: Node, packet: Packet, outcome: Outcome) -> set[Leaf]:
    """What is seen in as many tries as show each fate, or in a few where affinity keeps to the first."""
    least = min(leaf.odds for leaf in outcome.leaves)
    count = 2 if outcome.affinity else max(2, min(tries(least, MISSED), MOST_TRIES))
    return {node.send(packet) for _ in range(count)}


def packets(view: NodeView) -> Iterator[Packet]:
    """To every frontend, and to the port beside it, from every class of source."""
    for one in view.service_ports:
        sources = dict.fromkeys((*askers(view), *special_askers(view, one)))
        # Link-local addresses are left out: they are reached from their own link alone.
        places = {
            (at, number)
            for at, port in frontends(view, one)
            if at >> (view.family.bits - 10) != LINK_LOCAL
            for number in (port, port + 1)
        }
        for destination, port in sorted(places):
            for source, origin in sources:
                yield Packet(view.family, origin, source, destination, one.protocol, port)


def special_askers(view: NodeView, one: ServicePortView) -> Iterator[tuple[int, Origin]]:
    """The Service's own endpoints, the node's loopback, and both sides of each end of its source ranges."""
    for endpoint in one.endpoint_choices[0]:
        yield endpoint.address, Origin.WIRE
    yield view.family.loopback[0][1] if view.family is Family.IPV6 else 0x7F000001, Origin.NODE
    for low, high in one.allowed_sources or ():
        yield from ((at, Origin.WIRE) for at in (low - 1, low, high, high + 1) if 0 < at < view.family.top)
