"""Events in few words: only the fields that say something."""

import enum
from collections.abc import Iterator
from typing import Any

import attrs

from model.objects import ObjectName


def brief(value: Any) -> str:
    """The value as code would make it, without what is as by default.

    >>> brief(ObjectName("shop", "web"))
    'shop/web'
    """
    if isinstance(value, ObjectName):
        return str(value)
    if isinstance(value, enum.Enum):
        return str(value.value)
    if isinstance(value, tuple):
        return f"[{', '.join(map(brief, value))}]"
    if attrs.has(type(value)):
        return f"{type(value).__name__}({', '.join(_fields(value))})"
    return str(value)


def _fields(value: attrs.AttrsInstance) -> Iterator[str]:
    for field in attrs.fields(type(value)):
        held = getattr(value, field.name)
        if held != field.default:
            yield f"{field.name}={brief(held)}"
