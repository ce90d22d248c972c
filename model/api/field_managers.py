"""Which fields of a Service were set by whom: what server-side apply goes by.

A manager that applies owns the fields it applied; one that updates owns those it changed.
Apply removes what its manager owned and no longer applies, unless another owns it, too,
and conflicts with others about fields that they own with another value.
Source: structured-merge-diff `merge/update.go`, KEP-555.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import attrs

Tree = Mapping[str, Any]
"""An object of JSON."""

Item = tuple[tuple[str, str | int], ...]
"""An item of a list, by its keys: `(("port", 53), ("protocol", "TCP"))`; of a set by `(("", value),)`."""

Field = tuple[str | Item, ...]
"""A place in an object: names of fields, and items of lists that have keys."""

LIST_KEYS: Mapping[tuple[str, ...], tuple[str, ...]] = {
    ("spec", "ports"): ("port", "protocol"),
    ("status", "conditions"): ("type",),
    ("metadata", "ownerReferences"): ("uid",),
}
KEY_DEFAULTS = {"protocol": "TCP"}
SETS = frozenset({("metadata", "finalizers")})
ATOMIC_MAPS = frozenset({("spec", "selector")})

_OWNED_BY_NOBODY = frozenset(
    {
        ("apiVersion",),
        ("kind",),
        *(
            ("metadata", name)
            for name in ("name", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp")
        ),
    }
)


@attrs.frozen
class Managed:
    """The fields of one object: those of the manager that applies, and those of all others."""

    mine: frozenset[Field] = frozenset()
    others: frozenset[Field] = frozenset()


def fields_of(tree: Tree) -> frozenset[Field]:
    """The fields that a manager owns who applies this tree.

    >>> sorted(fields_of({"kind": "Service", "spec": {"type": "NodePort", "selector": {"a": "b"}}}))
    [('spec', 'selector'), ('spec', 'type')]
    """
    return frozenset(values_of(tree))


def values_of(tree: Tree) -> dict[Field, Any]:
    """The value of each field; of an item its keys, for what it holds has fields of its own."""
    return {place: value for place, value in _values(tree, (), ()) if place not in _OWNED_BY_NOBODY}


def conflicts(stored: Tree, applied: Tree, managed: Managed) -> tuple[Field, ...]:
    """The fields of others that the applied tree would change, in its order."""
    before = values_of(stored)
    return tuple(
        place
        for place, value in values_of(applied).items()
        if place in managed.others and before.get(place) != value
    )


def without_given_up(stored: Tree, applied: Tree, managed: Managed) -> Tree:
    """The stored tree without what the manager owned alone and applies no longer."""
    kept = fields_of(applied) | managed.others
    for place in sorted(managed.mine - kept, key=len):
        if not any(other[: len(place)] == place for other in kept):
            stored = _removed(stored, place)
    return stored


def text_of(place: Field) -> str:
    """A field as conflicts name it.

    >>> text_of(("spec", "ports", (("port", 53), ("protocol", "TCP")), "name"))
    '.spec.ports[port=53,protocol="TCP"].name'
    """
    return "".join(
        f".{part}" if isinstance(part, str) else "[" + ",".join(map(_key_text, part)) + "]" for part in place
    )


def identity(item: Any, path: tuple[str, ...]) -> Item | None:
    """What makes an item of the list at this path one of its own; None for what has no identity."""
    if path in SETS:
        return (("", item),) if isinstance(item, str) else None
    if not isinstance(item, Mapping):
        return None
    return tuple((key, item.get(key, KEY_DEFAULTS.get(key, ""))) for key in LIST_KEYS[path])


def _values(tree: Tree, place: Field, path: tuple[str, ...]) -> Iterator[tuple[Field, Any]]:
    for name, value in tree.items():
        here, below = (*place, name), (*path, name)
        if isinstance(value, Mapping) and value and below not in ATOMIC_MAPS:
            yield from _values(value, here, below)
        elif isinstance(value, list) and (below in LIST_KEYS or below in SETS):
            for item in value:
                known = identity(item, below)
                if known is not None:
                    yield (*here, known), known
                    if isinstance(item, Mapping):
                        yield from _values(item, (*here, known), (*below, "*"))
        else:
            yield here, value


def _removed(tree: Tree, place: Field, path: tuple[str, ...] = ()) -> Tree:
    name, rest = place[0], place[1:]
    if not isinstance(name, str) or name not in tree:
        return tree
    below, value = (*path, name), tree[name]
    if not rest:
        return {key: one for key, one in tree.items() if key != name}
    if not isinstance(rest[0], str):
        items = list(value)
        for index, item in enumerate(value):
            if identity(item, below) == rest[0]:
                items[index : index + 1] = [_removed(item, rest[1:], (*below, "*"))] if rest[1:] else []
                break
        return {**tree, name: items}
    return {**tree, name: _removed(value, rest, below)} if isinstance(value, Mapping) else tree


def _key_text(pair: tuple[str, str | int]) -> str:
    key, value = pair
    shown = f'"{value}"' if isinstance(value, str) else str(value)
    return f"{key}={shown}" if key else f"={shown}"
