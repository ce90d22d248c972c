"""The EndpointSlices of a Service after one pass of the EndpointSlice controller.

A pass looks at what exists and at what pods there are, and nothing else: it is the same
whatever happened before (level-triggered). Sources: pkg/controller/endpointslice and
staging/src/k8s.io/endpointslice/reconciler.go. Names of new slices, random in a cluster,
count up here.
"""

from collections.abc import Container, Iterable, Mapping

import attrs

from model.controllers import hints, pod_endpoints, topology_hints
from model.controllers.slice_packing import (
    SLICE_CONTROLLER,
    Packing,
    PortKey,
    fresh_names,
    pack,
    port_key,
    slice_labels,
)
from model.controllers.slice_plan import SlicePlan, Slices
from model.objects import Endpoint, EndpointPort, EndpointSlice, Node, ObjectName, Pod, Service

MAX_ENDPOINTS_PER_SLICE = 100  # EPS-SL-01


def reconcile_slices(
    service: Service,
    pods: Iterable[Pod],
    nodes: Mapping[str, Node],
    existing: Iterable[EndpointSlice],
    *,
    max_endpoints: int = MAX_ENDPOINTS_PER_SLICE,
    topology_aware: bool = True,
    prefer_same: bool = True,
    taken: Container[ObjectName] = (),
) -> Slices:
    """The controller's slices of the Service after one pass: kept, changed and new ones.

    `existing` are those with this Service's name and the controller's as labels; deleted
    ones are absent from the answer, ones that await their deletion stay. Pods that the
    Service does not select are passed over. `nodes` are all, by name; a pod whose node is
    missing is left out unless the Service publishes unready addresses (EPS-SEL-04).
    `topology_aware` and `prefer_same` are what the controller is run with; `taken` are
    names that new slices cannot have. A Service that is not managed keeps
    what it has (EPS-SEL-01).
    """
    existing = tuple(existing)
    if not pod_endpoints.is_managed(service):
        return existing
    eligible = [
        pod
        for pod in pods
        if pod_endpoints.selects(service, pod) and pod_endpoints.is_eligible(pod, include_terminating=True)
    ]
    families = pod_endpoints.address_types(service)
    live = [one for one in existing if not one.being_deleted]
    create: list[EndpointSlice] = []
    keep = [one for one in existing if one.being_deleted]
    for family in families:
        of_family = tuple(one for one in live if one.address_type == family)
        plan, delete = _plan(service, eligible, nodes, of_family, family, max_endpoints)
        plan = _hinted(service, plan, nodes, topology_aware=topology_aware, prefer_same=prefer_same)
        recycled, new = _recycled(service, plan.create, delete)
        keep += (*plan.unchanged, *plan.update, *recycled)
        # A Service on its way out gets no new slices, only changes to those it has.
        create += () if service.being_deleted else new
    place = {one.name: at for at, one in enumerate(existing)}
    keep.sort(key=lambda one: place[one.name])
    names = fresh_names(service.name, existing, taken)
    return (*keep, *(attrs.evolve(one, name=name) for one, name in zip(create, names, strict=False)))


def new_slice(service: Service, address_type: str, ports: tuple[EndpointPort, ...] = ()) -> EndpointSlice:
    """An empty slice of the Service, without a name (EPS-SL-04). Without ports, the placeholder."""
    return EndpointSlice(
        name=ObjectName(service.name.namespace, ""),
        service=service.name,
        address_type=address_type,
        ports=ports,
        headless=not pod_endpoints.has_cluster_ip(service),
        managed_by=SLICE_CONTROLLER,
        labels=slice_labels(service),
        service_owners=(service.uid,),
    )


def _plan(
    service: Service,
    pods: list[Pod],
    nodes: Mapping[str, Node],
    existing: Slices,
    family: str,
    max_endpoints: int,
) -> tuple[SlicePlan, Slices]:
    """What is to be written of one family's slices, before hints; and which are to be deleted."""
    delete = [one for one in existing if not _is_owned(one, service)]
    existing_by_ports: dict[PortKey, list[EndpointSlice]] = {}
    for one in existing:
        if _is_owned(one, service):
            existing_by_ports.setdefault(port_key(one.ports), []).append(one)
    ports_by_key: dict[PortKey, tuple[EndpointPort, ...]] = {}
    wanted: dict[PortKey, list[Endpoint]] = {}
    for pod in pods:
        ports = pod_endpoints.endpoint_ports(service, pod)
        key = port_key(ports)
        ports_by_key.setdefault(key, ports)
        group = wanted.setdefault(key, [])
        node = nodes.get(pod.node_name)
        if node is None and not service.publish_not_ready_addresses:
            continue
        endpoint = pod_endpoints.pod_endpoint(service, pod, node, family)
        if endpoint.addresses:
            group.append(endpoint)
    packings: list[Packing] = []
    for key, group in wanted.items():
        new = new_slice(service, family, ports_by_key[key])
        packings.append(pack(tuple(existing_by_ports.pop(key, ())), group, new, max_endpoints))
    create = [one for packing in packings for one in packing.create]
    update = [one for packing in packings for one in packing.update]
    delete += (one for packing in packings for one in packing.delete)
    delete += (one for slices in existing_by_ports.values() for one in slices)
    if len(delete) == len(existing) and not create:
        # There is always a slice, if only a placeholder (EPS-SL-03).
        placeholder = new_slice(service, family)
        if len(delete) == 1 and _is_placeholder(delete[0], placeholder):
            delete = []
        else:
            create = [placeholder]
    gone = {one.name for one in (*update, *delete)}
    unchanged = tuple(one for one in existing if one.name not in gone)
    return SlicePlan(tuple(create), tuple(update), unchanged), tuple(delete)


def _hinted(
    service: Service,
    plan: SlicePlan,
    nodes: Mapping[str, Node],
    *,
    topology_aware: bool,
    prefer_same: bool,
) -> SlicePlan:
    """The plan with the hints that the Service asks for, and no others (EPS-HINT-01, EPS-HINT-03)."""
    if topology_aware and hints.asks_for_topology_hints(service):
        return topology_hints.add_hints(plan, topology_hints.cpu_ratios(nodes.values()))
    return hints.distribute(hints.traffic_distribution(service, prefer_same=prefer_same), plan)


def _recycled(service: Service, create: Slices, delete: Slices) -> tuple[Slices, Slices]:
    """New slices in place of deleted ones, and those that remain to be created."""
    left = list(create)
    recycled = []
    for one in delete:
        if left and _is_owned(one, service):
            recycled.append(attrs.evolve(left.pop(), name=one.name))
    return tuple(recycled), tuple(left)


def _is_owned(one: EndpointSlice, service: Service) -> bool:
    return service.uid in one.service_owners


def _is_placeholder(one: EndpointSlice, placeholder: EndpointSlice) -> bool:
    """Whether it differs from the placeholder in name only.

    A label without a value counts as absent, and so does the headless label.
    """

    def marks(of: EndpointSlice) -> object:
        return of.service, of.managed_by, {pair for pair in of.labels if pair[1]}

    return not one.endpoints and not one.ports and marks(one) == marks(placeholder)
