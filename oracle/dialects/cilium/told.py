"""Differences between Cilium's list and the contract, each with a packet that shows it."""

from collections.abc import Iterable, Iterator

import attrs

from model.addresses import Family
from model.frontends import NodeView, ServicePortView
from model.odds import ONE, share
from model.outcome import Leaf, Outcome, Target, Verdict
from model.packet import PROTOCOL_NAMES, Origin, Packet
from model.proxy_endpoints import endpoint_text
from oracle.dialects.cilium.listing import WILDCARD, Entry, Scope
from oracle.findings import Difference, Kind

_OUTSIDER = {Family.IPV4: 0xCB007102, Family.IPV6: 0x20010DB8 << 96 | 2}  # of documentation's ranges
PASSED = Outcome((Leaf(Verdict.PASS, ONE),))


def outcome(targets: Iterable[Target], otherwise: Verdict) -> Outcome:
    """Equal odds for each backend, or the verdict where there is none."""
    ordered = sorted(targets)
    if not ordered:
        return Outcome((Leaf(otherwise, ONE),))
    return Outcome(tuple(Leaf(Verdict.DNAT, share(len(ordered)), target) for target in ordered))


def difference(
    view: NodeView,
    kind: Kind,
    one: ServicePortView | None,
    entry: Entry,
    protocol: int,
    expected: tuple[Outcome, ...],
    found: Outcome,
    cites: tuple[str, ...],
    explanation: str,
) -> Difference:
    """The difference, with a packet of those that the entry's scope is for."""
    family, primary = view.family, view.config.primary_address(view.family)
    destination = entry.address
    if destination == WILDCARD and primary is not None:
        destination = primary
    is_inside = entry.scope is Scope.INTERNAL or destination in view.cluster_ips
    source = (primary or family.loopback[0][0]) if is_inside else _OUTSIDER[family]
    origin = Origin.NODE if is_inside else Origin.WIRE
    packet = Packet(family, origin, source, destination, protocol, entry.port)
    return Difference(
        kind,
        family,
        one.name if one else None,
        one.port if one else None,
        PROTOCOL_NAMES[protocol].upper(),
        endpoint_text(family, entry.address, entry.port),
        packet,
        expected,
        found,
        (entry.line,) if entry.line.line else (),
        cites,
        explanation,
    )


def grouped(found: Iterable[Difference]) -> Iterator[Difference]:
    """One of those that tell the same of one service port, with the number of frontends."""
    alike: dict[object, list[Difference]] = {}
    for one in found:
        key = one.frontend if one.service_port is None else ""
        alike.setdefault((one.kind, one.service_port, one.explanation, key), []).append(one)
    for group in alike.values():
        lines = tuple(dict.fromkeys(line for one in group for line in one.lines))
        yield attrs.evolve(group[0], lines=lines, frontends=len({one.frontend for one in group}))
