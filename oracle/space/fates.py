"""What the rules do with all packets of a cell, in the form the contract is told in.

Puts together the two halves of the walk: up to destination nat, and from there on at
whatever destination the packet has by then. The result is `model.fate.Fates`, one for
each way to settle the conditions that could not be judged.
"""

from collections.abc import Sequence

import attrs

from model.fate import Fate
from model.intervals import EMPTY, Intervals, intersect, subtract, union
from model.odds import taken
from model.outcome import Verdict
from oracle.hooks import Stop
from oracle.space.cells import Region
from oracle.space.ends import OWN, Cell, End, Group
from oracle.space.flow import Flow
from oracle.space.group_fates import GroupFates, spelled_out
from oracle.space.walk import Walker
from oracle.space.ways import Found, Way, ended, found_of


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
        ways: list[Way] = []
        for one in rest:
            self._end(ways, cell, one, from_wire, in_interface)
        for flow in flows:
            self._onward(
                ways, flow, cell.destination, cell.protocol, cell.port, None, from_wire, in_interface
            )
        if done and any(intersect(way.sources, covered) for way in ways):
            # A group shares sources with other ways: only all of them together say what happens.
            ways = []
            for end in ends:
                for one in spelled_out(end) if isinstance(end, Group) else (end,):
                    self._end(ways, cell, one, from_wire, in_interface)
            for flow in flows:
                self._onward(
                    ways, flow, cell.destination, cell.protocol, cell.port, None, from_wire, in_interface
                )
            return found_of(ways, asked_for)
        found = found_of(ways, asked_for)
        worlds = tuple(tuple(sorted((*done, *world))) for world in found.worlds)
        return attrs.evolve(found, worlds=worlds)

    def _end(self, ways: list[Way], cell: Cell, end: End, from_wire: bool, in_interface: str | None) -> None:
        if end.verdict is not Verdict.DNAT:
            ways.append(ended(end.flow, end.verdict, end.reject_with, end.stuck))
            return
        address = cell.destination if end.address is None else end.address
        if address == OWN:
            address = self._walker.own_address(from_wire)
        port = cell.port if end.port is None else end.port
        self._onward(ways, end.flow, address, cell.protocol, port, end.turn, from_wire, in_interface)

    def _onward(
        self,
        ways: list[Way],
        flow: Flow,
        address: int,
        protocol: int,
        port: int,
        after: Stop | None,
        from_wire: bool,
        in_interface: str | None,
    ) -> None:
        """Adds what becomes of a flow behind the chain that translated it, None where none did."""
        fate = (0, 0, Verdict.PASS.value, "") if after is None else (address, port, Verdict.DNAT.value, "")
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
                after=after,
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
                    Way(
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
            ways.append(Way(plain, fate, flow.odds, rewritten, flow.asked, flow.unsure, flow.lists, False))
