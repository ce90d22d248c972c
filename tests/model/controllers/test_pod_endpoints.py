"""Which pods are endpoints, under which conditions and at which ports."""

import attrs
import pytest

from model.addresses import Family
from model.controllers.ip_text import read_ip
from model.controllers.pod_endpoints import (
    address_types,
    endpoint_ports,
    find_port,
    is_eligible,
    is_managed,
    pod_endpoint,
    selects,
)
from model.objects import ContainerPort, EndpointPort, ObjectName, ServicePort, ServiceType
from tests.model.controllers.building import HTTP, NODES, a_pod, a_service, an_endpoint


@pytest.mark.parametrize(
    ("change", "managed"),
    [({}, True), ({"selector": None}, False), ({"type": ServiceType.EXTERNAL_NAME}, False)],
)
def test_controllers_manage_services_with_a_selector_that_are_no_external_names(
    change: dict[str, object], managed: bool
) -> None:
    """EPS-SEL-01"""
    assert managed == is_managed(a_service(**change))


@pytest.mark.parametrize(
    ("labels", "namespace", "selected"),
    [
        ((("app", "web"), ("tier", "x")), "shop", True),
        ((("app", "web"), ("tier", "x"), ("more", "")), "shop", True),
        ((("app", "web"),), "shop", False),
        ((("app", "web"), ("tier", "y")), "shop", False),
        ((("app", "web"), ("tier", "x")), "other", False),
    ],
)
def test_a_pod_is_selected_by_all_labels_in_its_own_namespace(
    labels: tuple[tuple[str, str], ...], namespace: str, selected: bool
) -> None:
    """EPS-SEL-02"""
    service = a_service(selector=(("app", "web"), ("tier", "x")))
    pod = a_pod(labels=labels, name=ObjectName(namespace, "p"))

    assert selected == selects(service, pod)


def test_a_service_without_a_selector_selects_no_pod() -> None:
    """EPS-SEL-02: it never means all pods."""
    assert not selects(a_service(selector=None), a_pod())


@pytest.mark.parametrize(
    ("change", "in_slices", "in_endpoints"),
    [
        ({}, True, True),
        ({"phase": "Pending", "ready": False}, True, True),
        ({"phase": "Unknown"}, True, True),
        ({"terminating": True}, True, False),
        ({"phase": "Succeeded"}, False, False),
        ({"phase": "Failed", "terminating": True}, False, False),
        ({"ips": ()}, False, False),
    ],
)
def test_pods_that_are_done_or_without_ip_are_no_endpoints(
    change: dict[str, object], in_slices: bool, in_endpoints: bool
) -> None:
    """EPS-SEL-03: a terminating pod is in slices, and not in Endpoints."""
    pod = a_pod(1, **change)

    found = is_eligible(pod, include_terminating=True), is_eligible(pod, include_terminating=False)
    assert (in_slices, in_endpoints) == found


@pytest.mark.parametrize(
    ("ready", "terminating", "publish_unready", "conditions"),
    [
        (True, False, False, (True, True, False)),
        (False, False, False, (False, False, False)),
        (True, True, False, (False, True, True)),
        (False, True, False, (False, False, True)),
        (False, False, True, (True, False, False)),
        (True, True, True, (True, True, True)),
        (False, True, True, (True, False, True)),
    ],
)
def test_conditions_follow_readiness_deletion_and_the_wish_to_publish_unready_addresses(
    ready: bool, terminating: bool, publish_unready: bool, conditions: tuple[bool, bool, bool]
) -> None:
    """EPS-COND-01, EPS-COND-02: (ready, serving, terminating)."""
    service = a_service(publish_not_ready_addresses=publish_unready)

    found = pod_endpoint(service, a_pod(ready=ready, terminating=terminating), NODES["a"], "IPv4")

    assert conditions == (found.ready, found.serving, found.terminating)


def test_an_endpoint_names_its_pod_its_node_and_the_zone_of_its_node() -> None:
    """EPS-COND-04"""
    found = pod_endpoint(a_service(), a_pod(7, node_name="b"), NODES["b"], "IPv4")

    assert an_endpoint(7, node_name="b", zone="zone-b") == found


@pytest.mark.parametrize(
    ("hostname", "subdomain", "namespace", "published"),
    [
        ("db-0", "web", "shop", "db-0"),
        ("db-0", "other", "shop", None),
        ("", "web", "shop", None),
        ("db-0", "web", "elsewhere", None),
    ],
)
def test_a_hostname_is_published_where_the_subdomain_is_the_service(
    hostname: str, subdomain: str, namespace: str, published: str | None
) -> None:
    """EPS-COND-04"""
    pod = a_pod(hostname=hostname, subdomain=subdomain, name=ObjectName(namespace, "p"))

    assert published == pod_endpoint(a_service(), pod, None, "IPv4").hostname


def test_pods_in_the_nodes_network_are_endpoints_at_the_nodes_address() -> None:
    """EPS-SEL-05"""
    pod = a_pod(host_network=True, ips=("192.168.1.4",))

    assert ("192.168.1.4",) == pod_endpoint(a_service(), pod, NODES["a"], "IPv4").addresses


def test_an_endpoint_holds_the_addresses_of_its_family_alone_in_canonical_text() -> None:
    """EPS-SEL-06: two of one family both, ordered as text; 010.1.2.3 is read as 10.1.2.3."""
    pod = a_pod(ips=("9.9.9.9", "fd00:0::00a1", "010.1.2.3"))
    service = a_service()

    found = [pod_endpoint(service, pod, None, family).addresses for family in ("IPv4", "IPv6")]

    assert [("10.1.2.3", "9.9.9.9"), ("fd00::a1",)] == found


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("10.0.0.1", (Family.IPV4, "10.0.0.1")),
        ("0010.000.0.01", (Family.IPV4, "10.0.0.1")),
        ("10.0.0.256", None),
        ("10.0.0", None),
        ("10.0.0.٣", None),
        ("FD00::0:1", (Family.IPV6, "fd00::1")),
        ("::ffff:10.0.0.1", (Family.IPV4, "10.0.0.1")),
        ("::10.0.0.1", (Family.IPV6, "::a00:1")),
        ("fd00::1%eth0", None),
        ("", None),
    ],
)
def test_addresses_are_read_with_leading_zeros_and_written_canonically(
    text: str, read: tuple[Family, str] | None
) -> None:
    assert read == read_ip(text)


@pytest.mark.parametrize(
    ("change", "families"),
    [
        ({}, ("IPv4",)),
        ({"ip_families": ("IPv6", "IPv4")}, ("IPv6", "IPv4")),
        ({"ip_families": (), "cluster_ips": ("fd00::9",)}, ("IPv6",)),
        ({"ip_families": (), "cluster_ips": ("10.0.0.1",)}, ("IPv4",)),
        ({"ip_families": (), "cluster_ips": ("None",)}, ("IPv4", "IPv6")),
        ({"ip_families": (), "cluster_ips": ()}, ("IPv4", "IPv6")),
    ],
)
def test_a_service_has_slices_of_its_families(change: dict[str, object], families: tuple[str, ...]) -> None:
    """EPS-SEL-06"""
    assert families == address_types(a_service(**change))


@pytest.mark.parametrize(
    ("target", "found"), [(9000, 9000), (8080, 8080), (None, 80), ("http", 8080), ("metrics", None)]
)
def test_a_target_port_is_its_number_or_what_the_pod_calls_so(
    target: int | str | None, found: int | None
) -> None:
    """EPS-PORT-01, EPS-PORT-02: a number needs no container port; unset it is the port itself."""
    assert found == find_port(a_pod(), attrs.evolve(HTTP, target_port=target))


def test_a_named_port_is_the_first_of_that_name_and_protocol() -> None:
    """EPS-PORT-02"""
    ports = (
        ContainerPort("dns", "TCP", 53),
        ContainerPort("dns", "UDP", 5353),
        ContainerPort("dns", "UDP", 1),
    )

    found = find_port(a_pod(ports=ports), ServicePort("dns", "UDP", 53, target_port="dns"))

    assert 5353 == found


def test_a_port_that_the_pod_does_not_name_is_left_out_for_that_pod() -> None:
    """EPS-PORT-03: the others stay."""
    unknown = ServicePort("metrics", "TCP", 90, target_port="metrics")
    service = a_service(ports=(attrs.evolve(HTTP, target_port="http", app_protocol="h2c"), unknown))

    assert (EndpointPort("http", "TCP", 8080, "h2c"),) == endpoint_ports(service, a_pod())


def test_a_headless_service_without_ports_has_endpoints_without_ports() -> None:
    """EPS-PORT-07"""
    assert () == endpoint_ports(a_service(ports=(), cluster_ips=("None",)), a_pod())
