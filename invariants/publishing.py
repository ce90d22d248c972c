"""What a Service's endpoints are made of, by the definitions of 03.

Said here once more, beside the controllers' part of the model, so that a claim does not
believe what it is meant to check.
"""

from collections.abc import Iterator

from model.addresses import parse_address
from model.cluster import events
from model.cluster.state import ClusterState
from model.objects import EndpointSlice, ObjectName, Pod, Service, ServicePort, ServiceType

SLICE_CONTROLLER = "endpointslice-controller.k8s.io"
MIRRORING_CONTROLLER = "endpointslicemirroring-controller.k8s.io"

CONTROLLER_PASSES = (
    events.SyncSlices,
    events.SyncEndpoints,
    events.MirrorEndpoints,
    events.CollectGarbage,
)
"""The events that are a controller's doing."""

Place = tuple[str, int]
"""A family's name and an address of it."""

Port = tuple[str, str, int]
"""Name, protocol and number."""


def is_managed(service: Service) -> bool:
    """EPS-SEL-01; an empty selector is none (EPS-SEL-02)."""
    return bool(service.selector) and service.type is not ServiceType.EXTERNAL_NAME


def is_headless(service: Service) -> bool:
    return service.cluster_ips[:1] == ("None",)


def selected_pods(state: ClusterState, service: Service) -> Iterator[Pod]:
    """The Service's pods that have an address and have not ended (EPS-SEL-02, EPS-SEL-03)."""
    wanted = set(service.selector or ())
    for pod in state.pods.by_name.values():
        if pod.name.namespace != service.name.namespace or not wanted <= set(pod.labels):
            continue
        if pod.ips and pod.phase not in ("Succeeded", "Failed"):
            yield pod


def place_of(text: str) -> Place | None:
    """The family and number of an address; None for text that is none."""
    try:
        family, address = parse_address(text)
    except ValueError:
        return None
    return family.value, address


def places(pod: Pod, family: str) -> tuple[Place, ...]:
    """The pod's addresses of a family, in its own order."""
    found = (place_of(text) for text in pod.ips)
    return tuple(place for place in found if place is not None and place[0] == family)


def resolved_ports(service: Service, pod: Pod) -> frozenset[Port]:
    """The Service's ports as the pod serves them (EPS-PORT-01, EPS-PORT-02, EPS-PORT-03)."""
    found = ((port, _number(port, pod)) for port in service.ports)
    return frozenset((port.name, port.protocol, number) for port, number in found if number is not None)


def _number(port: ServicePort, pod: Pod) -> int | None:
    if port.target_port is None or isinstance(port.target_port, int):
        return port.target_port or port.port
    names = (
        one.container_port
        for one in pod.ports
        if one.name == port.target_port and one.protocol == port.protocol
    )
    return next(names, None)


def slices_of(state: ClusterState, service: ObjectName, managed_by: str) -> list[EndpointSlice]:
    """The slices with the Service's label that this controller manages."""
    return [
        one
        for one in state.slices.by_name.values()
        if one.service == service and one.managed_by == managed_by
    ]


def slice_ports(one: EndpointSlice) -> frozenset[tuple[str, str, int | None]]:
    return frozenset((port.name, port.protocol, port.port) for port in one.ports)
