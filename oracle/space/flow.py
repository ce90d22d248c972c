"""Packets on their way, many at a time: all sources that met the same rules so far.

A `Flow` is the packets of one cell from a region of sources. Marks differ by source, so
they are held as pieces; setting a mark for some sources changes the pieces and splits
nothing. Chance, affinity memory and conditions that cannot be judged do split a flow,
and `joined` puts together what no longer differs.
"""

from collections.abc import Iterable
from fractions import Fraction
from typing import NamedTuple

from model.intervals import Intervals, intersect, subtract, union
from model.odds import ONE, total
from oracle.ruleset import SetMark

Pieces = tuple[tuple[Intervals, int], ...]  # disjoint regions of sources with their marks
Asked = tuple[tuple[str, bool], ...]  # affinity memories consulted, with their answers
Unsure = tuple[tuple[tuple[str, int], bool], ...]  # (file, line) not judged, and what was taken of it


class Flow(NamedTuple):
    """Packets from `sources` with everything that was assumed to bring them here."""

    sources: Intervals
    pieces: Pieces
    odds: Fraction = ONE
    asked: Asked = ()
    unsure: Unsure = ()
    lists: tuple[str, ...] = ()
    untracked: bool = False
    masqueraded: bool = False


def whole(sources: Intervals, mark: int = 0) -> Flow:
    """All packets from the sources, as they enter."""
    return Flow(sources, ((sources, mark),))


def narrowed(flow: Flow, sources: Intervals) -> Flow:
    """The packets of a flow from some of its sources."""
    pieces = tuple((inside, mark) for part, mark in flow.pieces if (inside := intersect(part, sources)))
    return flow._replace(sources=sources, pieces=pieces)


def marked(flow: Flow, source: Intervals | None, action: SetMark) -> Flow:
    """The flow after the packets from `source` (None: all) had their mark set."""
    keep, flip = ~action.clear, action.flip
    changed: dict[int, Intervals] = {}
    same = True
    for part, mark in flow.pieces:
        new = (mark & keep) ^ flip
        if new == mark:
            changed[mark] = union(changed.get(mark, ()), part)
            continue
        inside = part if source is None else intersect(part, source)
        if inside:
            same = False
            changed[new] = union(changed.get(new, ()), inside)
            part = subtract(part, inside)
        if part:
            changed[mark] = union(changed.get(mark, ()), part)
    if same:
        return flow
    return flow._replace(pieces=tuple(sorted((part, mark) for mark, part in changed.items())))


def joined(flows: Iterable[Flow]) -> list[Flow]:
    """Flows that differ in sources only as one; equal flows as one, their odds added."""
    listed = list(flows)
    if len(listed) < 2:
        return listed
    by_rest: dict[tuple[object, ...], Flow] = {}
    apart: list[Flow] = []
    for flow in listed:
        key = flow[2:]
        other = by_rest.get(key)
        if other is None:
            by_rest[key] = flow
        elif intersect(other.sources, flow.sources):
            apart.append(flow)
        else:
            by_rest[key] = flow._replace(
                sources=union(other.sources, flow.sources),
                pieces=_merged(other.pieces, flow.pieces),
            )
    summed: dict[tuple[object, ...], Flow] = {}
    for flow in (*by_rest.values(), *apart):
        same = (flow.sources, flow.pieces, *flow[3:])
        other = summed.get(same)
        summed[same] = flow if other is None else other._replace(odds=total(other.odds, flow.odds))
    return list(summed.values())


def _merged(first: Pieces, second: Pieces) -> Pieces:
    by_mark: dict[int, Intervals] = {}
    for part, mark in (*first, *second):
        by_mark[mark] = union(by_mark.get(mark, ()), part)
    return tuple(sorted((part, mark) for mark, part in by_mark.items()))
