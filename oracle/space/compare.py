"""The rules against the contract, cell by cell: where some packet is treated otherwise.

Exact over all packets: each cell is asked once from the wire (once for each interface
that a rule tells apart) and once from the node itself, for every source at once. What is
found here is a suspicion with a packet; `oracle.verdict.classify` says what it is, after the
plain walk has confirmed it.
"""

from collections.abc import Callable, Iterator, Sequence

import attrs

from model.expected import Contract
from model.fate import Fate, Fates, LeafFate, settled
from model.frontends import NodeView, Owner
from model.intervals import EMPTY, Intervals, contains, intersect, size, subtract, union
from model.ipvs.beside import may_be_dropped, may_be_masqueraded
from model.odds import ONE
from model.outcome import Verdict
from model.packet import TCP, Origin, Packet
from oracle.hooks import subnet
from oracle.ruleset import Ruleset
from oracle.space.cells import Region, regions, register_model
from oracle.space.ends import Cell
from oracle.space.entries import Entry, entries
from oracle.space.fates import FatesOfCells
from oracle.space.halves import second_half
from oracle.space.mentions import Mentions
from oracle.space.places import Places
from oracle.space.programs import Programs
from oracle.space.typical import typical_source
from oracle.space.walk import Walker

PROGRESS_EVERY = 4096  # cells between two words of progress
SHARE_FROM = 2000  # frontends from which a second process is worth its start


@attrs.frozen
class Suspicion:
    """A packet that the rules seem to treat otherwise than the contract allows."""

    packet: Packet
    region: Region
    owners: tuple[Owner, ...]


@attrs.frozen
class Undecided:
    """A cell whose fate depends on lines that cannot be judged, as (file, line).

    `promised` says whether the contract demands anything of its packets: they are a
    Service's, for the health check port, or held off by the loopback guard.
    """

    promised: bool
    lines: tuple[tuple[str, int], ...]


@attrs.define
class Tally:
    """How much was compared."""

    cells: int = 0
    covered: int = 0  # (destination, protocol, port) triples, to be all there are


@attrs.frozen(eq=False)
class Comparison:
    """The rule sets of one family on one node, ready to be compared with its contract."""

    view: NodeView
    places: Places
    mentions: Mentions
    fates: FatesOfCells
    contract: Contract
    entries: tuple[Entry, ...]


def prepare(view: NodeView, rulesets: Sequence[Ruleset]) -> Comparison:
    """Reads rules and model into one partition of the packet space."""
    places = Places(view.family)
    # In ipvs mode what the node has bound is one thing, and what it should have another (MODE-04).
    local = view.config.local_addresses(view.family)
    places.register(local)
    programs = tuple(Programs(one, places, local) for one in rulesets)
    register_model(places, view)
    if any(one.out_interfaces for one in programs):
        for address in view.config.addresses:
            if address.family is view.family:
                places.register(subnet(address))
    walker = Walker(programs, places, view.config, view.family, local)
    fates = FatesOfCells(walker, view.family.everything, view.local_addresses)
    patterns = {name for one in programs for name in one.interfaces}
    mentions = Mentions(places, programs, view)
    return Comparison(view, places, mentions, fates, Contract(view), tuple(entries(view, patterns)))


def compare(
    comparison: Comparison, tally: Tally, progress: Callable[[int], None] | None = None
) -> Iterator[Suspicion | Undecided]:
    """Every suspicion and every undecided cell, each with a packet or its lines.

    A large node is compared by two processes, each with half of the service ports.
    """
    view = comparison.view
    share = None
    if len(view.by_address) + len(view.by_node_port) >= SHARE_FROM:
        share = second_half(lambda: _suspects(comparison, 1, 2))
    if share is None:
        for region, entry in _differing(comparison, tally, 0, 1, progress):
            yield from _suspicions(comparison, region, entry)
        return
    for region, entry in _differing(comparison, tally, 0, 2, progress):
        yield from _suspicions(comparison, region, entry)
    cells, covered, suspects = share()
    tally.cells += cells
    tally.covered += covered
    for region, at in suspects:
        yield from _suspicions(comparison, region, comparison.entries[at])


def _suspects(comparison: Comparison, part: int, parts: int) -> tuple[int, int, list[tuple[Region, int]]]:
    """(cells, triples covered, suspected cells with the number of their entry) of one part."""
    tally = Tally()
    found = [
        (region, comparison.entries.index(entry))
        for region, entry in _differing(comparison, tally, part, parts, None)
    ]
    return tally.cells, tally.covered, found


def _differing(
    comparison: Comparison,
    tally: Tally,
    part: int,
    parts: int,
    progress: Callable[[int], None] | None,
) -> Iterator[tuple[Region, Entry]]:
    """The cells of one share that are not plainly as the contract says."""
    view, fates, contract = comparison.view, comparison.fates, comparison.contract
    ways_in = comparison.entries
    told = 0
    settled: set[object] = set()
    number = {id(one): at for at, one in enumerate(view.service_ports)}
    for region in regions(comparison.places, comparison.mentions, view):
        if parts > 1:
            # All cells of a service port in one share: what is worked out for it is worked out once.
            place = region.cell
            owners = view.owners(place.destination, place.protocol, place.port)
            if (number[id(owners[0][0])] if owners else place.destination) % parts != part:
                continue
        tally.covered += region.size
        tally.cells += len(ways_in)
        cell = region.cell
        key = None
        if not region.met:
            # No rule and no Service speaks of it, so cells alike in this are alike in all.
            alike = contract.unowned_key(cell.destination, cell.protocol, cell.port)
            key = (fates.unmet_key(cell), alike)
            if key in settled:
                continue
        if progress is not None and tally.cells - told > PROGRESS_EVERY:
            told = tally.cells
            progress(told)
        for entry in ways_in:
            _, allowed = contract.allowed(
                cell.destination,
                cell.protocol,
                cell.port,
                entry.origin,
                from_pod_interface=entry.from_pod_interface,
            )
            found = fates.found(region, entry.origin is Origin.WIRE, entry.in_interface)
            worlds = found.worlds
            if not (len(worlds) == 1 and worlds[0] == allowed[0] and not found.stuck):
                yield region, entry
        if key is not None:
            settled.add(key)


def _suspicions(comparison: Comparison, region: Region, entry: Entry) -> Iterator[Suspicion | Undecided]:
    """What is suspicious or undecided about a cell, for every source."""
    view, cell = comparison.view, region.cell
    owners, allowed = comparison.contract.allowed(
        cell.destination,
        cell.protocol,
        cell.port,
        entry.origin,
        from_pod_interface=entry.from_pod_interface,
    )
    allowed += _also_tolerated(view, cell, entry.origin, is_owned=bool(owners))
    found = comparison.fates.found(region, entry.origin is Origin.WIRE, entry.in_interface)
    if found.stuck:
        everything = comparison.contract.sources(entry.origin)
        yield Undecided(_is_promised(view, region, owners, everything), found.unsure)
        return
    wrong = [unlike(world, allowed) for world in found.worlds]
    if not any(wrong):
        return
    surely = wrong[0]
    for others in wrong[1:]:
        surely = intersect(surely, others)
    if any(others != surely for others in wrong):
        undecided: Intervals = EMPTY
        for others in wrong:
            undecided = union(undecided, subtract(others, surely))
        yield Undecided(_is_promised(view, region, owners, undecided), found.unsure)
    for sources in _kinds_of_source(surely, allowed):
        packet = Packet(
            view.family,
            entry.origin,
            typical_source(view, sources, entry.origin),
            region.cell.destination,
            region.cell.protocol,
            region.cell.port,
            entry.in_interface,
        )
        yield Suspicion(packet, region, owners)


def _also_tolerated(view: NodeView, cell: Cell, origin: Origin, *, is_owned: bool) -> tuple[Fates, ...]:
    """What kube-proxy's own rules do beside their purpose."""
    if is_owned:
        sources = may_be_dropped(view, cell.destination, cell.protocol, cell.port, origin)
        return ((settled(sources, Verdict.DROP),),) if sources else ()
    sources = may_be_masqueraded(view, cell.destination, cell.protocol, cell.port, origin)
    masqueraded = LeafFate(0, 0, Verdict.PASS.value, ONE, sources)
    return ((Fate(sources, (masqueraded,)),),) if sources else ()


def _is_promised(view: NodeView, region: Region, owners: tuple[Owner, ...], sources: Intervals) -> bool:
    cell, loopback = region.cell, view.family.loopback
    from_elsewhere = bool(subtract(sources, loopback))
    guarded = view.guards_loopback and contains(loopback, cell.destination) and from_elsewhere
    at_home = contains(view.local_addresses, cell.destination)
    health = at_home and cell.protocol == TCP and cell.port in view.health_check_ports
    return bool(owners) or guarded or health


def unlike(found: Fates, allowed: Sequence[Fates]) -> Intervals:
    """The sources whose fate is none of those allowed."""
    out: Intervals = EMPTY
    for fate in found:
        left = fate.sources
        for treatment in allowed:
            for expected in treatment:
                both = intersect(left, expected.sources)
                if both:
                    left = subtract(left, subtract(both, _disagreement(fate, expected, both)))
            if not left:
                break
        out = union(out, left)
    return out


def _disagreement(found: Fate, expected: Fate, sources: Intervals) -> Intervals:
    """The sources, of those given, that the two fates treat differently."""
    if len(found.leaves) != len(expected.leaves) or len(found.memories) != len(expected.memories):
        return sources
    out: Intervals = EMPTY
    for one, other in zip(found.leaves, expected.leaves, strict=True):
        if one[:4] != other[:4] or one.reject_with != other.reject_with:
            return sources
        if one.masquerade != other.masquerade:
            out = union(out, _either_not_both(one.masquerade, other.masquerade))
    for mine, theirs in zip(found.memories, expected.memories, strict=True):
        if mine[:3] != theirs[:3]:
            return sources
        if mine.masquerade != theirs.masquerade:
            out = union(out, _either_not_both(mine.masquerade, theirs.masquerade))
    return intersect(out, sources)


def _either_not_both(first: Intervals, second: Intervals) -> Intervals:
    return union(subtract(first, second), subtract(second, first))


def _kinds_of_source(wrong: Intervals, allowed: Sequence[Fates]) -> Iterator[Intervals]:
    """The wrong sources, apart where the contract treats them apart."""
    left = wrong
    for expected in allowed[0]:
        both = intersect(left, expected.sources)
        if not both:
            continue
        left = subtract(left, both)
        rewritten: Intervals = EMPTY
        for leaf in expected.leaves:
            rewritten = union(rewritten, leaf.masquerade) if leaf.masquerade != rewritten else rewritten
            if rewritten == expected.sources:
                break
        parts = (intersect(both, rewritten), subtract(both, rewritten))
        yield from sorted((part for part in parts if part), key=size, reverse=True)
    if left:
        yield left
