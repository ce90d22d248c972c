"""Regions of packets as boxes: one set of numbers for each axis, all of which a packet must meet.

All boxes of one call have the same axes. What comes back never overlaps, and is the same
region as went in, or its complement. An answer of None says that it would take more boxes
than anyone can use.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from model.intervals import Intervals, intersect, normalise, size, subtract

Box = tuple[Intervals, ...]

MOST: Final = 50_000  # boxes of an answer
_MOST_CUT: Final = 2_000  # boxes that are cut by one another, pair by pair


def disjoint(boxes: Iterable[Box]) -> list[Box] | None:
    """Boxes without overlap for the same region; few of them, as neighbours are joined.

    >>> disjoint([(((1, 5),), ((80, 80),)), (((4, 9),), ((80, 80),))])
    [(((1, 9),), ((80, 80),))]
    """
    whole = [box for box in dict.fromkeys(boxes) if all(box)]
    if not whole:
        return []
    for axis in range(len(whole[0])):
        joined = _joined(whole, axis)
        if all(_are_apart(joined, other) for other in range(len(joined[0])) if other != axis):
            return _joined_all(joined)
    if len(whole) > _MOST_CUT:
        return None
    cut: list[Box] = []
    for box in whole:
        left = [box]
        for other in cut:
            left = [piece for one in left for piece in _less(one, other)]
        cut += left
        if len(cut) > MOST:
            return None
    return _joined_all(cut)


def outside(boxes: Sequence[Box], everything: Box) -> list[Box] | None:
    """Boxes without overlap for all of `everything` that no box holds."""
    found = _outside(boxes, everything)
    return None if len(found) > MOST else _joined_all(found)


def without(boxes: Iterable[Box], others: Sequence[Box]) -> list[Box]:
    """The boxes less the others, piece by piece."""
    left = list(boxes)
    for other in others:
        left = [piece for one in left for piece in _less(one, other)]
    return left


def _outside(boxes: Sequence[Box], everything: Box) -> list[Box]:
    if not boxes:
        return [everything]
    if not everything:
        return []
    found: list[Box] = []
    for part, holders in _slices([box[0] for box in boxes], everything[0]):
        rest = _outside([boxes[at][1:] for at in holders], everything[1:])
        found += [(part, *inner) for inner in rest]
        if len(found) > MOST:
            break
    return found


def _slices(values: Sequence[Intervals], everything: Intervals) -> list[tuple[Intervals, frozenset[int]]]:
    """`everything` cut by which of the sets hold a number: each slice with those that do."""
    turns: dict[int, list[int]] = {}  # where a set begins or ends
    for at, spans in enumerate(values):
        for low, high in spans:
            turns.setdefault(low, []).append(at)
            turns.setdefault(high + 1, []).append(at)
    found: dict[frozenset[int], list[tuple[int, int]]] = {}
    holders: frozenset[int] = frozenset()
    start, end = everything[0][0], everything[-1][1]
    for turn in sorted(turns):
        if start < turn:
            found.setdefault(holders, []).append((start, turn - 1))
        holders = holders.symmetric_difference(turns[turn])
        start = turn
    if start <= end:
        found.setdefault(holders, []).append((start, end))
    return [(normalise(spans), held) for held, spans in found.items()]


def _joined_all(boxes: list[Box]) -> list[Box]:
    for axis in range(len(boxes[0]) if boxes else 0):
        boxes = _joined(boxes, axis)
    return boxes


def _joined(boxes: Iterable[Box], axis: int) -> list[Box]:
    """Boxes that differ on one axis only, made one."""
    groups: dict[Box, list[tuple[int, int]]] = {}
    for box in boxes:
        groups.setdefault((*box[:axis], *box[axis + 1 :]), []).extend(box[axis])
    return [(*rest[:axis], normalise(spans), *rest[axis:]) for rest, spans in groups.items()]


def _are_apart(boxes: Sequence[Box], axis: int) -> bool:
    """Whether any two of the axis' sets are equal or have nothing in common."""
    values = {box[axis] for box in boxes}
    return sum(map(size, values)) == size(normalise(span for spans in values for span in spans))


def _less(box: Box, other: Box) -> list[Box]:
    both = tuple(map(intersect, box, other))
    if not all(both):
        return [box]
    pieces: list[Box] = []
    for axis, values in enumerate(box):
        rest = subtract(values, other[axis])
        if rest:
            pieces.append((*both[:axis], rest, *box[axis + 1 :]))
    return pieces
