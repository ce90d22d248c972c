"""Pools that disagree with the Services, and what repair does about it."""

import attrs

from model.api.adopt import adopt
from model.api.objects import HEADLESS
from model.api.registry import Registry
from model.api.repair import RepairEvent, RepairReason, repair_cluster_ips, repair_node_ports
from model.objects import ObjectName
from tests.model.api.api_cases import (
    DNS_TCP,
    DNS_UDP,
    holding,
    registry,
    service,
    stored,
    with_node_ports,
    with_spec,
)

WEB, OTHER, GONE = (ObjectName("shop", name) for name in ("web", "other", "gone"))


def with_port(state: Registry, number: int, owner: ObjectName) -> Registry:
    return attrs.evolve(state, node_ports=state.node_ports.insert(number, owner))


def with_address(state: Registry, address: str, owner: ObjectName) -> Registry:
    return attrs.evolve(state, ip_owners=state.ip_owners.insert(address, owner))


def node_port_service(name: str = "web", number: int = 30010) -> Registry:
    return holding(registry(), with_node_ports(service(name, type="NodePort"), number))


def test_pools_in_order_are_left_as_they_are() -> None:
    """ALLOC-NP-10, ALLOC-IP-08; one number for two protocols is in order, too."""
    both = with_node_ports(service("web", DNS_TCP, DNS_UDP, type="NodePort"), 30010, 30010)
    local = service("lb", type="LoadBalancer", external_traffic_policy="Local")
    headless = service("headless", cluster_ip=HEADLESS)
    state = holding(registry(), both, local, headless)

    assert repair_node_ports(state) == (state, ())
    assert repair_cluster_ips(state) == (state, ())


def test_a_number_in_use_that_nobody_took_is_taken() -> None:
    """ALLOC-NP-10."""
    state = node_port_service()
    lost = attrs.evolve(state, node_ports=state.node_ports.remove(30010))

    assert repair_node_ports(lost) == (
        state,
        (RepairEvent(RepairReason.PORT_NOT_ALLOCATED, WEB, "30010"),),
    )


def test_a_number_that_nobody_uses_is_freed_at_the_third_sighting() -> None:
    """ALLOC-NP-10."""
    state, sizes = with_port(registry(), 30020, GONE), []
    for _ in range(3):
        state, events = repair_node_ports(state)
        sizes.append(len(state.node_ports))
        assert events == ()

    assert sizes == [1, 1, 0]


def test_a_number_that_comes_into_use_again_is_no_leak_any_more() -> None:
    """ALLOC-NP-10."""
    state, _ = repair_node_ports(with_port(registry(), 30010, WEB))
    used = attrs.evolve(node_port_service(), leaked_node_ports=state.leaked_node_ports)

    assert repair_node_ports(used) == (node_port_service(), ())


def test_a_number_of_two_services_is_reported_and_left() -> None:
    """ALLOC-NP-09, ALLOC-NP-10."""
    state = node_port_service("other")
    twin = with_node_ports(service(type="ExternalName", external_name="db.example"), 30010)
    state = holding(state, twin)

    assert repair_node_ports(state) == (
        state,
        (RepairEvent(RepairReason.PORT_ALREADY_ALLOCATED, WEB, "30010"),),
    )


def test_a_number_of_two_services_stays_with_whom_it_was_allocated_for() -> None:
    """ALLOC-NP-10: although another carries it whose name comes first."""
    twin = with_node_ports(service(type="ExternalName", external_name="db.example"), 30010)
    state = with_port(holding(node_port_service("other"), twin), 30010, WEB)

    repaired, _ = repair_node_ports(state)
    assert dict(repaired.node_ports) == {30010: WEB}


def test_a_number_whose_holder_carries_it_no_more_goes_to_who_does() -> None:
    """ALLOC-NP-10."""
    state = with_port(holding(node_port_service("other"), service()), 30010, WEB)

    repaired, _ = repair_node_ports(state)
    assert dict(repaired.node_ports) == {30010: OTHER}


def test_a_health_check_port_may_equal_a_udp_node_port_but_not_a_tcp_one() -> None:
    """ALLOC-NP-10: as repair counts what one Service carries."""
    fields = {"type": "LoadBalancer", "external_traffic_policy": "Local", "health_check_node_port": 30010}
    udp = adopt(registry(), [with_node_ports(service("udp", DNS_UDP, **fields), 30010)])
    tcp = adopt(registry(), [with_node_ports(service("tcp", DNS_TCP, **fields), 30010)])

    assert repair_node_ports(udp)[1] == ()
    assert [event.reason for event in repair_node_ports(tcp)[1]] == [RepairReason.PORT_ALREADY_ALLOCATED]


def test_a_number_out_of_range_is_reported_and_left() -> None:
    """ALLOC-NP-10: after the range was changed."""
    state = node_port_service()
    moved = attrs.evolve(state, config=attrs.evolve(state.config, first_node_port=31000))

    _, events = repair_node_ports(moved)

    assert events == (RepairEvent(RepairReason.PORT_OUT_OF_RANGE, WEB, "30010"),)


def test_an_address_in_use_that_nobody_owns_gets_its_owner() -> None:
    """ALLOC-IP-08."""
    state = holding(registry(), service(cluster_ip="10.0.0.7"))
    lost = attrs.evolve(state, ip_owners=state.ip_owners.remove("10.0.0.7"))

    assert repair_cluster_ips(lost) == (
        state,
        (RepairEvent(RepairReason.CLUSTER_IP_NOT_ALLOCATED, WEB, "10.0.0.7"),),
    )


def test_an_address_owned_by_what_is_gone_gets_its_owner() -> None:
    """ALLOC-IP-08."""
    state = holding(registry(), service(cluster_ip="10.0.0.7"))

    repaired, _ = repair_cluster_ips(with_address(state, "10.0.0.7", GONE))

    assert repaired == state


def test_an_orphan_is_deleted() -> None:
    """ALLOC-IP-08."""
    orphaned = with_address(registry(), "10.0.0.9", GONE)

    assert repair_cluster_ips(orphaned) == (
        registry(),
        (RepairEvent(RepairReason.IP_ADDRESS_NOT_ALLOCATED, GONE, "10.0.0.9"),),
    )


def test_an_address_whose_owner_does_not_carry_it_reaches_its_user_in_two_passes() -> None:
    """ALLOC-IP-08."""
    state = holding(registry(), service(cluster_ip="10.0.0.7"), service("other"))

    first, events = repair_cluster_ips(with_address(state, "10.0.0.7", OTHER))
    second, _ = repair_cluster_ips(first)

    assert events == (RepairEvent(RepairReason.IP_ADDRESS_WRONG_REFERENCE, OTHER, "10.0.0.7"),)
    assert second == state


def test_an_address_of_two_services_is_reported_and_left() -> None:
    """ALLOC-IP-08: one of the two must be recreated."""
    state = holding(registry(), service("other", cluster_ip="10.0.0.7"), service())
    twin = with_spec(stored(state), cluster_ip="10.0.0.7", cluster_ips=("10.0.0.7",))
    owners = state.ip_owners.remove(stored(state).spec.cluster_ip)
    state = attrs.evolve(state, services=state.services.insert(WEB, twin), ip_owners=owners)

    assert repair_cluster_ips(state) == (
        state,
        (RepairEvent(RepairReason.CLUSTER_IP_ALREADY_ALLOCATED, WEB, "10.0.0.7"),),
    )


def test_an_address_out_of_range_is_reported_and_survives() -> None:
    """ALLOC-IP-08: after the range was changed."""
    state = holding(registry(), service(cluster_ip="10.0.0.7"))
    moved = attrs.evolve(state, service_cidrs=registry("10.9.0.0/16").service_cidrs)

    assert repair_cluster_ips(moved) == (
        moved,
        (RepairEvent(RepairReason.CLUSTER_IP_OUT_OF_RANGE, WEB, "10.0.0.7"),),
    )
