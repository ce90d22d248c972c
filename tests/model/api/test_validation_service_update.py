"""What may change in a Service and in its status, and which stored values stay exempt."""

from typing import Any

import attrs
import pytest

from model.api.objects import (
    Condition,
    Ingress,
    LoadBalancerStatus,
    Service,
    ServiceSpec,
    ServiceStatus,
)
from model.api.validation.service import validate_service_update, validate_status_update
from tests.model.api.validation_cases import (
    BEFORE_STRICT_TEXT,
    CLUSTER_IP,
    DUAL_STACK,
    EXTERNAL_NAME,
    GATES,
    HEADLESS,
    LOAD_BALANCER,
    NODE_PORT,
    found,
    service,
)

SOURCE_RANGES = "service.beta.kubernetes.io/load-balancer-source-ranges"
LOCAL = attrs.evolve(LOAD_BALANCER, external_traffic_policy="Local", health_check_node_port=30001)


def refusals(old: ServiceSpec, new: ServiceSpec, /, **change: Any) -> list[str]:
    return found(validate_service_update(service(attrs.evolve(new, **change)), service(old), GATES))


@pytest.mark.parametrize(
    "spec", [CLUSTER_IP, DUAL_STACK, HEADLESS, NODE_PORT, LOAD_BALANCER, LOCAL, EXTERNAL_NAME]
)
def test_an_unchanged_service_is_accepted(spec: ServiceSpec) -> None:
    assert refusals(spec, spec) == []


def test_metadata_is_checked_and_the_form_of_the_name_is_not() -> None:
    """API-F-01."""
    old = service(name="Old_Name")
    renamed, spoilt = service(name="Other_Name"), service(name="Old_Name", labels=(("a b", ""),))

    actual = [found(validate_service_update(new, old, GATES)) for new in (old, renamed, spoilt)]
    assert [[], ["metadata.name INVALID"], ["metadata.labels INVALID"]] == actual


def test_a_fault_of_the_new_spec_is_found_as_on_creation() -> None:
    assert ["spec.ports REQUIRED"] == refusals(CLUSTER_IP, CLUSTER_IP, ports=())


@pytest.mark.parametrize(
    ("old", "new", "change", "errors"),
    [
        (
            CLUSTER_IP,
            CLUSTER_IP,
            {"cluster_ip": "10.96.0.11", "cluster_ips": ("10.96.0.11",)},
            ["spec.clusterIPs[0] INVALID"],
        ),
        (CLUSTER_IP, CLUSTER_IP, {"cluster_ip": "", "cluster_ips": ()}, ["spec.clusterIPs[0] INVALID"]),
        (CLUSTER_IP, HEADLESS, {}, ["spec.clusterIPs[0] INVALID"]),
        (HEADLESS, CLUSTER_IP, {}, ["spec.clusterIPs[0] INVALID"]),
        (
            CLUSTER_IP,
            EXTERNAL_NAME,
            {},
            [],
        ),
        (EXTERNAL_NAME, CLUSTER_IP, {}, []),
        (EXTERNAL_NAME, HEADLESS, {}, []),
        (CLUSTER_IP, NODE_PORT, {}, []),
        (CLUSTER_IP, DUAL_STACK, {}, []),
        (DUAL_STACK, CLUSTER_IP, {}, []),
        (
            DUAL_STACK,
            CLUSTER_IP,
            {"ip_family_policy": "PreferDualStack"},
            ["spec.ipFamilyPolicy INVALID"] * 2,
        ),
        (
            DUAL_STACK,
            DUAL_STACK,
            {"cluster_ips": ("10.96.0.10", "fd00::11")},
            ["spec.clusterIPs[1] INVALID"],
        ),
        (
            DUAL_STACK,
            CLUSTER_IP,
            {"cluster_ip": "fd00::10", "cluster_ips": ("fd00::10",), "ip_families": ("IPv6",)},
            ["spec.clusterIPs[0] INVALID", "spec.ipFamilies[0] INVALID"],
        ),
        (
            CLUSTER_IP,
            DUAL_STACK,
            {
                "cluster_ip": "fd00::10",
                "cluster_ips": ("fd00::10", "10.96.0.10"),
                "ip_families": ("IPv6", "IPv4"),
            },
            ["spec.clusterIPs[0] INVALID", "spec.ipFamilies[0] INVALID"],
        ),
        (
            DUAL_STACK,
            DUAL_STACK,
            {
                "cluster_ip": "fd00::10",
                "cluster_ips": ("fd00::10", "10.96.0.10"),
                "ip_families": ("IPv6", "IPv4"),
            },
            [
                "spec.clusterIPs[0] INVALID",
                "spec.clusterIPs[1] INVALID",
                "spec.ipFamilies[0] INVALID",
                "spec.ipFamilies[0] INVALID",
            ],
        ),
        (HEADLESS, HEADLESS, {"ip_families": ("IPv6",)}, []),
        (HEADLESS, HEADLESS, {"ip_families": ("IPv6", "IPv4"), "ip_family_policy": "PreferDualStack"}, []),
    ],
)
def test_the_primary_address_stays_and_the_secondary_goes_only_by_single_stack(
    old: ServiceSpec, new: ServiceSpec, change: dict[str, Any], errors: list[str]
) -> None:
    """API-DS-06, API-DS-08, API-TC-10."""
    assert errors == refusals(old, new, **change)


def test_families_are_gone_with_the_last_address() -> None:
    """API-DS-06: one error for each of the two."""
    actual = refusals(CLUSTER_IP, CLUSTER_IP, cluster_ip="", cluster_ips=(), ip_families=())

    assert ["spec.clusterIPs[0] INVALID", "spec.ipFamilies[0] INVALID"] == actual


@pytest.mark.parametrize(
    ("old_class", "new_spec", "new_class", "errors"),
    [
        ("a.b/c", LOAD_BALANCER, "a.b/c", []),
        ("a.b/c", LOAD_BALANCER, "a.b/d", ["spec.loadBalancerClass INVALID"]),
        ("a.b/c", LOAD_BALANCER, None, ["spec.loadBalancerClass INVALID"]),
        (None, LOAD_BALANCER, "a.b/c", ["spec.loadBalancerClass INVALID"]),
        ("a.b/c", NODE_PORT, None, []),
        ("a.b/c", NODE_PORT, "a.b/c", ["spec.loadBalancerClass FORBIDDEN"] * 2),
    ],
)
def test_the_class_stays_while_the_type_does(
    old_class: str | None, new_spec: ServiceSpec, new_class: str | None, errors: list[str]
) -> None:
    """API-F-18, API-TC-08."""
    old = attrs.evolve(LOAD_BALANCER, load_balancer_class=old_class)

    assert errors == refusals(old, new_spec, load_balancer_class=new_class)


def test_a_class_is_first_set_with_the_type() -> None:
    """API-F-18."""
    assert refusals(NODE_PORT, LOAD_BALANCER, load_balancer_class="a.b/c") == []


def test_the_health_check_port_stays_while_it_is_needed() -> None:
    """API-F-23."""
    changed = refusals(LOCAL, LOCAL, health_check_node_port=30002)
    regained = refusals(LOAD_BALANCER, LOCAL, health_check_node_port=30002)

    assert (["spec.healthCheckNodePort FORBIDDEN"], []) == (changed, regained)


def test_stored_addresses_and_ranges_are_exempt_wherever_they_move() -> None:
    """API-F-31: an old value is exempt in its field, a new one of the same fault is not."""
    old = attrs.evolve(
        LOAD_BALANCER,
        external_ips=("203.0.113.07",),
        cluster_ip="010.96.0.1",
        cluster_ips=("010.96.0.1",),
        load_balancer_source_ranges=(" 10.0.0.1/8",),
    )
    moved = attrs.evolve(
        old,
        external_ips=("203.0.113.8", "203.0.113.07"),
        load_balancer_source_ranges=("192.168.0.0/16", "10.0.0.1/8"),
    )
    added = attrs.evolve(old, external_ips=("203.0.113.08",), load_balancer_source_ranges=("10.0.0.2/8",))

    assert refusals(old, moved) == []
    assert ["spec.LoadBalancerSourceRanges[0] INVALID", "spec.externalIPs[0] INVALID"] == refusals(old, added)


def test_a_stored_external_ip_is_still_not_a_loopback_address() -> None:
    """API-F-15: the exemption is for the text, not for what it means."""
    old = attrs.evolve(NODE_PORT, external_ips=("127.0.0.01",))

    assert ["spec.externalIPs[0] INVALID"] == refusals(old, old)


def test_stored_cluster_ips_of_no_known_family_are_told_as_such() -> None:
    """API-F-31: what once passed unread can not be paired with families."""
    old = attrs.evolve(DUAL_STACK, cluster_ip="a", cluster_ips=("a", "fd00::10"), ip_families=())

    assert ["spec.clusterIPs INTERNAL", "spec.clusterIPs INVALID"] == refusals(old, old)


def test_the_annotation_is_exempt_only_as_a_whole() -> None:
    """API-F-31."""
    old, same, longer = (
        service(LOAD_BALANCER, annotations=((SOURCE_RANGES, value),))
        for value in ("010.0.0.0/8", "010.0.0.0/8", "010.0.0.0/8,10.0.0.0/8")
    )

    actual = [found(validate_service_update(new, old, GATES)) for new in (same, longer)]
    assert [[], [f"metadata.annotations[{SOURCE_RANGES}] INVALID"]] == actual


def with_status(spec: ServiceSpec, *ingress: Ingress) -> Service:
    return attrs.evolve(service(spec), status=ServiceStatus(LoadBalancerStatus(ingress)))


@pytest.mark.parametrize(
    ("ingress", "errors"),
    [
        (Ingress(ip="203.0.113.7", ip_mode="VIP"), []),
        (Ingress(ip="203.0.113.7", ip_mode="Proxy"), []),
        (Ingress(ip="127.0.0.1", ip_mode="VIP"), []),
        (Ingress(ip="203.0.113.07", ip_mode="VIP"), ["status.loadBalancer.ingress[0].ip INVALID"]),
        (Ingress(ip="203.0.113.7"), ["status.loadBalancer.ingress[0].ipMode REQUIRED"]),
        (Ingress(ip="203.0.113.7", ip_mode="vip"), ["status.loadBalancer.ingress[0].ipMode NOT_SUPPORTED"]),
        (Ingress(ip_mode="VIP"), ["status.loadBalancer.ingress[0].ipMode FORBIDDEN"]),
        (Ingress(hostname="lb.example.com"), []),
        (Ingress(hostname="10.0.0.1"), ["status.loadBalancer.ingress[0].hostname INVALID"]),
        (Ingress(hostname="fd00::1"), ["status.loadBalancer.ingress[0].hostname INVALID"] * 2),
        (Ingress(hostname="lb_1"), ["status.loadBalancer.ingress[0].hostname INVALID"]),
    ],
)
def test_an_ingress_has_an_address_with_a_mode_or_a_name(ingress: Ingress, errors: list[str]) -> None:
    """API-F-29."""
    new, old = with_status(LOAD_BALANCER, ingress), with_status(LOAD_BALANCER)

    assert errors == found(validate_status_update(new, old, GATES))


def test_only_load_balancers_have_ingress() -> None:
    """API-F-29: nothing else is said of ingress that may not be there."""
    new, old = with_status(NODE_PORT, Ingress(ip="x")), with_status(NODE_PORT)

    assert ["status.loadBalancer.ingress FORBIDDEN"] == found(validate_status_update(new, old, GATES))


def test_stored_ingress_addresses_are_exempt() -> None:
    """API-F-31."""
    stored = Ingress(ip="203.0.113.07", ip_mode="VIP")
    old = with_status(LOAD_BALANCER, stored)
    new = with_status(LOAD_BALANCER, Ingress(ip="203.0.113.8", ip_mode="VIP"), stored)

    assert validate_status_update(new, old, GATES) == ()


def test_a_status_write_is_not_asked_about_the_spec() -> None:
    """API-PIPE-03, API-F-30."""
    status = ServiceStatus(conditions=(Condition(type="anything at all", status="?"),))
    new = attrs.evolve(service(attrs.evolve(CLUSTER_IP, ports=())), status=status)

    assert validate_status_update(new, service(), GATES) == ()


def test_a_status_write_is_asked_about_metadata() -> None:
    errors = validate_status_update(service(labels=(("a b", ""),)), service(), BEFORE_STRICT_TEXT)

    assert ["metadata.labels INVALID"] == found(errors)
