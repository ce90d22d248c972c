"""Equal causes once: many differences become the few that a reader needs.

One finding a service port and kind, with the number of frontends that share it. Where
more service ports differ than a person would read, and they are most of the node's, the
cause is the dump as a whole (frozen, or of another moment), and that is one finding;
otherwise service ports with the same kind of difference are told together.
"""

from collections import Counter
from collections.abc import Sequence

import attrs

from model.intervals import contains
from oracle.findings import Difference, Kind

MANY = 10  # service ports that differ, beyond which they are told together


def grouped(differences: Sequence[Difference], service_ports: int) -> list[Difference]:
    """The differences to report, of a node that has so many service ports in the family."""
    by_port: dict[tuple[object, ...], Difference] = {}
    frontends: dict[tuple[object, ...], set[tuple[str, str]]] = {}
    for one in differences:
        owner: object = one.service_port if one.service_port is not None else (one.frontend, one.protocol)
        key = (owner, one.kind)
        known = by_port.get(key)
        if known is None or _strangeness(one) < _strangeness(known):
            by_port[key] = one
        frontends.setdefault(key, set()).add((one.frontend, one.protocol))
    listed = [attrs.evolve(one, frontends=len(frontends[key])) for key, one in by_port.items()]
    touched = {one.service_port for one in listed if one.service_port is not None}
    if len(touched) <= MANY:
        return listed
    if 2 * len(touched) >= service_ports:
        return _whole_dump(listed, len(touched), service_ports)
    out: list[Difference] = []
    by_kind: dict[Kind, list[Difference]] = {}
    for one in listed:
        by_kind.setdefault(one.kind, []).append(one)
    for alike in by_kind.values():
        out += [_together(alike)] if len(alike) > MANY else alike
    return out


def _strangeness(one: Difference) -> int:
    """How far a packet is from one that a reader would try: loopback is seldom that."""
    loopback = one.packet.family.loopback
    return 2 * contains(loopback, one.packet.destination) + contains(loopback, one.packet.source)


def _together(alike: Sequence[Difference]) -> Difference:
    first = alike[0]
    names = sorted({one.service_port for one in alike if one.service_port not in (None, first.service_port)})
    return attrs.evolve(
        first,
        frontends=sum(one.frontends for one in alike),
        also=tuple(name for name in names if name is not None),
        explanation=f"{first.explanation}; the same at {len(names)} other service ports",
    )


def _whole_dump(listed: Sequence[Difference], touched: int, service_ports: int) -> list[Difference]:
    commonest = Counter(one.kind for one in listed).most_common(1)[0][0]
    first = next(one for one in listed if one.kind is commonest)
    whole = _together([first, *(one for one in listed if one is not first)])
    explanation = (
        f"{touched} of {service_ports} service ports differ: these rules are not of this state of the"
        f" cluster (a proxy that stopped, rules of another moment, or a missing entry); for example: "
        f"{first.explanation}"
    )
    return [attrs.evolve(whole, explanation=explanation)]
