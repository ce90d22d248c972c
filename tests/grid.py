"""Packets at every place where a node's treatment of them may change, and from every kind of source.

A grid, not a proof: it stands in for all packets where a test must know by the plain walk
alone whether an edit of the rules changes anything.
"""

from collections.abc import Iterator

from model.addresses import Family
from model.frontends import NodeView
from model.packet import SCTP, TCP, UDP, Origin, Packet

Place = tuple[int, int, int]  # address, protocol, port

_OUTSIDE = {Family.IPV4: 0xCB007102, Family.IPV6: (0x20010DB8 << 96) | 0x99}
_ANYWHERE = {Family.IPV4: 0xC6336401, Family.IPV6: (0x20010DB8 << 96) | 0x5000}


def grid(view: NodeView) -> tuple[Packet, ...]:
    """The packets: each frontend from every source, every other place from a few."""
    found: dict[Packet, None] = {}
    few = list(_few_sources(view))
    every = [*few, *_more_sources(view)]
    frontends = list(_frontends(view))
    for place in frontends:
        found |= dict.fromkeys(_from(view, place, every))
    for place in _neighbours(view, frontends):
        found |= dict.fromkeys(_from(view, place, few))
    return tuple(found)


def _from(view: NodeView, place: Place, sources: list[tuple[Origin, int]]) -> Iterator[Packet]:
    for origin, source in sources:
        yield Packet(view.family, origin, source, *place)


def _frontends(view: NodeView) -> Iterator[Place]:
    """Each address and port of a Service, and node ports on each kind of local address."""
    yield from view.by_address
    for protocol, port in view.by_node_port:
        for address in _own(view):
            yield address, protocol, port


def _own(view: NodeView) -> Iterator[int]:
    """The node's addresses, and one of loopback."""
    yield from (one.address for one in view.config.addresses if one.family is view.family)
    yield view.family.loopback[0][0] | 1


def _neighbours(view: NodeView, frontends: list[Place]) -> Iterator[Place]:
    """One port, protocol or address beside each frontend, endpoints, and places of no Service."""
    for address, protocol, port in frontends:
        yield address, protocol, port + 1
        yield address, UDP if protocol == TCP else TCP, port
        if address not in set(_own(view)):
            yield address + 1, protocol, port
    for address, port in _endpoints(view):
        yield address, TCP, port
    for address in _own(view):
        yield from ((address, TCP, port) for port in (22, *view.health_check_ports))
    anywhere = _ANYWHERE[view.family]
    yield from ((anywhere, TCP, 80), (anywhere, SCTP, 80), (anywhere, 1, 0))


def _endpoints(view: NodeView) -> dict[tuple[int, int], None]:
    return {
        (one.address, one.port): None
        for service_port in view.service_ports
        for endpoints in service_port.endpoint_choices
        for one in endpoints
    }


def _few_sources(view: NodeView) -> Iterator[tuple[Origin, int]]:
    """One from outside, one pod, the node itself, and loopback."""
    yield Origin.WIRE, _OUTSIDE[view.family]
    for low, _ in view.pod_sources or ():
        yield Origin.WIRE, low + 77
    primary = view.config.primary_address(view.family)
    if primary is not None:
        yield Origin.NODE, primary
    yield Origin.NODE, view.family.loopback[0][0] | 1


def _more_sources(view: NodeView) -> Iterator[tuple[Origin, int]]:
    """Endpoints, and both sides of every edge of pod addresses and source ranges."""
    for address, _ in _endpoints(view):
        yield Origin.WIRE, address
    spans = list(view.pod_sources or ())
    for service_port in view.service_ports:
        spans += service_port.allowed_sources or ()
    for low, high in dict.fromkeys(spans):
        yield from ((Origin.WIRE, edge) for edge in (low - 1, low, high, high + 1))
