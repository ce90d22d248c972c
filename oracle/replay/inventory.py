"""What is there at a moment of a history: objects, pools, flows, one by one or all of a kind."""

from collections.abc import Callable, Mapping

import yaml

from model.api import objects as api
from model.api.json_form import to_tree
from model.cluster.state import ClusterState
from model.objects import Endpoint, ObjectName, Pod
from oracle.admission.changes import leaves
from oracle.replay.describe import endpoints_text, flow_text, slice_text
from oracle.replay.entries import Fact, Said, Unanswerable

NAMED = ("service", "slices", "endpoints", "pod", "node-port", "address", "flows")


def listed(state: ClusterState, word: str) -> Said:
    """Everything of a kind, a line each; the fact `count` is how many there are."""
    lines = LISTS[word](state)
    return Said(lines or ("none",), {"count": len(lines)})


def named(state: ClusterState, kind: str, name: str | int) -> Said:
    """One thing. What is not there has the fact `exists: false` and no others."""
    if kind == "node-port":
        return _held(str(name), state.registry.node_ports.get(int(name)), _carrying_port(state, int(name)))
    if kind == "address":
        text = str(name)
        return _held(text, state.registry.ip_owners.get(text), _carrying_address(state, text))
    if kind == "flows":
        return _flows(state, str(name))
    of = ObjectName(*str(name).split("/", 1))
    return {"service": _service, "slices": _slices, "endpoints": _endpoints, "pod": _pod}[kind](state, of)


def _service(state: ClusterState, name: ObjectName) -> Said:
    service = state.registry.services.get(name)
    if service is None:
        return _MISSING
    tree = to_tree(service)
    facts: dict[str, Fact] = {
        field: value for field, value in leaves(tree) if isinstance(value, str | int | bool)
    }
    shown = {key: value for key, value in tree.items() if key != "metadata"}
    lines = yaml.safe_dump(shown, sort_keys=False, default_flow_style=None).splitlines()
    return Said(tuple(lines), {**facts, "exists": True})


def _slices(state: ClusterState, name: ObjectName) -> Said:
    """The addresses of all slices of a Service, by what proxies make of their conditions (EPS-COND-03)."""
    found = state.slices.of(name)

    def of(chosen: Callable[[Endpoint], bool]) -> tuple[str, ...]:
        ends = (end for one in found for end in one.endpoints if chosen(end))
        return tuple(sorted({address for end in ends for address in end.addresses}))

    facts: dict[str, Fact] = {
        "count": len(found),
        "ready": of(lambda end: end.ready is not False),
        "serving": of(lambda end: end.serving if end.serving is not None else end.ready is not False),
        "terminating": of(lambda end: end.terminating is True),
        "addresses": of(lambda _: True),
    }
    return Said(tuple(f"{one.name}: {slice_text(one)}" for one in found) or ("none",), facts)


def _endpoints(state: ClusterState, name: ObjectName) -> Said:
    one = state.endpoints.get(name)
    if one is None:
        return _MISSING
    ready = sorted({item.ip for subset in one.subsets for item in subset.addresses})
    waiting = sorted({item.ip for subset in one.subsets for item in subset.not_ready_addresses})
    return Said((endpoints_text(one),), {"exists": True, "ready": tuple(ready), "not-ready": tuple(waiting)})


def _pod(state: ClusterState, name: ObjectName) -> Said:
    pod = state.pods.by_name.get(name)
    if pod is None:
        return _MISSING
    facts: dict[str, Fact] = {
        "exists": True,
        "node": pod.node_name,
        "ips": pod.ips,
        "phase": pod.phase,
        "ready": pod.ready,
        "terminating": pod.terminating,
    }
    return Said((_pod_text(pod),), facts)


def _flows(state: ClusterState, node: str) -> Said:
    if node not in state.proxies:
        raise Unanswerable(f"there is no node {node}")
    lines = tuple(sorted(map(flow_text, state.proxies[node].traffic.flows.values())))
    return Said(lines or ("none",), {"count": len(lines), "flows": lines})


def _held(what: str, owner: ObjectName | None, carrying: tuple[str, ...]) -> Said:
    """A number or address: whether the pool has it, and which Services carry it (ALLOC-NP-09)."""
    word = f"allocated for {owner}" if owner else "free"
    line = f"{what} is {word}; carried by {', '.join(carrying) or 'nobody'}"
    return Said((line,), {"allocated": owner is not None, "carried-by": carrying})


def _carrying_port(state: ClusterState, number: int) -> tuple[str, ...]:
    def carries(service: api.Service) -> bool:
        numbers = [port.node_port for port in service.spec.ports]
        return number in (*numbers, service.spec.health_check_node_port)

    return _names(state, carries)


def _carrying_address(state: ClusterState, text: str) -> tuple[str, ...]:
    return _names(state, lambda service: text in service.spec.cluster_ips)


def _names(state: ClusterState, chosen: Callable[[api.Service], bool]) -> tuple[str, ...]:
    found = (name for name, one in state.registry.services.items() if chosen(one))
    return tuple(str(name) for name in sorted(found))


def _pod_text(pod: Pod) -> str:
    words = [pod.phase, "ready" if pod.ready else "not ready", *(["terminating"] if pod.terminating else [])]
    where = f" on {pod.node_name} at {', '.join(pod.ips) or 'no address'}" if pod.node_name else ""
    return f"{pod.name}{where}, {', '.join(words)}"


def _service_text(service: api.Service) -> str:
    spec = service.spec
    ports = ", ".join(
        f"{port.port}/{port.protocol}{f' at {port.node_port}' if port.node_port else ''}"
        for port in spec.ports
    )
    return f"{service.object_name} {spec.type} {', '.join(spec.cluster_ips) or spec.external_name} {ports}"


def _service_lines(state: ClusterState) -> tuple[str, ...]:
    return tuple(_service_text(state.registry.services[name]) for name in sorted(state.registry.services))


def _slice_lines(state: ClusterState) -> tuple[str, ...]:
    held = state.slices.by_name
    return tuple(f"{name}: {slice_text(held[name])}" for name in sorted(held))


def _endpoints_lines(state: ClusterState) -> tuple[str, ...]:
    return tuple(f"{name}: {endpoints_text(state.endpoints[name])}" for name in sorted(state.endpoints))


def _pod_lines(state: ClusterState) -> tuple[str, ...]:
    return tuple(_pod_text(state.pods.by_name[name]) for name in sorted(state.pods.by_name))


def _node_lines(state: ClusterState) -> tuple[str, ...]:
    return tuple(
        f"{name}, {'ready' if state.nodes[name].ready else 'not ready'}" for name in sorted(state.nodes)
    )


def _proxy_lines(state: ClusterState) -> tuple[str, ...]:
    def text(node: str) -> str:
        proxy = state.proxies[node]
        runs = "runs" if proxy.running else "stopped"
        if proxy.applied is None:
            return f"{node} {runs}, has written no rules yet"
        behind = (
            state.services.changes.last
            - proxy.applied.services.changes.last
            + state.slices.changes.last
            - proxy.applied.slices.changes.last
        )
        return f"{node} {runs}, rules of {proxy.synced_at} s, {behind} writes behind"

    return tuple(text(node) for node in sorted(state.proxies))


LISTS: Mapping[str, Callable[[ClusterState], tuple[str, ...]]] = {
    "services": _service_lines,
    "slices": _slice_lines,
    "endpoints": _endpoints_lines,
    "pods": _pod_lines,
    "nodes": _node_lines,
    "proxies": _proxy_lines,
}

_MISSING = Said(("there is none",), {"exists": False})
