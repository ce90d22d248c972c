"""A node goes by what its proxy applied last, and a view of the Services concerned is enough."""

from collections.abc import Callable
from fractions import Fraction

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.addresses import Family, parse_address
from model.cluster import events, node_life, proxies
from model.cluster.events import IllegalEvent, Sees
from model.cluster.state import Applied, ClusterState, Proxy, applied_view, concerned
from model.cluster.watched import Services, Slices
from model.conntrack import Cleanup
from model.expectation import expect
from model.frontends import node_view
from model.node_config import NodeConfig, ProxyMode
from model.objects import (
    Cluster,
    Endpoint,
    EndpointPort,
    EndpointSlice,
    Node,
    ObjectName,
    Service,
    ServicePort,
)
from model.outcome import Target, Verdict
from model.packet import UDP, Origin, Packet
from model.traffic import Delivery
from tests.strategies.clusters import clusters
from tests.strategies.packets import packets

DNS = ObjectName("kube-system", "dns")
SLICE = ObjectName("kube-system", "dns-1")
SERVICE = Service(DNS, cluster_ips=("10.96.0.10",), ports=(ServicePort("dns", "UDP", 53),))
TO_DNS = Packet(
    Family.IPV4, Origin.WIRE, parse_address("10.244.1.9")[1], parse_address("10.96.0.10")[1], UDP, 53
)


def slice_with(*addresses: str) -> EndpointSlice:
    return EndpointSlice(
        SLICE,
        DNS,
        "IPv4",
        tuple(Endpoint((address,), True, True, False) for address in addresses),
        (EndpointPort("dns", "UDP", 5353),),
    )


def target(address: str) -> Target:
    return Target(parse_address(address)[1], 5353)


def with_slice(state: ClusterState, *addresses: str) -> ClusterState:
    return attrs.evolve(state, slices=state.slices.put(slice_with(*addresses), state.now))


def cluster(*addresses: str, cleanup: Cleanup = Cleanup.SKIPS_UNSERVED) -> ClusterState:
    """One node that has not synced, and a DNS Service with these endpoints."""
    added = events.AddNode(Node("node-a"), NodeConfig("node-a"), cleanup)
    state = node_life.add_node(ClusterState(), added)
    return with_slice(attrs.evolve(state, services=state.services.put(SERVICE, 0)), *addresses)


def synced(state: ClusterState, sees: Sees = Sees.ALL) -> ClusterState:
    return proxies.sync_proxy(state, events.SyncProxy("node-a", sees))


def sent(state: ClusterState, source_port: int = 40000) -> tuple[ClusterState, Delivery]:
    return proxies.send(state, events.Send("node-a", TO_DNS, source_port))


@given(st.data())
def test_a_view_of_the_services_concerned_answers_like_the_view_of_all(data: st.DataObject) -> None:
    objects, config = data.draw(clusters(clashes=True))
    packet = data.draw(packets(objects, config))
    services, slices = Services(), Slices()
    for service in objects.services:
        services = services.put(service, 0)
    for one in objects.slices:
        slices = slices.put(one, 0)
    proxy = Proxy(config, applied=Applied(services, slices))
    ordered = Cluster(
        services=tuple(sorted(objects.services, key=lambda service: service.name)), slices=objects.slices
    )

    names = concerned(proxy, ((packet.family, packet.destination), packet.port))

    expected = expect(node_view(ordered, config, packet.family), packet)
    assert expected == expect(applied_view(proxy, names, packet.family), packet)


def test_before_its_first_sync_a_node_translates_nothing() -> None:
    _, delivery = sent(cluster("10.244.1.5"))

    assert delivery.verdict is Verdict.PASS


def test_a_node_goes_by_what_was_applied_until_it_syncs() -> None:
    state = with_slice(synced(cluster("10.244.1.5")), "10.244.1.6")

    assert target("10.244.1.5") == sent(state)[1].target
    assert target("10.244.1.6") == sent(synced(state))[1].target


def test_a_stopped_proxy_leaves_its_rules() -> None:
    state = proxies.stop_proxy(synced(cluster("10.244.1.5")), events.StopProxy("node-a"))

    assert target("10.244.1.5") == sent(with_slice(state, "10.244.1.6"))[1].target


def stopped() -> ClusterState:
    return proxies.stop_proxy(cluster(), events.StopProxy("node-a"))


def in_nftables_mode() -> ClusterState:
    config = NodeConfig("node-a", mode=ProxyMode.NFTABLES)
    return node_life.add_node(ClusterState(), events.AddNode(Node("node-a"), config))


@pytest.mark.parametrize(
    ("attempt", "refusal"),
    [
        (
            lambda: proxies.start_proxy(cluster(), events.StartProxy("node-a")),
            "StartProxy: node node-a: its proxy runs already",
        ),
        (
            lambda: proxies.stop_proxy(stopped(), events.StopProxy("node-a")),
            "StopProxy: node node-a: its proxy does not run",
        ),
        (lambda: synced(stopped()), "SyncProxy: node node-a: its proxy does not run"),
        (lambda: synced(ClusterState()), "SyncProxy: node node-a: does not exist"),
        (
            lambda: synced(cluster(), Sees.SERVICES),
            "SyncProxy: sees services: the first sync waits for both watches",
        ),
        (
            lambda: synced(cluster(), Sees.SLICES),
            "SyncProxy: sees slices: the first sync waits for both watches",
        ),
        (lambda: sent(in_nftables_mode()), "Send: node node-a: nftables mode is not modelled yet"),
        (
            lambda: proxies.send(cluster(), events.Send("node-a", TO_DNS, 40000, Fraction(1))),
            "Send: chance 1: is not within [0, 1)",
        ),
        (
            lambda: proxies.send(cluster(), events.Send("node-a", TO_DNS, 40000, Fraction(-1, 2))),
            "Send: chance -1/2: is not within [0, 1)",
        ),
        (
            lambda: proxies.close_connection(cluster(), events.CloseConnection("node-a", TO_DNS, 40000)),
            f"CloseConnection: packet {TO_DNS}: there is no such connection to close",
        ),
    ],
)
def test_what_a_proxy_cannot_do_is_refused_with_event_field_value_and_reason(
    attempt: Callable[[], object], refusal: str
) -> None:
    with pytest.raises(IllegalEvent) as refused:
        attempt()

    assert refusal == str(refused.value)


def test_a_proxy_that_starts_again_syncs_again() -> None:
    state = proxies.start_proxy(with_slice(stopped(), "10.244.1.6"), events.StartProxy("node-a"))

    assert target("10.244.1.6") == sent(synced(state))[1].target


def test_a_sync_keeps_what_it_saw_and_when() -> None:
    """SYNC-01: the proxy's own record of it; nothing else of the cluster changes."""
    state = attrs.evolve(cluster("10.244.1.5"), now=7)

    after = synced(state)

    before = state.proxies["node-a"]
    applied = Applied(state.services, state.slices)
    assert attrs.evolve(before, applied=applied, synced_at=7) == after.proxies["node-a"]
    assert attrs.evolve(state, proxies=after.proxies) == after


def test_a_headless_slice_makes_no_sync_look_at_flows() -> None:
    """FWD-OBJ-02, CT-05: proxies do not watch slices with that label, so the Service alone comes back."""
    state, _ = sent(synced(cluster("10.244.1.5", cleanup=Cleanup.COMPLETE)))
    state = attrs.evolve(with_slice(state), services=state.services.remove(DNS, 0))
    state = synced(state)
    headless = attrs.evolve(slice_with("10.244.1.6"), name=ObjectName("kube-system", "dns-2"), headless=True)
    state = attrs.evolve(state, services=state.services.put(SERVICE, 0), slices=state.slices.put(headless, 0))

    assert target("10.244.1.5") == sent(synced(state))[1].target


def test_services_and_slices_may_reach_a_proxy_apart() -> None:
    state = synced(cluster("10.244.1.5"))
    renamed = attrs.evolve(SERVICE, ports=(ServicePort("dns-udp", "UDP", 53),))
    state = attrs.evolve(state, services=state.services.put(renamed, 0))
    state = with_slice(state, "10.244.1.6")

    assert Verdict.REJECT is sent(synced(state, Sees.SERVICES))[1].verdict
    assert target("10.244.1.6") == sent(synced(state, Sees.SLICES))[1].target


def test_a_udp_flow_to_a_replaced_endpoint_moves_at_the_sync() -> None:
    """CT-02: until then it stays with the endpoint that is gone."""
    state, _ = sent(synced(cluster("10.244.1.5")))
    state = with_slice(state, "10.244.1.6")

    assert target("10.244.1.5") == sent(state)[1].target
    assert target("10.244.1.6") == sent(synced(state))[1].target


@pytest.mark.parametrize(
    ("cleanup", "expected"), [(Cleanup.SKIPS_UNSERVED, Verdict.DNAT), (Cleanup.COMPLETE, Verdict.REJECT)]
)
def test_a_udp_flow_of_a_service_without_endpoints_stays_in_versions_with_the_gap(
    cleanup: Cleanup, expected: Verdict
) -> None:
    """CT-04."""
    state, _ = sent(synced(cluster("10.244.1.5", cleanup=cleanup)))

    state = synced(with_slice(state))

    assert expected is sent(state)[1].verdict


def test_a_change_of_services_alone_ends_no_udp_flow() -> None:
    """CT-05: the Service is gone, the flow goes on."""
    state, _ = sent(synced(cluster("10.244.1.5")))
    state = attrs.evolve(state, services=state.services.remove(DNS, 0))

    assert target("10.244.1.5") == sent(synced(state))[1].target


def test_a_proxy_follows_its_nodes_zone_at_the_next_sync() -> None:
    state = synced(cluster())
    labels = (("topology.kubernetes.io/zone", "z1"),)
    state = node_life.relabel_node(state, events.RelabelNode("node-a", labels))

    assert (None, "z1") == (
        state.proxies["node-a"].config.zone,
        synced(state).proxies["node-a"].config.zone,
    )
