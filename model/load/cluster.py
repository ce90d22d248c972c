"""Files of Kubernetes objects, as kubectl prints them, and the Cluster they add up to.

Read are Service, EndpointSlice, Endpoints, Pod, Node and ServiceCIDR, alone, in lists
of any kind and in any number of documents; other kinds are passed over. One object may
occur in several files as long as they agree about it.
"""

import gc
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import attrs

from model import objects
from model.errors import InputError
from model.load import wire
from model.load.convert import KINDS, Object, ServiceCIDR
from model.load.text import parse_documents
from model.load.walk import Found, faults_named, find_objects


@attrs.frozen
class Located:
    """An object and the label of the file that it was read from."""

    file: str
    object: Object


def load_cluster(sources: Iterable[tuple[str, bytes]]) -> objects.Cluster:
    """The cluster that the objects of all files make, in the order read.

    `sources` are (file label, content), content being UTF-8 text in JSON or YAML.
    Raises InputError naming file, line or object, and field.
    """
    with _collector_paused():
        return cluster_of(item for file, data in sources for item in read_objects(data, file))


def read_objects(data: bytes, file: str) -> list[Located]:
    """The objects of one file, those of kinds that are not read left out.

    Raises InputError, and its kind NotKubernetesObjects when no document has a kind.
    """
    documents = parse_documents(data, file)
    with faults_named(documents, file):
        return [
            Located(file, reader.convert(written, _named(written, item), item.version))
            for item in find_objects(documents, file)
            if (reader := KINDS.get(item.kind)) is not None and item.version in reader.versions
            for written in [item.decode(reader.shape)]
        ]


def _named(written: wire.Named, found: Found) -> wire.Metadata:
    if written.metadata is None or not written.metadata.name:
        at = f" at {found.place}" if found.place else ""
        raise InputError(found.file, 0, f"{found.kind}{at} has no metadata.name")
    return written.metadata


def cluster_of(located: Iterable[Located]) -> objects.Cluster:
    """The cluster of these objects, each once.

    Raises InputError, naming both files, when one object is given twice with different
    content.
    """
    seen: dict[tuple[type, object], Located] = {}
    by_type: dict[type, list[Any]] = {}
    for item in located:
        key = (type(item.object), item.object.name)
        earlier = seen.setdefault(key, item)
        if earlier is item:
            by_type.setdefault(type(item.object), []).append(item.object)
        elif earlier.object != item.object:
            what = f"{type(item.object).__name__} {item.object.name} differs from the one in {earlier.file}"
            raise InputError(item.file, 0, what)
    cidrs = [cidr for item in by_type.get(ServiceCIDR, ()) for cidr in item.cidrs]
    return objects.Cluster(
        services=tuple(by_type.get(objects.Service, ())),
        slices=tuple(by_type.get(objects.EndpointSlice, ())),
        endpoints=tuple(by_type.get(objects.Endpoints, ())),
        pods=tuple(by_type.get(objects.Pod, ())),
        nodes=tuple(by_type.get(objects.Node, ())),
        service_cidrs=tuple(dict.fromkeys(cidrs)),
    )


@contextmanager
def _collector_paused() -> Iterator[None]:
    """No garbage collection: all that is built here is kept, and scanning it doubles the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
