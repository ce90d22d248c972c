"""Equal causes are told once: a frozen dump is one finding with a count."""

from pathlib import Path

import pytest

from benchmarks.generate import generate_cluster, write_bundle
from oracle.bundle import EvidenceFile, NodeEvidence, read_bundle
from oracle.check import check_node
from oracle.findings import Kind, NodeReport

SERVICES = 60


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A generated healthy node of many Services."""
    folder = tmp_path_factory.mktemp("many")
    write_bundle(folder, *generate_cluster(SERVICES, 3))
    return folder


def judged(bundle: Path, change: tuple[str, str], count: int = -1) -> NodeReport:
    """The report on the node with a text of its rules replaced."""
    given = read_bundle(str(bundle))
    (evidence,) = given.nodes
    assert given.cluster is not None
    rules = tuple(
        EvidenceFile(file.label, file.data.decode().replace(*change, count).encode())
        for file in evidence.rules
    )
    changed = NodeEvidence(evidence.name, rules, evidence.proxy_config, evidence.ip_addr)
    return check_node(changed, given.cluster)


def test_an_entry_that_all_services_need_is_one_finding(bundle: Path) -> None:
    """Without the jump from PREROUTING every Service with endpoints lacks its frontends."""
    report = judged(bundle, ("-A PREROUTING ", "# -A PREROUTING "))

    (one,) = report.differences
    assert one.kind is Kind.MISSING_FRONTEND
    assert len(one.also) + 1 > SERVICES / 2
    assert one.frontends > len(one.also)


def test_a_policy_that_drops_what_is_forwarded_is_one_finding(bundle: Path) -> None:
    report = judged(bundle, (":FORWARD ACCEPT", ":FORWARD DROP"))

    (one,) = report.differences
    assert one.kind is Kind.WRONG_VERDICT
    assert "one cause is likely" in one.explanation


def test_endpoints_of_another_moment_are_one_finding(bundle: Path) -> None:
    """Every endpoint has moved to another port since the rules were written."""
    report = judged(bundle, (":8080", ":8081"))

    (one,) = report.differences
    assert one.kind is Kind.WRONG_PORT


def test_one_service_alone_is_told_by_its_name(bundle: Path) -> None:
    """The first endpoint of one service port, sent to another port."""
    report = judged(bundle, (":8080\n", ":8081\n"), 1)

    assert {one.kind for one in report.differences} == {Kind.WRONG_PORT}
    assert len({one.service_port for one in report.differences}) == 1
    assert all(not one.also for one in report.differences)
