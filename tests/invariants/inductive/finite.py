"""A solver's formula read on a finite interpretation: quantifiers by going through the things there are.

The very terms that a proof uses are read, and no solver has a part in it. What is no term
of this small logic raises, so nothing is read as something else.
"""

from collections.abc import Callable, Collection, Mapping

import attrs
import z3  # type: ignore[import-untyped]  # the package has no type information

Thing = object
Stack = list[Thing]  # of what the variables bound so far stand for, the innermost last


@attrs.frozen
class Interpretation:
    """The things of each sort, of which each relation is true, and which thing each constant is.

    A constant that is a truth is a relation of no places: true of `()` or of nothing.
    """

    things: Mapping[str, Collection[Thing]]
    relations: Mapping[str, Collection[tuple[Thing, ...]]]
    constants: Mapping[str, Thing] = {}


Reading = Callable[[Interpretation, Stack], Thing]


def is_true(formula: z3.BoolRef, of: Interpretation) -> bool:
    """Whether the formula is true of the interpretation."""
    return bool(reading(formula)(of, []))


def reading(term: z3.ExprRef) -> Reading:
    """The term as a function, to be made once and read often. Raises ValueError for other terms."""
    if z3.is_quantifier(term):
        return _quantifier(term)
    if z3.is_var(term):
        place = z3.get_var_index(term) + 1
        return lambda _, stack: stack[-place]
    parts = [reading(part) for part in term.children()]
    kind = term.decl().kind()
    if kind == z3.Z3_OP_UNINTERPRETED:
        return _symbol(term, parts)
    if kind not in _CONNECTIVES:
        raise ValueError(f"{term.decl()} is not read")
    return _CONNECTIVES[kind](parts)


def _quantifier(term: z3.QuantifierRef) -> Reading:
    body = reading(term.body())
    sorts = [term.var_sort(place).name() for place in range(term.num_vars())]
    for_all = term.is_forall()
    if not for_all and not term.is_exists():
        raise ValueError(f"{term} is not read")

    def read(of: Interpretation, stack: Stack, depth: int = 0) -> bool:
        if depth == len(sorts):
            return bool(body(of, stack))
        for thing in of.things[sorts[depth]]:
            stack.append(thing)
            found = read(of, stack, depth + 1)
            stack.pop()
            if found is not for_all:
                return found
        return bool(for_all)

    return read


def _symbol(term: z3.ExprRef, parts: list[Reading]) -> Reading:
    name = term.decl().name()
    if term.sort() != z3.BoolSort():
        return lambda of, _: of.constants[name]
    return lambda of, stack: tuple(part(of, stack) for part in parts) in of.relations[name]


def _and(parts: list[Reading]) -> Reading:
    return lambda of, stack: all(part(of, stack) for part in parts)


def _or(parts: list[Reading]) -> Reading:
    return lambda of, stack: any(part(of, stack) for part in parts)


def _not(parts: list[Reading]) -> Reading:
    (part,) = parts
    return lambda of, stack: not part(of, stack)


def _implies(parts: list[Reading]) -> Reading:
    premise, goal = parts
    return lambda of, stack: not premise(of, stack) or goal(of, stack)


def _equal(parts: list[Reading]) -> Reading:
    left, right = parts
    return lambda of, stack: left(of, stack) == right(of, stack)


def _unequal(parts: list[Reading]) -> Reading:
    left, right = parts
    return lambda of, stack: left(of, stack) != right(of, stack)


def _if(parts: list[Reading]) -> Reading:
    premise, then, otherwise = parts
    return lambda of, stack: then(of, stack) if premise(of, stack) else otherwise(of, stack)


_CONNECTIVES: dict[int, Callable[[list[Reading]], Reading]] = {
    z3.Z3_OP_AND: _and,
    z3.Z3_OP_OR: _or,
    z3.Z3_OP_NOT: _not,
    z3.Z3_OP_IMPLIES: _implies,
    z3.Z3_OP_EQ: _equal,
    z3.Z3_OP_DISTINCT: _unequal,
    z3.Z3_OP_ITE: _if,
    z3.Z3_OP_TRUE: _and,  # of no parts
    z3.Z3_OP_FALSE: _or,
}
