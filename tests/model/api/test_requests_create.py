"""Creating Services: what is stored, what is allocated, what is refused."""

import time
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.api.objects import HEADLESS, Ingress, LoadBalancerStatus, Service, ServicePort, ServiceStatus
from model.api.refusal import Reason, Refused
from model.api.requests import addressed, create
from model.objects import ObjectName
from tests.model.api.api_cases import (
    DNS_TCP,
    DNS_UDP,
    holding,
    invalid,
    numbers,
    refused,
    registry,
    service,
    stored,
    with_node_ports,
)

WEB = ObjectName("shop", "web")


def test_a_dual_stack_service_owns_one_address_of_each_family() -> None:
    """API-PIPE-01, API-DS-02."""
    accepted = create(registry(), service(ip_family_policy="RequireDualStack"))

    spec = accepted.service.spec
    assert [":" in address for address in spec.cluster_ips] == [False, True]
    assert spec.cluster_ip == spec.cluster_ips[0]
    assert dict(accepted.registry.ip_owners.items()) == dict.fromkeys(spec.cluster_ips, WEB)


def test_what_was_accepted_is_what_is_stored() -> None:
    accepted = create(registry(), service())

    assert stored(accepted.registry) == accepted.service
    assert accepted.service.metadata.resource_version == "1"


@pytest.mark.parametrize(
    "fields",
    [
        {"type": "ExternalName", "external_name": "db.example"},
        {"cluster_ip": HEADLESS},
    ],
    ids=["ExternalName", "headless"],
)
def test_headless_and_external_name_own_no_address(fields: dict[str, Any]) -> None:
    """ALLOC-IP-06, API-DS-08."""
    assert dict(create(registry(), service(**fields)).registry.ip_owners.items()) == {}


def test_a_requested_address_is_taken_and_a_lone_one_fills_the_list() -> None:
    """ALLOC-IP-05, API-PIPE-05."""
    accepted = create(registry(), service(cluster_ip="10.0.0.10"))

    assert accepted.service.spec.cluster_ips == ("10.0.0.10",)
    assert accepted.registry.ip_owners["10.0.0.10"] == WEB


@pytest.mark.parametrize("address", ["10.0.0.10", "10.1.0.1"], ids=["taken", "out of range"])
def test_an_address_that_cannot_be_had_is_refused(address: str) -> None:
    """ALLOC-IP-05."""
    state = holding(registry(), service("other", cluster_ip="10.0.0.10"))

    assert refused(create, state, service(cluster_ip=address)) == invalid("spec.clusterIPs")


def test_a_full_range_is_the_servers_failure() -> None:
    """ALLOC-IP-04."""
    state = holding(registry("10.0.0.0/30"), service("a"), service("b"))

    assert refused(create, state, service()) == (Reason.INTERNAL_ERROR, frozenset())


def test_a_lone_list_of_addresses_is_refused() -> None:
    """API-PIPE-05."""
    one = service(cluster_ips=("10.0.0.10",))

    assert refused(create, registry(), one) == invalid("spec.clusterIPs")


def test_ports_of_one_number_share_a_node_port() -> None:
    """ALLOC-NP-04, ALLOC-NP-05."""
    accepted = create(
        registry(), service("web", DNS_TCP, DNS_UDP, ServicePort("x", port=80), type="NodePort")
    )

    tcp, udp, other = numbers(accepted.service)
    assert tcp == udp != other
    assert dict(accepted.registry.node_ports.items()) == {tcp: WEB, other: WEB}


@pytest.mark.parametrize(("tcp", "udp"), [(30010, 0), (0, 30010), (30010, 30010)])
def test_the_number_asked_for_by_one_serves_both(tcp: int, udp: int) -> None:
    """ALLOC-NP-05."""
    one = with_node_ports(service("web", DNS_TCP, DNS_UDP, type="NodePort"), tcp, udp)

    assert numbers(create(registry(), one).service) == (30010, 30010)


def test_ports_of_one_number_may_ask_for_two_node_ports() -> None:
    """ALLOC-NP-05."""
    one = with_node_ports(service("web", DNS_TCP, DNS_UDP, type="NodePort"), 30010, 30011)

    assert dict(create(registry(), one).registry.node_ports.items()) == {30010: WEB, 30011: WEB}


def test_one_node_port_for_two_numbers_is_refused() -> None:
    """ALLOC-NP-05."""
    ports = (ServicePort("a", port=1), ServicePort("b", port=2))
    one = with_node_ports(service("web", *ports, type="NodePort"), 30010, 30010)

    assert refused(create, registry(), one) == invalid("spec.ports[1].nodePort")


def test_a_number_is_taken_for_all_protocols() -> None:
    """ALLOC-NP-03."""
    state = holding(registry(), with_node_ports(service("other", DNS_TCP, type="NodePort"), 30010))
    one = with_node_ports(service("web", DNS_UDP, type="NodePort"), 30010)

    assert refused(create, state, one) == invalid("spec.ports[0].nodePort")


def test_a_node_port_out_of_range_is_the_clients_fault_a_health_check_port_the_servers() -> None:
    """ALLOC-NP-08."""
    node_port = with_node_ports(service(type="NodePort"), 29999)
    health = service(type="LoadBalancer", external_traffic_policy="Local", health_check_node_port=29999)

    assert refused(create, registry(), node_port) == invalid("spec.ports[0].nodePort")
    assert refused(create, registry(), health) == (Reason.INTERNAL_ERROR, frozenset())


def test_no_free_node_port_is_the_servers_failure() -> None:
    """ALLOC-NP-02."""
    state = holding(registry(first_node_port=30000, last_node_port=30000), service("a", type="NodePort"))

    assert refused(create, state, service(type="NodePort")) == (Reason.INTERNAL_ERROR, frozenset())


def test_policy_local_takes_a_health_check_port_from_the_same_pool() -> None:
    """ALLOC-HC-01, ALLOC-NP-03."""
    accepted = create(registry(), service(type="LoadBalancer", external_traffic_policy="Local"))

    health = accepted.service.spec.health_check_node_port
    assert dict(accepted.registry.node_ports.items()) == {numbers(accepted.service)[0]: WEB, health: WEB}


def test_a_health_check_port_equal_to_its_own_node_port_is_the_servers_failure() -> None:
    """ALLOC-NP-03."""
    one = service(type="LoadBalancer", external_traffic_policy="Local", health_check_node_port=30010)

    found = refused(create, registry(), with_node_ports(one, 30010))

    assert found == (Reason.INTERNAL_ERROR, frozenset())


@pytest.mark.parametrize(("tcp", "udp"), [(0, 0), (30010, 0)])
def test_a_load_balancer_without_node_ports_gets_only_those_it_asks_for(tcp: int, udp: int) -> None:
    """ALLOC-NP-11, API-F-19."""
    one = service("web", DNS_TCP, DNS_UDP, type="LoadBalancer", allocate_load_balancer_node_ports=False)

    assert numbers(create(registry(), with_node_ports(one, tcp, udp)).service) == (tcp, udp)


def test_status_and_deletion_mark_of_the_body_are_dropped() -> None:
    """API-PIPE-01."""
    one = service(type="LoadBalancer")
    status = ServiceStatus(LoadBalancerStatus((Ingress("192.0.2.1"),)))
    metadata = attrs.evolve(
        one.metadata,
        uid="mine",
        creation_timestamp="2026-01-01T00:00:00Z",
        deletion_timestamp="2026-01-01T00:00:00Z",
        deletion_grace_period_seconds=30,
    )

    found = create(registry(), attrs.evolve(one, status=status, metadata=metadata)).service

    assert found.metadata.uid not in ("", "mine")
    kept = attrs.evolve(
        one.metadata, uid=found.metadata.uid, resource_version=found.metadata.resource_version
    )
    assert (found.status, found.metadata) == (ServiceStatus(), kept)


def test_a_taken_name_is_a_conflict_only_of_a_valid_request() -> None:
    """API-PIPE-01: the name is looked at last."""
    state = holding(registry(), service())

    assert refused(create, state, service()) == (Reason.ALREADY_EXISTS, frozenset())
    assert refused(create, state, service("web", ServicePort(port=0))) == invalid(
        "spec.ports[0].port", "spec.ports[0].targetPort"
    )


def test_a_resource_version_cannot_be_created() -> None:
    one = service()
    one = attrs.evolve(one, metadata=attrs.evolve(one.metadata, resource_version="7"))

    for state in (registry(), holding(registry(), service())):
        assert refused(create, state, one) == (Reason.UNKNOWN, frozenset())


def test_a_dry_run_does_not_look_at_the_resource_version() -> None:
    """It never comes to the write that refuses it (DryRunnableStorage.Create)."""
    one = service()
    one = attrs.evolve(one, metadata=attrs.evolve(one.metadata, resource_version="7"))

    accepted = create(registry(), one, dry_run=True)

    assert accepted.service.metadata.name == "web"


def test_a_generated_name_is_free() -> None:
    one = service("")
    one = attrs.evolve(one, metadata=attrs.evolve(one.metadata, generate_name="web-"))

    name = create(registry(), one, seed=3).service.metadata.name

    assert (name[:4], len(name)) == ("web-", 9)


def test_a_name_must_be_given_or_asked_for() -> None:
    """API-F-01."""
    assert refused(create, registry(), service("")) == invalid("metadata.name", type="REQUIRED")


def test_a_refused_request_leaves_the_registry_as_it_was() -> None:
    """API-PIPE-01."""
    state = holding(registry(), service("other", type="NodePort"))
    before = (dict(state.services.items()), dict(state.ip_owners.items()), dict(state.node_ports.items()))

    refused(create, state, service(type="NodePort", session_affinity="Sometimes"))

    assert (
        dict(state.services.items()),
        dict(state.ip_owners.items()),
        dict(state.node_ports.items()),
    ) == before


@given(seed=st.integers())
def test_a_request_with_one_seed_has_one_answer(seed: int) -> None:
    one = service(type="LoadBalancer", external_traffic_policy="Local", ip_family_policy="PreferDualStack")

    assert create(registry(), one, seed=seed) == create(registry(), one, seed=seed)


def test_a_dry_run_shows_placeholders_and_changes_nothing() -> None:
    """API-PIPE-06."""
    state = registry()
    one = service(type="LoadBalancer", external_traffic_policy="Local", ip_family_policy="PreferDualStack")

    accepted = create(state, one, dry_run=True)

    spec = accepted.service.spec
    assert accepted.registry is state
    assert spec.cluster_ips == ("10.0.0.0", "fd00::")
    assert (numbers(accepted.service), spec.health_check_node_port) == ((32769,), 32770)


def test_a_dry_run_does_not_see_that_an_address_is_taken_but_that_a_node_port_is() -> None:
    """API-PIPE-06."""
    other = with_node_ports(service("other", type="NodePort", cluster_ip="10.0.0.10"), 30010)
    state = holding(registry(), other)

    assert create(state, service(cluster_ip="10.0.0.10"), dry_run=True).registry is state
    one = with_node_ports(service(type="NodePort"), 30010)
    assert refused(create, state, one, dry_run=True) == invalid("spec.ports[0].nodePort")


@pytest.mark.parametrize(
    ("namespace", "name", "what"),
    [
        (
            "other",
            None,
            "the namespace of the provided object does not match the namespace sent on the request",
        ),
        ("shop", "other", "the name of the object (web) does not match the name on the URL (other)"),
    ],
    ids=["namespace", "name"],
)
def test_a_body_that_contradicts_the_path_is_a_bad_request(
    namespace: str, name: str | None, what: str
) -> None:
    with pytest.raises(Refused) as refusal:
        addressed(service(), namespace, name)

    assert (Reason.BAD_REQUEST, what, ()) == (
        refusal.value.reason,
        refusal.value.what,
        refusal.value.causes,
    )


def test_a_body_without_namespace_is_in_that_of_the_path() -> None:
    one = service()
    bare = attrs.evolve(one, metadata=attrs.evolve(one.metadata, namespace=""))

    assert addressed(bare, "shop", "web") == one


def test_a_request_does_not_cost_more_among_a_thousand_services() -> None:
    """Measured as the best of many, so that a busy machine does not fail it."""
    few, many = registry(), registry()
    for seed in range(1000):
        many = create(many, service(f"s{seed}", type="NodePort"), seed=seed).registry

    def best(one: Service) -> dict[str, float]:
        times: dict[str, float] = {"few": 1.0, "many": 1.0}
        for seed in range(50):
            for name, state in (("few", few), ("many", many)):
                start = time.perf_counter()
                create(state, one, seed=seed)
                times[name] = min(times[name], time.perf_counter() - start)
        return times

    times = best(service(type="NodePort"))
    assert times["many"] < 5 * times["few"]
