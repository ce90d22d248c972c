"""The state that packets leave on a node, and what it does to the packets after them.

Law: what belongs to a known flow goes where its flow goes, whatever the rules say by now
(CT-01, CT-08); only a new connection meets the contract, asks the affinity memory, then
chance. What the contract refuses or drops leaves nothing. Times are whole seconds of one
clock that does not run backward.

Left out: a packet in the middle of a connection whose entry is gone counts as a new one,
as the kernel's does with nf_conntrack_tcp_loose; ICMP errors, which follow their flow (CT-09).
"""

import enum
from collections.abc import Collection
from fractions import Fraction
from typing import assert_never

import attrs
from rpds import HashTrieMap

from model.addresses import Family
from model.affinity import (
    NO_MEMORY,
    XT_RECENT_SOURCES,
    Client,
    Memory,
    Retention,
    connect,
    drawn,
    forgetting,
    retention,
    used,
)
from model.conntrack import (
    KUBE_PROXY_TIMEOUTS,
    NO_FLOWS,
    Cleanup,
    Flow,
    FlowKey,
    FlowState,
    Timeouts,
    cleaned,
    lookup,
    unexpired,
)
from model.expectation import expect
from model.frontends import NodeView
from model.node_config import ProxyMode
from model.objects import ServicePortName
from model.outcome import Leaf, Outcome, Target, Verdict
from model.packet import SCTP, TCP, Packet
from model.proxy_endpoints import EndpointList


@attrs.frozen
class Traffic:
    """What one node remembers of packets: its flows, and each family's affinity memory."""

    flows: "HashTrieMap[FlowKey, Flow]" = NO_FLOWS
    memories: "HashTrieMap[Family, Memory]" = HashTrieMap()

    def memory(self, family: Family) -> Memory:
        """The affinity memory of a family."""
        return self.memories.get(family, NO_MEMORY)


@attrs.frozen
class Delivery:
    """What became of one packet.

    `flow` is the entry that it belongs to now, None where it left none. `outcome` is what the
    contract had for a new connection, None where the packet followed a flow.
    """

    verdict: Verdict
    target: Target | None
    masquerade: bool
    flow: Flow | None
    outcome: Outcome | None = None
    reject_with: str = ""

    @property
    def is_new(self) -> bool:
        """Whether the packet met the rules."""
        return self.outcome is not None


class Close(enum.Enum):
    """How a connection ends, as its entry sees it."""

    ONE_SIDE = "one side closed, the other may still send"
    BOTH_SIDES = "both sides closed"
    RESET = "one side broke it off"


@attrs.frozen
class NotClosable(Exception):
    """There is no such connection, or its protocol knows no closing; nothing has changed."""

    key: FlowKey

    def __str__(self) -> str:
        return f"no connection to close: {self.key}"


def flow_key(packet: Packet, source_port: int) -> FlowKey:
    """The five-tuple of the packet, were it the first of its connection."""
    return FlowKey(
        packet.family, packet.protocol, packet.source, source_port, packet.destination, packet.port
    )


def send(
    traffic: Traffic,
    view: NodeView,
    packet: Packet,
    source_port: int,
    now: int,
    chance: Fraction,
    *,
    choice: int = 0,
    answered: bool = True,
    timeouts: Timeouts = KUBE_PROXY_TIMEOUTS,
    xt_recent_sources: int = XT_RECENT_SOURCES,
) -> tuple[Delivery, Traffic]:
    """One packet of a client, and the state after it.

    `chance` in [0, 1) decides where neither flow nor memory does. `choice` says which outcome
    where the contract allows several (FWD-OBJ-08, EPS-SL-08). `answered` says that the other
    side sends something back, without which an entry does not last. Raises
    NotImplementedError for a new connection in a proxy mode that is not modelled.
    """
    key = flow_key(packet, source_port)
    flow = lookup(traffic.flows, key, now, timeouts)
    if flow is None:
        kept = retention(view.config.mode, xt_recent_sources)
        return _opened(traffic, view, packet, key, now, chance, kept, choice=choice, answered=answered)
    if view.config.mode is ProxyMode.IPVS and _lost_its_server(flow, view):
        gone = attrs.evolve(traffic, flows=traffic.flows.remove(key))
        return Delivery(Verdict.DROP, None, masquerade=False, flow=None), gone
    memories = traffic.memories
    if view.config.mode is ProxyMode.IPVS and flow.service_port and flow.target:
        client = _client(view, key, flow.service_port)
        memory = used(traffic.memory(view.family), client, flow.target, now)
        memories = memories.insert(view.family, memory)
    state = FlowState.ESTABLISHED if answered and flow.state is FlowState.OPENING else flow.state
    flow = attrs.evolve(flow, seen=now, state=state)
    verdict = Verdict.DNAT if flow.target else Verdict.PASS
    delivery = Delivery(verdict, flow.target, flow.masqueraded, flow)
    return delivery, Traffic(traffic.flows.insert(key, flow), memories)


def _opened(
    traffic: Traffic,
    view: NodeView,
    packet: Packet,
    key: FlowKey,
    now: int,
    chance: Fraction,
    kept: Retention,
    *,
    choice: int,
    answered: bool,
) -> tuple[Delivery, Traffic]:
    """A new connection: the contract, then the memory, then chance."""
    allowed = expect(view, packet).allowed
    outcome = allowed[choice % len(allowed)]
    owner = _owner(view, packet, outcome)
    memories, leaf = traffic.memories, drawn(outcome, chance)
    if owner is not None and outcome.affinity:
        client = _client(view, key, owner)
        memory = traffic.memory(view.family)
        connection, memory = connect(memory, client, now, outcome, chance, kept)
        memories = memories.insert(view.family, memory)
        leaf = _leaf_to(outcome, connection.target) or leaf
    flow = None
    if leaf.verdict in (Verdict.DNAT, Verdict.PASS):
        state = FlowState.ESTABLISHED if answered else FlowState.OPENING
        of = owner if leaf.target else None
        flow = Flow(key, leaf.target, leaf.masquerade, of, opened=now, seen=now, state=state)
    flows = traffic.flows.discard(key) if flow is None else traffic.flows.insert(key, flow)
    delivery = Delivery(leaf.verdict, leaf.target, leaf.masquerade, flow, outcome, leaf.reject_with)
    return delivery, Traffic(flows, memories)


def _leaf_to(outcome: Outcome, target: Target | None) -> Leaf | None:
    """The fate of going there; a remembered endpoint is always one of those (AFF-06)."""
    return next((leaf for leaf in outcome.leaves if leaf.target == target), None)


def _owner(view: NodeView, packet: Packet, outcome: Outcome) -> ServicePortName | None:
    """Whose outcome it is: the first owner of the frontend with this set of endpoints and affinity."""
    targets = frozenset(leaf.target for leaf in outcome.leaves if leaf.target is not None)
    seconds = outcome.affinity_seconds
    for one, _ in view.owners(packet.destination, packet.protocol, packet.port):
        sets = [chosen for choice in one.choices for chosen in (choice.cluster, choice.local)]
        if not targets or (seconds == one.affinity_seconds and targets in map(_targets, sets)):
            return one.name
    return None


def _targets(endpoints: EndpointList | None) -> frozenset[Target]:
    return frozenset(Target(one.address, one.port) for one in endpoints or ())


def _client(view: NodeView, key: FlowKey, service_port: ServicePortName) -> Client:
    """Who is remembered: in ipvs every frontend remembers apart (MODE-18)."""
    apart = view.config.mode is ProxyMode.IPVS
    return Client(key.source, service_port, (key.destination, key.port) if apart else None)


def _lost_its_server(flow: Flow, view: NodeView) -> bool:
    """Whether ipvs has no server left for the flow, so that its next packet ends it.

    With the endpoint goes the server of UDP and SCTP at once, that of TCP stays while it has
    connections (MODE-23, MODE-24); with the service port all go (MODE-25).
    """
    if flow.target is None:
        return False
    one = next((one for one in view.service_ports if one.name == flow.service_port), None)
    if one is None:
        return True
    if flow.original.protocol == TCP:
        return False
    return not any(flow.target in _targets(endpoints) for endpoints in one.endpoint_choices)


def close(
    traffic: Traffic, key: FlowKey, now: int, how: Close, timeouts: Timeouts = KUBE_PROXY_TIMEOUTS
) -> Traffic:
    """The state after a side of a TCP or SCTP connection closed it.

    Its packets still go where they went until both sides have closed (CT-01). Raises
    NotClosable where there is no live connection of that five-tuple.
    """
    flow = lookup(traffic.flows, key, now, timeouts)
    if flow is None or key.protocol not in (TCP, SCTP):
        raise NotClosable(key)
    match how:
        case Close.ONE_SIDE:
            state = FlowState.HALF_CLOSED
        case Close.BOTH_SIDES:
            state = FlowState.CLOSED
        case Close.RESET:
            state = FlowState.RESET
        case _:
            assert_never(how)
    flow = attrs.evolve(flow, seen=now, state=state)
    return attrs.evolve(traffic, flows=traffic.flows.insert(key, flow))


def synced(
    traffic: Traffic,
    after: NodeView,
    changed_udp_service_ports: Collection[ServicePortName],
    cleanup: Cleanup = Cleanup.SKIPS_UNSERVED,
    *,
    choice: int = 0,
) -> Traffic:
    """The state after kube-proxy has written the rules of `after`, of one family.

    `changed_udp_service_ports` are those of `model.proxy_changes`: if there are any, the stale
    UDP flows of **all** UDP service ports go (CT-02); if there are none, none go, so a change
    of Services alone ends no flow (CT-05). TCP and SCTP flows stay as they are (CT-06). What
    the endpoints and the affinity of `after` no longer call for is forgotten (AFF-05, AFF-09).
    """
    flows = traffic.flows
    if changed_udp_service_ports:
        flows = cleaned(flows, after, cleanup, choice=choice)
    memory = forgetting(traffic.memory(after.family), after)
    return Traffic(flows, traffic.memories.insert(after.family, memory))


def elapsed(traffic: Traffic, now: int, timeouts: Timeouts = KUBE_PROXY_TIMEOUTS) -> Traffic:
    """The state with the entries gone that time has ended by `now`.

    No answer depends on it: what is past its time is not looked at either. Affinity entries
    stay, since it is the rules of the day that say for how long they count (AFF-09).
    """
    return attrs.evolve(traffic, flows=unexpired(traffic.flows, now, timeouts))
