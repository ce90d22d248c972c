"""What the rules do with all packets of a cell, in the form the contract is told in.

Puts together the two halves of the walk: up to destination nat, and from there on at
whatever destination the packet has by then. The result is `model.fate.Fates`, one for
each way to settle the conditions that could not be judged.
"""

import itertools
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import NamedTuple

import attrs

from model.fate import Fate, Fates, LeafFate, Memory
from model.intervals import EMPTY, Intervals, apart, contains, intersect, subtract, union
from model.odds import taken, total
from model.outcome import Verdict
from oracle.cells import Region
from oracle.ends import OWN, Cell, End, Group
from oracle.flow import Asked, Flow, Unsure
from oracle.group_fates import GroupFates, spelled_out
from oracle.walk import Walker

MAX_UNSURE = 6  # lines that cannot be judged in one cell, beyond which it is given up


class _Way(NamedTuple):
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


class FatesOfCells:
    """Asks a walker about cells; equal walks are put together once."""

    def __init__(self, walker: Walker, everything: Intervals, local: Intervals) -> None:
        self._walker = walker
        self._asked_for = {True: everything, False: local}
        self._done: dict[tuple[object, ...], tuple[Found, object]] = {}
        self._unmet: dict[tuple[object, ...], Found] = {}
        self._groups = GroupFates(walker)

    def found(self, region: Region, from_wire: bool, in_interface: str | None) -> Found:
        """What happens to packets of a cell from the wire, or from the node itself."""
        cell = region.cell
        if region.met:
            return self.walked(cell, from_wire, in_interface)
        key = (self.unmet_key(cell), from_wire, in_interface)
        found = self._unmet.get(key)
        if found is None:
            found = self._unmet[key] = self.walked(cell, from_wire, in_interface)
        return found

    def unmet_key(self, cell: Cell) -> object:
        """What cells alike share where no condition on protocol or port holds."""
        return cell.signature & self._walker.bare_places, self._walker.destination(cell.destination)

    def walked(self, cell: Cell, from_wire: bool, in_interface: str | None) -> Found:
        """What happens to packets of a cell, whatever stands for it."""
        ends, flows = self._walker.start(cell, from_wire, in_interface)
        if flows:
            return self._assemble(cell, ends, flows, from_wire, in_interface)
        key = (cell.protocol, from_wire, in_interface, *map(id, ends))
        known = self._done.get(key)
        if known is None:
            found = self._assemble(cell, ends, flows, from_wire, in_interface)
            known = (found, ends)  # the ends are kept, so their ids stay theirs
            if not any(type(end) is End and (end.port is None or end.address in (None, OWN)) for end in ends):
                self._done[key] = known
        return known[0]

    def _assemble(
        self,
        cell: Cell,
        ends: Sequence[End | Group],
        flows: Sequence[Flow],
        from_wire: bool,
        in_interface: str | None,
    ) -> Found:
        asked_for = self._asked_for[from_wire]
        done: list[Fate] = []
        rest: list[End] = []
        covered: Intervals = EMPTY
        for end in ends:
            if isinstance(end, End):
                rest.append(end)
                continue
            fate = None
            if not intersect(covered, end.flow.sources):
                fate = self._groups.fate(end, cell, from_wire, in_interface, asked_for)
            if fate is None:
                rest += spelled_out(end)
                continue
            covered = union(covered, end.flow.sources)
            if fate.sources:
                done.append(fate)
        if not rest and not flows:
            return Found((tuple(sorted(done)) if len(done) > 1 else tuple(done),))
        ways: list[_Way] = []
        for one in rest:
            self._end(ways, cell, one, from_wire, in_interface)
        for flow in flows:
            self._onward(
                ways, flow, cell.destination, cell.protocol, cell.port, False, from_wire, in_interface
            )
        if done and any(intersect(way.sources, covered) for way in ways):
            # A group shares sources with other ways: only all of them together say what happens.
            ways = []
            for end in ends:
                for one in spelled_out(end) if isinstance(end, Group) else (end,):
                    self._end(ways, cell, one, from_wire, in_interface)
            for flow in flows:
                self._onward(
                    ways, flow, cell.destination, cell.protocol, cell.port, False, from_wire, in_interface
                )
            return _found(ways, asked_for)
        found = _found(ways, asked_for)
        worlds = tuple(tuple(sorted((*done, *world))) for world in found.worlds)
        return attrs.evolve(found, worlds=worlds)

    def _end(self, ways: list[_Way], cell: Cell, end: End, from_wire: bool, in_interface: str | None) -> None:
        if end.verdict is not Verdict.DNAT:
            ways.append(_ended(end.flow, end.verdict, end.reject_with, end.stuck))
            return
        address = cell.destination if end.address is None else end.address
        if address == OWN:
            address = self._walker.own_address(from_wire)
        port = cell.port if end.port is None else end.port
        self._onward(ways, end.flow, address, cell.protocol, port, True, from_wire, in_interface)

    def _onward(
        self,
        ways: list[_Way],
        flow: Flow,
        address: int,
        protocol: int,
        port: int,
        translated: bool,
        from_wire: bool,
        in_interface: str | None,
    ) -> None:
        """Adds what becomes of a flow after destination nat."""
        fate = (address, port, Verdict.DNAT.value, "") if translated else (0, 0, Verdict.PASS.value, "")
        rewritten: Intervals = EMPTY
        gone: list[Intervals] = []
        plain = flow.sources
        destination = self._walker.destination(address)
        for part, mark in flow.pieces:
            rows = self._walker.later(
                destination,
                protocol,
                port,
                mark,
                translated=translated,
                untracked=flow.untracked,
                from_wire=from_wire,
                in_interface=in_interface,
            )
            if len(rows) == 1:
                later, verdict, error, stuck = rows[0]
                if verdict is Verdict.PASS and not stuck:
                    if later.masqueraded:
                        rewritten = union(rewritten, part)
                    continue
            for later, verdict, error, stuck in rows:
                inside = intersect(part, later.sources)
                if not inside:
                    continue
                gone.append(inside)
                leaf = fate if verdict is Verdict.PASS else (0, 0, verdict.value, error)
                ways.append(
                    _Way(
                        inside,
                        leaf,
                        taken(flow.odds, later.odds),
                        inside if later.masqueraded and verdict is Verdict.PASS else EMPTY,
                        flow.asked + later.asked,
                        flow.unsure + later.unsure,
                        flow.lists + later.lists,
                        stuck,
                    )
                )
        for inside in gone:
            plain = subtract(plain, inside)
        if plain:
            ways.append(_Way(plain, fate, flow.odds, rewritten, flow.asked, flow.unsure, flow.lists, False))


def _ended(flow: Flow, verdict: Verdict, error: str, stuck: bool) -> _Way:
    leaf = (0, 0, verdict.value, error)
    return _Way(flow.sources, leaf, flow.odds, EMPTY, flow.asked, flow.unsure, flow.lists, stuck)


def _found(ways: Sequence[_Way], asked_for: Intervals) -> Found:
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


def _fates(ways: Sequence[_Way], asked_for: Intervals) -> Fates:
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


def _fates_of(ways: Sequence[_Way], sources: Intervals) -> Iterator[Fate]:
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


def _fate(ways: Sequence[_Way], sources: Intervals) -> Fate:
    """The distribution of fresh clients over the ways, and the memories that count."""
    fresh: list[_Way] = []
    known: dict[str, list[_Way]] = {}  # ways of a client that one memory alone knows
    for way in ways:
        positive = [name for name, hit in way.asked if hit] if way.asked else ()
        if not positive:
            fresh.append(way)
        elif len(positive) == 1:
            known.setdefault(positive[0], []).append(way)
    leaves = _leaves(fresh, sources)
    return Fate(sources, leaves, _memories(known, fresh, leaves, sources) if known else ())


def _leaves(ways: Sequence[_Way], sources: Intervals) -> tuple[LeafFate, ...]:
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
    known: dict[str, list[_Way]],
    fresh: Sequence[_Way],
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
