"""Fields that a kind does not have."""

from typing import Any

import pytest

from model.api.objects import EndpointSlice, Service
from model.api.unknown_fields import unknown_fields


@pytest.mark.parametrize(
    ("tree", "unknown"),
    [
        ({"kind": "Service", "apiVersion": "v1", "metadata": {"name": "a", "labels": {"any": "b"}}}, ()),
        ({"metadata": {"managedFields": [{"manager": "x"}]}, "spec": {"selector": {"any": "b"}}}, ()),
        ({"status": {"conditions": [{"type": "A", "lastTransitionTime": "x", "message": "y"}]}}, ()),
        ({"spec": {"clusterIp": "None"}, "data": 1}, ("spec.clusterIp", "data")),
        ({"spec": {"ports": [{"port": 1}, {"prot": "UDP"}]}}, ("spec.ports[1].prot",)),
        (
            {"spec": {"sessionAffinityConfig": {"clientIP": {"x": 1}}}},
            ("spec.sessionAffinityConfig.clientIP.x",),
        ),
        ({"spec": {"ports": None, "topologyKeys": []}}, ("spec.topologyKeys",)),
        ([], ()),
    ],
)
def test_every_unknown_field_of_a_service_is_named_by_its_path(tree: Any, unknown: tuple[str, ...]) -> None:
    """API-F-27: topologyKeys is a field no more."""
    assert unknown_fields(Service, tree) == unknown


def test_other_kinds_have_other_fields() -> None:
    tree = {"addressType": "IPv4", "endpoints": [{"targetRef": {"uid": "u", "colour": "red"}}], "spec": {}}

    assert unknown_fields(EndpointSlice, tree) == ("endpoints[0].targetRef.colour", "spec")


def test_fields_that_no_rule_speaks_of_are_known_all_the_same() -> None:
    """Each where the API has it, and nowhere else."""
    reference = dict.fromkeys(("apiVersion", "fieldPath", "kind", "name", "resourceVersion", "uid"), "x")
    condition = dict.fromkeys(("lastTransitionTime", "message", "observedGeneration", "type"), "x")
    metadata = {"managedFields": [], "selfLink": "x", "message": "x"}

    of_slice = unknown_fields(
        EndpointSlice, {"metadata": metadata, "endpoints": [{"targetRef": reference | {"selfLink": "x"}}]}
    )
    of_service = unknown_fields(Service, {"status": {"conditions": [condition | {"fieldPath": "x"}]}})

    assert of_slice == ("metadata.message", "endpoints[0].targetRef.selfLink")
    assert of_service == ("status.conditions[0].fieldPath",)
