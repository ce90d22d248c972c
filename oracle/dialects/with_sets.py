"""Rules of iptables that ask for an ipset, told by the set's members.

A rule with `-m set` becomes one rule for each disjoint part of what the set holds, all of
the same line; the packets that a part holds are no other part's, so at most one of them
takes a packet. A set that is missing or cannot be told stays a condition nobody can judge.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final

import attrs

from model.predicate import ALWAYS, All, Fact, Not, Predicate
from oracle.dialects.ipvs import IpsetDump, members, non_members
from oracle.ruleset import Chain, Note, Rule, Ruleset

_MATCH: Final = re.compile(r"-m set (! )?--match-set (\S+) (\S+)")


def with_sets(ruleset: Ruleset, sets: Sequence[IpsetDump]) -> Ruleset:
    """The rule set with the members of these sets in place of their names."""
    told: set[tuple[int, str]] = set()
    tables = {
        table: {name: _chain(chain, ruleset, sets, told) for name, chain in chains.items()}
        for table, chains in ruleset.tables.items()
    }
    notes = tuple(note for note in ruleset.unsupported if (note.line, _asked(note)) not in told)
    return attrs.evolve(ruleset, tables=tables, unsupported=notes)


def _asked(note: Note) -> str:
    return note.what.removeprefix("match not judged: ")


def _chain(chain: Chain, ruleset: Ruleset, sets: Sequence[IpsetDump], told: set[tuple[int, str]]) -> Chain:
    if not any("--match-set" in rule.text for rule in chain.rules):
        return chain
    rules = [one for rule in chain.rules for one in _rules(rule, ruleset, sets, told)]
    return attrs.evolve(chain, rules=rules)


def _rules(
    rule: Rule, ruleset: Ruleset, sets: Sequence[IpsetDump], told: set[tuple[int, str]]
) -> Iterator[Rule]:
    parts = rule.when.parts if isinstance(rule.when, All) else (rule.when,)
    for at, part in enumerate(parts):
        inner = part.part if isinstance(part, Not) else part
        if not (isinstance(inner, Fact) and inner.name == "unsupported"):
            continue
        found = _MATCH.fullmatch(inner.argument)
        if found is None or isinstance(part, Not):
            continue
        boxes = _boxes(found, ruleset, sets)
        if boxes is None:
            continue
        told.add((rule.line, inner.argument))
        rest = (*parts[:at], *parts[at + 1 :])
        for box in boxes:
            when = _both(rest, box)
            yield from _rules(rule._replace(when=when), ruleset, sets, told)
        return
    yield rule


def _boxes(found: re.Match[str], ruleset: Ruleset, sets: Sequence[IpsetDump]) -> tuple[Predicate, ...] | None:
    holds, name, directions = not found[1], found[2], found[3]
    read = members if holds else non_members
    for dump in sets:
        if name in dump.sets:
            return read(dump, name, directions, ruleset.family)
    return None


def _both(rest: Sequence[Predicate], box: Predicate) -> Predicate:
    more = () if box == ALWAYS else box.parts if isinstance(box, All) else (box,)
    return All((*rest, *more))
