"""The packets that an implementation is asked about: every frontend that is or was, from each kind of source.

Simplest first, so that the first that is answered wrongly is easy to read.
"""

from collections.abc import Iterable, Iterator

import attrs

from model.addresses import Family, parse_address
from model.intervals import contains
from model.node_config import NodeConfig
from model.objects import Cluster, Service
from model.packet import PROTOCOL_NUMBERS, TCP, UDP, Origin, Packet
from oracle.judge.moves import pod_address
from oracle.judge.setting import JUDGED

OUTSIDE = {"IPv4": ("198.51.100.7", "203.0.113.7"), "IPv6": ("2001:db8:c::7", "2001:db8:d::7")}
"""Two clients, of which loadBalancerSourceRanges admit the first."""

_CLIENT_POD = 98  # a pod of the judged node that is no endpoint
Frontend = tuple[Family, int, int, int]
"""Family, address, protocol, port."""


@attrs.frozen
class _Source:
    address: int
    origin: Origin
    in_interface: str | None


def frontends(cluster: Cluster, config: NodeConfig) -> frozenset[Frontend]:
    """Every address and port at which a Service might answer on the node, wherever its proxy serves it."""
    return frozenset(one for service in cluster.services for one in _frontends(service, config))


def probes(cluster: Cluster, config: NodeConfig, places: Iterable[Frontend]) -> Iterator[Packet]:
    """Packets to the places and beside them; `cluster` tells the endpoints that may ask too."""
    ordered = sorted(places, key=lambda one: (one[0].value, *one[1:]))
    sources = {family: tuple(_sources(cluster, config, family)) for family in Family}

    def asking(family: Family, address: int) -> tuple[_Source, ...]:
        # To loopback only the node itself can send: routing drops all else before any rule.
        if contains(family.loopback, address):
            return (_Source(address, Origin.NODE, None),)
        return sources[family]

    for family, address, protocol, port in ordered:
        for source in asking(family, address):
            yield _packet(family, source, address, protocol, port)
    for family, address, protocol, port in ordered:
        first = asking(family, address)[0]
        yield _packet(family, first, address, protocol, port + 1)
        yield _packet(family, first, address, UDP if protocol == TCP else TCP, port)


def _frontends(service: Service, config: NodeConfig) -> Iterator[Frontend]:
    texts = [*service.cluster_ips, *service.external_ips, *(one.ip for one in service.ingress)]
    for port in service.ports:
        protocol = PROTOCOL_NUMBERS[port.protocol.lower()]
        for family, address in map(parse_address, filter(_is_address, texts)):
            yield family, address, protocol, port.port
            if port.node_port:
                yield family, address, protocol, port.node_port
        if port.node_port:
            for own in config.addresses:
                yield own.family, own.address, protocol, port.node_port


def _is_address(text: str) -> bool:
    return text not in ("", "None")


def _sources(cluster: Cluster, config: NodeConfig, family: Family) -> Iterator[_Source]:
    inside, outside = (parse_address(text)[1] for text in OUTSIDE[family.value])
    yield _Source(inside, Origin.WIRE, "eth0")
    yield _Source(parse_address(pod_address(JUDGED, _CLIENT_POD, family.value))[1], Origin.WIRE, "cni0")
    own = config.primary_address(family)
    if own is not None:
        yield _Source(own, Origin.NODE, None)
    yield _Source(outside, Origin.WIRE, "eth0")
    local = {one.address for one in config.addresses}
    found = {
        (parse_address(text)[1], endpoint.node_name)
        for piece in cluster.slices
        if piece.address_type == family.value
        for endpoint in piece.endpoints
        for text in endpoint.addresses
    }
    for address, node in sorted(found, key=lambda one: one[0]):
        if address not in local:
            yield _Source(address, Origin.WIRE, "cni0" if node == config.name else "eth0")


def _packet(family: Family, source: _Source, address: int, protocol: int, port: int) -> Packet:
    return Packet(family, source.origin, source.address, address, protocol, port, source.in_interface)
