"""All slices and Endpoints of a cluster once its controllers have nothing more to do.

What users made stays: slices that no controller manages, and Endpoints of Services without
a selector. What a controller made for a Service that is gone, goes (EPS-EP-06).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping

import attrs

from model.controllers.endpoint_slices import reconcile_slices
from model.controllers.endpoints import ENDPOINTS_CONTROLLER, MANAGED_BY_LABEL, reconcile_endpoints
from model.controllers.mirroring import MIRRORING_CONTROLLER, mirror
from model.controllers.pod_endpoints import is_managed
from model.controllers.slice_packing import SLICE_CONTROLLER
from model.objects import Cluster, Endpoints, EndpointSlice, ObjectName, Pod, Service

_LEADER = "control-plane.alpha.kubernetes.io/leader"


@attrs.frozen
class Published:
    """The slices and Endpoints of a cluster, by name."""

    slices: tuple[EndpointSlice, ...]
    endpoints: tuple[Endpoints, ...]


def publish(cluster: Cluster) -> Published:
    """What there is of slices and Endpoints once the controllers are done with the cluster.

    Publishing the outcome again changes nothing.
    """
    services = {service.name: service for service in cluster.services}
    pods = _PodIndex(cluster.pods)
    endpoints = _endpoints(cluster, services, pods)
    by_service: defaultdict[tuple[ObjectName | None, str], list[EndpointSlice]] = defaultdict(list)
    for one in cluster.slices:
        by_service[one.service, one.managed_by].append(one)
    taken: set[ObjectName] = set()
    for one in cluster.slices:
        taken.add(one.name)
    nodes = {node.name: node for node in cluster.nodes}
    slices: list[EndpointSlice] = []
    for name, service in services.items():
        existing = by_service.pop((name, SLICE_CONTROLLER), [])
        made = reconcile_slices(service, pods.candidates(service), nodes, existing, taken=taken)
        taken.update(one.name for one in made)
        slices += made
    mirrored = [name for name, manager in by_service if name and manager == MIRRORING_CONTROLLER]
    for name in dict.fromkeys((*endpoints, *mirrored)):
        existing = by_service.pop((name, MIRRORING_CONTROLLER), [])
        made = mirror(services.get(name), endpoints.get(name), existing, taken=taken)
        taken.update(one.name for one in made)
        slices += made
    uids = {service.uid for service in cluster.services}
    slices += (one for rest in by_service.values() for one in rest if not _is_orphan(one, uids))
    return Published(
        tuple(sorted(slices, key=lambda one: one.name)),
        tuple(sorted(endpoints.values(), key=lambda one: one.name)),
    )


class _PodIndex:
    """Pods by namespace and label, so that a Service need not look at all of them."""

    def __init__(self, pods: Iterable[Pod]) -> None:
        self._by_namespace: defaultdict[str, list[Pod]] = defaultdict(list)
        self._by_label: defaultdict[tuple[str, tuple[str, str]], list[Pod]] = defaultdict(list)
        for pod in pods:
            self._by_namespace[pod.name.namespace].append(pod)
            for pair in pod.labels:
                self._by_label[pod.name.namespace, pair].append(pod)

    def candidates(self, service: Service) -> list[Pod]:
        """Every pod that the Service selects, and perhaps others."""
        if not is_managed(service):
            return []
        namespace = service.name.namespace
        groups = [self._by_label.get((namespace, pair), []) for pair in service.selector or ()]
        return min(groups, key=len, default=self._by_namespace.get(namespace, []))


def _endpoints(
    cluster: Cluster, services: Mapping[ObjectName, Service], pods: _PodIndex
) -> dict[ObjectName, Endpoints]:
    found = {one.name: one for one in cluster.endpoints if one.name in services or not _is_leftover(one)}
    for name, service in services.items():
        made = reconcile_endpoints(service, pods.candidates(service), found.get(name))
        if made is not None:
            found[name] = made
    return found


def _is_leftover(endpoints: Endpoints) -> bool:
    """Whether the controller made them, for a Service of which nothing else is left."""
    made_by_controller = dict(endpoints.labels).get(MANAGED_BY_LABEL) == ENDPOINTS_CONTROLLER
    return made_by_controller and _LEADER not in dict(endpoints.annotations)


def _is_orphan(one: EndpointSlice, uids: set[str]) -> bool:
    """Whether garbage collection takes the slice, since the Services that owned it are gone."""
    return bool(one.service_owners) and uids.isdisjoint(one.service_owners)
