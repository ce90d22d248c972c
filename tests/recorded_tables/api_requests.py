"""Replays of requests to a live API server.

Each request meets a registry that holds default/kubernetes, as every live server does,
and the object before, if the recording shows one. Where a refusal says that a name, a
number or an address was taken, the registry also holds what an earlier recording of the
same file created under it.
"""

import re
from collections.abc import Mapping
from typing import Any

import attrs

from model.api.adopt import adopt
from model.api.json_form import from_tree
from model.api.objects import Service
from model.api.patches import PatchType, patched, refuse_patch_options
from model.api.refusal import ErrorType, FieldError, Reason, Refused
from model.api.registry import Registry
from model.api.requests import addressed, create, delete, update, update_status
from model.api.service_cidrs import ensure_kubernetes_service
from model.api.service_storage import Accepted
from model.api.unknown_fields import unknown_fields
from model.objects import ObjectName
from tests.recorded_tables.case import Case, Inexpressible, Mismatch, Replay, same
from tests.recorded_tables.cidr_requests import CLUSTER_SCOPED, replay_cluster_scoped_request
from tests.recorded_tables.endpoint_requests import replay_endpoint_request
from tests.recorded_tables.field_history import FieldHistory
from tests.recorded_tables.request_target import Target, target_of
from tests.recorded_tables.rivals import rivals_of
from tests.recorded_tables.services import Causes, accepted_as, refused_as, registry_with

CIDRS = ("10.96.0.0/16", "fd00:10:96::/112")
ENDPOINT_RESOURCES = ("endpoints", "endpointslices")


class RequestReplay:
    """Plays the requests of one file in their order, remembering what they created."""

    def __init__(self) -> None:
        self.created: dict[ObjectName, Service] = {}
        self.history = FieldHistory()

    def __call__(self, case: Case) -> None:
        target = target_of(case)
        if isinstance(case.get("request"), Mapping) and "_truncated" in case["request"]:
            raise Inexpressible("the recording leaves out the request")
        if target.resource in ENDPOINT_RESOURCES and case["method"] in ("POST", "PUT", "PATCH"):
            replay_endpoint_request(case)
        elif target.resource in CLUSTER_SCOPED:
            replay_cluster_scoped_request(case, target)
        elif target.resource == "services" and target.subresource in (None, "status"):
            self._replay(case, target)
        else:
            raise Inexpressible(f"{case['method']} of {target} is outside the model of Services")

    def _replay(self, case: Case, target: Target) -> None:
        registry = ensure_kubernetes_service(registry_with(*CIDRS)).registry
        stored = self._stored(case, target)
        if stored is not None:
            registry = adopt(registry, [stored])
        if not case["accepted"]:
            self._replay_refusal(case, target, registry)
            return
        result = case.get("result") or {}
        if case["method"] == "DELETE" and result.get("kind") != "Service":
            # Whether a deletion is answered with the object is no part of the model.
            self._accepted(case, target, registry)
            return
        accepted = self._accepted(case, target, registry)
        known = [self._asked_for(case, target, registry), *([stored] if stored else [])]
        accepted_as(
            result,
            lambda: _named_as_recorded(case, accepted),
            *known,
            cidrs=CIDRS,
            dry_run=target.is_dry_run,
        )
        recorded = from_tree(Service, result)
        if not target.is_dry_run and case["method"] != "DELETE":
            self.created[recorded.object_name] = recorded
            self.history.remember(case, target, stored, recorded)

    def _stored(self, case: Case, target: Target) -> Service | None:
        """The object before; one that the answer shows to be there is an earlier recording's."""
        before = None if case.get("before") is None else from_tree(Service, case["before"])
        if before is None and case["method"] != "POST" and case["status"] not in (201, 404):
            before = self.created.get(ObjectName(target.namespace, target.name or ""))
        return None if before is None else _stored_before(case, before)

    def _replay_refusal(self, case: Case, target: Target, registry: Registry) -> None:
        causes: Causes = frozenset(
            (one["field"], one["reason"]) for one in case.get("causes") or () if "field" in one
        )
        reason = case.get("reason") or Reason.UNKNOWN.value

        def play(state: Registry) -> None:
            refused_as(case["status"], reason, causes, lambda: self._ask(case, target, state))

        try:
            play(registry)
        except Mismatch as mismatch:
            try:
                asked = self._asked_for(case, target, registry)
            except Refused:
                raise mismatch from None
            rivals = rivals_of(case, asked, causes, self.created)
            if rivals is None:
                raise
            play(adopt(registry, rivals))

    def _ask(self, case: Case, target: Target, registry: Registry) -> Accepted:
        """The model's answer to the recorded request. Raises Refused."""
        if case["method"] == "DELETE":
            return delete(registry, _object_name(target), dry_run=target.is_dry_run)
        service = self._asked_for(case, target, registry)
        if case["method"] == "POST":
            return create(registry, service, dry_run=target.is_dry_run)
        verb = update_status if target.subresource == "status" else update
        return verb(registry, service, dry_run=target.is_dry_run)

    def _accepted(self, case: Case, target: Target, registry: Registry) -> Accepted:
        try:
            return self._ask(case, target, registry)
        except Refused as refusal:
            raise Mismatch(f"recorded as accepted, the model refuses: {refusal}") from None

    def _asked_for(self, case: Case, target: Target, registry: Registry) -> Service:
        """The Service that is to be stored, as decoded and before defaults. Raises Refused."""
        request = case.get("request")
        match case["method"]:
            case "POST":
                service = from_tree(Service, _known_alone(request, target, Reason.BAD_REQUEST))
                return addressed(service, target.namespace)
            case "PUT":
                service = from_tree(Service, _known_alone(request, target, Reason.BAD_REQUEST))
            case "PATCH":
                service = self._patched(case, target, registry)
            case "DELETE":
                return registry.services.get(_object_name(target), Service())
            case other:
                raise Inexpressible(f"{other} of a Service changes nothing")
        name = _object_name(target)
        return addressed(service, name.namespace, name.name)

    def _patched(self, case: Case, target: Target, registry: Registry) -> Service:
        known = {kind.value: kind for kind in PatchType}
        kind = known.get((case.get("contentType") or "").partition(";")[0])
        if kind is None:
            raise Inexpressible(f"no patch of type {case.get('contentType')}")
        refuse_patch_options(kind, field_manager=target.query.get("fieldManager", ""), force=target.force)
        request = case["request"]
        if kind in (PatchType.MERGE, PatchType.STRATEGIC_MERGE):
            request = _known_alone(request, target, Reason.INVALID)
        name = _object_name(target)
        stored = registry.services.get(name)
        managed = self.history.managed(name, stored, target.query.get("fieldManager", ""))
        return patched(stored, request, kind, name, managed=managed, force=bool(target.force))


def _known_alone(request: Any, target: Target, reason: Reason) -> Any:
    """The request, unless its query asks for strict validation and it has a field of its own."""
    unknown = unknown_fields(Service, request) if target.query.get("fieldValidation") == "Strict" else ()
    if unknown:
        cause = FieldError(ErrorType.INVALID, "patch", "unknown fields")
        causes = (cause,) if reason is Reason.INVALID else ()
        raise Refused(reason, f"strict decoding error: unknown {', '.join(unknown)}", causes)
    return request


def _object_name(target: Target) -> ObjectName:
    if target.name is None:
        raise Refused(Reason.BAD_REQUEST, "the path names no object")
    return ObjectName(target.namespace, target.name)


def _named_as_recorded(case: Case, accepted: Accepted) -> Accepted:
    """With the recorded name for one that the server made up, if both have its form."""
    metadata = accepted.service.metadata
    if not metadata.generate_name or not isinstance(case["request"], Mapping):
        return accepted
    if (case["request"].get("metadata") or {}).get("name"):
        return accepted
    form = re.escape(metadata.generate_name[:58]) + "[bcdfghjklmnpqrstvwxz2456789]{5}"
    recorded = case["result"]["metadata"]["name"]
    same((True, True), tuple(bool(re.fullmatch(form, one)) for one in (recorded, metadata.name)), form)
    service = attrs.evolve(accepted.service, metadata=attrs.evolve(metadata, name=recorded))
    return attrs.evolve(accepted, service=service)


def _stored_before(case: Case, before: Service) -> Service:
    """The stored object with uid and resource version, which `before` may not show.

    A body that names them names the right ones, unless the answer is a conflict about them.
    """
    request = case.get("request")
    metadata: Mapping[str, Any] = (request.get("metadata") or {}) if isinstance(request, Mapping) else {}
    version = before.metadata.resource_version or metadata.get("resourceVersion") or ""
    uid = before.metadata.uid or metadata.get("uid") or ""
    if case.get("reason") == Reason.CONFLICT.value:
        if metadata.get("resourceVersion") == version:
            version = f"{version}0"
        elif metadata.get("uid") == uid:
            uid = f"{uid}0"
    return attrs.evolve(before, metadata=attrs.evolve(before.metadata, uid=uid, resource_version=version))


REPLAYS: Mapping[str, Replay] = {"api/requests": RequestReplay()}
