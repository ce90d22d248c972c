"""YAML as trees of plain values, safe to read from anyone.

Built from libyaml's events with a stack of its own, since the usual composer recurses
in C and dies on deep nesting. Scalars are those of YAML 1.1 as the Kubernetes tools
write them, without timestamps and base-60 numbers (both would eat names and IPv6
addresses). Merge keys, tags of other types and repeated keys are refused; an alias
stands for the same value, up to a bound on what it expands to.
"""

import re
from typing import Any

import yaml

from model.errors import InputError

MAX_DEPTH = 100
MAX_EXPANDED = 1_000_000  # values, counted as if every alias were written out

_NULLS = frozenset(("", "~", "null", "Null", "NULL"))
_BOOLS = {
    form: value
    for word, value in (
        ("true", True),
        ("yes", True),
        ("on", True),
        ("false", False),
        ("no", False),
        ("off", False),
    )
    for form in (word, word.capitalize(), word.upper())
}
_MAYBE_NOT_TEXT = re.compile(r"[-+.0-9~tTfFyYnNoO]|\Z")
_INTEGER = re.compile(r"[-+]?(?:(?P<hex>0x[0-9a-fA-F]+)|0o?(?P<octal>[0-7]+)|(?P<decimal>0|[1-9][0-9]*))\Z")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_SPECIAL_FLOAT = re.compile(r"([-+]?)\.(?:inf|Inf|INF)\Z|\.(?:nan|NaN|NAN)\Z")
_TAG = "tag:yaml.org,2002:"
_NO_KEY = object()
# Newer versions of libyaml have a bound of their own, which they may meet while they look ahead.
_TOO_DEEP = "exceeded maximum nesting depth"


class _Open:
    """A mapping or sequence whose end has not come yet; `size` counts values within."""

    __slots__ = ("anchor", "key", "size", "value")

    def __init__(self, value: Any, anchor: str | None) -> None:
        self.value = value
        self.anchor = anchor
        self.key: Any = _NO_KEY
        self.size = 1


def yaml_documents(data: bytes, file: str) -> list[Any]:
    """The documents of a YAML text as dicts, lists, strings, numbers, booleans and None.

    Empty documents are left out. Raises InputError with the line of the fault.
    """
    try:
        return _build(data, file)
    except yaml.YAMLError as error:
        mark: yaml.Mark | None = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or " ".join(str(error).split())
        # What is cut off is missed by libyaml one line below the last.
        line = min(mark.line, data.rstrip(b"\n").count(b"\n")) + 1 if mark else 0
        if problem == _TOO_DEEP:
            raise InputError(file, line, f"YAML: nested more than {MAX_DEPTH} deep") from None
        raise InputError(file, line, f"YAML is malformed: {problem}") from None


def _build(data: bytes, file: str) -> list[Any]:
    documents: list[Any] = []
    stack: list[_Open] = []
    anchors: dict[str, tuple[Any, int]] = {}
    for event in yaml.parse(data, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.ScalarEvent):
            value, size = _scalar(event, file), 1
            if event.anchor:
                anchors[event.anchor] = (value, 1)
        elif isinstance(event, yaml.CollectionStartEvent):
            if len(stack) == MAX_DEPTH:
                raise _fault(file, event, f"nested more than {MAX_DEPTH} deep")
            is_mapping = isinstance(event, yaml.MappingStartEvent)
            if event.tag not in (None, "!", _TAG + ("map" if is_mapping else "seq")):
                raise _fault(file, event, f"tag {event.tag} is not read")
            if event.anchor:
                anchors.pop(event.anchor, None)  # from here on it names this unfinished value
            stack.append(_Open({} if is_mapping else [], event.anchor))
            continue
        elif isinstance(event, yaml.CollectionEndEvent):
            done = stack.pop()
            value, size = done.value, done.size
            if done.anchor:
                anchors[done.anchor] = (value, size)
        elif isinstance(event, yaml.AliasEvent):
            if event.anchor not in anchors:
                raise _fault(file, event, f"alias *{event.anchor} names no finished value")
            value, size = anchors[event.anchor]
            if size + sum(outer.size for outer in stack) > MAX_EXPANDED:
                raise _fault(file, event, f"aliases expand to more than {MAX_EXPANDED} values")
        else:
            if isinstance(event, yaml.DocumentStartEvent):
                anchors = {}
            continue
        if not stack:
            documents.append(value)
        else:
            _put(stack[-1], value, size, event, file)
    return [document for document in documents if document is not None]


def _put(container: _Open, value: Any, size: int, event: yaml.Event, file: str) -> None:
    container.size += size
    if isinstance(container.value, list):
        container.value.append(value)
    elif container.key is not _NO_KEY:
        container.value[container.key] = value
        container.key = _NO_KEY
    elif isinstance(value, dict | list):
        raise _fault(file, event, "a mapping's key is not a scalar")
    elif value == "<<" and isinstance(event, yaml.ScalarEvent) and not event.style:
        raise _fault(file, event, "merge keys (<<) are not read")
    elif value in container.value:
        raise _fault(file, event, f"key {value!r} occurs twice in one mapping")
    else:
        container.key = value


def _scalar(event: yaml.ScalarEvent, file: str) -> Any:
    text: str = event.value
    if event.tag is None:
        return _plain(text) if event.implicit[0] else text
    if event.tag in ("!", _TAG + "str"):
        return text
    value = _plain(text)
    names = {type(None): "null", bool: "bool", int: "int", float: "float"}
    if event.tag != _TAG + names.get(type(value), ""):
        raise _fault(file, event, f"tag {event.tag} is not read")
    return value


def _plain(text: str) -> Any:
    if not _MAYBE_NOT_TEXT.match(text):
        return text
    if text in _NULLS:
        return None
    if text in _BOOLS:
        return _BOOLS[text]
    if len(text) < 100:  # longer digits are no number that an API object can hold
        digits = text.replace("_", "")  # wherever they stand, as go-yaml takes them
        if number := _INTEGER.match(digits):
            sign = -1 if digits[0] == "-" else 1
            if number["hex"]:
                return sign * int(number["hex"], 16)
            if number["octal"]:
                return sign * int(number["octal"], 8)
            return sign * int(number["decimal"])
        if _FLOAT.match(digits):
            return float(digits)
        if special := _SPECIAL_FLOAT.match(text):
            return float("nan") if special[1] is None else float(special[1] + "inf")
    return text


def _fault(file: str, event: yaml.Event, what: str) -> InputError:
    mark = event.start_mark
    return InputError(file, mark.line + 1 if mark else 0, f"YAML: {what}")
