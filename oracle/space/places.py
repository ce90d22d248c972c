"""The destinations of a packet, cut wherever a rule or the model tells them apart.

Each set of destinations that anything mentions is registered and gets a number. Sweeping
over their ends groups all addresses into classes with one *signature*: the numbers of
the sets they are in. Within a class every condition on the destination is constant, so
one address stands for all. The classes cover every address of the family, once.
"""

from bisect import bisect_right
from collections.abc import Iterable
from functools import cached_property

import attrs

from model.addresses import Family
from model.intervals import Intervals

Signature = frozenset[int]


@attrs.frozen
class Place:
    """A class of destinations that nothing tells apart."""

    signature: Signature
    addresses: Intervals


class Places:
    """Sets of destinations, and the classes they make. Register first, then ask."""

    def __init__(self, family: Family) -> None:
        self._family = family
        self._numbers: dict[Intervals, int] = {}

    def register(self, addresses: Intervals) -> int:
        """The number of a set of destinations."""
        return self._numbers.setdefault(addresses, len(self._numbers))

    @cached_property
    def _spans(self) -> tuple[list[int], list[Signature]]:
        """Where each run of one signature starts, and that signature, in address order."""
        enters: dict[int, list[int]] = {}
        leaves: dict[int, list[int]] = {}
        for addresses, number in self._numbers.items():
            for low, high in addresses:
                enters.setdefault(low, []).append(number)
                leaves.setdefault(high + 1, []).append(number)
        cuts = sorted({0, *enters, *leaves})
        if cuts[-1] > self._family.top:
            cuts.pop()
        starts: list[int] = []
        signatures: list[Signature] = []
        interned: dict[Signature, Signature] = {}
        active: set[int] = set()
        for cut in cuts:
            active.difference_update(leaves.get(cut, ()))
            active.update(enters.get(cut, ()))
            signature = frozenset(active)
            starts.append(cut)
            signatures.append(interned.setdefault(signature, signature))
        return starts, signatures

    def signature(self, address: int) -> Signature:
        """The class of one address."""
        starts, signatures = self._spans
        return signatures[bisect_right(starts, address) - 1]

    def classes(self) -> Iterable[Place]:
        """Every class; together they cover the family's addresses exactly once."""
        starts, signatures = self._spans
        spans: dict[Signature, list[tuple[int, int]]] = {}
        ends = [start - 1 for start in starts[1:]] + [self._family.top]
        for start, end, signature in zip(starts, ends, signatures, strict=True):
            held = spans.setdefault(signature, [])
            if held and held[-1][1] == start - 1:
                held[-1] = (held[-1][0], end)
            else:
                held.append((start, end))
        for signature, parts in spans.items():
            yield Place(signature, tuple(parts))
