"""The check bites: every edit of a line that changes some packet's fate is told, and no other.

Ground truth is the plain walk over a grid of packets, before and after the edit, and over
the packets that the check itself names. What the plain walk finds unsure must not conform.
"""

import enum
import random
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

import attrs
import pytest

from model.addresses import Family
from model.errors import InputError
from model.frontends import node_view
from model.node_config import NodeConfig
from model.objects import Cluster
from model.outcome import Outcome
from model.packet import Packet
from oracle.bundle import EvidenceFile, NodeEvidence, read_bundle
from oracle.check import check_node
from oracle.findings import Kind, NodeReport, NodeVerdict
from oracle.node_rules import read_node
from oracle.plain import trace
from oracle.ruleset import Ruleset
from tests import edits, edits_nft
from tests.edits import Edit
from tests.grid import grid

DUMPS = Path(__file__).parent.parent / "dumps"

# Small nodes that between them have every kind of rule.
SCENARIOS = (
    "clusterip-basic",
    "nodeport",
    "etp-local-lb",
    "session-affinity",
    "no-endpoints",
    "externalips",
    "nodeport-addresses",
    "masquerade-all",
    "kp130-nodeport",
)
FILES = {"iptables": "iptables-save", "nftables": "nft"}
EDITS = {"iptables": edits.edits_of, "nftables": edits_nft.edits_of}
HARMLESS = {"iptables": edits.harmless_edits, "nftables": edits_nft.harmless_edits}
CASES = tuple(f"{scenario}.{mode}" for mode in FILES for scenario in SCENARIOS)


@attrs.frozen(eq=False)
class Node:
    """A healthy node's IPv4 rules, and what they do with each packet of the grid."""

    evidence: NodeEvidence
    cluster: Cluster
    config: NodeConfig
    rulesets: tuple[Ruleset, ...]
    mode: str
    dump: str
    before: dict[Packet, Outcome]


@cache
def node(case: str) -> Node:
    bundle = read_bundle(DUMPS / case)
    assert bundle.cluster is not None
    evidence, mode = bundle.nodes[0], case.rpartition(".")[2]
    dump = next(file for file in evidence.rules if file.label.endswith(f"/{FILES[mode]}")).data.decode()
    if mode == "nftables":
        dump = dump[dump.index("table ip kube-proxy") :].partition("\n}\n")[0] + "\n}\n"
    evidence = with_rules(evidence, mode, dump)
    read = read_node(evidence, bundle.cluster)
    rulesets = read.by_family[Family.IPV4]
    view = node_view(bundle.cluster, read.config, Family.IPV4)
    before = {packet: trace(rulesets, read.config, packet).outcome for packet in grid(view)}
    return Node(evidence, bundle.cluster, read.config, rulesets, mode, dump, before)


def with_rules(evidence: NodeEvidence, mode: str, dump: str) -> NodeEvidence:
    return attrs.evolve(evidence, rules=(EvidenceFile(FILES[mode], dump.encode()),))


def is_right(of: Node, edit: Edit, report: NodeReport) -> bool:
    """Whether the check says what the edit does by the plain walk.

    A rule that ends every packet's walk before kube-proxy's own is told even while nothing
    depends on what is behind it.
    """
    rulesets = read_node(with_rules(of.evidence, of.mode, edit.text), of.cluster).by_family[Family.IPV4]
    named = [difference.packet for difference in report.differences]
    effects = (effect(of, rulesets, packet) for packet in (*named, *of.before))
    match report.verdict:
        case NodeVerdict.CONFORMS:
            return set(effects) == {Effect.NONE}
        case NodeVerdict.DIFFERS:
            return Effect.CHANGED in effects or {d.kind for d in report.differences} == {
                Kind.UNREACHABLE_RULE
            }
        case NodeVerdict.NOT_JUDGED:
            return Effect.UNSURE in effects


class Effect(enum.Enum):
    NONE = "fares as before"
    CHANGED = "surely fares otherwise"
    UNSURE = "hangs on what cannot be judged"


def effect(of: Node, rulesets: Sequence[Ruleset], packet: Packet) -> Effect:
    traced = trace(rulesets, of.config, packet)
    if traced.unsure:
        return Effect.UNSURE
    before = of.before.get(packet) or trace(of.rulesets, of.config, packet).outcome
    return Effect.NONE if traced.outcome == before else Effect.CHANGED


def judged(of: Node, edit: Edit) -> NodeReport:
    return check_node(with_rules(of.evidence, of.mode, edit.text), of.cluster)


def misjudged(of: Node, edits: Iterable[Edit]) -> list[str]:
    """The edits of which the check does not say what they do."""
    lines = of.dump.splitlines()
    wrong = []
    for edit in edits:
        report = judged(of, edit)
        if not is_right(of, edit, report):
            wrong.append(f"{edit.what}: {lines[edit.line - 1]}: {report.verdict.value}")
    return wrong


def every_edit(case: str) -> list[Edit]:
    """All edits of the node's dump that its reader and the kernel's take."""
    return list(EDITS[node(case).mode](node(case).dump))


def chosen(case: str, count: int) -> list[Edit]:
    """So many edits of the node's dump, every kind of edit among them."""
    edits = every_edit(case)
    random.Random(case).shuffle(edits)
    rank: Counter[str] = Counter()
    ranked = []
    for at, edit in enumerate(edits):
        ranked.append((rank[edit.what], at, edit))
        rank[edit.what] += 1
    return [edit for _, _, edit in sorted(ranked, key=lambda item: item[:2])[:count]]


EDITS_A_CASE = 64


@pytest.mark.parametrize("case", CASES)
def test_the_healthy_dump_conforms(case: str) -> None:
    """So that every difference after an edit is the edit's doing."""
    assert check_node(node(case).evidence, node(case).cluster).verdict is NodeVerdict.CONFORMS


@pytest.mark.parametrize("case", CASES)
def test_an_edit_is_told_exactly_when_it_changes_a_fate(case: str) -> None:
    """Deleted, doubled, swapped and changed lines; each kind of edit that the dump has room for."""
    edits = chosen(case, EDITS_A_CASE)

    assert len(edits) == EDITS_A_CASE
    assert misjudged(node(case), edits) == []


@pytest.mark.thorough
@pytest.mark.parametrize("case", CASES)
def test_every_edit_is_told_exactly_when_it_changes_a_fate(case: str) -> None:
    """All of the edits of each dump."""
    assert misjudged(node(case), every_edit(case)) == []


@pytest.mark.parametrize("case", CASES)
def test_a_harmless_edit_is_never_told(case: str) -> None:
    """Comments, counters, unreferenced chains, new names and the order of dispatch rules."""
    of = node(case)
    edits = list(HARMLESS[of.mode](of.dump))
    random.Random(case).shuffle(edits)

    reports = [(edit, judged(of, edit)) for edit in edits[:40]]

    assert {edit.what for edit, one in reports if one.verdict is not NodeVerdict.CONFORMS} == set()
    assert [edit.what for edit, one in reports if not is_right(of, edit, one)] == []


def test_the_edits_bite_in_every_way() -> None:
    """Among the edits are such that change fates, such that change none, and such that cannot be judged."""
    of = node("etp-local-lb.iptables")

    answers = Counter(judged(of, edit).verdict for edit in chosen("etp-local-lb.iptables", EDITS_A_CASE))

    assert min(answers[verdict] for verdict in NodeVerdict) >= 3
    assert len(CASES) * EDITS_A_CASE >= 500


RULE = re.compile(r"-A KUBE-SERVICES -d (?P<address>\S+) .* --dport (?P<port>\d+) -j (?P<chain>\S+)")

# What is done to the first rule of KUBE-SERVICES: (text replaced, by what, words of the refusal).
REFUSED = (
    (":{chain} - [0:0]\n", "", "{chain}"),
    ("--dport {port} -j {chain}\n", "--dport 99999 -j {chain}\n", "99999"),
    ("-d {address} ", "-d 300.1.2.3/32 ", "300.1.2.3"),
    ("-A {chain} ", "-A {chain} -j {chain}\n-A {chain} ", "leads back to itself"),
)


@pytest.mark.parametrize("edit", REFUSED, ids=lambda edit: edit[2])
def test_an_edit_that_no_kernel_would_load_is_refused(edit: tuple[str, str, str]) -> None:
    """One line of refusal and no verdict."""
    of = node("clusterip-basic.iptables")
    found = RULE.search(of.dump)
    assert found is not None
    old, new, words = (text.format(**found.groupdict()) for text in edit)
    assert old in of.dump

    with pytest.raises(InputError, match=re.escape(words)):
        check_node(with_rules(of.evidence, of.mode, of.dump.replace(old, new, 1)), of.cluster)
