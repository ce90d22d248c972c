"""What the older Endpoints objects say of pods, and what is mirrored of those written by hand."""

from collections.abc import Iterator

from invariants.invariant import Violation, eventual_invariant
from invariants.publishing import (
    MIRRORING_CONTROLLER,
    Port,
    is_headless,
    is_managed,
    place_of,
    places,
    resolved_ports,
    selected_pods,
    slice_ports,
    slices_of,
)
from model.cluster.state import ClusterState
from model.objects import EndpointAddress, Endpoints, EndpointSubset, ObjectName, Service

MOST_ADDRESSES = 1000  # EPS-EP-03, EPS-MIR-03
OVER_CAPACITY = "endpoints.kubernetes.io/over-capacity"
SKIP_MIRROR = "endpointslice.kubernetes.io/skip-mirror"
LEADER = "control-plane.alpha.kubernetes.io/leader"

Listed = tuple[object, bool, Port | None]
"""Address and pod, whether it is ready, and at which port; no port where there is none at all."""

Mirrored = tuple[object, object, object]
"""Who, at which port, and under which conditions."""


@eventual_invariant(
    "INV-30",
    "Once their controller is done, the Endpoints of a managed Service list its pods of its first family "
    "that do not terminate, ready or not; of more than 1000 addresses unready ones are left out first, "
    "and just then an annotation says so.",
    source=("EPS-EP-01", "EPS-EP-02", "EPS-EP-03"),
)
def endpoints_list_the_pods_of_the_first_family(state: ClusterState) -> Violation | None:
    """Terminating pods are listed where the Service publishes unready addresses."""
    for service in state.services.by_name.values():
        if not is_managed(service):
            continue
        endpoints = state.endpoints.get(service.name)
        if endpoints is None:
            return Violation(f"{service.name} has no Endpoints")
        wanted, found = set(_wanted(state, service)), set(_listed(endpoints))
        is_truncated = dict(endpoints.annotations).get(OVER_CAPACITY) == "truncated"
        if is_truncated is not (_addresses(wanted) > MOST_ADDRESSES):
            return Violation(f"Endpoints of {service.name}: truncated is {is_truncated}, of {len(wanted)}")
        if not is_truncated and found != wanted:
            odd = next(iter(wanted ^ found))
            return Violation(f"Endpoints of {service.name} are wrong about {odd}")
        if is_truncated:
            lost_ready = any(ready for _, ready, _ in wanted - found)
            if _addresses(found) > MOST_ADDRESSES or not found <= wanted:
                return Violation(f"Endpoints of {service.name} list too much")
            if lost_ready and any(not ready for _, ready, _ in found):
                return Violation(f"Endpoints of {service.name} leave out ready pods before unready ones")
    return None


def _wanted(state: ClusterState, service: Service) -> Iterator[Listed]:
    for pod in selected_pods(state, service):
        own = places(pod, service.ip_families[0])
        if not own or (pod.terminating and not service.publish_not_ready_addresses):
            continue
        ready = service.publish_not_ready_addresses or pod.ready
        ports: set[Port | None] = {*resolved_ports(service, pod)}
        if not service.ports and is_headless(service):
            ports = {None}
        for port in ports:
            yield (own[0], pod.name), ready, port


def _listed(endpoints: Endpoints) -> Iterator[Listed]:
    for subset in endpoints.subsets:
        for address, ready in _addresses_of(subset):
            ports: list[Port | None] = [(port.name, port.protocol, port.port or 0) for port in subset.ports]
            for port in ports or [None]:
                yield (place_of(address.ip), address.target), ready, port


def _addresses_of(subset: EndpointSubset) -> list[tuple[EndpointAddress, bool]]:
    """The subset's addresses, ready ones first, each with whether it is."""
    return [(one, True) for one in subset.addresses] + [(one, False) for one in subset.not_ready_addresses]


def _addresses(listed: set[Listed]) -> int:
    """How many the canonical subsets of these hold: one for all ports offered alike (EPS-EP-04)."""
    by_port: dict[Port | None, set[tuple[object, bool]]] = {}
    for who, ready, port in listed:
        by_port.setdefault(port, set()).add((who, ready))
    return sum(len(members) for members in {frozenset(members) for members in by_port.values()})


@eventual_invariant(
    "INV-31",
    "Once mirroring is done, the mirrored slices of a Service say what its Endpoints say if the Service is "
    "there and has no selector and nothing in the Endpoints forbids it; else there are none.",
    source=("EPS-MIR-01", "EPS-MIR-02", "EPS-MIR-03", "EPS-MIR-04", "EPS-MIR-05", "EPS-EP-04"),
)
def mirrored_slices_say_what_endpoints_say(state: ClusterState) -> Violation | None:
    """Nothing is claimed of more than 1000 addresses, of which some are left out."""
    owners = {one.service for one in state.slices.by_name.values() if one.service is not None}
    for name in sorted({*owners, *state.endpoints}):
        service, endpoints = state.services.by_name.get(name), state.endpoints.get(name)
        wanted: set[Mirrored] = set()
        if endpoints is not None and _is_mirrored(service, endpoints):
            if sum(len(_addresses_of(subset)) for subset in endpoints.subsets) > MOST_ADDRESSES:
                continue
            wanted = set(_to_mirror(endpoints))
        found = set(_mirrored(state, name))
        if found != wanted:
            return Violation(f"mirrored slices of {name} are wrong about {next(iter(found ^ wanted))}")
    return None


def _is_mirrored(service: Service | None, endpoints: Endpoints) -> bool:
    """EPS-MIR-01."""
    if service is None or service.selector:
        return False
    return dict(endpoints.labels).get(SKIP_MIRROR) != "true" and LEADER not in dict(endpoints.annotations)


def _mirrored(state: ClusterState, name: ObjectName) -> Iterator[Mirrored]:
    for one in slices_of(state, name, MIRRORING_CONTROLLER):
        for each in one.endpoints:
            place = place_of(each.addresses[0])
            who = (one.address_type, place, each.target, each.hostname, each.node_name)
            conditions = (each.ready, each.serving, each.terminating)
            for port in slice_ports(one) or (None,):
                yield who, port, conditions


def _to_mirror(endpoints: Endpoints) -> Iterator[Mirrored]:
    """Each address at each port; it is ready there unless it is listed as not ready too (EPS-EP-04)."""
    first: dict[object, EndpointAddress] = {}
    ready_at: dict[tuple[object, object], bool] = {}
    for subset in endpoints.subsets:
        ports: list[object] = [(port.name, port.protocol, port.port) for port in subset.ports]
        for address, is_ready in _addresses_of(subset):
            key = (place_of(address.ip), address.target)
            first.setdefault(key, address)
            for port in ports or [None]:
                ready_at[key, port] = is_ready and ready_at.get((key, port), True)
    for (listed, at_port), is_ready in ready_at.items():
        address = first[listed]
        place = place_of(address.ip)
        if place is not None:
            who = (place[0], place, address.target, address.hostname or None, address.node_name or None)
            yield who, at_port, (is_ready, None, None)
