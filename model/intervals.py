"""Sets of whole numbers as sorted tuples of inclusive spans.

Law: the spans of an `Intervals` value are sorted, disjoint and not adjacent, so
two equal sets are equal tuples. Addresses, ports and protocol numbers are all
held this way; nothing here knows which. The complement needs the top of the
number range, which the caller gives.

>>> union(((1, 3),), ((4, 9), (20, 20)))
((1, 9), (20, 20))
"""

from bisect import bisect_right
from collections.abc import Iterable

Intervals = tuple[tuple[int, int], ...]

EMPTY: Intervals = ()


def single(value: int) -> Intervals:
    """The set of one number."""
    return ((value, value),)


def normalise(spans: Iterable[tuple[int, int]]) -> Intervals:
    """Any spans, in any order and overlapping, as a lawful `Intervals`."""
    ordered = sorted(spans)
    if not ordered:
        return EMPTY
    out: list[tuple[int, int]] = []
    low, high = ordered[0]
    for next_low, next_high in ordered[1:]:
        if next_low <= high + 1:
            high = max(high, next_high)
        else:
            out.append((low, high))
            low, high = next_low, next_high
    out.append((low, high))
    return tuple(out)


def union(left: Intervals, right: Intervals) -> Intervals:
    """Numbers in either set."""
    if not left or left == right:
        return right
    if not right:
        return left
    return normalise(left + right)


def intersect(left: Intervals, right: Intervals) -> Intervals:
    """Numbers in both sets."""
    if left == right:
        return left
    out: list[tuple[int, int]] = []
    i = j = 0
    while i < len(left) and j < len(right):
        low = max(left[i][0], right[j][0])
        high = min(left[i][1], right[j][1])
        if low <= high:
            out.append((low, high))
        if left[i][1] < right[j][1]:
            i += 1
        else:
            j += 1
    return tuple(out)


def subtract(left: Intervals, right: Intervals) -> Intervals:
    """Numbers of the first set that are not in the second."""
    if not right or not left:
        return left
    out: list[tuple[int, int]] = []
    j = 0
    for low, high in left:
        while j < len(right) and right[j][1] < low:
            j += 1
        k = j
        while k < len(right) and right[k][0] <= high:
            if right[k][0] > low:
                out.append((low, right[k][0] - 1))
            low = right[k][1] + 1
            k += 1
            if low > high:
                break
        if low <= high:
            out.append((low, high))
    return tuple(out)


def complement(values: Intervals, top: int) -> Intervals:
    """Numbers of 0..top that are not in the set."""
    return subtract(((0, top),), values)


def contains(values: Intervals, number: int) -> bool:
    """Whether the number is in the set."""
    if len(values) == 1:
        return values[0][0] <= number <= values[0][1]
    at = bisect_right(values, (number, _BEYOND)) - 1
    return at >= 0 and values[at][1] >= number


_BEYOND = 1 << 140  # above every IPv6 address, so a bisect lands behind equal lows


def size(values: Intervals) -> int:
    """How many numbers the set holds."""
    return sum(high - low + 1 for low, high in values)


def with_member(values: Intervals, number: int) -> Intervals:
    """The set with one more number."""
    at = bisect_right(values, (number, _BEYOND))
    low = high = number
    first, last = at, at
    if at and values[at - 1][1] >= number - 1:
        if values[at - 1][1] >= number:
            return values
        first, low = at - 1, values[at - 1][0]
    if at < len(values) and values[at][0] == number + 1:
        last, high = at + 1, values[at][1]
    return (*values[:first], (low, high), *values[last:])


def without_member(values: Intervals, number: int) -> Intervals:
    """The set less one number."""
    at = bisect_right(values, (number, _BEYOND)) - 1
    if at < 0 or values[at][1] < number:
        return values
    low, high = values[at]
    kept = [span for span in ((low, number - 1), (number + 1, high)) if span[0] <= span[1]]
    return (*values[:at], *kept, *values[at + 1 :])


def is_subset(inner: Intervals, outer: Intervals) -> bool:
    """Whether every number of the first set is in the second."""
    return not subtract(inner, outer)


def apart(regions: Iterable[Intervals]) -> list[Intervals]:
    """The sets cut so that no two overlap; each is a union of what comes back."""
    atoms: list[Intervals] = []
    for region in regions:
        left = region
        cut: list[Intervals] = []
        for atom in atoms:
            both = intersect(atom, left)
            if not both:
                cut.append(atom)
                continue
            cut.append(both)
            outside = subtract(atom, both)
            if outside:
                cut.append(outside)
            left = subtract(left, both)
        if left:
            cut.append(left)
        atoms = cut
    return atoms
