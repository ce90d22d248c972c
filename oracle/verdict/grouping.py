"""Equal causes once: many differences become the few that a reader needs.

One finding a service port and kind, with the number of frontends that share it; what is no
Service's is one finding for each kind, guilty lines and rule. Where
more service ports differ than a person would read, and they are most of the node's, the
cause is the dump as a whole (frozen, or of another moment), and that is one finding;
otherwise service ports with the same kind of difference are told together.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

import attrs

from model.intervals import contains
from model.objects import ServicePortName
from oracle.findings import Difference, Kind

MANY = 10  # service ports that differ, beyond which they are told together


def grouped(
    differences: Sequence[Difference],
    service_ports: int,
    unreplayed: Mapping[ServicePortName, int] | None = None,
) -> list[Difference]:
    """The differences to report, of a node that has so many service ports in the family.

    `unreplayed` are further service ports that differ, with their number of frontends.
    """
    further = unreplayed or {}
    by_port: dict[tuple[object, ...], Difference] = {}
    frontends: dict[tuple[object, ...], set[tuple[str, str]]] = {}
    for one in differences:
        owner: object = one.service_port if one.service_port is not None else (one.lines, one.cites)
        key = (owner, one.kind)
        known = by_port.get(key)
        if known is None or _strangeness(one) < _strangeness(known):
            by_port[key] = one
        frontends.setdefault(key, set()).add((one.frontend, one.protocol))
    listed = [attrs.evolve(one, frontends=len(frontends[key])) for key, one in by_port.items()]
    touched = {one.service_port for one in listed if one.service_port is not None} | set(further)
    if len(touched) <= MANY:
        return listed
    if 2 * len(touched) >= service_ports:
        return _whole_dump(listed, further, len(touched), service_ports)
    out: list[Difference] = []
    by_kind: dict[Kind, list[Difference]] = {}
    for one in listed:
        by_kind.setdefault(one.kind, []).append(one)
    for alike in sorted(by_kind.values(), key=len, reverse=True):
        if further or len(alike) > MANY:
            out.append(_together(alike, further))
            further = {}  # told once, with the commonest kind
        else:
            out += alike
    return out


def _strangeness(one: Difference) -> int:
    """How far a packet is from one that a reader would try: loopback is seldom that."""
    loopback = one.packet.family.loopback
    return 2 * contains(loopback, one.packet.destination) + contains(loopback, one.packet.source)


def _together(alike: Sequence[Difference], further: Mapping[ServicePortName, int]) -> Difference:
    first = alike[0]
    names = {one.service_port for one in alike if one.service_port is not None} | set(further)
    names.discard(first.service_port)
    return attrs.evolve(
        first,
        frontends=sum(one.frontends for one in alike) + sum(further.values()),
        also=tuple(sorted(names)),
        explanation=f"{first.explanation}; the same at {len(names)} other service ports",
    )


def _whole_dump(
    listed: Sequence[Difference],
    further: Mapping[ServicePortName, int],
    touched: int,
    service_ports: int,
) -> list[Difference]:
    commonest = Counter(one.kind for one in listed).most_common(1)[0][0]
    first = next(one for one in listed if one.kind is commonest)
    whole = _together([first, *(one for one in listed if one is not first)], further)
    explanation = (
        f"{touched} service ports differ, of {service_ports} that there should be, so one cause is likely: a"
        f" proxy that stopped,"
        f" rules of another moment, or a rule or policy that all packets meet; here {first.explanation}"
    )
    return [attrs.evolve(whole, explanation=explanation)]
