"""On which packets two proxy modes differ, and which of the modes' rules make them differ.

Both modes are asked about one circumstance, as `invariants.prove.mode_ways` has it. A rule
MODE-nn is a cause of a difference if one of the modes would treat the packet otherwise
without it; where no rule is one alone, those are that are so in pairs. A solver finds
the classes; a test reads every combination of facts without one and comes to the same list.
"""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence

import attrs
import z3  # type: ignore[import-untyped]  # the package has no type information

from invariants.prove.mode_ways import (
    RULES,
    Ids,
    Outcomes,
    Rules,
    Ways,
    circumstances,
    fates,
    sent,
    sources,
    ways,
)
from model.node_config import ProxyMode
from model.predicate import All, Any, Not, Predicate
from model.symbolic import formula, symbols_of


@attrs.frozen
class ModeDifference:
    """One class of packets, those for which `when` holds, and what each mode does with them.

    `ids` are the rules that cause it, in order. `first` and `second` are either what becomes
    of the packet, or, where both modes send it on, whether the endpoint that is chosen sees
    the packet's own source.
    """

    ids: tuple[str, ...]
    when: Predicate
    first: str
    second: str


Ask = Callable[[Ways], Outcomes]


def changes(ask: Ask, first: ProxyMode, second: ProxyMode, without: Ids) -> Predicate:
    """That without these rules one of the modes does otherwise than with them."""
    changed: list[Predicate] = []
    for mode in (first, second):
        usual, other = ask(ways(mode)), ask(ways(mode, without))
        if usual != other:
            changed += [All((usual[name], Not(other[name]))) for name in usual]
    return Any(tuple(changed))


def causes(
    ask: Ask, first: ProxyMode, second: ProxyMode
) -> tuple[dict[Rules, Predicate], dict[Rules, Predicate]]:
    """When each rule changes something alone, and when two of one mode do together."""
    rules = sorted({*RULES[first], *RULES[second]})
    pairs = {pair for mode in (first, second) for pair in itertools.combinations(sorted(RULES[mode]), 2)}
    return (
        {(id,): changes(ask, first, second, frozenset((id,))) for id in rules},
        {pair: changes(ask, first, second, frozenset(pair)) for pair in sorted(pairs)},
    )


def mode_differences(first: ProxyMode, second: ProxyMode) -> tuple[ModeDifference, ...]:
    """Every class of packets that the modes treat differently, by cause and outcomes.

    Classes of fates are disjoint, and so are classes of sources; a packet that is in none
    fares alike in both modes. A class without `ids` is one that no rule explains.
    """
    always = circumstances(ways(first), ways(second))
    found: list[ModeDifference] = []
    for ask, among in ((fates, always), (sources, All((always, sent(ways(first), ways(second)))))):
        one, other = ask(ways(first)), ask(ways(second))
        differs = All((among, *(Not(All((one[name], other[name]))) for name in one)))
        alone, pairs = causes(ask, first, second)
        none_alone = Not(Any(tuple(alone.values())))
        found += _classes(All((differs, Not(none_alone))), one, other, alone)
        found += _classes(All((differs, none_alone)), one, other, pairs)
    return tuple(sorted(found, key=lambda each: (each.ids, each.first, each.second)))


def _classes(
    among: Predicate,
    one: Outcomes,
    other: Outcomes,
    causes: Mapping[Rules, Predicate],
) -> Iterator[ModeDifference]:
    """Each combination of outcomes and causes that there is among these circumstances."""
    symbols = symbols_of((among, *one.values(), *other.values(), *causes.values()))
    marks = {when: formula(when, symbols) for each in (one, other, causes) for when in each.values()}
    solver = z3.Solver()
    solver.add(formula(among, symbols))
    while solver.check() == z3.sat:
        witness = solver.model()
        true = {when: z3.is_true(witness.eval(mark, model_completion=True)) for when, mark in marks.items()}
        solver.add(z3.Or(*(mark != true[when] for when, mark in marks.items())))
        yield _difference(
            among,
            [(name, when, true[when]) for name, when in one.items()],
            [(name, when, true[when]) for name, when in other.items()],
            [(rules, when, true[when]) for rules, when in causes.items()],
        )


def _difference(
    among: Predicate,
    one: Sequence[tuple[str, Predicate, bool]],
    other: Sequence[tuple[str, Predicate, bool]],
    causes: Sequence[tuple[Rules, Predicate, bool]],
) -> ModeDifference:
    ((first, when_first),) = ((name, when) for name, when, truth in one if truth)
    ((second, when_second),) = ((name, when) for name, when, truth in other if truth)
    ids = {id for rules, _, truth in causes if truth for id in rules}
    exactly = (when if truth else Not(when) for _, when, truth in causes)
    return ModeDifference(tuple(sorted(ids)), All((among, when_first, when_second, *exactly)), first, second)
