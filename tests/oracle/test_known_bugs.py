"""What a version of kube-proxy always did wrong is a fault of the node, told once and with the bug's id.

`tests.oracle.dialects.nftables.generations` writes one node in the layout of each version.
"""

import json

import attrs
import pytest

from model.node_config import ProxyMode
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
    ServicePortName,
    ServiceType,
    SessionAffinity,
    TrafficPolicy,
)
from model.proxy_version import KNOWN_BUGS, Quirk, quirks_of
from oracle.bundle import EvidenceFile, NodeEvidence
from oracle.check import check_node
from oracle.dialects.nftables.names import Generation
from oracle.findings import Difference, Kind, NodeReport, NodeVerdict
from oracle.node_rules import read_node
from tests.oracle.dialects.nftables.generations import FAR, HERE, THERE, kube_proxy

NODE = "10.32.1.11"
PORT = (ServicePort("", "TCP", 80, target_port=8080),)


def service(name: str, address: str, ip: str = "", **more: object) -> Service:
    kind = ServiceType.LOAD_BALANCER if ip else ServiceType.CLUSTER_IP
    ingress = (Ingress(ip),) if ip else ()
    return attrs.evolve(
        Service(ObjectName("ns", name), kind, PORT, (address,), ingress=ingress),
        **more,  # type: ignore[arg-type]
    )


def slice_of(name: str, *endpoints: Endpoint) -> EndpointSlice:
    of = ObjectName("ns", name)
    return EndpointSlice(of, of, "IPv4", endpoints, (EndpointPort("", "TCP", 8080),))


def ready(address: str, node: str) -> Endpoint:
    return Endpoint((address,), ready=True, node_name=node)


PAIR = (ready(HERE, "n1"), ready(THERE, "n2"))
CLUSTER = Cluster(
    (
        service(
            "web",
            "10.96.0.1",
            "192.0.2.10",
            ports=(attrs.evolve(PORT[0], node_port=30080),),
            load_balancer_source_ranges=("203.0.113.0/24",),
        ),
        service("far", "10.96.0.2", "192.0.2.20", external_traffic_policy=TrafficPolicy.LOCAL),
        service("dead", "10.96.0.3"),
        service("sticky", "10.96.0.4", session_affinity=SessionAffinity.CLIENT_IP, affinity_seconds=60),
    ),
    (slice_of("web", *PAIR), slice_of("far", ready(FAR, "n2")), slice_of("sticky", *PAIR)),
    nodes=(Node("n1", (("InternalIP", NODE),), ("10.244.0.0/24",)),),
    service_cidrs=("10.96.0.0/16",),
)
CONFIG = b"""
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: nftables
clusterCIDR: 10.244.0.0/16
"""
IP_ADDR = json.dumps(
    [{"ifname": "eth0", "addr_info": [{"family": "inet", "local": NODE, "prefixlen": 24}]}]
).encode()


def evidence(generation: Generation) -> NodeEvidence:
    rules = (EvidenceFile("nodes/n1/nft", kube_proxy(generation).encode()),)
    return NodeEvidence("n1", rules, ("kube-proxy-config", CONFIG), ("ip-addr.json", IP_ADDR))


def judged(generation: Generation) -> NodeReport:
    return check_node(evidence(generation), CLUSTER)


def of_bug(report: NodeReport, bug: str) -> list[Difference]:
    return [one for one in report.differences if bug in one.cites]


def test_bz_43_no_source_range_is_ever_enforced() -> None:
    """1.29: the firewall hangs in INPUT and FORWARD, behind the translation."""
    (found,) = of_bug(judged(Generation.FIREWALL_SETS), "BZ-43")

    assert (found.kind, found.service_port) == (
        Kind.SOURCE_RANGE,
        ServicePortName(ObjectName("ns", "web"), "", "TCP"),
    )
    assert found.frontend == "192.0.2.10:80"
    assert "FWD-LBSR-01" in found.cites


@pytest.mark.parametrize("generation", [Generation.FIREWALL_SETS, Generation.OUTPUT_POST_DNAT])
def test_bz_44_the_node_is_refused_what_it_is_short_cut_to(generation: Generation) -> None:
    """1.29 to 1.33: OUTPUT drops what has no local endpoint before it is translated."""
    (found,) = of_bug(judged(generation), "BZ-44")

    assert (found.kind, found.service_port) == (
        Kind.WRONG_VERDICT,
        ServicePortName(ObjectName("ns", "far"), "", "TCP"),
    )
    assert found.frontend == "192.0.2.20:80"
    assert "BZ-44" in found.explanation


@pytest.mark.parametrize(
    ("generation", "expected"),
    [
        (Generation.FIREWALL_SETS, ["BZ-43", "BZ-44"]),
        (Generation.OUTPUT_POST_DNAT, ["BZ-44"]),
        (Generation.MARK_CHAIN, []),
        (Generation.HAIRPIN_SET, []),
    ],
    ids=lambda one: getattr(one, "name", ""),
)
def test_each_layout_has_its_bugs_and_nothing_else(generation: Generation, expected: list[str]) -> None:
    report = judged(generation)

    assert [one.cites[-1] for one in report.differences] == expected
    assert report.verdict is (NodeVerdict.DIFFERS if expected else NodeVerdict.CONFORMS)


def test_what_services_are_promised_has_no_bugs() -> None:
    config = read_node(evidence(Generation.FIREWALL_SETS), CLUSTER).config

    assert config.mode is ProxyMode.NFTABLES
    assert config.quirks >= KNOWN_BUGS.keys()
    assert config.promised().quirks == config.quirks - KNOWN_BUGS.keys()
    assert Quirk.LATE_CHECKS in config.promised().quirks
    assert set(KNOWN_BUGS) <= quirks_of(29)
