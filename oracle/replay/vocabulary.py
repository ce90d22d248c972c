"""Every event of a history by the name that people give it; docs/replay.md lists them.

Law: each class of `model.cluster.events.Event` can be caused by some name, a test counts.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

import attrs

from model.cluster import events
from model.cluster.events import Event, Pool, Sees
from model.cluster.state import ClusterState
from model.traffic import Close
from oracle.replay import questions, requests
from oracle.replay.entries import Attempt, Maker, Question, Settings, Settle
from oracle.replay.things import (
    PACKET_KEYS,
    address,
    asked_packet,
    fraction,
    object_name,
    seconds,
    written_node,
    written_pod,
)
from oracle.replay.tree import Item

Read = tuple[str, Attempt | Question | Settle]


@attrs.frozen
class Context:
    """What an entry is read with: the folder that its files are named from, and the settings."""

    folder: Path
    settings: Settings
    dry_run: bool = False


Reader = Callable[[Item, Context], Read]


def _object_reader(verb: str) -> Reader:
    def read(item: Item, context: Context) -> Read:
        settings = context.settings
        proxies = {name: {**settings.proxy, **own} for name, own in settings.proxies.items()}
        return requests.objects_event(
            item, verb, context.folder, {"": settings.proxy, **proxies}, dry_run=context.dry_run
        )

    return read


def _event(subject: object, event: Event) -> Read:
    return str(subject), Attempt((lambda _state, _seed: event,))


def _pod(item: Item, _: Context) -> Read:
    written = written_pod(item)
    return str(written.pod.name), Attempt(requests.pod_makers(written))


def _schedule(item: Item, _: Context) -> Read:
    fields = item.fields(needed=("pod", "node"))
    name, node = object_name(fields["pod"]), fields["node"].text()
    return _event(f"{name} to {node}", events.SchedulePod(name, node))


def _start(item: Item, _: Context) -> Read:
    if isinstance(item.value, str):
        return _event(object_name(item), events.StartPod(object_name(item)))
    fields = item.fields("ip", needed=("pod",))
    ips = tuple(map(address, fields["ip"].one_or_more())) if "ip" in fields else ()
    name = object_name(fields["pod"])
    return _event(f"{name} {', '.join(ips)}".strip(), events.StartPod(name, ips))


def _ready(item: Item, _: Context) -> Read:
    return _event(object_name(item), events.SetPodReady(object_name(item), ready=True))


def _unready(item: Item, _: Context) -> Read:
    return _event(object_name(item), events.SetPodReady(object_name(item), ready=False))


def _terminate(item: Item, _: Context) -> Read:
    return _event(object_name(item), events.TerminatePod(object_name(item)))


def _finish(item: Item, _: Context) -> Read:
    if isinstance(item.value, str):
        return _event(object_name(item), events.FinishPod(object_name(item)))
    fields = item.fields("failed", needed=("pod",))
    name = object_name(fields["pod"])
    failed = fields["failed"].boolean() if "failed" in fields else False
    return _event(name, events.FinishPod(name, failed=failed))


def _node(item: Item, context: Context) -> Read:
    name = item.entries().get("name")
    own = context.settings.proxies.get(str(name.value), {}) if name else {}
    written = written_node(item, {**context.settings.proxy, **own})
    return _event(written.node.name, events.AddNode(written.node, written.config, written.cleanup))


def _label(item: Item, _: Context) -> Read:
    fields = item.fields(needed=("node", "labels"))
    name = fields["node"].text()
    added = dict(fields["labels"].pairs())
    given = {key: added.get(key) for key in fields["labels"].value}  # null takes a label away

    def make(state: ClusterState, _seed: int) -> Event:
        node = state.nodes.get(name)
        labels = {**dict(node.labels if node else ()), **given}
        kept = tuple(sorted((key, value) for key, value in labels.items() if value is not None))
        return events.RelabelNode(name, kept)

    return name, Attempt((make,))


def _node_ready(item: Item, _: Context) -> Read:
    return _event(item.text(), events.SetNodeReady(item.text(), ready=True))


def _node_unready(item: Item, _: Context) -> Read:
    return _event(item.text(), events.SetNodeReady(item.text(), ready=False))


def _remove(item: Item, _: Context) -> Read:
    return _event(item.text(), events.RemoveNode(item.text()))


def _sync_slices(item: Item, _: Context) -> Read:
    if isinstance(item.value, str):
        return _event(object_name(item), events.SyncSlices(object_name(item)))
    fields = item.fields("writes", needed=("service",))
    name = object_name(fields["service"])
    writes = fields["writes"].number() if "writes" in fields else None
    return _event(name, events.SyncSlices(name, writes))


def _mirror(item: Item, _: Context) -> Read:
    if isinstance(item.value, str):
        return _event(object_name(item), events.MirrorEndpoints(object_name(item)))
    fields = item.fields("writes", needed=("service",))
    name = object_name(fields["service"])
    writes = fields["writes"].number() if "writes" in fields else None
    return _event(name, events.MirrorEndpoints(name, writes))


def _sync_endpoints(item: Item, _: Context) -> Read:
    return _event(object_name(item), events.SyncEndpoints(object_name(item)))


def _collect_garbage(item: Item, _: Context) -> Read:
    return _event(object_name(item), events.CollectGarbage(object_name(item)))


def _repair(item: Item, _: Context) -> Read:
    word = item.choice("node-ports", "cluster-ips")
    return _event(word, events.Repair({"node-ports": Pool.NODE_PORTS, "cluster-ips": Pool.CLUSTER_IPS}[word]))


def _finalize(_: Item, __: Context) -> Read:
    return _event("", events.FinalizeServiceCIDRs())


def _ensure_kubernetes(_: Item, __: Context) -> Read:
    return "", Attempt((lambda _state, seed: events.EnsureKubernetesService(seed),))


def _proxy(item: Item, _: Context) -> Read:
    fields = item.fields("sync", "stop", "start", "sees")
    done = [word for word in ("sync", "stop", "start") if word in fields]
    if len(done) != 1:
        raise item.fault("say one of sync, stop, start, such as {sync: node-a}")
    word = done[0]
    if "sees" in fields and word != "sync":
        raise fields["sees"].fault("only a sync sees something")
    choices = tuple(one.value for one in Sees)
    sees = Sees(fields["sees"].choice(*choices) if "sees" in fields else "all")
    nodes = fields[word].texts()
    makers: dict[str, Callable[[str], Event]] = {
        "sync": lambda node: events.SyncProxy(node, sees),
        "stop": events.StopProxy,
        "start": events.StartProxy,
    }
    caused = [makers[word](node) for node in nodes]
    return f"{word} on {', '.join(nodes)}", Attempt(tuple(_always(event) for event in caused))


def _always(event: Event) -> Maker:
    return lambda _state, _seed: event


def _send(item: Item, _: Context) -> Read:
    fields = item.fields("chance", "choice", "answered", *PACKET_KEYS, needed=("node", "from", "to"))
    asked = asked_packet(item, fields, needs_source_port=True)
    chance = fraction(fields["chance"]) if "chance" in fields else None
    choice = fields["choice"].number() if "choice" in fields else 0
    answered = fields["answered"].boolean() if "answered" in fields else True

    def make(state: ClusterState, _seed: int) -> Event:
        sent = events.Send(asked.node, asked.packet(state), asked.source_port or 0, choice=choice)
        sent = attrs.evolve(sent, answered=answered)
        return sent if chance is None else attrs.evolve(sent, chance=chance)

    port = f":{asked.source_port}" if asked.source_port else ""
    return f"{asked.node} {asked.source}{port} -> {asked.to}", Attempt((make,))


def _close(item: Item, _: Context) -> Read:
    fields = item.fields("how", *PACKET_KEYS, needed=("node", "from", "to"))
    asked = asked_packet(item, fields, needs_source_port=True)
    words = {"both-sides": Close.BOTH_SIDES, "one-side": Close.ONE_SIDE, "reset": Close.RESET}
    how = words[fields["how"].choice(*words) if "how" in fields else "both-sides"]

    def make(state: ClusterState, _seed: int) -> Event:
        return events.CloseConnection(asked.node, asked.packet(state), asked.source_port or 0, how)

    return f"{asked.subject}, {how.value}", Attempt((make,))


def _tick(item: Item, _: Context) -> Read:
    return _event(f"{seconds(item)} s", events.Tick(seconds(item)))


def _settle(_: Item, __: Context) -> Read:
    return "", Settle()


READERS: Mapping[str, Reader] = {
    "create": _object_reader("create"),
    "apply": _object_reader("apply"),
    "update": _object_reader("update"),
    "patch": lambda item, context: requests.patch_event(item, dry_run=context.dry_run),
    "delete": lambda item, context: requests.delete_event(item, dry_run=context.dry_run),
    "status": lambda item, _: requests.status_event(item),
    "pod": _pod,
    "schedule": _schedule,
    "start": _start,
    "ready": _ready,
    "unready": _unready,
    "terminate": _terminate,
    "finish": _finish,
    "node": _node,
    "label": _label,
    "node-ready": _node_ready,
    "node-unready": _node_unready,
    "remove": _remove,
    "sync-slices": _sync_slices,
    "sync-endpoints": _sync_endpoints,
    "mirror": _mirror,
    "collect-garbage": _collect_garbage,
    "repair": _repair,
    "finalize-service-cidrs": _finalize,
    "ensure-kubernetes-service": _ensure_kubernetes,
    "proxy": _proxy,
    "send": _send,
    "close": _close,
    "tick": _tick,
    "settle": _settle,
    "ask": lambda item, _: questions.ask(item),
    "dns": lambda item, context: questions.resolution(item, context.settings.dns),
    "health": lambda item, _: questions.health_check(item),
    "healthz": lambda item, _: questions.healthz_check(item),
    "show": lambda item, _: questions.show(item),
}

MAY_BE_EMPTY = frozenset(("settle", "finalize-service-cidrs", "ensure-kubernetes-service"))
"""Names that say all: they are written alone, or with nothing after the colon."""

DRY_RUN = frozenset(("create", "apply", "update", "patch", "delete"))
