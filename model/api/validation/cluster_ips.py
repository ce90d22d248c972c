"""Checks of clusterIP, clusterIPs, ipFamilies and ipFamilyPolicy (API-F-11 to API-F-13, API-DS-06)."""

from collections.abc import Iterator

from model.api.gates import FeatureGates
from model.api.objects import HEADLESS, Service, ServiceSpec
from model.api.refusal import FieldError
from model.api.validation.field_errors import (
    duplicate,
    forbidden,
    internal,
    invalid,
    not_supported,
    required,
)
from model.api.validation.ip_text import is_ipv6, legacy_ip_errors, parse_ip

FAMILIES = ("IPv4", "IPv6")
FAMILY_POLICIES = ("PreferDualStack", "RequireDualStack", "SingleStack")

_IPS, _FAMILIES, _POLICY = "spec.clusterIPs", "spec.ipFamilies", "spec.ipFamilyPolicy"


def is_headless(service: Service) -> bool:
    """Whether the only cluster IP is the word None (API-PRED-02)."""
    return service.spec.cluster_ips == (HEADLESS,)


def cluster_ip_errors(service: Service, old: Service | None, gates: FeatureGates) -> Iterator[FieldError]:
    """Errors of the four fields among themselves; an ExternalName service may have none of them."""
    spec = service.spec
    if spec.type == "ExternalName":
        yield from _external_name_errors(spec)
        return
    yield from _first_ip_errors(spec)
    yield from _family_errors(spec)
    address_errors = tuple(_address_errors(spec, old, gates))
    yield from address_errors
    if len(spec.cluster_ips) > 2:
        yield invalid(_IPS, spec.cluster_ips, "may hold at most 2 values")
    # What follows would only repeat that an address cannot be read.
    if not address_errors:
        yield from _pairing_errors(service)


def cluster_ip_change_errors(service: Service, old: Service) -> Iterator[FieldError]:
    """Errors of a change of cluster IPs: the primary stays, the secondary goes only by SingleStack.

    Source: API-DS-06, API-TC-10. Changes from or to ExternalName, and among headless
    services, are free.
    """
    new_ips, old_ips = service.spec.cluster_ips, old.spec.cluster_ips
    if _is_external_name(service, old) or (is_headless(service) and is_headless(old)):
        return
    primary = f"{_IPS}[0]"
    if len(new_ips) == len(old_ips):
        for index, (new_ip, old_ip) in enumerate(zip(new_ips, old_ips, strict=True)):
            if new_ip != old_ip:
                yield invalid(f"{_IPS}[{index}]", new_ips, "may not change once set")
        return
    if not new_ips:
        yield invalid(primary, new_ips, "primary clusterIP can not be unset")
    elif old_ips and new_ips[0] != old_ips[0]:
        yield invalid(primary, new_ips, "may not change once set")
    if len(new_ips) == 1 and old_ips and service.spec.ip_family_policy != "SingleStack":
        yield _must_be_single_stack(service, "clusterIP")


def ip_family_change_errors(service: Service, old: Service) -> Iterator[FieldError]:
    """Errors of a change of families, by the same rule as for cluster IPs.

    Headless services may change them freely (API-DS-08). A change to or from headless is
    judged by the cluster IPs alone.
    """
    new, before = service.spec.ip_families, old.spec.ip_families
    if _is_external_name(service, old) or is_headless(service) or is_headless(old):
        return
    primary = f"{_FAMILIES}[0]"
    if len(new) == len(before):
        # One error for each family that differs, all at the first place.
        for new_family, old_family in zip(new, before, strict=True):
            if new_family != old_family:
                yield invalid(primary, new, "may not change once set")
        return
    if len(new) < len(before) and not service.spec.cluster_ips:
        yield invalid(primary, new, "primary ipFamily can not be unset")
    if new and before and new[0] != before[0]:
        yield invalid(primary, new, "may not change once set")
    if len(new) == 1 and before and service.spec.ip_family_policy != "SingleStack":
        yield _must_be_single_stack(service, "ipFamily")


def _is_external_name(service: Service, old: Service) -> bool:
    return "ExternalName" in (service.spec.type, old.spec.type)


def _must_be_single_stack(service: Service, released: str) -> FieldError:
    detail = f"must be 'SingleStack' when releasing the secondary {released}"
    return invalid(_POLICY, service.spec.ip_family_policy, detail)


def _external_name_errors(spec: ServiceSpec) -> Iterator[FieldError]:
    for field, value in (
        (_IPS, spec.cluster_ips),
        (_FAMILIES, spec.ip_families),
        (_POLICY, spec.ip_family_policy),
    ):
        if value not in ((), None):
            yield forbidden(field, "may not be set for ExternalName services")


def _first_ip_errors(spec: ServiceSpec) -> Iterator[FieldError]:
    if not spec.cluster_ip:
        if spec.cluster_ips:
            yield invalid(_IPS, spec.cluster_ips, "must be empty when `clusterIP` is not set")
    elif not spec.cluster_ips:
        yield required(_IPS)
    elif spec.cluster_ips[0] != spec.cluster_ip:
        yield invalid(_IPS, spec.cluster_ips, "first value must match `clusterIP`")


def _family_errors(spec: ServiceSpec) -> Iterator[FieldError]:
    for index, family in enumerate(spec.ip_families):
        if family not in FAMILIES:
            yield not_supported(f"{_FAMILIES}[{index}]", family, FAMILIES)
        if family in spec.ip_families[:index]:
            yield duplicate(f"{_FAMILIES}[{index}]", family)
    if spec.ip_family_policy is not None and spec.ip_family_policy not in FAMILY_POLICIES:
        yield not_supported(_POLICY, spec.ip_family_policy, FAMILY_POLICIES)


def _address_errors(spec: ServiceSpec, old: Service | None, gates: FeatureGates) -> Iterator[FieldError]:
    stored = old.spec.cluster_ips if old else ()
    for index, text in enumerate(spec.cluster_ips):
        if index == 0 and text == HEADLESS:
            if len(spec.cluster_ips) > 1:
                yield invalid(_IPS, spec.cluster_ips, "'None' must be the only value")
        else:
            yield from legacy_ip_errors(f"{_IPS}[{index}]", text, gates, stored)


def _pairing_errors(service: Service) -> Iterator[FieldError]:
    ips = service.spec.cluster_ips
    if len(ips) > 1:
        legible = all(parse_ip(text) for text in ips)
        if not legible:
            # Only values stored by a server that checked nothing come here.
            yield internal(_IPS, "cannot tell the families of its values")
        if not legible or len({is_ipv6(text) for text in ips}) < 2:
            yield invalid(_IPS, ips, "may specify no more than one IP for each IP family")
    if is_headless(service):
        return
    for index, (text, family) in enumerate(zip(ips, service.spec.ip_families, strict=False)):
        if (family == "IPv4" and is_ipv6(text)) or (family == "IPv6" and not is_ipv6(text)):
            yield invalid(
                f"{_IPS}[{index}]", text, f"must be of family {family}, as `ipFamilies[{index}]` says"
            )
