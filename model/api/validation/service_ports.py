"""Checks of a Service's ports (API-F-03 to API-F-09)."""

from collections.abc import Iterator

from model.api.objects import Service, ServicePort
from model.api.refusal import FieldError
from model.api.validation.field_errors import duplicate, forbidden, invalid_each, not_supported, required
from model.api.validation.names import dns_1123_label, port_name, port_number, qualified_name

PROTOCOLS = ("SCTP", "TCP", "UDP")

_FIELD = "spec.ports"


def service_port_errors(service: Service) -> Iterator[FieldError]:
    """Each port by itself, then names, node ports and (protocol, port) pairs against each other."""
    ports = service.spec.ports
    names: set[str] = set()
    for index, port in enumerate(ports):
        field = f"{_FIELD}[{index}]"
        if len(ports) > 1 and not port.name:
            yield required(f"{field}.name", "must be set when there are several ports")
        elif port.name:
            yield from invalid_each(f"{field}.name", port.name, dns_1123_label(port.name))
            if port.name in names:
                yield duplicate(f"{field}.name", port.name)
            names.add(port.name)
        yield from _number_errors(port, field)
    yield from _node_port_errors(service)
    yield from _repeated_pair_errors(ports)


def _number_errors(port: ServicePort, field: str) -> Iterator[FieldError]:
    yield from invalid_each(f"{field}.port", port.port, port_number(port.port))
    yield from protocol_errors(port.protocol, f"{field}.protocol")
    if isinstance(port.target_port, str):
        yield from invalid_each(f"{field}.targetPort", port.target_port, port_name(port.target_port))
    else:
        yield from invalid_each(f"{field}.targetPort", port.target_port, port_number(port.target_port))
    if port.app_protocol is not None:
        yield from invalid_each(f"{field}.appProtocol", port.app_protocol, qualified_name(port.app_protocol))


def protocol_errors(protocol: str, field: str) -> Iterator[FieldError]:
    """TCP, UDP or SCTP, in capitals (API-F-05)."""
    if not protocol:
        yield required(field)
    elif protocol not in PROTOCOLS:
        yield not_supported(field, protocol, PROTOCOLS)


def _node_port_errors(service: Service) -> Iterator[FieldError]:
    # The range is the allocator's to enforce; ExternalName may keep any number (API-F-08).
    seen: set[tuple[str, int]] = set()
    for index, port in enumerate(service.spec.ports):
        if not port.node_port:
            continue
        field = f"{_FIELD}[{index}].nodePort"
        if service.spec.type == "ClusterIP":
            yield forbidden(field, "may not be used when `type` is 'ClusterIP'")
        if (port.protocol, port.node_port) in seen:
            yield duplicate(field, port.node_port)
        seen.add((port.protocol, port.node_port))


def _repeated_pair_errors(ports: tuple[ServicePort, ...]) -> Iterator[FieldError]:
    seen: set[tuple[str, int]] = set()
    for index, port in enumerate(ports):
        pair = (port.protocol, port.port)
        if pair in seen:
            yield duplicate(f"{_FIELD}[{index}]", f"{port.protocol} {port.port}")
        seen.add(pair)
