"""Changing Services."""

from typing import Any

import attrs
import pytest

from model.api.objects import HEADLESS, Ingress, LoadBalancerStatus, ServicePort, ServiceStatus
from model.api.refusal import Reason
from model.api.requests import create, update, update_status
from tests.model.api.api_cases import (
    BALANCER,
    DNS_TCP,
    DNS_UDP,
    EXTERNAL,
    holding,
    invalid,
    numbers,
    pools,
    refused,
    registry,
    service,
    stored,
    with_metadata,
    with_node_ports,
    with_spec,
)
from tests.model.api.api_cases import (
    WEB_NAME as WEB,
)


def test_submitting_the_same_manifest_again_changes_nothing() -> None:
    """API-PIPE-04: idempotence, the resource version included."""
    manifest = service(
        "web", DNS_TCP, ServicePort("x", port=80), ip_family_policy="PreferDualStack", **BALANCER
    )
    state = holding(registry(), manifest)

    accepted = update(state, manifest)

    assert accepted.registry is state
    assert accepted.service == stored(state)


def test_a_changed_service_has_a_new_resource_version_and_keeps_what_it_owns() -> None:
    """ALLOC-IP-07."""
    state = holding(registry(), service(type="NodePort"))

    accepted = update(state, service(type="NodePort", selector=(("app", "other"),)))

    assert accepted.service.metadata.resource_version == "2"
    assert accepted.service.metadata.uid == stored(state).metadata.uid
    assert pools(accepted.registry) == pools(state)


def test_becoming_external_name_frees_addresses_and_ports() -> None:
    """API-TC-01, API-TC-03, API-TC-06, ALLOC-IP-06, ALLOC-HC-01."""
    state = holding(registry(), service(ip_family_policy="PreferDualStack", **BALANCER))

    accepted = update(state, with_spec(stored(state), **EXTERNAL))

    assert pools(accepted.registry) == ({}, {})
    assert (accepted.service.spec.cluster_ips, accepted.service.spec.health_check_node_port) == ((), 0)


def test_from_external_name_everything_is_allocated_afresh() -> None:
    """API-TC-02, API-TC-04."""
    state = holding(registry(), service(**EXTERNAL))

    accepted = update(state, service(type="NodePort"), seed=1)

    (address,), (number,) = accepted.service.spec.cluster_ips, numbers(accepted.service)
    assert pools(accepted.registry) == ({address: WEB}, {number: WEB})


def test_on_update_ports_of_one_number_get_a_node_port_each() -> None:
    """ALLOC-NP-06."""
    state = holding(registry(), service("web", DNS_TCP, DNS_UDP))

    tcp, udp = numbers(update(state, service("web", DNS_TCP, DNS_UDP, type="NodePort")).service)

    assert tcp != udp


def test_on_update_a_number_may_be_repeated_for_another_protocol() -> None:
    """ALLOC-NP-06: held by the Service already, or new to it."""
    state = holding(registry(), with_node_ports(service("web", DNS_TCP, type="NodePort"), 30010))
    both = service("web", DNS_TCP, DNS_UDP, type="NodePort")

    assert numbers(update(state, with_node_ports(both, 30010, 30010)).service) == (30010, 30010)
    assert pools(update(state, with_node_ports(both, 30011, 30011)).registry)[1] == {30011: WEB}


def test_on_update_a_number_repeated_for_one_protocol_is_the_servers_failure() -> None:
    """ALLOC-NP-06."""
    state = holding(registry(), service(type="NodePort"))
    two = service("web", ServicePort("a", port=1), ServicePort("b", port=2), type="NodePort")

    found = refused(update, state, with_node_ports(two, 30010, 30010))

    assert found == (Reason.UNKNOWN, frozenset())


def test_a_number_no_port_has_any_more_is_free_and_one_that_moved_is_not() -> None:
    """ALLOC-NP-07."""
    ports = ServicePort("a", port=1), ServicePort("b", port=2)
    state = holding(registry(), with_node_ports(service("web", *ports, type="NodePort"), 30010, 30011))

    accepted = update(
        state, with_node_ports(service("web", ServicePort("c", port=3), type="NodePort"), 30011)
    )

    assert pools(accepted.registry)[1] == {30011: WEB}


def test_a_number_of_another_service_is_refused() -> None:
    """ALLOC-NP-03."""
    state = holding(registry(), with_node_ports(service("other", type="NodePort"), 30010), service())

    found = refused(update, state, with_node_ports(service(type="NodePort"), 30010))

    assert found == invalid("spec.ports[0].nodePort")


def test_a_load_balancer_that_wants_none_loses_the_node_ports_it_leaves_out() -> None:
    """API-TC-05."""
    state = holding(registry(), with_node_ports(service(type="NodePort"), 30010))
    new = service(type="LoadBalancer", allocate_load_balancer_node_ports=False)

    assert pools(update(state, with_node_ports(new, 30010)).registry)[1] == {30010: WEB}
    assert pools(update(state, new).registry)[1] == {}


def test_a_load_balancer_that_wants_none_may_still_ask_for_one() -> None:
    """ALLOC-NP-11."""
    state = holding(registry(), service(type="LoadBalancer", allocate_load_balancer_node_ports=False))

    accepted = update(state, with_node_ports(stored(state), 30010))

    assert pools(accepted.registry)[1] == {30010: WEB}


def test_the_health_check_port_comes_and_goes_with_policy_local() -> None:
    """API-TC-06, API-TC-07, ALLOC-HC-01."""
    state = holding(registry(), with_node_ports(service(type="LoadBalancer"), 30010))

    local = update(state, with_spec(stored(state), external_traffic_policy="Local"))
    back = update(local.registry, with_spec(local.service, external_traffic_policy="Cluster"))

    assert pools(local.registry)[1] == {30010: WEB, local.service.spec.health_check_node_port: WEB}
    assert pools(back.registry)[1] == {30010: WEB}


def test_a_requested_health_check_port_is_reserved() -> None:
    """API-TC-07."""
    state = holding(registry(), service(type="LoadBalancer"))

    accepted = update(state, service(health_check_node_port=30020, **BALANCER))

    assert accepted.registry.node_ports[30020] == WEB


def test_an_upgrade_takes_the_second_address_alone() -> None:
    """API-DS-09."""
    state = holding(registry(), service(cluster_ip="10.0.0.7"))

    accepted = update(state, service(ip_family_policy="PreferDualStack"))

    first, second = accepted.service.spec.cluster_ips
    assert (first, ":" in second) == ("10.0.0.7", True)
    assert pools(accepted.registry)[0] == {first: WEB, second: WEB}


def test_a_downgrade_frees_the_second_address() -> None:
    """API-DS-05."""
    state = holding(registry(), service(cluster_ip="10.0.0.7", ip_family_policy="PreferDualStack"))

    accepted = update(state, with_spec(stored(state), ip_family_policy="SingleStack"))

    assert accepted.service.spec.ip_families == ("IPv4",)
    assert pools(accepted.registry)[0] == {"10.0.0.7": WEB}


def test_the_first_address_never_changes() -> None:
    """API-DS-06, ALLOC-IP-07."""
    state = holding(registry(), service(cluster_ip="10.0.0.7"))

    found = refused(update, state, service(cluster_ip="10.0.0.8"))

    assert found == invalid("spec.clusterIPs[0]")


@pytest.mark.parametrize(("before", "after"), [(HEADLESS, "10.0.0.7"), ("10.0.0.7", HEADLESS)])
def test_headless_is_for_ever(before: str, after: str) -> None:
    """API-TC-10."""
    state = holding(registry(), service(cluster_ip=before))

    assert refused(update, state, service(cluster_ip=after)) == invalid("spec.clusterIPs[0]")


def test_a_refused_update_leaks_nothing_and_frees_nothing() -> None:
    """API-PIPE-02: the request would have taken a port and freed another."""
    state = holding(registry(), with_node_ports(service(type="NodePort"), 30010))
    before = pools(state)

    refused(update, state, with_node_ports(service(type="NodePort", session_affinity="Sometimes"), 30011))

    assert pools(state) == before


def test_an_update_keeps_the_status() -> None:
    """API-PIPE-03."""
    state = holding(registry(), service(type="LoadBalancer"))
    status = ServiceStatus(LoadBalancerStatus((Ingress("192.0.2.1", ip_mode="VIP"),)))
    state = update_status(state, attrs.evolve(stored(state), status=status)).registry

    accepted = update(state, service(type="LoadBalancer", selector=(("app", "other"),)))

    assert accepted.service.status == status


def test_an_accepted_service_comes_with_warnings() -> None:
    """API-F-15: externalIPs are deprecated."""
    one = service(external_ips=("203.0.113.1",))

    created = create(registry(), one)
    updated = update(created.registry, one)

    assert [text.split()[0] for text in created.warnings] == ["spec.externalIPs"]
    assert updated.warnings == created.warnings


@pytest.mark.parametrize("ask", [update, update_status])
def test_nobody_marks_a_service_for_deletion_by_an_update(ask: Any) -> None:
    """ValidateObjectMetaUpdate: both fields are immutable, and BeforeUpdate keeps only old values."""
    state = holding(registry(), service())
    sent = with_metadata(
        service(), deletion_timestamp="2026-01-01T00:00:00Z", deletion_grace_period_seconds=30
    )

    found = refused(ask, state, sent)

    assert found == invalid("metadata.deletionTimestamp", "metadata.deletionGracePeriodSeconds")


@pytest.mark.parametrize("ask", [update, update_status])
def test_the_generation_is_the_servers_to_count(ask: Any) -> None:
    state = holding(registry(), service())

    assert ask(state, with_metadata(stored(state), generation=7)).registry is state


@pytest.mark.parametrize("ask", [update, update_status])
def test_another_resource_version_or_uid_is_a_conflict(ask: Any) -> None:
    """Optimistic locking; an update that names neither wins."""
    state = holding(registry(), service(), service("other"))
    conflict = (Reason.CONFLICT, frozenset[tuple[str, str]]())

    assert refused(ask, state, with_metadata(service(), resource_version="2")) == conflict
    assert refused(ask, state, with_metadata(service(), uid="another")) == conflict
    assert ask(state, with_metadata(service(), resource_version="1")).registry is state
    assert ask(state, with_metadata(service(), resource_version="0")).registry is state


def test_an_update_of_nothing_creates() -> None:
    """Services may be created by a PUT."""
    versioned = with_metadata(service(), resource_version="7")

    assert update(registry(), service()) == create(registry(), service())
    assert update(registry(), versioned) == create(registry(), service())
