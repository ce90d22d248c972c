"""What concerns a dump as a whole is one finding with its cause, whatever the dialects."""

import re
from pathlib import Path

import attrs
import pytest

from model.node_config import ProxyMode
from model.objects import Cluster
from oracle.bundle import EvidenceFile, NodeEvidence, read_bundle
from oracle.check import check_node
from oracle.findings import Kind, NodeReport, NodeVerdict
from oracle.node_rules import read_node

DUMPS = Path(__file__).parent.parent / "dumps"
SCENARIO = "nodeport"


def node(mode: str) -> tuple[NodeEvidence, Cluster]:
    bundle = read_bundle(DUMPS / f"{SCENARIO}.{mode}")
    assert bundle.cluster is not None
    return bundle.nodes[0], bundle.cluster


def rules(mode: str, name: str) -> str:
    evidence, _ = node(mode)
    return next(file.data.decode() for file in evidence.rules if file.label.endswith(f"/{name}"))


def judged(mode: str, **files: str) -> NodeReport:
    """The verdict on the scenario's node in that mode, with these files of rules."""
    evidence, cluster = node(mode)
    given = tuple(EvidenceFile(name.replace("_", "-"), text.encode()) for name, text in files.items())
    return check_node(attrs.evolve(evidence, rules=given), cluster)


def told(report: NodeReport) -> list[tuple[Kind, str]]:
    return [(one.kind, one.explanation) for one in report.differences]


NFT = rules("nftables", "nft")
IPTABLES = rules("iptables", "iptables-save")
IP_TABLE = NFT[NFT.index("table ip kube-proxy") :].partition("\n}\n")[0] + "\n}\n"
EMPTY_MAPS = re.sub(r"\t\telements = \{[^{}]*\}\n", "", IP_TABLE)


def test_rules_of_both_modes_are_one_finding() -> None:
    """The leftovers' own rules would answer on every address; that is told with the cause."""
    report = judged("nftables", iptables_save=IPTABLES, nft=IP_TABLE)
    (found,) = [one for one in report.differences if one.kind is Kind.DOUBLED_DATAPLANE]

    assert found.cites[0] == "MODE-32"
    assert "those left over from iptables (nft) are live" in found.explanation
    assert [one for one in report.differences if one.service_port is not None] == []


def test_a_configuration_for_the_other_mode_names_the_other_leftovers() -> None:
    report = judged("iptables", iptables_save=IPTABLES, nft=IP_TABLE)
    (found,) = [one for one in report.differences if one.kind is Kind.DOUBLED_DATAPLANE]

    assert "beside the rules of iptables mode, those left over from nftables are live" in found.explanation


@pytest.mark.parametrize(
    ("listing", "cause"),
    [
        (EMPTY_MAPS, "the table kube-proxy is there and its maps are empty"),
        ("table ip other {\n\tchain c {\n\t}\n}\n", "no table kube-proxy is in the dump"),
    ],
    ids=["flushed maps", "no table"],
)
def test_a_node_of_nftables_mode_that_serves_nothing_is_one_finding(listing: str, cause: str) -> None:
    report = judged("nftables", nft=listing)
    ((kind, explanation), *others) = told(report)

    assert (kind, others) == (Kind.MISSING_FRONTEND, [])
    assert f"none of 2 service ports with endpoints is served (IPv4): {cause}" in explanation


SERVICE_RULE = re.compile(r"^-A KUBE-(SERVICES|NODEPORTS|SVC-|SEP-|EXT-).*\n", re.MULTILINE)
SERVICE_CHAIN = re.compile(r"^:KUBE-(SVC-|SEP-|EXT-).*\n", re.MULTILINE)
FLUSHED = SERVICE_CHAIN.sub("", SERVICE_RULE.sub("", IPTABLES))
NAT = re.compile(r"^\*nat\n.*?^COMMIT\n", re.MULTILINE | re.DOTALL)
FILTER_ONLY = NAT.sub("", IPTABLES)


@pytest.mark.parametrize(
    ("dump", "cause"),
    [
        (FLUSHED, "chain KUBE-SERVICES of table nat leads to no Service, as after a flush"),
        (FILTER_ONLY, "filter holds kube-proxy's chains and nat does not: a sync that failed half way"),
    ],
    ids=["flushed", "filter committed without nat"],
)
def test_a_node_of_iptables_mode_that_serves_nothing_is_one_finding(dump: str, cause: str) -> None:
    report = judged("iptables", iptables_save=dump)
    ((kind, explanation), *others) = told(report)

    assert (kind, others) == (Kind.MISSING_FRONTEND, [])
    assert cause in explanation


def test_the_healthy_nodes_have_none_of_it() -> None:
    """What the edits above start from."""
    verdicts = [
        judged("nftables", nft=IP_TABLE).verdict,
        judged("iptables", iptables_save=IPTABLES).verdict,
    ]

    assert verdicts == [NodeVerdict.CONFORMS] * 2


def test_the_mode_is_read_off_the_rules_where_no_configuration_is_given() -> None:
    evidence, cluster = node("nftables")
    bare = attrs.evolve(evidence, proxy_config=None)
    config = read_node(bare, cluster).config

    assert config.mode is ProxyMode.NFTABLES
    assert "read off the rules: kube-proxy runs in nftables mode" in config.assumptions
    assert check_node(bare, cluster).verdict is NodeVerdict.CONFORMS
