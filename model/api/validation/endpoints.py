"""Every check of an Endpoints object (EPS-SL-06, API-F-31).

Port names may repeat and one address may be both ready and not ready: the API server
does not look. Source: VAL ValidateEndpointsCreate, ValidateEndpointsUpdate.
"""

from collections.abc import Iterator

from model.api.gates import FeatureGates
from model.api.objects import EndpointAddress, Endpoints, EndpointSubset, SubsetPort
from model.api.refusal import FieldError
from model.api.validation.field_errors import invalid_each, required
from model.api.validation.ip_text import endpoint_ip_errors, legacy_ip_errors
from model.api.validation.metadata import metadata_errors, metadata_update_errors
from model.api.validation.names import dns_1123_label, dns_1123_subdomain, port_number, qualified_name
from model.api.validation.service_ports import protocol_errors


def validate_endpoints_create(endpoints: Endpoints, gates: FeatureGates) -> tuple[FieldError, ...]:
    """Errors of a new Endpoints object, already defaulted."""
    return (
        *metadata_errors(endpoints.metadata, dns_1123_subdomain, namespaced=True),
        *_subset_errors(endpoints.subsets, gates),
    )


def validate_endpoints_update(
    endpoints: Endpoints, old: Endpoints, gates: FeatureGates
) -> tuple[FieldError, ...]:
    """Errors of a changed Endpoints object; subsets that stay as a whole are exempt (API-F-31)."""
    return (
        *metadata_update_errors(endpoints.metadata, old.metadata),
        *metadata_errors(endpoints.metadata, dns_1123_subdomain, namespaced=True),
        *(() if endpoints.subsets == old.subsets else _subset_errors(endpoints.subsets, gates)),
    )


def _subset_errors(subsets: tuple[EndpointSubset, ...], gates: FeatureGates) -> Iterator[FieldError]:
    for index, subset in enumerate(subsets):
        field = f"subsets[{index}]"
        if not subset.addresses and not subset.not_ready_addresses:
            yield required(field, "must have `addresses` or `notReadyAddresses`")
        for name, addresses in (
            ("addresses", subset.addresses),
            ("notReadyAddresses", subset.not_ready_addresses),
        ):
            for place, address in enumerate(addresses):
                yield from _address_errors(address, f"{field}.{name}[{place}]", gates)
        for place, port in enumerate(subset.ports):
            yield from _port_errors(port, f"{field}.ports[{place}]", is_only=len(subset.ports) == 1)


def _address_errors(address: EndpointAddress, field: str, gates: FeatureGates) -> Iterator[FieldError]:
    yield from legacy_ip_errors(f"{field}.ip", address.ip, gates)
    if address.hostname:
        yield from invalid_each(f"{field}.hostname", address.hostname, dns_1123_label(address.hostname))
    if address.node_name is not None:
        yield from invalid_each(f"{field}.nodeName", address.node_name, dns_1123_subdomain(address.node_name))
    # Asked whatever the first check said, so a text that is no address is reported twice.
    yield from endpoint_ip_errors(f"{field}.ip", address.ip)


def _port_errors(port: SubsetPort, field: str, *, is_only: bool) -> Iterator[FieldError]:
    if port.name:
        yield from invalid_each(f"{field}.name", port.name, dns_1123_label(port.name))
    elif not is_only:
        yield required(f"{field}.name", "must be set when there are several ports")
    yield from invalid_each(f"{field}.port", port.port, port_number(port.port))
    yield from protocol_errors(port.protocol, f"{field}.protocol")
    if port.app_protocol is not None:
        yield from invalid_each(f"{field}.appProtocol", port.app_protocol, qualified_name(port.app_protocol))
