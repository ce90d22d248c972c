"""Bugs of the past whose rules are those of another state are found at the Service whose state it is.

Beside them are two that are no difference: the rules do what the objects say, whoever wrote those.
docs/bugs.md lists all.
"""

from pathlib import Path

import attrs
import pytest

from model.objects import Cluster, EndpointSlice, ObjectName, Service
from model.outcome import Verdict
from model.packet import Origin
from oracle.bundle import EvidenceFile, read_bundle
from oracle.check import check_node
from oracle.findings import Kind, NodeReport, NodeVerdict
from tests.older_rules import evidence
from tests.oracle import test_bug_scenarios as iptables
from tests.oracle import test_ipvs_bugs as ipvs

DUMPS = Path(__file__).parent.parent / "dumps"
SVC1 = "ns1/svc1:p80"
E1 = iptables.E1


def found(report: NodeReport) -> set[tuple[Kind, str]]:
    return {(one.kind, str(one.service_port or "")) for one in report.differences}


@pytest.mark.parametrize("listing", ["table ip kube-proxy {\n}\n", "table inet host {\n}\n"])
def test_bz_34_a_kernel_that_refuses_every_rule_leaves_the_table_empty_or_absent(listing: str) -> None:
    """FWD-OBJ-03: no Service is served, and that is one finding."""
    bundle = read_bundle(DUMPS / "bugs/BZ-43-firewall-after-dnat/good")
    (node,) = bundle.nodes
    assert bundle.cluster is not None
    refused = attrs.evolve(node, rules=(EvidenceFile("nodes/n1/nft", listing.encode()),))

    (difference,) = check_node(refused, bundle.cluster).differences

    assert (difference.kind, difference.service_port) == (Kind.MISSING_FRONTEND, None)
    assert [str(one) for one in difference.also] == [SVC1]


def moved(piece: EndpointSlice, address: str) -> EndpointSlice:
    endpoints = tuple(attrs.evolve(one, addresses=(address,)) for one in piece.endpoints)
    return attrs.evolve(piece, endpoints=endpoints)


def test_bz_36_an_api_server_that_is_gone_is_kept() -> None:
    """The slice of default/kubernetes has another address by now."""
    bundle = read_bundle(DUMPS / "only-kubernetes.iptables")
    assert bundle.cluster is not None
    of_api = ObjectName("default", "kubernetes")
    slices = tuple(
        moved(one, "10.32.1.99") if one.service == of_api else one for one in bundle.cluster.slices
    )

    report = check_node(bundle.nodes[0], attrs.evolve(bundle.cluster, slices=slices))

    assert check_node(bundle.nodes[0], bundle.cluster).verdict is NodeVerdict.CONFORMS
    assert found(report) == {
        (Kind.STALE_TARGET, "default/kubernetes:https"),
        (Kind.MISSING_TARGET, "default/kubernetes:https"),
    }


def test_bz_37_of_three_nodes_those_that_went_deaf_are_told_from_the_one_that_did_not() -> None:
    bundle = read_bundle(DUMPS / "stale-pod-deleted.iptables")
    cluster = bundle.cluster
    assert cluster is not None

    reports = [check_node(node, cluster) for node in bundle.nodes]

    assert [(one.node, Kind.STALE_TARGET in {kind for kind, _ in found(one)}) for one in reports] == [
        ("node-a", True),
        ("node-b", True),
        ("node-c", False),
    ]


def test_bz_38_an_endpoint_that_was_removed_is_kept() -> None:
    differences = iptables.differences(iptables.written(iptables.BOTH), iptables.cluster(iptables.PLAIN, E1))

    (stale,) = differences
    assert (stale.kind, str(stale.service_port)) == (Kind.STALE_TARGET, SVC1)
    assert stale.lines[-1].text.endswith("--to-destination 10.244.2.5:8080")


def test_bz_41_rules_of_a_kube_proxy_that_left_are_judged_without_its_configuration() -> None:
    """Its rules catch cluster IPs ahead of whatever replaced it."""
    left = evidence(iptables.written(iptables.BOTH), with_config=False)

    report = check_node(left, iptables.cluster(iptables.PLAIN, E1))

    assert (Kind.STALE_TARGET, SVC1) in found(report)


def test_bz_49_a_cluster_ip_of_ipv6_has_no_virtual_server() -> None:
    six = attrs.evolve(ipvs.INSIDE, cluster_ips=("fd00:10:96::1",), ip_families=("IPv6",))
    endpoint = attrs.evolve(ipvs.E1, addresses=("fd00:10:244:1::5",))
    cluster = ipvs.cluster_of(six, endpoint)
    cluster = attrs.evolve(cluster, slices=(attrs.evolve(cluster.slices[0], address_type="IPv6"),))
    good = ipvs.good(cluster, listed=True)
    kept = [line for line in good["ipvsadm"].splitlines(keepends=True) if "[fd00:" not in line]
    assert len(kept) == len(good["ipvsadm"].splitlines()) - 2

    report = ipvs.judged(cluster, good | {"ipvsadm": "".join(kept)})

    assert ipvs.judged(cluster, good).differences == ()
    assert {(one.kind, one.frontend) for one in report.differences} == {
        (Kind.MISSING_FRONTEND, "[fd00:10:96::1]:80")
    }


def test_bz_14_a_pod_outside_the_ranges_is_shut_out_and_that_is_right() -> None:
    """FWD-LBSR-01: ranges hold for pods as for anybody."""
    balanced = attrs.evolve(ipvs.BALANCED, load_balancer_source_ranges=("198.51.100.0/24",))
    objects = iptables.cluster(balanced, E1)
    dump = iptables.written(objects)

    assert iptables.conforms(dump, objects)
    assert iptables.verdict(evidence(dump), "10.244.1.7", "203.0.113.10", 80, Origin.WIRE) is Verdict.DROP


def claiming(address: str) -> Service:
    return attrs.evolve(iptables.NODE_PORT, external_ips=(address,))


@pytest.mark.parametrize("address", ["8.8.8.8", "192.168.0.3"], ids=["anywhere", "another node"])
def test_bz_45_an_address_that_a_service_claims_is_caught_and_that_is_right(address: str) -> None:
    """CVE-2020-8554, FWD-OBJ-03: the objects say so; who may write them is not asked."""
    objects = iptables.cluster(claiming(address), E1)
    dump = iptables.written(objects)

    assert iptables.conforms(dump, objects)
    assert iptables.verdict(evidence(dump), "10.244.1.7", address, 80, Origin.WIRE) is Verdict.DNAT


def test_bz_46_an_endpoint_written_by_hand_is_served_whosever_pod_it_is_and_that_is_right() -> None:
    """CVE-2021-25740: ns2 lists, by hand, the address of the pod behind ns1/svc1."""
    name = ObjectName("ns2", "thief")
    thief = attrs.evolve(iptables.PLAIN, name=name, cluster_ips=("10.96.1.9",))
    of_ns1 = iptables.cluster(iptables.PLAIN, E1)
    by_hand = attrs.evolve(of_ns1.slices[0], name=name, service=name)
    objects: Cluster = attrs.evolve(
        of_ns1, services=(*of_ns1.services, thief), slices=(*of_ns1.slices, by_hand)
    )
    dump = iptables.written(objects)

    assert iptables.conforms(dump, objects)
    assert iptables.verdict(evidence(dump), "10.244.1.7", "10.96.1.9", 80, Origin.WIRE) is Verdict.DNAT
