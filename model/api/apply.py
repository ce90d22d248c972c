"""What was applied, over what is stored: the merge of server-side apply.

Ports merge by number and protocol, other lists without keys and the selector are one
value each. Who owns what is `model.api.field_managers`.
"""

from collections.abc import Mapping
from typing import Any

from model.api.field_managers import ATOMIC_MAPS, KEY_DEFAULTS, LIST_KEYS, SETS, Tree
from model.api.patched_lists import hashable, in_applied_order
from model.api.refusal import Reason, Refused


def server_side_apply(stored: Tree, applied: Tree) -> dict[str, Any]:
    """What was applied, over what is stored: ports merge by number and protocol (TCP if unsaid).

    Lists without such keys, and the selector, are one value each. Raises Refused (500
    without a reason) when an applied list has one key twice.
    """
    return _applied(stored, applied, ())


def _applied(stored: Tree, applied: Tree, path: tuple[str, ...]) -> dict[str, Any]:
    merged = dict(stored)
    for key, value in applied.items():
        here, below = (*path, key), stored.get(key)
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, Mapping) and here not in ATOMIC_MAPS:
            merged[key] = _applied(below if isinstance(below, Mapping) else {}, value, here)
        elif isinstance(value, list) and (here in LIST_KEYS or here in SETS):
            merged[key] = _applied_list(below or [], value, here)
        else:
            merged[key] = value
    return merged


def _applied_list(stored: list[Any], applied: list[Any], path: tuple[str, ...]) -> list[Any]:
    keys = LIST_KEYS.get(path)

    def identity(item: Any) -> Any:
        if keys is None:
            return hashable(item)
        if not isinstance(item, Mapping):
            raise Refused(Reason.UNKNOWN, f"{'.'.join(path)}: {item!r} is not an object")
        return tuple(hashable(item.get(key, KEY_DEFAULTS.get(key))) for key in keys)

    names = [identity(item) for item in applied]
    if len({*names}) < len(names):
        raise Refused(Reason.UNKNOWN, f"{'.'.join(path)}: duplicate entries for one key")
    merged = {identity(item): item for item in stored}
    for name, item in zip(names, applied, strict=True):
        merged[name] = item if keys is None else _applied(merged.get(name, {}), item, (*path, "*"))
    return in_applied_order(merged, [identity(item) for item in stored], names)
