"""Cases to try claims on: drawn packets with their outcomes, and drawn histories of clients."""

from fractions import Fraction
from typing import NamedTuple

import attrs
from hypothesis import strategies as st

from model.addresses import Family
from model.affinity import Client, Connection, Memory, connect
from model.expectation import expect
from model.frontends import NodeView, ServicePortView, node_view
from model.objects import (
    Cluster,
    Endpoint,
    EndpointPort,
    EndpointSlice,
    ObjectName,
    Service,
    ServicePort,
    SessionAffinity,
)
from model.outcome import Outcome
from model.packet import Origin, Packet
from tests.strategies.clusters import clusters
from tests.strategies.packets import packets
from tests.wording import brief


class PacketCase(NamedTuple):
    """A node's view, a packet and what becomes of it; written without the view's indexes."""

    view: NodeView
    packet: Packet
    outcome: Outcome

    def __repr__(self) -> str:
        return f"PacketCase({self.packet}: {brief(self.outcome)} at {_told(self.view)})"


class FlowCase(NamedTuple):
    """A node's view and the new connections of clients there, in their order; written as the packets are."""

    view: NodeView
    history: list[Connection]

    def __repr__(self) -> str:
        return f"FlowCase({brief(tuple(self.history))} at {_told(self.view)})"


def _told(view: NodeView) -> str:
    return f"{brief(view.config)} with {brief(view.service_ports)}"


@st.composite
def packet_cases(draw: st.DrawFn) -> PacketCase:
    """A node's view, a packet, and one of the outcomes that the model allows; Services may clash."""
    cluster, config = draw(clusters(clashes=draw(st.booleans())))
    packet = draw(packets(cluster, config))
    view = node_view(cluster, config, packet.family)
    return PacketCase(view, packet, draw(st.sampled_from(expect(view, packet).allowed)))


@st.composite
def flow_cases(draw: st.DrawFn) -> FlowCase:
    """New connections of a few clients to one service port with affinity, by all of its frontends.

    The memory is the model's; gaps lie on both sides of the timeout. One service with affinity
    and endpoints is always there, beside those drawn.
    """
    cluster, config = draw(clusters())
    cluster = _with_sticky_service(cluster, draw(st.integers(1, 3)))
    sticky = [
        (view, one)
        for view in (node_view(cluster, config, family) for family in Family)
        for one in view.service_ports
        if one.affinity_seconds is not None and any(sets.has for sets in one.choices)
    ]
    view, one = draw(st.sampled_from(sticky))
    timeout = one.affinity_seconds or 0
    sources = _sources(view)
    steps = draw(
        st.lists(
            st.tuples(
                st.sampled_from(sources),
                st.sampled_from(list(frontends(view, one))),
                st.sampled_from((0, 1, timeout // 2, timeout, timeout + 1)),
                st.fractions(0, Fraction(11, 12), max_denominator=12),
            ),
            min_size=2,
            max_size=8,
        )
    )
    memory: Memory = {}
    history: list[Connection] = []
    now = 0
    for source, (destination, port), gap, chance in steps:
        now += gap
        packet = Packet(view.family, Origin.WIRE, source, destination, one.protocol, port, "eth0")
        outcome = expect(view, packet).allowed[0]
        connection, memory = connect(memory, Client(source, one.name), now, outcome, chance)
        history.append(connection)
    return FlowCase(view, history)


def _with_sticky_service(cluster: Cluster, endpoints: int) -> Cluster:
    """The cluster with one more service, of so many ready endpoints, that keeps its clients."""
    name = ObjectName("shop", "always-sticky")
    service = Service(
        name,
        ports=(ServicePort("web", "TCP", 80),),
        cluster_ips=("10.96.255.77",),
        session_affinity=SessionAffinity.CLIENT_IP,
        affinity_seconds=60,
    )
    piece = EndpointSlice(
        ObjectName("shop", "always-sticky-1"),
        name,
        "IPv4",
        tuple(Endpoint((f"10.244.9.{number}",)) for number in range(1, endpoints + 1)),
        (EndpointPort("web", "TCP", 8080),),
    )
    return attrs.evolve(cluster, services=(*cluster.services, service), slices=(*cluster.slices, piece))


def frontends(view: NodeView, one: ServicePortView) -> list[tuple[int, int]]:
    """Address and port of every frontend of a service port on the node."""
    found = [(address, one.port) for _, address in one.addresses]
    if one.node_port:
        found += [(low, one.node_port) for low, _ in view.node_port_addresses]
    return found


def _sources(view: NodeView) -> list[int]:
    """Somebody outside, somebody else, and a pod where the detector knows pods by address."""
    outside = 0xC6336407 if view.family is Family.IPV4 else 0x20010DB8000C << 80 | 7
    pods = [low + 200 for low, _ in view.pod_sources or ()]
    return [outside, outside + 1, *pods]
