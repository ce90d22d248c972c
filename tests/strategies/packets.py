"""Packets aimed at a drawn cluster: at its frontends, just beside them, and at its endpoints."""

from collections.abc import Iterator

from hypothesis import strategies as st

from model.addresses import Family, parse_address, parse_cidr
from model.node_config import NodeConfig
from model.objects import Cluster
from model.packet import PROTOCOL_NUMBERS, SCTP, TCP, UDP, Origin, Packet
from tests.strategies.clusters import TARGETS
from tests.strategies.nodes import node_address
from tests.strategies.weights import evenly


@st.composite
def packets(draw: st.DrawFn, cluster: Cluster, config: NodeConfig) -> Packet:
    """A packet at a frontend, beside one, or at an endpoint, from where the contract draws a line."""
    family = draw(evenly(*Family))
    frontends = [
        *_frontends(cluster, config, family),
        (parse_address(node_address(0, family.value))[1], 22, TCP),
    ]
    destination, port, protocol = draw(st.sampled_from(sorted(set(frontends))))
    near = draw(evenly("", "", "", "port above", "port below", "protocol", "address"))
    if near == "address":
        destination += 1
    elif near == "protocol":
        protocol = draw(evenly(TCP, UDP, SCTP, 1))
    elif near:
        port += 1 if near == "port above" else -1
    origin = draw(evenly(*Origin))
    sources = _sources(cluster, config, family) | {destination}
    interfaces = (None, "eth0", "cbr0", "cali1a2b", "cal")
    return Packet(
        family=family,
        origin=origin,
        source=draw(st.sampled_from(sorted(sources))),
        destination=destination,
        protocol=protocol,
        port=port if protocol in (TCP, UDP, SCTP) else 0,
        in_interface=draw(evenly(*interfaces)) if origin is Origin.WIRE else None,
    )


def _frontends(cluster: Cluster, config: NodeConfig, family: Family) -> Iterator[tuple[int, int, int]]:
    """Address, port and protocol of everything a client may aim at, endpoints included."""
    nodes = [item.address for item in config.addresses if item.family is family]
    nodes.append(parse_address(node_address(1, family.value))[1])
    if family is Family.IPV4:
        nodes.append(parse_address("127.0.0.5")[1])
    for service in cluster.services:
        texts = [*service.cluster_ips, *service.external_ips, *(entry.ip for entry in service.ingress)]
        own = [parse_address(text) for text in texts if text not in ("", "None")]
        for port in service.ports:
            protocol = PROTOCOL_NUMBERS[port.protocol.lower()]
            yield from ((address, port.port, protocol) for of, address in own if of is family)
            if port.node_port:
                yield from ((address, port.node_port, protocol) for address in nodes)
    for address in _endpoint_addresses(cluster, family):
        yield address, TARGETS[80], TCP


def _endpoint_addresses(cluster: Cluster, family: Family) -> set[int]:
    return {
        parse_address(entry.addresses[0])[1]
        for piece in cluster.slices
        if piece.address_type == family.value
        for entry in piece.endpoints
    }


def _sources(cluster: Cluster, config: NodeConfig, family: Family) -> set[int]:
    """Clients inside and outside, endpoints, the node, and both sides of every range's edges."""
    fixed = ("198.51.100.7", "127.0.0.1", "192.0.2.10") if family is Family.IPV4 else ("2001:db8:c::7", "::1")
    found = {
        parse_address(text)[1]
        for text in (*fixed, node_address(0, family.value), node_address(1, family.value))
    }
    found |= _endpoint_addresses(cluster, family)
    ranges = [text for service in cluster.services for text in service.load_balancer_source_ranges]
    for of, span in map(parse_cidr, (*ranges, *config.cluster_cidrs, *config.pod_cidrs)):
        if of is family:
            low, high = span[0]
            found |= {low, high, max(low - 1, 0), min(high + 1, family.top)}
    return found
