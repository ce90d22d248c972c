"""What a reader sees of a stored Service that older servers wrote (API-DS-10, API-F-24).

Law: idempotent, and the identity on what today's server stores.
Source: `pkg/registry/core/service/storage/storage.go defaultOnReadService`.
"""

import attrs

from model.addresses import Family
from model.api.carry_over import normalize_cluster_ips
from model.api.needs import EXTERNAL_NAME, is_headless_without_selector, needs_cluster_ip
from model.api.objects import HEADLESS, Service, ServiceSpec

SINGLE_STACK = "SingleStack"
PREFER_DUAL_STACK = "PreferDualStack"
REQUIRE_DUAL_STACK = "RequireDualStack"


def default_on_read(service: Service, primary: Family) -> Service:
    """The stored Service as a reader gets it; `primary` is the cluster's first family."""
    service = normalize_cluster_ips(service, None)
    if service.spec.type == EXTERNAL_NAME:
        if service.spec.internal_traffic_policy is None:
            return service
        return attrs.evolve(service, spec=attrs.evolve(service.spec, internal_traffic_policy=None))
    if service.spec.ip_families or not needs_cluster_ip(service.spec):
        return service
    return attrs.evolve(service, spec=_with_families(service.spec, primary))


def _with_families(spec: ServiceSpec, primary: Family) -> ServiceSpec:
    if is_headless_without_selector(spec):
        both = (primary.value, other_family(primary).value)
        return attrs.evolve(spec, ip_families=both, ip_family_policy=REQUIRE_DUAL_STACK)
    if spec.cluster_ip == HEADLESS:
        return attrs.evolve(spec, ip_families=(primary.value,), ip_family_policy=SINGLE_STACK)
    families = tuple(family_of(address).value for address in spec.cluster_ips)
    policy = {1: SINGLE_STACK, 2: REQUIRE_DUAL_STACK}.get(len(families), spec.ip_family_policy)
    return attrs.evolve(spec, ip_families=families, ip_family_policy=policy)


def other_family(family: Family) -> Family:
    return Family.IPV6 if family is Family.IPV4 else Family.IPV4


def family_of(address: str) -> Family:
    """The family of an address that is known to be one; a colon decides."""
    return Family.IPV6 if ":" in address else Family.IPV4
