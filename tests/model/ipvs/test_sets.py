"""The members of the KUBE-* sets and the addresses of the dummy device."""

import attrs
import pytest

from model.ipvs.records import IpvsState, SetName, SetType
from model.objects import Cluster, Endpoint, Ingress, Service, ServicePort, TrafficPolicy
from tests.model.ipvs.building import (
    CLUSTER_IP,
    FAR,
    HERE,
    LOAD_BALANCER,
    NODE,
    NODE_PORT,
    V4,
    V6,
    at,
    number,
    on,
    slice_of,
    state_of,
    state_of_cluster,
)

LOCAL = TrafficPolicy.LOCAL
BALANCED = attrs.evolve(LOAD_BALANCER, ingress=(Ingress("198.51.100.7"),))


def members(state: IpvsState) -> dict[SetName, set[str]]:
    """The sets that are not empty."""
    return {one.name: set(one.entries) for one in state.sets if one.entries}


def ranged(*ranges: str) -> Service:
    return attrs.evolve(BALANCED, load_balancer_source_ranges=ranges)


def test_every_set_exists_even_when_it_is_empty() -> None:
    """MODE-31"""
    state = state_of_cluster(Cluster())

    assert [(name, frozenset()) for name in SetName] == [(one.name, one.entries) for one in state.sets]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (SetName.LOOP_BACK, ("KUBE-6-LOOP-BACK", SetType.HASH_IP_PORT_IP)),
        (SetName.CLUSTER_IP, ("KUBE-6-CLUSTER-IP", SetType.HASH_IP_PORT)),
        (SetName.NODE_PORT_TCP, ("KUBE-6-NODE-PORT-TCP", SetType.BITMAP_PORT)),
        (SetName.NODE_PORT_LOCAL_SCTP, ("KUBE-6-NODE-PORT-LOCAL-SCTP-HAS", SetType.HASH_IP_PORT)),
        (SetName.LOAD_BALANCER_SOURCE_CIDR, ("KUBE-6-LOAD-BALANCER-SOURCE-CID", SetType.HASH_IP_PORT_NET)),
        (SetName.IPVS_IPS, ("KUBE-6-IPVS-IPS", SetType.HASH_IP)),
    ],
)
def test_ipv6_sets_have_names_of_their_own_of_at_most_31_characters(
    name: SetName, expected: tuple[str, SetType]
) -> None:
    """MODE-34"""
    assert expected == (name.of(V6), name.type)


def test_ipv4_sets_have_the_plain_names() -> None:
    assert "KUBE-LOAD-BALANCER-SOURCE-CIDR" == SetName.LOAD_BALANCER_SOURCE_CIDR.of(V4)


def test_a_cluster_ip_is_listed_whether_it_has_endpoints_or_not() -> None:
    """MODE-09, MODE-22"""
    state = state_of(CLUSTER_IP)

    expected = {SetName.CLUSTER_IP: {"10.96.0.10,tcp:80"}, SetName.IPVS_IPS: {"10.96.0.10"}}
    assert expected == members(state)


def test_ipv6_members_are_written_without_brackets() -> None:
    service = attrs.evolve(CLUSTER_IP, cluster_ips=("fd00::10",))
    six = Endpoint(("2001:db8:1::5",), ready=True, node_name="n1")

    state = state_of(service, six, family=V6)

    assert {"fd00::10,tcp:80"} == state.entries(SetName.CLUSTER_IP)
    assert {"2001:db8:1::5,tcp:8080,2001:db8:1::5"} == state.entries(SetName.LOOP_BACK)


# Hairpin.


def test_loop_back_has_the_nodes_own_endpoints_ready_or_not() -> None:
    """MODE-21"""
    unready = Endpoint(("10.244.1.6",), ready=False, node_name="n1")

    state = state_of(CLUSTER_IP, HERE, unready, FAR)

    expected = {"10.244.1.5,tcp:8080,10.244.1.5", "10.244.1.6,tcp:8080,10.244.1.6"}
    assert expected == state.entries(SetName.LOOP_BACK)


def test_a_tie_over_where_an_endpoint_is_leaves_its_loop_back_member_uncertain() -> None:
    """EPS-SL-08"""
    first = slice_of(HERE)
    second = attrs.evolve(slice_of(attrs.evolve(HERE, node_name="n2")), name=CLUSTER_IP.name)

    state = state_of_cluster(Cluster((CLUSTER_IP,), (first, second)))

    loop_back = next(one for one in state.sets if one.name is SetName.LOOP_BACK)
    assert frozenset() == loop_back.entries
    assert {"10.244.1.5,tcp:8080,10.244.1.5"} == loop_back.uncertain


# External and load balancer addresses.


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (TrafficPolicy.CLUSTER, {SetName.EXTERNAL_IP: {"203.0.113.9,tcp:80"}}),
        (LOCAL, {SetName.EXTERNAL_IP_LOCAL: {"203.0.113.9,tcp:80"}}),
    ],
)
def test_an_external_ip_is_in_the_set_of_its_policy_only(
    policy: TrafficPolicy, expected: dict[SetName, set[str]]
) -> None:
    service = attrs.evolve(CLUSTER_IP, external_ips=("203.0.113.9",), external_traffic_policy=policy)

    found = members(state_of(service, HERE))

    assert expected == {name: found[name] for name in found if "EXTERNAL" in name.value}


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (TrafficPolicy.CLUSTER, {SetName.LOAD_BALANCER}),
        (LOCAL, {SetName.LOAD_BALANCER, SetName.LOAD_BALANCER_LOCAL}),
    ],
)
def test_a_load_balancer_address_is_in_the_set_of_all_and_with_policy_local_in_a_second(
    policy: TrafficPolicy, expected: set[SetName]
) -> None:
    state = state_of(attrs.evolve(BALANCED, external_traffic_policy=policy), HERE)

    found = members(state)
    assert {name: {"198.51.100.7,tcp:80"} for name in expected} == {
        name: found[name] for name in found if "LOAD-BALANCER" in name.value
    }


# Source ranges.


def test_ranges_list_each_source_of_the_family_with_its_host_bits_cleared() -> None:
    """FWD-LBSR-01, FWD-LBSR-02, API-F-17"""
    state = state_of(ranged(" 203.0.113.77/24", "2001:db8::/32", "junk", "203.0.114.9", "10.0.0.0/8"), HERE)

    assert {"198.51.100.7,tcp:80"} == state.entries(SetName.LOAD_BALANCER_FW)
    assert {
        "198.51.100.7,tcp:80,203.0.113.0/24",
        "198.51.100.7,tcp:80,10.0.0.0/8",
    } == state.entries(SetName.LOAD_BALANCER_SOURCE_CIDR)


@pytest.mark.parametrize("ranges", [(), ("2001:db8::/32",), ("203.0.113.0/24", "0.0.0.0/0")])
def test_no_range_of_the_family_or_one_that_covers_it_leaves_every_source_in(
    ranges: tuple[str, ...],
) -> None:
    """FWD-LBSR-01, FWD-LBSR-02"""
    state = state_of(ranged(*ranges), HERE)

    assert frozenset() == state.entries(SetName.LOAD_BALANCER_FW)
    assert frozenset() == state.entries(SetName.LOAD_BALANCER_SOURCE_CIDR)
    assert frozenset() == state.closed_to_node


def test_ranges_that_hold_the_node_let_its_own_traffic_come_from_the_address_itself() -> None:
    """FWD-LBSR-04"""
    state = state_of(ranged("203.0.113.0/24", "192.168.0.0/24"), HERE)

    assert {"198.51.100.7,tcp:80,198.51.100.7"} == state.entries(SetName.LOAD_BALANCER_SOURCE_IP)
    assert frozenset() == state.closed_to_node


def test_ranges_that_leave_the_node_out_close_the_address_to_its_processes() -> None:
    """MODE-13"""
    state = state_of(ranged("203.0.113.0/24"), HERE)

    assert frozenset() == state.entries(SetName.LOAD_BALANCER_SOURCE_IP)
    assert {at("198.51.100.7", 80)} == state.closed_to_node


# Node ports.


@pytest.mark.parametrize(
    ("protocol", "everywhere", "to_local", "member"),
    [
        ("TCP", SetName.NODE_PORT_TCP, SetName.NODE_PORT_LOCAL_TCP, "30080"),
        ("UDP", SetName.NODE_PORT_UDP, SetName.NODE_PORT_LOCAL_UDP, "30080"),
        ("SCTP", SetName.NODE_PORT_SCTP, SetName.NODE_PORT_LOCAL_SCTP, "192.168.0.2,sctp:30080"),
    ],
)
def test_a_node_port_is_in_its_protocols_set_and_with_policy_local_in_a_second(
    protocol: str, everywhere: SetName, to_local: SetName, member: str
) -> None:
    """BZ-31: SCTP has a member for each address."""
    service = attrs.evolve(NODE_PORT, ports=(ServicePort("http", protocol, 80, 30080),))

    plain = members(state_of(service, HERE))
    local = members(state_of(attrs.evolve(service, external_traffic_policy=LOCAL), HERE))

    assert {everywhere: {member}} == {name: plain[name] for name in plain if "NODE-PORT" in name.value}
    assert {everywhere: {member}, to_local: {member}} == {
        name: local[name] for name in local if "NODE-PORT" in name.value
    }


CHECKED = attrs.evolve(BALANCED, external_traffic_policy=LOCAL, health_check_node_port=32000)


def test_a_health_check_port_is_listed() -> None:
    """MODE-28"""
    state = state_of(CHECKED, HERE)

    assert {"32000"} == state.entries(SetName.HEALTH_CHECK_NODE_PORT)


def test_without_addresses_for_node_ports_neither_they_nor_the_health_check_port_are_listed() -> None:
    """MODE-11, MODE-28: the pass leaves the service port when it finds nowhere to serve its node port."""
    node = attrs.evolve(NODE, node_port_addresses=("172.16.0.0/12",))

    state = state_of(CHECKED, HERE, node=node)

    assert [] == [name for name in members(state) if "NODE-PORT" in name.value]


def test_a_service_without_node_ports_keeps_its_health_check_port_on_any_node() -> None:
    """MODE-28"""
    service = attrs.evolve(CHECKED, ports=(ServicePort("http", "TCP", 80),))
    node = attrs.evolve(NODE, node_port_addresses=("172.16.0.0/12",))

    state = state_of(service, HERE, node=node)

    assert {"32000"} == state.entries(SetName.HEALTH_CHECK_NODE_PORT)


# The dummy device.


def test_the_dummy_device_has_every_address_but_those_that_the_node_has_elsewhere() -> None:
    """MODE-04"""
    service = attrs.evolve(
        BALANCED,
        external_ips=("203.0.113.9", "192.168.0.2"),
        ingress=(Ingress("198.51.100.7"), Ingress("172.16.0.2")),
    )
    addresses = (*NODE.addresses, *on("eth1", "172.16.0.2"), *on("kube-ipvs0", "203.0.113.9"))

    state = state_of(service, HERE, node=attrs.evolve(NODE, addresses=addresses))

    expected = {"10.96.0.10", "203.0.113.9", "198.51.100.7"}
    assert {number(text) for text in expected} == state.bound
    assert expected == state.entries(SetName.IPVS_IPS)


def test_a_cluster_ip_is_bound_even_where_the_node_has_it_elsewhere() -> None:
    """MODE-04"""
    addresses = (*NODE.addresses, *on("eth1", "10.96.0.10"))

    state = state_of(CLUSTER_IP, node=attrs.evolve(NODE, addresses=addresses))

    assert {number("10.96.0.10")} == state.bound


def test_loopback_does_not_count_as_an_address_that_the_node_has() -> None:
    """MODE-04: an external IP of 127.0.0.1 is bound all the same."""
    service = attrs.evolve(CLUSTER_IP, external_ips=("127.0.0.1",))

    state = state_of(service)

    assert {number("10.96.0.10"), number("127.0.0.1")} == state.bound
