"""What lowering knows of a rule's surroundings: its table, its family, the literals so far.

Law: equal literals are the same object within a scope, and so are equal conjunctions,
which the indices of the comparison rely on. A conjunction holds each field at most once.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from model.addresses import Family
from model.intervals import Intervals, complement, intersect
from model.predicate import ALWAYS, All, Any, Fact, Field, Not, Predicate, Within
from oracle.dialects.nftables.expressions import Element, SetLiteral, SetReference, Unknown, Value
from oracle.dialects.nftables.lower_memory import Memory, memories
from oracle.dialects.nftables.lower_text import shown
from oracle.dialects.nftables.syntax import NamedSet, Table

Conjunction = tuple[Predicate, ...]
Alternatives = tuple[Conjunction, ...]
"""Conjunctions of which at most one holds of a packet; none at all is never true."""

NEVER: Final[Alternatives] = ()
ALWAYS_TRUE: Final[Alternatives] = ((),)

PROTOCOL_TOP: Final = 0xFF
PORT_TOP: Final = 0xFFFF


class NotJudgedError(Exception):
    """Something in a rule whose meaning cannot be told; the text says what."""


class Scope:
    """One table as one family sees it. `doubts` collects what the rule at hand leaves open."""

    def __init__(self, table: Table, family: Family, *, is_managed: bool = False) -> None:
        self.table = table
        self.family = family
        self.is_managed = is_managed
        self.memories, self.learnt = memories(table)
        self.doubts: dict[str, None] = {}
        self._withins: dict[tuple[Field, Intervals], Within] = {}
        self._singles: dict[tuple[Field, int], Alternatives] = {}
        self._facts: dict[tuple[str, str], Fact] = {}
        self._nots: dict[Predicate, Not] = {}
        self._conjunctions: dict[Conjunction, Predicate] = {(): ALWAYS}

    def top(self, field: Field) -> int:
        """The highest number of a field."""
        if field is Field.PROTOCOL:
            return PROTOCOL_TOP
        return PORT_TOP if field in (Field.PORT, Field.SOURCE_PORT) else self.family.top

    def within(self, field: Field, values: Intervals) -> Alternatives:
        """That the field lies in the set."""
        if not values:
            return NEVER
        if values == ((0, self.top(field)),):
            return ALWAYS_TRUE
        return ((self._within(field, values),),)

    def single(self, field: Field, value: int) -> Alternatives:
        """That the field is this number, which it can be."""
        found = self._singles.get((field, value))
        if found is None:
            found = self._singles[field, value] = self.within(field, ((value, value),))
        return found

    def outside(self, field: Field, values: Intervals) -> Alternatives:
        """That the field lies outside the set."""
        return self.within(field, complement(values, self.top(field)))

    def _within(self, field: Field, values: Intervals) -> Within:
        found = self._withins.get((field, values))
        if found is None:
            found = self._withins[field, values] = Within(field, values)
        return found

    def fact(self, name: str, argument: str = "") -> Fact:
        """A fact about the packet."""
        found = self._facts.get((name, argument))
        if found is None:
            found = self._facts[name, argument] = Fact(name, argument)
        return found

    def any_of(self, parts: Sequence[Predicate]) -> Predicate:
        """That one of the facts holds."""
        return parts[0] if len(parts) == 1 else Any(tuple(parts))

    def negated(self, literal: Predicate) -> Predicate:
        """That a literal does not hold."""
        if isinstance(literal, Within):
            return self._within(literal.field, complement(literal.values, self.top(literal.field)))
        if isinstance(literal, Fact) and literal.name == "unsupported":
            return literal
        found = self._nots.get(literal)
        if found is None:
            found = self._nots[literal] = Not(literal)
        return found

    def doubt(self, text: str) -> Alternatives:
        """That nobody can say whether this part of the rule holds."""
        self.doubts[text] = None
        return ((self.fact("unsupported", text),),)

    def joined(self, left: Conjunction, right: Conjunction) -> Conjunction | None:
        """Both conjunctions as one; None where they exclude each other."""
        if not left or not right:
            return left or right
        out = list(left)
        for literal in right:
            if type(literal) is Within:
                for at, other in enumerate(out):
                    if type(other) is Within and other.field is literal.field:
                        if other is not literal:
                            values = intersect(other.values, literal.values)
                            if not values:
                                return None
                            out[at] = self._within(literal.field, values)
                        break
                else:
                    out.append(literal)
            elif literal not in out:
                out.append(literal)
        return tuple(out)

    def product(self, left: Alternatives, right: Alternatives) -> Alternatives:
        """That one of the first holds and one of the second."""
        if left == ALWAYS_TRUE:
            return right
        if right == ALWAYS_TRUE:
            return left
        found = (self.joined(one, other) for one in left for other in right)
        return tuple(one for one in found if one is not None)

    def conjunction(self, literals: Conjunction) -> Predicate:
        """A conjunction as a rule's condition."""
        found = self._conjunctions.get(literals)
        if found is None:
            found = self._conjunctions[literals] = All(literals)
        return found

    def named_set(self, name: str) -> NamedSet:
        """A set or map of the table. Raises NotJudgedError when the dump does not have it."""
        found = self.table.sets.get(name)
        if found is None:
            raise NotJudgedError(f"set {name} is not in the dump")
        return found

    def memory(self, name: str) -> Memory | None:
        """The memory that a set is, None for sets that rules do not fill.

        Raises NotJudgedError for a set that rules fill in a way that is not a memory of
        sources.
        """
        if name in self.learnt:
            raise NotJudgedError(f"rules change the elements of {name}")
        return self.memories.get(name)

    def elements(self, data: SetLiteral | SetReference | Unknown) -> tuple[Element, ...]:
        """What a set or map holds. Raises NotJudgedError where that is not in the dump."""
        match data:
            case SetLiteral(elements):
                return elements
            case SetReference(name):
                if self.memory(name) is not None:
                    raise NotJudgedError(f"rules change the elements of {name}")
                return self.named_set(name).elements
            case Unknown(text):
                raise NotJudgedError(text)


def spans(values: Iterable[Value]) -> str:
    """Values in words for a doubt."""
    return ", ".join(shown(value) for value in values)
