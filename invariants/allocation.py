"""Cluster IPs and node ports: one owner each, from where they may come, and none lost."""

from invariants.invariant import (
    Kind,
    Step,
    Violation,
    eventual_invariant,
    invariant,
    state_invariant,
    step_invariant,
)
from invariants.ranges import address_ranges, node_port_range
from invariants.stored import held_addresses, held_numbers, is_external_name, services
from model.addresses import Family, format_address, parse_address
from model.api.allocation.bands import static_band_size
from model.api.registry import Registry
from model.cluster import events
from model.cluster.state import ClusterState
from model.objects import ObjectName

HOLE = "No ExternalName Service carries node ports, now or before it changed its type (ALLOC-NP-09)."


def external_names_carry_no_node_ports(state: ClusterState) -> bool:
    """No ExternalName Service has a node port, which nobody would have allocated (ALLOC-NP-09)."""
    return not any(
        port.node_port
        for service in services(state)
        if is_external_name(service)
        for port in service.spec.ports
    )


@state_invariant(
    "INV-18",
    "Each cluster IP belongs to the Service that has it; so no two Services have one.",
    source=("ALLOC-IP-01", "ALLOC-IP-05"),
)
def cluster_ips_have_one_owner(state: ClusterState) -> Violation | None:
    for service in services(state):
        for family, address in held_addresses(service):
            text = format_address(family, address)
            owner = state.registry.ip_owners.get(text)
            if owner != service.object_name:
                return Violation(f"{service.object_name} has {text}, which belongs to {owner}")
    return None


@state_invariant(
    "INV-19",
    "Every node port and health check node port in use is in the pool, and no two Services share one, "
    "whatever the protocols.",
    source=("ALLOC-NP-03", "ALLOC-NP-12", "ALLOC-HC-01"),
    assumption=HOLE,
    assumes=external_names_carry_no_node_ports,
)
def node_ports_have_one_owner(state: ClusterState) -> Violation | None:
    owner: dict[int, ObjectName] = {}
    for service in sorted(services(state), key=lambda one: one.object_name):
        for number in held_numbers(service):
            first = owner.setdefault(number, service.object_name)
            if first != service.object_name:
                return Violation(f"node port {number} belongs to {first} and to {service.object_name}")
            if number not in state.registry.node_ports:
                return Violation(f"{service.object_name} has node port {number}, which counts as free")
    return None


@state_invariant(
    "INV-20",
    "Every node port and health check node port lies in the node port range, and every cluster IP is a "
    "usable address of some ServiceCIDR; as long as nobody changes the ranges by flags (ALLOC-IP-08).",
    source=("ALLOC-IP-02", "ALLOC-IP-09", "ALLOC-NP-01", "ALLOC-NP-08", "ALLOC-HC-01"),
    assumption=HOLE,
    assumes=external_names_carry_no_node_ports,
)
def what_is_allocated_lies_in_its_range(state: ClusterState) -> Violation | None:
    """Where nothing says what the service CIDRs are, addresses are not judged."""
    ports = node_port_range(state.registry.config)
    ranges = address_ranges(state.registry)
    for service in services(state):
        for number in held_numbers(service):
            if not ports.first <= number <= ports.last:
                return Violation(f"{service.object_name} has node port {number}, outside the range")
        for family, address in held_addresses(service):
            if ranges and not any(one.holds(family, address) for one in ranges):
                text = format_address(family, address)
                return Violation(f"{service.object_name} has {text}, which no ServiceCIDR can give")
    return None


@state_invariant(
    "INV-21",
    "No Service has the network address of the ServiceCIDR that its address is from, nor the broadcast "
    "address in IPv4.",
    source=("ALLOC-IP-02",),
)
def no_service_has_an_edge_of_its_range(state: ClusterState) -> Violation | None:
    """Of overlapping CIDRs one may give what is another's edge (ALLOC-IP-01)."""
    ranges = address_ranges(state.registry)
    for service in services(state):
        for family, address in held_addresses(service):
            around = [one for one in ranges if one.family is family and one.low <= address <= one.high]
            if around and all(address in one.edges for one in around):
                text = format_address(family, address)
                return Violation(f"{service.object_name} has {text}, an edge of its ServiceCIDR")
    return None


@step_invariant(
    "INV-22",
    "A dynamic allocation returns a value of the static band only if the dynamic band was full.",
    source=("ALLOC-IP-04", "ALLOC-NP-02"),
)
def the_static_band_comes_last(step: Step) -> Violation | None:
    if not isinstance(step.event, events.CreateService | events.UpdateService):
        return None
    before, after, asked = step.before.registry, step.after.registry, step.event.service.spec
    # Numbers are released after the write, so whatever the request could not get is in either pool,
    # or the Service carries what it has just lost (ALLOC-NP-09).
    ports: set[int] = set()
    if before.node_ports is not after.node_ports:
        stored = after.services.get(step.event.service.object_name)
        carried = held_numbers(stored) if stored is not None else ()
        ports = {*before.node_ports, *after.node_ports, *carried}
    explicit = {*(port.node_port for port in asked.ports), asked.health_check_node_port}
    band = node_port_range(before.config)
    for number in ports - set(before.node_ports) - explicit:
        if band.is_static(number) and not band.dynamic_is_full(ports):
            return Violation(f"node port {number} was drawn from the static band, the other has free ones")
    if before.ip_owners is after.ip_owners:
        return None
    asked_for = {parse_address(ip) for ip in (asked.cluster_ip, *asked.cluster_ips) if ip not in ("", "None")}
    addresses = {parse_address(ip) for ip in (*before.ip_owners, *after.ip_owners)}
    for family, address in addresses - {parse_address(ip) for ip in before.ip_owners} - asked_for:
        taken = {number for of, number in addresses if of is family}
        giving = [one for one in address_ranges(before, ready=True) if one.holds(family, address)]
        if giving and all(one.is_static(address) and not one.dynamic_is_full(taken) for one in giving):
            text = format_address(family, address)
            return Violation(f"{text} was drawn from the static band, the other has free addresses")
    return None


@invariant(
    "INV-23",
    "The static band is smaller than what is usable, none exactly in ranges of up to 16 values, at most "
    "256 addresses or 128 ports, and never smaller in a larger range.",
    kind=Kind.NUMBER,
    source=("ALLOC-IP-03", "ALLOC-NP-02"),
)
def bands_divide_a_range(size: int) -> Violation | None:
    """`size` counts all values of a range, at least 1.

    Of a CIDR's, which are a power of two, two cannot be given out in IPv4 (ALLOC-IP-02).
    """
    for step, most, edges in ((16, 256, 2), (32, 128, 0)):
        static = static_band_size(size, step=step, most=most)
        larger = static_band_size(size + 1, step=step, most=most)
        if not (0 <= static <= most and (static == 0) is (size <= 16) and static <= larger):
            return Violation(f"of {size} values {static} are static, of one more {larger}")
        may_be = edges == 0 or size.bit_count() == 1
        if may_be and 0 < size - edges <= static:
            return Violation(f"of {size} values {static} are static and {size - edges} usable")
    return None


@step_invariant(
    "INV-24",
    "Once a Service is gone, none of its addresses and node ports is owned, so each may be requested again; "
    "but for IPv6 addresses that only ranges wider than /64 hold, which no allocator gives or takes back.",
    source=("API-TC-11", "ALLOC-IP-02"),
)
def a_deleted_service_leaves_nothing_owned(step: Step) -> Violation | None:
    if step.before.registry.services is step.after.registry.services:
        return None
    for name, service in step.before.registry.services.items():
        if name in step.after.registry.services:
            continue
        held = [n for n in held_numbers(service) if n in step.after.registry.node_ports]
        owners = step.after.registry.ip_owners
        ips = [
            ip
            for each in held_addresses(service)
            if (ip := format_address(*each)) in owners and not _nobody_takes_back(step.before.registry, *each)
        ]
        if held or ips:
            return Violation(f"{name} is gone, and {[*ips, *held]} are still owned")
    return None


def _nobody_takes_back(registry: Registry, family: Family, address: int) -> bool:
    """Whether ranges hold the address, and all of them are too wide to have an allocator."""
    around = [one for one in address_ranges(registry) if one.spans(family, address)]
    return bool(around) and all(one.is_too_wide for one in around)


@eventual_invariant(
    "INV-25",
    "After three rounds of repair the pools hold exactly what Services have: nothing has leaked.",
    source=("ALLOC-NP-10", "ALLOC-IP-08"),
)
def nothing_leaks_for_ever(state: ClusterState) -> Violation | None:
    """Claimed after at least three repairs of both pools."""
    band = node_port_range(state.registry.config)
    numbers = {n for one in services(state) for n in held_numbers(one) if band.first <= n <= band.last}
    if numbers != set(state.registry.node_ports):
        odd = sorted(numbers ^ set(state.registry.node_ports))
        return Violation(f"node ports {odd} are owned and not used, or used and not owned")
    ips = {format_address(*each) for one in services(state) for each in held_addresses(one)}
    if ips != set(state.registry.ip_owners):
        odd_ips = sorted(ips ^ set(state.registry.ip_owners))
        return Violation(f"addresses {odd_ips} are owned and not used, or used and not owned")
    return None
