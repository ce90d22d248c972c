"""The events of a history that write objects: create, apply, patch, delete, status."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs

from model.api import objects as api
from model.api.json_form import from_tree
from model.api.patches import PatchType, patched
from model.api.refusal import Reason, Refused
from model.cluster import events
from model.cluster.events import Event
from model.cluster.state import ClusterState
from model.errors import InputError
from model.load.convert import KINDS as READ_KINDS
from model.load.text import parse_documents
from model.load.walk import Found, faults_named, find_objects
from model.objects import Node, ObjectName, Pod
from oracle.admission.reading import KINDS, Given, given_object
from oracle.bundle import read_text_source
from oracle.replay.entries import Attempt, Maker
from oracle.replay.things import WrittenPod, node_with_proxy, object_name
from oracle.replay.tree import Item

Read = tuple[str, Attempt]
"""Whom an event is about, and what it does."""


def objects_event(
    item: Item, verb: str, folder: Path, settings: Mapping[str, Mapping[str, object]], *, dry_run: bool
) -> Read:
    """`create`, `apply` or `update` of an object written here, of a file's objects, or of several."""
    makers: list[Maker] = []
    subjects: list[str] = []
    for one in item.one_or_more():
        for found in _found(one, folder):
            subject, made = _object(found, one, verb, settings, dry_run=dry_run)
            subjects.append(subject)
            makers += made
    if not makers:
        raise item.fault("holds no objects")
    return ", ".join(subjects), Attempt(tuple(makers))


def patch_event(item: Item, *, dry_run: bool) -> Read:
    """`patch: {service: NAME, spec: ..., metadata: ...}`, merged as `kubectl patch` does."""
    fields = item.fields("metadata", "spec", needed=("service",))
    name = object_name(fields["service"])
    tree: dict[str, Any] = {key: item.value[key] for key in ("metadata", "spec") if key in fields}

    def make(state: ClusterState, seed: int) -> Event:
        stored = state.registry.services.get(name)
        service = patched(stored, tree, PatchType.STRATEGIC_MERGE, name)
        return events.UpdateService(service, dry_run=dry_run, seed=seed)

    return f"Service {name}", Attempt((make,))


def delete_event(item: Item, *, dry_run: bool) -> Read:
    """`delete: {service: NAME}`, or of endpoints, slice, service-cidr, pod, node."""
    fields = item.fields("service", "endpoints", "slice", "service-cidr", "pod", "node")
    if len(fields) != 1:
        raise item.fault("name one object, such as {service: shop/web}")
    ((kind, name_item),) = fields.items()
    if kind in ("service-cidr", "node"):
        name = name_item.text()
        event: Event = events.RemoveNode(name) if kind == "node" else events.DeleteServiceCIDR(name)
        return f"{kind} {name}", Attempt((_always(event),))
    named = object_name(name_item)
    deletions: Mapping[str, Event] = {
        "service": events.DeleteService(named, dry_run=dry_run),
        "endpoints": events.DeleteEndpoints(named),
        "slice": events.DeleteSlice(named),
        "pod": events.DeletePod(named),
    }
    return f"{kind} {named}", Attempt((_always(deletions[kind]),))


def status_event(item: Item) -> Read:
    """`status: {service: NAME, ingress: [...]}`, as a load balancer controller writes it.

    An ingress is an address, or a mapping as in status.loadBalancer.ingress.
    """
    fields = item.fields("ingress", needed=("service",))
    name = object_name(fields["service"])
    given = fields["ingress"].one_or_more() if "ingress" in fields else ()
    tree = [one.value if isinstance(one.value, dict) else {"ip": one.text()} for one in given]

    def make(state: ClusterState, _seed: int) -> Event:
        status = from_tree(api.ServiceStatus, {"loadBalancer": {"ingress": tree}})
        stored = state.registry.services.get(name)
        bare = stored or api.Service(api.Metadata(name=name.name, namespace=name.namespace))
        return events.UpdateServiceStatus(attrs.evolve(bare, status=status))

    return f"Service {name}", Attempt((make,))


def pod_makers(written: WrittenPod) -> tuple[Maker, ...]:
    """Everything that has happened to a pod that has come as far as it is written."""
    name = written.pod.name
    steps: list[Event] = [events.CreatePod(written.pod)]
    if written.node:
        steps.append(events.SchedulePod(name, written.node))
        if written.ips or written.pod.host_network:
            steps.append(events.StartPod(name, written.ips))
    if written.ready:
        steps.append(events.SetPodReady(name, ready=True))
    return tuple(_always(event) for event in steps)


def _always(event: Event) -> Maker:
    return lambda _state, _seed: event


def _found(item: Item, folder: Path) -> Iterator[Found]:
    if isinstance(item.value, dict):
        tree = item.value
        if not isinstance(tree.get("kind"), str):
            raise item.fault("an object has a kind, such as Service")
        kind, version = tree["kind"], tree.get("apiVersion")
        default = KINDS[kind][0] if kind in KINDS else ""
        yield Found(item.file, f"line {item.line}", kind, str(version or default), tree)
        return
    path = folder / item.text()
    try:
        data = read_text_source(path)
    except InputError as error:
        raise item.fault(f"{error.file}: {error.what}") from None
    documents = parse_documents(data, str(path))
    with faults_named(documents, str(path)):
        yield from find_objects(documents, str(path))


def _object(
    found: Found, item: Item, verb: str, settings: Mapping[str, Mapping[str, object]], *, dry_run: bool
) -> tuple[str, tuple[Maker, ...]]:
    if found.kind in KINDS:
        given = given_object(found, "default")
        if given.passed_over:
            raise item.fault(given.passed_over)
        if given.unknown:
            raise item.fault(f"{found.kind} has no field {given.unknown[0]}")
        return f"{given.kind} {given.namespace}/{given.name}", (_request(given, verb, dry_run=dry_run),)
    if found.kind not in ("Pod", "Node", "ServiceCIDR"):
        raise item.fault(f"kind {found.kind} has no part in a history")
    if verb == "update" or dry_run:
        raise item.fault(f"a {found.kind} is created here, nothing else")
    reader = READ_KINDS[found.kind]
    written = found.decode(reader.shape)
    if written.metadata is None or not written.metadata.name:
        raise item.fault(f"{found.kind} has no metadata.name")
    one = reader.convert(written, written.metadata, found.version)
    match one:
        case Pod():
            return f"Pod {one.name}", pod_makers(WrittenPod(one, one.node_name, one.ips, one.ready))
        case Node():
            joined = node_with_proxy(one, settings.get(one.name, settings[""]))
            return f"Node {one.name}", (_always(events.AddNode(joined.node, joined.config, joined.cleanup)),)
        case _:
            cidr: Any = one
            return f"ServiceCIDR {cidr.name}", (_always(events.AddServiceCIDR(cidr.name, cidr.cidrs)),)


def _request(given: Given, verb: str, *, dry_run: bool) -> Maker:
    def make(state: ClusterState, seed: int) -> Event:
        if given.fault is not None:
            raise given.fault
        match given.written:
            case api.Service() as service:
                kind = _service_request(service.object_name, state, verb)
                return kind(service, dry_run=dry_run, seed=seed)
            case api.Endpoints() as endpoints:
                name = endpoints.metadata.object_name
                _refuse(verb, name, "endpoints", exists=name in state.endpoints, may_create=True)
                return events.WriteEndpoints(endpoints)
            case api.EndpointSlice() as one:
                name = one.metadata.object_name
                exists = name in state.slices.by_name
                _refuse(verb, name, "endpointslices.discovery.k8s.io", exists=exists, may_create=False)
                return events.WriteSlice(one)
        raise AssertionError("an object is read or at fault")

    return make


def _service_request(
    name: ObjectName, state: ClusterState, verb: str
) -> Callable[..., events.CreateService | events.UpdateService]:
    is_new = name not in state.registry.services
    if verb == "create" or (verb == "apply" and is_new):
        return events.CreateService
    return events.UpdateService


def _refuse(verb: str, name: ObjectName, kind: str, *, exists: bool, may_create: bool) -> None:
    if verb == "create" and exists:
        raise Refused(Reason.ALREADY_EXISTS, f"{kind} {name.name!r} already exists")
    if verb == "update" and not exists and not may_create:
        raise Refused(Reason.NOT_FOUND, f"{kind} {name.name!r} not found")
