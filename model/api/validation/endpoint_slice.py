"""Every check of an EndpointSlice (EPS-SL-01, EPS-SL-05, EPS-SL-06, EPS-PORT-06).

Port numbers are not looked at: 0 and 65536 pass. Source: DV ValidateEndpointSlice.
"""

from collections.abc import Iterator
from ipaddress import IPv4Address

from model.api.gates import FeatureGates
from model.api.objects import Endpoint, EndpointPort, EndpointSlice, Hint
from model.api.refusal import FieldError
from model.api.validation.field_errors import (
    duplicate,
    internal,
    invalid,
    invalid_each,
    not_supported,
    required,
    too_many,
)
from model.api.validation.ip_text import canonical_ip_errors, endpoint_ip_errors, legacy_ip_errors, parse_ip
from model.api.validation.metadata import label_errors, metadata_errors
from model.api.validation.names import (
    NameForm,
    dns_1123_label,
    dns_1123_subdomain,
    label_value,
    qualified_name,
)
from model.api.validation.service_ports import PROTOCOLS

ADDRESS_TYPES = ("FQDN", "IPv4", "IPv6")
MAX_ENDPOINTS = 1000
MAX_ADDRESSES = 100
MAX_PORTS = 20000
MAX_TOPOLOGY_LABELS = 16
MAX_HINTS = 8  # of zones, and again of nodes

_ZONE_LABEL = "topology.kubernetes.io/zone"


def validate_endpoint_slice_create(
    endpoint_slice: EndpointSlice, gates: FeatureGates
) -> tuple[FieldError, ...]:
    """Errors of a new EndpointSlice, already defaulted."""
    return tuple(_slice_errors(endpoint_slice, None, gates))


def validate_endpoint_slice_update(
    endpoint_slice: EndpointSlice, old: EndpointSlice, gates: FeatureGates
) -> tuple[FieldError, ...]:
    """Errors of a changed EndpointSlice; endpoints that stay as a whole are exempt (API-F-31).

    The address type must stay (EPS-SL-05). The change of metadata is asked for by the
    request, not here.
    """
    errors = tuple(_slice_errors(endpoint_slice, old, gates))
    if endpoint_slice.address_type == old.address_type:
        return errors
    return (*errors, invalid("addressType", endpoint_slice.address_type, "must not change"))


def _slice_errors(
    endpoint_slice: EndpointSlice, old: EndpointSlice | None, gates: FeatureGates
) -> Iterator[FieldError]:
    yield from metadata_errors(endpoint_slice.metadata, dns_1123_subdomain, namespaced=True)
    if not endpoint_slice.address_type:
        yield required("addressType")
    elif endpoint_slice.address_type not in ADDRESS_TYPES:
        yield not_supported("addressType", endpoint_slice.address_type, ADDRESS_TYPES)
    if old is None or endpoint_slice.endpoints != old.endpoints:
        yield from _endpoint_list_errors(endpoint_slice, gates)
    yield from _port_list_errors(endpoint_slice.ports)


def _endpoint_list_errors(endpoint_slice: EndpointSlice, gates: FeatureGates) -> Iterator[FieldError]:
    endpoints = endpoint_slice.endpoints
    if len(endpoints) > MAX_ENDPOINTS:
        yield too_many("endpoints", len(endpoints), MAX_ENDPOINTS)
        return
    for index, endpoint in enumerate(endpoints):
        field = f"endpoints[{index}]"
        yield from _address_list_errors(endpoint, endpoint_slice.address_type, f"{field}.addresses", gates)
        yield from _endpoint_errors(endpoint, field)


def _address_list_errors(
    endpoint: Endpoint, address_type: str, field: str, gates: FeatureGates
) -> Iterator[FieldError]:
    if not endpoint.addresses:
        yield required(field, "must hold at least 1 address")
    elif len(endpoint.addresses) > MAX_ADDRESSES:
        yield too_many(field, len(endpoint.addresses), MAX_ADDRESSES)
    for index, text in enumerate(endpoint.addresses):
        place = f"{field}[{index}]"
        if address_type == "FQDN":
            yield from _domain_name_errors(text, place)
        elif address_type in ("IPv4", "IPv6"):
            yield from _written_ip_errors(text, place, gates) or (
                *_other_family_errors(text, address_type, field),
                *endpoint_ip_errors(place, text),
            )


def _written_ip_errors(text: str, field: str, gates: FeatureGates) -> tuple[FieldError, ...]:
    # Strict here means canonical too, unlike in Endpoints.
    if gates.strict_ip_cidr_validation:
        return canonical_ip_errors(field, text)
    return legacy_ip_errors(field, text, gates)


def _other_family_errors(text: str, address_type: str, field: str) -> tuple[FieldError, ...]:
    family = "IPv4" if isinstance(parse_ip(text), IPv4Address) else "IPv6"
    # The error names the list and not the address in it, as the API server has it.
    return () if family == address_type else (invalid(field, text, f"must be an {address_type} address"),)


def _domain_name_errors(text: str, field: str) -> Iterator[FieldError]:
    """At least two DNS labels, with or without a final dot; at most one error."""
    name = text.removesuffix(".")
    labels = name.split(".")
    if not text:
        yield required(field)
    elif dns_1123_subdomain(name) or len(labels) < 2 or any(map(dns_1123_label, labels)):
        yield invalid(field, text, "must be a domain name of at least two labels")


def _endpoint_errors(endpoint: Endpoint, field: str) -> Iterator[FieldError]:
    if endpoint.node_name is not None:
        faults = dns_1123_subdomain(endpoint.node_name)
        yield from invalid_each(f"{field}.nodeName", endpoint.node_name, faults)
    topology = f"{field}.deprecatedTopology"
    if len(endpoint.deprecated_topology) > MAX_TOPOLOGY_LABELS:
        yield too_many(topology, len(endpoint.deprecated_topology), MAX_TOPOLOGY_LABELS)
    yield from label_errors(endpoint.deprecated_topology, topology)
    if _ZONE_LABEL in dict(endpoint.deprecated_topology):
        yield internal(f"{topology}[{_ZONE_LABEL}]", "belongs in `zone`")
    if endpoint.hostname is not None:
        yield from invalid_each(f"{field}.hostname", endpoint.hostname, dns_1123_label(endpoint.hostname))
    if endpoint.hints is not None:
        zones, nodes = endpoint.hints.for_zones, endpoint.hints.for_nodes
        yield from _hint_errors(zones, f"{field}.hints.forZones", label_value)
        if len(zones) <= MAX_HINTS:
            yield from _hint_errors(nodes, f"{field}.hints.forNodes", dns_1123_subdomain)


def _hint_errors(hints: tuple[Hint, ...], field: str, form: NameForm) -> Iterator[FieldError]:
    if len(hints) > MAX_HINTS:
        yield too_many(field, len(hints), MAX_HINTS)
        return
    for index, hint in enumerate(hints):
        if hint in hints[:index]:
            yield duplicate(f"{field}[{index}].name", hint.name)
        yield from invalid_each(f"{field}[{index}].name", hint.name, form(hint.name))


def _port_list_errors(ports: tuple[EndpointPort, ...]) -> Iterator[FieldError]:
    if len(ports) > MAX_PORTS:
        yield too_many("ports", len(ports), MAX_PORTS)
        return
    names: set[str] = set()
    for index, port in enumerate(ports):
        field = f"ports[{index}]"
        name = port.name or ""
        if name:
            yield from invalid_each(f"{field}.name", name, dns_1123_label(name))
        if name in names:
            yield duplicate(f"{field}.name", name)
        names.add(name)
        if port.protocol is None:
            yield required(f"{field}.protocol")
        elif port.protocol not in PROTOCOLS:
            yield not_supported(f"{field}.protocol", port.protocol, PROTOCOLS)
        if port.app_protocol is not None:
            faults = qualified_name(port.app_protocol)
            yield from invalid_each(f"{field}.appProtocol", port.app_protocol, faults)
