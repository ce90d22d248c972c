"""Replays of what the storage of Services did with single operations and objects."""

from collections.abc import Mapping
from typing import Any

from model.addresses import Family
from model.api.adopt import adopt
from model.api.carry_over import normalize_cluster_ips, patch_allocated_values
from model.api.json_form import from_tree, to_tree
from model.api.objects import Service
from model.api.read_defaults import default_on_read
from model.api.refusal import Reason
from model.api.service_storage import Accepted, remove, store_changed, store_new, store_status
from model.api.type_changes import drop_type_dependent_fields
from tests.recorded_tables.case import Case, Inexpressible, Replay, same
from tests.recorded_tables.services import accepted_as, refused_as, registry_with


def replay_operation(case: Case) -> None:
    """One create or update, from an empty registry or one that holds the old object."""
    cidrs = tuple(case["serviceCIDRs"][family] for family in case["clusterIPFamilies"])
    request = from_tree(Service, case.get("service") or case["oldService"])
    registry, known = registry_with(*cidrs), [request]
    if case.get("oldService") is not None:
        known.append(from_tree(Service, case["oldService"]))
        registry = adopt(registry, known[1:])
    dry_run = bool(case.get("dryRun"))

    def ask() -> Accepted:
        match case["op"]:
            case "create":
                return store_new(registry, request, dry_run=dry_run, seed=0)
            case "update":
                return store_changed(registry, request, dry_run=dry_run, seed=0)
            case "updateStatus":
                return store_status(registry, request, dry_run=dry_run)
            case "delete":
                return remove(registry, request.object_name, dry_run=dry_run, now="2026-01-01T00:00:00Z")
            case other:
                raise Inexpressible(f"{other} is no operation of the storage")

    if not case.get("error") and case.get("status") is None:
        accepted_as(case["result"] or {}, ask, *known, cidrs=cidrs, dry_run=dry_run)
        return
    # An error that the server did not wrap has a text and no status.
    status = case.get("status") or {"code": Reason.UNKNOWN.status}
    causes = (status.get("details") or {}).get("causes") or ()
    fields = frozenset((one["field"], one["reason"]) for one in causes if "field" in one)
    refused_as(status["code"], status.get("reason") or Reason.UNKNOWN.value, fields, ask)


def replay_default_on_read(case: Case) -> None:
    """A stored object as it is read back; the cluster's primary family is IPv6."""
    same(_tree(case["result"]), to_tree(default_on_read(_service(case["service"]), Family.IPV6)))


def replay_drop_type_dependent_fields(case: Case) -> None:
    """What an update wipes for its type."""
    found = drop_type_dependent_fields(_service(case["service"]), _service(case["oldService"]))
    same(_tree(case["result"]), to_tree(found))


def replay_normalize_cluster_ips(case: Case) -> None:
    """How clusterIPs follow clusterIP."""
    old = case["oldService"]
    found = normalize_cluster_ips(_service(case["service"]), None if old is None else _service(old))
    same(_tree(case["result"]), to_tree(found))


def replay_patch_allocated_values(case: Case) -> None:
    """Which values an update takes over from the object before."""
    found = patch_allocated_values(_service(case["update"]), _service(case["before"]))
    same(_tree(case["result"]), to_tree(found))


def _service(tree: Mapping[str, Any]) -> Service:
    return from_tree(Service, tree)


def _tree(tree: Mapping[str, Any]) -> dict[str, Any]:
    """The tree with only what the model holds, in its writing."""
    return to_tree(_service(tree))


REPLAYS: Mapping[str, Replay] = {
    "controllers/serviceStorage_": replay_operation,
    "controllers/serviceDefaultOnRead": replay_default_on_read,
    "controllers/serviceDropTypeDependentFields": replay_drop_type_dependent_fields,
    "controllers/serviceNormalizeClusterIPs": replay_normalize_cluster_ips,
    "controllers/servicePatchAllocatedValues": replay_patch_allocated_values,
}
