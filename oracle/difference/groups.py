"""Many classes of packets as the few differences that a reader needs: by Service and by cause.

A difference is replayed as one packet through the plain walk before it is told; of many
alike, which differ in the Service only, those beyond the first few are not.
"""

from collections.abc import Iterable

import attrs

from model.addresses import Family
from model.expectation import expect
from model.frontends import NodeView
from model.intervals import Intervals, contains, union
from model.outcome import Outcome, Verdict
from model.packet import ICMP, TCP, Origin, Packet
from oracle.difference.cause import Cause
from oracle.difference.classes import PacketClass
from oracle.difference.fates import fates
from oracle.difference.side import FamilySide
from oracle.difference.subject import Subject
from oracle.findings import Line, NotJudged
from oracle.plain import Walk, traced
from oracle.verdict.blame import deciding, entries, sent_to, way_in

REPLAYED = 10  # of differences alike but for the Service
_MAX_LINES = 6


@attrs.frozen
class Group:
    """All classes of packets to one kind of frontend of a service port, with one cause.

    `before` and `after` are their fates in words, `outcomes` those of `packet` on A and B.
    `destinations` are the addresses concerned, `frontends` counts places (class of
    addresses, protocols, ports), `classes` those by source and way in. `lines` are the
    deciding lines of A and of B, empty for a contract and where `is_replayed` is False.
    """

    family: Family
    subject: Subject
    before: str
    after: str
    cause: Cause
    packet: Packet
    outcomes: tuple[tuple[Outcome, ...], tuple[Outcome, ...]]
    destinations: Intervals
    frontends: int
    classes: int
    lines: tuple[tuple[Line, ...], tuple[Line, ...]] = ((), ())
    is_replayed: bool = False


class Grouping:
    """Takes explained classes and keeps the groups that they make."""

    def __init__(self, view: NodeView) -> None:
        self._family = view.family
        self._local = view.local_addresses
        self._groups: dict[tuple[object, ...], Group] = {}
        self._places: dict[tuple[object, ...], set[tuple[object, ...]]] = {}

    def take(self, one: PacketClass, subject: Subject, cause: Cause) -> None:
        """Adds a class of packets to the group of its like."""
        before, after = fates(one.before[0], one.after[0], one.packet)
        key = (subject, before, after, cause)
        region = one.region
        place = (region.destinations, region.protocols, region.ports)
        places = self._places.setdefault(key, set())
        places.add(place)
        known = self._groups.get(key)
        if known is None:
            self._groups[key] = Group(
                self._family,
                subject,
                before,
                after,
                cause,
                one.packet,
                (one.before, one.after),
                region.destinations,
                1,
                1,
            )
            return
        known = attrs.evolve(
            known,
            destinations=union(known.destinations, region.destinations),
            frontends=len(places),
            classes=known.classes + 1,
        )
        if strangeness(one.packet, self._local) < strangeness(known.packet, self._local):
            known = attrs.evolve(known, packet=one.packet, outcomes=(one.before, one.after))
        self._groups[key] = known

    @property
    def groups(self) -> list[Group]:
        """The groups: what is unexplained first, then by Service."""

        def order(one: Group) -> tuple[object, ...]:
            named = one.subject.service is None, str(one.subject.service), str(one.subject.port)
            return (one.cause.is_explained, *named, one.subject.kind, one.cause.ids, one.before)

        return sorted(self._groups.values(), key=order)


def strangeness(packet: Packet, local: Intervals) -> tuple[int, bool]:
    """How far a packet is from one that a reader would try first; `local` are the node's addresses."""
    loopback = packet.family.loopback
    is_common = packet.protocol in (*ICMP, TCP)
    if contains(loopback, packet.destination):
        far = 4 + 2 * (packet.origin is Origin.WIRE) + (not contains(loopback, packet.source))
    else:
        at_home = contains(local, packet.source) or packet.origin is Origin.NODE
        far = 2 * contains(loopback, packet.source) + at_home
    return far, not is_common


def alike(one: Group) -> tuple[object, ...]:
    """What groups share that differ in the Service only."""
    return (one.family, one.subject.kind, one.before, one.after, one.cause)


def replayed(
    groups: Iterable[Group], sides: tuple[FamilySide, FamilySide]
) -> tuple[list[Group], list[NotJudged]]:
    """The groups with their packets replayed, and doubts where the plain walk does not confirm one."""
    seen: dict[object, int] = {}
    out: list[Group] = []
    doubts: list[NotJudged] = []
    for one in groups:
        seen[alike(one)] = seen.get(alike(one), 0) + 1
        if seen[alike(one)] > REPLAYED:
            out.append(one)
            continue
        told = [_replay(side, one.packet) for side in sides]
        if set(told[0][0]) == set(told[1][0]) or not all(
            set(outcomes) & set(fresh) for outcomes, (fresh, _) in zip(one.outcomes, told, strict=True)
        ):
            why = f"svcproof's own two readings of the rules disagree about {one.packet}: please report this"
            doubts.append(NotJudged(sides[0].side.label, 0, "", why, matters=True))
            continue
        out.append(attrs.evolve(one, lines=(told[0][1], told[1][1]), is_replayed=True))
    return out, doubts


def _replay(side: FamilySide, packet: Packet) -> tuple[tuple[Outcome, ...], tuple[Line, ...]]:
    """What becomes of a packet on one side by the plain reading, and the lines that decide it."""
    if side.rulesets is None:
        return expect(side.view, packet).allowed, ()
    walk = Walk(side.rulesets, side.view.config, packet)
    outcome = traced(walk).outcome
    ends, met = walk.ends, tuple(walk.met.values())
    if any(end.verdict is Verdict.DNAT for end in ends):
        targets = {leaf.target for leaf in outcome.leaves if leaf.target is not None}
        lines = (*entries(ends), *sent_to(ends, targets))
    elif outcome.verdict is Verdict.PASS:
        lines = way_in(met)
    else:
        lines = deciding(ends, outcome.verdict)
    return (outcome,), tuple(dict.fromkeys(lines))[:_MAX_LINES]
