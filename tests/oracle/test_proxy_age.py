"""Whose reading of hints the rules are judged by: the Node's word, the kubelet's, or the rules' own."""

import attrs
import pytest

from benchmarks.kube_proxy_rules import write_iptables
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
from oracle.check import check_node
from oracle.findings import Kind, NodeReport
from oracle.node_rules import read_node
from tests.older_rules import evidence

HERE = Endpoint(("10.244.1.5",), ready=True, node_name="n1", node_hints=("n1",))
FAR = Endpoint(("10.244.2.5",), ready=True, node_name="n2", node_hints=("n2",))
OLDER = "read off the rules: endpoints are chosen as by kube-proxy 1.31 to 1.33"
NEWER = "read off the rules: endpoints are chosen as by kube-proxy 1.34 or newer"
FROM_KUBELET = "kube-proxy's version is not given: the kubelet's is taken, 1.36"


def objects(*hinted: bool, version: str = "", kubelet: str = "") -> Cluster:
    """Services s0, s1, ... with an endpoint on each node; those not hinted here have no hints."""
    services, slices = [], []
    for index, has_hints in enumerate(hinted):
        name = ObjectName("shop", f"s{index}")
        cluster_ip = f"10.96.0.{10 + index}"
        services.append(Service(name, ServiceType.CLUSTER_IP, (ServicePort("", "TCP", 80),), (cluster_ip,)))
        endpoints = [HERE, FAR] if has_hints else [attrs.evolve(one, node_hints=()) for one in (HERE, FAR)]
        port = EndpointPort("", "TCP", 8080)
        slices.append(EndpointSlice(name, name, "IPv4", tuple(endpoints), (port,)))
    node = Node("n1", (("InternalIP", "192.168.0.2"),), kube_proxy_version=version, kubelet_version=kubelet)
    return Cluster(tuple(services), tuple(slices), nodes=(node,))


def judged(*obeyed: bool, version: str = "", kubelet: str = "") -> NodeReport:
    """All services are hinted, and the rules obey the hints of some."""
    as_applied = objects(*obeyed)
    config = read_node(evidence("*nat\nCOMMIT\n"), as_applied).config
    dump = write_iptables(as_applied, config, Family.IPV4)
    return check_node(evidence(dump), objects(*[True] * len(obeyed), version=version, kubelet=kubelet))


def found(report: NodeReport) -> set[tuple[Kind, str]]:
    return {(one.kind, str(one.service_port)) for one in report.differences}


@pytest.mark.parametrize(
    ("obeyed", "said"), [((True, True), NEWER), ((False, False), OLDER), ((False,), OLDER)]
)
def test_without_a_version_the_rules_tell_it(obeyed: tuple[bool, ...], said: str) -> None:
    """A kube-proxy of 1.33 ignores node hints, and that is no fault of the node's."""
    report = judged(*obeyed)

    assert (report.differences, report.assumptions) == ((), (said,))


def test_what_most_services_show_is_the_version() -> None:
    report = judged(True, True, False)

    assert found(report) == {(Kind.INELIGIBLE_TARGET, "shop/s2")}
    assert report.assumptions == (NEWER,)


def test_version_that_the_node_gives_is_not_doubted() -> None:
    report = judged(False, False, version="v1.36.2")

    assert found(report) == {(Kind.INELIGIBLE_TARGET, "shop/s0"), (Kind.INELIGIBLE_TARGET, "shop/s1")}
    assert report.assumptions == ()


def test_older_version_that_the_node_gives_is_obeyed() -> None:
    assert (judged(False, version="v1.33.1").differences, found(judged(True, version="v1.33.1"))) == (
        (),
        {(Kind.MISSING_TARGET, "shop/s0")},
    )


def test_version_of_the_kubelet_stands_for_a_single_service() -> None:
    """One service may as well be at fault; the assumption is said beside it."""
    report = judged(False, kubelet="v1.36.0")

    assert found(report) == {(Kind.INELIGIBLE_TARGET, "shop/s0")}
    assert report.assumptions == (FROM_KUBELET,)


def test_version_of_the_kubelet_gives_way_to_what_several_services_show() -> None:
    report = judged(False, False, kubelet="v1.36.0")

    assert (report.differences, report.assumptions) == ((), (OLDER,))


def test_version_that_cannot_have_written_these_rules_is_not_believed() -> None:
    """Rules that count with nfacct are of 1.31 at least."""
    report = judged(True, True, version="v1.20.0")

    assert (report.differences, report.assumptions) == ((), (NEWER,))
