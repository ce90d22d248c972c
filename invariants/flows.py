"""What becomes of flows while objects and rules change: who keeps them, and who ends them."""

from collections.abc import Iterator

from invariants.applied import kept_proxies, only_owner
from invariants.invariant import Step, Violation, step_invariant
from model.addresses import Family
from model.cluster import events
from model.cluster.state import Applied, Proxy, applied_view
from model.conntrack import Cleanup, Flow, FlowKey, FlowState
from model.frontends import NodeView, ServicePortView
from model.node_config import ProxyMode
from model.objects import ObjectName
from model.outcome import Target, Verdict
from model.packet import SCTP, TCP, UDP, Origin, Packet
from model.proxy_endpoints import endpoint_text
from model.traffic import Delivery

ESTABLISHED_SECONDS = {TCP: 86_400, SCTP: 210}
"""For how long an established flow is remembered without a packet (CT-01)."""

UDP_SECONDS = 30
"""For how long the least lively UDP flow is."""


@step_invariant(
    "INV-68",
    "Outside ipvs mode, an established TCP or SCTP flow keeps its endpoint and its translation whatever "
    "happens to objects, rules and other packets, until it is closed or has long been silent.",
    source=("CT-01", "CT-06", "CT-08", "MODE-23", "MODE-24", "MODE-25"),
)
def established_flows_keep_their_endpoint(step: Step) -> Violation | None:
    for node, was, proxy in kept_proxies(step):
        if was.config.mode is ProxyMode.IPVS or was.traffic.flows is proxy.traffic.flows:
            continue
        for key, flow in was.traffic.flows.items():
            now = proxy.traffic.flows.get(key)
            kept = now is not None and (now.target, now.masqueraded) == (flow.target, flow.masqueraded)
            if _is_established(flow, step.after.now) and not kept:
                return Violation(f"on {node} the established flow {_text(flow)} {_fate(now)}")
    return _led_astray(step)


def _led_astray(step: Step) -> Violation | None:
    """A later packet of an established flow that did not go where the flow goes."""
    event, told = step.event, step.told
    if not isinstance(event, events.Send) or not isinstance(told, Delivery):
        return None
    was, packet = step.before.proxies[event.node], event.packet
    key = FlowKey(
        packet.family, packet.protocol, packet.source, event.source_port, packet.destination, packet.port
    )
    flow = was.traffic.flows.get(key)
    if flow is None or was.config.mode is ProxyMode.IPVS or not _is_established(flow, step.before.now):
        return None
    right = Verdict.PASS if flow.target is None else Verdict.DNAT
    if (told.verdict, told.target) != (right, flow.target):
        return Violation(f"a packet of the established flow {_text(flow)} gets {told.verdict.value}")
    return None


def _is_established(flow: Flow, now: int) -> bool:
    seconds = ESTABLISHED_SECONDS.get(flow.original.protocol, 0)
    return flow.state is FlowState.ESTABLISHED and now - flow.seen < seconds


def _fate(flow: Flow | None) -> str:
    return "is forgotten" if flow is None else f"has become {_text(flow)}"


# --- UDP


@step_invariant(
    "INV-69",
    "After a sync that brought a change of UDP endpoints, every UDP flow to a frontend goes to a serving "
    "endpoint of its service port, if that has any; if it has none, flows may stay up to 1.36.2 (CT-04).",
    source=("CT-02", "CT-03", "CT-04", "FWD-OBJ-08"),
)
def udp_flows_lead_to_serving_endpoints(step: Step) -> Violation | None:
    for flow, one, cleanup in stale_flows(step):
        if _serving(one) or cleanup is Cleanup.COMPLETE:
            return Violation(f"the flow {_text(flow)} of {one.name} leads to no serving endpoint")
    return None


@step_invariant(
    "INV-70",
    "The clean-up of UDP flows spares those to an address frontend whose endpoint serves that service "
    "port, unless the port is in number the UDP node port of another service port (CT-02).",
    source=("CT-02", "CT-03", "FWD-OBJ-08"),
)
def clean_up_spares_what_is_served(step: Step) -> Violation | None:
    for flow, one, view in served_flows_lost(step):
        if not any(
            other.node_port == flow.original.port and other.protocol == UDP and other is not one
            for other in view.service_ports
        ):
            return Violation(f"the flow {_text(flow)} of {one.name} is gone, though its endpoint serves")
    return None


def stale_flows(step: Step) -> Iterator[tuple[Flow, ServicePortView, Cleanup]]:
    """The UDP flows that a sync of changed UDP endpoints left although nothing serves them.

    With the one service port whose frontend each goes to. The endpoints of a service port
    are all that it may hold where slices tie (EPS-SL-08).
    """
    for view, was, proxy in _udp_syncs(step):
        if _udp_endpoints(was, view.family) == _udp_endpoints(proxy, view.family):
            continue
        for key, flow in proxy.traffic.flows.items():
            if key.protocol != UDP or key.family is not view.family:
                continue
            one = only_owner(view, _packet(key))
            if one is not None and flow.reply_source not in _serving(one):
                yield flow, one, proxy.cleanup


def served_flows_lost(step: Step) -> Iterator[tuple[Flow, ServicePortView, NodeView]]:
    """The UDP flows to address frontends that a sync ended although their endpoint serves them."""
    for view, flow in flows_lost(step):
        key = flow.original
        at = [
            one
            for one in view.service_ports
            if one.protocol == UDP
            and any((address, one.port) == (key.destination, key.port) for _, address in one.addresses)
        ]
        if len({one.name for one in at}) != 1:
            continue
        lists = at[0].endpoint_choices
        if all(flow.reply_source in {Target(e.address, e.port) for e in x if e.serving} for x in lists):
            yield flow, at[0], view


def flows_lost(step: Step) -> Iterator[tuple[NodeView, Flow]]:
    """The UDP flows that a sync ended, and not time."""
    for view, was, proxy in _udp_syncs(step):
        for key, flow in was.traffic.flows.items():
            of_view = key.protocol == UDP and key.family is view.family
            if of_view and key not in proxy.traffic.flows and step.after.now - flow.seen < UDP_SECONDS:
                yield view, flow


def is_to_a_frontend(view: NodeView, flow: Flow) -> bool:
    """Whether the flow's first packet went to a frontend of any UDP service port."""
    key = flow.original
    by_address = any(
        (address, one.port) == (key.destination, key.port) and one.protocol == UDP
        for one in view.service_ports
        for _, address in one.addresses
    )
    return by_address or only_owner(view, _packet(key)) is not None


def _udp_syncs(step: Step) -> Iterator[tuple[NodeView, Proxy, Proxy]]:
    """A sync of a node that knows UDP flows: each family's view after it, and the proxy around it."""
    if not isinstance(step.event, events.SyncProxy):
        return
    for node, was, proxy in kept_proxies(step):
        if node != step.event.node or proxy.applied is None or proxy.config.mode is ProxyMode.IPVS:
            continue
        for family in Family:
            if any(key.protocol == UDP and key.family is family for key in was.traffic.flows):
                yield applied_view(proxy, proxy.applied.services.by_name, family), was, proxy


def _udp_endpoints(proxy: Proxy, family: Family) -> frozenset[tuple[ObjectName, str, object, object, bool]]:
    """Service, port name, number, place and whether it serves, of every UDP endpoint applied."""
    return frozenset(
        (one.service, port.name, port.port, endpoint.addresses[:1], endpoint.serving is not False)
        for one in (proxy.applied or Applied()).slices.by_name.values()
        if one.service is not None and one.address_type == family.value and not one.headless
        for port in one.ports
        if port.protocol == "UDP" and port.port
        for endpoint in one.endpoints
        if endpoint.addresses
    )


def _serving(one: ServicePortView) -> set[Target]:
    """CT-03: whatever else is true of them."""
    return {
        Target(each.address, each.port) for choice in one.endpoint_choices for each in choice if each.serving
    }


def _packet(key: FlowKey) -> Packet:
    return Packet(key.family, Origin.WIRE, key.source, key.destination, key.protocol, key.port)


def _text(flow: Flow) -> str:
    key = flow.original
    client = endpoint_text(key.family, key.source, key.source_port)
    frontend = endpoint_text(key.family, key.destination, key.port)
    target = flow.reply_source
    return f"{client} -> {frontend} -> {endpoint_text(key.family, target.address, target.port)}"
