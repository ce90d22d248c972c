"""A machine that makes a cluster live through any history, and holds every claim to it.

Each rule tries one event, or a few of a kind. Most are legal, as rules aim at what is
there; `attempts_in_vain` aims at what is not.
"""

from fractions import Fraction

import attrs
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from invariants.catalogue import EVENTUAL, PACKET, STATE
from model.api import objects as api
from model.api.registry import DEFAULT_SERVICE_CIDR
from model.cluster import events
from model.cluster.events import Event, Pool, Sees
from model.cluster.settle import settle
from model.cluster.state import applied_view
from model.node_config import NodeConfig
from model.objects import Node, ObjectName, Pod
from model.traffic import Close, Delivery
from tests.histories import endpoints, packets, services
from tests.histories.requests import AT, CIDRS, RANGES, Requests
from tests.histories.wording import brief

_WRITES = st.sampled_from((None, None, 0, 1, 2))


class Histories(Requests):
    """All that can happen, after a first node has joined."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[events.Send] = []

    @initialize(
        cidrs=st.sampled_from(CIDRS),
        ports=st.sampled_from(RANGES),
        nodes=st.lists(endpoints.nodes(), min_size=2, max_size=2),
        pods=st.lists(endpoints.pods(), min_size=3, max_size=3),
        some=st.lists(services.services(), min_size=3, max_size=3),
        by_hand=endpoints.endpoints(),
    )
    def begins(
        self,
        cidrs: tuple[str, ...],
        ports: tuple[int, int],
        nodes: list[tuple[Node, NodeConfig]],
        pods: list[Pod],
        some: list[api.Service],
        by_hand: api.Endpoints,
    ) -> None:
        """A few objects are there, so that little is wasted on a cluster without any."""
        self.start(cidrs, ports)
        for node in nodes:
            self.happens(events.AddNode(*node))
        for service in some:
            self.happens(events.CreateService(self.as_submitted(service), seed=self.next_seed()))
        for pod in pods:
            self.pod_comes_up(pod, on=0, away=0, families="46", stage=3)
        self.writes_endpoints(by_hand, at=0)

    def named(self, at: int) -> ObjectName:
        """A name that endpoints may be published under; first those of Services without a selector."""
        there = self.state.services.by_name
        free = sorted(name for name, service in there.items() if not service.selector)
        others = {*there, *self.state.endpoints, *self.state.slices.of_service} - {*free}
        names = [*free, *sorted(others), ObjectName(services.NAMESPACE, "web")]
        return names[at % len(names)]

    @rule(written=endpoints.endpoints(), at=AT)
    def writes_endpoints(self, written: api.Endpoints, at: int) -> None:
        name = self.named(at)
        metadata = attrs.evolve(written.metadata, name=name.name, namespace=name.namespace)
        self.happens(events.WriteEndpoints(attrs.evolve(written, metadata=metadata)))

    @rule(written=endpoints.slices())
    def writes_a_slice(self, written: api.EndpointSlice) -> None:
        self.happens(events.WriteSlice(written))

    @precondition(lambda self: self.state.slices.by_name)
    @rule(at=AT)
    def deletes_a_slice(self, at: int) -> None:
        there = sorted(self.state.slices.by_name)
        self.happens(events.DeleteSlice(there[at % len(there)]))

    @precondition(lambda self: self.state.endpoints)
    @rule(at=AT)
    def deletes_endpoints(self, at: int) -> None:
        there = sorted(self.state.endpoints)
        self.happens(events.DeleteEndpoints(there[at % len(there)]))

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

    # --- Controllers

    @rule(
        at=AT,
        kind=st.sampled_from((events.SyncSlices, events.SyncSlices, events.MirrorEndpoints)),
        writes=_WRITES,
    )
    def controller_passes(
        self,
        at: int,
        kind: type[events.SyncSlices | events.MirrorEndpoints],
        writes: int | None,
    ) -> None:
        self.happens(kind(self.named(at), writes))

    @rule(at=AT, kind=st.sampled_from((events.SyncEndpoints, events.CollectGarbage)))
    def other_controller_passes(
        self, at: int, kind: type[events.SyncEndpoints | events.CollectGarbage]
    ) -> None:
        self.happens(kind(self.named(at)))

    # --- Pods and nodes

    @rule(
        pod=endpoints.pods(),
        on=AT,
        away=services.sometimes(1, 0),
        families=st.sampled_from(("4", "46", "64", "6")),
        stage=st.integers(0, 3),
    )
    def pod_comes_up(self, pod: Pod, on: int, away: int, families: str, stage: int) -> None:
        """Created, scheduled, started, ready: as far as `stage` says, from where it is."""
        there = sorted(self.state.nodes)
        node = there[on % len(there)] if there else "node-x"
        number = endpoints.PODS.index(pod.name) + 1 + away  # now and then another pod's
        ips = () if pod.host_network else endpoints.pod_addresses(number, families)
        stages: tuple[Event, ...] = (
            events.CreatePod(pod),
            events.SchedulePod(pod.name, node),
            events.StartPod(pod.name, ips),
            events.SetPodReady(pod.name, ready=True),
        )
        for event in stages[: stage + 1]:
            self.happens(event)

    @precondition(lambda self: self.state.pods.by_name)
    @rule(
        at=AT,
        how=st.sampled_from(("ready", "unready", "terminate", "terminate", "finish", "fail", "delete")),
    )
    def pod_changes(self, at: int, how: str) -> None:
        there = sorted(self.state.pods.by_name)
        name = there[at % len(there)]
        changes: dict[str, Event] = {
            "ready": events.SetPodReady(name, ready=True),
            "unready": events.SetPodReady(name, ready=False),
            "terminate": events.TerminatePod(name),
            "finish": events.FinishPod(name),
            "fail": events.FinishPod(name, failed=True),
            "delete": events.DeletePod(name),
        }
        self.happens(changes[how])

    @rule(node=endpoints.nodes())
    def node_joins(self, node: tuple[Node, NodeConfig]) -> None:
        self.happens(events.AddNode(*node))

    @precondition(lambda self: self.state.nodes)
    @rule(
        at=AT,
        how=st.sampled_from(("label", "label", "ready", "unready", "remove")),
        zone=st.sampled_from(endpoints.ZONES),
    )
    def node_changes(self, at: int, how: str, zone: tuple[tuple[str, str], ...]) -> None:
        there = sorted(self.state.nodes)
        name = there[at % len(there)]
        changes: dict[str, Event] = {
            "label": events.RelabelNode(name, zone),
            "ready": events.SetNodeReady(name, ready=True),
            "unready": events.SetNodeReady(name, ready=False),
            "remove": events.RemoveNode(name),
        }
        self.happens(changes[how])

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
        aim=packets.aims(),
        chance=st.sampled_from((Fraction(0), Fraction(1, 3), Fraction(1, 2), Fraction(5, 6))),
        choice=st.integers(0, 1),
        answered=services.sometimes(False, True),
    )
    def packet_is_sent(self, aim: packets.Aim, chance: Fraction, choice: int, *, answered: bool) -> None:
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

    # --- Coming to rest, and what cannot happen

    @rule(stays=st.booleans())
    def comes_to_rest(self, *, stays: bool) -> None:
        """Repair three times, then every controller and proxy until nothing is left to do."""
        state = self.state
        for pool in (*Pool, *Pool, *Pool):
            state = self.carried_out(state, events.Repair(pool)).after
        state = settle(state)
        for claim in (*STATE, *EVENTUAL):
            self.hold(claim.id, claim.violation(state))
        if stays:
            self.state = state

    @rule(event=packets.vain_events())
    def attempts_in_vain(self, event: Event) -> None:
        step = self.happens(event)
        if not step.is_refused:
            self.fail("illegal events are refused", brief(event))
