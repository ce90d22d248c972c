"""JSON Patch (RFC 6902): a list of operations on the JSON tree of an object.

Pure: the tree given is not changed. The first operation that fails refuses the whole
patch, as the API server does with 422 and no causes.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from model.api.refusal import Reason, Refused


def json_patch(stored: Mapping[str, Any], operations: Sequence[Any]) -> dict[str, Any]:
    """The tree after all operations.

    Raises Refused: 400 for what is no list of operations, 422 for one that cannot be carried out.

    >>> json_patch({"a": [1, 2]}, [{"op": "replace", "path": "/a/0", "value": 3}])
    {'a': [3, 2]}
    """
    if isinstance(operations, str | Mapping) or not all(isinstance(one, Mapping) for one in operations):
        raise Refused(Reason.BAD_REQUEST, "a JSON patch is a list of operations")
    tree: Any = dict(stored)
    for one in operations:
        tree = _carried_out(tree, one)
    if not isinstance(tree, dict):
        raise Refused(Reason.BAD_REQUEST, "the patch leaves no object")
    return tree


def _carried_out(tree: Any, operation: Mapping[str, Any]) -> Any:
    path = _pointer(operation.get("path"))
    match operation.get("op"):
        case "add":
            return _put(tree, path, operation.get("value"), insert=True)
        case "replace":
            _at(tree, path)
            return _put(tree, path, operation.get("value"), insert=False)
        case "remove":
            return _without(tree, path)
        case "move":
            source = _pointer(operation.get("from"))
            return _put(_without(tree, source), path, _at(tree, source), insert=True)
        case "copy":
            return _put(tree, path, _at(tree, _pointer(operation.get("from"))), insert=True)
        case "test":
            if _at(tree, path, default=None) != operation.get("value"):
                raise _failed(f"the value at {operation['path']} is another one")
            return tree
        case other:
            raise _failed(f"there is no operation {other!r}")


def _pointer(text: Any) -> list[str]:
    if not isinstance(text, str) or (text and not text.startswith("/")):
        raise _failed(f"{text!r} is no path")
    return [part.replace("~1", "/").replace("~0", "~") for part in text.split("/")[1:]]


_MISSING = object()


def _at(tree: Any, path: list[str], default: Any = _MISSING) -> Any:
    for part in path:
        if isinstance(tree, list) and (index := _index(part, len(tree) - 1)) is not None:
            tree = tree[index]
        elif isinstance(tree, dict) and part in tree:
            tree = tree[part]
        elif default is not _MISSING and isinstance(tree, dict):
            return default
        else:
            raise _failed(f"there is nothing at /{'/'.join(path)}")
    return tree


def _put(tree: Any, path: list[str], value: Any, *, insert: bool) -> Any:
    if not path:
        return value
    part, below = path[0], path[1:]
    if isinstance(tree, list):
        last = len(tree) - (0 if insert and not below else 1)
        index = len(tree) if part == "-" and insert and not below else _index(part, last)
        if index is None:
            raise _failed(f"the list has no place {part}")
        if below:
            return [*tree[:index], _put(tree[index], below, value, insert=insert), *tree[index + 1 :]]
        return [*tree[:index], value, *tree[index + (0 if insert else 1) :]]
    if not isinstance(tree, dict) or (below and part not in tree):
        raise _failed(f"there is nothing to hold {part}")
    return {**tree, part: _put(tree[part], below, value, insert=insert) if below else value}


def _without(tree: Any, path: list[str]) -> Any:
    _at(tree, path)
    if not path:
        raise _failed("the object itself cannot be removed")
    part, below = path[0], path[1:]
    if isinstance(tree, list):
        index = int(part)
        kept = [_without(tree[index], below)] if below else []
        return [*tree[:index], *kept, *tree[index + 1 :]]
    if below:
        return {**tree, part: _without(tree[part], below)}
    return {key: value for key, value in tree.items() if key != part}


def _index(part: str, last: int) -> int | None:
    return int(part) if part.isdecimal() and int(part) <= last else None


def _failed(what: str) -> Refused:
    return Refused(Reason.INVALID, what)
