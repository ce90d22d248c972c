"""A solver's states and event in words: who exists, what each relation holds of, what is asked.

>>> from invariants.prove.machine_state import state, s
>>> solver = z3.Solver()
>>> solver.add(z3.Exists(s, state("before").exists(s)))
>>> solver.check()
sat
>>> print(show(state("before"))(solver.model()))
before: exists(service-0)
"""

from collections.abc import Callable, Iterator
from itertools import product

import attrs
import z3  # type: ignore[import-untyped]  # the package has no type information

from invariants.prove.machine_state import RIGID, Request, State

Words = Callable[[z3.ModelRef], str]


def show(*moments: State, event: Request | None = None, name: str = "") -> Words:
    """What tells a witness of these moments and the event that leads from one to the next."""

    def words(witness: z3.ModelRef) -> str:
        lines = [_moment(witness, moments[0])]
        if event is not None:
            lines.append(f"{name}: {', '.join(_event(witness, event))}")
        lines += [_moment(witness, moment) for moment in moments[1:]]
        return "\n".join(lines)

    return words


def elements(witness: z3.ModelRef, sort: z3.SortRef) -> list[z3.ExprRef]:
    """All things of a sort that the witness has."""
    return list(witness.get_universe(sort) or ())


def label(witness: z3.ModelRef, element: z3.ExprRef) -> str:
    """A thing by its sort and place, as `service-0`."""
    sort = element.sort()
    return f"{sort.name().lower()}-{[each.eq(element) for each in elements(witness, sort)].index(True)}"


def holding(witness: z3.ModelRef, relation: z3.FuncDeclRef) -> Iterator[tuple[z3.ExprRef, ...]]:
    """Of what the relation is true."""
    sorts = [relation.domain(place) for place in range(relation.arity())]
    for places in product(*(elements(witness, sort) for sort in sorts)):
        if z3.is_true(witness.eval(relation(*places), model_completion=True)):
            yield places


def _moment(witness: z3.ModelRef, now: State) -> str:
    relations = [getattr(now, field.name) for field in attrs.fields(State)]
    moment = relations[0].name().partition(".")[0]
    return f"{moment}: {', '.join(_facts(witness, relations)) or 'nothing'}"


def _facts(witness: z3.ModelRef, relations: list[z3.FuncDeclRef]) -> Iterator[str]:
    for relation in relations:
        name = relation.name().rpartition(".")[2]
        for places in holding(witness, relation):
            yield f"{name}({', '.join(label(witness, place) for place in places)})"


def _event(witness: z3.ModelRef, event: Request) -> Iterator[str]:
    for constant in (event.target, event.cidr):
        value = witness.eval(constant, model_completion=True)
        if any(value.eq(each) for each in elements(witness, value.sort())):
            yield label(witness, value)
    for flag in (event.refused, event.dry):
        if z3.is_true(witness.eval(flag, model_completion=True)):
            yield flag.decl().name().rpartition(".")[2]
    asked = [event.asked, event.asked_health, event.asked_address, event.gained]
    yield from _facts(witness, [*asked, *RIGID])
