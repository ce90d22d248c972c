"""Every check of a ServiceCIDR: one CIDR, or one of each family, in canonical text.

Source: pkg/apis/networking/validation, KEP-1880.
"""

from collections.abc import Iterator

from model.api.objects import ServiceCIDR
from model.api.refusal import FieldError
from model.api.validation.field_errors import invalid, required
from model.api.validation.ip_text import canonical_cidr_errors, parse_cidr
from model.api.validation.metadata import metadata_errors, metadata_update_errors
from model.api.validation.names import dns_1123_subdomain

_FIELD = "spec.cidrs"


def validate_service_cidr_create(service_cidr: ServiceCIDR) -> tuple[FieldError, ...]:
    """Errors of a new ServiceCIDR, which belongs to no namespace."""
    return (
        *metadata_errors(service_cidr.metadata, dns_1123_subdomain, namespaced=False),
        *_cidr_errors(service_cidr.spec.cidrs),
    )


def validate_service_cidr_update(service_cidr: ServiceCIDR, old: ServiceCIDR) -> tuple[FieldError, ...]:
    """Errors of a change: all that may change is that a second family is added."""
    return (
        *metadata_update_errors(service_cidr.metadata, old.metadata),
        *_cidr_change_errors(service_cidr.spec.cidrs, old.spec.cidrs),
    )


def validate_service_cidr_status_update(
    service_cidr: ServiceCIDR, old: ServiceCIDR
) -> tuple[FieldError, ...]:
    """Errors of a changed status: only metadata is looked at."""
    return metadata_update_errors(service_cidr.metadata, old.metadata)


def _cidr_errors(cidrs: tuple[str, ...]) -> Iterator[FieldError]:
    if not cidrs:
        yield required(_FIELD, "at least one CIDR required")
    elif len(cidrs) > 2:
        yield invalid(_FIELD, cidrs, "may hold at most 2 values")
    else:
        for index, cidr in enumerate(cidrs):
            yield from canonical_cidr_errors(f"{_FIELD}[{index}]", cidr)
        read = [parsed for parsed in map(parse_cidr, cidrs) if parsed]
        if len(read) == 2 and len({address.version for address, _ in read}) == 1:
            yield invalid(_FIELD, cidrs, "may hold at most one CIDR of each IP family")


def _cidr_change_errors(new: tuple[str, ...], old: tuple[str, ...]) -> Iterator[FieldError]:
    is_upgrade = len(old) == 1 and len(new) == 2
    if len(new) != len(old) and not is_upgrade:
        yield invalid(_FIELD, new, "must not change")
        return
    for index, (new_cidr, old_cidr) in enumerate(zip(new, old, strict=False)):
        if new_cidr != old_cidr:
            yield invalid(f"{_FIELD}[{index}]", new_cidr, "must not change")
    if is_upgrade:
        yield from _cidr_errors(new)
