"""The repair loops: pools brought back in line with what Services carry, as far as that is safe.

They look for what no request should lead to, and for what crashes leave behind. A
duplicate is only reported: no loop may take an address or a number from a Service
(ALLOC-NP-10, ALLOC-IP-08). These are the only functions that look at every Service.
Source: `portallocator/controller/repair.go`, `ipallocator/controller/repairip.go`.
"""

import enum

import attrs
from rpds import HashTrieMap

from model.api.allocation.bands import node_port_bands
from model.api.allocation.cluster_ips import canonical_text
from model.api.objects import HEADLESS, Service, ServiceSpec
from model.api.registry import Registry
from model.api.service_cidrs import holders
from model.api.validation.ip_text import parse_ip
from model.objects import ObjectName

SIGHTINGS_BEFORE_RELEASE = 3


class RepairReason(enum.Enum):
    """Why a repair loop speaks up, as the reason of its event."""

    PORT_NOT_ALLOCATED = "PortNotAllocated"
    PORT_ALREADY_ALLOCATED = "PortAlreadyAllocated"
    PORT_OUT_OF_RANGE = "PortOutOfRange"
    CLUSTER_IP_NOT_VALID = "ClusterIPNotValid"
    CLUSTER_IP_OUT_OF_RANGE = "ClusterIPOutOfRange"
    CLUSTER_IP_NOT_ALLOCATED = "ClusterIPNotAllocated"
    CLUSTER_IP_ALREADY_ALLOCATED = "ClusterIPAlreadyAllocated"
    IP_ADDRESS_NOT_ALLOCATED = "IPAddressNotAllocated"
    IP_ADDRESS_WRONG_REFERENCE = "IPAddressWrongReference"


@attrs.frozen
class RepairEvent:
    """One event: the Service it is about, and the number or address in question."""

    reason: RepairReason
    service: ObjectName
    value: str


def repair_node_ports(registry: Registry) -> tuple[Registry, tuple[RepairEvent, ...]]:
    """The registry with a pool that holds what Services carry, and events (ALLOC-NP-10).

    A number that nobody carries stays until the third pass that sees it: a request may be
    between taking a number and writing its Service. Its release is no event.
    """
    bands = node_port_bands(registry.config.first_node_port, registry.config.last_node_port)
    stored, leaked = registry.node_ports, registry.leaked_node_ports
    rebuilt: HashTrieMap[int, ObjectName] = HashTrieMap()
    events: list[RepairEvent] = []
    for service in _in_order(registry):
        name = service.object_name
        for port in _numbers(service.spec):
            if port not in bands:
                events.append(RepairEvent(RepairReason.PORT_OUT_OF_RANGE, name, str(port)))
                continue
            if port in rebuilt:
                events.append(RepairEvent(RepairReason.PORT_ALREADY_ALLOCATED, name, str(port)))
                continue
            if port not in stored:
                events.append(RepairEvent(RepairReason.PORT_NOT_ALLOCATED, name, str(port)))
            rebuilt = rebuilt.insert(port, _owner(registry, port, name))
            leaked = leaked.discard(port)
    for port, owner in sorted(stored.items()):
        if port in rebuilt:
            continue
        # The count of a released number stays: should it leak again, it goes at once.
        sightings = min(leaked.get(port, 0) + 1, SIGHTINGS_BEFORE_RELEASE)
        if sightings < SIGHTINGS_BEFORE_RELEASE:
            rebuilt = rebuilt.insert(port, owner)
            leaked = leaked.insert(port, sightings)
    return attrs.evolve(registry, node_ports=rebuilt, leaked_node_ports=leaked), tuple(events)


def repair_cluster_ips(registry: Registry) -> tuple[Registry, tuple[RepairEvent, ...]]:
    """The registry with an owner for every address in range, without orphans, and events (ALLOC-IP-08).

    Addresses outside every ServiceCIDR are left alone. The real loop spares an orphan
    younger than a minute, whose Service may still be on its way; here a request and its
    allocation are one step.
    """
    events: list[RepairEvent] = []
    for service in _in_order(registry):
        if service.spec.cluster_ip in ("", HEADLESS):
            continue
        for address in service.spec.cluster_ips:
            registry, reason = _with_owner(registry, service.object_name, address)
            if reason is not None:
                events.append(RepairEvent(reason, service.object_name, address))
    for address, owner in sorted(registry.ip_owners.items()):
        service_of = registry.services.get(owner)
        if service_of is not None and _carries(service_of, address):
            continue
        lost = RepairReason.IP_ADDRESS_NOT_ALLOCATED
        reason = lost if service_of is None else RepairReason.IP_ADDRESS_WRONG_REFERENCE
        registry = attrs.evolve(registry, ip_owners=registry.ip_owners.remove(address))
        events.append(RepairEvent(reason, owner, address))
    return registry, tuple(events)


def _in_order(registry: Registry) -> list[Service]:
    return [registry.services[name] for name in sorted(registry.services)]


def _numbers(spec: ServiceSpec) -> tuple[int, ...]:
    """The numbers one Service carries: once for several protocols, again for one protocol twice."""
    numbers: list[int] = []
    protocols: dict[int, set[str]] = {}
    for port in spec.ports:
        if port.node_port:
            seen = protocols.setdefault(port.node_port, set())
            if not seen or port.protocol in seen:
                numbers.append(port.node_port)
            seen.add(port.protocol)
    health = spec.health_check_node_port
    if health and (health not in protocols or "TCP" in protocols[health]):
        numbers.append(health)
    return tuple(numbers)


def _owner(registry: Registry, port: int, name: ObjectName) -> ObjectName:
    """Whom the number was allocated for if that one still carries it, else this Service."""
    before = registry.node_ports.get(port)
    service = None if before is None else registry.services.get(before)
    return service.object_name if service and port in _numbers(service.spec) else name


def _with_owner(registry: Registry, name: ObjectName, address: str) -> tuple[Registry, RepairReason | None]:
    if parse_ip(address) is None:
        return registry, RepairReason.CLUSTER_IP_NOT_VALID
    if not holders(registry, address):
        return registry, RepairReason.CLUSTER_IP_OUT_OF_RANGE
    text = canonical_text(address)
    owner = registry.ip_owners.get(text)
    if owner == name:
        return registry, None
    rival = None if owner is None else registry.services.get(owner)
    if rival is None:
        owners = registry.ip_owners.insert(text, name)
        return attrs.evolve(registry, ip_owners=owners), RepairReason.CLUSTER_IP_NOT_ALLOCATED
    # Of a rival that does not carry it, the next loop removes the address; the pass after
    # that gives it to this Service.
    return registry, RepairReason.CLUSTER_IP_ALREADY_ALLOCATED if _carries(rival, text) else None


def _carries(service: Service, address: str) -> bool:
    return any(
        parse_ip(one) is not None and canonical_text(one) == address for one in service.spec.cluster_ips
    )
