"""A match statement is a guard on the rest of its rule: alternatives, or a chance.

Random numbers are chances, exact (`meta random & 0x7fffffff < X` is X of 2^31). One packet
meets a round robin (`numgen inc`) at any of its places alike, so its chance is the same.

Sources: nft(8) EXPRESSIONS; rules-nftables 1 (`ip saddr @affinity-E goto endpoint-E`).
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import Final

import attrs

from model.intervals import complement, intersect, normalise, size
from model.odds import share
from model.predicate import Field
from oracle.dialects.nftables.expressions import (
    ANYTHING,
    Address,
    Binary,
    BitOp,
    Concat,
    Expression,
    Flags,
    Jhash,
    Meta,
    Numgen,
    Range,
    SetLiteral,
    SetReference,
    Symhash,
    Unknown,
    Value,
    Verdict,
)
from oracle.dialects.nftables.lower_facts import FlagsKey, StateKey
from oracle.dialects.nftables.lower_fields import FieldKey
from oracle.dialects.nftables.lower_keys import Key, is_of_other_family, key_of
from oracle.dialects.nftables.lower_memory import Memory
from oracle.dialects.nftables.lower_scope import NEVER, Alternatives, NotJudgedError, Scope
from oracle.dialects.nftables.statements import Match, MatchOp

_RANDOM_BITS: Final = 32


@attrs.frozen
class Guard:
    """The rule goes on when an alternative holds; `is_negated`: when none does.

    `can_change` says that what the rule itself does may change the answer.
    """

    alternatives: Alternatives
    is_negated: bool = False
    can_change: bool = False


@attrs.frozen
class Chance:
    """The rule goes on with these odds, strictly between 0 and 1."""

    odds: Fraction


def guard_of(match: Match, scope: Scope) -> Guard | Chance:
    """What a match lets through. Raises NotJudgedError when that cannot be told."""
    if is_of_other_family(match.left, scope):
        return Guard(NEVER)
    memory = _memory(match, scope)
    if memory is not None:
        literal = scope.fact("recent", memory.argument)
        if match.op is MatchOp.NE:
            return Guard(((scope.negated(literal),),))
        return Guard(((literal,),))
    modulus = _modulus(match.left)
    if modulus is not None:
        return _chance(match, modulus, scope)
    key = key_of(match.left, scope)
    if match.op in (MatchOp.IN, MatchOp.NONE_OF):
        return Guard(_bits(key, match), can_change=key.is_mark)
    values = _values(match, scope)
    if match.op is not MatchOp.NE:
        return Guard(key.among(values), can_change=key.is_mark)
    outside = key.outside(values)
    if outside is None:
        return Guard(key.among(values), is_negated=True, can_change=key.is_mark)
    return Guard(outside, can_change=key.is_mark)


def _memory(match: Match, scope: Scope) -> Memory | None:
    """The memory that is asked for, None when the match asks for something else."""
    if not isinstance(match.right, SetReference) or match.op not in (MatchOp.EQ, MatchOp.NE):
        return None
    memory = scope.memory(match.right.name)
    if memory is not None:
        key = key_of(match.left, scope)
        if not isinstance(key, FieldKey) or key.field is not Field.SOURCE or key.mask is not None:
            raise NotJudgedError(f"rules change the elements of {match.right.name}")
    return memory


def _bits(key: Key, match: Match) -> Alternatives:
    """A test of bits; of a single-valued key it is equality."""
    right = _leaf(match.right)
    if isinstance(key, StateKey | FlagsKey):
        return key.any_bit(right) if match.op is MatchOp.IN else key.no_bit(right)
    if match.op is MatchOp.IN:
        return key.among((right,))
    raise NotJudgedError("a test of bits")


def _values(match: Match, scope: Scope) -> Sequence[Value]:
    """The values that a match compares with; of a concatenation, its keys."""
    right = match.right
    if match.op in (MatchOp.EQ, MatchOp.NE):
        if isinstance(right, SetLiteral | SetReference):
            keys = [element.key for element in scope.elements(right)]
            if any(isinstance(key, Concat) for key in keys):
                refuse_overlaps(keys)
            return [_leaf(key) for key in keys]
        return (_leaf(right),)
    bound = _leaf(right)
    number = bound.value if isinstance(bound, Address) else bound
    if not isinstance(number, int):
        raise NotJudgedError(f"a comparison with {bound}")
    top = scope.family.top
    match match.op:
        case MatchOp.LT:
            low, high = 0, number - 1
        case MatchOp.LE:
            low, high = 0, number
        case MatchOp.GT:
            low, high = number + 1, top
        case _:
            low, high = number, top
    return (Range(low, min(high, top)),) if low <= high else ()


def _leaf(expression: Expression) -> Value:
    """An expression that must be a value, or a concatenation of values."""
    if isinstance(expression, int | str | Address | Range | Flags) or expression is ANYTHING:
        return expression
    if isinstance(expression, Concat):
        return expression  # type: ignore[return-value]  # what keys of several parts take
    if isinstance(expression, Unknown):
        raise NotJudgedError(expression.text)
    raise NotJudgedError(f"a comparison with {type(expression).__name__.lower()}")


def _modulus(left: Expression) -> tuple[int, int] | None:
    """The first number and the count of a source of chance, None for other expressions."""
    match left:
        case Numgen(_, modulus, offset):
            return offset, modulus
        case Meta("random"):
            return 0, 1 << _RANDOM_BITS
        case Binary(BitOp.AND, Meta("random"), int() as mask) if mask and not mask & (mask + 1):
            return 0, mask + 1
        case Jhash() | Symhash():
            raise NotJudgedError("a hash of the packet")
    return None


def _chance(match: Match, numbers: tuple[int, int], scope: Scope) -> Guard | Chance:
    """How many of the numbers a match lets through."""
    first, count = numbers
    spans = []
    for value in _values(match, scope):
        low, high = (value.low, value.high) if isinstance(value, Range) else (value, value)
        if not isinstance(low, int) or not isinstance(high, int):
            raise NotJudgedError(f"a random number compared with {value}")
        spans.append((low, high))
    everything = ((first, first + count - 1),)
    inside = intersect(normalise(spans), everything)
    if match.op is MatchOp.NE:
        inside = intersect(complement(inside, everything[0][1]), everything)
    hits = size(inside)
    if hits in (0, count):
        return Guard(((),) if hits else ())
    return Chance(Fraction(hits, count))


def numbered(
    key: Numgen, listed: Sequence[tuple[Expression, Expression | Verdict | None]]
) -> list[tuple[Fraction, Expression]]:
    """For each listed value of a map of random numbers: the odds among those not listed before.

    A number that no key names is a gap: what the kernel draws there finds nothing. A key
    beyond the numbers drawn is never found. Raises NotJudgedError for keys that overlap with
    different values, which the kernel would refuse.
    """
    left = key.modulus
    if [name for name, _ in listed] == list(range(key.offset, key.offset + len(listed))) and len(
        listed
    ) <= left:
        return [(share(left - at), _found(value)) for at, (_, value) in enumerate(listed)]
    everything = ((key.offset, key.offset + key.modulus - 1),)
    seen: dict[tuple[int, int], Expression | None] = {}
    found: list[tuple[Fraction, Expression]] = []
    for name, value in listed:
        low, high = (name.low, name.high) if isinstance(name, Range) else (name, name)
        if not isinstance(low, int) or not isinstance(high, int):
            raise NotJudgedError(f"a random number is {name}")
        if (low, high) in seen:
            if seen[low, high] == value:
                continue
            raise NotJudgedError("an element is there twice")
        width = size(intersect(((low, high),), everything))
        seen[low, high] = value
        if not width:
            continue
        if width > left:
            raise NotJudgedError("keys of a map of random numbers overlap")
        found.append((Fraction(width, left), _found(value)))
        left -= width
    if size(normalise(seen)) != sum(high - low + 1 for low, high in seen):
        raise NotJudgedError("keys of a map of random numbers overlap")
    return found


def _found(value: Expression | None) -> Expression:
    if value is None:
        raise NotJudgedError("a set where a map should be")
    return value


def refuse_overlaps(keys: Sequence[Expression]) -> None:
    """Raises NotJudgedError when two keys have a value in common, as nft would.

    Single values overlap when they are equal; spans are compared with their neighbours in
    the order of their first part.
    """
    if len(set(keys)) != len(keys):
        raise NotJudgedError("an element is there twice")
    if not any(_is_open(key) for key in keys):
        return
    boxes = sorted(box for key in keys if (box := _box(key)) is not None)
    active: list[tuple[tuple[int, int], ...]] = []
    for box in boxes:
        active = [other for other in active if other[0][1] >= box[0][0]]
        for other in active:
            if all(a[0] <= b[1] and b[0] <= a[1] for a, b in zip(box, other, strict=False)):
                raise NotJudgedError("elements overlap")
        active.append(box)


def _is_open(key: Expression) -> bool:
    return isinstance(key, Range) or (
        isinstance(key, Concat) and any(isinstance(p, Range) for p in key.parts)
    )


def _box(key: Expression) -> tuple[tuple[int, int], ...] | None:
    """The spans of a key, None for keys of names."""
    parts = key.parts if isinstance(key, Concat) else (key,)
    spans: list[tuple[int, int]] = []
    for part in parts:
        low, high = (part.low, part.high) if isinstance(part, Range) else (part, part)
        ends = [getattr(end, "value", end) for end in (low, high)]
        if not isinstance(ends[0], int) or not isinstance(ends[1], int):
            return None
        spans.append((ends[0], ends[1]))
    return tuple(spans)
