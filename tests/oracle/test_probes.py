"""What the kernel really did with packets sent through recorded rules is what trace and expect say."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import attrs
import pytest

from model.addresses import format_address, parse_address
from model.expectation import expect_packets
from model.intervals import contains
from model.objects import Cluster
from model.outcome import Outcome, Verdict
from model.packet import PROTOCOL_NUMBERS, Origin, Packet
from oracle.bundle import NodeEvidence, node_config, read_bundle
from oracle.check import trace_node
from oracle.node_rules import read_node

DUMPS = Path(__file__).parent.parent / "dumps"
PROBED = sorted(DUMPS.glob("probe-*.iptables"))

ENOUGH_TRIES = 40  # one of up to four equal choices is then missed once in 100,000 probes


@attrs.frozen
class Probe:
    """Connections of one source to one frontend, as conntrack on the node recorded them.

    `dnat` and `snat` are the translations seen, "untranslated" and "unchanged" among them;
    `lost` counts the tries that conntrack knows nothing of (refused, dropped or never there).
    """

    packet: Packet
    tries: int
    dnat: frozenset[str]
    snat: frozenset[str]
    lost: int
    connected: bool


@attrs.frozen
class Asked:
    """A probe with what each of the two readings says of its packet."""

    probe: Probe
    traced: Outcome
    expected: Outcome


@cache
def asked(folder: Path) -> tuple[Asked, ...]:
    """Every probe of a bundle, asked of the rules and of the contract."""
    bundle = read_bundle(folder)
    assert bundle.cluster is not None
    nodes = {node.name: node for node in bundle.nodes}
    rows = json.loads((folder / "probes.json").read_text())["probes"]
    return tuple(one for row in rows for one in _asked(nodes[row["node"]], bundle.cluster, row))


def _asked(evidence: NodeEvidence, cluster: Cluster, row: dict[str, object]) -> Iterator[Asked]:
    config = read_node(evidence, cluster).config
    probe = _probe(row, {one.address for one in config.addresses})
    (traced,) = trace_node(evidence, cluster, [probe.packet])
    assert traced.unsure == ()
    (expectation,) = expect_packets(cluster, config, [probe.packet])
    (expected,) = expectation.allowed
    yield Asked(probe, traced.outcome, expected)


def _probe(row: dict[str, object], own: set[int]) -> Probe:
    family, source = parse_address(str(row["source"]))
    protocol = PROTOCOL_NUMBERS[str(row["proto"]).lower()]
    packet = Packet(
        family,
        Origin.NODE if source in own else Origin.WIRE,
        source,
        parse_address(str(row["destination"]))[1],
        protocol,
        int(str(row["port"])),
    )
    dnat, snat, outcomes = (row[key] for key in ("conntrackDnat", "conntrackSnat", "outcomes"))
    assert isinstance(dnat, dict)
    assert isinstance(snat, dict)
    assert isinstance(outcomes, dict)
    return Probe(
        packet,
        int(str(row["tries"])),
        frozenset(dnat),
        frozenset(snat),
        int(str(row["noConntrackEntry"])),
        bool(outcomes.get("connected")),
    )


def is_seen(probe: Probe, outcome: Outcome) -> bool:
    """Whether the kernel did what the outcome says."""
    match outcome.verdict:
        case Verdict.DNAT:
            return _is_sent(probe, outcome) and _is_rewritten(probe, outcome)
        case Verdict.PASS:
            is_reset = is_to_itself(probe.packet) and not probe.connected
            return probe.dnat <= {"untranslated"} and (probe.lost == 0 or is_reset)
        case Verdict.REJECT | Verdict.DROP:
            return not probe.dnat and probe.lost == probe.tries and not probe.connected


def is_to_itself(packet: Packet) -> bool:
    """From the node's loopback to it: where nobody listens a reset ends the flow, which leaves no trace."""
    return all(contains(packet.family.loopback, at) for at in (packet.source, packet.destination))


def _is_sent(probe: Probe, outcome: Outcome) -> bool:
    """Only to the targets, and with enough tries of independent choices to each of them."""
    family = probe.packet.family
    targets = {
        f"{format_address(family, leaf.target.address)}:{leaf.target.port}"
        for leaf in outcome.leaves
        if leaf.target is not None
    }
    if outcome.affinity or probe.tries < ENOUGH_TRIES:
        return bool(probe.dnat) and probe.dnat <= targets
    return probe.dnat == targets


def _is_rewritten(probe: Probe, outcome: Outcome) -> bool:
    """Some tries rewritten exactly if some target's are, some kept exactly if some target's are.

    The node's own packets may be rewritten to the very address that they have, which shows
    as no change.
    """
    said = {leaf.masquerade for leaf in outcome.leaves}
    seen = {entry != "unchanged" for entry in probe.snat}
    if probe.packet.origin is Origin.NODE and True in said:
        return True
    return seen <= said if outcome.affinity else seen == said


@pytest.mark.parametrize("folder", PROBED, ids=lambda folder: folder.name)
def test_the_kernel_did_what_trace_and_expect_say(folder: Path) -> None:
    """Every probe, of every role, at every kind of frontend."""
    assert [one for one in asked(folder) if not is_seen(one.probe, one.traced)] == []
    assert [one for one in asked(folder) if not is_seen(one.probe, one.expected)] == []


def test_the_probes_show_every_fate() -> None:
    """Translated with and without a new source, left alone, and swallowed or refused."""
    outcomes = [one.traced for folder in PROBED for one in asked(folder)]

    assert {outcome.verdict for outcome in outcomes} >= {Verdict.DNAT, Verdict.PASS, Verdict.DROP}
    assert {leaf.masquerade for outcome in outcomes for leaf in outcome.leaves} == {True, False}


def test_a_probe_refutes_every_other_fate() -> None:
    """Exchanging the outcomes of unlike probes is noticed."""
    every = [one for folder in PROBED for one in asked(folder)]
    dnats = [one for one in every if one.traced.verdict is Verdict.DNAT]
    passes = [one for one in every if one.traced.verdict is Verdict.PASS]

    assert not any(is_seen(one.probe, passes[0].traced) for one in dnats)
    assert not any(is_seen(one.probe, dnats[0].traced) for one in passes)


def test_probes_outside_the_project_are_as_trace_and_expect_say(recorded: Path) -> None:
    """Every iptables bundle of the folder given that was probed."""
    folders = [path.parent for path in sorted(recorded.glob("real/*.iptables/probes.json"))]
    every = [one for folder in folders for one in asked(folder)]
    wrong = [
        one for one in every if not (is_seen(one.probe, one.traced) and is_seen(one.probe, one.expected))
    ]
    print(f"probes: {len(every)}, answers that the kernel refutes: {len(wrong)}")

    assert every
    assert wrong == []


def test_probes_of_nftables_mode_are_as_the_contract_says(recorded: Path) -> None:
    """MODE-01, -02, -05, -06: every bundle of the folder given that was probed in nftables mode."""
    wrong, right = [], 0
    for folder in sorted(path.parent for path in recorded.glob("real/*.nftables/probes.json")):
        bundle = read_bundle(folder)
        assert bundle.cluster is not None
        nodes = {node.name: node for node in bundle.nodes}
        for row in json.loads((folder / "probes.json").read_text())["probes"]:
            config, _ = node_config(nodes[row["node"]], bundle.cluster)
            probe = _probe(row, {one.address for one in config.addresses})
            (told,) = expect_packets(bundle.cluster, config, [probe.packet])
            if all(is_seen(probe, outcome) for outcome in told.allowed):
                right += 1
            else:
                wrong.append((folder.name, probe, told))
    print(f"probes of nftables mode: {right}, answers that the kernel refutes: {len(wrong)}")

    assert right
    assert wrong == []
