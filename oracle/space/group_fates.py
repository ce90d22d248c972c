"""The fate of packets that a ladder distributes, all rungs at once.

The same answer as walking each rung and putting the ways together (`spelled_out`), had
without it: behind a ladder only mark and source of a packet decide whether its source is
rewritten, and an endpoint chain changes the mark for few sources. A test holds both equal.
"""

from collections.abc import Iterator

from model.fate import Fate, LeafFate, Memory
from model.intervals import (
    EMPTY,
    Intervals,
    contains,
    intersect,
    subtract,
    union,
    with_member,
    without_member,
)
from model.outcome import Verdict
from oracle.hooks import Stop
from oracle.ruleset import SetMark
from oracle.space.ends import Cell, Destination, End, Group
from oracle.space.flow import Pieces, marked
from oracle.space.ladder import Endpoint
from oracle.space.walk import Walker

_DNAT = Verdict.DNAT.value

Way = tuple[int, bool, str | None, Stop]  # protocol, from the wire, interface, what translated


def spelled_out(group: Group) -> Iterator[End]:
    """The ends that walking the ladder rule by rule comes to."""
    missed: list[tuple[str, bool]] = []
    for endpoint, odds, asked in group.ladder.rungs:
        flow = group.flow
        for sources, mark in endpoint.marks:
            flow = marked(flow, sources, mark)
        hit = ((asked, True),) if asked else ()
        lists = (endpoint.remember,) if endpoint.remember else ()
        flow = flow._replace(odds=odds, asked=(*missed, *hit), lists=lists)
        yield End(flow, Verdict.DNAT, endpoint.address, endpoint.port, turn=group.turn)
        if asked:
            missed.append((asked, False))


class _Kind:
    """What becomes of a flow at one kind of target: `base` is the sources masqueraded.

    `turned` tells for a mark which parts of the flow it turns around: those whose packets
    are masqueraded with it and not without, or the other way round. None: unforeseeable.
    """

    __slots__ = ("base", "turned")

    def __init__(self, base: Intervals) -> None:
        self.base = base
        self.turned: dict[int, tuple[tuple[Intervals, bool], ...] | None] = {}


class GroupFates:
    """Works out groups; what later hooks make of a mark is asked once a kind of target."""

    def __init__(self, walker: Walker) -> None:
        self._walker = walker
        self._rewrites: dict[tuple[object, ...], Intervals | None] = {}

    def fate(
        self, group: Group, cell: Cell, from_wire: bool, in_interface: str | None, asked_for: Intervals
    ) -> Fate | None:
        """The fate of the group's packets from the sources asked for.

        None when something else than the mark decides behind the ladder.
        """
        flow, ladder, turn = group
        inside = intersect(flow.sources, asked_for)
        if not inside:
            return Fate(EMPTY, ())
        way = (cell.protocol, from_wire, in_interface, turn)
        kinds: dict[tuple[int, int], _Kind | None] = {}
        leaves: list[LeafFate] = []
        memories: list[Memory] = []
        new = tuple.__new__
        destination_of = self._walker.destination
        for endpoint, odds, asked in ladder.rungs:
            address, port, marks, hairpin, _, _ = endpoint
            destination = destination_of(address)
            key = (id(destination), port)
            if key in kinds:
                kind = kinds[key]
            else:
                kind = kinds[key] = self._kind(flow.pieces, destination, port, way, inside)
            if kind is None:
                return None
            if not marks:
                rewritten = kind.base
            elif hairpin >= 0:
                mark = marks[0][1]
                turned = kind.turned.get(id(mark), ())
                if not turned and id(mark) not in kind.turned:
                    turned = kind.turned[id(mark)] = self._turned(flow.pieces, mark, destination, port, way)
                if turned is None:
                    return None
                rewritten = kind.base
                for part, masqueraded in turned:
                    if contains(part, hairpin) and contains(inside, hairpin):
                        change = with_member if masqueraded else without_member
                        rewritten = change(rewritten, hairpin)
            else:
                spelled = flow
                for sources, mark in marks:
                    spelled = marked(spelled, sources, mark)
                other = self._kind(spelled.pieces, destination, port, way, inside)
                if other is None:
                    return None
                rewritten = other.base
            if asked:
                name, _, seconds = asked.rpartition("/")
                if not _keeps(group, name, endpoint):
                    return None
                memories.append(Memory(address, port, int(seconds), rewritten))
            else:
                leaves.append(new(LeafFate, (address, port, _DNAT, odds, rewritten, "")))
        leaves.sort()
        before = None
        for leaf in leaves:
            if before is not None and leaf[0] == before[0] and leaf[1] == before[1]:
                return None  # one target on two rungs
            before = leaf
        return Fate(inside, tuple(leaves), tuple(memories))

    def _turned(
        self,
        pieces: Pieces,
        mark: SetMark,
        destination: Destination,
        port: int,
        way: Way,
    ) -> tuple[tuple[Intervals, bool], ...] | None:
        """The parts of the flow that the mark turns around, with what they are then."""
        out: list[tuple[Intervals, bool]] = []
        for part, before in pieces:
            after = (before & ~mark.clear) ^ mark.flip
            if after != before:
                was = self._rewrite(before, destination, port, way)
                becomes = self._rewrite(after, destination, port, way)
                if was is None or becomes is None:
                    return None
                for region, masqueraded in ((subtract(becomes, was), True), (subtract(was, becomes), False)):
                    if turned := intersect(part, region):
                        out.append((turned, masqueraded))
        return tuple(out)

    def _kind(
        self,
        pieces: Pieces,
        destination: Destination,
        port: int,
        way: Way,
        inside: Intervals,
    ) -> _Kind | None:
        """What marks alone make of the flow; None when more than the mark decides."""
        out: Intervals = EMPTY
        for part, mark in pieces:
            rewrites = self._rewrite(mark, destination, port, way)
            if rewrites is None:
                return None
            if rewrites:
                out = union(out, intersect(intersect(part, rewrites), inside))
        return _Kind(out)

    def _rewrite(self, mark: int, destination: Destination, port: int, way: Way) -> Intervals | None:
        """The sources whose packets with a mark are masqueraded; None when more than that happens."""
        protocol, from_wire, in_interface, turn = way
        key = (mark, id(destination), port, protocol, from_wire, in_interface, id(turn))
        if key in self._rewrites:
            return self._rewrites[key]
        rows = self._walker.later(
            destination,
            protocol,
            port,
            mark,
            after=turn,
            untracked=False,
            from_wire=from_wire,
            in_interface=in_interface,
        )
        out: Intervals | None = EMPTY
        for flow, verdict, _, stuck in rows:
            settled = verdict is Verdict.PASS and not stuck and flow.odds == 1
            if not settled or flow.asked or flow.unsure or flow.lists:
                out = None
                break
            if flow.masqueraded:
                out = union(out or EMPTY, flow.sources)
        self._rewrites[key] = out
        return out


def _keeps(group: Group, name: str, endpoint: Endpoint) -> bool:
    """Whether new clients of the endpoint, and no others, enter the memory that leads to it."""
    entered = {
        (rung.endpoint.address, rung.endpoint.port)
        for rung in group.ladder.rungs
        if not rung.asked and rung.endpoint.remember == name
    }
    return endpoint.remember == name and entered == {(endpoint.address, endpoint.port)}
