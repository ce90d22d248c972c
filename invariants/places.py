"""Whose frontend a packet is for, and which endpoints may answer there, by definition.

Worked out from the service ports one by one, beside the indexes and tables of the model, so
that a claim does not believe what it is meant to check.
"""

from collections.abc import Iterator
from typing import NamedTuple

from model.frontends import FrontendKind, NodeView, Owner, ServicePortView
from model.intervals import contains
from model.node_config import ProxyMode
from model.objects import TrafficPolicy
from model.outcome import Outcome, Target
from model.packet import Origin, Packet
from model.proxy_endpoints import ProxyEndpoint


class Ownership(NamedTuple):
    """One right way to see a packet: the owner of its frontend and the endpoints it has.

    There are several only where Services clash (FWD-OBJ-08) or slices tie (EPS-SL-08).
    """

    service_port: ServicePortView
    kind: FrontendKind
    endpoints: dict[Target, ProxyEndpoint]


def owners(view: NodeView, packet: Packet) -> list[Owner]:
    """The service ports that the packet's place is a frontend of, empty for none.

    Exact address, protocol and port (FWD-OBJ-03, FWD-OBJ-05); addresses come before node
    ports, which may answer only where an address has nothing usable to answer with (FWD-OBJ-07).
    Node ports are frontends on node port addresses only (NP-01..03).
    """
    same_protocol = [one for one in view.service_ports if one.protocol == packet.protocol]
    by_address = [
        (one, kind)
        for one in same_protocol
        for kind, address in one.addresses
        if (address, one.port) == (packet.destination, packet.port)
    ]
    answered = bool(by_address) and all(_always_has_usable(one) for one, _ in by_address)
    if answered or not contains(view.node_port_addresses, packet.destination):
        return by_address
    by_number = [(one, FrontendKind.NP) for one in same_protocol if one.node_port == packet.port != 0]
    return [*by_address, *by_number]


def _always_has_usable(one: ServicePortView) -> bool:
    """Whether some endpoint is usable however slices that tie are read (FWD-EP-04, EPS-SL-08)."""
    return all(any(each.ready or each.still_serving for each in some) for some in one.endpoint_choices)


def ownerships(view: NodeView, packet: Packet) -> Iterator[Ownership]:
    """Every right way to see the packet; nothing when it is for no frontend."""
    for one, kind in owners(view, packet):
        for endpoints in one.endpoint_choices:
            yield Ownership(one, kind, {Target(each.address, each.port): each for each in endpoints})


def targets(outcome: Outcome) -> list[Target]:
    """The endpoints that a client without a memory may be sent to."""
    return [leaf.target for leaf in outcome.leaves if leaf.target is not None]


def is_held_to_node(view: NodeView, packet: Packet, owned: Ownership) -> bool:
    """Whether policy Local binds the packet: always by FWD-ITP-02, from outside by FWD-ETP-04."""
    one = owned.service_port
    if owned.kind is FrontendKind.CIP:
        return one.internal_policy is TrafficPolicy.LOCAL
    if view.pod_sources is not None:
        is_pod = contains(view.pod_sources, packet.source)
    else:
        is_pod = packet.origin is Origin.WIRE and view.is_pod_interface(packet.in_interface)
    is_host = contains(view.local_addresses, packet.source)
    return one.external_policy is TrafficPolicy.LOCAL and not is_pod and not is_host


def escapes_refusal(view: NodeView, packet: Packet, owned: Ownership) -> bool:
    """MODE-10: in iptables mode the node's own packets to a foreign address meet no refusal."""
    return (
        view.config.mode is ProxyMode.IPTABLES
        and owned.kind in (FrontendKind.EXT, FrontendKind.LBV)
        and packet.origin is Origin.NODE
        and not contains(view.local_addresses, packet.destination)
    )
