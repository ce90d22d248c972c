"""A node that another proxy serves is one open question; a node that none serves is one finding."""

import pytest

from oracle.bundle import EvidenceFile, NodeEvidence
from oracle.check import check_node
from oracle.findings import Kind, NodeReport, NodeVerdict
from tests.oracle.test_cilium import cluster

CHAINS = {
    "CILIUM_POST_nat": "Cilium",
    "ANTREA-POSTROUTING": "Antrea",
    "KUBE-ROUTER-SERVICES": "kube-router",
    "OVN-KUBE-NODEPORT": "OVN-Kubernetes",
    "cali-POSTROUTING": "Calico, if its eBPF dataplane is on,",
}
TABLES = {
    "inet ovn-kubernetes": "OVN-Kubernetes",
    "ip antrea": "Antrea",
    "ip calico": "Calico, if its eBPF dataplane is on,",
    "ip k8s_svc": "kpng",
}
STATE = "serves in place of kube-proxy here, and its state is not in these rules"


def judged(name: str, text: str) -> NodeReport:
    return check_node(NodeEvidence("node-1", (EvidenceFile(name, text.encode()),)), cluster())


def nat(*lines: str) -> str:
    return "\n".join(("*nat", ":PREROUTING ACCEPT [0:0]", *lines, "COMMIT", ""))


def whys(report: NodeReport) -> list[str]:
    return [one.why.removesuffix(": give cilium-services.json") for one in report.not_judged if one.matters]


@pytest.mark.parametrize(("chain", "owner"), CHAINS.items(), ids=CHAINS)
def test_another_proxy_is_known_by_its_chains(chain: str, owner: str) -> None:
    """Its frontends are not missing: they are elsewhere."""
    report = judged("iptables-save", nat(f":{chain} - [0:0]", f"-A PREROUTING -j {chain}"))

    assert (whys(report), report.differences) == ([f"{owner} {STATE}"], ())
    assert report.verdict is NodeVerdict.NOT_JUDGED


@pytest.mark.parametrize(("table", "owner"), TABLES.items(), ids=TABLES)
def test_another_proxy_is_known_by_its_tables(table: str, owner: str) -> None:
    report = judged("nft", f"table {table} {{\n\tchain services-of-its-own {{\n\t}}\n}}\n")

    assert (whys(report), report.differences) == ([f"{owner} {STATE}"], ())


def test_of_cilium_it_is_said_what_to_give() -> None:
    report = judged("iptables-save", nat(":CILIUM_PRE_nat - [0:0]"))

    assert [one.why for one in report.not_judged] == [f"Cilium {STATE}: give cilium-services.json"]


@pytest.mark.parametrize("lines", [(), (":DOCKER - [0:0]",)], ids=["nothing", "others' chains"])
def test_a_node_that_no_proxy_serves_is_one_finding(lines: tuple[str, ...]) -> None:
    """FWD-OBJ-03: an empty nat table serves no frontend, and no other proxy is to be seen."""
    report = judged("iptables-save", nat(*lines))

    assert [one.kind for one in report.differences] == [Kind.MISSING_FRONTEND]


def test_rules_of_kube_proxy_are_judged_whoever_else_is_there() -> None:
    """Cilium without its replacement of kube-proxy leaves Services to it."""
    rules = nat(
        ":CILIUM_PRE_nat - [0:0]",
        ":KUBE-SERVICES - [0:0]",
        "-A PREROUTING -j KUBE-SERVICES",
    )
    report = judged("iptables-save", rules)

    assert whys(report) == []
    assert {one.kind for one in report.differences} == {Kind.MISSING_FRONTEND}
