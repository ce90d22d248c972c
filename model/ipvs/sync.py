"""How a node gets from the virtual servers it has to those that its proxy wants.

Law: a TCP endpoint that goes keeps its place at weight 0 until its last connection ends;
everything else goes at once (MODE-23, MODE-24). Virtual servers that nobody wants go too,
with what is in flight (MODE-25), unless they are excluded or of the other family (MODE-33).
"""

from collections.abc import Iterable, Mapping

import attrs

from model.addresses import Family, parse_cidr
from model.intervals import contains
from model.ipvs.node_addresses import listed
from model.ipvs.records import (
    Frontend,
    IpvsSettings,
    IpvsState,
    RealServer,
    VirtualServer,
)
from model.packet import TCP

DRAIN_CHECK_PERIOD = 60  # seconds between two looks at what drains

Place = tuple[Frontend, int, int]  # a real server's address and port behind a frontend
Connections = Mapping[Place, int]  # active and inactive ones; left out is none


@attrs.frozen
class Applied:
    """One family's part of the kernel, and what its proxy remembers.

    `draining` are the real servers that the proxy waits for; it forgets them when it restarts.
    """

    family: Family
    virtual_servers: tuple[VirtualServer, ...] = ()
    bound: frozenset[int] = frozenset()
    draining: frozenset[Place] = frozenset()

    def virtual_server(self, frontend: Frontend) -> VirtualServer | None:
        """The one virtual server of a frontend, None where there is none."""
        return next((one for one in self.virtual_servers if one.frontend == frontend), None)


def synced(
    applied: Applied,
    wanted: IpvsState,
    connections: Connections,
    settings: IpvsSettings,
    *,
    first: bool = False,
) -> Applied:
    """The node after a sync; `first` is that of a proxy that has just started.

    `connections` are those of this moment. Virtual servers are written in the order of
    `wanted`, so of several with one frontend the last stays, and the endpoints of those
    before it go as any others do.
    """
    written = {one.frontend: one for one in applied.virtual_servers}
    draining = frozenset[Place]() if first else applied.draining
    for one in wanted.virtual_servers:
        before = written.get(one.frontend)
        written[one.frontend], draining = _written(before, one, draining, connections, first=first)
    frontends = {one.frontend for one in wanted.virtual_servers}
    kept = {
        frontend: one
        for frontend, one in written.items()
        if frontend in frontends or _excluded(frontend.address, applied.family, settings.exclude_cidrs)
    }
    superfluous = (
        listed(applied.bound, applied.family) - wanted.bound
    )  # what it does not list it leaves bound
    return attrs.evolve(
        applied,
        virtual_servers=tuple(sorted(kept.values(), key=lambda one: one.frontend)),
        bound=(applied.bound - superfluous) | wanted.bound,
        draining=frozenset(place for place in draining if place[0] in kept),
    )


def drained(applied: Applied, connections: Connections) -> Applied:
    """The node after the proxy has looked for what has drained, as it does each minute (MODE-23)."""
    done = {place for place in applied.draining if not connections.get(place, 0)}
    return attrs.evolve(
        applied,
        virtual_servers=tuple(_without(one, done) for one in applied.virtual_servers),
        draining=applied.draining - done,
    )


def _without(one: VirtualServer, done: Iterable[Place]) -> VirtualServer:
    gone = {(address, port) for frontend, address, port in done if frontend == one.frontend}
    left = tuple(real for real in one.real_servers if (real.address, real.port) not in gone)
    return attrs.evolve(one, real_servers=left)


def _written(
    before: VirtualServer | None,
    wanted: VirtualServer,
    draining: frozenset[Place],
    connections: Connections,
    *,
    first: bool,
) -> tuple[VirtualServer, frozenset[Place]]:
    """One virtual server after it was written, and what drains from then on."""
    had = {(real.address, real.port): real for real in before.real_servers} if before else {}
    left: dict[tuple[int, int], RealServer] = {}
    for real in wanted.real_servers:
        at = (real.address, real.port)
        place = (wanted.frontend, *at)
        # Weights are looked at when the proxy starts, and of what it drains itself, only.
        renewed = first or place in draining or at not in had
        left[at] = real if renewed else had[at]
        draining -= {place}
    for at, real in had.items():
        place = (wanted.frontend, *at)
        if at in left:
            continue
        if place in draining:
            left[at] = real
        elif wanted.frontend.protocol == TCP and connections.get(place, 0):
            left[at] = attrs.evolve(real, weight=0)
            draining |= {place}
    return attrs.evolve(wanted, real_servers=tuple(sorted(left.values()))), draining


def _excluded(address: int, family: Family, cidrs: Iterable[str]) -> bool:
    """MODE-33: whether virtual servers of this address are somebody else's."""
    parsed = (parse_cidr(text) for text in cidrs)
    return any(of is family and contains(values, address) for of, values in parsed)
