"""Replays of requests that write ServiceCIDRs or IPAddresses to a live API server."""

from collections.abc import Callable, Mapping
from typing import Any

import attrs

from model.api.json_form import from_tree, to_tree
from model.api.objects import IPAddress, Metadata, ServiceCIDR
from model.api.patches import merge_patch
from model.api.refusal import FieldError, Reason, Refused
from model.api.validation.ip_address import validate_ip_address_create, validate_ip_address_update
from model.api.validation.service_cidr import validate_service_cidr_create, validate_service_cidr_update
from tests.recorded_tables.case import Case, Inexpressible, same
from tests.recorded_tables.request_target import Target

_Errors = tuple[FieldError, ...]
_KINDS: Mapping[str, tuple[type[Any], Callable[[Any], _Errors], Callable[[Any, Any], _Errors]]] = {
    "servicecidrs": (ServiceCIDR, validate_service_cidr_create, validate_service_cidr_update),
    "ipaddresses": (IPAddress, validate_ip_address_create, validate_ip_address_update),
}
CLUSTER_SCOPED = frozenset(_KINDS)


def replay_cluster_scoped_request(case: Case, target: Target) -> None:
    """The object is accepted or refused as recorded, with the recorded causes or stored spec."""
    kind, created, changed = _KINDS[target.resource]
    if target.subresource is not None or case["method"] not in ("POST", "PUT", "PATCH"):
        raise Inexpressible(f"{case['method']} of {target} depends on controllers")
    if not case["accepted"] and case.get("reason") not in (Reason.INVALID.value, Reason.BAD_REQUEST.value):
        raise Inexpressible(f"what else there is of {target.resource} is not recorded")
    if case["method"] != "POST" and case.get("before") is None:
        raise Inexpressible(f"the {target.resource} before is not recorded")
    try:
        new = from_tree(kind, _tree(case))
        if case["method"] == "POST":
            errors = created(new)
        else:
            old = _versioned(from_tree(kind, case["before"]))
            new = attrs.evolve(new, metadata=_kept(new.metadata, old.metadata))
            errors = changed(new, old)
    except Refused as refusal:
        same((case["status"], False), (refusal.reason.status, case["accepted"]))
        return
    causes = {(one["field"], one["reason"]) for one in case.get("causes") or () if "field" in one}
    same(causes, {(one.field, one.type.value) for one in errors}, "causes")
    same(case["accepted"], not errors, "accepted")
    if case["accepted"]:
        same(to_tree(from_tree(kind, case["result"]).spec), to_tree(new.spec), "spec")


def _tree(case: Case) -> object:
    if case["method"] != "PATCH":
        return case["request"]
    if not case["contentType"].startswith("application/merge-patch"):
        raise Inexpressible(f"no patch of type {case['contentType']}")
    return merge_patch(case["before"], case["request"])


def _versioned(one: Any) -> Any:
    return attrs.evolve(one, metadata=attrs.evolve(one.metadata, resource_version="1"))


def _kept(new: Metadata, old: Metadata) -> Metadata:
    return attrs.evolve(
        new,
        uid=old.uid,
        resource_version=old.resource_version,
        generation=old.generation,
        creation_timestamp=old.creation_timestamp,
    )
