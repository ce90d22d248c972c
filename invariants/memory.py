"""What affinity remembers from one new connection to the next: for how long, of whom, and where.

The state holds the memory of each node, so a claim about it is one about single steps:
what a connection meets there, and what it leaves.
"""

import attrs

from invariants.applied import kept_proxies
from invariants.invariant import Step, Violation, step_invariant
from invariants.places import owners, ownerships, targets
from model.addresses import Family
from model.affinity import Client, Memory
from model.cluster import events
from model.cluster.state import applied_view
from model.frontends import NodeView, ServicePortView
from model.node_config import ProxyMode
from model.objects import ServicePortName
from model.outcome import Outcome, Target, Verdict
from model.packet import Packet
from model.proxy_endpoints import endpoint_text
from model.traffic import Delivery, Traffic


@attrs.frozen
class _Connection:
    """A new connection to a service port with affinity, and what its node remembered before."""

    send: events.Send
    service_port: ServicePortView
    outcome: Outcome
    delivery: Delivery
    traffic: Traffic
    now: int

    @property
    def client(self) -> Client:
        return Client(self.send.packet.source, self.service_port.name)

    @property
    def seconds(self) -> int:
        return self.service_port.affinity_seconds or 0

    @property
    def is_remembered(self) -> bool:
        """Whether the client was at one of the endpoints in the time that counts (AFF-04)."""
        memory = self.traffic.memory(self.send.packet.family)
        times = (memory.get((self.client, target)) for target in targets(self.outcome))
        return any(last is not None and self.now - last <= self.seconds for last in times)

    def text(self, target: Target | None) -> str:
        if target is None:
            return "no endpoint"
        return endpoint_text(self.send.packet.family, target.address, target.port)


def connection_with_affinity(step: Step) -> _Connection | None:
    """The new connection that the step is; None for any other step, and where Services clash."""
    event, told = step.event, step.told
    if not isinstance(event, events.Send) or not isinstance(told, Delivery) or told.outcome is None:
        return None
    proxy = step.before.proxies[event.node]
    if not targets(told.outcome) or proxy.applied is None or proxy.config.mode is ProxyMode.IPVS:
        return None
    view = applied_view(proxy, proxy.applied.services.by_name, event.packet.family)
    service_port = _owner(view, event.packet, told.outcome)
    if service_port is None or service_port.affinity_seconds is None:
        return None
    return _Connection(event, service_port, told.outcome, told, proxy.traffic, step.before.now)


def _owner(view: NodeView, packet: Packet, outcome: Outcome) -> ServicePortView | None:
    """The only service port whose frontend it is and that has all of these endpoints."""
    found = {
        owned.service_port.name: owned.service_port
        for owned in ownerships(view, packet)
        if all(target in owned.endpoints for target in targets(outcome))
    }
    return next(iter(found.values())) if len(found) == 1 else None


@step_invariant(
    "INV-58",
    "A client that made no new connection to any endpoint of the set within the timeout is a stranger: "
    "chance decides, and gives each of n endpoints one n-th.",
    source=("AFF-03", "AFF-04", "FWD-LB-01"),
)
def strangers_go_where_chance_falls(step: Step) -> Violation | None:
    made = connection_with_affinity(step)
    if made is None or made.is_remembered:
        return None
    places = targets(made.outcome)
    expected = places[int(made.send.chance * len(places))]
    if len(set(places)) < len(places) or made.delivery.target != expected:
        return Violation(
            f"{made.send.packet}, whose time is over, goes to {made.text(made.delivery.target)}; "
            f"by chance {made.send.chance} of {len(places)} endpoints it were {made.text(expected)}"
        )
    return None


def moved_on(step: Step) -> _Connection | None:
    """A new connection of a client whose former endpoint is no longer to be had.

    That it was there is told by the flow that it left, opened within the timeout.
    """
    made = connection_with_affinity(step)
    if made is None:
        return None
    for flow in made.traffic.flows.values():
        if (
            flow.original.source == made.send.packet.source
            and flow.service_port == made.service_port.name
            and flow.target is not None
            and flow.target not in targets(made.outcome)
            and made.now - flow.opened <= made.seconds
        ):
            return made
    return None


@step_invariant(
    "INV-60",
    "A client whose remembered endpoint has left the set is sent to one that is in it, without failure, "
    "and is remembered there from now on.",
    source=("AFF-03", "AFF-05", "AFF-06"),
)
def a_client_moves_on_with_its_memory(step: Step) -> Violation | None:
    made = moved_on(step)
    if made is None:
        return None
    target = made.delivery.target
    if made.delivery.verdict is not Verdict.DNAT or target not in targets(made.outcome):
        return Violation(f"{made.send.packet} has lost its endpoint and goes to {made.text(target)}")
    memory = step.after.proxies[made.send.node].traffic.memory(made.send.packet.family)
    if memory.get((made.client, target)) != made.now:
        return Violation(f"{made.send.packet} now goes to {made.text(target)}, which is not remembered")
    return None


@step_invariant(
    "INV-61",
    "A new connection changes the memory of its own service port on its own node alone, and a sync that "
    "of its node alone; nothing else changes any.",
    source=("AFF-01", "AFF-02"),
)
def memories_are_independent(step: Step) -> Violation | None:
    event = step.event
    for node, was, proxy in kept_proxies(step):
        for family in Family:
            changed = _changes(was.traffic.memory(family), proxy.traffic.memory(family))
            if not changed or (isinstance(event, events.SyncProxy) and event.node == node):
                continue
            if not isinstance(event, events.Send) or event.node != node or event.packet.family != family:
                return Violation(f"{type(event).__name__} changed what {node} remembers")
            if was.config.mode is ProxyMode.IPVS:
                continue  # each frontend remembers apart, and every packet counts (MODE-18, MODE-19)
            services = was.applied.services.by_name if was.applied else ()
            view = applied_view(was, services, family)
            wrong = changed - {one.name for one, _ in _claimants(view, event.packet)}
            if wrong:
                return Violation(f"{event.packet} changed what {node} remembers of {min(wrong)}")
    return None


def _claimants(view: NodeView, packet: Packet) -> list[tuple[ServicePortView, object]]:
    """The owners of the frontend, with a node port of that number behind them (FWD-OBJ-07)."""
    at_node_port = [
        (one, None)
        for one in view.service_ports
        if one.protocol == packet.protocol and one.node_port == packet.port != 0
    ]
    return [*owners(view, packet), *at_node_port]


def _changes(was: Memory, now: Memory) -> set[ServicePortName]:
    """The service ports whose memory differs."""
    if was is now:
        return set()
    return {
        client.service_port
        for client, target in {*was, *now}
        if was.get((client, target)) != now.get((client, target))
    }
