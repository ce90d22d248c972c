"""A cluster's state made from the objects of a real one.

The pools are filled from what the stored Services hold, as repair would find them; no
proxy has applied anything, and nothing is known of flows.
"""

from collections.abc import Iterable, Iterator
from typing import TypeVar

from rpds import HashTrieMap

from model import objects
from model.api import objects as api
from model.api.adopt import adopt
from model.api.as_read import read_service
from model.api.json_form import from_tree
from model.api.refusal import Refused
from model.api.registry import ApiConfig, Registry
from model.cluster.state import ClusterState, Pods
from model.cluster.watched import Services, Slices
from model.errors import InputError
from model.load.cluster import cluster_of, read_objects
from model.load.text import parse_documents
from model.load.walk import faults_named, find_objects

_VERSIONS = {
    api.Service: frozenset(("", "v1")),
    api.ServiceCIDR: frozenset(("", *(f"networking.k8s.io/{v}" for v in ("v1", "v1beta1", "v1alpha1")))),
}


def state_of(sources: Iterable[tuple[str, bytes]], config: ApiConfig = ApiConfig()) -> ClusterState:
    """The state that the objects of all files make; `sources` are (file label, content).

    Raises InputError naming file, object and field.
    """
    files = list(sources)
    cluster = cluster_of(item for file, data in files for item in read_objects(data, file))
    services = {item.object_name: item for file, data in files for item in _written(data, file, api.Service)}
    cidrs = [item for file, data in files for item in _written(data, file, api.ServiceCIDR)]
    registry = Registry(config, service_cidrs=HashTrieMap((one.metadata.name, one) for one in cidrs))
    return _with_consumers(adopt(registry, services.values()), cluster)


def _with_consumers(registry: Registry, cluster: objects.Cluster) -> ClusterState:
    services, slices, pods = Services(), Slices(), Pods()
    for service in registry.services.values():
        services = services.put(read_service(service), 0)
    for one in cluster.slices:
        slices = slices.put(one, 0)
    for pod in cluster.pods:
        pods = pods.put(pod)
    return ClusterState(
        registry=registry,
        services=services,
        slices=slices,
        endpoints=HashTrieMap((one.name, one) for one in cluster.endpoints),
        pods=pods,
        nodes=HashTrieMap((one.name, one) for one in cluster.nodes),
    )


Written = TypeVar("Written", api.Service, api.ServiceCIDR)


def _written(data: bytes, file: str, shape: type[Written]) -> Iterator[Written]:
    """The objects of one kind in a file, field for field."""
    versions = _VERSIONS[shape]
    documents = parse_documents(data, file)
    with faults_named(documents, file):
        for item in find_objects(documents, file):
            if item.kind == shape.__name__ and item.version in versions:
                try:
                    yield from_tree(shape, item.tree())
                except Refused as fault:
                    raise InputError(file, 0, f"{item.kind} at {item.place or 'document'}: {fault}") from None
