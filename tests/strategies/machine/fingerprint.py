"""A number that stays as it is while a value does, however deep."""

from collections.abc import Mapping, Sequence
from typing import Any

import attrs


def fingerprint(value: Any) -> int:
    """The value's hash; of what has none, one made of its parts.

    >>> fingerprint({"a": [1]}) == fingerprint({"a": [1]}) != fingerprint({"a": [2]})
    True
    """
    try:
        return hash(value)
    except TypeError:
        pass
    if isinstance(value, Mapping) or hasattr(value, "items"):
        return hash(frozenset((fingerprint(key), fingerprint(held)) for key, held in value.items()))
    if attrs.has(type(value)):
        fields = (getattr(value, field.name) for field in attrs.fields(type(value)))
        return hash(tuple(map(fingerprint, fields)))
    if isinstance(value, Sequence):
        return hash(tuple(map(fingerprint, value)))
    raise TypeError(f"nothing tells a {type(value).__name__} from another")
