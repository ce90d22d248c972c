"""What an update wipes because the type no longer has it."""

from typing import Any

import attrs
import pytest

from model.api.objects import Ingress, LoadBalancerStatus, Service, ServicePort, ServiceStatus
from model.api.type_changes import drop_type_dependent_fields
from tests.model.api.api_cases import defaulted, numbers, with_node_ports, with_spec

ADDRESSED: dict[str, Any] = {
    "cluster_ip": "10.0.0.7",
    "cluster_ips": ("10.0.0.7",),
    "ip_families": ("IPv4",),
    "ip_family_policy": "SingleStack",
}
NODE_PORT = with_node_ports(defaulted(type="NodePort", **ADDRESSED), 30001)
BALANCER = with_node_ports(
    defaulted(
        type="LoadBalancer",
        external_traffic_policy="Local",
        health_check_node_port=30009,
        load_balancer_class="example.com/lb",
        load_balancer_source_ranges=("192.0.2.0/24",),
        load_balancer_ip="192.0.2.9",
        **ADDRESSED,
    ),
    30001,
)


def changed(old: Service, **fields: Any) -> Service:
    return drop_type_dependent_fields(with_spec(old, **fields), old)


def test_becoming_external_name_drops_addresses_and_families_and_keeps_the_rest() -> None:
    """API-TC-01, API-TC-03, API-TC-09."""
    found = changed(NODE_PORT, type="ExternalName", external_name="db.example")

    expected = with_spec(
        with_node_ports(NODE_PORT, 0),
        type="ExternalName",
        external_name="db.example",
        cluster_ip="",
        cluster_ips=(),
        ip_families=(),
        ip_family_policy=None,
        external_traffic_policy="",
    )
    assert found == expected


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("cluster_ip", "10.0.0.8"),
        ("cluster_ips", ("10.0.0.7", "fd00::7")),
        ("ip_families", ("IPv6",)),
        ("ip_family_policy", "PreferDualStack"),
    ],
)
def test_what_the_client_changed_as_well_stays_for_validation_to_refuse(field: str, value: object) -> None:
    """API-TC-01."""
    assert getattr(changed(NODE_PORT, type="ExternalName", **{field: value}).spec, field) == value


def test_node_ports_go_even_when_the_client_moved_one_to_another_port() -> None:
    """API-TC-03."""
    moved = with_node_ports(defaulted(ServicePort("other", port=81), **ADDRESSED), 30001)

    assert numbers(drop_type_dependent_fields(moved, NODE_PORT)) == (0,)


def test_a_new_node_port_stays_for_validation_to_refuse() -> None:
    """API-TC-03."""
    new = with_node_ports(with_spec(NODE_PORT, type="ClusterIP"), 30002)

    assert numbers(drop_type_dependent_fields(new, NODE_PORT)) == (30002,)


def test_between_types_with_node_ports_they_stay() -> None:
    """API-TC-05."""
    assert numbers(changed(NODE_PORT, type="LoadBalancer")) == (30001,)


def test_leaving_load_balancer_drops_its_fields_but_not_source_ranges() -> None:
    """API-TC-06, API-TC-08."""
    found = changed(BALANCER, type="ClusterIP")

    expected = with_spec(
        with_node_ports(BALANCER, 0),
        type="ClusterIP",
        health_check_node_port=0,
        load_balancer_class=None,
        allocate_load_balancer_node_ports=None,
        external_traffic_policy="",
    )
    assert found == expected


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("load_balancer_class", "example.com/other"),
        ("allocate_load_balancer_node_ports", False),
        ("health_check_node_port", 30010),
        ("external_traffic_policy", "Cluster"),
    ],
)
def test_a_balancer_field_that_the_client_changed_as_well_stays(field: str, value: object) -> None:
    """API-TC-06, API-TC-08, API-TC-09."""
    assert getattr(changed(BALANCER, type="ClusterIP", **{field: value}).spec, field) == value


def test_leaving_policy_local_drops_the_health_check_port_alone() -> None:
    """API-TC-06."""
    found = changed(BALANCER, external_traffic_policy="Cluster")

    assert found == with_spec(BALANCER, external_traffic_policy="Cluster", health_check_node_port=0)


def test_the_last_external_address_takes_the_external_policy_along() -> None:
    """API-TC-09."""
    old = defaulted(external_ips=("203.0.113.1",), external_traffic_policy="Local", **ADDRESSED)

    assert changed(old, external_ips=()).spec.external_traffic_policy == ""


@pytest.mark.parametrize(("kind", "cleared"), [("NodePort", True), ("LoadBalancer", False)])
def test_leaving_load_balancer_clears_its_status_at_once(kind: str, cleared: bool) -> None:
    """API-PIPE-03, API-TC-08."""
    status = ServiceStatus(LoadBalancerStatus((Ingress("192.0.2.1", ip_mode="VIP"),)))
    old = attrs.evolve(BALANCER, status=status)

    assert changed(old, type=kind).status == (ServiceStatus() if cleared else status)
