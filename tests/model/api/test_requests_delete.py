"""Deleting Services, dry runs, and the hole through which two Services get one number."""

from typing import Any

import pytest
from rpds import HashTrieMap

from model.api.adopt import adopt
from model.api.refusal import Reason
from model.api.registry import Registry
from model.api.requests import create, delete, update, update_status
from model.objects import ObjectName
from tests.model.api.api_cases import (
    BALANCER,
    EXTERNAL,
    holding,
    numbers,
    pools,
    refused,
    registry,
    service,
    stored,
    with_metadata,
    with_node_ports,
)
from tests.model.api.api_cases import (
    OTHER_NAME as OTHER,
)
from tests.model.api.api_cases import (
    WEB_NAME as WEB,
)


@pytest.mark.parametrize("ask", [delete, lambda state, name: update_status(state, service(name.name))])
def test_what_does_not_exist_cannot_be_deleted_or_reported_on(ask: Any) -> None:
    assert refused(ask, registry(), WEB) == (Reason.NOT_FOUND, frozenset())


def test_a_deleted_service_frees_all_it_had() -> None:
    """API-TC-11, ALLOC-IP-06, ALLOC-HC-01."""
    state = holding(registry(), service(ip_family_policy="PreferDualStack", **BALANCER))

    after = delete(state, WEB).registry

    assert pools(after) == ({}, {})
    assert WEB not in after.services


def test_a_service_with_finalizers_is_marked_and_keeps_all_until_they_are_gone() -> None:
    """API-TC-11."""
    state = holding(registry(), with_metadata(service(**BALANCER), finalizers=("example.com/lb",)))
    held = pools(state)

    marked = delete(state, WEB, now="2026-01-01T00:00:00Z")
    again = delete(marked.registry, WEB, now="2026-02-02T00:00:00Z")
    gone = update(again.registry, with_metadata(again.service, finalizers=()))

    assert marked.service.metadata.deletion_timestamp == "2026-01-01T00:00:00Z"
    assert (pools(marked.registry), again.registry) == (held, marked.registry)
    assert (pools(gone.registry), WEB in gone.registry.services) == (({}, {}), False)


def test_a_dry_run_changes_nothing() -> None:
    """API-PIPE-06."""
    state = holding(registry(), service())

    updated = update(state, service(type="NodePort"), dry_run=True)

    assert (updated.registry, numbers(updated.service)) == (state, (32769,))
    assert delete(state, WEB, dry_run=True).registry is state


def hole() -> Registry:
    """ALLOC-NP-09: other owns 30010, and web carries it as an ExternalName."""
    owner = with_node_ports(service("other", type="NodePort"), 30010)
    return holding(registry(), owner, with_node_ports(service(**EXTERNAL), 30010))


def test_an_external_name_may_carry_a_number_of_another_service_without_owning_it() -> None:
    """ALLOC-NP-09."""
    assert pools(hole())[1] == {30010: OTHER}


def test_such_a_number_is_never_taken_when_the_type_changes() -> None:
    """ALLOC-NP-09: two Services have it then."""
    state = update(hole(), with_node_ports(service(type="NodePort"), 30010)).registry

    assert numbers(stored(state)) == numbers(stored(state, "other")) == (30010,)
    assert pools(state)[1] == {30010: OTHER}


def test_deleting_such_a_service_frees_the_number_of_the_other() -> None:
    """ALLOC-NP-09, API-TC-11: a third Service may have it then."""
    state = delete(hole(), WEB).registry
    third = with_node_ports(service("third", type="NodePort"), 30010)

    assert pools(state)[1] == {}
    assert numbers(create(state, third).service) == numbers(stored(state, "other"))


def test_adopted_services_own_what_they_carry_and_the_first_of_two_wins() -> None:
    """ALLOC-NP-09, ALLOC-IP-01."""
    original = holding(
        registry(), with_node_ports(service("other", cluster_ip="10.0.0.7", **BALANCER), 30010)
    )
    twin = with_metadata(stored(original, "other"), name="web")
    external = with_metadata(with_node_ports(service(**EXTERNAL), 30020), name="external")

    state = adopt(registry(), [stored(original, "other"), twin, external])

    assert pools(state) == pools(original)
    assert state.services == HashTrieMap(
        {
            OTHER: stored(original, "other"),
            WEB: twin,
            ObjectName("shop", "external"): with_metadata(external, resource_version="3"),
        }
    )


def test_an_adopted_service_of_before_the_plural_owns_its_address() -> None:
    """API-DS-10."""
    state = adopt(registry(), [service(cluster_ip="10.0.0.7")])

    assert pools(state) == ({"10.0.0.7": WEB}, {})


def test_a_service_made_again_is_another_write() -> None:
    """A resource version is never used twice."""
    first = create(registry(), service())
    without = delete(first.registry, WEB).registry

    again = create(without, service())

    assert int(again.service.metadata.resource_version) > int(first.service.metadata.resource_version) + 1
