"""Which virtual servers ipvs mode writes, and which real servers each has."""

import attrs
import pytest

from model.ipvs.records import IpvsSettings, RealServer, ServerFlag, VirtualServer
from model.node_config import ProxyMode
from model.objects import (
    Cluster,
    Endpoint,
    Ingress,
    ObjectName,
    ServicePort,
    ServiceType,
    SessionAffinity,
    TrafficPolicy,
)
from model.packet import SCTP, TCP, UDP
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
    behind,
    frontends,
    number,
    on,
    server,
    slice_of,
    state_of,
    state_of_cluster,
)

LOCAL = TrafficPolicy.LOCAL
HERE_IP, FAR_IP = number("10.244.1.5"), number("10.244.2.5")


def test_each_address_and_node_port_of_a_service_is_a_frontend_and_nothing_else() -> None:
    """IPVS-03, FWD-OBJ-04: an address that the balancer itself answers is none."""
    service = attrs.evolve(
        LOAD_BALANCER,
        external_ips=("203.0.113.9",),
        ingress=(Ingress("198.51.100.7"), Ingress("198.51.100.8", ip_mode="Proxy")),
    )

    state = state_of(service, HERE)

    expected = {
        at("10.96.0.10", 80),
        at("203.0.113.9", 80),
        at("198.51.100.7", 80),
        at("192.168.0.2", 30080),
    }
    assert expected == frontends(state)


def test_a_plain_service_is_a_round_robin_over_its_endpoints_with_weight_one() -> None:
    """IPVS-01, IPVS-02, MODE-17"""
    state = state_of(CLUSTER_IP, FAR, HERE)

    expected = VirtualServer(
        at("10.96.0.10", 80),
        "rr",
        ServerFlag.NONE,
        0,
        (RealServer(HERE_IP, 8080, 1), RealServer(FAR_IP, 8080, 1)),
    )
    assert (expected,) == state.virtual_servers


def test_a_frontend_without_endpoints_is_an_empty_virtual_server() -> None:
    """MODE-09"""
    state = state_of(NODE_PORT, attrs.evolve(HERE, ready=False))

    assert {at("10.96.0.10", 80): (), at("192.168.0.2", 30080): ()} == {
        one.frontend: one.real_servers for one in state.virtual_servers
    }


def test_affinity_is_persistence_of_each_virtual_server_with_the_services_timeout() -> None:
    """IPVS-01, MODE-18"""
    service = attrs.evolve(NODE_PORT, session_affinity=SessionAffinity.CLIENT_IP, affinity_seconds=600)

    state = state_of(service, HERE)

    assert [(ServerFlag.PERSISTENT, 600)] * 2 == [(one.flags, one.timeout) for one in state.virtual_servers]


@pytest.mark.parametrize(
    ("scheduler", "expected"),
    [
        ("", ("rr", ServerFlag.NONE)),
        ("lc", ("lc", ServerFlag.NONE)),
        ("mh", ("mh", ServerFlag.SOURCE_HASH)),
    ],
)
def test_one_scheduler_holds_for_all_and_only_mh_hashes_ports(
    scheduler: str, expected: tuple[str, ServerFlag]
) -> None:
    """MODE-17"""
    state = state_of(NODE_PORT, HERE, settings=IpvsSettings(scheduler))

    assert {expected} == {(one.scheduler, one.flags) for one in state.virtual_servers}


def test_mh_with_affinity_has_both_flags() -> None:
    """IPVS-01; the kernel's values are 0x1 and 0x10."""
    service = attrs.evolve(CLUSTER_IP, session_affinity=SessionAffinity.CLIENT_IP)

    state = state_of(service, HERE, settings=IpvsSettings("mh"))

    assert 0x11 == server(state, at("10.96.0.10", 80)).flags.value


# Policies.


def test_the_internal_policy_narrows_the_cluster_ip_alone() -> None:
    """IPVS-04"""
    state = state_of(attrs.evolve(NODE_PORT, internal_traffic_policy=LOCAL), HERE, FAR)

    assert {HERE_IP} == behind(state, "10.96.0.10", 80)
    assert {HERE_IP, FAR_IP} == behind(state, "192.168.0.2", 30080)


def test_the_external_policy_narrows_every_frontend_but_the_cluster_ip_for_whoever_asks() -> None:
    """IPVS-04, IPVS-05, MODE-16"""
    service = attrs.evolve(
        LOAD_BALANCER,
        external_ips=("203.0.113.9",),
        ingress=(Ingress("198.51.100.7"),),
        external_traffic_policy=LOCAL,
    )

    state = state_of(service, HERE, FAR)

    assert {HERE_IP, FAR_IP} == behind(state, "10.96.0.10", 80)
    assert {HERE_IP} == behind(state, "203.0.113.9", 80)
    assert {HERE_IP} == behind(state, "198.51.100.7", 80)
    assert {HERE_IP} == behind(state, "192.168.0.2", 30080)


def test_external_policy_local_without_local_endpoints_falls_back_to_all() -> None:
    """MODE-15"""
    state = state_of(attrs.evolve(NODE_PORT, external_traffic_policy=LOCAL), FAR)

    assert {FAR_IP} == behind(state, "192.168.0.2", 30080)


def test_internal_policy_local_without_local_endpoints_falls_back_where_there_are_outer_frontends() -> None:
    """MODE-14, BZ-66"""
    state = state_of(attrs.evolve(NODE_PORT, internal_traffic_policy=LOCAL), FAR)

    assert {FAR_IP} == behind(state, "10.96.0.10", 80)


def test_internal_policy_local_of_a_service_without_outer_frontends_has_nothing_to_fall_back_to() -> None:
    """MODE-14, FWD-EP-01"""
    state = state_of(attrs.evolve(CLUSTER_IP, internal_traffic_policy=LOCAL), FAR)

    assert set() == behind(state, "10.96.0.10", 80)


def test_a_local_endpoint_that_still_serves_counts_before_remote_ready_ones() -> None:
    """IPVS-04, FWD-EP-03"""
    draining = attrs.evolve(HERE, ready=False, serving=True, terminating=True)
    service = attrs.evolve(NODE_PORT, external_traffic_policy=LOCAL)

    state = state_of(service, draining, FAR)

    assert {HERE_IP} == behind(state, "192.168.0.2", 30080)
    assert {FAR_IP} == behind(state, "10.96.0.10", 80)


# Node ports.


def test_a_node_port_is_on_every_address_but_loopback_and_the_dummy_devices() -> None:
    """MODE-01, MODE-02"""
    addresses = (*NODE.addresses, *on("eth1", "172.16.0.2"), *on("kube-ipvs0", "10.96.0.10", "10.96.0.1"))

    state = state_of(NODE_PORT, HERE, node=attrs.evolve(NODE, addresses=addresses))

    expected = {at("10.96.0.10", 80), at("192.168.0.2", 30080), at("172.16.0.2", 30080)}
    assert expected == frontends(state)


def test_an_ipv6_node_port_is_not_on_link_local_addresses() -> None:
    """MODE-01"""
    service = attrs.evolve(NODE_PORT, cluster_ips=("fd00::10",))
    node = attrs.evolve(NODE, addresses=(*on("lo", "::1"), *on("eth0", "2001:db8::2", "fe80::2")))

    state = state_of(service, node=node, family=V6)

    assert {at("fd00::10", 80), at("2001:db8::2", 30080)} == frontends(state)


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        (("172.16.0.0/12",), {"172.16.0.2"}),
        (("primary",), {"192.168.0.2"}),
        (("10.96.0.0/16",), {"10.96.0.1"}),  # with a list, the dummy device is a device as any other
        (("127.0.0.0/8",), set()),
        (("fd00::/8",), {"192.168.0.2", "172.16.0.2"}),  # says nothing of this family
        (("172.16.0.0/12", "0.0.0.0/0"), {"192.168.0.2", "172.16.0.2"}),
    ],
)
def test_a_list_of_addresses_holds_node_ports_to_what_is_in_it(
    listed: tuple[str, ...], expected: set[str]
) -> None:
    """NP-01, MODE-02, MODE-11"""
    addresses = (*NODE.addresses, *on("eth1", "172.16.0.2"), *on("kube-ipvs0", "10.96.0.1"))
    node = attrs.evolve(NODE, addresses=addresses, node_port_addresses=listed)

    state = state_of(NODE_PORT, HERE, node=node)

    assert {number(text) for text in expected} == {
        one.address for one in frontends(state) if one.port == 30080
    }


@pytest.mark.parametrize(("name", "protocol"), [("TCP", TCP), ("UDP", UDP), ("SCTP", SCTP)])
def test_each_protocol_has_virtual_servers_of_its_own(name: str, protocol: int) -> None:
    """FWD-OBJ-05, FWD-OBJ-01"""
    service = attrs.evolve(NODE_PORT, ports=(ServicePort("http", name, 80, 30080),))

    state = state_of(service, HERE)

    assert {HERE_IP} == behind(state, "10.96.0.10", 80, protocol)
    assert {HERE_IP} == behind(state, "192.168.0.2", 30080, protocol)


# Clashes and ties.


def test_a_frontend_that_two_services_claim_may_be_either_s() -> None:
    """FWD-OBJ-08"""
    other = attrs.evolve(
        CLUSTER_IP,
        name=ObjectName("shop", "other"),
        cluster_ips=("10.96.0.20",),
        external_ips=("10.96.0.10",),
    )
    pieces = (slice_of(HERE), slice_of(FAR, service=other))

    state = state_of_cluster(Cluster((CLUSTER_IP, other), pieces))

    claimed = state.at(at("10.96.0.10", 80))
    assert [(HERE_IP,), (FAR_IP,)] == [tuple(real.address for real in one.real_servers) for one in claimed]


def test_an_external_ip_that_is_the_cluster_ip_follows_the_external_policy() -> None:
    """IPVS-03: of one service port what is written last stays."""
    service = attrs.evolve(NODE_PORT, external_ips=("10.96.0.10",), external_traffic_policy=LOCAL)

    state = state_of(service, HERE, FAR)

    assert {HERE_IP} == behind(state, "10.96.0.10", 80)


def test_slices_that_tie_leave_open_which_real_servers_there_are() -> None:
    """EPS-SL-08"""
    first = slice_of(Endpoint(("10.244.1.5",), ready=True, node_name="n1"))
    second = slice_of(Endpoint(("10.244.1.5",), ready=False, node_name="n1"))

    state = state_of_cluster(Cluster((CLUSTER_IP,), (first, attrs.evolve(second, name=CLUSTER_IP.name))))

    possible = {len(one.real_servers) for one in state.at(at("10.96.0.10", 80))}
    assert {0, 1} == possible


# What has no virtual servers.


def test_services_that_a_proxy_passes_over_have_nothing() -> None:
    """FWD-OBJ-02"""
    external = attrs.evolve(NODE_PORT, type=ServiceType.EXTERNAL_NAME)
    headless = attrs.evolve(CLUSTER_IP, cluster_ips=("None",), external_ips=("203.0.113.9",))

    assert set() == frontends(state_of(external, HERE)) | frontends(state_of(headless, HERE))


def test_each_family_has_its_own_virtual_servers() -> None:
    """MODE-34"""
    service = attrs.evolve(CLUSTER_IP, cluster_ips=("10.96.0.10", "fd00::10"))
    six = Endpoint(("2001:db8:1::5",), ready=True, node_name="n1")
    pieces = (slice_of(HERE), slice_of(six, family=V6))
    cluster = Cluster((service,), pieces)

    assert {at("10.96.0.10", 80)} == frontends(state_of_cluster(cluster, family=V4))
    assert {number("2001:db8:1::5")} == behind(state_of_cluster(cluster, family=V6), "fd00::10", 80)


def test_the_view_of_another_mode_is_refused() -> None:
    """MODE-01: its node ports are elsewhere."""
    node = attrs.evolve(NODE, mode=ProxyMode.NFTABLES)

    with pytest.raises(ValueError, match="n1 is in nftables mode, not ipvs"):
        state_of(CLUSTER_IP, node=node)
