"""Server-side apply with a memory of who set which field."""

from typing import Any

import pytest
from hypothesis import given

from model.api.field_managers import Managed, conflicts, fields_of, text_of, without_given_up
from model.api.json_form import to_tree
from model.api.patches import PatchType, patched
from model.api.refusal import Reason
from tests.model.api.api_cases import DNS_TCP, DNS_UDP, refused, service
from tests.model.api.api_cases import WEB_NAME as WEB
from tests.strategies.documents import SPECS, TCP, UDP


def applied(**spec: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": spec}


def test_a_port_that_is_applied_no_longer_is_removed_and_one_of_others_stays() -> None:
    """KEP-555: apply deletes what its manager alone owned."""
    stored = service("web", DNS_TCP, DNS_UDP)
    before = fields_of(applied(ports=[TCP, UDP]))

    alone = patched(stored, applied(ports=[UDP]), PatchType.APPLY, WEB, managed=Managed(before))
    shared = Managed(before, fields_of(applied(ports=[TCP])))
    with_another = patched(stored, applied(ports=[UDP]), PatchType.APPLY, WEB, managed=shared)

    assert alone.spec.ports == (DNS_UDP,)
    assert with_another.spec.ports == (DNS_TCP, DNS_UDP)


def test_a_field_of_a_port_is_removed_without_the_port() -> None:
    stored = {"spec": {"ports": [{**TCP, "appProtocol": "dns", "nodePort": 30053}]}}
    managed = Managed(fields_of({"spec": {"ports": [{**TCP, "appProtocol": "dns"}]}}))

    found = without_given_up(stored, {"spec": {"ports": [TCP]}}, managed)

    assert found == {"spec": {"ports": [{**TCP, "nodePort": 30053}]}}


def test_labels_are_given_up_one_by_one_and_the_selector_as_a_whole() -> None:
    """Labels are a granular map, the selector an atomic one."""
    stored = {"metadata": {"labels": {"a": "1", "b": "2"}}, "spec": {"selector": {"a": "1", "b": "2"}}}
    mine = fields_of({"metadata": {"labels": {"a": "1"}}, "spec": {"selector": {"a": "1"}}})

    assert without_given_up(stored, {}, Managed(mine)) == {"metadata": {"labels": {"b": "2"}}, "spec": {}}


def test_a_finalizer_is_given_up_by_its_value() -> None:
    stored = {"metadata": {"finalizers": ["x/a", "x/b"]}}
    mine = fields_of({"metadata": {"finalizers": ["x/b"]}})

    assert without_given_up(stored, {}, Managed(mine)) == {"metadata": {"finalizers": ["x/a"]}}


def test_another_value_for_a_field_of_another_manager_is_a_conflict_unless_forced() -> None:
    """409 with one cause for each field."""
    stored = service("web", DNS_TCP, type="NodePort")
    managed = Managed(others=fields_of(to_tree(stored)))
    tree = applied(type="LoadBalancer", ports=[{**TCP, "name": "other"}])

    found = refused(patched, stored, tree, PatchType.APPLY, WEB, managed=managed)
    forced = patched(stored, tree, PatchType.APPLY, WEB, managed=managed, force=True)

    causes = {".spec.type", '.spec.ports[port=53,protocol="TCP"].name'}
    assert found == (Reason.CONFLICT, frozenset((field, "FIELD_MANAGER_CONFLICT") for field in causes))
    assert (forced.spec.type, forced.spec.ports[0].name) == ("LoadBalancer", "other")


def test_the_same_value_is_shared_without_a_conflict() -> None:
    stored = service("web", DNS_TCP, type="NodePort")
    managed = Managed(others=fields_of(to_tree(stored)))

    assert patched(stored, applied(type="NodePort"), PatchType.APPLY, WEB, managed=managed) == stored


@pytest.mark.parametrize(
    ("place", "text"),
    [
        (("metadata", "finalizers", (("", "x/a"),)), '.metadata.finalizers[="x/a"]'),
        (("spec", "ports", (("port", 1), ("protocol", "UDP"))), '.spec.ports[port=1,protocol="UDP"]'),
    ],
)
def test_a_field_is_named_as_in_a_conflict(place: Any, text: str) -> None:
    assert text_of(place) == text


@given(first=SPECS, second=SPECS)
def test_what_was_applied_alone_is_gone_when_nothing_is_applied(first: Any, second: Any) -> None:
    """Applying and giving up again leaves no field of the manager's."""
    managed = Managed(mine=fields_of(first))

    left = without_given_up(first, {}, managed)

    assert not {field for field in fields_of(left) if field in managed.mine and left["spec"].get(field[1])}
    assert conflicts(first, first, Managed(others=fields_of(second))) == ()
