"""What others put in the same dump is walked, and told only where it changes a Service's packets."""

import json
from functools import lru_cache
from pathlib import Path

import attrs
import pytest

from oracle.bundle import EvidenceFile, NodeEvidence, read_bundle
from oracle.check import check_node
from oracle.findings import Kind, NodeReport, NodeVerdict

BUNDLE = Path(__file__).parents[1] / "dumps" / "etp-local-lb.iptables"


def without_guard(dump: str) -> str:
    """The dump without the chain that guards loopback, as if kubelet had never written it."""
    return "\n".join(line for line in dump.splitlines() if "KUBE-FIREWALL" not in line) + "\n"


@lru_cache
def recorded() -> tuple[NodeEvidence, str]:
    """A healthy node's evidence and its IPv4 dump."""
    evidence = next(node for node in read_bundle(str(BUNDLE)).nodes if node.name == "node-a")
    return evidence, next(
        file.data.decode() for file in evidence.rules if file.label.endswith("/iptables-save")
    )


def judged(dump: str, interface: tuple[str, str, int] | None = None, *, alone: bool = False) -> NodeReport:
    """The report on the node with another IPv4 dump, and one more (interface, address, prefix length).

    `alone` leaves the IPv6 dump out, which tells of the version too.
    """
    evidence, _ = recorded()
    rules = tuple(
        EvidenceFile(file.label, dump.encode()) if file.label.endswith("/iptables-save") else file
        for file in evidence.rules
        if not alone or file.label.endswith("/iptables-save")
    )
    evidence = attrs.evolve(evidence, rules=rules)
    if interface is not None:
        assert evidence.ip_addr is not None
        label, data = evidence.ip_addr
        name, local, length = interface
        more = {"ifname": name, "addr_info": [{"family": "inet", "local": local, "prefixlen": length}]}
        evidence = attrs.evolve(evidence, ip_addr=(label, json.dumps([*json.loads(data), more]).encode()))
    cluster = read_bundle(str(BUNDLE)).cluster
    assert cluster is not None
    return check_node(evidence, cluster)


def beside(dump: str, table: str, rules: str, *, before: bool = True) -> str:
    """The dump with rules of another owner in a table, before kube-proxy's own or after them."""
    head, rest = dump.split(f"*{table}\n", 1)
    body, tail = rest.split("COMMIT\n", 1)
    lines = body.splitlines()
    declared = [line for line in lines if line.startswith(":")]
    own = [line for line in lines if line.startswith("-A")]
    added = [line.strip() for line in rules.strip().splitlines()]
    known = {line[1:].split()[0] for line in declared}
    chains = dict.fromkeys(line.split()[1] for line in added)
    declared += [f":{chain} - [0:0]" for chain in chains if chain not in known]
    ordered = [*added, *own] if before else [*own, *added]
    return "\n".join([f"{head}*{table}", *declared, *ordered, "COMMIT", tail])


DOCKER_NAT = """
    -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
    -A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER
    -A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
    -A DOCKER -i docker0 -j RETURN
    -A DOCKER ! -i docker0 -p tcp -m tcp --dport 5000 -j DNAT --to-destination 172.17.0.2:5000"""
DOCKER_FILTER = """
    -A FORWARD -j DOCKER-ISOLATION-STAGE-1
    -A FORWARD -i docker0 ! -o docker0 -j ACCEPT
    -A FORWARD -i docker0 -o docker0 -j ACCEPT
    -A DOCKER-ISOLATION-STAGE-1 -i docker0 ! -o docker0 -j DOCKER-ISOLATION-STAGE-2
    -A DOCKER-ISOLATION-STAGE-1 -j RETURN
    -A DOCKER-ISOLATION-STAGE-2 -o docker0 -j DROP
    -A DOCKER-ISOLATION-STAGE-2 -j RETURN"""
UFW = """
    -A INPUT -j ufw-before-input
    -A ufw-before-input -i lo -j ACCEPT
    -A ufw-before-input -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
    -A ufw-before-input -p icmp -m icmp --icmp-type 8 -j ACCEPT
    -A ufw-before-input -p tcp -m multiport --dports 22,6443,10250 -j ACCEPT
    -A ufw-before-input -m limit --limit 3/min --limit-burst 10 -j LOG --log-prefix "[UFW BLOCK] " """
FLANNEL = """
    -A POSTROUTING -m comment --comment "flanneld masq" -j FLANNEL-POSTRTG
    -A FLANNEL-POSTRTG -m mark --mark 0x4000/0x4000 -j RETURN
    -A FLANNEL-POSTRTG -s 10.244.0.0/24 -d 10.244.0.0/16 -j RETURN
    -A FLANNEL-POSTRTG -s 10.244.0.0/16 -d 10.244.0.0/24 -j RETURN
    -A FLANNEL-POSTRTG ! -s 10.244.0.0/16 -d 10.244.0.0/24 -j RETURN
    -A FLANNEL-POSTRTG -s 10.244.0.0/16 ! -d 224.0.0.0/4 -j MASQUERADE --random-fully
    -A FLANNEL-POSTRTG ! -s 10.244.0.0/16 -d 10.244.0.0/16 -j MASQUERADE --random-fully"""
PORTMAP = """
    -A PREROUTING -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT
    -A OUTPUT -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT
    -A POSTROUTING -j CNI-HOSTPORT-MASQ
    -A CNI-HOSTPORT-DNAT -p tcp -m multiport --dports 9100,9101 -j CNI-DN-0123
    -A CNI-DN-0123 -s 10.244.0.77/32 -p tcp -m tcp --dport 9100 -j CNI-HOSTPORT-SETMARK
    -A CNI-DN-0123 -p tcp -m tcp --dport 9100 -j DNAT --to-destination 10.244.0.77:9100
    -A CNI-HOSTPORT-SETMARK -j MARK --set-xmark 0x2000/0x2000
    -A CNI-HOSTPORT-MASQ -m mark --mark 0x2000/0x2000 -j MASQUERADE"""


def dump() -> str:
    return recorded()[1]


def test_docker_beside_kube_proxy_is_no_fault() -> None:
    """Its published port, its own egress and its isolation concern no Service."""
    both = beside(beside(dump(), "nat", DOCKER_NAT), "filter", DOCKER_FILTER, before=False)

    assert judged(both, ("docker0", "172.17.0.1", 16)).verdict is NodeVerdict.CONFORMS


def test_docker_is_not_judged_where_nobody_knows_its_interface() -> None:
    """Whether `! -o docker0` holds cannot be told of an interface that the node does not list."""
    report = judged(beside(dump(), "nat", DOCKER_NAT))

    assert report.verdict is NodeVerdict.NOT_JUDGED
    assert [one.text.split()[-1] for one in report.not_judged if one.matters] == ["MASQUERADE"]


@pytest.mark.parametrize("policy", ["ACCEPT", "DROP"])
def test_a_host_firewall_for_the_nodes_own_ports_is_no_fault(policy: str) -> None:
    """Service packets are translated before INPUT, so its policy does not meet them."""
    guarded = beside(dump(), "filter", UFW, before=False)
    start = guarded.index("*filter")
    guarded = guarded[:start] + guarded[start:].replace(":INPUT ACCEPT", f":INPUT {policy}", 1)

    assert judged(guarded).verdict is NodeVerdict.CONFORMS


def test_a_policy_that_drops_what_is_forwarded_is_a_fault() -> None:
    """Only masqueraded traffic is accepted by kube-proxy's own rules (MODE-27)."""
    start = dump().index("*filter")
    closed = dump()[:start] + dump()[start:].replace(":FORWARD ACCEPT", ":FORWARD DROP", 1)

    assert Kind.WRONG_VERDICT in {one.kind for one in judged(closed).differences}


@pytest.mark.parametrize("rules", [FLANNEL, PORTMAP], ids=["flannel", "portmap"])
def test_a_network_plugins_own_translation_is_no_fault(rules: str) -> None:
    """Pods that leave their network get the node's address; host ports are no Service's."""
    assert judged(beside(dump(), "nat", rules)).verdict is NodeVerdict.CONFORMS


def test_a_clients_address_lost_under_policy_local_is_a_fault() -> None:
    """Another owner's rule replaces what eTP Local must keep (MASQ-07)."""
    careless = "-A POSTROUTING -d 10.244.0.0/16 -j MASQUERADE"

    report = judged(beside(dump(), "nat", careless))

    found = [one for one in report.differences if one.kind is Kind.MASQUERADE_UNEXPECTED]
    assert {one.service_port.service.name for one in found if one.service_port} == {"web", "web-open"}
    assert all(line.text == careless for one in found for line in one.lines)


def test_a_policy_by_ipset_leaves_services_not_judged() -> None:
    """What a set holds is not in the dump, and packets to Services hang on it."""
    calico = """
        -A FORWARD -j cali-FORWARD
        -A cali-FORWARD -m set --match-set cali40s:abc src -j DROP"""

    report = judged(beside(dump(), "filter", calico))

    assert report.verdict is NodeVerdict.NOT_JUDGED
    (one,) = [item for item in report.not_judged if item.matters]
    assert "--match-set" in one.text


def test_two_live_back_ends_are_a_doubled_dataplane() -> None:
    legacy = dump().replace("(nf_tables)", "(legacy)")

    assert {one.kind for one in judged(legacy + dump()).differences} == {Kind.DOUBLED_DATAPLANE}


def test_a_rule_that_refuses_all_before_kube_proxy_is_unreachable_rule() -> None:
    report = judged(beside(dump(), "filter", "-A INPUT -j DROP"))

    assert Kind.UNREACHABLE_RULE in {one.kind for one in report.differences}


def test_a_node_local_dns_cache_answers_in_the_services_place() -> None:
    """The cache holds the cluster IP and takes its packets out of connection tracking."""
    untracked = (
        "*raw\n:PREROUTING ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n"
        "-A PREROUTING -d 10.96.0.1/32 -p tcp -m tcp --dport 443 -j NOTRACK\n"
        "-A OUTPUT -d 10.96.0.1/32 -p tcp -m tcp --dport 443 -j NOTRACK\nCOMMIT\n"
    )

    here = judged(untracked + dump(), ("nodelocaldns", "10.96.0.1", 32))
    away = judged(untracked + dump())

    assert here.verdict is NodeVerdict.CONFORMS
    assert {one.kind for one in away.differences} == {Kind.MISSING_FRONTEND}


def test_a_missing_guard_is_a_fault_where_kube_proxy_writes_it() -> None:
    """The recorded rules are of a version that always writes the chain itself (BZ-01)."""
    found = judged(without_guard(dump())).differences

    assert {(one.kind, one.cites) for one in found} == {(Kind.WRONG_VERDICT, ("MODE-02",))}


def test_a_missing_guard_is_a_warning_where_kubelet_wrote_it() -> None:
    """Rules without the counters of 1.31 and later may be of a time when it was kubelet's."""
    old = "\n".join(line for line in without_guard(dump()).splitlines() if "localhost_nps" not in line)
    old = old.replace("-m nfacct --nfacct-name  ct_state_invalid_dropped_pkts ", "") + "\n"

    report = judged(old, alone=True)

    assert report.verdict is NodeVerdict.CONFORMS
    assert any("BZ-01" in warning for warning in report.warnings)
