"""Which IP families a Service gets: derived from what the request says and the cluster has.

The policy is never guessed from the cluster alone: a Service changes between single and
dual stack only when somebody says so (API-DS-07). Families come from given addresses
first, then from the cluster's primary family (API-DS-02).
Source: `pkg/registry/core/service/storage/alloc.go initIPFamilyFields`.
"""

from collections.abc import Iterator

import attrs

from model.addresses import Family
from model.api.gates import FeatureGates
from model.api.needs import EXTERNAL_NAME, is_headless_without_selector
from model.api.objects import HEADLESS, Service, ServiceSpec
from model.api.read_defaults import (
    PREFER_DUAL_STACK,
    REQUIRE_DUAL_STACK,
    SINGLE_STACK,
    family_of,
    other_family,
)
from model.api.refusal import FieldError, Reason, Refused
from model.api.validation.cluster_ips import FAMILIES, cluster_ip_errors
from model.api.validation.field_errors import invalid

_POLICY = "spec.ipFamilyPolicy"


def init_ip_family_fields(
    service: Service, old: Service | None, cluster: tuple[Family, ...], gates: FeatureGates
) -> Service:
    """The Service with ipFamilyPolicy and ipFamilies set (API-DS-01 to -05, -07).

    `cluster` are the configured families, the primary one first; `old` is None on create.
    Raises Refused (422) when policy, families and addresses contradict each other or ask
    for what the cluster does not have.
    """
    if service.spec.type == EXTERNAL_NAME or keeps_preferred_families(service, old):
        return service
    spec = _with_policy(service.spec, old)
    service = attrs.evolve(service, spec=spec)
    _refuse(service, cluster_ip_errors(service, old, gates))
    errors: list[FieldError] = []
    if old is not None and spec.ip_family_policy == SINGLE_STACK:
        spec = _without_unchanged_second(spec, old.spec)
    elif old is not None:
        errors += _reduction_errors(spec, old.spec)
    errors += _single_stack_errors(spec)
    spec, faults = _with_inferred_families(spec, cluster)
    _refuse(service, [*errors, *faults])

    primary = (cluster[0].value,)
    if is_headless_without_selector(spec):
        # Its endpoints are other people's, so the cluster's own families do not bind it.
        spec = attrs.evolve(spec, ip_families=_with_second(spec, spec.ip_families or primary))
        return attrs.evolve(service, spec=spec)
    _refuse(service, _cluster_errors(spec, cluster))
    families = spec.ip_families or primary
    if len(cluster) > 1:
        families = _with_second(spec, families)
    return attrs.evolve(service, spec=attrs.evolve(spec, ip_families=families))


def keeps_preferred_families(service: Service, old: Service | None) -> bool:
    """Whether an update leaves a PreferDualStack Service alone, whatever the cluster has now (API-DS-07)."""
    return (
        old is not None
        and service.spec.type == old.spec.type
        and service.spec.ip_family_policy == PREFER_DUAL_STACK
        and old.spec.ip_family_policy in (None, PREFER_DUAL_STACK)
        and service.spec.cluster_ips == old.spec.cluster_ips
        and service.spec.ip_families == old.spec.ip_families
    )


def _with_policy(spec: ServiceSpec, old: Service | None) -> ServiceSpec:
    """API-DS-01."""
    if spec.ip_family_policy is not None:
        return spec
    if old is not None and old.spec.ip_family_policy is not None:
        return attrs.evolve(spec, ip_family_policy=old.spec.ip_family_policy)
    policy = REQUIRE_DUAL_STACK if is_headless_without_selector(spec) else SINGLE_STACK
    return attrs.evolve(spec, ip_family_policy=policy)


def _without_unchanged_second(spec: ServiceSpec, old: ServiceSpec) -> ServiceSpec:
    """API-DS-05: SingleStack, with addresses and families left as they are, means downgrade."""
    if spec.cluster_ips == old.cluster_ips:
        spec = attrs.evolve(spec, cluster_ips=spec.cluster_ips[:1])
    if spec.ip_families == old.ip_families:
        spec = attrs.evolve(spec, ip_families=spec.ip_families[:1])
    return spec


def _reduction_errors(spec: ServiceSpec, old: ServiceSpec) -> Iterator[FieldError]:
    """API-DS-06: taking the second one away needs the policy to say so."""
    if 0 < len(spec.cluster_ips) < len(old.cluster_ips):
        yield _policy_error(spec, "must be 'SingleStack' to release the secondary cluster IP")
    if 0 < len(spec.ip_families) < len(old.ip_families):
        yield _policy_error(spec, "must be 'SingleStack' to release the secondary IP family")


def _single_stack_errors(spec: ServiceSpec) -> Iterator[FieldError]:
    """API-DS-05."""
    if spec.ip_family_policy != SINGLE_STACK:
        return
    must = "must be 'RequireDualStack' or 'PreferDualStack' when multiple"
    if len(spec.cluster_ips) == 2:
        yield _policy_error(spec, f"{must} cluster IPs are specified")
    if len(spec.ip_families) == 2:
        yield _policy_error(spec, f"{must} IP families are specified")


def _with_inferred_families(
    spec: ServiceSpec, cluster: tuple[Family, ...]
) -> tuple[ServiceSpec, tuple[FieldError, ...]]:
    """Each address without a family of its own adds one; an address the cluster cannot have is an error."""
    families, errors = list(spec.ip_families), []
    for index, address in enumerate(spec.cluster_ips):
        if address == HEADLESS:
            break
        if index < len(families):
            continue
        family = family_of(address)
        if family in cluster:
            families.append(family.value)
        else:
            detail = f"{family.value} is not configured on this cluster"
            errors.append(invalid(f"spec.clusterIPs[{index}]", spec.cluster_ips, detail))
    return attrs.evolve(spec, ip_families=tuple(families)), tuple(errors)


def _cluster_errors(spec: ServiceSpec, cluster: tuple[Family, ...]) -> Iterator[FieldError]:
    """API-DS-03, -04."""
    if spec.ip_family_policy == REQUIRE_DUAL_STACK and len(cluster) < 2:
        yield _policy_error(spec, "this cluster is not configured for dual-stack services")
    configured = [family.value for family in cluster]
    for index, family in enumerate(spec.ip_families):
        if family not in configured:
            yield invalid(f"spec.ipFamilies[{index}]", family, "not configured on this cluster")


def _with_second(spec: ServiceSpec, families: tuple[str, ...]) -> tuple[str, ...]:
    if spec.ip_family_policy == SINGLE_STACK or len(families) != 1 or families[0] not in FAMILIES:
        return families
    return (*families, other_family(Family(families[0])).value)


def _policy_error(spec: ServiceSpec, detail: str) -> FieldError:
    return invalid(_POLICY, spec.ip_family_policy, detail)


def _refuse(service: Service, errors: Iterator[FieldError] | list[FieldError]) -> None:
    causes = tuple(errors)
    if causes:
        raise Refused(Reason.INVALID, f"Service {service.object_name} is invalid", causes)
