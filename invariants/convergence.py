"""How nodes come to act on what the API says: each sync whole, and in the end all alike."""

from collections.abc import Iterable, Iterator
from typing import Any

from rpds import HashTrieMap

from invariants.applied import OUTSIDE, kept_proxies
from invariants.invariant import Step, Violation, eventual_invariant, step_invariant
from model.addresses import Family, parse_address
from model.cluster import events, questions
from model.cluster.state import Applied, ClusterState, Proxy
from model.cluster.watched import Services, Slices
from model.expectation import expect
from model.frontends import NodeView, node_view
from model.intervals import contains
from model.node_config import ProxyMode
from model.objects import ObjectName
from model.packet import SCTP, TCP, Origin, Packet

SHORTEST_SECONDS = {TCP: 10, SCTP: 3}
"""How long any flow is remembered, by protocol; of the others at least 30 (CT-01)."""


@step_invariant(
    "INV-71",
    "What a node acts on changes only by its own proxy's sync, and then, of Services as of slices, to all "
    "that the API holds at that moment; never to a mixture with what was there before.",
    source=("SYNC-01", "SYNC-02"),
)
def a_sync_applies_all_of_a_watch_or_nothing(step: Step) -> Violation | None:
    """A real node may act on the new services a moment before the new slices (`Sees`).

    In iptables mode its filter table is in force a moment before its nat table; the model
    has no such moment.
    """
    for node, was, proxy in kept_proxies(step):
        if was.applied is proxy.applied:
            continue
        if not isinstance(step.event, events.SyncProxy) or step.event.node != node or proxy.applied is None:
            return Violation(f"{type(step.event).__name__} changed what {node} acts on")
        old = was.applied or Applied()
        for what, now, before, live in (
            ("Services", _items(proxy.applied.services), _items(old.services), step.before.services),
            ("slices", _items(proxy.applied.slices), _items(old.slices), step.before.slices),
        ):
            if not (now == _items(live) or (was.applied is not None and now == before)):
                return Violation(f"{node} has applied {what}, neither the former nor the present ones")
    return None


def _items(watched: Services | Slices) -> "HashTrieMap[Any, Any]":
    return watched.by_name


@eventual_invariant(
    "INV-72",
    "Once controllers and proxies are done, every node acts on exactly what the API holds, and does with "
    "packets what the contract says of those objects, whatever happened before.",
    source=("SYNC-01", "SYNC-02", "SYNC-03"),
)
def every_node_comes_to_what_the_api_says(state: ClusterState) -> Violation | None:
    """Nodes whose proxy does not run are not spoken of; flows and memories are left aside."""
    objects = state.objects()
    for name in sorted(state.proxies):
        proxy = state.proxies[name]
        if not proxy.running:
            continue
        applied = proxy.applied
        if applied is None or not (
            applied.services.by_name == state.services.by_name
            and applied.slices.by_name == state.slices.by_name
            and proxy.config.zone == state.nodes[name].zone
        ):
            return Violation(f"{name} does not act on what the API holds")
        if proxy.config.mode is ProxyMode.IPVS:
            continue
        for family in Family:
            view = node_view(objects, proxy.config, family)
            for packet in packets_to_frontends(view):
                if questions.fate(state, name, packet) != expect(view, packet):
                    return Violation(f"{name} does not do with {packet} what the objects call for")
    return None


def packets_to_frontends(view: NodeView) -> Iterator[Packet]:
    """From outside, from a pod and from the node itself to every frontend, and to one port beside."""
    places = {(address, one.protocol, one.port) for one in view.service_ports for _, address in one.addresses}
    own = view.config.primary_address(view.family)
    if own is not None:
        places |= {(own, one.protocol, one.node_port) for one in view.service_ports if one.node_port}
        places.add((own, TCP, 9))
    sources = [(Origin.WIRE, parse_address(OUTSIDE[view.family])[1])]
    sources += [(Origin.WIRE, low + 1) for low, _ in view.pod_sources or ()]
    sources += [(Origin.NODE, own)] if own is not None and contains(view.local_addresses, own) else []
    for destination, protocol, port in sorted(places):
        for origin, source in sources:
            yield Packet(view.family, origin, source, destination, protocol, port)


@step_invariant(
    "INV-73",
    "A sync to which nothing is new changes no rule, ends no flow and forgets no client; and rules are "
    "the same in whatever order the objects became known.",
    source=("SYNC-01", "CT-02", "AFF-05"),
)
def syncs_are_idempotent_and_know_no_order(step: Step) -> Violation | None:
    if not isinstance(step.event, events.SyncProxy):
        return None
    for node, was, proxy in kept_proxies(step):
        if proxy.applied is None or node != step.event.node:
            continue
        if not _is_indexed_alike(proxy.applied, _known_in_reverse(proxy.applied)):
            return Violation(f"{node} would act otherwise, had it heard of the objects in another order")
        if _nothing_is_new(step, was):
            changed = _what_changed(was, proxy, step.after.now)
            if changed:
                return Violation(f"a sync of {node} to which nothing was new changed {changed}")
    return None


def _nothing_is_new(step: Step, was: Proxy) -> bool:
    state = step.before
    return (
        was.applied is not None
        and was.applied.services.by_name == state.services.by_name
        and was.applied.slices.by_name == state.slices.by_name
        and was.applied.slices.changes.last == state.slices.changes.last
        and was.config.zone == state.nodes[was.config.name].zone
    )


def _what_changed(was: Proxy, proxy: Proxy, now: int) -> str:
    rules_before, rules = was.applied or Applied(), proxy.applied or Applied()
    if not _is_indexed_alike(rules_before, rules) or was.config != proxy.config:
        return "its rules"
    kept = proxy.traffic.flows
    for key, flow in was.traffic.flows.items():
        if now - flow.seen < SHORTEST_SECONDS.get(key.protocol, 30) and kept.get(key) != flow:
            return "a flow"
    if any(dict(was.traffic.memory(family)) != dict(proxy.traffic.memory(family)) for family in Family):
        return "what it remembers of clients"
    return ""


def _is_indexed_alike(one: Applied, other: Applied) -> bool:
    return (
        one.services.by_name == other.services.by_name
        and one.services.claimants == other.services.claimants
        and one.slices.by_name == other.slices.by_name
        and one.slices.of_service == other.slices.of_service
    )


def _known_in_reverse(applied: Applied) -> Applied:
    """The same objects, as if the last of them by name had become known first."""
    services, slices = Services(), Slices()
    for name in _backward(applied.services.by_name):
        services = services.put(applied.services.by_name[name], 0)
    for name in _backward(applied.slices.by_name):
        slices = slices.put(applied.slices.by_name[name], 0)
    return Applied(services, slices)


def _backward(names: Iterable[ObjectName]) -> list[ObjectName]:
    return sorted(names, reverse=True)
