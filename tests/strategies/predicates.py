"""Predicates of a few facts and of fields up to forty, and the cases that they are true of or not."""

from collections.abc import Mapping, Sequence

import attrs
from hypothesis import strategies as st

from model.intervals import Intervals, normalise
from model.predicate import All, Any, Fact, Field, Not, Predicate, Within

FACTS = [Fact(name) for name in "abcd"]
TOP = 40


@attrs.frozen
class Case:
    """One case: a number for each field, the truth of each fact."""

    fields: Mapping[Field, int]
    facts: Mapping[Fact, bool]


def spans() -> st.SearchStrategy[Intervals]:
    """Normalised spans of numbers up to TOP."""
    number = st.integers(0, TOP)
    return st.lists(st.tuples(number, number).map(lambda pair: (min(pair), max(pair))), max_size=3).map(
        normalise
    )


def predicates(fields: Sequence[Field]) -> st.SearchStrategy[Predicate]:
    """Facts and spans of these fields, under any connectives."""
    atoms: st.SearchStrategy[Predicate] = st.one_of(
        st.sampled_from(FACTS), st.builds(Within, st.sampled_from(fields), spans())
    )

    def larger(smaller: st.SearchStrategy[Predicate]) -> st.SearchStrategy[Predicate]:
        several = st.lists(smaller, max_size=3).map(tuple)
        return st.one_of(st.builds(All, several), st.builds(Any, several), st.builds(Not, smaller))

    return st.recursive(atoms, larger, max_leaves=8)
