"""Sets of numbers are cut where others end, whatever the order in which they come."""

import pytest

from model.intervals import Intervals, apart, is_subset, subtract

NUMBERS = ((1, 9),)


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ((), NUMBERS, ()),
        (NUMBERS, (), NUMBERS),
        ((), (), ()),
        (NUMBERS, ((3, 4), (9, 12)), ((1, 2), (5, 8))),
        (NUMBERS, ((0, 20),), ()),
        (((1, 3), (5, 7), (9, 9)), ((3, 5), (7, 8)), ((1, 2), (6, 6), (9, 9))),
    ],
)
def test_what_is_left_of_a_set_without_another(
    left: Intervals, right: Intervals, expected: Intervals
) -> None:
    assert subtract(left, right) == expected


@pytest.mark.parametrize(
    ("regions", "expected"),
    [
        ([], set()),
        ([NUMBERS], {NUMBERS}),
        ([NUMBERS, ((5, 12),)], {((1, 4),), ((5, 9),), ((10, 12),)}),
        ([((5, 12),), NUMBERS], {((1, 4),), ((5, 9),), ((10, 12),)}),
        ([NUMBERS, NUMBERS], {NUMBERS}),
        ([NUMBERS, ((3, 4),), ((4, 6),)], {((1, 2), (7, 9)), ((3, 3),), ((4, 4),), ((5, 6),)}),
        ([((1, 2),), ((8, 9),)], {((1, 2),), ((8, 9),)}),
    ],
)
def test_regions_are_cut_so_that_no_two_overlap(regions: list[Intervals], expected: set[Intervals]) -> None:
    atoms = apart(regions)

    assert (set(atoms), len(atoms)) == (expected, len(expected))


def test_a_subset_has_nothing_beyond_the_other() -> None:
    assert (is_subset(((2, 3),), NUMBERS), is_subset(((0, 3),), NUMBERS)) == (True, False)
