"""Replays of what the real controllers published: slices, Endpoints and hints.

Compared are the endpoints of each slice as sets, with ports and labels; the names of new
slices and how endpoints are spread over slices are free as long as no slice is too full.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from model.controllers.endpoint_slices import reconcile_slices
from model.controllers.endpoints import canonical, reconcile_endpoints
from model.controllers.hints import asks_for_topology_hints, distribute
from model.controllers.pod_endpoints import (
    endpoint_ports,
    find_port,
    has_hostname,
    is_eligible,
    pod_endpoint,
)
from model.controllers.slice_packing import SLICE_CONTROLLER, port_key
from model.controllers.slice_plan import SlicePlan, with_endpoints, with_hints
from model.controllers.topology_hints import add_hints
from model.load.cluster import load_cluster
from model.objects import (
    ContainerPort,
    Endpoint,
    Endpoints,
    EndpointSlice,
    Node,
    Pod,
    Service,
    ServicePort,
)
from tests.recorded_tables.case import Case, Inexpressible, Replay, same

_KINDS = {
    "Service": ("v1", "services"),
    "Pod": ("v1", "pods"),
    "Node": ("v1", "nodes"),
    "Endpoints": ("v1", "endpoints"),
    "EndpointSlice": ("discovery.k8s.io/v1", "slices"),
}


def replay_reconcile(case: Case) -> None:
    """One pass of the EndpointSlice controller."""
    service = _service(case["service"])
    existing = list(_slices(case.get("existingSlices")))
    nodes = {node.name: node for node in _nodes(case.get("nodes"))}
    result = list(
        reconcile_slices(
            service,
            _pods(case.get("pods")),
            nodes,
            existing,
            max_endpoints=case["maxEndpointsPerSlice"],
            topology_aware=case.get("topologyCacheInUse", True),
            prefer_same=case.get("preferSameTrafficDistribution", True),
        )
    )
    known = {one.name.name for one in existing}
    recorded = [
        one
        for one in _slices(case.get("resultSlices"))
        if not one.being_deleted
        and (one.name.name in known or (one.service, one.managed_by) == (service.name, SLICE_CONTROLLER))
    ]
    kept = {one.name.name for one in result if one in existing}
    if any(one.name.name in kept and not one.service_owners for one in existing) and not any(
        one.name.name in kept for one in recorded
    ):
        raise Inexpressible("the controller was shown a slice that its API server did not hold")
    if asks_for_topology_hints(service):
        # These hints depend on all nodes, and the recording holds only those of the pods.
        existing, recorded, result = map(_without_hints, (existing, recorded, result))
    same(_by_ports(recorded), _by_ports(result), "endpoints by family and ports")
    most = max((len(one.endpoints) for one in result), default=0)
    same(True, most <= case["maxEndpointsPerSlice"], "no slice too full")
    same(len(recorded), len(result), "number of slices")
    same(_untouched(existing, recorded), _untouched(existing, result), "slices left as they were")
    same(_marks(recorded), _marks(result), "labels and owners")


def replay_sync(case: Case) -> None:
    """One pass of the Endpoints controller."""
    service = _service(case["service"])
    before, after = case.get("currentEndpoints"), case.get("resultEndpoints")
    if service.selector is None and after not in (None, before):
        # An empty map of the fixture was not written down: to the controller it selects every pod.
        service = attrs.evolve(service, selector=())
    current = None if case.get("isCreate") or before is None else _endpoints(before)

    result = reconcile_endpoints(service, _pods(case.get("pods")), current)

    if result is None or after is None:
        same(after is None, result is current, "left alone")
        return
    recorded = _endpoints(after)
    same(canonical(recorded), canonical(result), "subsets")
    same(dict(recorded.labels), dict(result.labels), "labels")
    over = "endpoints.kubernetes.io/over-capacity"
    same(dict(recorded.annotations).get(over), dict(result.annotations).get(over), over)


def replay_find_port(case: Case) -> None:
    """The number of one service port on one pod."""
    what = case["case"]
    containers = [
        *(what.get("containers") or ()),
        *(each for each in what.get("initContainers") or () if each.get("restartPolicy") == "Always"),
    ]
    pod = attrs.evolve(
        _pods([{}])[0],
        ports=tuple(
            ContainerPort(port.get("name", ""), port.get("protocol", "TCP"), port.get("containerPort", 0))
            for container in containers
            for port in container.get("ports") or ()
        ),
    )
    written = str(what["port"])
    target = int(written) if written.lstrip("-").isdigit() else written
    port = ServicePort("", "TCP", 0, target_port=target)

    found = find_port(pod, port)

    same(None if case.get("observedErr") else case["observedPort"], found, "port")


def replay_ports(case: Case) -> None:
    """All endpoint ports of one pod."""
    what = case["case"]

    found = endpoint_ports(_service(what["service"]), _pods([what["pod"]])[0])

    recorded = _slices([{"ports": case.get("observed")}])[0].ports
    same(Counter(recorded), Counter(found), "ports")


def replay_pod(case: Case) -> None:
    """One pod as an endpoint."""
    what = case["case"]
    service = _service(what["svc"])
    node = _nodes([what["node"]])[0] if what.get("node") else None

    found = pod_endpoint(service, _pods([what["pod"]])[0], node, case["addressType"])

    recorded = _slices([{"metadata": {"namespace": service.name.namespace}, "endpoints": [case["observed"]]}])
    same(recorded[0].endpoints[0], found, "endpoint")


def replay_eligible(case: Case) -> None:
    """Whether a pod is an endpoint at all."""
    what = case["case"]

    found = is_eligible(_pods([what["pod"]])[0], include_terminating=what.get("includeTerminating", False))

    same(case["observed"], found, "in endpoints")


def replay_hostname(case: Case) -> None:
    """Whether an endpoint carries its pod's hostname."""
    what = case["case"]

    found = has_hostname(_service(what["service"]), _pods([what["pod"]])[0])

    same(case["observed"], found, "has a hostname")


def replay_topology(case: Case) -> None:
    """Hints of topology mode Auto over one family's slices."""
    what = case["case"]
    info = what.get("sliceInfo") or {}
    plan = SlicePlan(*(_slices(info.get(part)) for part in ("ToCreate", "ToUpdate", "Unchanged")))

    result = add_hints(plan, what.get("cpuRatiosByZone"))

    for part, found in (("Create", result.create), ("Update", result.update)):
        recorded = _slices(what.get(f"expectedSlicesTo{part}"))
        same(_zones(recorded), _zones(found), f"hints of slices to {part.lower()}")
    counted = Counter(
        zone
        for one in result.slices
        for endpoint in one.endpoints
        if endpoint.ready
        for zone in endpoint.zone_hints
    )
    recorded_zones = (what.get("expectedEndpointsByAddrType") or {}).get(info.get("AddressType"))
    same(Counter(recorded_zones or {}), counted, "endpoints by zone")


def replay_distribution(case: Case) -> None:
    """Hints of trafficDistribution over one family's slices."""
    what = case["case"]
    parts = ("slicesToCreate", "slicesToUpdate", "slicesUnchanged")
    plan = SlicePlan(*(_slices(what.get(part)) for part in parts))

    result = distribute(what.get("trafficDistribution"), plan)

    for part, found in zip(parts, (result.create, result.update, result.unchanged), strict=True):
        recorded = _slices((case.get("observed") or {}).get(part))
        same([one.endpoints for one in recorded], [one.endpoints for one in found], part)


REPLAYS: Mapping[str, Replay] = {
    "controllers/endpointsliceReconcile": replay_reconcile,
    "controllers/endpointsSync": replay_sync,
    "controllers/endpointslice_FindPort": replay_find_port,
    "controllers/endpointslice_GetEndpointPorts": replay_ports,
    "controllers/endpointslice_PodToEndpoint": replay_pod,
    "controllers/endpointslice_ShouldPodBeInEndpoints": replay_eligible,
    "controllers/endpointslice_ShouldSetHostname": replay_hostname,
    "controllers/topologycache_AddHints": replay_topology,
    "controllers/trafficdist_ReconcileHints": replay_distribution,
}


_Written = Iterable[Mapping[str, Any]] | None


def _read(kind: str, written: _Written) -> tuple[Any, ...]:
    """Objects as the reader has them; fixtures without a name get one of their own.

    Each is read alone, since fixtures may hold two of one name.
    """
    version, field = _KINDS[kind]
    found: list[Any] = []
    for at, each in enumerate(written or ()):
        meta = each.get("metadata") or {}
        meta = {**meta, "name": meta.get("name") or f"unnamed-{at}"}
        text = json.dumps({**each, "apiVersion": version, "kind": kind, "metadata": meta})
        found += getattr(load_cluster([("case", text.encode())]), field)
    return tuple(found)


def _service(written: Mapping[str, Any]) -> Service:
    """A Service whose empty target ports stay so, which no stored Service has."""
    service: Service = _read("Service", [written])[0]
    ports = tuple(
        attrs.evolve(port, target_port=raw["targetPort"]) if raw.get("targetPort") in (0, "") else port
        for port, raw in zip(service.ports, (written.get("spec") or {}).get("ports") or (), strict=True)
    )
    return attrs.evolve(service, ports=ports)


def _pods(written: _Written) -> tuple[Pod, ...]:
    return _read("Pod", written)


def _nodes(written: _Written) -> tuple[Node, ...]:
    return _read("Node", written)


def _slices(written: _Written) -> tuple[EndpointSlice, ...]:
    return _read("EndpointSlice", written)


def _endpoints(written: Mapping[str, Any]) -> Endpoints:
    found: Endpoints = _read("Endpoints", [written])[0]
    return found


def _by_ports(slices: Iterable[EndpointSlice]) -> Mapping[object, Counter[Endpoint]]:
    """All endpoints of each family and port list."""
    found: dict[object, Counter[Endpoint]] = {}
    for one in slices:
        found.setdefault((one.address_type, port_key(one.ports)), Counter()).update(one.endpoints)
    return found


def _without_hints(slices: Iterable[EndpointSlice]) -> list[EndpointSlice]:
    return [with_endpoints(one, tuple(with_hints(each, ()) for each in one.endpoints)) for one in slices]


def _untouched(before: Iterable[EndpointSlice], after: Iterable[EndpointSlice]) -> set[str]:
    """Slices that say the same afterwards."""

    def says(one: EndpointSlice) -> object:
        return one.address_type, port_key(one.ports), frozenset(one.endpoints), one.labels

    # Fixtures may leave the namespace out, so it is the bare name that tells them apart.
    said = {one.name.name: says(one) for one in before}
    return {one.name.name for one in after if says(one) == said.get(one.name.name)}


def _marks(slices: Iterable[EndpointSlice]) -> Counter[object]:
    return Counter(
        (one.headless, one.managed_by, tuple(sorted(one.labels)), one.service_owners) for one in slices
    )


def _zones(slices: Iterable[EndpointSlice]) -> list[list[tuple[tuple[str, ...], tuple[str, ...]]]]:
    return [[(each.addresses, each.zone_hints) for each in one.endpoints] for one in slices]
