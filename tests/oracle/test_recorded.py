"""Recorded nodes are judged as they were: healthy ones conform, wrong ones differ at the right Services."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import attrs
import pytest

from model.expectation import expect
from model.frontends import node_view
from model.objects import Cluster
from oracle.bundle import NodeEvidence, read_bundle
from oracle.check import check_node, trace_node
from oracle.findings import Difference, NodeReport, NodeVerdict
from oracle.node_rules import read_node

DUMPS = Path(__file__).parent.parent / "dumps"
WRONG = ("stale-", "broken-")


def is_wrong(folder: Path) -> bool:
    return folder.name.startswith(WRONG)


MODES = ("iptables", "nftables")
FOLDERS = [folder for mode in MODES for folder in sorted(DUMPS.glob(f"*.{mode}"))]
# kube-proxy 1.30 had one family's whole transaction refused there.
HALF = "kp130-busy-1.nftables"
HEALTHY = [folder for folder in FOLDERS if not is_wrong(folder) and folder.name != HALF]
FAULTY = [folder for folder in FOLDERS if is_wrong(folder)]
IN_JSON = [folder for folder in FOLDERS if folder.name.endswith(".nftables")]

# By the change that each folder's expected.json tells, and the rules that should have followed it.
KINDS = {
    "stale-affinity-on": {"affinity-missing"},
    "stale-lb-source-ranges": {"source-range"},
    "stale-nodeport-changed": {"unexpected-frontend", "missing-frontend"},
    "stale-pod-deleted": {"stale-target"},
    "stale-pod-unready": {"ineligible-target"},
    "stale-service-added": {"missing-frontend"},
    "broken-sep-flushed": {"missing-target"},
}


@cache
def judged(folder: Path, form: str = "") -> tuple[Cluster, tuple[tuple[NodeEvidence, NodeReport], ...]]:
    """The bundle's objects, and each of its nodes with the verdict on it.

    `form` names the one file of rules that is judged, where it is given.
    """
    bundle = read_bundle(folder)
    assert bundle.cluster is not None
    nodes = [
        attrs.evolve(node, rules=tuple(file for file in node.rules if file.label.endswith(f"/{form}")))
        if form
        else node
        for node in bundle.nodes
    ]
    return bundle.cluster, tuple((node, check_node(node, bundle.cluster)) for node in nodes)


def complaints(folder: Path, form: str = "") -> Iterator[str]:
    """Each way in which the verdicts on a recorded bundle are not what was recorded with it."""
    _, nodes = judged(folder, form)
    if not nodes:
        yield "no node"
    expected: dict[str, list[str]] = {}
    if is_wrong(folder):
        expected = json.loads((folder / "expected.json").read_text())
    for evidence, report in nodes:
        if not is_wrong(folder) or evidence.name in expected.get("inSyncNodes", ()):
            if report.verdict is not NodeVerdict.CONFORMS:
                yield f"{evidence.name}: {report.verdict.value}, {report.differences}"
        else:
            named = {
                one.service_port.service.name if one.service_port else None for one in report.differences
            }
            if named != set(expected["services"]):
                yield f"{evidence.name}: names {named}, not {expected['services']}"
        if any(item.matters for item in report.not_judged):
            yield f"{evidence.name}: not judged {report.not_judged}"


@pytest.mark.parametrize("folder", HEALTHY, ids=lambda folder: folder.name)
def test_a_healthy_node_conforms(folder: Path) -> None:
    """No difference and no open question on any node of a healthy bundle."""
    assert list(complaints(folder)) == []


@pytest.mark.parametrize("folder", FAULTY, ids=lambda folder: folder.name)
def test_a_wrong_node_differs_at_exactly_the_services_named(folder: Path) -> None:
    """Nodes in sync conform, each other one differs, and no Service is wrongly suspected."""
    assert list(complaints(folder)) == []


@pytest.mark.parametrize("folder", FAULTY, ids=lambda folder: folder.name)
def test_differences_are_of_the_kind_that_the_change_makes(folder: Path) -> None:
    """Each scenario is told by its own kind of difference and no other."""
    _, nodes = judged(folder)

    found = {one.kind.value for _, report in nodes for one in report.differences}

    assert found == KINDS[folder.name.rpartition(".")[0]]


@pytest.mark.parametrize("folder", IN_JSON, ids=lambda folder: folder.name)
def test_json_is_judged_as_text_is(folder: Path) -> None:
    """nft writes the same node in two forms; only the lines cited differ."""
    _, in_text = judged(folder)
    _, in_json = judged(folder, "nft.json")

    assert [without_lines(report) for _, report in in_json] == [
        without_lines(report) for _, report in in_text
    ]


def without_lines(report: NodeReport) -> tuple[object, ...]:
    differences = tuple(attrs.evolve(one, lines=()) for one in report.differences)
    return report.verdict, report.judged, differences, len(report.not_judged)


def test_a_family_whose_transaction_was_refused_is_one_finding() -> None:
    """Every IPv4 rule is missing on both nodes; Services that claim one address are named.

    In the other family this kube-proxy 1.30 has its known bug, told once however many meet it.
    """
    _, nodes = judged(DUMPS / HALF)
    found = [[(one.kind.value, one.family.value) for one in report.differences] for _, report in nodes]

    assert found == [[("missing-frontend", "IPv4"), ("wrong-verdict", "IPv6")]] * 2
    assert ["BZ-44" in one.cites for _, report in nodes for one in report.differences] == [False, True] * 2
    assert "shop/s12:a and shop/s21:a both claim" in nodes[0][1].differences[0].explanation


@pytest.mark.parametrize("folder", FAULTY, ids=lambda folder: folder.name)
def test_each_packet_given_replays_to_disagree(folder: Path) -> None:
    """The packet of a difference is treated otherwise by the rules than the contract allows."""
    cluster, nodes = judged(folder)
    replayed = [
        replays(evidence, cluster, difference)
        for evidence, report in nodes
        for difference in report.differences
    ]

    assert replayed
    assert all(replayed)


def replays(evidence: NodeEvidence, cluster: Cluster, difference: Difference) -> bool:
    """Whether trace and expect, asked by themselves, give what the difference says, and disagree."""
    found = next(trace_node(evidence, cluster, [difference.packet])).outcome
    view = node_view(cluster, read_node(evidence, cluster).config, difference.family)
    allowed = expect(view, difference.packet).allowed
    return found == difference.found and allowed == difference.expected and found not in allowed


def test_recorded_bundles_outside_the_project_are_judged_as_recorded(recorded: Path) -> None:
    """Every bundle of the folder given, healthy, stale or broken."""
    folders = [
        folder
        for mode in MODES
        for pattern in (f"real/*.{mode}", f"real/history-*/*.{mode}")
        for folder in sorted(recorded.glob(pattern))
        if folder.name != HALF
    ]
    wrong = {folder.name: said for folder in folders if (said := list(complaints(folder)))}
    wrong |= {
        f"{folder.name} in JSON": said
        for folder in folders
        if folder.name.endswith(".nftables") and (said := list(complaints(folder, "nft.json")))
    }
    print(f"recorded bundles: {len(folders) - len(wrong)} as recorded, {len(wrong)} not")

    assert folders
    assert wrong == {}
