"""Every check of an IPAddress, whose name is the address in canonical text (ALLOC-IP-01).

Source: pkg/apis/networking/validation, KEP-1880.
"""

from collections.abc import Iterator

from model.api.objects import IPAddress, ParentReference
from model.api.refusal import FieldError
from model.api.validation.field_errors import invalid, invalid_each, required
from model.api.validation.ip_text import canonical_ip_errors
from model.api.validation.metadata import metadata_errors, metadata_update_errors
from model.api.validation.names import dns_1123_subdomain, path_segment

_FIELD = "spec.parentRef"


def validate_ip_address_create(address: IPAddress) -> tuple[FieldError, ...]:
    """Errors of a new IPAddress, which belongs to no namespace."""
    return (
        *metadata_errors(address.metadata, _ip_name, namespaced=False),
        *_parent_errors(address.spec.parent_ref),
    )


def validate_ip_address_update(address: IPAddress, old: IPAddress) -> tuple[FieldError, ...]:
    """Errors of a change: the parent must stay."""
    errors = metadata_update_errors(address.metadata, old.metadata)
    if address.spec.parent_ref == old.spec.parent_ref:
        return errors
    return (*errors, invalid(_FIELD, address.spec.parent_ref, "must not change"))


def _ip_name(name: str) -> tuple[str, ...]:
    # The checks of a name repeat the value themselves.
    return tuple(error.detail.removeprefix(f"{name!r}: ") for error in canonical_ip_errors("", name))


def _parent_errors(parent: ParentReference | None) -> Iterator[FieldError]:
    if parent is None:
        yield required(_FIELD)
        return
    # The core group of Services is the empty one, so absence of the group is no fault.
    if parent.group:
        yield from invalid_each(f"{_FIELD}.group", parent.group, dns_1123_subdomain(parent.group))
    for name, value in (("resource", parent.resource), ("name", parent.name)):
        if value:
            yield from invalid_each(f"{_FIELD}.{name}", value, path_segment(value))
        else:
            yield required(f"{_FIELD}.{name}")
    if parent.namespace:
        yield from invalid_each(f"{_FIELD}.namespace", parent.namespace, path_segment(parent.namespace))
