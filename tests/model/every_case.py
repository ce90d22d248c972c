"""A decision table and a tree of questions, each asked about every combination of facts at once.

A combination is a place, and what is true of all of them one number: bit n says whether
it is true at place n. A table of twenty facts has a million places and takes milliseconds.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache, reduce
from operator import and_, or_
from typing import assert_never

import attrs

from model.forwarding import IS_CIP, IS_EXT, IS_LBV, IS_NP, Decision, MasqueradeRow, Row
from model.predicate import All, Any, Fact, Not, Predicate, Within

KINDS = (IS_CIP, IS_EXT, IS_LBV, IS_NP)
Answer = tuple[str, Decision | bool]


@attrs.frozen
class Ask:
    """A question about one fact, and what follows if it is true and if it is not."""

    fact: Fact
    yes: "Tree"
    no: "Tree"


Tree = Ask | Answer


def differences(rows: Sequence[Row | MasqueradeRow], tree: Tree, *, of_frontends: bool) -> list[str]:
    """One combination for each way in which the table and the tree answer differently.

    With `of_frontends` just one of the four kinds of frontend is true of each.
    """
    facts = tuple(sorted({*_facts(rows), *_asked(tree), *(KINDS if of_frontends else ())}, key=repr))
    everywhere = (1 << (1 << len(facts))) - 1
    truth = {fact: _pattern(i, len(facts)) for i, fact in enumerate(facts)}
    places = _one_of([truth[kind] for kind in KINDS]) if of_frontends else everywhere
    by_table = dict(_by_rows(rows, truth, places, everywhere))
    by_tree = _by_tree(tree, truth, places)
    found = []
    for answer in sorted({*by_table, *by_tree}, key=repr):
        differs = by_table.get(answer, 0) ^ by_tree.get(answer, 0)
        if differs:
            place = differs & -differs
            says = "the table alone" if by_table.get(answer, 0) & place else "the tree alone"
            held = ", ".join(f"{fact.name} {fact.argument or ''}" for fact in facts if truth[fact] & place)
            found.append(f"{says} answers {answer} where this is true: {held}")
    return found


def answers(tree: Tree) -> set[Answer]:
    """All answers of a tree."""
    return answers(tree.yes) | answers(tree.no) if isinstance(tree, Ask) else {tree}


@cache
def _pattern(i: int, count: int) -> int:
    """The truth of fact `i` of `count`: 2**i places false, as many true, and so on."""
    pattern, size = ((1 << (1 << i)) - 1) << (1 << i), 2 << i
    while size < 1 << count:
        pattern, size = pattern | pattern << size, 2 * size
    return pattern


def _one_of(truths: Sequence[int]) -> int:
    several = reduce(or_, (a & b for i, a in enumerate(truths) for b in truths[:i]))
    return reduce(or_, truths) & ~several


def _facts(rows: Iterable[Row | MasqueradeRow]) -> Iterator[Fact]:
    for row in rows:
        yield from _facts_of(row.when)


def _facts_of(predicate: Predicate) -> Iterator[Fact]:
    match predicate:
        case Fact():
            yield predicate
        case All(parts) | Any(parts):
            for part in parts:
                yield from _facts_of(part)
        case Not(part):
            yield from _facts_of(part)
        case Within():
            raise AssertionError("the tables speak of facts alone")
        case _:
            assert_never(predicate)


def _asked(tree: Tree) -> Iterator[Fact]:
    if isinstance(tree, Ask):
        yield tree.fact
        yield from _asked(tree.yes)
        yield from _asked(tree.no)


def _by_rows(
    rows: Sequence[Row | MasqueradeRow], truth: dict[Fact, int], places: int, everywhere: int
) -> Iterator[tuple[Answer, int]]:
    found: dict[Answer, int] = {}
    for row in rows:
        here = places & _holds(row.when, truth, everywhere)
        places &= ~here
        found[row.id, row.then] = found.get((row.id, row.then), 0) | here
    assert places == 0, "some combination is decided by no row"
    yield from ((answer, where) for answer, where in found.items() if where)


def _holds(predicate: Predicate, truth: dict[Fact, int], everywhere: int) -> int:
    match predicate:
        case Fact():
            return truth[predicate]
        case All(parts):
            return reduce(and_, (_holds(part, truth, everywhere) for part in parts), everywhere)
        case Any(parts):
            return reduce(or_, (_holds(part, truth, everywhere) for part in parts), 0)
        case Not(part):
            return everywhere & ~_holds(part, truth, everywhere)
        case _:
            raise AssertionError("the tables speak of facts alone")


def _by_tree(tree: Tree, truth: dict[Fact, int], places: int) -> dict[Answer, int]:
    if not isinstance(tree, Ask):
        return {tree: places} if places else {}
    found = _by_tree(tree.yes, truth, places & truth[tree.fact])
    for answer, where in _by_tree(tree.no, truth, places & ~truth[tree.fact]).items():
        found[answer] = found.get(answer, 0) | where
    return found
