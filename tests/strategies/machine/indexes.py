"""The indexes of a state as a scan finds them, from scratch."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from rpds import HashTrieMap

from model.addresses import parse_address
from model.api.as_read import read_service
from model.cluster.state import ClusterState
from model.objects import ObjectName, Service

One = TypeVar("One")


def faults(before: ClusterState, after: ClusterState) -> Iterator[str]:
    """What is wrong with the indexes of the parts that a step has changed."""
    if after.services is not before.services:
        if _index(after.services.by_name, _claims) != dict(after.services.claimants):
            yield "Services by address and node port"
        yield from _unlike_what_is_stored(before, after)
    if after.slices is not before.slices:
        by_service = _index(after.slices.by_name, lambda one: {one.service} - {None})
        if by_service != dict(after.slices.of_service):
            yield "slices by Service"
    if after.pods is not before.pods:
        by_label = _index(
            after.pods.by_name, lambda pod: {(pod.name.namespace, *label) for label in pod.labels}
        )
        if by_label != {label: frozenset(names) for label, names in after.pods.by_label.items()}:
            yield "pods by label"
        held = _index(
            after.pods.by_name,
            lambda pod: set() if pod.host_network or pod.phase in ("Succeeded", "Failed") else set(pod.ips),
        )
        if held != {ip: {name} for ip, name in after.pods.holders.items()}:
            yield "pods by address"


def _unlike_what_is_stored(before: ClusterState, after: ClusterState) -> Iterator[str]:
    """Watchers see exactly the Services that are stored, as they are."""
    stored, seen = after.registry.services, after.services.by_name
    if set(stored) != set(seen):
        yield "the Services that watchers see"
    for name, service in stored.items():
        if before.registry.services.get(name) is not service and read_service(service) != seen.get(name):
            yield f"what watchers see of {name}"


def _index(
    objects: "HashTrieMap[ObjectName, One]", keys: Callable[[One], Iterable[object]]
) -> dict[object, set[ObjectName]]:
    found: dict[object, set[ObjectName]] = {}
    for name, one in objects.items():
        for key in keys(one):
            found.setdefault(key, set()).add(name)
    return found


def _claims(service: Service) -> set[object]:
    """Each address, as family and number, and each node port."""
    found: set[object] = {port.node_port for port in service.ports if port.node_port}
    ingress = tuple(each.ip for each in service.ingress if each.ip)
    for text in (*service.cluster_ips, *service.external_ips, *ingress):
        if text != "None":
            found.add(parse_address(text))
    return found
