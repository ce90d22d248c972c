"""Values that an update may leave out."""

import pytest

from model.api.carry_over import normalize_cluster_ips, patch_allocated_values
from model.api.objects import HEADLESS, ServicePort
from tests.model.api.api_cases import defaulted, numbers, with_node_ports, with_spec

ADDRESSES = ("10.0.0.7", "fd00::7")
STORED = defaulted(cluster_ip=ADDRESSES[0], cluster_ips=ADDRESSES)


def test_an_update_without_addresses_keeps_them() -> None:
    """API-PIPE-04."""
    spec = patch_allocated_values(defaulted(), STORED).spec

    assert (spec.cluster_ip, spec.cluster_ips) == (ADDRESSES[0], ADDRESSES)


def test_headless_stays_headless_when_the_address_is_left_out() -> None:
    """API-PIPE-04."""
    old = defaulted(cluster_ip=HEADLESS, cluster_ips=(HEADLESS,))

    assert patch_allocated_values(defaulted(), old) == old


def test_an_external_name_takes_over_no_address() -> None:
    """API-PRED-01."""
    new = defaulted(type="ExternalName")

    assert patch_allocated_values(new, STORED) == new


def test_node_ports_are_found_by_the_name_of_the_port() -> None:
    """API-PIPE-04: whatever else of the port has changed."""
    old = with_node_ports(
        defaulted(ServicePort("a", port=1), ServicePort("b", port=2), type="NodePort"), 30001, 30002
    )
    new = defaulted(ServicePort("b", port=7, protocol="UDP"), ServicePort("c", port=1), type="NodePort")

    assert numbers(patch_allocated_values(new, old)) == (30002, 0)


def test_a_number_that_another_port_of_the_request_has_is_not_taken_over() -> None:
    """API-PIPE-04."""
    old = with_node_ports(defaulted(ServicePort("a", port=1), type="NodePort"), 30001)
    new = with_node_ports(
        defaulted(ServicePort("a", port=1), ServicePort("b", port=2), type="NodePort"), 0, 30001
    )

    assert numbers(patch_allocated_values(new, old)) == (0, 30001)


@pytest.mark.parametrize(
    ("old_allocates", "new_allocates", "expected"), [(True, True, 30001), (True, False, 0), (False, True, 0)]
)
def test_a_load_balancer_that_wants_no_node_ports_neither_gives_nor_takes_over_any(
    old_allocates: bool, new_allocates: bool, expected: int
) -> None:
    """API-PRED-05, API-TC-05."""
    old = defaulted(type="LoadBalancer", allocate_load_balancer_node_ports=old_allocates)
    new = defaulted(type="LoadBalancer", allocate_load_balancer_node_ports=new_allocates)

    assert numbers(patch_allocated_values(new, with_node_ports(old, 30001))) == (expected,)


@pytest.mark.parametrize(("policy", "expected"), [("Local", 30009), ("Cluster", 0)])
def test_the_health_check_port_is_kept_while_it_is_needed(policy: str, expected: int) -> None:
    """API-PIPE-04, API-PRED-04."""
    old = defaulted(type="LoadBalancer", external_traffic_policy="Local", health_check_node_port=30009)
    new = defaulted(type="LoadBalancer", external_traffic_policy=policy)

    assert patch_allocated_values(new, old).spec.health_check_node_port == expected


def test_on_create_a_lone_address_fills_the_list() -> None:
    """API-PIPE-05."""
    found = normalize_cluster_ips(defaulted(cluster_ip="10.0.0.7"), None)

    assert found.spec.cluster_ips == ("10.0.0.7",)


def test_on_create_a_lone_list_stays_alone() -> None:
    """API-PIPE-05: validation refuses it."""
    lone = defaulted(cluster_ips=("10.0.0.7",))

    assert normalize_cluster_ips(lone, None) == lone


@pytest.mark.parametrize(
    ("cluster_ip", "cluster_ips", "expected"),
    [
        pytest.param("10.0.0.7", (), ADDRESSES, id="list left out"),
        pytest.param("", ADDRESSES, (), id="address cleared"),
        pytest.param("10.0.0.8", ADDRESSES, ("10.0.0.8",), id="address changed"),
        pytest.param("10.0.0.8", ("10.0.0.9",), ("10.0.0.9",), id="both changed"),
        pytest.param("10.0.0.7", ("10.0.0.7",), ("10.0.0.7",), id="list shortened"),
    ],
)
def test_on_update_the_list_follows_an_address_that_was_changed_alone(
    cluster_ip: str, cluster_ips: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    """API-PIPE-05."""
    new = with_spec(STORED, cluster_ip=cluster_ip, cluster_ips=cluster_ips)

    assert normalize_cluster_ips(new, STORED).spec.cluster_ips == expected
