"""What each side does with all packets of a cell, in one form for rules and contracts.

An answer is a set of *worlds*, one for each way to settle the lines that cannot be judged;
a world is a set of treatments, any of which may be met: one for rules, several where the
contract leaves a choice.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from model.expected import Contract
from model.fate import Fates, outcome_at
from model.frontends import NodeView
from model.intervals import EMPTY, Intervals, subtract, union
from model.outcome import Outcome
from model.packet import Origin
from oracle.space.cells import Region
from oracle.space.compare import unlike
from oracle.space.ends import Cell
from oracle.space.entries import Entry
from oracle.space.fates import FatesOfCells

World = tuple[Fates, ...]


class Answer(NamedTuple):
    """The worlds of a cell, the lines (file, number) they hang on, and whether none is certain."""

    worlds: tuple[World, ...]
    unsure: tuple[tuple[str, int], ...] = ()
    stuck: bool = False

    def outcomes(self, source: int) -> tuple[Outcome, ...]:
        """What may happen to a packet from a source, in the first world."""
        found = (outcome_at(fates, source) for fates in self.worlds[0])
        return tuple(dict.fromkeys(one for one in found if one is not None))


class ContractAnswers:
    """What a node's contract says."""

    def __init__(self, view: NodeView) -> None:
        self._view = view
        self._contract = Contract(view)

    def answer(self, region: Region, entry: Entry) -> Answer:
        """Every treatment that is allowed for the packets of a cell."""
        cell = region.cell
        return Answer((self.allowed(cell.destination, cell.protocol, cell.port, entry),))

    def allowed(self, destination: int, protocol: int, port: int, entry: Entry) -> World:
        """Every treatment that is allowed for packets to a place."""
        view = self._view
        by_interface = entry.origin is Origin.WIRE and view.pod_sources is None
        from_pod = by_interface and view.is_pod_interface(entry.in_interface)
        _, allowed = self._contract.allowed(
            destination, protocol, port, entry.origin, from_pod_interface=from_pod
        )
        return allowed

    def key(self, cell: Cell, ways_in: Sequence[Entry]) -> object:
        """What cells share that are treated alike."""
        return tuple(self.allowed(cell.destination, cell.protocol, cell.port, entry) for entry in ways_in)


class RulesAnswers:
    """What a node's rules do."""

    def __init__(self, fates: FatesOfCells) -> None:
        self._fates = fates

    def answer(self, region: Region, entry: Entry) -> Answer:
        """What the rules do with the packets of a cell."""
        found = self._fates.found(region, entry.origin is Origin.WIRE, entry.in_interface)
        return Answer(tuple((world,) for world in found.worlds), found.unsure, found.stuck)

    def key(self, cell: Cell, _: Sequence[Entry]) -> object:
        """What cells share that are treated alike, of those that no condition on port speaks of."""
        return self._fates.unmet_key(cell)


def apart_in(one: World, other: World, asked: Intervals) -> Intervals:
    """The sources, of those asked about, that no treatment of both worlds agrees on."""
    if one == other:
        return EMPTY
    alike: Intervals = EMPTY
    for fates in one:
        covered: Intervals = EMPTY
        for fate in fates:
            covered = union(covered, fate.sources)
        alike = union(alike, subtract(covered, unlike(fates, other)))
    return subtract(asked, alike)


def pairs(first: Answer, second: Answer) -> Iterator[tuple[World, World]]:
    """Every way to settle what neither side's lines say."""
    for one in first.worlds:
        for other in second.worlds:
            yield one, other


def regions_of(worlds: Sequence[World]) -> tuple[Intervals, ...]:
    """The regions of sources that the first treatment of each world tells apart."""
    return tuple(dict.fromkeys(fate.sources for world in worlds for fate in world[0]))
