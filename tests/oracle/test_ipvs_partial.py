"""A node in ipvs mode of which not all was collected is judged as far as what is there goes."""

from fractions import Fraction
from ipaddress import IPv4Address

import pytest

from model.addresses import Family
from model.objects import (
    Cluster,
    Endpoint,
    EndpointPort,
    EndpointSlice,
    Node,
    ObjectName,
    Service,
    ServicePort,
    ServiceType,
)
from model.outcome import Verdict
from model.packet import TCP, Origin, Packet
from oracle.bundle import EvidenceFile, NodeEvidence
from oracle.check import check_node, trace_node
from oracle.findings import Kind, NodeReport, NodeVerdict
from oracle.node_rules import read_node
from tests.oracle.ipvs_nodes import evidence_of, healthy

NAME = ObjectName("default", "my-nginx-nodeport")
CLUSTER = Cluster(
    services=(
        Service(
            NAME,
            ServiceType.NODE_PORT,
            (ServicePort("", "TCP", 80, 30380, 80),),
            ("10.107.198.159",),
        ),
    ),
    slices=(
        EndpointSlice(
            ObjectName("default", "my-nginx-nodeport-1"),
            NAME,
            "IPv4",
            tuple(Endpoint((ip,), ready=True) for ip in ("10.244.140.80", "10.244.196.137")),
            (EndpointPort("", "TCP", 80),),
        ),
    ),
    nodes=(Node("node-1", (("InternalIP", "10.32.1.147"),)),),
)
SERVERS = """\
  -> 10.244.140.80:80             Masq    1      0          0
  -> 10.244.196.137:80            Masq    1      0          0
"""
HEAD = """\
IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn
"""
NODE_PORTS = f"TCP  172.17.0.1:30380 rr\n{SERVERS}TCP  10.32.1.147:30380 rr\n{SERVERS}"
CLIENT = IPv4Address("203.0.113.7")
CLUSTER_IP = f"TCP  10.107.198.159:80 rr\n{SERVERS}"


def judged(listing: str, cluster: Cluster = CLUSTER) -> NodeReport:
    evidence = NodeEvidence("node-1", (EvidenceFile("ipvsadm", (HEAD + listing).encode()),))
    return check_node(evidence, cluster)


def told(report: NodeReport) -> list[tuple[Kind, str]]:
    return [(one.kind, one.frontend) for one in report.differences]


def test_virtual_servers_alone_are_judged() -> None:
    """SEED-05: a virtual server for each address of the node, the same endpoints under each (IPVS-05)."""
    report = judged(CLUSTER_IP + NODE_PORTS)

    assert (told(report), report.judged.frontends) == ([], 2)
    assert [one.why for one in report.not_judged] == [
        "source translation, source ranges and ports of the host behind their addresses are not judged"
        " of 2 IPv4 frontends: run iptables-save and ipset save",
        "whether their addresses are bound to kube-ipvs0 is not judged of 2 IPv4 frontends: run ip -j addr",
    ]
    assert report.verdict is NodeVerdict.NOT_JUDGED


def test_the_addresses_of_node_ports_are_the_nodes() -> None:
    """MODE-01: docker0's address is no part of any object, and a node port answers there."""
    report = judged(CLUSTER_IP + NODE_PORTS)

    assert "read off the virtual servers: 172.17.0.1 are addresses of the node" in report.assumptions
    assert "read off the rules: kube-proxy runs in ipvs mode" in report.assumptions


def test_the_nodes_addresses_need_no_node_object() -> None:
    """Only virtual servers, Services and slices."""
    alone = Cluster(services=CLUSTER.services, slices=CLUSTER.slices)

    assert told(judged(CLUSTER_IP + NODE_PORTS, alone)) == []


def test_a_frontend_that_is_not_listed_is_told() -> None:
    """IPVS-03: without its cluster IP the Service is not whole, and its node ports are right."""
    assert told(judged(NODE_PORTS)) == [(Kind.MISSING_FRONTEND, "10.107.198.159:80")]


FIRST = "  -> 10.244.140.80:80             "
FAULTS = {
    "a real server gone": (SERVERS.splitlines(keepends=True)[0], "", Kind.MISSING_TARGET),
    "a strange real server": ("10.244.140.80:80 ", "10.244.140.99:80 ", Kind.STALE_TARGET),
    "weight 0": ("Masq    1 ", "Masq    0 ", Kind.MISSING_TARGET),
    "another port": ("10.244.140.80:80 ", "10.244.140.80:8080 ", Kind.WRONG_PORT),
    "shares": (f"rr\n{FIRST}Masq    1 ", f"wrr\n{FIRST}Masq    3 ", Kind.UNEVEN_ODDS),
    "affinity": ("rr\n", "rr persistent 10800\n", Kind.AFFINITY_UNEXPECTED),
}


@pytest.mark.parametrize(("old", "new", "kind"), FAULTS.values(), ids=FAULTS)
def test_faults_of_virtual_servers_are_told(old: str, new: str, kind: Kind) -> None:
    """Targets, odds and affinity are in virtual servers alone (IPVS-01, IPVS-02, IPVS-04)."""
    broken = CLUSTER_IP.replace(old, new, 1)
    assert broken != CLUSTER_IP

    report = judged(broken + NODE_PORTS)

    assert kind in {one.kind for one in report.differences}
    assert {one.frontend for one in report.differences} == {"10.107.198.159:80"}


def without(case: str, *files: str) -> NodeReport:
    of = healthy(case)
    texts = {name: text for name, text in of.texts.items() if name not in files}
    return check_node(evidence_of(of.evidence, texts), of.cluster)


RULES = ("iptables-save", "ip6tables-save")
LEFT_OUT = {
    "rules": RULES,
    "sets": ("ipset",),
    "addresses": ("ip-addr.json",),
    "all but virtual servers": (*RULES, "ipset", "ip-addr.json"),
}


@pytest.mark.parametrize(
    "case", ["nodeport", "etp-local-lb", "etp-cluster-lb", "session-affinity", "externalips"]
)
@pytest.mark.parametrize("files", LEFT_OUT.values(), ids=LEFT_OUT)
def test_what_was_not_collected_makes_no_difference(case: str, files: tuple[str, ...]) -> None:
    """A healthy node with something left out: no difference, and what is not judged is said."""
    report = without(case, *files)

    assert told(report) == []
    assert report.verdict is NodeVerdict.NOT_JUDGED
    assert all("run " in one.why for one in report.not_judged if one.matters)


def test_without_virtual_servers_nothing_is_judged() -> None:
    """Rules and sets say whose source is rewritten, and of no frontend that it is there."""
    report = without("nodeport", "ipvsadm")

    assert told(report) == []
    assert [one.why for one in report.not_judged if one.matters] == [
        "3 IPv4 frontends, and no virtual servers given: run ipvsadm -Sn"
    ]


def test_no_virtual_server_at_all_is_a_difference() -> None:
    """An empty table was given, so it is known that nothing is served."""
    of = healthy("nodeport")
    head = HEAD.encode().decode()
    report = check_node(evidence_of(of.evidence, of.texts | {"ipvsadm": head}), of.cluster)

    assert {one.kind for one in report.differences} == {Kind.MISSING_FRONTEND}


@pytest.mark.parametrize("case", ["nodeport", "masquerade-all", "nodeport-addresses", "etp-local-lb"])
def test_settings_are_read_off_the_rules(case: str) -> None:
    """Without kube-proxy's configuration: mode, pods, masqueradeAll and node port addresses."""
    of = healthy(case)
    evidence = evidence_of(of.evidence, of.texts, configured=False)

    config = read_node(evidence, of.cluster).config

    wanted = (of.config.mode, of.config.masquerade_all)
    assert (config.mode, config.masquerade_all) == wanted
    assert check_node(evidence, of.cluster).verdict is NodeVerdict.CONFORMS


DETECTORS = {
    "a CIDR": ("! -s 10.244.0.0/16 ", "dst,dst", ("ClusterCIDR", False)),
    "a bridge": ("! -i cbr0 ", "dst,dst", ("BridgeInterface", False)),
    "a prefix of interfaces": ("! -i cali+ ", "dst,dst", ("InterfaceNamePrefix", False)),
    "nothing": ("", "src,dst", ("None", False)),
    "masqueradeAll": ("", "dst,dst", ("ClusterCIDR", True)),
}


@pytest.mark.parametrize(("source", "directions", "expected"), DETECTORS.values(), ids=DETECTORS)
def test_who_is_a_pod_is_read_off_the_rule_of_cluster_ips(
    source: str, directions: str, expected: tuple[str, bool]
) -> None:
    """KUBE-SERVICES masquerades cluster IPs by the detector, if there is one (MODE-22)."""
    of = healthy("nodeport")
    lines = of.texts["iptables-save"].splitlines()
    rule = next(line for line in lines if "KUBE-CLUSTER-IP dst,dst -j KUBE-MARK" in line)
    told_so = rule.replace("! -s 10.244.0.0/16 ", source).replace("dst,dst", directions)
    texts = {
        "ipvsadm": of.texts["ipvsadm"],
        "iptables-save": of.texts["iptables-save"].replace(rule, told_so),
    }

    config = read_node(evidence_of(of.evidence, texts, configured=False), of.cluster).config

    assert (config.detect_local.value, config.masquerade_all) == expected


def test_a_packet_is_followed_where_nobody_listed_the_interfaces() -> None:
    """rules-ipvs 4: the addresses of virtual servers are taken to be the node's."""
    evidence = NodeEvidence("node-1", (EvidenceFile("ipvsadm", (HEAD + NODE_PORTS).encode()),))
    packets = [
        Packet(Family.IPV4, Origin.WIRE, int(CLIENT), int(IPv4Address(to)), TCP, 30380)
        for to in ("172.17.0.1", "10.32.1.147", "10.32.1.148")
    ]

    served, also, strange = trace_node(evidence, None, packets)

    for one in (served, also):
        assert {
            (str(IPv4Address(leaf.target.address)), leaf.odds) for leaf in one.outcome.leaves if leaf.target
        } == {
            ("10.244.140.80", Fraction(1, 2)),
            ("10.244.196.137", Fraction(1, 2)),
        }
    assert strange.outcome.verdict is Verdict.PASS
    assert served.assumed.startswith("the addresses of the virtual servers are taken to be the node's")
