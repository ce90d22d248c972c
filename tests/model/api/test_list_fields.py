"""Which fields a tree names, item by item where a list has keys, and how those of one manager go."""

from typing import Any

import pytest

from model.api.apply import server_side_apply
from model.api.field_managers import Managed, conflicts, fields_of, text_of, without_given_up

READY = {"type": "Ready", "status": "True"}
OWNER = {"uid": "u-1", "kind": "Deployment"}
PORT = (("port", 53), ("protocol", "TCP"))


@pytest.mark.parametrize(
    ("tree", "expected"),
    [
        (
            {"spec": {"ports": [{"port": 53, "name": "dns"}]}},
            {
                ("spec", "ports", PORT),
                ("spec", "ports", PORT, "port"),
                ("spec", "ports", PORT, "name"),
            },
        ),
        (
            {"status": {"conditions": [READY]}},
            {
                ("status", "conditions", (("type", "Ready"),)),
                ("status", "conditions", (("type", "Ready"),), "type"),
                ("status", "conditions", (("type", "Ready"),), "status"),
            },
        ),
        (
            {"metadata": {"ownerReferences": [OWNER]}},
            {
                ("metadata", "ownerReferences", (("uid", "u-1"),)),
                ("metadata", "ownerReferences", (("uid", "u-1"),), "uid"),
                ("metadata", "ownerReferences", (("uid", "u-1"),), "kind"),
            },
        ),
        (
            {"metadata": {"finalizers": ["a", "b"]}},
            {("metadata", "finalizers", (("", "a"),)), ("metadata", "finalizers", (("", "b"),))},
        ),
        # Lists without keys and the selector are one value each.
        (
            {"spec": {"externalIPs": ["192.0.2.1"], "selector": {"a": "b"}, "sessionAffinityConfig": {}}},
            {("spec", "externalIPs"), ("spec", "selector"), ("spec", "sessionAffinityConfig")},
        ),
    ],
)
def test_an_item_of_a_list_is_a_field_by_its_keys(tree: dict[str, Any], expected: set[Any]) -> None:
    assert fields_of(tree) == expected


def test_what_says_which_object_it_is_belongs_to_nobody() -> None:
    metadata = {
        "name": "web",
        "namespace": "shop",
        "uid": "u",
        "resourceVersion": "7",
        "generation": 1,
        "creationTimestamp": "2026-01-01T00:00:00Z",
        "labels": {"app": "web"},
    }

    assert fields_of({"apiVersion": "v1", "kind": "Service", "metadata": metadata}) == {
        ("metadata", "labels", "app")
    }


def test_a_field_that_is_not_there_cannot_be_given_up() -> None:
    stored = {"spec": {"type": "NodePort"}}
    mine = Managed(fields_of({"spec": {"ports": [{"port": 53}], "externalName": "x"}, "status": {"a": "b"}}))

    assert without_given_up(stored, {}, mine) == stored


@pytest.mark.parametrize(
    ("held", "given_up", "expected"),
    [
        ({"finalizers": ["a", "b"]}, {"finalizers": ["a"]}, {"finalizers": ["b"]}),
        (
            {"ownerReferences": [OWNER, {"uid": "u-2"}]},
            {"ownerReferences": [OWNER]},
            {"ownerReferences": [{"uid": "u-2"}]},
        ),
        ({"labels": {"a": "1", "b": "2"}}, {"labels": {"a": "1"}}, {"labels": {"b": "2"}}),
    ],
)
def test_what_is_given_up_goes_and_its_neighbours_stay(
    held: dict[str, Any], given_up: dict[str, Any], expected: dict[str, Any]
) -> None:
    """KEP-555"""
    mine = Managed(fields_of({"metadata": given_up}))

    assert without_given_up({"metadata": held}, {}, mine) == {"metadata": expected}


def test_a_field_of_a_condition_is_given_up_without_the_condition() -> None:
    stored = {"status": {"conditions": [{**READY, "reason": "Up"}]}}
    mine = Managed(fields_of({"status": {"conditions": [{**READY, "reason": "Up"}]}}))

    found = without_given_up(stored, {"status": {"conditions": [READY]}}, mine)

    assert found == {"status": {"conditions": [READY]}}


def test_a_conflict_is_about_a_field_of_others_that_changes() -> None:
    others = Managed(others=fields_of({"spec": {"type": "NodePort", "externalIPs": ["192.0.2.1"]}}))
    stored = {"spec": {"type": "NodePort", "externalIPs": ["192.0.2.1"]}}

    found = conflicts(stored, {"spec": {"type": "ClusterIP", "externalIPs": ["192.0.2.1"]}}, others)

    assert [text_of(place) for place in found] == [".spec.type"]


@pytest.mark.parametrize(
    ("stored", "applied", "expected"),
    [
        # Lists without keys are replaced whole, sets are joined.
        (
            {"spec": {"loadBalancerSourceRanges": ["192.0.2.0/24"]}},
            {"spec": {"loadBalancerSourceRanges": ["198.51.100.0/24"]}},
            {"spec": {"loadBalancerSourceRanges": ["198.51.100.0/24"]}},
        ),
        (
            {"metadata": {"finalizers": ["a"]}},
            {"metadata": {"finalizers": ["b"]}},
            {"metadata": {"finalizers": ["a", "b"]}},
        ),
        # What should be a list is for the decoder to refuse.
        ({"spec": {"ports": [{"port": 53}]}}, {"spec": {"ports": "x"}}, {"spec": {"ports": "x"}}),
        ({"spec": {"type": "NodePort"}}, {"spec": {"type": None}}, {"spec": {}}),
    ],
)
def test_a_list_is_applied_as_its_kind_of_list(
    stored: dict[str, Any], applied: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert server_side_apply(stored, applied) == expected
