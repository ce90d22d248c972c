"""For which sources a condition holds: the region reading of `model.predicate`.

A test holds it equal to `holds`, source by source.
"""

from collections.abc import Mapping
from typing import assert_never

from model.intervals import EMPTY, Intervals, intersect, subtract, union
from model.predicate import All, Any, Fact, Field, Not, Predicate, Within

Known = Mapping[Fact, bool | Intervals]


def sources_where(predicate: Predicate, known: Known, everything: Intervals) -> Intervals:
    """The sources of which the predicate holds, given each fact as a truth or a region.

    Raises KeyError for a fact that is not given and for a field other than the source.
    """
    match predicate:
        case Within(field, values):
            if field is not Field.SOURCE:
                raise KeyError(field)
            return intersect(values, everything)
        case Fact():
            value = known[predicate]
            if isinstance(value, bool):
                return everything if value else EMPTY
            return intersect(value, everything)
        case All(parts):
            out = everything
            for part in parts:
                out = intersect(out, sources_where(part, known, everything))
            return out
        case Any(parts):
            out = EMPTY
            for part in parts:
                out = union(out, sources_where(part, known, everything))
            return out
        case Not(part):
            return subtract(everything, sources_where(part, known, everything))
        case _:
            assert_never(predicate)
