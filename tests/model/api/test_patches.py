"""Patches as JSON trees; the trees are Services or parts of them."""

from typing import Any

import pytest
from hypothesis import given

from model.api.apply import server_side_apply
from model.api.patches import (
    PatchType,
    merge_patch,
    patched,
    refuse_patch_options,
    strategic_merge_patch,
)
from model.api.refusal import Reason
from model.objects import ObjectName
from tests.model.api.api_cases import DNS_TCP, invalid, refused, service, with_metadata
from tests.strategies.documents import TCP, TREES, UDP

WEB = ObjectName("shop", "web")
HTTP = {"name": "http", "port": 80}


def ports(*items: dict[str, Any]) -> dict[str, Any]:
    return {"spec": {"ports": list(items)}}


def test_a_merge_patch_replaces_lists_and_removes_what_is_null() -> None:
    """RFC 7396."""
    stored = {"spec": {"ports": [TCP], "selector": {"a": "b", "c": "d"}, "type": "NodePort"}}
    patch = {"spec": {"ports": [UDP], "selector": {"a": None, "e": "f"}, "type": None}}

    assert merge_patch(stored, patch) == {"spec": {"ports": [UDP], "selector": {"c": "d", "e": "f"}}}


@given(stored=TREES, patch=TREES)
def test_a_merge_patch_given_twice_is_given_once(stored: dict[str, Any], patch: dict[str, Any]) -> None:
    once = merge_patch(stored, patch)

    assert merge_patch(once, patch) == once


def test_a_strategic_patch_finds_ports_by_number_alone() -> None:
    """53/UDP turns 53/TCP into it (docs/rules/observed.md)."""
    assert strategic_merge_patch(ports(TCP), ports(UDP)) == ports(UDP)


def test_a_strategic_patch_changes_what_it_names_of_a_port() -> None:
    found = strategic_merge_patch(ports(TCP, HTTP), ports({"port": 80, "nodePort": 30010}))

    assert found == ports(TCP, {**HTTP, "nodePort": 30010})


def test_of_two_stored_ports_of_one_number_the_first_is_meant() -> None:
    found = strategic_merge_patch(ports(TCP, UDP), ports({"port": 53, "nodePort": 30010}))

    assert found == ports({**TCP, "nodePort": 30010}, UDP)


def test_a_new_port_comes_before_those_the_patch_does_not_name() -> None:
    assert strategic_merge_patch(ports(TCP), ports(HTTP)) == ports(HTTP, TCP)


def test_the_order_that_a_patch_states_is_kept() -> None:
    order = {"$setElementOrder/ports": [{"port": 53}, {"port": 80}]}

    found = strategic_merge_patch(ports(HTTP, TCP), {"spec": order})

    assert found == ports(TCP, HTTP)


def test_an_order_stated_for_changed_ports_is_kept() -> None:
    patch = {"$setElementOrder/ports": [{"port": 53}, {"port": 80}], **ports(HTTP)["spec"]}

    assert strategic_merge_patch(ports(HTTP, TCP), {"spec": patch}) == ports(TCP, HTTP)


def test_an_order_of_a_list_that_is_replaced_as_a_whole_means_nothing() -> None:
    stored = {"spec": {"externalIPs": ["192.0.2.1", "192.0.2.2"]}}
    order = {"$setElementOrder/externalIPs": ["192.0.2.2", "192.0.2.1"]}

    assert strategic_merge_patch(stored, {"spec": order}) == stored


def test_a_port_in_front_of_the_first_named_one_stays_there() -> None:
    found = strategic_merge_patch(ports(HTTP, TCP), ports({"port": 53, "nodePort": 30010}))

    assert found == ports(HTTP, {**TCP, "nodePort": 30010})


def test_directives_delete_and_replace() -> None:
    stored = {
        "spec": {"ports": [TCP, HTTP], "selector": {"a": "b"}},
        "metadata": {"finalizers": ["x/a", "x/b"]},
    }
    patch = {
        "spec": {"ports": [{"port": 53, "$patch": "delete"}], "selector": {"c": "d", "$patch": "replace"}},
        "metadata": {"$deleteFromPrimitiveList/finalizers": ["x/a"]},
    }

    assert strategic_merge_patch(stored, patch) == {
        "spec": {"ports": [HTTP], "selector": {"c": "d"}},
        "metadata": {"finalizers": ["x/b"]},
    }


def test_a_map_may_be_emptied() -> None:
    stored = {"spec": {"selector": {"a": "b"}, "type": "ClusterIP"}}

    found = strategic_merge_patch(stored, {"spec": {"selector": {"$patch": "delete"}}})

    assert found == {"spec": {"selector": {}, "type": "ClusterIP"}}


def test_owners_are_found_by_uid() -> None:
    stored = {"metadata": {"ownerReferences": [{"uid": "1", "name": "a"}, {"uid": "2", "name": "b"}]}}
    patch = {"metadata": {"ownerReferences": [{"uid": "2", "name": "c"}]}}

    assert strategic_merge_patch(stored, patch) == {
        "metadata": {"ownerReferences": [{"uid": "1", "name": "a"}, {"uid": "2", "name": "c"}]}
    }


def test_each_kind_of_patch_has_its_media_type() -> None:
    """As kubectl and client libraries name them in Content-Type."""
    assert [kind.value for kind in PatchType] == [
        "application/json-patch+json",
        "application/merge-patch+json",
        "application/strategic-merge-patch+json",
        "application/apply-patch+yaml",
    ]


def test_a_list_may_be_replaced_as_a_whole() -> None:
    assert strategic_merge_patch(ports(TCP), ports({"$patch": "replace"}, HTTP)) == ports(HTTP)


def test_only_the_retained_keys_stay() -> None:
    stored = {"spec": {"type": "NodePort", "externalName": "db.example", "selector": {"a": "b"}}}

    found = strategic_merge_patch(stored, {"spec": {"$retainKeys": ["type"], "type": "ClusterIP"}})

    assert found == {"spec": {"type": "ClusterIP"}}


def test_finalizers_merge_and_addresses_are_replaced() -> None:
    stored = {"metadata": {"finalizers": ["x/a"]}, "spec": {"externalIPs": ["192.0.2.1"]}}
    patch = {"metadata": {"finalizers": ["x/b", "x/a"]}, "spec": {"externalIPs": ["192.0.2.2"]}}

    assert strategic_merge_patch(stored, patch) == {
        "metadata": {"finalizers": ["x/b", "x/a"]},
        "spec": {"externalIPs": ["192.0.2.2"]},
    }


@pytest.mark.parametrize(
    ("patch", "reason"),
    [
        (ports({"name": "http"}), Reason.UNKNOWN),
        (ports({"port": [80]}), Reason.BAD_REQUEST),
        ({"spec": {"$patch": "explode"}}, Reason.UNKNOWN),
        ({"spec": {"$patch": "merge", "type": "NodePort"}}, Reason.UNKNOWN),
        (ports({"port": 53, "$patch": "merge"}), Reason.UNKNOWN),
        ({"spec": {"$retainKeys": "type"}}, Reason.BAD_REQUEST),
    ],
)
def test_a_patch_that_cannot_be_carried_out_is_refused(patch: dict[str, Any], reason: Reason) -> None:
    assert refused(strategic_merge_patch, ports(TCP), patch) == (reason, frozenset())


def test_apply_finds_ports_by_number_and_protocol() -> None:
    """53/TCP and 53/UDP are two ports (docs/rules/observed.md)."""
    assert server_side_apply(ports(TCP), ports(UDP)) == ports(TCP, UDP)


def test_apply_takes_an_unsaid_protocol_for_tcp() -> None:
    found = server_side_apply(ports(TCP, UDP), ports({"port": 53, "nodePort": 30010}))

    assert found == ports({**TCP, "nodePort": 30010}, UDP)


def test_apply_keeps_the_order_that_was_applied_and_leaves_others_in_place() -> None:
    applied = ports(UDP, TCP)

    assert server_side_apply(ports(TCP, HTTP, UDP), applied) == ports(UDP, TCP, HTTP)


def test_apply_replaces_the_selector_and_merges_labels() -> None:
    stored = {"metadata": {"labels": {"a": "b"}}, "spec": {"selector": {"a": "b"}}}
    applied = {"metadata": {"labels": {"c": "d"}}, "spec": {"selector": {"c": "d"}}}

    assert server_side_apply(stored, applied) == {
        "metadata": {"labels": {"a": "b", "c": "d"}},
        "spec": {"selector": {"c": "d"}},
    }


def test_apply_removes_what_it_sets_to_null() -> None:
    assert server_side_apply({"spec": {"type": "NodePort"}}, {"spec": {"type": None}}) == {"spec": {}}


def test_apply_and_strategic_patches_start_lists_that_are_not_there() -> None:
    patch = {**ports(TCP), "metadata": {"finalizers": ["x/a"]}}

    assert server_side_apply({}, patch) == strategic_merge_patch({}, patch) == patch


def test_one_key_applied_twice_is_refused() -> None:
    found = refused(server_side_apply, {}, ports({"port": 53}, TCP))

    assert found == (Reason.UNKNOWN, frozenset())


def test_a_port_that_is_no_object_cannot_be_applied() -> None:
    found = refused(server_side_apply, {}, {"spec": {"ports": [53]}})

    assert found == (Reason.UNKNOWN, frozenset())


@pytest.mark.parametrize(
    ("applied", "reason"),
    [
        ({**ports(TCP)}, Reason.BAD_REQUEST),
        ({"apiVersion": "v2", **ports(TCP)}, Reason.BAD_REQUEST),
        ({"apiVersion": "v1", **ports({**TCP, "prot": "x"})}, Reason.UNKNOWN),
    ],
)
def test_apply_asks_for_its_version_and_for_known_fields(applied: dict[str, Any], reason: Reason) -> None:
    """structured-merge-diff knows the schema, where a decoder would skip a field."""
    assert refused(patched, None, applied, PatchType.APPLY, WEB) == (reason, frozenset())


@pytest.mark.parametrize("kind", [PatchType.MERGE, PatchType.STRATEGIC_MERGE])
def test_a_patch_to_another_uid_is_invalid(kind: PatchType) -> None:
    """Only a PUT makes the uid a precondition, which is a conflict when it fails."""
    stored = with_metadata(service(), uid="one")

    assert patched(stored, {"metadata": {"uid": "one"}}, kind, WEB) == stored
    assert refused(patched, stored, {"metadata": {"uid": "two"}}, kind, WEB) == invalid("metadata.uid")


def test_apply_alone_makes_a_service_out_of_nothing() -> None:
    tree = {"apiVersion": "v1", "metadata": {"name": "web", "namespace": "shop"}, **ports(TCP)}

    made = patched(None, tree, PatchType.APPLY, WEB)

    assert (made.object_name, made.spec.ports) == (WEB, (DNS_TCP,))
    for kind in (PatchType.MERGE, PatchType.STRATEGIC_MERGE):
        assert refused(patched, None, tree, kind, WEB) == (Reason.NOT_FOUND, frozenset())


@pytest.mark.parametrize("kind", PatchType)
def test_a_patch_of_one_field_leaves_the_others(kind: PatchType) -> None:
    stored = service("web", DNS_TCP, type="NodePort")
    tree = {"apiVersion": "v1", "spec": {"externalTrafficPolicy": "Local"}}
    operations = [{"op": "add", "path": "/spec/externalTrafficPolicy", "value": "Local"}]

    found = patched(stored, operations if kind is PatchType.JSON else tree, kind, WEB)

    assert found == service("web", DNS_TCP, type="NodePort", external_traffic_policy="Local")


def test_a_patch_that_makes_no_service_is_itself_invalid() -> None:
    """The field is the patch; what apply makes has to fit the schema before it is decoded."""
    tree = {"apiVersion": "v1", "spec": {"ports": [{"port": "80"}]}}

    for kind in (PatchType.MERGE, PatchType.STRATEGIC_MERGE):
        assert refused(patched, service(), tree, kind, WEB) == invalid("patch")
    assert refused(patched, service(), tree, PatchType.APPLY, WEB) == (Reason.UNKNOWN, frozenset())


@pytest.mark.parametrize(
    ("kind", "options", "refusal"),
    [
        (PatchType.MERGE, {"field_manager": "", "force": False}, invalid("force", type="FORBIDDEN")),
        (PatchType.APPLY, {"field_manager": "", "force": True}, invalid("fieldManager", type="REQUIRED")),
    ],
)
def test_the_query_of_a_patch_has_to_fit_its_kind(kind: PatchType, options: Any, refusal: Any) -> None:
    """ValidatePatchOptions."""
    refuse_patch_options(kind, field_manager="me", force=True if kind is PatchType.APPLY else None)

    assert refused(refuse_patch_options, kind, **options) == refusal
