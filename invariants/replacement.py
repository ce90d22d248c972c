"""Pods that come and go behind a Service: nobody is sent to one that is not ready, or refused for it."""

from collections.abc import Iterator

from invariants.applied import entries, has_usable, only_owner
from invariants.invariant import Step, Violation, eventual_invariant, step_invariant
from invariants.publishing import SLICE_CONTROLLER, is_managed, place_of, places, selected_pods
from model.addresses import Family, format_address
from model.cluster import events, questions
from model.cluster.events import Sees
from model.cluster.state import ClusterState, applied_view
from model.frontends import NodeView, ServicePortView
from model.node_config import ProxyMode
from model.objects import ObjectName, Service
from model.outcome import Verdict
from model.packet import Origin, Packet


@eventual_invariant(
    "INV-74",
    "Once controllers and proxies are done, no node sends new connections to a pod that is not ready, "
    "unless its Service publishes unready addresses, or somebody else lists or holds its address.",
    source=("FWD-EP-05", "EPS-COND-01", "EPS-COND-02", "EPS-SEL-05"),
)
def unready_pods_get_no_new_connections(state: ClusterState) -> Violation | None:
    for service in state.services.by_name.values():
        cold = dict(cold_places(state, service))
        for node in sorted(state.proxies) if cold else ():
            proxy = state.proxies[node]
            if not proxy.running:
                continue
            for family in Family:
                for address in _used(applied_view(proxy, (service.name,), family)):
                    pod = cold.get((family.value, address))
                    if pod is not None:
                        text = format_address(family, address)
                        return Violation(f"{node} sends connections for {service.name} to {text} of {pod}")
    return None


def cold_places(state: ClusterState, service: Service) -> Iterator[tuple[tuple[str, int], ObjectName]]:
    """Where only pods of the Service are that are not ready, with one of them.

    Nowhere, if the Service publishes unready addresses. Addresses that a slice of another
    hand than the controller's lists are left out.
    """
    if not is_managed(service) or service.publish_not_ready_addresses:
        return
    by_others = {
        place_of(endpoint.addresses[0])
        for one in state.slices.of(service.name)
        if one.managed_by != SLICE_CONTROLLER
        for endpoint in one.endpoints
        if endpoint.addresses
    }
    pods = list(selected_pods(state, service))
    warm = {place for pod in pods if pod.ready for family in Family for place in places(pod, family.value)}
    for pod in pods:
        for family in Family:
            for place in places(pod, family.value):
                if not pod.ready and place not in warm and place not in by_others:
                    yield place, pod.name


def _used(view: NodeView) -> Iterator[int]:
    """Every address that some new connection may be sent to."""
    for one in view.service_ports:
        for sets in one.choices:
            yield from (endpoint.address for endpoint in (*(sets.cluster or ()), *(sets.local or ())))


@step_invariant(
    "INV-75",
    "A node that has heard of slices with a usable endpoint of a service port does not refuse it: so "
    "while there is one at every moment, no node refuses, however late it syncs.",
    source=("EPS-SL-02", "FWD-EP-02", "FWD-EP-04", "FWD-REJ-01", "SYNC-02"),
)
def what_is_always_usable_is_never_refused(step: Step) -> Violation | None:
    event = step.event
    if not isinstance(event, events.SyncProxy) or step.is_refused or event.sees is Sees.SERVICES:
        return None
    for view, one in usable_service_ports(step.before, step.after, event.node):
        for packet in _asked(view, one):
            allowed = questions.fate(step.after, event.node, packet).allowed
            if only_owner(view, packet) is one and any(o.verdict is Verdict.REJECT for o in allowed):
                return Violation(f"{event.node} refuses {packet}, and the API lists a usable endpoint")
    return None


def usable_service_ports(
    api: ClusterState, state: ClusterState, node: str
) -> Iterator[tuple[NodeView, ServicePortView]]:
    """The service ports of a node for which the API lists an endpoint that may be used."""
    proxy = state.proxies[node]
    if proxy.applied is None or proxy.config.mode is ProxyMode.IPVS:
        return
    for family in Family:
        view = applied_view(proxy, proxy.applied.services.by_name, family)
        for one in view.service_ports:
            slices = api.slices.of(one.name.service)
            if has_usable(entries(slices, family, one.name.port_name, one.name.protocol)):
                yield view, one


def _asked(view: NodeView, one: ServicePortView) -> Iterator[Packet]:
    """From the node itself, where it has an address, to each address frontend."""
    own = view.config.primary_address(view.family)
    for _, address in one.addresses:
        source = address if own is None else own
        origin = Origin.WIRE if own is None else Origin.NODE
        yield Packet(view.family, origin, source, address, one.protocol, one.port)
