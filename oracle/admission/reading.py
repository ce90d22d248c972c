"""Objects as somebody means to write them: each is well formed, at fault, or of a kind not judged.

A value of a wrong type is for the API server to refuse (400), so it does not spoil the
file; only a file that is no JSON or YAML of Kubernetes objects is unreadable.
"""

from collections.abc import Iterator, Mapping
from typing import Any, get_args, get_origin

import attrs

from model.api import objects as api
from model.api.json_form import field_name, from_tree
from model.api.objects import Pairs
from model.api.refusal import Reason, Refused
from model.load.text import parse_documents
from model.load.walk import Found, faults_named, find_objects

Written = api.Service | api.Endpoints | api.EndpointSlice

KINDS: Mapping[str, tuple[str, type[Written]]] = {
    "Service": ("v1", api.Service),
    "Endpoints": ("v1", api.Endpoints),
    "EndpointSlice": ("discovery.k8s.io/v1", api.EndpointSlice),
}
"""Each kind that is judged, with the one version of it that Kubernetes 1.36 serves."""

# Fields of the real types that no rule speaks of, so the model's types lack them.
_UNMODELLED: Mapping[type, frozenset[str]] = {
    **{shape: frozenset(("apiVersion", "kind")) for _, shape in KINDS.values()},
    api.Metadata: frozenset(("managedFields", "selfLink")),
    api.ObjectReference: frozenset(("apiVersion", "fieldPath", "resourceVersion", "uid")),
    api.Condition: frozenset(("lastTransitionTime", "message", "observedGeneration")),
}


@attrs.frozen
class Given:
    """One object as it was given; exactly one of `written`, `fault` and `passed_over` is set.

    `place` is where in the file it stands, "" when it is all there is. `unknown` are the
    paths of fields that no version of the kind has.
    """

    file: str
    place: str
    kind: str
    namespace: str
    name: str
    written: Written | None = None
    fault: Refused | None = None
    passed_over: str = ""
    unknown: tuple[str, ...] = ()


def given_objects(data: bytes, file: str, namespace: str) -> Iterator[Given]:
    """The objects of a file in their order; those without a namespace belong to `namespace`.

    Raises InputError when the file holds no Kubernetes objects or cannot be read.
    """
    documents = parse_documents(data, file)
    with faults_named(documents, file):
        for item in find_objects(documents, file):
            yield given_object(item, namespace)


def given_object(item: Found, namespace: str) -> Given:
    """One object; it belongs to `namespace` when it names none."""
    tree = item.tree()
    metadata = tree.get("metadata") if isinstance(tree, dict) else None
    names = metadata if isinstance(metadata, dict) else {}
    bare = Given(
        item.file,
        item.place,
        item.kind,
        str(names.get("namespace") or namespace),
        str(names.get("name") or names.get("generateName") or ""),
    )
    if item.kind not in KINDS:
        return attrs.evolve(bare, passed_over=f"kind {item.kind} is not judged")
    version, shape = KINDS[item.kind]
    if not item.version:
        return attrs.evolve(bare, fault=Refused(Reason.BAD_REQUEST, "apiVersion is not set"))
    if item.version != version:
        return attrs.evolve(bare, passed_over=f"{item.kind} of {item.version} is not judged, only {version}")
    try:
        written = from_tree(shape, tree)
    except Refused as fault:
        return attrs.evolve(bare, fault=fault)
    placed = attrs.evolve(
        written,
        metadata=attrs.evolve(written.metadata, namespace=written.metadata.namespace or namespace),
    )
    return attrs.evolve(bare, written=placed, unknown=tuple(unknown_fields(shape, tree)))


def unknown_fields(shape: Any, tree: object, path: str = "") -> Iterator[str]:
    """The paths of keys that the type does not have, such as `spec.prots`.

    >>> list(unknown_fields(api.Service, {"spec": {"ports": [{"prot": 80}]}, "sepc": {}}))
    ['spec.ports[0].prot', 'sepc']
    """
    if shape == Pairs:
        return
    if get_origin(shape) is tuple and isinstance(tree, list):
        for index, item in enumerate(tree):
            yield from unknown_fields(get_args(shape)[0], item, f"{path}[{index}]")
        return
    record = next((one for one in (shape, *get_args(shape)) if attrs.has(one)), None)
    if record is None or not isinstance(tree, dict):
        return
    known = {field_name(one.name): one.type for one in attrs.fields(record)}
    for key, value in tree.items():
        inner = f"{path}.{key}" if path else str(key)
        if key in known:
            yield from unknown_fields(known[key], value, inner)
        elif key not in _UNMODELLED.get(record, ()):
            yield inner
