"""What a sync leaves of the virtual servers that were there before."""

import attrs
import pytest

from model.ipvs.records import IpvsSettings, IpvsState, RealServer, VirtualServer
from model.ipvs.sync import Applied, drained, synced
from model.objects import Cluster, ObjectName, ServicePort
from model.packet import SCTP, UDP
from tests.model.ipvs.building import (
    CLUSTER_IP,
    FAR,
    HERE,
    NODE_PORT,
    V4,
    at,
    number,
    slice_of,
    state_of,
    state_of_cluster,
)

PLAIN = IpvsSettings()
HERE_IP, FAR_IP = number("10.244.1.5"), number("10.244.2.5")
WEB = at("10.96.0.10", 80)
FAR_PLACE = (WEB, FAR_IP, 8080)
BUSY = {FAR_PLACE: 3}
BOTH = state_of(CLUSTER_IP, HERE, FAR)
ONE = state_of(CLUSTER_IP, HERE)
NOTHING = state_of_cluster(Cluster())


def after(state: IpvsState) -> Applied:
    """A node that has synced to a state from nothing."""
    return synced(Applied(V4), state, {}, PLAIN, first=True)


def weights(applied: Applied) -> dict[int, int]:
    """The weight of each real server of the cluster IP."""
    found = applied.virtual_server(WEB)
    assert found is not None
    return {real.address: real.weight for real in found.real_servers}


def test_the_first_sync_of_an_empty_node_writes_what_is_wanted() -> None:
    assert Applied(V4, BOTH.virtual_servers, BOTH.bound) == after(BOTH)


def test_a_removed_tcp_endpoint_with_connections_stays_at_weight_zero() -> None:
    """MODE-23, IPVS-02"""
    applied = synced(after(BOTH), ONE, BUSY, PLAIN)

    assert {HERE_IP: 1, FAR_IP: 0} == weights(applied)
    assert {FAR_PLACE} == applied.draining


def test_a_removed_tcp_endpoint_without_connections_goes_at_once() -> None:
    """MODE-23"""
    applied = synced(after(BOTH), ONE, {}, PLAIN)

    assert {HERE_IP: 1} == weights(applied)
    assert frozenset() == applied.draining


@pytest.mark.parametrize(("name", "protocol"), [("UDP", UDP), ("SCTP", SCTP)])
def test_a_removed_endpoint_of_other_protocols_goes_with_its_connections(name: str, protocol: int) -> None:
    """MODE-24"""
    service = attrs.evolve(CLUSTER_IP, ports=(ServicePort("http", name, 80),))
    frontend = at("10.96.0.10", 80, protocol)
    before = after(state_of(service, HERE, FAR))

    applied = synced(before, state_of(service, HERE), {(frontend, FAR_IP, 8080): 3}, PLAIN)

    found = applied.virtual_server(frontend)
    assert found is not None
    assert (RealServer(HERE_IP, 8080),) == found.real_servers


def test_what_drains_goes_only_once_its_last_connection_has_ended() -> None:
    """MODE-23"""
    draining = synced(after(BOTH), ONE, BUSY, PLAIN)

    assert draining == drained(draining, BUSY)
    assert after(ONE) == drained(draining, {})


def test_an_endpoint_drains_behind_each_frontend_by_itself() -> None:
    """MODE-23"""
    outside = at("192.168.0.2", 30080)
    busy = {FAR_PLACE: 1, (outside, FAR_IP, 8080): 1}
    draining = synced(after(state_of(NODE_PORT, HERE, FAR)), state_of(NODE_PORT, HERE), busy, PLAIN)

    applied = drained(draining, {FAR_PLACE: 1})

    assert {HERE_IP: 1, FAR_IP: 0} == weights(applied)
    found = applied.virtual_server(outside)
    assert found is not None
    assert (RealServer(HERE_IP, 8080),) == found.real_servers


def test_a_sync_leaves_alone_what_drains() -> None:
    """MODE-23: it is the minute's look that ends it, not the next sync."""
    draining = synced(after(BOTH), ONE, BUSY, PLAIN)

    assert draining == synced(draining, ONE, {}, PLAIN)


def test_an_endpoint_that_comes_back_while_it_drains_has_weight_one_again() -> None:
    """MODE-23"""
    draining = synced(after(BOTH), ONE, BUSY, PLAIN)

    applied = synced(draining, BOTH, BUSY, PLAIN)

    assert after(BOTH) == applied


def test_only_a_proxy_that_starts_puts_right_a_weight_that_it_did_not_set() -> None:
    """BZ-04"""
    stuck = VirtualServer(WEB, real_servers=(RealServer(HERE_IP, 8080, 0),))
    applied = Applied(V4, (stuck,), ONE.bound)

    assert {HERE_IP: 0} == weights(synced(applied, ONE, {}, PLAIN))
    assert {HERE_IP: 1} == weights(synced(applied, ONE, {}, PLAIN, first=True))


def test_a_proxy_that_starts_drains_anew_what_the_last_one_was_waiting_for() -> None:
    """MODE-23"""
    draining = synced(after(BOTH), ONE, BUSY, PLAIN)

    assert draining == synced(draining, ONE, BUSY, PLAIN, first=True)
    assert after(ONE) == synced(draining, ONE, {}, PLAIN, first=True)


def test_the_virtual_server_of_a_deleted_service_goes_with_its_connections_and_its_address() -> None:
    """MODE-25"""
    draining = synced(after(BOTH), ONE, BUSY, PLAIN)

    assert Applied(V4) == synced(draining, NOTHING, BUSY, PLAIN)


@pytest.mark.parametrize(("excluded", "stays"), [((), False), (("172.16.0.0/12",), True), (("::/0",), False)])
def test_a_stray_virtual_server_goes_unless_its_address_is_excluded(
    excluded: tuple[str, ...], stays: bool
) -> None:
    """MODE-33"""
    stray = VirtualServer(at("172.16.0.9", 443), "wlc", real_servers=(RealServer(1, 443, 5),))
    settings = IpvsSettings(exclude_cidrs=excluded)

    applied = synced(Applied(V4, (stray,)), ONE, {}, settings)

    assert ((stray,) if stays else ()) == tuple(one for one in applied.virtual_servers if one == stray)
    assert {HERE_IP: 1} == weights(applied)


def test_addresses_that_nobody_wants_leave_the_dummy_device_loopback_excepted() -> None:
    """MODE-04: the proxy does not see loopback when it lists the device."""
    loopback, old = number("127.0.0.1"), number("203.0.113.9")
    applied = attrs.evolve(after(ONE), bound=ONE.bound | {loopback, old})

    assert ONE.bound | {loopback} == synced(applied, ONE, {}, PLAIN).bound


def test_changed_affinity_is_written_onto_the_virtual_server_that_is_there() -> None:
    """IPVS-01, MODE-31"""
    weighted = IpvsSettings("sh")
    wanted = state_of(CLUSTER_IP, HERE, FAR, settings=weighted)

    applied = synced(after(BOTH), wanted, {}, weighted)

    assert wanted.virtual_servers == applied.virtual_servers


def test_where_services_clash_the_last_written_stays_and_the_others_endpoints_drain() -> None:
    """FWD-OBJ-08, MODE-23"""
    other = attrs.evolve(
        CLUSTER_IP,
        name=ObjectName("shop", "other"),
        cluster_ips=("10.96.0.20",),
        external_ips=("10.96.0.10",),
    )
    cluster = Cluster((other, CLUSTER_IP), (slice_of(FAR, service=other), slice_of(HERE)))
    contested = state_of_cluster(cluster)

    applied = synced(Applied(V4), contested, {(WEB, FAR_IP, 8080): 1}, PLAIN)

    assert [WEB, WEB, at("10.96.0.20", 80)] == [one.frontend for one in contested.virtual_servers]
    assert {HERE_IP: 1, FAR_IP: 0} == weights(applied)
