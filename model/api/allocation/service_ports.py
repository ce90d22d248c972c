"""Which node ports a request for a Service takes and releases.

On create, ports of one number share a node port (ALLOC-NP-05); on update each gets its
own (ALLOC-NP-06). Numbers that the stored Service carries are never taken again, even if
nobody ever took them: an ExternalName Service may carry any number (ALLOC-NP-09). The
real server has that hole, and so has this model.
Source: `pkg/registry/core/service/storage/alloc.go`.
"""

from random import Random

import attrs

from model.api.allocation.port_operation import NoPort, PortOperation
from model.api.needs import gets_node_ports, may_have_node_ports, node_ports
from model.api.objects import Service, ServicePort, ServiceSpec
from model.api.refusal import ErrorType, FieldError, Reason, Refused
from model.api.validation.traffic_policy import needs_health_check


def take_ports_for_new(service: Service, pool: PortOperation, draw: Random) -> tuple[PortOperation, Service]:
    """A new Service with its node ports and health check node port.

    Raises Refused: 422 for a node port that cannot be had, 500 for a health check node
    port or when the range is full (ALLOC-NP-08).
    """
    if may_have_node_ports(service.spec):
        pool, service = _take_for_new(service, pool, draw)
    if needs_health_check(service):
        pool, service = _take_health_check_port(service, pool, draw)
    return pool, service


def take_ports_for_update(
    new: Service, old: Service, pool: PortOperation, draw: Random
) -> tuple[PortOperation, Service]:
    """An updated Service with its node ports; what it no longer has is released on commit.

    API-TC-03 to -07, ALLOC-NP-06, -07, ALLOC-HC-01. Raises Refused as for a new one, and 500
    without a reason when one protocol is to have one number twice.
    """
    if may_have_node_ports(new.spec):
        pool, new = _take_for_update(new, old, pool, draw)
    elif may_have_node_ports(old.spec):
        pool = pool.release(*node_ports(old.spec))
    needed, needs = needs_health_check(old), needs_health_check(new)
    if needs and not needed:
        pool, new = _take_health_check_port(new, pool, draw)
    elif needed and not needs:
        pool = pool.release(old.spec.health_check_node_port)
    return pool, new


def release_ports(service: Service, pool: PortOperation) -> PortOperation:
    """Releases every number that a deleted Service carries, whoever owns it (API-TC-11, ALLOC-NP-09)."""
    pool = pool.release(*node_ports(service.spec))
    if needs_health_check(service):
        pool = pool.release(service.spec.health_check_node_port)
    return pool


def _take_for_new(service: Service, pool: PortOperation, draw: Random) -> tuple[PortOperation, Service]:
    """ALLOC-NP-05: the first explicit number among ports of one number serves them all."""
    shared: dict[int, int] = {}
    ports: list[ServicePort] = []
    for index, port in enumerate(service.spec.ports):
        if not port.node_port and not gets_node_ports(service.spec):
            ports.append(port)
            continue
        number = shared.get(port.port)
        if number is None:
            number = _requested(service.spec, port.port)
            if number:
                pool = _take(service, pool, index, number)
            else:
                pool, number = _take_next(pool, draw)
            shared[port.port] = number
            ports.append(attrs.evolve(port, node_port=number))
        elif port.node_port in (0, number):
            ports.append(attrs.evolve(port, node_port=number))
        else:
            pool = _take(service, pool, index, port.node_port)
            ports.append(port)
    return pool, _with_ports(service, ports)


def _requested(spec: ServiceSpec, number: int) -> int:
    return next((port.node_port for port in spec.ports if port.port == number and port.node_port), 0)


def _take_for_update(
    new: Service, old: Service, pool: PortOperation, draw: Random
) -> tuple[PortOperation, Service]:
    held = frozenset(node_ports(old.spec))
    taken: set[int] = set()
    seen: set[tuple[str, int]] = set()
    ports: list[ServicePort] = []
    for index, port in enumerate(new.spec.ports):
        if not port.node_port and not gets_node_ports(new.spec):
            ports.append(port)
            continue
        if not port.node_port:
            pool, number = _take_next(pool, draw)
            port = attrs.evolve(port, node_port=number)
        elif port.node_port not in held and port.node_port not in taken:
            pool = _take(new, pool, index, port.node_port)
            taken.add(port.node_port)
        if (port.protocol, port.node_port) in seen:
            raise Refused(Reason.UNKNOWN, f"duplicate nodePort: {port.protocol} {port.node_port}")
        seen.add((port.protocol, port.node_port))
        ports.append(port)
    new = _with_ports(new, ports)
    return pool.release(*(held - {*node_ports(new.spec)})), new


def _with_ports(service: Service, ports: list[ServicePort]) -> Service:
    return attrs.evolve(service, spec=attrs.evolve(service.spec, ports=tuple(ports)))


def _take(service: Service, pool: PortOperation, index: int, number: int) -> PortOperation:
    try:
        return pool.take(number)
    except NoPort as fault:
        cause = FieldError(ErrorType.INVALID, f"spec.ports[{index}].nodePort", str(fault))
        raise Refused(Reason.INVALID, f"Service {service.object_name} is invalid", (cause,)) from None


def _take_next(pool: PortOperation, draw: Random) -> tuple[PortOperation, int]:
    try:
        return pool.take_next(draw)
    except NoPort as fault:
        raise Refused(Reason.INTERNAL_ERROR, f"failed to allocate a nodePort: {fault}") from None


def _take_health_check_port(
    service: Service, pool: PortOperation, draw: Random
) -> tuple[PortOperation, Service]:
    number = service.spec.health_check_node_port
    try:
        if number:
            return pool.take(number), service
        pool, number = pool.take_next(draw)
    except NoPort as fault:
        raise Refused(Reason.INTERNAL_ERROR, f"failed to allocate HealthCheck NodePort: {fault}") from None
    return pool, attrs.evolve(service, spec=attrs.evolve(service.spec, health_check_node_port=number))
