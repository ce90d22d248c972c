"""What a PATCH makes of the stored Service, before defaults.

The kinds are RFC 6902, RFC 7396, strategic merge and server-side apply.

Each works on the JSON trees of objects and changes neither of its arguments. The three
differ most in lists: a merge patch replaces them, a strategic one finds ports by number
alone, apply by number and protocol. So a strategic patch of 53/UDP changes the port
53/TCP into it, and an apply adds a second port.

Who set which field is the caller's to say (`model.api.field_managers`); unsaid, nobody did:
nothing conflicts, and what a manager no longer applies stays.
Source: apimachinery pkg/util/strategicpatch/patch.go, structured-merge-diff.
"""

import enum
from collections.abc import Mapping, Sequence
from typing import Any

from model.api.apply import server_side_apply
from model.api.field_managers import SETS, Managed, Tree, conflicts, text_of, without_given_up
from model.api.json_form import from_tree, to_tree
from model.api.json_patch import json_patch
from model.api.objects import Service
from model.api.patched_lists import hashable, in_patch_order
from model.api.refusal import ErrorType, FieldError, Reason, Refused
from model.api.unknown_fields import unknown_fields
from model.api.validation.field_errors import forbidden, invalid, required
from model.objects import ObjectName


class PatchType(enum.Enum):
    """How the body of a PATCH is read; the values are its media types."""

    JSON = "application/json-patch+json"
    MERGE = "application/merge-patch+json"
    STRATEGIC_MERGE = "application/strategic-merge-patch+json"
    APPLY = "application/apply-patch+yaml"


_ORDER, _DELETE, _RETAIN, _DIRECTIVE = (
    "$setElementOrder/",
    "$deleteFromPrimitiveList/",
    "$retainKeys",
    "$patch",
)
_STRATEGIC_KEYS: Mapping[tuple[str, ...], str] = {
    ("spec", "ports"): "port",
    ("status", "conditions"): "type",
    ("metadata", "ownerReferences"): "uid",
}
_API_VERSION = "v1"
NOBODY = Managed()

_NO_DIRECTIVE = object()

Path = tuple[str, ...]


def patched(
    stored: Service | None,
    patch: Tree | Sequence[Any],
    kind: PatchType,
    name: ObjectName,
    *,
    managed: Managed = NOBODY,
    force: bool = False,
) -> Service:
    """The object that a PATCH of the Service asks for, to be given to `update`.

    Only apply may meet no stored object. Raises Refused: 404 without one; 400, 422 or 500
    for a patch that cannot be carried out; 422 (500 for apply) when it makes what is no
    Service; 422 for another uid, of which only a PUT makes a conflict; 409 when an apply
    that is not forced changes fields of another manager.
    """
    if stored is None and kind is not PatchType.APPLY:
        raise Refused(Reason.NOT_FOUND, f"services {name.name!r} not found")
    tree: Tree = {} if stored is None else to_tree(stored)
    if kind is PatchType.JSON:
        tree = json_patch(tree, patch if isinstance(patch, Sequence) else [patch])
    elif not isinstance(patch, Mapping):
        raise Refused(Reason.BAD_REQUEST, "the patch must be an object")
    elif kind is PatchType.MERGE:
        tree = merge_patch(tree, patch)
    elif kind is PatchType.STRATEGIC_MERGE:
        tree = strategic_merge_patch(tree, patch)
    else:
        _refuse_unappliable(patch)
        _refuse_conflicts(tree, patch, managed, force=force)
        tree = server_side_apply(without_given_up(tree, patch, managed), patch)
    service = _decoded(tree, kind, name)
    if stored is not None and service.metadata.uid not in ("", stored.metadata.uid):
        cause = invalid("metadata.uid", service.metadata.uid, "must not change")
        raise Refused(Reason.INVALID, f"Service {name} is invalid", (cause,))
    return service


def _decoded(tree: Tree, kind: PatchType, name: ObjectName) -> Service:
    """The Service of a patched tree; a value of the wrong type is the patch's fault, not the object's."""
    try:
        return from_tree(Service, tree)
    except Refused as fault:
        if kind is PatchType.APPLY:
            raise Refused(Reason.UNKNOWN, f"failed to create typed patch object: {fault}") from None
        cause = invalid("patch", dict(tree), str(fault))
        raise Refused(Reason.INVALID, f"the patch of {name} is invalid", (cause,)) from None


def refuse_patch_options(kind: PatchType, *, field_manager: str, force: bool | None) -> None:
    """Nothing when the query of a PATCH fits its kind: apply names its manager, others cannot be forced.

    Raises Refused (422). Source: apimachinery pkg/apis/meta/v1/validation ValidatePatchOptions.
    """
    causes = []
    if kind is not PatchType.APPLY and force is not None:
        causes.append(forbidden("force", "may not be specified for non-apply patch"))
    if kind is PatchType.APPLY and not field_manager:
        causes.append(required("fieldManager", "is required for apply patch"))
    if causes:
        raise Refused(Reason.INVALID, "PatchOptions are invalid", tuple(causes))


def _refuse_unappliable(applied: Tree) -> None:
    """What is applied names its version and has the fields of the kind alone."""
    if applied.get("apiVersion") != _API_VERSION:
        what = f"Incorrect version specified in apply patch: {applied.get('apiVersion')!r}"
        raise Refused(Reason.BAD_REQUEST, what)
    unknown = unknown_fields(Service, applied)
    if unknown:
        raise Refused(Reason.UNKNOWN, f"field not declared in schema: {', '.join(unknown)}")


def _refuse_conflicts(stored: Tree, applied: Tree, managed: Managed, *, force: bool) -> None:
    causes = tuple(
        FieldError(ErrorType.FIELD_MANAGER_CONFLICT, text_of(place), "is set by another manager")
        for place in conflicts(stored, applied, managed)
    )
    if causes and not force:
        raise Refused(Reason.CONFLICT, f"Apply failed with {len(causes)} conflicts", causes)


def merge_patch(stored: Tree, patch: Tree) -> dict[str, Any]:
    """RFC 7396: maps merge, null removes, all else replaces.

    >>> merge_patch({"a": {"b": 1, "c": 2}, "d": [1]}, {"a": {"b": None}, "d": [2]})
    {'a': {'c': 2}, 'd': [2]}
    """
    merged = dict(stored)
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, Mapping):
            below = merged.get(key)
            merged[key] = merge_patch(below if isinstance(below, Mapping) else {}, value)
        else:
            merged[key] = value
    return merged


def strategic_merge_patch(stored: Tree, patch: Tree) -> dict[str, Any]:
    """Maps merge and null removes; ports merge by number, conditions by type, finalizers by value.

    Understands the directives `$patch`, `$retainKeys`, `$setElementOrder/` and
    `$deleteFromPrimitiveList/`. Other lists are replaced. Raises Refused: 400 for a
    directive of the wrong form, 500 for a `$patch` other than replace and delete or for an
    item without its key.
    """
    return _strategic(stored, patch, ())


def _strategic(stored: Tree, patch: Tree, path: Path) -> dict[str, Any]:
    match patch.get(_DIRECTIVE, _NO_DIRECTIVE):
        case "replace":
            return _without_directives(patch)
        case "delete":
            return {}
        case other if other is not _NO_DIRECTIVE:
            # Not even "merge", which is what happens without a directive.
            raise Refused(Reason.UNKNOWN, f"unknown patch type: {other!r}")
    merged = dict(stored)
    if _RETAIN in patch:
        merged = {key: value for key, value in merged.items() if key in _list(patch[_RETAIN], _RETAIN)}
    for key, unwanted in patch.items():
        if key.startswith(_DELETE) and isinstance(merged.get(name := key.removeprefix(_DELETE)), list):
            merged[name] = [value for value in merged[name] if value not in _list(unwanted, key)]
    for key, value in patch.items():
        if key.startswith("$"):
            continue
        if value is None:
            merged.pop(key, None)
            continue
        below, here = merged.get(key), (*path, key)
        if isinstance(value, Mapping):
            merged[key] = _strategic(below if isinstance(below, Mapping) else {}, value, here)
        elif isinstance(value, list) and (here in _STRATEGIC_KEYS or here in SETS):
            order = _list(patch.get(_ORDER + key, value), _ORDER + key)
            merged[key] = _strategic_list(below or [], value, order, here)
        else:
            merged[key] = value
    for key, order in patch.items():
        here = (*path, name := key.removeprefix(_ORDER))
        if key.startswith(_ORDER) and name not in patch and merged.get(name) and here in _STRATEGIC_KEYS:
            merged[name] = _strategic_list(merged[name], [], _list(order, key), here)
    return merged


def _strategic_list(stored: list[Any], patch: list[Any], order: list[Any], path: Path) -> list[Any]:
    """A list merged by its key, in the order that the patch wants."""
    key = _STRATEGIC_KEYS.get(path)

    def identity(item: Any) -> Any:
        if key is None:
            return hashable(item)
        if not isinstance(item, Mapping) or key not in item:
            raise Refused(Reason.UNKNOWN, f"{item} does not contain declared merge key: {key}")
        return hashable(item[key])

    for item in patch:
        if _directive(item) not in (None, "replace", "delete"):
            raise Refused(Reason.UNKNOWN, f"unknown patch type: {_directive(item)!r}")
    changes = [item for item in patch if not _directive(item)]
    if any(_directive(item) == "replace" for item in patch):
        return changes
    deleted = [identity(item) for item in patch if _directive(item) == "delete"]
    merged = [(identity(item), item) for item in stored if identity(item) not in deleted]
    for item in changes:
        name = identity(item)
        # Two stored ports may have one number, 53/TCP and 53/UDP; the first one is meant.
        place = next((index for index, (known, _) in enumerate(merged) if known == name), len(merged))
        below = merged[place][1] if place < len(merged) else {}
        merged[place : place + 1] = [(name, item if key is None else _strategic(below, item, (*path, "*")))]
    wanted = [identity(item) for item in order if _directive(item) is None]
    return in_patch_order(merged, [identity(item) for item in stored], wanted)


def _directive(item: Any) -> str | None:
    return item.get(_DIRECTIVE) if isinstance(item, Mapping) else None


def _list(value: Any, directive: str) -> list[Any]:
    if not isinstance(value, list):
        raise Refused(Reason.BAD_REQUEST, f"{directive} must be a list")
    return value


def _without_directives(tree: Tree) -> dict[str, Any]:
    return {key: value for key, value in tree.items() if not key.startswith("$")}
