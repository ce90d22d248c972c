"""Drawn packets that are always for a frontend, from sources between which the contract draws a line."""

from collections.abc import Iterator

import attrs
from hypothesis import strategies as st

from model.addresses import Family
from model.expectation import expect
from model.frontends import FrontendKind, NodeView, ServicePortView, node_view
from model.node_config import NodeConfig
from model.objects import (
    Cluster,
    Endpoint,
    EndpointPort,
    EndpointSlice,
    ObjectName,
    Service,
    ServicePort,
)
from model.outcome import Outcome
from model.packet import Packet
from tests.strategies.cases import PacketCase, frontends
from tests.strategies.clusters import clusters
from tests.strategies.packets import packets


@st.composite
def aimed_cases(draw: st.DrawFn) -> PacketCase:
    """A node's view, a packet to some frontend there, and one of its outcomes by the model."""
    cluster, config, packet = draw(questions())
    view = node_view(cluster, config, packet.family)
    return PacketCase(view, packet, draw(st.sampled_from(expect(view, packet).allowed)))


@st.composite
def questions(draw: st.DrawFn) -> tuple[Cluster, NodeConfig, Packet]:
    """A cluster in which nobody's frontends meet, kube-proxy on node-a, and a packet to a frontend.

    Each kind of frontend is as likely, however many there are, but cluster IPs half as likely: they
    are in every cluster.
    One Service more than those drawn has another's cluster IP as its endpoint (EPS-SL-06).
    """
    cluster, config = draw(clusters())
    cluster = _with_chained_service(cluster)
    packet = draw(packets(cluster, config))
    view = node_view(cluster, config, packet.family)
    by_kind: dict[str, list[Packet]] = {}
    for one in view.service_ports:
        for kind, place in [(kind.value, (address, one.port)) for kind, address in one.addresses]:
            by_kind.setdefault(kind, []).append(_at(packet, one, place))
        if one.node_port:
            places = [(low, one.node_port) for low, _ in view.node_port_addresses]
            by_kind.setdefault("NP", []).extend(_at(packet, one, place) for place in places)
    kinds = sorted(kind for kind, some in by_kind.items() if some)
    kind = draw(st.sampled_from([*kinds, *(kind for kind in kinds if kind != FrontendKind.CIP.value)]))
    return cluster, config, draw(st.sampled_from(by_kind[kind]))


def aimed_at(view: NodeView, one: ServicePortView, packet: Packet) -> st.SearchStrategy[Packet]:
    """The packet, sent to a frontend of a service port instead."""
    return st.sampled_from([_at(packet, one, place) for place in frontends(view, one)])


def _at(packet: Packet, one: ServicePortView, place: tuple[int, int]) -> Packet:
    return attrs.evolve(packet, destination=place[0], port=place[1], protocol=one.protocol)


def outcomes(cluster: Cluster, config: NodeConfig, packet: Packet) -> frozenset[Outcome]:
    """Everything that the model allows to become of the packet."""
    return frozenset(expect(node_view(cluster, config, packet.family), packet).allowed)


def _with_chained_service(cluster: Cluster) -> Cluster:
    """The cluster with a Service whose endpoints are the first cluster IPs of the others."""
    name = ObjectName("shop", "chained")
    service = Service(
        name, ports=(ServicePort("", "TCP", 80),), cluster_ips=("10.96.255.78", "fd00:10:96::ff78")
    )
    slices = tuple(
        EndpointSlice(
            ObjectName("shop", f"chained-{family.value.lower()}"),
            name,
            family.value,
            tuple(Endpoint((address,)) for address in _cluster_ips(cluster, family)),
            (EndpointPort("", "TCP", 80),),
        )
        for family in Family
    )
    return attrs.evolve(cluster, services=(*cluster.services, service), slices=(*cluster.slices, *slices))


def _cluster_ips(cluster: Cluster, family: Family) -> Iterator[str]:
    for service in cluster.services:
        for text in service.cluster_ips:
            if text != "None" and (":" in text) is (family is Family.IPV6):
                yield text
