"""Odds are exact, and equal odds are one object."""

from fractions import Fraction

from model.odds import ONE, intern, left, share, taken, total

THIRD, QUARTER = share(3), share(4)


def test_each_of_n_equal_choices_has_one_nth() -> None:
    assert (share(1), share(3)) == (Fraction(1), Fraction(1, 3))


def test_a_rule_takes_its_share_of_what_reaches_it_and_leaves_the_rest() -> None:
    assert taken(THIRD, QUARTER) == Fraction(1, 12)
    assert left(THIRD, QUARTER) == Fraction(1, 4)


def test_what_reaches_a_rule_and_the_rules_own_chance_are_not_the_same() -> None:
    """Of a third, a quarter is left three quarters; of a quarter, a third leaves two thirds."""
    assert left(QUARTER, THIRD) == Fraction(1, 6)


def test_two_exclusive_ways_add_up() -> None:
    assert total(THIRD, QUARTER) == Fraction(7, 12)


def test_the_ways_that_are_taken_one_after_the_other_make_up_everything() -> None:
    """FWD-LB-01: of three endpoints the first is taken with 1/3, the second with 1/2, the last always."""
    first = taken(ONE, THIRD)
    onward = left(ONE, THIRD)
    second = taken(onward, share(2))
    last = left(onward, share(2))

    assert [first, second, last] == [THIRD] * 3
    assert total(total(first, second), last) is ONE


def test_equal_odds_are_one_object() -> None:
    assert intern(Fraction(2, 6)) is THIRD
    assert taken(share(2), share(2)) is QUARTER
    assert left(share(2), share(2)) is QUARTER
