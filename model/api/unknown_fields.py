"""Which fields of a request's body its kind does not have.

The decoder of the API server skips them unless the request asks for strict validation;
server-side apply never does (`fieldValidation`, KEP-2885; structured-merge-diff typed).
"""

from collections.abc import Iterator, Mapping
from typing import Any, get_args

import attrs

from model.api.json_form import field_name
from model.api.objects import Condition, Metadata, ObjectReference, Pairs

_OF_EVERY_KIND = frozenset({"apiVersion", "kind"})
_WITHOUT_MEANING_HERE: Mapping[type, frozenset[str]] = {
    Metadata: frozenset({"managedFields", "selfLink"}),
    Condition: frozenset({"lastTransitionTime", "message", "observedGeneration"}),
    ObjectReference: frozenset({"apiVersion", "fieldPath", "resourceVersion", "uid"}),
}
"""Fields that the API has and no rule speaks of."""


def unknown_fields(kind: type, tree: object) -> tuple[str, ...]:
    """The paths of fields that an object of this kind cannot have, in the order of the tree.

    >>> from model.api.objects import Service
    >>> unknown_fields(Service, {"kind": "Service", "spec": {"ports": [{"prot": "TCP"}], "x": 1}})
    ('spec.ports[0].prot', 'spec.x')
    """
    known = _fields(kind)
    top = {} if not isinstance(tree, Mapping) else {k: v for k, v in tree.items() if k not in _OF_EVERY_KIND}
    return tuple(_unknown(known, top, ""))


def _fields(kind: type) -> Mapping[str, Any]:
    return {field_name(one.name): one.type for one in attrs.fields(kind)} | dict.fromkeys(
        _WITHOUT_MEANING_HERE.get(kind, ())
    )


def _unknown(known: Mapping[str, Any], tree: Mapping[str, Any], path: str) -> Iterator[str]:
    for name, value in tree.items():
        if name not in known:
            yield path + name
            continue
        below = _object_kind(known[name])
        if below is None:
            continue
        if isinstance(value, list):
            for index, item in enumerate(value):
                if isinstance(item, Mapping):
                    yield from _unknown(_fields(below), item, f"{path}{name}[{index}].")
        elif isinstance(value, Mapping):
            yield from _unknown(_fields(below), value, f"{path}{name}.")


def _object_kind(declared: Any) -> type | None:
    """The kind of object that a field, or each item of a list, holds; None for plain values and maps."""
    if declared == Pairs:
        return None
    candidates = (declared, *get_args(declared))
    return next((one for one in candidates if isinstance(one, type) and attrs.has(one)), None)
