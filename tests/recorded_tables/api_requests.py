"""Replays of requests to a live API server.

Each request meets a registry that holds the object before, if the recording shows one.
Where a refusal says that a name or number was taken, the registry also holds what an
earlier recording of the same file created under it.
"""

from collections.abc import Mapping
from typing import Any

import attrs

from model.api.adopt import adopt
from model.api.json_form import from_tree
from model.api.needs import node_ports
from model.api.objects import Service, ServiceSpec
from model.api.patches import PatchType, patched
from model.api.refusal import Reason, Refused
from model.api.registry import Registry
from model.api.requests import addressed, create, update, update_status
from model.api.service_storage import Accepted
from model.objects import ObjectName
from tests.recorded_tables.case import Case, Inexpressible, Mismatch, Replay
from tests.recorded_tables.endpoint_requests import replay_endpoint_request
from tests.recorded_tables.services import Causes, accepted_as, refused_as, registry_with

CIDRS = ("10.96.0.0/16", "fd00:10:96::/112")
ENDPOINT_RESOURCES = ("endpoints", "endpointslices")


@attrs.frozen
class Target:
    """What a request's path names; `name` is None for a collection."""

    namespace: str
    resource: str
    name: str | None
    subresource: str | None


class RequestReplay:
    """Plays the requests of one file in their order, remembering what they created."""

    def __init__(self) -> None:
        self.created: dict[ObjectName, Service] = {}

    def __call__(self, case: Case) -> None:
        target = _target(case["path"])
        if target.resource in ENDPOINT_RESOURCES:
            replay_endpoint_request(case)
            return
        if target.resource != "services":
            raise Inexpressible(f"requests for {target.resource} are outside the model of Services")
        if "_truncated" in case["request"]:
            raise Inexpressible("the recording leaves out the request")
        registry = registry_with(*CIDRS)
        before = case.get("before")
        if before is not None:
            registry = adopt(registry, [_stored_before(case, from_tree(Service, before))])
        if not case["accepted"]:
            self._replay_refusal(case, target, registry)
            return
        known = [from_tree(Service, case["request"])] + ([from_tree(Service, before)] if before else [])
        accepted_as(case["result"], lambda: ask(case, target, registry), *known, cidrs=CIDRS)
        result = from_tree(Service, case["result"])
        self.created[result.object_name] = result

    def _replay_refusal(self, case: Case, target: Target, registry: Registry) -> None:
        causes: Causes = frozenset(
            (one["field"], one["reason"]) for one in case["causes"] or () if "field" in one
        )

        def play(state: Registry) -> None:
            refused_as(case["status"], case["reason"], causes, lambda: ask(case, target, state))

        try:
            play(registry)
        except Mismatch:
            rivals = self._rivals(case, target, causes)
            if rivals is None:
                raise
            play(adopt(registry, rivals))

    def _rivals(self, case: Case, target: Target, causes: Causes) -> list[Service] | None:
        """Earlier objects that hold what this refusal says is taken; None when it says no such thing."""
        if case["method"] != "POST":
            return None
        request = from_tree(Service, case["request"])
        if case["reason"] == Reason.ALREADY_EXISTS.value:
            rival = self.created.get(ObjectName(target.namespace, request.metadata.name))
            if rival is None:
                raise Inexpressible("what has the name already is not recorded")
            return [rival]
        numbers = _numbers_that_only_others_can_hold(request.spec)
        if numbers is None or {field.rpartition(".")[2] for field, _ in causes} != {"nodePort"}:
            return None
        rivals = [one for one in self.created.values() if {*node_ports(one.spec)} & numbers]
        if not rivals:
            raise Inexpressible("the Service that holds the node port already is not recorded")
        return rivals


def ask(case: Case, target: Target, registry: Registry) -> Accepted:
    """The model's answer to the recorded request."""
    if case["method"] == "POST":
        return create(registry, addressed(from_tree(Service, case["request"]), target.namespace))
    if target.name is None:
        raise Refused(Reason.BAD_REQUEST, "the path names no object")
    name = ObjectName(target.namespace, target.name)
    match case["method"]:
        case "PUT":
            service = from_tree(Service, case["request"])
        case "PATCH":
            kind = PatchType(case["contentType"])
            service = patched(registry.services.get(name), case["request"], kind, name)
        case other:
            raise Inexpressible(f"{other} of a Service has no recorded body to compare")
    service = addressed(service, target.namespace, target.name)
    return update_status(registry, service) if target.subresource == "status" else update(registry, service)


def _target(path: str) -> Target:
    parts = path.partition("?")[0].strip("/").split("/")
    below = parts[parts.index("namespaces") + 1 :]
    namespace, resource, name, subresource = (*below, None, None)[:4]
    return Target(str(namespace), str(resource), name, subresource)


def _stored_before(case: Case, before: Service) -> Service:
    """The stored object with uid and resource version, which `before` does not show.

    A body that names them names the right ones, unless the answer is a conflict about them.
    """
    metadata: Mapping[str, Any] = case["request"].get("metadata") or {}
    version = metadata.get("resourceVersion", "")
    if case.get("reason") == Reason.CONFLICT.value:
        version = f"{version}0"
    stored = attrs.evolve(before.metadata, uid=metadata.get("uid", ""), resource_version=version)
    return attrs.evolve(before, metadata=stored)


def _numbers_that_only_others_can_hold(spec: ServiceSpec) -> frozenset[int] | None:
    """The node ports asked for, unless one is out of range or repeated: that is its own fault."""
    numbers = node_ports(spec)
    if spec.type not in ("NodePort", "LoadBalancer") or not numbers or len({*numbers}) < len(numbers):
        return None
    return frozenset(numbers) if all(30000 <= number <= 32767 for number in numbers) else None


REPLAYS: Mapping[str, Replay] = {"api/requests": RequestReplay()}
