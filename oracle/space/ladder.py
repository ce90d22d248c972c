"""Chains that do nothing but choose an endpoint, in the short form they have.

Nearly all of a large node's rules are of two shapes: a *ladder* (mark some packets, then
go to one endpoint chain or another, by memory or by chance, the last for sure, or
translate at once) and the *endpoint chain* it goes to (remember the client, mark some
sources, then translate). Walking such a chain rule by rule always gives one way for each
rung, so the ways can be written down at once. A chain that is not exactly of this shape
is no ladder and is walked; a test holds both equal.
"""

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple

from model.intervals import Intervals, contains
from model.odds import ONE, intern, left, taken
from model.predicate import ALWAYS, All, Fact, Field, Predicate, Within
from oracle.ruleset import Continue, Dnat, Goto, Jump, Rule, SetMark
from oracle.space.steps import Step


class Endpoint(NamedTuple):
    """What an endpoint chain does: mark packets from some sources, then translate.

    `marks` are (sources or None for all, what is done). `hairpin` is the one source that the
    only mark is for, -1 where marks are not so simple. `protocols` is None for any.
    """

    address: int
    port: int
    marks: tuple[tuple[Intervals | None, SetMark], ...]
    hairpin: int
    protocols: Intervals | None
    remember: str


class Rung(NamedTuple):
    """One way to leave the ladder. `asked` is the memory that leads here, "" for chance."""

    endpoint: Endpoint
    odds: Fraction
    asked: str


class Ladder(NamedTuple):
    """Marks set on the way in, then rungs; chance rungs sum to one. `leading` are steps."""

    leading: tuple[Step, ...]
    rungs: tuple[Rung, ...]
    protocols: Intervals | None

    def admits(self, protocol: int) -> bool:
        """Whether the endpoint chains translate packets of the protocol."""
        return self.protocols is None or contains(self.protocols, protocol)


def endpoint_of(rules: Sequence[Rule], mark_chains: Mapping[str, SetMark]) -> Endpoint | None:
    """The endpoint chain that these rules are, None when they are not one."""
    if not rules:
        return None
    marks: list[tuple[Intervals | None, SetMark]] = []
    hairpin = -1
    entered = ""
    for when, then, _, _, odds, remember in rules[:-1]:
        if type(then) is Continue and remember and not entered and when == ALWAYS and odds is None:
            entered = remember
            continue
        mark = mark_chains.get(then.chain) if type(then) is Jump else then
        if type(mark) is not SetMark or odds is not None or remember:
            return None
        alone, sources = _speaks_only_of(when, Field.SOURCE)
        if not alone:
            return None
        marks.append((sources, mark))
        if sources is not None and len(sources) == 1 and sources[0][0] == sources[0][1]:
            hairpin = sources[0][0]
    if len(marks) != 1:
        hairpin = -1
    last = rules[-1]
    target = _target_of(last) if last.odds is None else None
    if target is None or (entered and last.remember):
        return None
    return target._replace(marks=tuple(marks), hairpin=hairpin, remember=entered or last.remember)


def _target_of(rule: Rule) -> Endpoint | None:
    """What a rule that translates packets of some protocols or all leads to."""
    then = rule.then
    if type(then) is not Dnat or then.address is None or then.port is None:
        return None
    alone, protocols = _speaks_only_of(rule.when, Field.PROTOCOL)
    return Endpoint(then.address, then.port, (), -1, protocols, rule.remember) if alone else None


def _speaks_only_of(when: Predicate, field: Field) -> tuple[bool, Intervals | None]:
    """(whether a condition speaks of nothing but the field, the values it admits or None for all)."""
    if type(when) is All:
        parts = when.parts
        if len(parts) == 1:
            part = parts[0]
            if type(part) is Within and part.field is field:
                return True, part.values
        return not parts, None
    return False, None


_SHARES: dict[tuple[int, ...], tuple[Fraction, ...]] = {}


def _shares(chances: Sequence[Fraction | None]) -> tuple[Fraction, ...]:
    """The odds of each rung, from the chance each takes what the earlier ones left."""
    key = tuple(map(id, chances))  # chances are interned, so an id stands for a value
    found = _SHARES.get(key)
    if found is None:
        before, out = ONE, []
        for chance in chances:
            out.append(before if chance is None else taken(before, chance))
            before = before if chance is None else left(before, chance)
        found = _SHARES[key] = tuple(map(intern, out))
    return found


def ladder_of(
    rules: Sequence[Rule],
    mark_chains: Mapping[str, SetMark],
    step_of: Callable[[Rule], Step],
    endpoint: Callable[[str], Endpoint | None],
) -> Ladder | None:
    """The ladder that a chain's rules are, None when they are not one."""
    last = rules[-1]
    if last.odds is not None or not isinstance(last.then, Jump | Goto | Dnat):
        return None
    start = 0
    for rule in rules:
        then = rule.then
        if not (type(then) is SetMark or (type(then) is Jump and then.chain in mark_chains)):
            break
        start += 1
    leading = [step_of(rule) for rule in rules[:start]]
    if any(step.odds is not None or step.guard.rest or step.rule.remember for step in leading):
        return None
    memories: list[Rung] = []
    chosen: list[Endpoint] = []
    chances: list[Fraction | None] = []
    for rule in rules[start:]:
        when, then, _, _, odds, remember = rule
        if type(then) is Dnat:
            target = _target_of(rule)
            parts: tuple[Predicate, ...] = ()
        elif (type(then) is Jump or type(then) is Goto) and not remember:
            target = endpoint(then.chain)
            parts = when.parts if type(when) is All else (when,)
        else:
            return None
        if target is None:
            return None
        if parts:
            fact = parts[0]
            if len(parts) > 1 or odds is not None or chosen:
                return None
            if type(fact) is not Fact or fact.name != "recent":
                return None
            memories.append(Rung(target, ONE, fact.argument))
            continue
        if chances and chances[-1] is None:
            return None  # a rung behind one that is always taken
        chosen.append(target)
        chances.append(None if odds is None else intern(odds))
    if not chosen or len({rung.asked for rung in memories}) != len(memories):
        return None
    protocols = chosen[0].protocols
    if any(one.protocols != protocols for one in (*chosen, *(rung.endpoint for rung in memories))):
        return None
    rungs = [Rung(one, odds, "") for one, odds in zip(chosen, _shares(chances), strict=True)]
    return Ladder(tuple(leading), (*memories, *rungs), protocols)
