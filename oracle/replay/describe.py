"""What an event led to, in facts for expectations and in words: allocations, writes, flows."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from rpds import HashTrieMap

from model.addresses import Family, format_address
from model.api.json_form import to_tree
from model.api.service_storage import Accepted
from model.cluster.state import ClusterState
from model.cluster.transition import Answer
from model.conntrack import Flow
from model.objects import EndpointPort, Endpoints, EndpointSlice, ObjectName
from model.outcome import Outcome
from model.packet import PROTOCOL_NAMES
from model.traffic import Delivery
from oracle.admission.changes import leaves
from oracle.replay.entries import Fact, Said
from oracle.report.wording import outcome_text, target_text

_BOOKKEEPING = ("metadata.uid", "metadata.resourceVersion")


def answered(answer: Answer) -> Said:
    """What the author of an event is told."""
    match answer:
        case Accepted():
            facts: dict[str, Fact] = {
                field: value
                for field, value in leaves(to_tree(answer.service))
                if isinstance(value, str | int | bool) and field not in _BOOKKEEPING
            }
            facts["warnings"] = answer.warnings
            warned = tuple(f"warning: {text}" for text in answer.warnings)
            return Said((*_holdings(answer), *warned), facts)
        case Delivery():
            return _delivered(answer)
        case None:
            return Said((), {})
        case _:
            lines = tuple(f"{one.reason.value}: {one.service} {one.value}" for one in answer)
            facts = {"events": tuple(one.reason.value for one in answer)}
            return Said(lines or ("finds nothing to report",), facts)


def outcome_facts(outcome: Outcome, family: Family) -> dict[str, Fact]:
    """An outcome as facts; `odds` maps each target to its exact probability."""
    odds: dict[str, Fraction] = {}
    for leaf in outcome.leaves:
        if leaf.target is not None:
            text = target_text(family, leaf.target)
            odds[text] = odds.get(text, Fraction(0)) + leaf.odds
    masqueraded = {leaf.masquerade for leaf in outcome.leaves}
    return {
        "verdict": outcome.verdict.value,
        "targets": tuple(odds),
        "odds": {text: str(share) for text, share in odds.items()},
        # Endpoints may differ (hairpin): then it is neither.
        "masquerade": masqueraded.pop() if len(masqueraded) == 1 else None,
        "affinity": outcome.affinity_seconds,
    }


def changes(before: ClusterState, after: ClusterState) -> Iterator[str]:
    """What has been written and applied between two states, a line each."""
    for name in _differing(before.services.by_name, after.services.by_name):
        if name not in after.services.by_name:
            yield f"Service {name} is gone"
    for name in _differing(before.slices.by_name, after.slices.by_name):
        one = after.slices.by_name.get(name)
        yield f"slice {name} is gone" if one is None else f"slice {name}: {slice_text(one)}"
    for name in _differing(before.endpoints, after.endpoints):
        held = after.endpoints.get(name)
        yield f"Endpoints {name} is gone" if held is None else f"Endpoints {name}: {endpoints_text(held)}"
    for name in _differing(before.pods.by_name, after.pods.by_name):
        if name not in after.pods.by_name:
            yield f"pod {name} is gone"
    applied = [
        node for node in sorted(after.proxies) if _seen(after, node) not in (None, _seen(before, node))
    ]
    if applied:
        yield f"rules written on {', '.join(applied)}"
    for node in sorted(after.proxies):
        old = before.proxies[node].traffic.flows if node in before.proxies else {}
        gone = [flow for key, flow in old.items() if key not in after.proxies[node].traffic.flows]
        yield from (f"{node} forgets {flow_text(flow)}" for flow in gone)


def slice_text(one: EndpointSlice) -> str:
    """`10.244.1.5 ready, 10.244.1.6 not ready; ports http 8080/TCP`."""
    ends = ", ".join(
        f"{', '.join(end.addresses)} {_condition(end.ready, end.serving, end.terminating)}"
        for end in one.endpoints
    )
    return f"{ends or 'no endpoints'}{_ports(one.ports)}"


def endpoints_text(one: Endpoints) -> str:
    """As `slice_text`, subset by subset."""
    parts = []
    for subset in one.subsets:
        ends = [f"{item.ip} ready" for item in subset.addresses]
        ends += [f"{item.ip} not ready" for item in subset.not_ready_addresses]
        parts.append(f"{', '.join(ends)}{_ports(subset.ports)}")
    return " | ".join(parts) or "no endpoints"


def flow_text(flow: Flow) -> str:
    """`10.244.1.9:40000 -> 10.96.0.10:53/udp to 10.244.1.5:53, both sides have sent`."""
    key = flow.original

    def place(address: int, port: int) -> str:
        text = format_address(key.family, address)
        return f"[{text}]:{port}" if key.family is Family.IPV6 else f"{text}:{port}"

    protocol = PROTOCOL_NAMES.get(key.protocol, str(key.protocol))
    path = f"{place(key.source, key.source_port)} -> {place(key.destination, key.port)}/{protocol}"
    to = f" to {target_text(key.family, flow.target)}" if flow.target else ""
    return f"{path}{to}, {flow.state.value}"


def _delivered(delivery: Delivery) -> Said:
    target = flow = None
    if delivery.flow is not None:
        flow = delivery.flow
        family = flow.original.family
        target = target_text(family, delivery.target) if delivery.target else None
    facts: dict[str, Fact] = {
        "verdict": delivery.verdict.value,
        "target": target,
        "masquerade": delivery.masquerade,
        "new": delivery.is_new,
        "service-port": str(flow.service_port) if flow and flow.service_port else None,
    }
    fate = {"dnat": f"to {target}", "pass": "not translated"}.get(
        delivery.verdict.value, delivery.verdict.name
    )
    fate += ", masqueraded" if delivery.masquerade else ""
    if not delivery.is_new:
        return Said((f"{fate}, as its connection went before",), facts)
    why = ""
    if delivery.outcome is not None and flow is not None and len(delivery.outcome.leaves) > 1:
        why = f" (of {outcome_text(delivery.outcome, flow.original.family)})"
    return Said((f"{fate}, a new connection{why}",), facts)


def _holdings(accepted: Accepted) -> Iterator[str]:
    """The addresses and numbers that the Service holds now."""
    spec = accepted.service.spec
    parts = []
    if any(spec.cluster_ips):
        parts.append(f"cluster IP {', '.join(spec.cluster_ips)}")
    ports = [f"{port.port}/{port.protocol} at {port.node_port}" for port in spec.ports if port.node_port]
    if ports:
        parts.append(f"node port {', '.join(ports)}")
    if spec.health_check_node_port:
        parts.append(f"health check node port {spec.health_check_node_port}")
    if spec.external_name:
        parts.append(f"external name {spec.external_name}")
    parts = [spec.type, *parts]
    yield ", ".join(parts)


def _differing(
    before: "HashTrieMap[ObjectName, Any]", after: "HashTrieMap[ObjectName, Any]"
) -> list[ObjectName]:
    """The names whose object is new, gone or another one."""
    if before == after:
        return []
    return [name for name in sorted({*before, *after}) if before.get(name) != after.get(name)]


def _condition(ready: bool | None, serving: bool | None, terminating: bool | None) -> str:
    word = "not ready" if ready is False else "ready"
    if terminating:
        word = "terminating, " + ("still serving" if serving else "not serving")
    return word


def _ports(ports: tuple[EndpointPort, ...]) -> str:
    shown = ", ".join(
        f"{port.name + ' ' if port.name else ''}{'all' if port.port is None else port.port}/{port.protocol}"
        for port in ports
    )
    return f" on {shown}" if shown else ""


def _seen(state: ClusterState, node: str) -> tuple[int, int] | None:
    """Up to which write of each kind the node's rules go."""
    proxy = state.proxies.get(node)
    if proxy is None or proxy.applied is None:
        return None
    return proxy.applied.services.changes.last, proxy.applied.slices.changes.last
