"""`formula` says to Z3 what `model.predicate.holds` says of a case, line for line.

A field is a number (`Int`) or a bit vector, a fact a truth. No solver term is ever taken
for a truth of Python: `All` is `z3.And`, never `and`. What Z3 finds is a witness, which
`case_of` turns back into a case so that `holds` can confirm it.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import assert_never

import attrs
import z3  # type: ignore[import-untyped]  # the package has no type information

from model.intervals import Intervals
from model.predicate import All, Any, Fact, Field, Not, Predicate, Within


@attrs.frozen
class Symbols:
    """The solver's name for each field (Int or BitVec) and each fact (Bool)."""

    fields: Mapping[Field, z3.ExprRef]
    facts: Mapping[Fact, z3.BoolRef]


@attrs.frozen
class SymbolicCase:
    """A case that the solver chose; what it left open is 0 and false."""

    fields: Mapping[Field, int]
    facts: Mapping[Fact, bool]


def formula(predicate: Predicate, symbols: Symbols) -> z3.BoolRef:
    """The predicate as a term over the symbols.

    Raises KeyError when there is no symbol for a field or fact, as `holds` does.
    """
    match predicate:
        case Within(field, values):
            return _within(symbols.fields[field], values)
        case Fact():
            return symbols.facts[predicate]
        case All(parts):
            return z3.And([formula(part, symbols) for part in parts])
        case Any(parts):
            return z3.Or([formula(part, symbols) for part in parts])
        case Not(part):
            return z3.Not(formula(part, symbols))
        case _:
            assert_never(predicate)


def _within(number: z3.ExprRef, values: Intervals) -> z3.BoolRef:
    if isinstance(number, z3.BitVecRef):  # its <= would be the signed one
        return z3.Or([z3.And(z3.ULE(low, number), z3.ULE(number, high)) for low, high in values])
    return z3.Or([z3.And(low <= number, number <= high) for low, high in values])


def symbols_of(predicates: Iterable[Predicate]) -> Symbols:
    """A number for every field and a truth for every fact that the predicates mention."""
    atoms = dict.fromkeys(atom for predicate in predicates for atom in _atoms(predicate))
    return Symbols(
        {atom.field: z3.Int(atom.field.value) for atom in atoms if isinstance(atom, Within)},
        {atom: z3.Bool(f"{atom.name}|{atom.argument}") for atom in atoms if isinstance(atom, Fact)},
    )


def _atoms(predicate: Predicate) -> Iterator[Within | Fact]:
    match predicate:
        case Within() | Fact():
            yield predicate
        case All(parts) | Any(parts):
            for part in parts:
                yield from _atoms(part)
        case Not(part):
            yield from _atoms(part)
        case _:
            assert_never(predicate)


def case_of(witness: z3.ModelRef, symbols: Symbols) -> SymbolicCase:
    """The case that a witness describes."""
    return SymbolicCase(
        {
            field: witness.eval(number, model_completion=True).as_long()
            for field, number in symbols.fields.items()
        },
        {
            fact: z3.is_true(witness.eval(truth, model_completion=True))
            for fact, truth in symbols.facts.items()
        },
    )
