"""Packets aimed at what is there, and events that cannot happen."""

from collections.abc import Sequence
from fractions import Fraction
from typing import TypeVar

import attrs
from hypothesis import strategies as st

from model.addresses import Family, parse_address
from model.api import objects as api
from model.cluster import events
from model.cluster.events import Event
from model.cluster.state import ClusterState
from model.objects import Node, ObjectName
from model.packet import PROTOCOL_NUMBERS, TCP, UDP, Origin, Packet
from tests.strategies import api_endpoints

One = TypeVar("One")

_OUTSIDE = {Family.IPV4: ("203.0.113.7", "198.51.100.7"), Family.IPV6: ("2001:db8:e::7", "2001:db8:c::7")}
_NODE = {Family.IPV4: "10.32.1.11", Family.IPV6: "fd00:10:32::11"}
_POD = {Family.IPV4: "10.244.0.1", Family.IPV6: "fd00:10:244::1"}


@attrs.frozen
class Aim:
    """A packet before the state is known: which of the frontends there, and from which source."""

    node: int
    frontend: int
    source: int
    origin: Origin
    source_port: int
    beside: bool

    def at(self, state: ClusterState) -> tuple[str, Packet, int]:
        """The node, the packet and its source port."""
        node = _nth(sorted(state.proxies), self.node)
        family, address, protocol, port = _nth(_frontends(state, node), self.frontend)
        sources = (*_OUTSIDE[family], _NODE[family], _POD[family])
        packet = Packet(
            family,
            self.origin,
            parse_address(_nth(sources, self.source))[1],
            address,
            protocol,
            port + 1 if self.beside else port,
            "eth0" if self.origin is Origin.WIRE else None,
        )
        return node, packet, self.source_port


def aims() -> st.SearchStrategy[Aim]:
    return st.builds(
        Aim,
        node=st.integers(0, 2),
        frontend=st.integers(0, 40),
        source=st.integers(0, 3),
        origin=st.sampled_from(Origin),
        source_port=st.sampled_from((40000, 40001)),
        beside=st.sampled_from((False, False, False, True)),
    )


Frontend = tuple[Family, int, int, int]
"""Family, address, protocol and port."""


def _frontends(state: ClusterState, node: str) -> list[Frontend]:
    """Everything of Services that a packet may be for on the node, and a pod."""
    own = state.proxies[node].config.primary
    found: set[Frontend] = {(*parse_address("10.244.0.1"), TCP, 8080)}
    for service in state.services.by_name.values():
        texts = [*service.cluster_ips, *service.external_ips, *(each.ip for each in service.ingress)]
        addresses = [parse_address(text) for text in texts if text not in ("", "None")]
        for port in service.ports:
            protocol = PROTOCOL_NUMBERS[port.protocol.lower()]
            found |= {(*address, protocol, port.port) for address in addresses}
            if port.node_port:
                found |= {(*address, protocol, port.node_port) for address in own}
    return sorted(found, key=lambda one: (one[0].value, one[1:]))


def _nth(there: Sequence[One], at: int) -> One:
    return there[at % len(there)]


_NOBODY = ObjectName("shop", "nobody")
_ALIEN = Packet(Family.IPV4, Origin.WIRE, 1, 2, UDP, 9)
_NEW_NODE = Node("node-x")


def vain_events() -> st.SearchStrategy[Event]:
    """Events that no state of these histories allows."""
    nobody = api.Service(api.Metadata(name="nobody", namespace="shop"))
    return st.sampled_from(
        (
            events.DeleteService(_NOBODY),
            events.UpdateServiceStatus(nobody),
            events.CreateService(nobody),
            events.DeleteEndpoints(_NOBODY),
            events.DeleteSlice(_NOBODY),
            events.WriteSlice(api.EndpointSlice(api.Metadata(name="x", namespace="shop"), "IPv5")),
            events.WriteEndpoints(api.Endpoints(api.Metadata(name="Not A Name", namespace="shop"))),
            events.AddServiceCIDR("kubernetes", ("10.0.0.0/24",)),
            events.AddServiceCIDR("odd", ("10.0.0.1/24",)),
            events.DeleteServiceCIDR("nobody"),
            events.SchedulePod(_NOBODY, "node-a"),
            events.StartPod(_NOBODY, ("10.244.0.99",)),
            events.SetPodReady(_NOBODY, ready=True),
            events.TerminatePod(_NOBODY),
            events.FinishPod(_NOBODY),
            events.DeletePod(_NOBODY),
            events.AddNode(_NEW_NODE, api_endpoints.SETTINGS_OF_ANOTHER),
            events.RelabelNode("node-x", ()),
            events.SetNodeReady("node-x", ready=True),
            events.RemoveNode("node-x"),
            events.SyncProxy("node-x"),
            events.StopProxy("node-x"),
            events.StartProxy("node-x"),
            events.Send("node-x", _ALIEN, 1),
            events.CloseConnection("node-a", _ALIEN, 1),
            events.CloseConnection("node-x", _ALIEN, 1),
            events.Send("node-x", _ALIEN, 1, Fraction(1)),
            events.Tick(-1),
        )
    )
