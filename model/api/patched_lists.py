"""In which order a merged list holds what was there and what a patch brought.

Order has a meaning for ports: the first one of a number decides its node port
(ALLOC-NP-05), and clients compare lists.
"""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from model.api.refusal import Reason, Refused


def in_patch_order(
    merged: Sequence[tuple[Hashable, Any]], stored: Sequence[Hashable], wanted: Sequence[Hashable]
) -> list[Any]:
    """The items, given with their names, as a strategic merge patch leaves them.

    Those that the patch names are in its order. The others keep theirs, each before the
    first named item that it stood before; so a new item comes before all others.

    >>> in_patch_order([(80, "http"), (443, "https")], [80], [443])
    ['https', 'http']
    """
    named = sorted((one for one in merged if one[0] in wanted), key=lambda one: wanted.index(one[0]))
    others = [one for one in merged if one[0] not in wanted]
    ordered: list[tuple[Hashable, Any]] = []
    while named and others:
        first, other = named[0][0], others[0][0]
        comes_first = first in stored and other in stored and stored.index(other) < stored.index(first)
        ordered.append(others.pop(0) if comes_first else named.pop(0))
    return [item for _, item in [*ordered, *named, *others]]


def in_applied_order(
    merged: Mapping[Any, Any], stored: Sequence[Hashable], applied: Sequence[Hashable]
) -> list[Any]:
    """The items as apply leaves them: those applied in their order, the others after what they followed.

    >>> in_applied_order({80: "http", 443: "https"}, [80], [443])
    ['http', 'https']
    """
    ordered: list[Hashable] = []
    coming = list(applied)
    for name in stored:
        if name not in applied:
            ordered.append(name)
        elif name in coming:
            count = coming.index(name) + 1
            ordered += coming[:count]
            coming = coming[count:]
    return [merged[name] for name in [*ordered, *coming]]


def hashable(value: Any) -> str | int:
    """The value, if it can name an item of a list. Raises Refused (400)."""
    if not isinstance(value, str | int):
        raise Refused(Reason.BAD_REQUEST, f"{value!r} cannot name an item of a list")
    return value
