"""A machine in which controllers publish endpoints, late, interrupted and in any order.

Each history ends with everybody coming to rest, when claims of settled states are made.
"""

import attrs
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from invariants.invariant import Kind
from model.api import objects as api
from model.cluster import events
from model.cluster.events import Event, Pool
from model.cluster.settle import settle
from model.cluster.state import ClusterState
from model.node_config import NodeConfig
from model.objects import Node, ObjectName, Pod
from tests.invariants.dns_cases import dns_case
from tests.strategies import api_endpoints, api_services
from tests.strategies.machine.requests import AT, CIDRS, RANGES, Requests
from tests.strategies.weights import sometimes

_WRITES = st.sampled_from((None, None, 0, 1, 2))


class Publishing(Requests):
    """Services, pods and nodes come and go, and controllers publish endpoints."""

    @initialize(
        cidrs=st.sampled_from(CIDRS),
        ports=st.sampled_from(RANGES),
        nodes=st.lists(api_endpoints.nodes(), min_size=2, max_size=2),
        pods=st.lists(api_endpoints.pods(), min_size=3, max_size=3),
        some=st.lists(api_services.services(), min_size=3, max_size=3),
        by_hand=api_endpoints.endpoints(),
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
        names = [*free, *sorted(others), ObjectName(api_services.NAMESPACE, "web")]
        return names[at % len(names)]

    @precondition(lambda self: self.state.registry.services)
    @rule(at=AT, selector=st.sampled_from(api_services.SELECTORS))
    def selector_changes(self, at: int, selector: api.Pairs) -> None:
        """Who looks after a Service's endpoints changes with it (EPS-MIR-06)."""
        stored = self.stored(at)
        changed = attrs.evolve(stored, spec=attrs.evolve(stored.spec, selector=selector))
        self.happens(events.UpdateService(self.as_submitted(changed), seed=self.next_seed()))

    @rule(written=api_endpoints.endpoints(), at=AT)
    def writes_endpoints(self, written: api.Endpoints, at: int) -> None:
        name = self.named(at)
        metadata = attrs.evolve(written.metadata, name=name.name, namespace=name.namespace)
        self.happens(events.WriteEndpoints(attrs.evolve(written, metadata=metadata)))

    @rule(written=api_endpoints.slices())
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
        pod=api_endpoints.pods(),
        on=AT,
        away=sometimes(1, 0),
        families=st.sampled_from(("4", "46", "64", "6")),
        stage=st.integers(0, 3),
    )
    def pod_comes_up(self, pod: Pod, on: int, away: int, families: str, stage: int) -> None:
        """Created, scheduled, started, ready: as far as `stage` says, from where it is."""
        there = sorted(self.state.nodes)
        node = there[on % len(there)] if there else "node-x"
        number = api_endpoints.PODS.index(pod.name) + 1 + away  # now and then another pod's
        ips = () if pod.host_network else api_endpoints.pod_addresses(number, families)
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

    @rule(node=api_endpoints.nodes())
    def node_joins(self, node: tuple[Node, NodeConfig]) -> None:
        self.happens(events.AddNode(*node))

    @precondition(lambda self: self.state.nodes)
    @rule(
        at=AT,
        how=st.sampled_from(("label", "label", "ready", "unready", "remove")),
        zone=st.sampled_from(api_endpoints.ZONES),
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

    # --- Coming to rest

    @rule(stays=st.booleans())
    def comes_to_rest(self, *, stays: bool) -> None:
        """Repair three times, then every controller and proxy until nothing is left to do."""
        state = self.at_rest()
        if stays:
            self.state = state

    def teardown(self) -> None:
        if not self.is_broken:
            self.at_rest()

    def at_rest(self) -> ClusterState:
        state = self.state
        for pool in (*Pool, *Pool, *Pool):
            state = self.carried_out(state, events.Repair(pool)).after
        state = settle(state)
        self.hold(Kind.STATE, state)
        self.hold(Kind.EVENTUAL, state)
        self.hold(Kind.DNS, dns_case(state.objects()))
        return state
