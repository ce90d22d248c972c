"""The tiny language in which conditions are written: `Within | Fact | All | Any | Not`.

`holds(predicate, case)` is the meaning. `model.symbolic.formula` says the same to
Z3, line for line, and a test holds the two equal. Nothing else may interpret a
predicate without such a test.

A `Within` speaks of one numeric field of a packet. A `Fact` is anything else that is
true or false of a case: "the source is an address of this node", "this Service has
a usable endpoint". Facts carry an argument when one name stands for a family of
them (`Fact("in-interface", "cali+")`).
"""

import enum
from collections.abc import Mapping
from typing import Protocol, assert_never

import attrs

from model.intervals import Intervals, contains


class Field(enum.Enum):
    """The numeric fields of a packet that conditions may speak of."""

    SOURCE = "source"
    DESTINATION = "destination"
    PROTOCOL = "protocol"
    PORT = "port"  # the destination port
    SOURCE_PORT = "source port"


@attrs.frozen(cache_hash=True)
class Within:
    """The field's value lies in the set."""

    field: Field
    values: Intervals


@attrs.frozen(cache_hash=True)
class Fact:
    """A named truth of the case; `argument` distinguishes facts of one kind."""

    name: str
    argument: str = ""


@attrs.frozen(cache_hash=True)
class All:
    """Every part holds; the empty conjunction is always true."""

    parts: tuple["Predicate", ...] = ()


@attrs.frozen(cache_hash=True)
class Any:
    """Some part holds; the empty disjunction is never true."""

    parts: tuple["Predicate", ...] = ()


@attrs.frozen(cache_hash=True)
class Not:
    """The part does not hold."""

    part: "Predicate"


Predicate = Within | Fact | All | Any | Not

ALWAYS = All()
NEVER = Any()


class Case(Protocol):
    """What a predicate is asked about: numbers for fields, truths for facts."""

    @property
    def fields(self) -> Mapping[Field, int]: ...

    @property
    def facts(self) -> Mapping[Fact, bool]: ...


def holds(predicate: Predicate, case: Case) -> bool:
    """Whether the predicate is true of the case.

    Raises KeyError when the case does not know a field or fact: an unknown is never
    taken for false.
    """
    match predicate:
        case Within(field, values):
            return contains(values, case.fields[field])
        case Fact():
            return case.facts[predicate]
        case All(parts):
            return all(holds(part, case) for part in parts)
        case Any(parts):
            return any(holds(part, case) for part in parts)
        case Not(part):
            return not holds(part, case)
        case _:
            assert_never(predicate)


def resolve(predicate: Predicate, known: Mapping[Fact, "bool | Predicate"]) -> Predicate:
    """The predicate with known facts replaced, and every settled part folded away.

    What comes back is `ALWAYS`, `NEVER`, or speaks only of fields and unknown facts.
    """
    match predicate:
        case Within():
            return predicate
        case Fact():
            value = known.get(predicate)
            if value is None:
                return predicate
            if isinstance(value, bool):
                return ALWAYS if value else NEVER
            return value
        case All(parts):
            rest = [resolved for part in parts if (resolved := resolve(part, known)) != ALWAYS]
            if NEVER in rest:
                return NEVER
            return rest[0] if len(rest) == 1 else All(tuple(rest))
        case Any(parts):
            rest = [resolved for part in parts if (resolved := resolve(part, known)) != NEVER]
            if ALWAYS in rest:
                return ALWAYS
            return rest[0] if len(rest) == 1 else Any(tuple(rest))
        case Not(part):
            inner = resolve(part, known)
            if inner == ALWAYS:
                return NEVER
            if inner == NEVER:
                return ALWAYS
            return Not(inner)
        case _:
            assert_never(predicate)
