"""Replays of requests that write Endpoints or EndpointSlices to a live API server."""

from collections.abc import Callable, Mapping
from typing import TypeVar

import attrs

from model.api.endpoint_requests import (
    create_endpoint_slice,
    create_endpoints,
    update_endpoint_slice,
    update_endpoints,
)
from model.api.gates import FeatureGates
from model.api.json_form import from_tree
from model.api.objects import Endpoints, EndpointSlice
from model.api.refusal import Refused
from tests.recorded_tables.case import Case, Inexpressible, Mismatch, same

T = TypeVar("T", Endpoints, EndpointSlice)

_MERGE_PATCH = "application/merge-patch+json"


def replay_endpoint_request(case: Case) -> None:
    """The request is accepted or refused as recorded, with the recorded causes or stored object."""
    if "_truncated" in case["request"]:
        raise Inexpressible("the recording holds no request")
    if "endpointslices" in case["path"].split("/"):
        _replay(case, EndpointSlice, create_endpoint_slice, update_endpoint_slice)
    else:
        _replay(case, Endpoints, create_endpoints, update_endpoints)


def _replay(
    case: Case,
    kind: type[T],
    create: Callable[[T, FeatureGates], T],
    update: Callable[[T, T, FeatureGates], T],
) -> None:
    try:
        if case["method"] == "POST":
            stored = create(_in_namespace(from_tree(kind, case["request"]), case["path"]), FeatureGates())
        else:
            written = _written(case)
            stored = update(
                _in_namespace(from_tree(kind, written), case["path"]),
                from_tree(kind, case["before"]),
                FeatureGates(),
            )
    except Refused as refusal:
        if case["accepted"]:
            raise Mismatch(f"accepted by the API server, refused by the model: {refusal}") from None
        same(case["status"], refusal.reason.status, "status")
        same(_causes(case), sorted((one.field, one.type.value) for one in refusal.causes), "causes")
    else:
        same(True, case["accepted"], "accepted by the model")
        same(from_tree(kind, case["result"]), stored, "stored")


def _written(case: Case) -> object:
    if case["method"] == "PUT":
        return case["request"]
    if case["contentType"] != _MERGE_PATCH:
        raise Inexpressible(f"no patch of type {case['contentType']}")
    return _merged(case["before"], case["request"])


def _merged(before: object, patch: object) -> object:
    """RFC 7386: a null removes, an object goes deeper, anything else replaces."""
    if not isinstance(patch, Mapping):
        return patch
    tree = dict(before) if isinstance(before, Mapping) else {}
    changed = {key: _merged(tree.get(key), value) for key, value in patch.items() if value is not None}
    return {key: value for key, value in (tree | changed).items() if patch.get(key, ...) is not None}


def _in_namespace(value: T, path: str) -> T:
    parts = path.split("/")
    namespace = parts[parts.index("namespaces") + 1]
    return attrs.evolve(value, metadata=attrs.evolve(value.metadata, namespace=namespace))


def _causes(case: Case) -> list[tuple[str, str]]:
    return sorted((one["field"], one["reason"]) for one in case["causes"] or ())
