"""Every class of packets that two sides treat differently: exact over all packets of a family.

Both sides' rules and both sides' contracts are registered before the packet space is cut,
so within a cell nothing on either side tells packets apart but their source; then each side
is walked for all sources at once and the two are compared.
"""

from collections.abc import Callable, Iterator

import attrs

from model.addresses import Family
from model.intervals import EMPTY, Intervals, contains, intersect, normalise, single, subtract
from model.ipvs.beside import may_be_dropped, may_be_masqueraded
from model.node_config import DetectLocalMode, NodeConfig
from model.outcome import Outcome
from model.packet import ICMP, Origin, Packet
from oracle.difference.answers import (
    Answer,
    ContractAnswers,
    RulesAnswers,
    apart_in,
    pairs,
    regions_of,
)
from oracle.difference.side import FamilySide
from oracle.hooks import subnet
from oracle.space.cells import Region, regions, register_model
from oracle.space.entries import Entry, entries
from oracle.space.fates import FatesOfCells
from oracle.space.mentions import Mentions
from oracle.space.places import Places
from oracle.space.programs import Programs
from oracle.space.typical import typical, typical_source
from oracle.space.walk import Walker


@attrs.frozen(eq=False)
class PacketClass:
    """Packets that differ alike: all from `sources` to a region by one way in.

    `packet` is one of them; `before` and `after` are what may become of it on either side,
    several outcomes where a contract leaves a choice.
    """

    packet: Packet
    region: Region
    entry: Entry
    sources: Intervals
    before: tuple[Outcome, ...]
    after: tuple[Outcome, ...]


@attrs.frozen
class Open:
    """A cell in which lines that cannot be judged decide whether the sides differ.

    `unsure` are those lines as (side, file, line), the side 0 for A and 1 for B.
    """

    region: Region
    unsure: tuple[tuple[int, str, int], ...]


@attrs.define
class Count:
    """How much was compared."""

    cells: int = 0
    covered: int = 0  # (destination, protocol, port) triples, to be all there are


class Pair:
    """Two sides of one family, in one partition of the packet space."""

    def __init__(self, first: FamilySide, second: FamilySide) -> None:
        self.sides = (first, second)
        self.view = first.view
        family = self.view.family
        self._places = Places(family)
        programs = [self._register(side) for side in self.sides]
        patterns = {name for those in programs for one in those for name in one.interfaces}
        patterns |= {name for side in self.sides for name in detector_patterns(side.view.config)}
        self.entries = tuple(entries(self.view, patterns))
        self._mentions = tuple(
            Mentions(self._places, those, side.view) for those, side in zip(programs, self.sides, strict=True)
        )
        self.answers = tuple(self._answers(*each) for each in zip(self.sides, programs, strict=True))

    def _register(self, side: FamilySide) -> tuple[Programs, ...]:
        """The side's rules, made ready; what they and its model say of destinations is registered."""
        view, places = side.view, self._places
        programs = tuple(Programs(one, places, view.local_addresses) for one in side.rulesets or ())
        register_model(places, view)
        places.register(view.service_ranges)
        if any(one.out_interfaces for one in programs):
            for address in view.config.addresses:
                if address.family is view.family:
                    places.register(subnet(address))
        return programs

    def _answers(self, side: FamilySide, programs: tuple[Programs, ...]) -> ContractAnswers | RulesAnswers:
        view = side.view
        if side.rulesets is None:
            return ContractAnswers(view)
        walker = Walker(programs, self._places, view.config, view.family, view.local_addresses)
        return RulesAnswers(FatesOfCells(walker, view.family.everything, view.local_addresses))

    def sources(self, origin: Origin) -> Intervals:
        """The sources that packets of this origin have on both sides."""
        if origin is Origin.WIRE:
            return self.view.family.everything
        return intersect(*(side.view.local_addresses for side in self.sides))

    def differing(
        self, count: Count, progress: Callable[[int], None] | None = None
    ) -> Iterator[PacketClass | Open]:
        """Every class of packets with another fate, and every cell that is left open."""
        alike: set[object] = set()
        mentions, others = self._mentions
        told = 0
        for region in regions(self._places, mentions, self.view, (others, self.sides[1].view)):
            count.covered += region.size
            count.cells += len(self.entries)
            if progress is not None and count.cells - told > 4096:
                told = count.cells
                progress(told)
            key: object = None
            if not region.met:
                # Nobody speaks of these packets, so cells alike in this are alike in all.
                key = tuple(one.key(region.cell, self.entries) for one in self.answers)
                if key in alike:
                    continue
            found = [item for entry in self.entries for item in self._compared(region, entry)]
            yield from found
            if key is not None and not found:
                alike.add(key)

    def _compared(self, region: Region, entry: Entry) -> Iterator[PacketClass | Open]:
        first, second = (one.answer(region, entry) for one in self.answers)
        if len(first.worlds) == 1 and first.worlds == second.worlds and not (first.stuck or second.stuck):
            return
        asked = self.sources(entry.origin)
        if first.stuck or second.stuck:
            yield Open(region, _lines(first, second))
            return
        if first.worlds == second.worlds and self._texts(0, first) == self._texts(1, second):
            return  # whatever the lines are worth, they are the same lines with the same consequence
        ways = [apart_in(one, other, asked) for one, other in pairs(first, second)]
        surely = ways[0]
        for way in ways[1:]:
            surely = intersect(surely, way)
        if any(way != surely for way in ways):
            yield Open(region, _lines(first, second))
        if surely:
            yield from self._classes(region, entry, surely, first, second)

    def _texts(self, number: int, answer: Answer) -> tuple[str, ...]:
        """The lines that an answer hangs on, by what they say."""
        wanted = set(answer.unsure)
        return tuple(
            sorted(
                rule.text
                for one in self.sides[number].rulesets or ()
                if wanted and any(file == one.file for file, _ in wanted)
                for table in one.tables.values()
                for chain in table.values()
                for rule in chain.rules
                if (one.file, rule.line) in wanted
            )
        )

    def _classes(
        self, region: Region, entry: Entry, differing: Intervals, first: Answer, second: Answer
    ) -> Iterator[PacketClass]:
        """The differing sources, apart where either side or either contract tells them apart."""
        parts = [differing]
        cuts = [*regions_of((first.worlds[0], second.worlds[0])), *self._told_apart(region, entry.origin)]
        for cut in cuts:
            parts = [
                piece for part in parts for piece in (intersect(part, cut), subtract(part, cut)) if piece
            ]
        for half in _icmp_apart(_familiar(region, self.view.family), self.sides):
            for sources in parts:
                packet = Packet(
                    self.view.family,
                    entry.origin,
                    typical_source(self.view, sources, entry.origin),
                    half.cell.destination,
                    half.cell.protocol,
                    half.cell.port,
                    entry.in_interface,
                )
                source = packet.source
                yield PacketClass(
                    packet, half, entry, sources, first.outcomes(source), second.outcomes(source)
                )

    def _told_apart(self, region: Region, origin: Origin) -> list[Intervals]:
        """The regions of sources that rows of the contracts may ask for at this place."""
        cell = region.cell
        out: list[Intervals] = [self.view.family.loopback]
        for side in self.sides:
            view = side.view
            place = (cell.destination, cell.protocol, cell.port)
            owners = view.owners(*place)
            out += [may(view, *place, origin) for may in (may_be_masqueraded, may_be_dropped)]
            if not owners:
                continue
            out += [view.local_addresses, view.pod_sources or EMPTY]
            for one, _ in owners:
                out.append(one.allowed_sources or EMPTY)
                endpoints = {e for chosen in one.endpoint_choices for e in chosen}
                out.append(normalise((e.address, e.address) for e in endpoints if e.local))
                out.append(normalise((e.address, e.address) for e in endpoints if not e.local))
        return [cut for cut in dict.fromkeys(out) if cut]


def _lines(first: Answer, second: Answer) -> tuple[tuple[int, str, int], ...]:
    return tuple((at, *line) for at, answer in enumerate((first, second)) for line in answer.unsure)


def _familiar(region: Region, family: Family) -> Region:
    """The region with ping standing for it as its family has it."""
    is_icmp = (
        family is Family.IPV6 and region.cell.protocol == ICMP[0] and contains(region.protocols, ICMP[1])
    )
    return region._replace(cell=region.cell._replace(protocol=ICMP[1])) if is_icmp else region


def _icmp_apart(region: Region, sides: tuple[FamilySide, FamilySide]) -> list[Region]:
    """A region at a cluster IP in two where it holds ICMP among other protocols (MODE-05, MODE-07)."""
    cell = region.cell
    if cell.protocol not in ICMP or not any(cell.destination in side.view.cluster_ips for side in sides):
        return [region]
    icmp = intersect(region.protocols, single(cell.protocol))
    others = subtract(region.protocols, icmp)
    if not others:
        return [region]
    protocol = typical(others, (6, 17, 132))
    port = typical(region.ports, (4321,)) if protocol in (6, 17, 132) else 0
    rest = cell._replace(protocol=protocol, port=port)
    return [region._replace(protocols=icmp), region._replace(cell=rest, protocols=others)]


def detector_patterns(config: NodeConfig) -> set[str]:
    """The interfaces that the local detector tells apart, as rules would write them."""
    match config.detect_local:
        case DetectLocalMode.BRIDGE_INTERFACE:
            return {config.bridge_interface}
        case DetectLocalMode.INTERFACE_NAME_PREFIX:
            return {config.interface_name_prefix + "+"}
    return set()
