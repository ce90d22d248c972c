"""Further faults of the past are found where one edit makes a right node wrong.

The scenarios that come with dumps are in `test_bug_dumps.py`; docs/bugs.md lists all.
"""

import attrs
import pytest

from model.objects import (
    EndpointPort,
    Ingress,
    ObjectName,
    Service,
    ServicePort,
    ServicePortName,
    ServiceType,
    TrafficPolicy,
)
from oracle.check import check_node
from oracle.findings import Kind, NodeReport, NodeVerdict
from tests.older_rules import evidence
from tests.oracle import test_bug_scenarios as iptables
from tests.oracle import test_ipvs_bugs as ipvs

SVC1 = "ns1/svc1:p80"


def found(report: NodeReport) -> set[tuple[Kind, str]]:
    return {(one.kind, str(one.service_port)) for one in report.differences}


def test_bz_10_the_firewall_of_one_balancer_is_asked_about_all() -> None:
    """The shared chain is entered for every balancer's address and ends in a drop."""
    other = attrs.evolve(
        ipvs.BALANCED,
        name=ObjectName("ns1", "svc2"),
        cluster_ips=("10.96.1.2",),
        ports=(ServicePort("p80", "TCP", 80, 30081, 8080),),
        ingress=(Ingress("203.0.113.11"),),
    )
    cluster = ipvs.cluster_of(ipvs.RANGED, ipvs.E1, ipvs.E2)
    piece = attrs.evolve(cluster.slices[0], name=ObjectName("ns1", "svc2-1"), service=other.name)
    cluster = attrs.evolve(cluster, services=(*cluster.services, other), slices=(*cluster.slices, piece))
    good = ipvs.good(cluster)

    bad = ipvs.changed(
        good,
        "iptables-save",
        "--match-set KUBE-LOAD-BALANCER-FW dst,dst -j KUBE-SOURCE-RANGES-FIREWALL",
        "--match-set KUBE-LOAD-BALANCER dst,dst -j KUBE-SOURCE-RANGES-FIREWALL",
    )

    assert ipvs.judged(cluster, good).verdict is NodeVerdict.CONFORMS
    assert {name for _, name in found(ipvs.judged(cluster, bad))} == {"ns1/svc2:p80"}


def test_bz_11_what_is_accepted_before_the_firewall_is_never_asked_for_its_source() -> None:
    cluster = ipvs.cluster_of(ipvs.RANGED, ipvs.E1, ipvs.E2)
    good = ipvs.good(cluster)
    accepting = "-A INPUT -m set --match-set KUBE-LOAD-BALANCER dst,dst -j ACCEPT\n"
    first = good["iptables-save"].index("-A INPUT ")
    bad = good | {"iptables-save": good["iptables-save"][:first] + accepting + good["iptables-save"][first:]}

    report = ipvs.judged(cluster, bad)

    assert found(report) == {(Kind.SOURCE_RANGE, SVC1)}
    assert [one.lines[0].text for one in report.differences] == [accepting.strip()]


def test_bz_12_the_node_gets_through_from_the_balancers_own_address() -> None:
    """MODE-13: its packets to that address have it as their source."""
    cluster = ipvs.cluster_of(ipvs.RANGED, ipvs.E1, ipvs.E2)
    good = ipvs.good(cluster)
    kept = [
        line
        for line in good["iptables-save"].splitlines(keepends=True)
        if not line.startswith("-A KUBE-IPVS-OUT-FILTER")
    ]
    assert len(kept) < len(good["iptables-save"].splitlines())

    report = ipvs.judged(cluster, good | {"iptables-save": "".join(kept)})

    assert {name for _, name in found(report)} == {SVC1}
    assert {one.frontend for one in report.differences} == {"203.0.113.10:80"}


def test_bz_12_the_first_fix_cut_off_another_port_of_the_same_address() -> None:
    """MODE-13: the rule must go by the port too, as another Service has no ranges there."""
    other = attrs.evolve(
        ipvs.BALANCED,
        name=ObjectName("ns1", "svc2"),
        cluster_ips=("10.96.1.2",),
        ports=(ServicePort("p81", "TCP", 81, 30081, 8080),),
    )
    cluster = ipvs.cluster_of(ipvs.RANGED, ipvs.E1, ipvs.E2)
    piece = attrs.evolve(
        cluster.slices[0],
        name=ObjectName("ns1", "svc2-1"),
        service=other.name,
        ports=(EndpointPort("p81", "TCP", 8080),),
    )
    cluster = attrs.evolve(cluster, services=(*cluster.services, other), slices=(*cluster.slices, piece))
    good = ipvs.good(cluster)

    bad = ipvs.changed(good, "iptables-save", " --vaddr 203.0.113.10 --vport 80 ", " --vaddr 203.0.113.10 ")
    report = ipvs.judged(cluster, bad)

    assert ipvs.judged(cluster, good).verdict is NodeVerdict.CONFORMS
    assert {(str(one.service_port), one.frontend) for one in report.differences} == {
        ("ns1/svc2:p81", "203.0.113.10:81")
    }


BALANCED = attrs.evolve(
    iptables.NODE_PORT, type=ServiceType.LOAD_BALANCER, ingress=(Ingress("203.0.113.10"),)
)


def test_bz_13_ranges_that_came_later_are_not_in_the_rules() -> None:
    ranged = attrs.evolve(BALANCED, load_balancer_source_ranges=("198.51.100.0/24",))
    objects = iptables.cluster(ranged, iptables.E1)

    differences = iptables.differences(iptables.written(iptables.cluster(BALANCED, iptables.E1)), objects)

    assert iptables.conforms(iptables.written(objects), objects)
    assert iptables.kinds(differences) == {(Kind.SOURCE_RANGE, SVC1)}
    assert {one.frontend for one in differences} == {"203.0.113.10:80"}


def test_bz_17_hints_are_not_heeded() -> None:
    """Every endpoint is hinted for its own zone, and the node balances over all."""
    hinted = iptables.cluster(
        iptables.PLAIN,
        attrs.evolve(iptables.E1, zone_hints=("a",)),
        attrs.evolve(iptables.E2, zone_hints=("b",)),
    )

    differences = iptables.differences(iptables.written(iptables.BOTH), hinted)

    assert iptables.conforms(iptables.written(hinted), hinted)
    assert iptables.kinds(differences) == {(Kind.INELIGIBLE_TARGET, SVC1)}
    assert any("10.244.2.5" in text for text in iptables.guilty(differences))


def test_bz_25_a_policy_of_input_that_drops_meets_node_ports_in_ipvs_mode() -> None:
    cluster = ipvs.cluster_of(ipvs.BALANCED, ipvs.E1, ipvs.E2)
    good = ipvs.good(cluster)

    report = ipvs.judged(cluster, ipvs.changed(good, "iptables-save", ":INPUT ACCEPT", ":INPUT DROP"))

    assert ipvs.judged(cluster, good).verdict is NodeVerdict.CONFORMS
    assert report.verdict is not NodeVerdict.CONFORMS
    assert (Kind.WRONG_VERDICT, SVC1) in found(report)


EXTERNAL_LOCAL = attrs.evolve(
    ipvs.BALANCED,
    ingress=(),
    external_ips=("203.0.113.20",),
    external_traffic_policy=TrafficPolicy.LOCAL,
)


def test_bz_26_external_ip_under_policy_local_lists_a_remote_endpoint() -> None:
    cluster = ipvs.cluster_of(EXTERNAL_LOCAL, ipvs.E1, ipvs.E2)
    good = ipvs.good(cluster)
    e1 = "-a -t 203.0.113.20:80 -r 10.244.1.5:8080 -m -w 1\n"

    bad = ipvs.changed(good, "ipvsadm", e1, e1 + e1.replace("10.244.1.5", "10.244.2.5"))

    assert ipvs.judged(cluster, good).verdict is NodeVerdict.CONFORMS
    assert found(ipvs.judged(cluster, bad)) == {(Kind.INELIGIBLE_TARGET, SVC1)}


def test_bz_29_anothers_rule_rewrites_the_source_under_policy_local() -> None:
    """A rule in POSTROUTING ahead of kube-proxy's takes every translated connection."""
    objects = iptables.EXTERNAL
    good = iptables.written(objects)
    foreign = "-A POSTROUTING -m conntrack --ctstate DNAT -j SNAT --to-source 192.168.0.2"

    differences = iptables.differences(iptables.before(good, "-A POSTROUTING ", foreign), objects)

    assert {one.kind for one in differences} == {Kind.MASQUERADE_UNEXPECTED}
    assert foreign in iptables.guilty(differences)


def test_bz_30_an_endpoint_of_this_node_is_missing_from_the_loop_back_set() -> None:
    """MODE-21: then it sees its own address as its client's."""
    cluster = ipvs.cluster_of(ipvs.INSIDE, ipvs.E1, ipvs.E2)
    good = ipvs.good(cluster)
    member = "add KUBE-LOOP-BACK 10.244.1.5,tcp:8080,10.244.1.5\n"

    report = ipvs.judged(cluster, ipvs.changed(good, "ipset", member, ""))

    assert found(report) == {(Kind.MASQUERADE_MISSING, SVC1)}


SCTP = attrs.evolve(
    ipvs.INSIDE, type=ServiceType.NODE_PORT, ports=(ServicePort("p80", "SCTP", 80, 30080, 8080),)
)


def test_bz_31_an_address_of_the_node_is_missing_from_the_set_of_sctp_node_ports() -> None:
    cluster = ipvs.cluster_of(SCTP, ipvs.E1, ipvs.E2)
    piece = attrs.evolve(
        cluster.slices[0], ports=tuple(attrs.evolve(one, protocol="SCTP") for one in cluster.slices[0].ports)
    )
    cluster = attrs.evolve(cluster, slices=(piece,))
    good = ipvs.good(cluster)
    member = "add KUBE-NODE-PORT-SCTP-HASH 192.168.0.2,sctp:30080\n"

    report = ipvs.judged(cluster, ipvs.changed(good, "ipset", member, ""))

    assert ipvs.judged(cluster, good).verdict is NodeVerdict.CONFORMS
    assert {kind for kind, _ in found(report)} == {Kind.MASQUERADE_MISSING}
    assert {one.frontend for one in report.differences} == {"192.168.0.2:30080"}


def test_bz_35_servers_of_before_are_listed_and_new_ones_are_not() -> None:
    now = ipvs.cluster_of(ipvs.INSIDE, ipvs.E1, attrs.evolve(ipvs.E2, addresses=("10.244.2.9",)))
    before = ipvs.good(ipvs.cluster_of(ipvs.INSIDE, ipvs.E1, ipvs.E2))

    report = ipvs.judged(now, before)

    assert found(report) == {(Kind.STALE_TARGET, SVC1), (Kind.MISSING_TARGET, SVC1)}


def test_bz_40_a_refusal_left_over_from_iptables_mode_stands_before_the_virtual_server() -> None:
    cluster = ipvs.cluster_of(ipvs.INSIDE, ipvs.E1, ipvs.E2)
    good = ipvs.good(cluster)
    dump = good["iptables-save"]
    at = dump.index("*filter\n") + len("*filter\n")
    end = dump.index("COMMIT", at)
    refusal = (
        '-A KUBE-SERVICES -d 10.96.1.1/32 -p tcp -m comment --comment "ns1/svc1:p80 has no endpoints"'
        " -m tcp --dport 80 -j REJECT --reject-with icmp-port-unreachable\n"
    )
    jump = '-A INPUT -m comment --comment "kubernetes service portals" -j KUBE-SERVICES\n'
    bad = good | {
        "iptables-save": f"{dump[:at]}:KUBE-SERVICES - [0:0]\n{dump[at:end]}{jump}{refusal}{dump[end:]}"
    }

    report = ipvs.judged(cluster, bad)

    assert {one.service_port for one in report.differences} == {
        ServicePortName(ObjectName("ns1", "svc1"), "p80", "TCP")
    }
    assert refusal.strip() in {line.text for one in report.differences for line in one.lines}


@pytest.mark.parametrize("bug", ["BZ-47", "BZ-48"])
def test_a_service_that_came_after_the_rules_froze_is_missing(bug: str) -> None:
    """One address of the wrong family had the whole input refused; the older Services still work."""
    new = Service(
        ObjectName("ns1", bug.lower()),
        ServiceType.CLUSTER_IP,
        (ServicePort("p80", "TCP", 80, target_port=8080),),
        ("10.96.1.2",),
        external_ips=("2001:db8::1",),
    )
    piece = attrs.evolve(iptables.BOTH.slices[0], name=new.name, service=new.name)
    objects = attrs.evolve(
        iptables.BOTH, services=(*iptables.BOTH.services, new), slices=(*iptables.BOTH.slices, piece)
    )

    differences = iptables.differences(iptables.written(iptables.BOTH), objects)

    assert iptables.kinds(differences) == {(Kind.MISSING_FRONTEND, f"{new.name}:p80")}


def test_bz_52_an_address_whose_balancer_is_a_proxy_must_not_be_caught() -> None:
    """ipMode Proxy: packets to it leave the node (FWD-OBJ-04)."""
    proxied = attrs.evolve(BALANCED, ingress=(Ingress("203.0.113.10", ip_mode="Proxy"),))
    objects = iptables.cluster(proxied, iptables.E1)

    differences = iptables.differences(iptables.written(iptables.cluster(BALANCED, iptables.E1)), objects)

    assert iptables.conforms(iptables.written(objects), objects)
    assert {(one.kind, one.frontend) for one in differences} == {
        (Kind.UNEXPECTED_FRONTEND, "203.0.113.10:80")
    }


@pytest.mark.parametrize(("copies", "remarked"), [(9, 0), (10, 1), (300, 1)])
def test_bz_53_a_rule_that_is_added_over_and_over_is_remarked_on(copies: int, remarked: int) -> None:
    """BZ-54 and BZ-55 are alike. No packet fares otherwise, so the node conforms."""
    good = iptables.written(iptables.BOTH)
    rule = next(line for line in good.splitlines() if line.startswith("-A KUBE-FIREWALL "))

    dump = iptables.before(good, rule, "\n".join([rule] * (copies - 1)))
    report = check_node(evidence(dump), iptables.BOTH)

    assert report.verdict is NodeVerdict.CONFORMS
    assert remarked == len([one for one in report.warnings if f"holds this rule {copies} times" in one])
