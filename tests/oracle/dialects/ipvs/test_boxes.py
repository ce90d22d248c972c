"""Regions as boxes: no two overlap, and together they hold what they should."""

import pytest
from hypothesis import given

from model.intervals import Intervals, contains
from oracle.dialects.ipvs.boxes import Box, disjoint, outside, without
from tests.strategies.boxes import BOXES, EVERYTHING, POINTS, TOP


def holders(region: list[Box] | None, point: tuple[int, ...]) -> int:
    """How many boxes hold the point."""
    assert region is not None
    return sum(all(map(contains, box, point)) for box in region)


@given(BOXES, POINTS)
def test_each_point_of_a_region_is_in_exactly_one_box(given_: list[Box], point: tuple[int, ...]) -> None:
    assert min(1, holders(given_, point)) == holders(disjoint(given_), point)


@given(BOXES, POINTS)
def test_each_point_outside_is_in_exactly_one_box_of_the_complement(
    given_: list[Box], point: tuple[int, ...]
) -> None:
    assert 1 - min(1, holders(given_, point)) == holders(outside(given_, EVERYTHING), point)


@given(BOXES, BOXES, POINTS)
def test_what_is_taken_away_is_gone_and_nothing_else(
    given_: list[Box], others: list[Box], point: tuple[int, ...]
) -> None:
    region = disjoint(given_)
    assert region is not None

    expected = 0 if holders(others, point) else holders(region, point)
    assert expected == holders(without(region, others), point)


def test_points_that_differ_on_one_axis_become_one_box() -> None:
    port: Intervals = ((80, 80),)

    assert [(((1, 2), (9, 9)), port)] == disjoint([(((at, at),), port) for at in (9, 2, 1)])


def test_a_complement_beyond_use_is_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("oracle.dialects.ipvs.boxes.MOST", 3)
    diagonal = [(((at, at),), ((at, at),)) for at in range(0, TOP, 2)]

    assert None is outside(diagonal, EVERYTHING[:2])
