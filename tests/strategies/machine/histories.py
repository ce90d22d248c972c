"""A machine that makes a cluster live through any history, and holds every claim to it.

Each rule tries one event, or a few of a kind. Most are legal, as rules aim at what is
there; `attempts_in_vain` aims at what is not.
"""

from fractions import Fraction

import attrs
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from invariants.catalogue import PACKET
from model.api.registry import DEFAULT_SERVICE_CIDR
from model.cluster import events
from model.cluster.events import Event, Pool, Sees
from model.cluster.state import applied_view
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
        aim=aims(),
        chance=st.sampled_from((Fraction(0), Fraction(1, 3), Fraction(1, 2), Fraction(5, 6))),
        choice=st.integers(0, 1),
        answered=sometimes(False, True),
    )
    def packet_is_sent(self, aim: Aim, chance: Fraction, choice: int, *, answered: bool) -> None:
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
        for claim in PACKET:
            self.hold(claim.id, claim.violation(view, event.packet, told.outcome))

    @rule(seconds=st.sampled_from((0, 1, 59, 61, 200, 86401)))
    def time_passes(self, seconds: int) -> None:
        self.happens(events.Tick(seconds))

    # --- What cannot happen

    @rule(event=vain_events())
    def attempts_in_vain(self, event: Event) -> None:
        step = self.happens(event)
        if not step.is_refused:
            self.fail("illegal events are refused", brief(event))
