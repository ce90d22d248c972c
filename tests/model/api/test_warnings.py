"""What is accepted with a warning, and how many warnings there are."""

from typing import Any

import attrs
import pytest

from model.api.objects import ServiceSpec
from model.api.warnings import cidr_warnings, ip_warnings, service_warnings
from tests.model.api.validation_cases import (
    CLUSTER_IP,
    DUAL_STACK,
    EXTERNAL_NAME,
    HEADLESS,
    LOAD_BALANCER,
    NODE_PORT,
    service,
)


def warned_fields(spec: ServiceSpec, **change: Any) -> list[str]:
    """The first word of each warning: the field that it is about."""
    return [one.split()[0].rstrip(":") for one in service_warnings(service(attrs.evolve(spec, **change)))]


@pytest.mark.parametrize("spec", [CLUSTER_IP, DUAL_STACK, HEADLESS, NODE_PORT, LOAD_BALANCER, EXTERNAL_NAME])
def test_an_ordinary_service_is_not_warned_about(spec: ServiceSpec) -> None:
    assert warned_fields(spec) == []


@pytest.mark.parametrize(
    ("spec", "change", "fields"),
    [
        (NODE_PORT, {"external_ips": ("203.0.113.7", "203.0.113.8")}, ["spec.externalIPs"]),
        (EXTERNAL_NAME, {"external_ips": ("203.0.113.7",)}, ["spec.externalIPs"]),
        (HEADLESS, {"external_ips": ("203.0.113.7",)}, ["spec.externalIPs"]),
        (HEADLESS, {"load_balancer_ip": "203.0.113.7"}, ["spec.loadBalancerIP"]),
        (HEADLESS, {"session_affinity": "ClientIP"}, ["spec.sessionAffinity"]),
        (CLUSTER_IP, {"external_name": "db.example.com"}, ["spec.externalName"]),
        (CLUSTER_IP, {"session_affinity": "ClientIP"}, []),
        (LOAD_BALANCER, {"load_balancer_ip": "203.0.113.7"}, []),
        (LOAD_BALANCER, {"load_balancer_ip": "203.0.113.07"}, ["spec.loadBalancerIP"]),
        (LOAD_BALANCER, {"load_balancer_ip": "any text"}, []),
        (CLUSTER_IP, {"traffic_distribution": "PreferClose"}, ["spec.trafficDistribution"]),
        (CLUSTER_IP, {"traffic_distribution": "PreferSameZone"}, []),
        (DUAL_STACK, {"cluster_ips": ("10.96.0.10", "FD00::10")}, ["spec.clusterIPs[1]"]),
        (NODE_PORT, {"external_ips": ("FD00::7",)}, ["spec.externalIPs[0]", "spec.externalIPs"]),
        (
            LOAD_BALANCER,
            {"load_balancer_source_ranges": ("10.0.0.0/8", "10.0.0.1/8")},
            ["spec.loadBalancerSourceRanges[1]"],
        ),
    ],
)
def test_a_field_that_does_nothing_or_not_for_long_is_warned_about(
    spec: ServiceSpec, change: dict[str, Any], fields: list[str]
) -> None:
    """API-F-14, API-F-15, API-F-16, API-F-20, API-F-26, API-F-31."""
    assert fields == warned_fields(spec, **change)


@pytest.mark.parametrize(("key", "count"), [("topology-aware-hints", 1), ("topology-mode", 0)])
def test_only_the_older_topology_annotation_is_deprecated(key: str, count: int) -> None:
    """API-F-28."""
    annotated = service(annotations=((f"service.kubernetes.io/{key}", "Auto"),))

    assert count == len(service_warnings(annotated))


def test_a_fault_that_was_there_before_warns_again() -> None:
    old = service(attrs.evolve(CLUSTER_IP, traffic_distribution="PreferClose"))

    assert service_warnings(old) == service_warnings(old, old)
    assert len(service_warnings(old, old)) == 1


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("10.0.0.1", 0),
        ("fd00::1", 0),
        ("010.0.0.1", 1),
        ("::ffff:10.0.0.1", 1),
        ("FD00::1", 1),
        ("fd00:0::1", 1),
        ("foo", 0),
    ],
)
def test_an_address_in_an_odd_form_is_warned_about_once(text: str, count: int) -> None:
    """API-F-31."""
    assert count == len(list(ip_warnings("ip", text)))


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("10.0.0.0/8", 0),
        ("fd00::/64", 0),
        ("10.0.0.1/8", 1),
        ("010.0.0.0/8", 1),
        ("010.0.0.1/8", 2),
        ("10.0.0.0/08", 1),
        ("::ffff:10.0.0.0/104", 1),
        ("FD00::/64", 1),
        ("FD00::1/64", 1),
        (" 10.0.0.1/8", 0),
    ],
)
def test_a_cidr_is_warned_about_host_bits_and_odd_form(text: str, count: int) -> None:
    """API-F-31: a spelling other than the canonical one is told only when nothing else is wrong."""
    assert count == len(list(cidr_warnings("cidr", text)))
