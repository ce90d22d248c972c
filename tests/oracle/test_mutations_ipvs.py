"""The check bites in ipvs mode: every edit of one entry that changes some packet's fate is told, no other.

Ground truth is the plain walk, as in `tests.oracle.test_mutations`: over a grid of packets, before
and after the edit, and over the packets that the check itself names.
"""

import random
from collections import Counter
from collections.abc import Iterable, Iterator

import pytest

from model.addresses import Family
from model.expectation import expect
from model.frontends import node_view
from model.outcome import Verdict
from oracle.bundle import NodeEvidence
from oracle.check import check_node
from oracle.findings import Kind, NodeReport, NodeVerdict
from oracle.node_rules import read_node
from oracle.plain import trace
from tests.edits_ipvs import FileEdit, edits_of, harmless_edits
from tests.oracle.ipvs_nodes import Node, evidence_of, healthy
from tests.oracle.test_mutations import Effect

CASES = (
    "clusterip-basic",
    "nodeport",
    "etp-local-lb",
    "etp-cluster-lb",
    "session-affinity",
    "no-endpoints",
    "externalips",
    "nodeport-addresses",
    "masquerade-all",
    "kp130-nodeport",
)
EDITS_A_CASE = 32
MANY_EDITS_A_CASE = 120  # all 700 of etp-local-lb would take a minute and a half


def edited(of: Node, edit: FileEdit) -> NodeEvidence:
    return evidence_of(of.evidence, of.texts | {edit.file: edit.text})


def effects(of: Node, edit: FileEdit, report: NodeReport) -> Iterator[Effect]:
    """What the edit does to each packet that the check names, and to each of the grid.

    What another's rules that cannot be judged do to a packet that is nobody's, and that nothing is
    promised of, says nothing.
    """
    evidence = edited(of, edit)
    read = read_node(evidence, of.cluster)
    now = read.by_family[Family.IPV4]
    was = read_node(evidence_of(of.evidence, of.texts), of.cluster).by_family[Family.IPV4]
    view = node_view(of.cluster, read.config, Family.IPV4)
    for packet in (*(difference.packet for difference in report.differences), *of.before):
        traced = trace(now, read.config, packet)
        if traced.unsure:
            promised = expect(view, packet)
            passes = promised.allowed[0].verdict is Verdict.PASS
            if promised.service_ports or not passes or "KUBE-" in edit.entry:
                yield Effect.UNSURE
            continue
        before = of.before.get(packet) or trace(was, of.config, packet).outcome
        yield Effect.NONE if traced.outcome == before else Effect.CHANGED


def is_right(of: Node, edit: FileEdit, report: NodeReport) -> bool:
    """Whether the check says what the edit does by the plain walk.

    A rule that ends every packet's walk before kube-proxy's own is told even while nothing
    depends on what is behind it.
    """
    found = effects(of, edit, report)
    match report.verdict:
        case NodeVerdict.CONFORMS:
            return set(found) <= {Effect.NONE}
        case NodeVerdict.DIFFERS:
            return Effect.CHANGED in found or {d.kind for d in report.differences} == {Kind.UNREACHABLE_RULE}
        case NodeVerdict.NOT_JUDGED:
            return Effect.UNSURE in found


def misjudged(of: Node, edits: Iterable[FileEdit]) -> list[str]:
    """The edits of which the check does not say what they do."""
    wrong = []
    for edit in edits:
        report = check_node(edited(of, edit), of.cluster)
        if not is_right(of, edit, report):
            wrong.append(f"{edit.what}: {edit.entry}: {report.verdict.value}")
    return wrong


def chosen(case: str, edits: Iterable[FileEdit], count: int) -> list[FileEdit]:
    """So many of the edits, every kind in every file before any a second time."""
    mixed = list(edits)
    random.Random(case).shuffle(mixed)
    seen: Counter[tuple[str, str]] = Counter()
    ranked = []
    for at, edit in enumerate(mixed):
        ranked.append((seen[edit.file, edit.what], at, edit))
        seen[edit.file, edit.what] += 1
    return [edit for _, _, edit in sorted(ranked, key=lambda item: item[:2])[:count]]


@pytest.mark.parametrize("case", CASES)
def test_an_edit_is_told_exactly_when_it_changes_a_fate(case: str) -> None:
    """Virtual and real servers, sets and their entries, rules, and addresses of kube-ipvs0."""
    of = healthy(case)
    edits = chosen(case, edits_of(of.texts), EDITS_A_CASE)

    assert misjudged(of, edits) == []


@pytest.mark.thorough
@pytest.mark.parametrize("case", CASES)
def test_many_more_edits_are_told_exactly_when_they_change_a_fate(case: str) -> None:
    """As far as the time of a thorough run goes."""
    of = healthy(case)
    edits = chosen(case, edits_of(of.texts), MANY_EDITS_A_CASE)

    assert misjudged(of, edits) == []


@pytest.mark.parametrize("case", CASES)
def test_a_harmless_edit_is_never_told(case: str) -> None:
    """MODE-17, MODE-23: schedulers of equal shares, weights that rr does not look at, servers that drain."""
    of = healthy(case)
    edits = chosen(case, harmless_edits(of.texts), 32)

    reports = [(edit, check_node(edited(of, edit), of.cluster)) for edit in edits]

    assert [edit.what for edit, one in reports if one.verdict is not NodeVerdict.CONFORMS] == []
    assert [edit.what for edit, one in reports if not is_right(of, edit, one)] == []
