"""Claims about flows and memories can fail: premises are reached, and wrong models are caught."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import attrs
import pytest

import model.affinity
import model.conntrack
from invariants import flows, memory
from invariants.applied import Entries, entries
from invariants.invariant import Step
from invariants.places import targets
from model.addresses import Family, parse_address
from model.affinity import Client, Connection, Memory
from model.cluster import events, proxies
from model.cluster.state import Applied, ClusterState
from model.conntrack import Cleanup, Flow, FlowKey, Flows
from model.frontends import NodeView
from model.objects import ServicePortName
from model.outcome import Leaf, Outcome, Target
from model.packet import TCP, UDP
from model.proxy_endpoints import ProxyEndpoint
from model.traffic import Delivery
from tests.invariants.playing import played
from tests.strategies.flows import (
    AFFINITY_SECONDS,
    ENDPOINTS,
    a_send,
    begun,
    step_found,
)

Mutant = Callable[[pytest.MonkeyPatch], None]
TO_WEB = 0  # of FRONTENDS: TCP port 80 of `web`


# --- The premises


def is_back_too_late(step: Step) -> bool:
    """INV-58: a client that was there, and whose time is over, meets a choice."""
    made = memory.connection_with_affinity(step)
    if made is None or made.is_remembered or len(targets(made.outcome)) < 2:
        return False
    held = made.traffic.memory(made.send.packet.family)
    return any(client == made.client and made.now - held[client, at] > made.seconds for client, at in held)


def is_known_elsewhere(step: Step) -> bool:
    """INV-61: the client is remembered by another service port of the node."""
    made = memory.connection_with_affinity(step)
    if made is None:
        return False
    held = made.traffic.memory(made.send.packet.family)
    mine = {client.service_port for client, _ in held if client.source == made.client.source}
    return bool(mine - {made.client.service_port})


def loses_the_endpoint_of_an_established_flow(step: Step) -> bool:
    """INV-68: a sync applies slices without the endpoint of a TCP flow that goes on."""
    if not isinstance(step.event, events.SyncProxy) or step.is_refused:
        return False
    proxy = step.after.proxies[step.event.node]
    assert proxy.applied is not None
    return any(
        flow.original.protocol == TCP
        and flow.service_port is not None
        and flow.target not in listed(proxy.applied, flow.service_port)
        for flow in proxy.traffic.flows.values()
    )


def listed(applied: Applied, of: ServicePortName) -> Entries:
    return entries(applied.slices.of(of.service), Family.IPV4, of.port_name, of.protocol)


def ends_some_udp_flows(step: Step) -> bool:
    """INV-69, INV-70: a sync ends a UDP flow and leaves another."""
    if not isinstance(step.event, events.SyncProxy) or step.is_refused:
        return False
    kept = step.after.proxies[step.event.node].traffic.flows
    return bool(list(flows.flows_lost(step))) and any(key.protocol == UDP for key in kept)


@pytest.mark.parametrize(
    "premise",
    [
        pytest.param(is_back_too_late, id="INV-58: back after the timeout"),
        pytest.param(lambda step: memory.moved_on(step) is not None, id="INV-60: the endpoint is gone"),
        pytest.param(is_known_elsewhere, id="INV-61: known to another service port"),
        pytest.param(loses_the_endpoint_of_an_established_flow, id="INV-68: the endpoint is gone"),
        pytest.param(ends_some_udp_flows, id="INV-69, INV-70: a clean-up ends one flow of two"),
    ],
)
def test_the_premise_is_reached(premise: Callable[[Step], bool]) -> None:
    step = step_found(premise)

    assert premise(step)


# --- Wrong models


def remembers_a_second_longer(patch: pytest.MonkeyPatch) -> None:
    right = model.affinity.remembered

    def wrong(outcome: Outcome, memory: Memory, client: Client, now: int) -> Target | None:
        return right(outcome, memory, client, now - 1)

    patch.setattr(model.affinity, "remembered", wrong)


def leaves_nothing_to_chance(patch: pytest.MonkeyPatch) -> None:
    def wrong(outcome: Outcome, _: object) -> Leaf:
        return outcome.leaves[0]

    patch.setattr(model.affinity, "drawn", wrong)
    patch.setattr("model.traffic.drawn", wrong)


def remembers_only_the_first_endpoint(patch: pytest.MonkeyPatch) -> None:
    right = model.affinity.connect

    def wrong(memory: Memory, client: Client, *how: Any) -> tuple[Connection, Memory]:
        connection, after = right(memory, client, *how)
        return connection, after if not any(one == client for one, _ in memory) else memory

    patch.setattr("model.traffic.connect", wrong)
    patch.setattr("model.traffic.forgetting", lambda memory, _: memory)


def ports_share_a_memory(patch: pytest.MonkeyPatch) -> None:
    def wrong(_: NodeView, key: FlowKey, service_port: ServicePortName) -> Client:
        return Client(key.source, attrs.evolve(service_port, port_name=""))

    patch.setattr("model.traffic._client", wrong)


def nodes_share_a_memory(patch: pytest.MonkeyPatch) -> None:
    right = proxies.send

    def wrong(state: ClusterState, event: events.Send) -> tuple[ClusterState, object]:
        after, told = right(state, event)
        memories = after.proxies[event.node].traffic.memories
        for node, proxy in after.proxies.items():
            traffic = attrs.evolve(proxy.traffic, memories=memories)
            everybody = after.proxies.insert(node, attrs.evolve(proxy, traffic=traffic))
            after = attrs.evolve(after, proxies=everybody)
        return after, told

    patch.setattr(proxies, "send", wrong)


def cleaned_where(ends: Callable[[Flow, NodeView], bool]) -> Mutant:
    """A clean-up that ends other flows."""

    def wrong(flows: Any, view: NodeView, _: Cleanup, **how: object) -> Flows:  # noqa: ARG001
        for key, flow in list(flows.items()):
            if ends(flow, view):
                flows = flows.remove(key)
        return flows  # type: ignore[no-any-return]

    return lambda patch: patch.setattr("model.traffic.cleaned", wrong)


def is_not_ready(flow: Flow, view: NodeView) -> bool:
    ready = {
        Target(each.address, each.port)
        for one in view.service_ports
        for each in one.endpoint_choices[0]
        if each.ready
    }
    return flow.target is not None and flow.target not in ready


def packets_meet_the_rules_every_time(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("model.traffic.lookup", lambda *_: None)


def syncs_clean_nothing(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(proxies, "changed_udp_service_ports", lambda _: ())


def not_ready_does_not_serve(patch: pytest.MonkeyPatch) -> None:
    def wrong(one: Any, _: int) -> frozenset[Target]:
        endpoints: tuple[ProxyEndpoint, ...] = one.endpoint_choices[0]
        return frozenset(Target(each.address, each.port) for each in endpoints if each.ready)

    patch.setattr(model.conntrack, "_serving", wrong)


STRANGERS, MOVING = memory.strangers_go_where_chance_falls, memory.a_client_moves_on_with_its_memory
APART, ESTABLISHED = memory.memories_are_independent, flows.established_flows_keep_their_endpoint
CLEANED, SPARED = flows.udp_flows_lead_to_serving_endpoints, flows.clean_up_spares_what_is_served


@pytest.mark.bites("drawn")
@pytest.mark.parametrize(
    ("claim", "mutant"),
    [
        pytest.param(STRANGERS, remembers_a_second_longer, id="INV-58: remembered too long"),
        pytest.param(STRANGERS, leaves_nothing_to_chance, id="INV-58: always the first endpoint"),
        pytest.param(MOVING, remembers_only_the_first_endpoint, id="INV-60: not remembered again"),
        pytest.param(APART, ports_share_a_memory, id="INV-61: one memory a Service"),
        pytest.param(APART, nodes_share_a_memory, id="INV-61: one memory a cluster"),
        pytest.param(ESTABLISHED, cleaned_where(is_not_ready), id="INV-68: TCP flows cleaned too"),
        pytest.param(ESTABLISHED, packets_meet_the_rules_every_time, id="INV-68: no flow is known"),
        pytest.param(CLEANED, syncs_clean_nothing, id="INV-69: nothing is cleaned"),
        pytest.param(SPARED, cleaned_where(lambda *_: True), id="INV-70: everything is cleaned"),
        pytest.param(SPARED, not_ready_does_not_serve, id="INV-70: draining endpoints do not count"),
    ],
)
def test_a_wrong_model_is_caught(monkeypatch: pytest.MonkeyPatch, claim: Any, mutant: Mutant) -> None:
    mutant(monkeypatch)

    step = step_found(lambda step: claim.violation(step) is not None)
    assert claim.violation(step) is not None


def test_a_client_is_a_stranger_a_second_after_its_timeout() -> None:
    """INV-58, AFF-04: by this chance a stranger goes to the last of three endpoints."""
    happening = (
        a_send(TO_WEB, chance=Fraction(0)),
        events.Tick(AFFINITY_SECONDS),
        a_send(TO_WEB, source_port=40001, chance=Fraction(5, 6)),
        events.Tick(AFFINITY_SECONDS + 1),
        a_send(TO_WEB, source_port=40002, chance=Fraction(5, 6)),
    )

    steps = played(happening, begun(affinity=True))

    first, last = (Target(parse_address(ENDPOINTS[at][0])[1], 8080) for at in (0, 2))
    assert [first, first, last] == [step.told.target for step in steps if isinstance(step.told, Delivery)]
    assert [None] * 5 == [STRANGERS.violation(step) for step in steps]
