"""Ways that packets fare, put together as fates.

A walk of many packets ends in ways, each with its sources, odds and assumptions; here they
become `model.fate.Fates`, one for each way to settle what could not be judged.
"""

import itertools
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import NamedTuple

import attrs

from model.fate import Fate, Fates, LeafFate, Memory
from model.intervals import EMPTY, Intervals, apart, contains, intersect
from model.odds import total
from model.outcome import Verdict
from oracle.plain import MAX_UNSURE
from oracle.space.flow import Asked, Flow, Unsure


class Way(NamedTuple):
    """One way for packets from `sources` to fare, with its odds and what was assumed."""

    sources: Intervals
    leaf: tuple[int, int, str, str]  # address, port, verdict, reject error
    odds: Fraction
    masquerade: Intervals
    asked: Asked
    unsure: Unsure
    lists: tuple[str, ...]
    stuck: bool


@attrs.frozen
class Found:
    """What the rules do with a cell: one `Fates` a way to settle the lines not judged.

    `unsure` are those lines as (file, line). `stuck` says that some packet meets a target
    that cannot be judged, or too many lines that cannot; then `worlds` tells nothing.
    """

    worlds: tuple[Fates, ...]
    unsure: tuple[tuple[str, int], ...] = ()
    stuck: bool = False


def ended(flow: Flow, verdict: Verdict, error: str, stuck: bool) -> Way:
    leaf = (0, 0, verdict.value, error)
    return Way(flow.sources, leaf, flow.odds, EMPTY, flow.asked, flow.unsure, flow.lists, stuck)


def found_of(ways: Sequence[Way], asked_for: Intervals) -> Found:
    places = tuple(dict.fromkeys(place for way in ways for place, _ in way.unsure))
    if len(places) > MAX_UNSURE or any(way.stuck for way in ways):
        return Found((), places, True)
    if not places:
        return Found((_fates(ways, asked_for),))
    worlds = []
    for truths in itertools.product((False, True), repeat=len(places)):
        world = dict(zip(places, truths, strict=True))
        chosen = [way for way in ways if all(world[place] is truth for place, truth in way.unsure)]
        worlds.append(_fates(chosen, asked_for))
    return Found(tuple(dict.fromkeys(worlds)), places)


def _fates(ways: Sequence[Way], asked_for: Intervals) -> Fates:
    """The ways of one world as fates over the sources asked for, in order of sources."""
    out: list[Fate] = []
    for sources in apart(dict.fromkeys(way.sources for way in ways)):
        inside = intersect(sources, asked_for)
        if inside:
            first = sources[0][0]
            here = [way for way in ways if way.sources == sources or contains(way.sources, first)]
            out.extend(_fates_of(here, inside))
    out.sort()
    return tuple(out)


def _fates_of(ways: Sequence[Way], sources: Intervals) -> Iterator[Fate]:
    """The fates of ways that all start from the sources, apart where one leaf is masqueraded
    on one way and not on another."""
    whole = _fate(ways, sources)
    leaves = [(leaf[:3], leaf.reject_with) for leaf in whole.leaves]
    if len(set(leaves)) == len(leaves):
        yield whole
        return
    edges = [intersect(leaf.masquerade, sources) for leaf in whole.leaves if leaf.masquerade]
    for part in apart((*edges, sources)):
        yield _fate(ways, part)


def _fate(ways: Sequence[Way], sources: Intervals) -> Fate:
    """The distribution of fresh clients over the ways, and the memories that count."""
    fresh: list[Way] = []
    known: dict[str, list[Way]] = {}  # ways of a client that one memory alone knows
    for way in ways:
        positive = [name for name, hit in way.asked if hit] if way.asked else ()
        if not positive:
            fresh.append(way)
        elif len(positive) == 1:
            known.setdefault(positive[0], []).append(way)
    leaves = _leaves(fresh, sources)
    return Fate(sources, leaves, _memories(known, fresh, leaves, sources) if known else ())


def _leaves(ways: Sequence[Way], sources: Intervals) -> tuple[LeafFate, ...]:
    odds: dict[tuple[int, int, str, str, Intervals], Fraction] = {}
    for way in ways:
        address, port, verdict, error = way.leaf
        key = (address, port, verdict, error, intersect(way.masquerade, sources))
        before = odds.get(key)
        odds[key] = way.odds if before is None else total(before, way.odds)
    return tuple(
        sorted(
            LeafFate(address, port, verdict, chance, masquerade, error)
            for (address, port, verdict, error, masquerade), chance in odds.items()
        )
    )


def _memories(
    known: dict[str, list[Way]],
    fresh: Sequence[Way],
    leaves: tuple[LeafFate, ...],
    sources: Intervals,
) -> tuple[Memory, ...]:
    """The memories that a client may be known to, in the order asked.

    One that nobody is entered in is none, nor is one that changes nothing. One leads to its
    endpoint only while that endpoint and no other enters clients in it; otherwise it keeps
    nobody where he was and leads nowhere: address 0, port 0.
    """
    setters: dict[str, set[tuple[int, int]]] = {}
    for way in fresh:
        if way.leaf[2] == Verdict.DNAT.value:
            for name in way.lists:
                setters.setdefault(name, set()).add(way.leaf[:2])
    out: list[tuple[int, Memory]] = []
    for asked, ways in known.items():
        name, _, seconds = asked.rpartition("/")
        entered = setters.get(name, set())
        if not entered and not any(name in way.lists for way in ways):
            continue
        first = ways[0]
        address, port, verdict, _ = first.leaf
        keeps = len(ways) == 1 and verdict == Verdict.DNAT.value and name in first.lists
        masquerade = intersect(first.masquerade, sources)
        if not keeps or not entered <= {(address, port)}:
            if _leaves(ways, sources) == leaves:
                continue
            address, port, masquerade = 0, 0, EMPTY
        place = next(at for at, (_, hit) in enumerate(first.asked) if hit)
        out.append((place, Memory(address, port, int(seconds), masquerade)))
    return tuple(memory for _, memory in sorted(out, key=lambda item: item[0]))
