"""Where two ways to treat all sources part, source by source."""

from fractions import Fraction

from model.fate import Fate, LeafFate, settled
from model.outcome import Verdict
from oracle.difference.answers import apart_in

ALL = ((0, 99),)
LOW, HIGH = ((0, 49),), ((50, 99),)
DROP, PASS = Verdict.DROP, Verdict.PASS


def delivered(masquerade: tuple[tuple[int, int], ...]) -> Fate:
    return Fate(ALL, (LeafFate(7, 80, Verdict.DNAT.value, Fraction(1), masquerade),))


def test_equal_treatments_part_nowhere() -> None:
    whole = (settled(ALL, DROP),)
    cut = (settled(LOW, DROP), settled(HIGH, DROP))

    assert () == apart_in((whole,), (cut,), ALL)


def test_only_the_sources_that_fare_otherwise_part() -> None:
    some = (settled(LOW, DROP), settled(HIGH, PASS))

    assert HIGH == apart_in(((settled(ALL, DROP),),), (some,), ALL)
    assert HIGH == apart_in((some,), ((settled(ALL, DROP),),), ALL)


def test_one_source_that_is_rewritten_on_one_side_parts_alone() -> None:
    assert ((10, 10),) == apart_in(((delivered(((10, 10),)),),), ((delivered(()),),), ALL)


def test_what_a_contract_allows_parts_nowhere() -> None:
    """FWD-OBJ-08: either owner of a frontend may get the traffic."""
    either = ((settled(ALL, DROP),), (settled(ALL, PASS),))

    assert () == apart_in(either, ((settled(ALL, PASS),),), ALL)
    assert ALL == apart_in(either, ((settled(ALL, Verdict.REJECT, "tcp-reset"),),), ALL)


def test_a_treatment_that_covers_some_sources_allows_for_those_alone() -> None:
    guard = ((settled(ALL, PASS),), (settled(LOW, DROP),))

    assert HIGH == apart_in(((settled(ALL, DROP),),), guard, ALL)


def test_only_sources_that_are_asked_about_are_told() -> None:
    assert ((0, 9),) == apart_in(((settled(ALL, DROP),),), ((settled(ALL, PASS),),), ((0, 9),))
