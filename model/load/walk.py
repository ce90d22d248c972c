"""The objects in a file of kubectl output, wherever they stand: alone, in lists, in documents.

An object stays as it was found: undecoded JSON, or a tree of Python values. Kinds that
nobody here reads come along; whoever wants an object decodes it.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

import attrs
import msgspec

from model.errors import InputError
from model.load import wire
from model.load.text import Document, decode_tree


@attrs.frozen
class NotKubernetesObjects(InputError):
    """A well-formed file in which nothing has a kind: some other tool's JSON or YAML."""


@attrs.frozen
class Found:
    """One object as it stands in a file. `place` says where, "" when it is all there is."""

    file: str
    place: str
    kind: str
    version: str  # apiVersion
    document: Document

    def decode(self, shape: type[wire.Named]) -> wire.Named:
        """The object in that shape. Raises InputError naming the object and the field."""
        try:
            return _decode(self.document, shape)
        except msgspec.ValidationError as error:
            raise _fault(self.file, _describe(self.kind, self.document, self.place), error) from None

    def tree(self) -> Any:
        """The object as a tree of Python values, kind and apiVersion included where written."""
        if isinstance(self.document, msgspec.Raw):
            return msgspec.json.decode(self.document)
        return decode_tree(self.document, self.file)


def find_objects(documents: Sequence[Document], file: str) -> Iterator[Found]:
    """Every object of the file, with the kind that its list gives it.

    To be used within `faults_named`, as what is found is yet to be decoded.

    Raises InputError, and its kind NotKubernetesObjects when no document has a kind.
    """
    if not any(_is_object(document) for document in documents):
        raise NotKubernetesObjects(file, 0, "holds no Kubernetes objects: nothing in it has a kind")
    for index, document in enumerate(documents):
        place = f"document {index + 1}" if len(documents) > 1 else ""
        yield from _objects(document, file, place, None)


@contextmanager
def faults_named(documents: Iterable[Document], file: str) -> Iterator[None]:
    """Faults of decoding as InputErrors that name the line where they can."""
    try:
        yield
    except RecursionError:
        raise InputError(file, 0, "nested too deeply") from None
    except msgspec.DecodeError as error:
        # Well formed to the scanner, not to the decoder (a bad escape in a string):
        # decoding everything again finds the line.
        for document in documents:
            decode_tree(document, file)
        raise InputError(file, 0, str(error)) from None


def _is_object(document: Document) -> bool:
    """Whether the document, or an item of an array of them, names a kind."""
    try:
        return bool(_head(document).kind)
    except msgspec.ValidationError:
        tree = decode_tree(document, "")
        items = tree if isinstance(tree, list) else [tree]
        return any(isinstance(item, dict) and bool(item.get("kind")) for item in items)


def _objects(document: Document, file: str, place: str, assumed: tuple[str, str] | None) -> Iterator[Found]:
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
    if kind.endswith("List"):
        item_kind = kind.removesuffix("List")
        yield from _items(head.items or [], file, place, (item_kind, version) if item_kind else None)
        return
    yield Found(file, place, kind, version, document)


def _items(items: list[Any], file: str, place: str, assumed: tuple[str, str] | None) -> Iterator[Found]:
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
