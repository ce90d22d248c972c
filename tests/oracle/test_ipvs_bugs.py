"""Faults of ipvs mode that were in the field: each is found, and the node without it is silent.

The node is n1 of the scenarios in docs/rules/bugs.md: 192.168.0.2, beside n2 192.168.0.3; pods are
10.244.0.0/16, Service ns1/svc1 has port 80/TCP at 10.96.1.1 with endpoints E1 10.244.1.5:8080 on
n1 and E2 10.244.2.5:8080 on n2.
"""

import json

import attrs

from benchmarks.kube_proxy_ipvs import write_ipvs
from model.addresses import Family, parse_address
from model.node_config import InterfaceAddress, NodeConfig, ProxyMode
from model.objects import (
    Cluster,
    Endpoint,
    EndpointPort,
    EndpointSlice,
    Ingress,
    Node,
    ObjectName,
    Service,
    ServicePort,
    ServiceType,
    TrafficPolicy,
)
from oracle.bundle import EvidenceFile, NodeEvidence
from oracle.check import check_node, trace_node
from oracle.findings import Kind, NodeReport, NodeVerdict
from tests.handmade import packet
from tests.oracle.ipvs_nodes import texts_of

PROXY_CONFIG = b"""\
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: ipvs
detectLocalMode: ClusterCIDR
clusterCIDR: 10.244.0.0/16
"""
NAME = ObjectName("ns1", "svc1")
INSIDE = Service(NAME, ServiceType.CLUSTER_IP, (ServicePort("p80", "TCP", 80, 0, 8080),), ("10.96.1.1",))
BALANCED = attrs.evolve(
    INSIDE,
    type=ServiceType.LOAD_BALANCER,
    ports=(ServicePort("p80", "TCP", 80, 30080, 8080),),
    ingress=(Ingress("203.0.113.10"),),
)
RANGED = attrs.evolve(BALANCED, load_balancer_source_ranges=("198.51.100.0/24",))
LOCAL = attrs.evolve(BALANCED, external_traffic_policy=TrafficPolicy.LOCAL)
E1 = Endpoint(("10.244.1.5",), ready=True, node_name="n1")
E2 = Endpoint(("10.244.2.5",), ready=True, node_name="n2")


def _address(device: str, text: str, length: int) -> InterfaceAddress:
    return InterfaceAddress(device, Family.IPV4, parse_address(text)[1], length)


CONFIG = NodeConfig(
    "n1",
    ProxyMode.IPVS,
    cluster_cidrs=("10.244.0.0/16",),
    addresses=(_address("lo", "127.0.0.1", 8), _address("eth0", "192.168.0.2", 24)),
    addresses_are_complete=True,
    primary=((Family.IPV4, parse_address("192.168.0.2")[1]),),
)


def cluster_of(service: Service, *endpoints: Endpoint) -> Cluster:
    piece = EndpointSlice(
        ObjectName("ns1", "svc1-1"), NAME, "IPv4", endpoints, (EndpointPort("p80", "TCP", 8080),)
    )
    return Cluster(
        services=(service,), slices=(piece,), nodes=(Node("n1", (("InternalIP", "192.168.0.2"),)),)
    )


def good(cluster: Cluster, *, listed: bool = False) -> dict[str, str]:
    """The files of a node whose kube-proxy has done everything right."""
    return texts_of(write_ipvs(cluster, CONFIG), listed=listed)


def evidence(texts: dict[str, str]) -> NodeEvidence:
    rules = tuple(EvidenceFile(name, text.encode()) for name, text in texts.items() if name != "ip-addr.json")
    addresses = ("ip-addr.json", texts["ip-addr.json"].encode())
    return NodeEvidence("n1", rules, ("kube-proxy-config.yaml", PROXY_CONFIG), addresses)


def judged(cluster: Cluster, texts: dict[str, str]) -> NodeReport:
    return check_node(evidence(texts), cluster)


def told(report: NodeReport) -> set[tuple[Kind, str]]:
    return {(one.kind, one.frontend) for one in report.differences}


def changed(texts: dict[str, str], file: str, old: str, new: str) -> dict[str, str]:
    assert old in texts[file]
    return texts | {file: texts[file].replace(old, new)}


def outcome(texts: dict[str, str], to: str, source: str) -> str:
    """What the rules do with a packet from the wire, in a word."""
    (found,) = trace_node(evidence(texts), None, [packet(to, source)])
    masqueraded = any(leaf.masquerade for leaf in found.outcome.leaves)
    return found.outcome.verdict.value + (" masqueraded" if masqueraded else "")


def test_weight_zero_of_a_ready_endpoint_is_found() -> None:
    """BZ-04: an endpoint that came back keeps weight 0 and gets nothing (IPVS-02)."""
    cluster = cluster_of(INSIDE, E1, E2)
    texts = good(cluster, listed=True)
    bad = changed(texts, "ipvsadm", "10.244.1.5:8080              Masq    1 ", "10.244.1.5:8080 Masq 0 ")

    assert told(judged(cluster, texts)) == set()
    assert told(judged(cluster, bad)) == {(Kind.MISSING_TARGET, "10.96.1.1:80")}


def test_weight_zero_of_an_endpoint_that_left_is_normal() -> None:
    """BZ-04, the control: E3 is in no slice and drains with 3 connections (MODE-23)."""
    cluster = cluster_of(INSIDE, E1, E2)
    texts = good(cluster, listed=True)
    e3 = "  -> 10.244.2.9:8080              Masq    0      3          0         \n"
    draining = texts | {"ipvsadm": texts["ipvsadm"] + e3}
    at_once = texts | {"ipvsadm": texts["ipvsadm"] + e3.replace("Masq    0", "Masq    1")}

    assert judged(cluster, draining).verdict is NodeVerdict.CONFORMS
    assert told(judged(cluster, at_once)) == {(Kind.STALE_TARGET, "10.96.1.1:80")}


def test_ports_of_the_host_behind_a_cluster_ip_are_found() -> None:
    """BZ-05: without KUBE-IPVS-FILTER a pod reaches the host's ssh at 10.96.1.1:22 (MODE-05)."""
    cluster = cluster_of(INSIDE, E1, E2)
    texts = good(cluster)
    filters = "".join(
        line for line in texts["iptables-save"].splitlines(keepends=True) if "KUBE-IPVS-FILTER" not in line
    )
    bad = texts | {"iptables-save": filters}

    report = judged(cluster, bad)

    assert (outcome(texts, "10.96.1.1:22", "10.244.1.7"), outcome(bad, "10.96.1.1:22", "10.244.1.7")) == (
        "reject",
        "pass",
    )
    assert judged(cluster, texts).verdict is NodeVerdict.CONFORMS
    assert {one.kind for one in report.differences} == {Kind.WRONG_VERDICT}
    assert {one.frontend.partition(":")[0] for one in report.differences} == {"10.96.1.1"}
    assert "MODE-05" in report.differences[0].cites


def test_an_accept_that_passes_by_the_source_ranges_is_found() -> None:
    """BZ-06: KUBE-IPVS-FILTER accepts where it must return, so the firewall behind is never asked."""
    cluster = cluster_of(RANGED, E1, E2)
    texts = good(cluster)
    rule = "-A KUBE-IPVS-FILTER -m set --match-set KUBE-LOAD-BALANCER dst,dst -j"
    bad = changed(texts, "iptables-save", f"{rule} RETURN", f"{rule} ACCEPT")

    assert judged(cluster, texts).verdict is NodeVerdict.CONFORMS
    assert outcome(texts, "203.0.113.10:80", "192.0.2.9") == "drop"
    assert told(judged(cluster, bad)) == {(Kind.SOURCE_RANGE, "203.0.113.10:80")}


def test_the_same_accept_behind_the_firewall_changes_nothing() -> None:
    """BZ-06, the variant: with the jumps of INPUT in the other order no packet fares otherwise."""
    cluster = cluster_of(RANGED, E1, E2)
    texts = good(cluster)
    rule = "-A KUBE-IPVS-FILTER -m set --match-set KUBE-LOAD-BALANCER dst,dst -j"
    bad = changed(texts, "iptables-save", f"{rule} RETURN", f"{rule} ACCEPT")
    first = '-A INPUT -m comment --comment "kubernetes ipvs access filter" -j KUBE-IPVS-FILTER\n'
    second = '-A INPUT -m comment --comment "kube-proxy firewall rules" -j KUBE-PROXY-FIREWALL\n'

    swapped = changed(bad, "iptables-save", first + second, second + first)

    assert judged(cluster, swapped).verdict is NodeVerdict.CONFORMS


def test_node_ports_that_are_told_by_number_alone_are_found() -> None:
    """BZ-24: traffic of pods to port 30080 anywhere in the world is masqueraded."""
    cluster = cluster_of(BALANCED, E1, E2)
    texts = good(cluster)
    by_place = "-A KUBE-SERVICES -m addrtype --dst-type LOCAL -j KUBE-NODE-PORT\n"
    by_port = "-A KUBE-SERVICES -p tcp -m set --match-set KUBE-NODE-PORT-TCP dst -j KUBE-NODE-PORT\n"
    bad = changed(texts, "iptables-save", by_place, by_port)

    report = judged(cluster, bad)

    assert judged(cluster, texts).verdict is NodeVerdict.CONFORMS
    assert outcome(texts, "93.184.216.34:30080", "10.244.1.7") == "pass"
    assert outcome(bad, "93.184.216.34:30080", "10.244.1.7") == "pass masqueraded"
    assert {one.kind for one in report.differences} == {Kind.MASQUERADE_UNEXPECTED}
    assert {one.packet.port for one in report.differences} == {30080}


def test_policy_local_with_every_server_is_found() -> None:
    """BZ-51: the balancer's address lists E1 and E2 without masquerade, the node port E1 alone (MODE-16)."""
    cluster = cluster_of(LOCAL, E1, E2)
    texts = good(cluster)
    e1 = "-a -t 203.0.113.10:80 -r 10.244.1.5:8080 -m -w 1\n"
    bad = changed(texts, "ipvsadm", e1, e1 + e1.replace("10.244.1.5", "10.244.2.5"))

    assert judged(cluster, texts).verdict is NodeVerdict.CONFORMS
    assert told(judged(cluster, bad)) == {(Kind.INELIGIBLE_TARGET, "203.0.113.10:80")}


def test_policy_local_without_a_local_endpoint_is_silent() -> None:
    """BZ-51, the control: since 1.20 all endpoints are listed then, on purpose (MODE-15)."""
    cluster = cluster_of(LOCAL, E2)
    texts = good(cluster)

    assert "-a -t 203.0.113.10:80 -r 10.244.2.5:8080 -m -w 1\n" in texts["ipvsadm"]
    assert judged(cluster, texts).verdict is NodeVerdict.CONFORMS


def test_the_dummy_device_holds_what_the_scenarios_say() -> None:
    """BZ-05: 10.96.1.1/32 is on kube-ipvs0 and in KUBE-IPVS-IPS (MODE-04)."""
    texts = good(cluster_of(INSIDE, E1, E2))

    dummy = next(link for link in json.loads(texts["ip-addr.json"]) if link["ifname"] == "kube-ipvs0")

    assert dummy["addr_info"] == [{"family": "inet", "local": "10.96.1.1", "prefixlen": 32}]
    assert "add KUBE-IPVS-IPS 10.96.1.1\n" in texts["ipset"]
