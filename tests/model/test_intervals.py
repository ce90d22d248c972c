"""Sets of numbers as spans: the algebra equals that of Python's sets, and equal sets are equal tuples."""

from hypothesis import given
from hypothesis import strategies as st

from model.intervals import (
    EMPTY,
    Intervals,
    complement,
    contains,
    intersect,
    is_subset,
    normalise,
    single,
    size,
    subtract,
    union,
    with_member,
    without_member,
)
from tests.strategies.intervals import NUMBERS, SPANS, TOP


def spans(numbers: frozenset[int]) -> Intervals:
    """The lawful spans of a set: runs of successive numbers."""
    ordered = sorted(numbers)
    starts = [n for n in ordered if n - 1 not in numbers]
    ends = [n for n in ordered if n + 1 not in numbers]
    return tuple(zip(starts, ends, strict=True))


@given(SPANS)
def test_any_spans_become_the_runs_of_what_they_cover(given_spans: list[tuple[int, int]]) -> None:
    """Overlapping, touching and repeated spans, in any order."""
    covered = frozenset(n for low, high in given_spans for n in range(low, high + 1))

    assert normalise(given_spans) == spans(covered)


@given(NUMBERS, NUMBERS)
def test_the_algebra_is_that_of_sets(one: frozenset[int], other: frozenset[int]) -> None:
    """And every result is lawful, so that equality of tuples is equality of sets."""
    left, right = spans(one), spans(other)

    assert union(left, right) == spans(one | other)
    assert intersect(left, right) == spans(one & other)
    assert subtract(left, right) == spans(one - other)
    assert complement(left, TOP) == spans(frozenset(range(TOP + 1)) - one)
    assert is_subset(left, right) == (one <= other)
    assert size(left) == len(one)


@given(NUMBERS, st.integers(0, TOP + 2))
def test_one_number_is_found_added_and_taken_away(numbers: frozenset[int], number: int) -> None:
    """Also where that joins two spans or splits one."""
    held = spans(numbers)

    assert contains(held, number) == (number in numbers)
    assert with_member(held, number) == spans(numbers | {number})
    assert without_member(held, number) == spans(numbers - {number})


def test_the_largest_numbers_are_found() -> None:
    """The top of IPv6, in a set of several spans."""
    top = (1 << 128) - 1
    held = ((5, 5), (top - 1, top))

    assert (contains(held, top), contains(held, top - 2), contains(held, 5)) == (True, False, True)
    assert complement(EMPTY, top) == ((0, top),)
    assert complement(((0, top),), top) == EMPTY
    assert without_member(held, top) == (*single(5), *single(top - 1))
