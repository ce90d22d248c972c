"""A machine that makes a cluster live through any history, and holds every claim to it.

Each rule tries one event, or a few of a kind. Most are legal, as rules aim at what is
there; `attempts_in_vain` aims at what is not.
"""

from fractions import Fraction

import attrs
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from invariants.invariant import Kind
from invariants.worlds import World
from model.addresses import Family
from model.affinity import Client, Connection
from model.api.registry import DEFAULT_SERVICE_CIDR
from model.cluster import events
from model.cluster.events import Event, Pool, Sees
from model.cluster.state import applied_view
from model.expectation import expect
from model.frontends import NodeView, node_view
from model.packet import Packet
from model.traffic import Close, Delivery
from tests.strategies.events import Aim, aims, vain_events
from tests.strategies.machine.publishing import Publishing
from tests.strategies.machine.requests import AT
from tests.strategies.weights import sometimes
from tests.wording import brief


class Histories(Publishing):
    """All that can happen."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[events.Send] = []
        self.worlds: dict[tuple[str, Packet], World] = {}
        self.connections: dict[tuple[str, Family], tuple[NodeView, list[Connection]]] = {}

    # --- Ranges and pools

    @rule(cidrs=st.sampled_from((("10.97.0.0/29",), ("10.96.0.0/28", "fd00:10:96::/124"), ("10.97.0.0/29",))))
    def adds_a_service_cidr(self, cidrs: tuple[str, ...]) -> None:
        self.happens(events.AddServiceCIDR(f"cidr-{len(self.state.registry.service_cidrs)}", cidrs))

    @precondition(lambda self: len(self.state.registry.service_cidrs) > 1)
    @rule(at=AT)
    def deletes_a_service_cidr(self, at: int) -> None:
        """Any but the default one, which the API server would make again."""
        there = sorted(set(self.state.registry.service_cidrs) - {DEFAULT_SERVICE_CIDR})
        self.happens(events.DeleteServiceCIDR(there[at % len(there)]))

    @rule(
        event=st.sampled_from(
            (
                events.FinalizeServiceCIDRs(),
                events.EnsureKubernetesService(),
                events.Repair(Pool.NODE_PORTS),
                events.Repair(Pool.CLUSTER_IPS),
            )
        )
    )
    def api_server_looks_around(self, event: Event) -> None:
        self.happens(event)

    # --- Proxies, packets and time

    @precondition(lambda self: self.state.proxies)
    @rule(at=AT, how=st.sampled_from((*Sees, Sees.ALL, "stop", "start")))
    def proxy_acts(self, at: int, how: Sees | str) -> None:
        there = sorted(self.state.proxies)
        node = there[at % len(there)]
        proxy = self.state.proxies[node]
        if isinstance(how, Sees) and proxy.running:
            self.happens(events.SyncProxy(node, how if proxy.applied else Sees.ALL))
        elif how == "stop" and proxy.running:
            self.happens(events.StopProxy(node))
        else:
            self.happens(events.StartProxy(node))

    @precondition(lambda self: self.state.proxies)
    @rule(
        some=st.lists(aims(), min_size=1, max_size=4),
        chance=st.sampled_from((Fraction(0), Fraction(1, 3), Fraction(1, 2), Fraction(5, 6))),
        choice=st.integers(0, 1),
        answered=sometimes(False, True),
    )
    def packets_are_sent(self, some: list[Aim], chance: Fraction, choice: int, *, answered: bool) -> None:
        for aim in some:
            node, packet, source_port = aim.at(self.state)
            self.delivers(events.Send(node, packet, source_port, chance, choice, answered))

    @precondition(lambda self: self.sent)
    @rule(at=AT, how=st.sampled_from(("another", "another", *Close)))
    def connection_goes_on(self, at: int, how: Close | str) -> None:
        """A later packet of it, or its end."""
        first = self.sent[-1 - at % len(self.sent)]
        if isinstance(how, Close):
            self.happens(events.CloseConnection(first.node, first.packet, first.source_port, how))
        else:
            self.delivers(attrs.evolve(first, chance=Fraction(1, 2)))

    def delivers(self, event: events.Send) -> None:
        """Claims of packets are held to what the rules of the moment do with a new connection."""
        told = self.happens(event).told
        if not isinstance(told, Delivery):
            return
        self.sent.append(event)
        if told.outcome is None:
            return
        proxy = self.state.proxies[event.node]
        everything = proxy.applied.services.by_name if proxy.applied else ()
        view = applied_view(proxy, everything, event.packet.family)
        self.hold(Kind.PACKET, view, event.packet, told.outcome)
        self.joins_its_clients_others(event, view, told)
        self.is_asked_again(event)

    def joins_its_clients_others(self, event: events.Send, view: NodeView, told: Delivery) -> None:
        """Claims of flows are held to the connections of a node, for as long as its view stays as it is."""
        packet = event.packet
        owners = {one.name for one, _ in view.owners(packet.destination, packet.protocol, packet.port)}
        if told.outcome is None or len(owners) != 1:
            return
        seen, history = self.connections.get((event.node, packet.family), (view, []))
        if (seen.config, seen.service_ports) != (view.config, view.service_ports):
            history = []
        client = Client(packet.source, owners.pop())
        history = [*history, Connection(client, self.state.now, told.outcome, told.target)]
        self.connections[event.node, packet.family] = view, history
        self.hold(Kind.FLOW, view, history)

    def is_asked_again(self, event: events.Send) -> None:
        """Claims of two worlds are held to what the packet meets, before and after what came in between."""
        cluster, config = self.state.objects(), self.state.proxies[event.node].config
        allowed = expect(node_view(cluster, config, event.packet.family), event.packet).allowed
        world = World(cluster, config, event.packet, frozenset(allowed))
        before = self.worlds.get((event.node, event.packet), world)
        self.worlds[event.node, event.packet] = world
        self.hold(Kind.WORLDS, before, world)

    @rule(seconds=st.sampled_from((0, 1, 59, 61, 200, 86401)))
    def time_passes(self, seconds: int) -> None:
        self.happens(events.Tick(seconds))

    # --- What cannot happen

    @rule(event=vain_events())
    def attempts_in_vain(self, event: Event) -> None:
        step = self.happens(event)
        if not step.is_refused:
            self.fail("illegal events are refused", brief(event))
