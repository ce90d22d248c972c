"""What may not change, and objects other than Services: each refusal repeats the value at fault."""

from collections.abc import Iterable
from typing import Any

import attrs
import pytest

from model.api.objects import (
    Ingress,
    IPAddress,
    IPAddressSpec,
    LoadBalancerStatus,
    Metadata,
    ParentReference,
    ServiceCIDR,
    ServiceCIDRSpec,
    ServiceSpec,
)
from model.api.refusal import FieldError
from model.api.validation.cluster_ips import cluster_ip_change_errors, ip_family_change_errors
from model.api.validation.ip_address import validate_ip_address_create, validate_ip_address_update
from model.api.validation.load_balancer import load_balancer_status_errors, source_range_errors
from model.api.validation.service_cidr import validate_service_cidr_create, validate_service_cidr_update
from tests.model.api.validation_cases import CLUSTER_IP, DUAL_STACK, GATES, HEADLESS, LOAD_BALANCER, service

V4, V6 = "10.96.0.0/16", "fd00:10:96::/112"
FOUR, SIX, BOTH = "10.96.0.10", "fd00::10", ("10.96.0.10", "fd00::10")
NO_IP = "must be a valid IP address, such as 10.9.8.7 or 2001:db8::ffff"
NO_CIDR = "must be a valid CIDR, such as 10.9.8.0/24 or 2001:db8::/64"
NO_SUBDOMAIN = "must be a DNS subdomain (RFC 1123)"
STAYS = "may not change once set"
PARENT = ParentReference("", "services", "shop", "web")


def texts(errors: Iterable[FieldError]) -> list[str]:
    return [f"{one.type.name} {one}" for one in errors]


def with_ips(spec: ServiceSpec, *ips: str) -> ServiceSpec:
    return attrs.evolve(spec, cluster_ip=ips[0] if ips else "", cluster_ips=ips)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (CLUSTER_IP, CLUSTER_IP, []),
        (CLUSTER_IP, DUAL_STACK, []),
        (CLUSTER_IP, with_ips(CLUSTER_IP, SIX), [f"INVALID spec.clusterIPs[0]: ('{SIX}',): {STAYS}"]),
        (
            DUAL_STACK,
            with_ips(DUAL_STACK, FOUR, "fd00::11"),
            [f"INVALID spec.clusterIPs[1]: ('{FOUR}', 'fd00::11'): {STAYS}"],
        ),
        (
            DUAL_STACK,
            with_ips(DUAL_STACK, SIX, FOUR),
            [
                f"INVALID spec.clusterIPs[0]: ('{SIX}', '{FOUR}'): {STAYS}",
                f"INVALID spec.clusterIPs[1]: ('{SIX}', '{FOUR}'): {STAYS}",
            ],
        ),
        (
            CLUSTER_IP,
            with_ips(CLUSTER_IP),
            ["INVALID spec.clusterIPs[0]: (): primary clusterIP can not be unset"],
        ),
        (
            CLUSTER_IP,
            with_ips(DUAL_STACK, SIX, FOUR),
            [f"INVALID spec.clusterIPs[0]: ('{SIX}', '{FOUR}'): {STAYS}"],
        ),
        (
            DUAL_STACK,
            with_ips(DUAL_STACK, FOUR),
            [
                "INVALID spec.ipFamilyPolicy: 'RequireDualStack': "
                "must be 'SingleStack' when releasing the secondary clusterIP"
            ],
        ),
        (DUAL_STACK, with_ips(CLUSTER_IP, FOUR), []),
        (HEADLESS, CLUSTER_IP, [f"INVALID spec.clusterIPs[0]: ('{FOUR}',): {STAYS}"]),
    ],
)
def test_a_change_of_addresses(old: ServiceSpec, new: ServiceSpec, expected: list[str]) -> None:
    """API-DS-06: the first address stays, and a second one goes by SingleStack only."""
    assert texts(cluster_ip_change_errors(service(new), service(old))) == expected


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (CLUSTER_IP, DUAL_STACK, []),
        (
            CLUSTER_IP,
            attrs.evolve(CLUSTER_IP, ip_families=("IPv6",)),
            [f"INVALID spec.ipFamilies[0]: ('IPv6',): {STAYS}"],
        ),
        (
            DUAL_STACK,
            attrs.evolve(DUAL_STACK, ip_families=("IPv6", "IPv4")),
            [f"INVALID spec.ipFamilies[0]: ('IPv6', 'IPv4'): {STAYS}"] * 2,
        ),
        (
            DUAL_STACK,
            attrs.evolve(DUAL_STACK, ip_families=("IPv6",)),
            [
                f"INVALID spec.ipFamilies[0]: ('IPv6',): {STAYS}",
                "INVALID spec.ipFamilyPolicy: 'RequireDualStack': "
                "must be 'SingleStack' when releasing the secondary ipFamily",
            ],
        ),
        (
            CLUSTER_IP,
            attrs.evolve(with_ips(CLUSTER_IP), ip_families=()),
            ["INVALID spec.ipFamilies[0]: (): primary ipFamily can not be unset"],
        ),
    ],
)
def test_a_change_of_families(old: ServiceSpec, new: ServiceSpec, expected: list[str]) -> None:
    """API-DS-06, by the same rule."""
    assert texts(ip_family_change_errors(service(new), service(old))) == expected


@pytest.mark.parametrize(
    ("cidrs", "expected"),
    [
        ((V6, V4), []),
        ((), ["REQUIRED spec.cidrs: at least one CIDR required"]),
        (
            (V4, V6, "10.97.0.0/16"),
            [f"INVALID spec.cidrs: ('{V4}', '{V6}', '10.97.0.0/16'): may hold at most 2 values"],
        ),
        (
            (V4, "10.97.0.0/16"),
            [f"INVALID spec.cidrs: ('{V4}', '10.97.0.0/16'): may hold at most one CIDR of each IP family"],
        ),
        ((V4, "x"), [f"INVALID spec.cidrs[1]: 'x': {NO_CIDR}"]),
    ],
)
def test_a_new_range(cidrs: tuple[str, ...], expected: list[str]) -> None:
    """ALLOC-IP-01"""
    assert texts(validate_service_cidr_create(ranges(*cidrs))) == expected


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ((V4,), (V4, V6), []),
        ((V4, V6), (V4,), [f"INVALID spec.cidrs: ('{V4}',): must not change"]),
        ((V4,), (V6,), [f"INVALID spec.cidrs[0]: '{V6}': must not change"]),
    ],
)
def test_a_change_of_a_range(old: tuple[str, ...], new: tuple[str, ...], expected: list[str]) -> None:
    assert texts(validate_service_cidr_update(ranges(*new), ranges(*old))) == expected


def ranges(*cidrs: str) -> ServiceCIDR:
    return ServiceCIDR(Metadata(name="more", resource_version="1"), ServiceCIDRSpec(cidrs))


@pytest.mark.parametrize(
    ("name", "parent", "expected"),
    [
        (FOUR, PARENT, []),
        ("web", PARENT, [f"INVALID metadata.name: 'web': {NO_IP}"]),
        (FOUR, None, ["REQUIRED spec.parentRef: must be set"]),
        (
            FOUR,
            ParentReference("A_", "", "x%y", ".."),
            [
                f"INVALID spec.parentRef.group: 'A_': {NO_SUBDOMAIN}",
                "REQUIRED spec.parentRef.resource: must be set",
                "INVALID spec.parentRef.name: '..': must not be '..'",
                "INVALID spec.parentRef.namespace: 'x%y': must not contain '%'",
            ],
        ),
    ],
)
def test_a_new_address_object(name: str, parent: ParentReference | None, expected: list[str]) -> None:
    """ALLOC-IP-01"""
    assert texts(validate_ip_address_create(address(name, parent))) == expected


def test_another_parent_of_an_address() -> None:
    other = attrs.evolve(PARENT, name="db")

    errors = validate_ip_address_update(address(FOUR, other), address(FOUR, PARENT))

    assert texts(errors) == [f"INVALID spec.parentRef: {other!r}: must not change"]


def address(name: str, parent: ParentReference | None) -> IPAddress:
    return IPAddress(Metadata(name=name, resource_version="1"), IPAddressSpec(parent))


@pytest.mark.parametrize(
    ("ingress", "expected"),
    [
        ({"ip": "192.0.2.1", "ip_mode": "VIP"}, []),
        ({"ip": "192.0.2.1"}, ["REQUIRED ipMode: must be set when `ip` is set"]),
        ({"ip": "x", "ip_mode": "Proxy"}, [f"INVALID ip: 'x': {NO_IP}"]),
        ({"ip_mode": "VIP"}, ["FORBIDDEN ipMode: may not be set when `ip` is not set"]),
        (
            {"ip": "192.0.2.1", "ip_mode": "Any"},
            ["NOT_SUPPORTED ipMode: 'Any': must be one of Proxy, VIP"],
        ),
        ({"hostname": "a_b"}, [f"INVALID hostname: 'a_b': {NO_SUBDOMAIN}"]),
        (
            {"hostname": "192.0.2.1"},
            ["INVALID hostname: '192.0.2.1': must be a DNS name, not an IP address"],
        ),
    ],
)
def test_what_a_load_balancer_reports(ingress: dict[str, Any], expected: list[str]) -> None:
    """API-F-29"""
    status = LoadBalancerStatus((Ingress(**ingress),))

    errors = load_balancer_status_errors(status, LoadBalancerStatus(), LOAD_BALANCER, "status", GATES)

    assert [text.replace("status.ingress[0].", "") for text in texts(errors)] == expected


def test_a_load_balancer_reported_for_another_type() -> None:
    """API-F-29"""
    status = LoadBalancerStatus((Ingress(ip="192.0.2.1", ip_mode="VIP"),))

    errors = load_balancer_status_errors(status, LoadBalancerStatus(), CLUSTER_IP, "status", GATES)

    assert texts(errors) == ["FORBIDDEN status.ingress: may only be used when `spec.type` is 'LoadBalancer'"]


@pytest.mark.parametrize(
    ("field", "annotation", "expected"),
    [
        ((" 10.0.0.0/8 ",), "x", []),
        (("10.0.0.0",), None, [f"INVALID spec.LoadBalancerSourceRanges[0]: '10.0.0.0': {NO_CIDR}"]),
        ((), " ", []),
        ((), "10.0.0.0/8, x", [f"INVALID metadata.annotations[{{}}]: 'x': {NO_CIDR}"]),
    ],
)
def test_source_ranges(field: tuple[str, ...], annotation: str | None, expected: list[str]) -> None:
    """API-F-17: the annotation counts where the field is empty."""
    key = "service.beta.kubernetes.io/load-balancer-source-ranges"
    annotations = () if annotation is None else ((key, annotation),)
    spec = attrs.evolve(LOAD_BALANCER, load_balancer_source_ranges=field)

    errors = source_range_errors(service(spec, annotations=annotations), None, GATES)

    assert texts(errors) == [text.format(key) for text in expected]
