"""Files of Kubernetes objects, as kubectl prints them, and the Cluster they add up to.

Read are Service, EndpointSlice, Endpoints, Pod, Node and ServiceCIDR, alone, in lists
of any kind and in any number of documents; other kinds are passed over. One object may
occur in several files as long as they agree about it.
"""

import gc
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import attrs
import msgspec

from model import objects
from model.errors import InputError
from model.load import wire
from model.load.convert import KINDS, Object, ServiceCIDR
from model.load.text import Document, decode_tree, parse_documents


@attrs.frozen
class NotKubernetesObjects(InputError):
    """A well-formed file in which nothing has a kind: some other tool's JSON or YAML."""


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
    try:
        if not any(_is_object(document) for document in documents):
            raise NotKubernetesObjects(file, 0, "holds no Kubernetes objects: nothing in it has a kind")
        found: list[Located] = []
        for index, document in enumerate(documents):
            place = f"document {index + 1}" if len(documents) > 1 else ""
            found.extend(Located(file, item) for item in _objects(document, file, place, None))
        return found
    except RecursionError:
        raise InputError(file, 0, "nested too deeply") from None
    except msgspec.DecodeError as error:
        # Well formed to the scanner, not to the decoder (a bad escape in a string):
        # decoding the whole file again finds the line.
        for document in documents:
            decode_tree(document, file)
        raise InputError(file, 0, str(error)) from None


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


def _is_object(document: Document) -> bool:
    """Whether the document, or an item of an array of them, names a kind."""
    try:
        return bool(_head(document).kind)
    except msgspec.ValidationError:
        tree = decode_tree(document, "")
        items = tree if isinstance(tree, list) else [tree]
        return any(isinstance(item, dict) and bool(item.get("kind")) for item in items)


def _objects(document: Document, file: str, place: str, assumed: tuple[str, str] | None) -> Iterator[Object]:
    """The objects of a document; `assumed` is the kind and version a typed list gives its items."""
    if isinstance(tree := _array(document), list):
        yield from _items(tree, file, place, None)
        return
    try:
        head = _head(document)
    except msgspec.ValidationError as error:
        raise _fault(file, place, error) from None
    kind, version = head.kind, head.api_version or ""
    if not kind:
        if assumed is None:
            raise InputError(file, 0, f"{place or 'document'} has no kind")
        kind, version = assumed[0], version or assumed[1]
    if kind.endswith("List") and kind not in KINDS:
        item_kind = kind.removesuffix("List")
        yield from _items(head.items or [], file, place, (item_kind, version) if item_kind else None)
        return
    reader = KINDS.get(kind)
    if reader is None or version not in reader.versions:
        return
    try:
        written = _decode(document, reader.shape)
    except msgspec.ValidationError as error:
        raise _fault(file, _describe(kind, document, place), error) from None
    if written.metadata is None or not written.metadata.name:
        raise InputError(file, 0, f"{kind}{f' at {place}' if place else ''} has no metadata.name")
    yield reader.convert(written, written.metadata, version)


def _items(items: list[Any], file: str, place: str, assumed: tuple[str, str] | None) -> Iterator[Object]:
    prefix = f"{place} " if place else ""
    for index, item in enumerate(items):
        yield from _objects(item, file, f"{prefix}items[{index}]", assumed)


def _array(document: Document) -> list[Any] | None:
    """The elements of a document that is a bare array (as `jq .items` prints), else None."""
    if isinstance(document, memoryview | msgspec.Raw):
        start = bytes(memoryview(document)[:64]).lstrip()[:1]
        return msgspec.json.decode(document, type=list[msgspec.Raw]) if start == b"[" else None
    return document if isinstance(document, list) else None


def _head(document: Document) -> wire.RawHead | wire.TreeHead:
    if isinstance(document, memoryview | msgspec.Raw):
        raw: wire.RawHead = _decoder(wire.RawHead).decode(document)
        return raw
    return msgspec.convert(document, wire.TreeHead)


def _decode(document: Document, shape: type[wire.Named]) -> wire.Named:
    if isinstance(document, memoryview | msgspec.Raw):
        written: wire.Named = _decoder(shape).decode(document)
        return written
    return msgspec.convert(document, shape)


@cache
def _decoder(shape: type[Any]) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(shape)


def _describe(kind: str, document: Document, place: str) -> str:
    """The object's kind and name for an error message, its place when it has no name."""
    try:
        meta = _decode(document, wire.Named).metadata
    except msgspec.ValidationError:
        meta = None
    if meta is None or not meta.name:
        return f"{kind} at {place}" if place else kind
    return f"{kind} {meta.namespace}/{meta.name}" if meta.namespace else f"{kind} {meta.name}"


def _fault(file: str, what: str, error: msgspec.ValidationError) -> InputError:
    path, fault = wire.decode_error_text(error)
    return InputError(file, 0, ": ".join(part for part in (what, path, fault) if part))
