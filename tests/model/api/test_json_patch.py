"""JSON Patch: operations of RFC 6902 on trees."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.api.json_patch import json_patch
from model.api.refusal import Reason
from tests.model.api.api_cases import refused

TREE = {"spec": {"ports": [{"port": 80}, {"port": 443}], "selector": {"a/b": "x", "c~d": "y"}}}


@pytest.mark.parametrize(
    ("operation", "changed"),
    [
        ({"op": "add", "path": "/spec/type", "value": "NodePort"}, {"type": "NodePort"}),
        ({"op": "add", "path": "/spec/ports/0", "value": 1}, {"ports": [1, {"port": 80}, {"port": 443}]}),
        ({"op": "add", "path": "/spec/ports/2", "value": 1}, {"ports": [{"port": 80}, {"port": 443}, 1]}),
        ({"op": "add", "path": "/spec/ports/-", "value": 1}, {"ports": [{"port": 80}, {"port": 443}, 1]}),
        (
            {"op": "add", "path": "/spec/ports/1/name", "value": "s"},
            {"ports": [{"port": 80}, {"port": 443, "name": "s"}]},
        ),
        ({"op": "replace", "path": "/spec/ports/1/port", "value": 8}, {"ports": [{"port": 80}, {"port": 8}]}),
        ({"op": "replace", "path": "/spec/ports/1", "value": 8}, {"ports": [{"port": 80}, 8]}),
        ({"op": "remove", "path": "/spec/ports/0"}, {"ports": [{"port": 443}]}),
        ({"op": "remove", "path": "/spec/ports/0/port"}, {"ports": [{}, {"port": 443}]}),
        ({"op": "remove", "path": "/spec/selector/a~1b"}, {"selector": {"c~d": "y"}}),
        (
            {"op": "replace", "path": "/spec/selector/c~0d", "value": "z"},
            {"selector": {"a/b": "x", "c~d": "z"}},
        ),
        ({"op": "copy", "from": "/spec/ports/0/port", "path": "/spec/n"}, {"n": 80}),
        (
            {"op": "move", "from": "/spec/ports/0", "path": "/spec/ports/1"},
            {"ports": [{"port": 443}, {"port": 80}]},
        ),
        ({"op": "test", "path": "/spec/ports/0/port", "value": 80}, {}),
        ({"op": "test", "path": "/spec/type", "value": None}, {}),
    ],
)
def test_an_operation_changes_what_its_path_names(operation: dict[str, Any], changed: dict[str, Any]) -> None:
    assert json_patch(TREE, [operation]) == {"spec": {**TREE["spec"], **changed}}


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "test", "path": "/spec/ports/0/port", "value": 81},
        {"op": "remove", "path": "/spec/type"},
        {"op": "remove", "path": ""},
        {"op": "remove", "path": "/spec/ports/2"},
        {"op": "replace", "path": "/spec/type", "value": "NodePort"},
        {"op": "add", "path": "/status/x", "value": 1},
        {"op": "add", "path": "/spec/ports/3", "value": 1},
        {"op": "add", "path": "/spec/ports/2/port", "value": 1},
        {"op": "add", "path": "spec", "value": 1},
        {"op": "copy", "from": "/spec/type", "path": "/spec/x"},
        {"op": "move", "path": "/spec/x"},
        {"op": "explode", "path": "/spec"},
    ],
)
def test_an_operation_that_fails_refuses_the_patch(operation: dict[str, Any]) -> None:
    first = {"op": "add", "path": "/spec/ok", "value": 1}

    assert refused(json_patch, TREE, [first, operation]) == (Reason.INVALID, frozenset())


@pytest.mark.parametrize("operations", [{"op": "remove", "path": "/spec"}, ["remove"], "remove"])
def test_what_is_no_list_of_operations_is_a_bad_request(operations: Any) -> None:
    assert refused(json_patch, TREE, operations) == (Reason.BAD_REQUEST, frozenset())


def test_a_patch_that_leaves_no_object_is_a_bad_request() -> None:
    found = refused(json_patch, TREE, [{"op": "add", "path": "", "value": 1}])

    assert found == (Reason.BAD_REQUEST, frozenset())


@given(key=st.text(max_size=4), value=st.integers())
def test_what_was_added_is_found_under_any_key_and_can_be_removed_again(key: str, value: int) -> None:
    path = "/spec/selector/" + key.replace("~", "~0").replace("/", "~1")

    added = json_patch(TREE, [{"op": "add", "path": path, "value": value}])

    assert added["spec"]["selector"][key] == value
    assert key not in json_patch(added, [{"op": "remove", "path": path}])["spec"]["selector"]
