"""The Endpoints object of a Service: canonical subsets, at most 1000 addresses, its labels."""

from collections.abc import Iterable

import attrs
import pytest

from model.controllers.endpoints import Offer, reconcile_endpoints, repack
from model.objects import (
    ContainerPort,
    EndpointAddress,
    EndpointPort,
    Endpoints,
    EndpointSubset,
    Pod,
    Service,
    ServicePort,
)
from tests.model.controllers.building import HTTP, HTTP_8080, WEB, a_pod, a_service

MANAGED = ("endpoints.kubernetes.io/managed-by", "endpoint-controller")
HEADLESS = ("service.kubernetes.io/headless", "")
OVER_CAPACITY = ("endpoints.kubernetes.io/over-capacity", "truncated")


def address(number: int) -> EndpointAddress:
    """That of pod N of `a_pod`."""
    pod = a_pod(number)
    return EndpointAddress(pod.ips[0], "a", "", pod.name)


def ready(*numbers: int, ports: tuple[EndpointPort, ...] = (HTTP_8080,)) -> EndpointSubset:
    return EndpointSubset(tuple(address(number) for number in numbers), (), ports)


def published(service: Service, pods: Iterable[Pod], current: Endpoints | None = None) -> Endpoints:
    found = reconcile_endpoints(service, pods, current)
    assert found is not None
    return found


def counts(endpoints: Endpoints) -> list[tuple[int, int]]:
    """How many addresses are ready and not, subset by subset."""
    return [(len(each.addresses), len(each.not_ready_addresses)) for each in endpoints.subsets]


def test_endpoints_have_the_name_of_the_service_and_say_who_made_them() -> None:
    """EPS-EP-01"""
    found = published(a_service(labels=(("team", "x"),)), [a_pod(1)])

    assert found == Endpoints(WEB, (ready(1),), (MANAGED, ("team", "x")))


def test_a_service_without_eligible_pods_has_endpoints_without_subsets() -> None:
    assert published(a_service(), [a_pod(phase="Failed")]) == Endpoints(WEB, (), (MANAGED,))


@pytest.mark.parametrize("current", [None, Endpoints(WEB, (ready(9),))])
def test_endpoints_of_a_service_without_selector_are_left_alone(
    current: Endpoints | None,
) -> None:
    """EPS-SEL-01"""
    assert current == reconcile_endpoints(a_service(selector=None), [a_pod(1)], current)


def test_unready_pods_stand_apart_and_terminating_ones_are_absent() -> None:
    """EPS-EP-02"""
    found = published(a_service(), [a_pod(1), a_pod(2, ready=False), a_pod(3, terminating=True)])

    assert found.subsets == (EndpointSubset((address(1),), (address(2),), (HTTP_8080,)),)


def test_where_unready_addresses_are_published_every_pod_is_ready() -> None:
    """EPS-EP-02: terminating ones as well, but not those that are done."""
    service = a_service(publish_not_ready_addresses=True)
    pods = [a_pod(1, ready=False), a_pod(2, ready=False, terminating=True), a_pod(3, phase="Succeeded")]

    assert published(service, pods).subsets == (ready(1, 2),)


def test_only_the_first_family_is_published() -> None:
    """EPS-EP-01: in canonical text; a pod without that family is absent."""
    service = a_service(ip_families=("IPv6", "IPv4"))

    found = published(service, [a_pod(1, ips=("10.0.0.1", "fd00:0::00a1")), a_pod(2)])

    assert ["fd00::a1"] == [each.ip for subset in found.subsets for each in subset.addresses]


@pytest.mark.parametrize(
    ("cluster_ip", "ip"), [("10.96.0.1", "10.0.0.1"), ("fd00::9", "fd00::1"), ("None", "fd00::1")]
)
def test_without_families_the_cluster_ip_tells_and_else_the_pods_first_address(
    cluster_ip: str, ip: str
) -> None:
    service = a_service(ip_families=(), cluster_ips=(cluster_ip,))

    found = published(service, [a_pod(1, ips=("fd00::1", "10.0.0.1"))])

    assert [ip] == [each.ip for subset in found.subsets for each in subset.addresses]


def test_pods_are_looked_up_without_their_node() -> None:
    """EPS-SEL-04 is about slices: Endpoints name the node, and do not ask whether it is there."""
    (subset,) = published(a_service(), [a_pod(1, node_name="gone")]).subsets

    assert "gone" == subset.addresses[0].node_name


def test_ports_that_the_same_addresses_offer_stand_together() -> None:
    """EPS-EP-04: where pod 2 does not name the second port, each port has a subset of its own."""
    service = a_service(ports=(HTTP, ServicePort("metrics", "TCP", 90, target_port="metrics")))
    named = (ContainerPort("metrics", "TCP", 9090),)
    metrics = EndpointPort("metrics", "TCP", 9090)

    together = published(service, [a_pod(1, ports=named), a_pod(3, ports=named)])
    apart = published(service, [a_pod(1, ports=named), a_pod(2, ports=())])

    assert together.subsets == (ready(1, 3, ports=(HTTP_8080, metrics)),)
    assert apart.subsets == (ready(1, 2), ready(1, ports=(metrics,)))


def test_a_pod_that_names_none_of_the_ports_is_absent() -> None:
    """EPS-PORT-03: unlike in slices."""
    service = a_service(ports=(attrs.evolve(HTTP, target_port="other"),))

    assert published(service, [a_pod(1)]).subsets == ()


@pytest.mark.parametrize(("cluster_ip", "subsets"), [("None", (ready(1, ports=()),)), ("10.96.0.9", ())])
def test_without_ports_a_headless_service_publishes_bare_addresses_and_another_none(
    cluster_ip: str, subsets: tuple[EndpointSubset, ...]
) -> None:
    """EPS-PORT-07"""
    assert published(a_service(ports=(), cluster_ips=(cluster_ip,)), [a_pod(1)]).subsets == subsets


def test_a_port_0_is_no_port() -> None:
    """EPS-EP-04: the address stays, in a subset without it; no stored Service has such a port."""
    service = a_service(ports=(attrs.evolve(HTTP, target_port=0),))

    assert published(service, [a_pod(1)]).subsets == (ready(1, ports=()),)


@pytest.mark.parametrize("order", [(True, False), (False, True)])
def test_an_address_that_is_once_unready_at_a_port_is_unready_there(order: tuple[bool, bool]) -> None:
    """EPS-EP-04"""
    offered = [Offer(("10.0.0.1", "uid"), address(1), is_ready, HTTP_8080) for is_ready in order]

    assert repack(offered) == (EndpointSubset((), (address(1),), (HTTP_8080,)),)


def test_pods_that_share_an_address_are_told_apart() -> None:
    """EPS-SEL-05: two pods in the node's network, one of them unready."""
    pods = [a_pod(1, ips=("192.168.1.4",)), a_pod(2, ips=("192.168.1.4",), ready=False)]

    assert counts(published(a_service(), pods)) == [(1, 1)]


def test_a_hostname_is_published_where_the_subdomain_is_the_service() -> None:
    """EPS-COND-04"""
    (subset,) = published(a_service(), [a_pod(1, hostname="db-0", subdomain="web")]).subsets

    assert "db-0" == subset.addresses[0].hostname


def test_endpoints_of_a_headless_service_are_labelled() -> None:
    assert HEADLESS in published(a_service(cluster_ips=("None",)), []).labels


def test_a_label_of_headless_services_is_not_copied_from_another() -> None:
    found = published(a_service(labels=((HEADLESS[0], ""), ("team", "x"))), [])

    assert dict(found.labels).keys() >= {"team"}
    assert HEADLESS[0] not in dict(found.labels)


def test_a_thousand_addresses_are_not_truncated() -> None:
    """EPS-EP-03"""
    found = published(a_service(), [a_pod(number) for number in range(1, 1001)])

    assert ([(1000, 0)], ()) == (counts(found), found.annotations)


def test_of_more_than_a_thousand_unready_addresses_go_first() -> None:
    """EPS-EP-03: 600 ready and 500 not leave room for 400 of these."""
    pods = [a_pod(number, ready=number <= 600) for number in range(1, 1101)]

    found = published(a_service(), pods)

    assert ([(600, 400)], (OVER_CAPACITY,)) == (counts(found), found.annotations)


def test_of_more_than_a_thousand_ready_addresses_each_subset_keeps_its_proportion() -> None:
    """EPS-EP-03: of 900 and 600 a thousand keep 600 and 400, and no unready one stays."""
    service = a_service(ports=(attrs.evolve(HTTP, target_port="http"),))
    other = (ContainerPort("http", "TCP", 9090),)
    pods = [a_pod(number) for number in range(1, 901)]
    pods += [a_pod(number, ports=other) for number in range(901, 1501)]
    pods.append(a_pod(1501, ready=False))

    found = published(service, pods)

    assert ([(600, 0), (400, 0)], (OVER_CAPACITY,)) == (counts(found), found.annotations)


def test_the_mark_of_truncation_goes_when_it_is_true_no_more() -> None:
    """EPS-EP-03: other annotations stay."""
    current = Endpoints(WEB, (ready(1),), (MANAGED,), (OVER_CAPACITY, ("mine", "1")))

    assert (("mine", "1"),) == published(a_service(), [a_pod(1)], current).annotations


def test_endpoints_that_say_the_same_are_left_as_they_are() -> None:
    """Whatever the order they are written in."""
    current = Endpoints(WEB, (ready(2, 1),), (MANAGED,), (("mine", "1"),))

    assert current is reconcile_endpoints(a_service(), [a_pod(1), a_pod(2)], current)


@pytest.mark.parametrize(
    "labels", [(), (MANAGED, ("stray", "x")), (("endpoints.kubernetes.io/managed-by", "me"),)]
)
def test_labels_are_put_right_even_where_addresses_are(labels: tuple[tuple[str, str], ...]) -> None:
    current = Endpoints(WEB, (ready(1),), labels)

    assert (MANAGED,) == published(a_service(), [a_pod(1)], current).labels


def test_endpoints_that_somebody_wrote_are_overwritten() -> None:
    current = Endpoints(WEB, (ready(9),), (MANAGED,))

    assert (ready(1),) == published(a_service(), [a_pod(1)], current).subsets
