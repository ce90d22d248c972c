"""What EndpointSlices say of a Service's pods, and who writes them."""

from collections import Counter
from collections.abc import Iterator

import attrs

from invariants.invariant import Step, Violation, eventual_invariant, state_invariant, step_invariant
from invariants.publishing import (
    CONTROLLER_PASSES,
    MIRRORING_CONTROLLER,
    SLICE_CONTROLLER,
    is_managed,
    place_of,
    places,
    resolved_ports,
    selected_pods,
    slice_ports,
    slices_of,
)
from model.addresses import Family
from model.cluster import events
from model.cluster.state import ClusterState
from model.objects import Endpoint, EndpointSlice, Service
from model.proxy_endpoints import merge_slices

MOST_MANAGED, MOST_ENDPOINTS = 100, 1000  # EPS-SL-01
TOPOLOGY_ANNOTATIONS = {"service.kubernetes.io/topology-mode", "service.kubernetes.io/topology-aware-hints"}


@step_invariant(
    "INV-26",
    "Whatever the EndpointSlice controller writes, an endpoint is ready exactly if the Service publishes "
    "unready addresses or the endpoint serves and does not terminate.",
    source=("EPS-COND-02",),
)
def ready_is_serving_and_not_terminating(step: Step) -> Violation | None:
    for service, one in _written_slices(step):
        for endpoint in one.endpoints:
            ready = service.publish_not_ready_addresses or (
                endpoint.serving is True and endpoint.terminating is not True
            )
            if endpoint.ready is not ready:
                return Violation(f"{one.name} says {_conditions(endpoint)} of {endpoint.addresses}")
    return None


@step_invariant(
    "INV-27",
    "Unless the Service publishes unready addresses, the EndpointSlice controller calls no endpoint ready "
    "that terminates.",
    source=("EPS-COND-02",),
)
def no_terminating_endpoint_is_ready(step: Step) -> Violation | None:
    for service, one in _written_slices(step):
        for endpoint in one.endpoints:
            if not service.publish_not_ready_addresses and endpoint.ready and endpoint.terminating:
                return Violation(f"{one.name} says {_conditions(endpoint)} of {endpoint.addresses}")
    return None


def _written_slices(step: Step) -> Iterator[tuple[Service, EndpointSlice]]:
    """What a pass of the EndpointSlice controller has written, with the Service as it saw it."""
    if not isinstance(step.event, events.SyncSlices) or step.is_refused:
        return
    service = step.before.services.by_name.get(step.event.service)
    if service is None:
        return
    before = step.before.slices.by_name
    for one in slices_of(step.after, service.name, SLICE_CONTROLLER):
        if before.get(one.name) != one:
            yield service, one


def _conditions(endpoint: Endpoint) -> str:
    return f"ready={endpoint.ready}, serving={endpoint.serving}, terminating={endpoint.terminating}"


@state_invariant(
    "INV-28",
    "A slice has at most 100 endpoints if the EndpointSlice controller manages it and at most 1000 if not, "
    "and all its addresses are of its addressType.",
    source=("EPS-SL-01", "EPS-SL-05"),
)
def slices_are_bounded_and_of_one_family(state: ClusterState) -> Violation | None:
    for one in state.slices.by_name.values():
        most = MOST_MANAGED if one.managed_by == SLICE_CONTROLLER else MOST_ENDPOINTS
        if len(one.endpoints) > most:
            return Violation(f"{one.name} has {len(one.endpoints)} endpoints")
        for text in (text for endpoint in one.endpoints for text in endpoint.addresses):
            place = place_of(text)
            if one.address_type in ("IPv4", "IPv6") and (place is None or place[0] != one.address_type):
                return Violation(f"{one.name} of {one.address_type} lists {text}")
    return None


@eventual_invariant(
    "INV-29",
    "Once its controller is done, the slices of a managed Service list each of its pods once for each of "
    "its families, with the pod's addresses, ports and conditions; and there are none of another family.",
    source=("EPS-SEL-01", "EPS-SEL-02", "EPS-SEL-03", "EPS-SEL-04", "EPS-SEL-06", "EPS-COND-01", "EPS-SL-02"),
)
def slices_list_each_pod_once(state: ClusterState) -> Violation | None:
    """A Service that is being deleted gets no new slices, so nothing is claimed of it."""
    for service in state.services.by_name.values():
        if not is_managed(service) or service.being_deleted:
            continue
        slices = slices_of(state, service.name, SLICE_CONTROLLER)
        foreign = [one for one in slices if one.address_type not in service.ip_families]
        if foreign:
            return Violation(f"{foreign[0].name} is of {foreign[0].address_type}, unlike {service.name}")
        for family in service.ip_families:
            found = Counter(_listed(one for one in slices if one.address_type == family))
            wanted = Counter(_wanted(state, service, family))
            if found != wanted:
                odd = [*(wanted - found), *(found - wanted)]
                return Violation(f"{family} slices of {service.name} are wrong about {odd[0]}")
    return None


def _listed(slices: Iterator[EndpointSlice]) -> Iterator[tuple[object, ...]]:
    for one in slices:
        for each in one.endpoints:
            addresses = frozenset(place_of(text) for text in each.addresses)
            yield each.target, addresses, slice_ports(one), each.ready, each.serving, each.terminating


def _wanted(state: ClusterState, service: Service, family: str) -> Iterator[tuple[object, ...]]:
    for pod in selected_pods(state, service):
        addresses = frozenset(places(pod, family))
        on_a_node = pod.node_name in state.nodes or service.publish_not_ready_addresses
        if addresses and on_a_node:
            ready = service.publish_not_ready_addresses or (pod.ready and not pod.terminating)
            yield pod.name, addresses, resolved_ports(service, pod), ready, pod.ready, pod.terminating


@step_invariant(
    "INV-32",
    "While a Service is there, no controller writes slices or Endpoints of it if it has no selector or is "
    "ExternalName, mirrored slices excepted; and mirroring never changes Endpoints.",
    source=("EPS-SEL-01", "EPS-MIR-01"),
)
def controllers_leave_others_endpoints_alone(step: Step) -> Violation | None:
    if not isinstance(step.event, CONTROLLER_PASSES):
        return None
    before, after = step.before, step.after
    # `not ==`, for `!=` of these maps means that every value differs.
    if isinstance(step.event, events.MirrorEndpoints) and not before.endpoints == after.endpoints:  # noqa: SIM201
        return Violation(f"mirroring changed Endpoints of {step.event.service}")
    for service in before.services.by_name.values():
        if is_managed(service):
            continue
        if before.endpoints.get(service.name) != after.endpoints.get(service.name):
            return Violation(f"{type(step.event).__name__} wrote Endpoints of {service.name}")
        if _not_mirrored(before, service) != _not_mirrored(after, service):
            return Violation(f"{type(step.event).__name__} wrote slices of {service.name}")
    return None


def _not_mirrored(state: ClusterState, service: Service) -> set[EndpointSlice]:
    return {
        one
        for one in state.slices.by_name.values()
        if one.service == service.name and one.managed_by != MIRRORING_CONTROLLER
    }


@state_invariant(
    "INV-33",
    "In whatever order slices come, and however their endpoints are spread over slices, a node sees the "
    "same endpoints of each service port, up to EPS-SL-08.",
    source=("EPS-SL-07", "EPS-SL-08", "EPS-PORT-05"),
)
def slices_merge_in_any_order(state: ClusterState) -> Violation | None:
    """Tried on the reverse order and on slices of one endpoint each."""
    for name in state.slices.of_service:
        slices = [one for one in state.slices.by_name.values() if one.service == name]
        single = [attrs.evolve(one, endpoints=(each,)) for one in slices for each in one.endpoints]
        for family in Family:
            seen = [_merged(each, family) for each in (slices, slices[::-1], single, single[::-1])]
            if any(each != seen[0] for each in seen):
                return Violation(f"{family.value} endpoints of {name} depend on the order of slices")
    return None


def _merged(slices: list[EndpointSlice], family: Family) -> dict[object, frozenset[object]]:
    found = merge_slices(slices, family, "")
    return {key: frozenset(map(frozenset, lists)) for key, lists in found.items()}


@eventual_invariant(
    "INV-34",
    "With trafficDistribution and without the topology annotation, all ready endpoints of a family have "
    "zone hints exactly if all have zones, and hints name an endpoint's own zone and node only.",
    source=("EPS-HINT-01", "EPS-HINT-02", "EPS-HINT-03"),
)
def hints_name_the_endpoints_own_zone(state: ClusterState) -> Violation | None:
    for service in state.services.by_name.values():
        annotated = TOPOLOGY_ANNOTATIONS & dict(service.annotations).keys()
        if not service.traffic_distribution or annotated or not is_managed(service):
            continue
        slices = slices_of(state, service.name, SLICE_CONTROLLER)
        for family in service.ip_families:
            endpoints = [each for one in slices if one.address_type == family for each in one.endpoints]
            for each in endpoints:
                if not {*each.zone_hints} <= {each.zone} or not {*each.node_hints} <= {each.node_name}:
                    return Violation(f"an endpoint of {service.name} has another's hints: {each}")
            ready = [each for each in endpoints if each.ready]
            if all(each.zone_hints for each in ready) is not all(each.zone for each in ready):
                return Violation(f"{family} endpoints of {service.name} have hints in part")
    return None
