"""Tempting claims about what the API holds: numbers, policies, slices and names."""

from collections.abc import Iterator, Sequence

from invariants.invariant import Step, Violation
from invariants.names import ADDRESS_TYPES, DnsCase, ask, domain, published
from invariants.publishing import SLICE_CONTROLLER, is_managed, selected_pods, slices_of
from invariants.refuted.claim import Break, Case, refuted
from invariants.stored import services
from model.api.objects import Service
from model.api.refusal import Refused
from model.api.service_storage import Accepted
from model.cluster import events
from model.cluster.state import ClusterState
from model.objects import ObjectName, ServiceType


@refuted(
    "NEG-04",
    "A node port is one port's alone in the whole cluster, and each protocol has its own numbers.",
    Break(
        ("ALLOC-NP-04", "ALLOC-NP-05"),
        "A Service has port 80 in TCP and in UDP, and gets one number for both.",
    ),
    Break(
        ("ALLOC-NP-03",),
        "A Service asks in one protocol for a number that another one has in the other: it is refused.",
    ),
    Break(
        ("ALLOC-NP-09",),
        "An ExternalName Service may say the number of another Service, as nothing is allocated for it.",
    ),
    case=Case.STEP,
)
def node_ports_are_unique_in_their_protocol(step: Step) -> Violation | None:
    held = dict(_node_ports(step.before))
    if isinstance(step.told, Refused) and isinstance(step.event, events.CreateService):
        allocated = any("allocated" in cause.detail for cause in step.told.causes)
        for port in step.event.service.spec.ports:
            others = {protocol for number, protocol in held if number == port.node_port}
            if allocated and others and port.protocol not in others:
                return Violation(f"{port.node_port} is free in {port.protocol}, and refused")
    seen: dict[int, str] = {}
    for (number, protocol), name in _node_ports(step.after):
        first = seen.setdefault(number, f"{name} in {protocol}")
        if first != f"{name} in {protocol}":
            return Violation(f"node port {number} is of {first} and of {name} in {protocol}")
    return None


def _node_ports(state: ClusterState) -> Iterator[tuple[tuple[int, str], ObjectName]]:
    for service in sorted(services(state), key=lambda one: one.object_name):
        for port in service.spec.ports:
            if port.node_port:
                yield (port.node_port, port.protocol), service.object_name


@refuted(
    "NEG-10",
    "A Service with a cluster IP and without ready endpoints has no DNS record.",
    Break(
        ("DNS-A-01",),
        "A Service without pods: its name has its cluster IP. Only a headless one has no name then.",
    ),
    case=Case.DNS,
)
def names_need_endpoints(case: DnsCase) -> Violation | None:
    for service in case.cluster.services:
        is_name = service.type is ServiceType.EXTERNAL_NAME
        if is_name or service.cluster_ips[:1] == ("None",) or any(published(case.cluster, service)):
            continue
        for type in ADDRESS_TYPES:
            if found := ask(case, domain(case, service), type).data(type):
                return Violation(f"{domain(case, service)} has {type} {found[0]} without a ready endpoint")
    return None


@refuted(
    "NEG-12",
    "A Service of type LoadBalancer has a node port for each port.",
    Break(
        ("ALLOC-NP-11", "API-F-08"),
        "A LoadBalancer Service with allocateLoadBalancerNodePorts false has none.",
    ),
    case=Case.STATE,
)
def load_balancers_have_node_ports(state: ClusterState) -> Violation | None:
    for service in services(state):
        if service.spec.type == "LoadBalancer" and not all(port.node_port for port in service.spec.ports):
            return Violation(f"{service.object_name} is a LoadBalancer without node ports")
    return None


@refuted(
    "NEG-13",
    "externalTrafficPolicy is empty on Services of type ClusterIP.",
    Break(
        ("API-F-22", "FWD-ETP-07"), "A ClusterIP Service with an external IP has it, defaulted to Cluster."
    ),
    case=Case.STATE,
)
def cluster_ip_services_have_no_external_policy(state: ClusterState) -> Violation | None:
    for service in services(state):
        policy = service.spec.external_traffic_policy
        if service.spec.type == "ClusterIP" and policy:
            return Violation(f"{service.object_name} is a ClusterIP with externalTrafficPolicy {policy}")
    return None


@refuted(
    "NEG-14",
    "One manifest gives the same node ports whether a Service is created by it or updated to it: ports share "
    "a number in both cases or in neither.",
    Break(
        ("ALLOC-NP-05", "ALLOC-NP-06"),
        "Port 80 in TCP and UDP, of type NodePort: created so, both have one number; a ClusterIP Service "
        "that is updated to it has two.",
    ),
    case=Case.HISTORY,
)
def created_and_updated_are_alike(steps: Sequence[Step]) -> Violation | None:
    created = [step for step in steps if isinstance(step.event, events.CreateService)]
    updated = [step for step in steps if isinstance(step.event, events.UpdateService)]
    for one, (first, how) in _outcomes(created):
        for other, (second, then) in _outcomes(updated):
            if one.spec == other.spec and how != then:
                return Violation(f"created as {_numbers(first)}, and updated to {_numbers(second)}")
    return None


def _outcomes(steps: Sequence[Step]) -> Iterator[tuple[Service, tuple[Service, tuple[int, ...]]]]:
    """What was submitted, and of what came of it, which ports share a number."""
    for step in steps:
        if isinstance(step.told, Accepted):
            assert isinstance(step.event, events.CreateService | events.UpdateService)
            numbers = _numbers(step.told.service)
            yield step.event.service, (step.told.service, tuple(map(numbers.index, numbers)))


def _numbers(service: Service) -> list[int]:
    return [port.node_port for port in service.spec.ports]


@refuted(
    "NEG-17",
    "The slices of a Service always list each of its pods once.",
    Break(
        ("EPS-SL-02",),
        "A pod is replaced by one of the same name with another number for a named port, so it moves to a "
        "new slice, which is written before the old one loses it: meanwhile both list it.",
    ),
    Break(
        ("EPS-SL-02",),
        "It moves to the slice of another pod with that number, and the slice that it leaves is written "
        "first: meanwhile none lists it.",
    ),
    case=Case.STEP,
)
def slices_always_list_a_pod_once(step: Step) -> Violation | None:
    """Of pods that the step finds listed once, whose Service does not change in it."""
    if not isinstance(step.event, events.SyncSlices) or step.is_refused:
        return None
    service = step.before.services.by_name.get(step.event.service)
    if service is None or not is_managed(service):
        return None
    for pod in selected_pods(step.before, service):
        for family in service.ip_families:
            before, after = (
                _times(state, service.name, pod.name, family) for state in (step.before, step.after)
            )
            if pod.node_name in step.before.nodes and before == 1 != after:
                return Violation(f"{pod.name} is listed {after} times")
    return None


def _times(state: ClusterState, service: ObjectName, pod: ObjectName, family: str) -> int:
    slices = slices_of(state, service, SLICE_CONTROLLER)
    listed = [each.target for one in slices if one.address_type == family for each in one.endpoints]
    return listed.count(pod)
