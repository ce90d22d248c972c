"""What kube-proxy answers to health checks."""

from fractions import Fraction

import attrs
import pytest

from model.addresses import Family, parse_address
from model.frontends import NodeView, node_view
from model.health import (
    ProxyHealth,
    health_check_addresses,
    health_check_ports,
    is_eligible,
    local_ready_endpoints,
    service_health,
)
from model.intervals import contains
from model.node_config import InterfaceAddress, NodeConfig, ProxyMode
from model.objects import (
    Cluster,
    Endpoint,
    EndpointPort,
    EndpointSlice,
    Ingress,
    ObjectName,
    Service,
    ServicePort,
    ServiceType,
    TrafficPolicy,
)

WEB = ObjectName("shop", "web")
NODE = NodeConfig(
    "node-a", addresses=(InterfaceAddress("eth0", Family.IPV4, parse_address("192.0.2.5")[1], 24),)
)
SERVICE = Service(
    WEB,
    type=ServiceType.LOAD_BALANCER,
    ports=(ServicePort("http", "TCP", 80, 30080), ServicePort("https", "TCP", 443, 30443)),
    cluster_ips=("10.96.0.10",),
    ingress=(Ingress("198.51.100.7"),),
    external_traffic_policy=TrafficPolicy.LOCAL,
    health_check_node_port=31000,
)


def view_of(*endpoints: Endpoint, service: Service = SERVICE, node: NodeConfig = NODE) -> NodeView:
    ports = (EndpointPort("http", "TCP", 8080), EndpointPort("https", "TCP", 8443))
    piece = EndpointSlice(ObjectName("shop", "web-1"), WEB, "IPv4", endpoints, ports)
    return node_view(Cluster((service,), (piece,)), node, Family.IPV4)


def test_a_node_with_ready_endpoints_and_current_rules_passes() -> None:
    """HC-02"""
    answer = service_health(WEB, 2, proxy_healthy=True)

    assert answer.status == 200
    assert dict(answer.headers)["X-Load-Balancing-Endpoint-Weight"] == "2"
    assert dict(answer.headers)["Content-Type"] == "application/json"
    assert answer.body == (
        '{\n\t"service": {\n\t\t"namespace": "shop",\n\t\t"name": "web"\n\t},\n'
        '\t"localEndpoints": 2,\n\t"serviceProxyHealthy": true\n}'
    )


@pytest.mark.parametrize(("endpoints", "healthy"), [(0, True), (2, False), (0, False)])
def test_a_node_without_endpoints_or_with_lagging_rules_fails(endpoints: int, healthy: bool) -> None:
    """HC-02"""
    answer = service_health(WEB, endpoints, proxy_healthy=healthy)

    assert answer.status == 503
    assert dict(answer.headers)["X-Load-Balancing-Endpoint-Weight"] == str(endpoints)


def test_a_ready_address_of_the_node_counts_once_for_all_ports() -> None:
    """HC-03: neither what is elsewhere nor what only terminates counts."""
    view = view_of(
        Endpoint(("10.244.0.5",), node_name="node-a"),
        Endpoint(("10.244.0.6",), node_name="node-a"),
        Endpoint(("10.244.0.7",), ready=False, serving=True, terminating=True, node_name="node-a"),
        Endpoint(("10.244.1.8",), node_name="node-b"),
    )

    assert local_ready_endpoints(view.service_ports) == {WEB: 2}


def test_a_node_whose_endpoints_all_terminate_counts_none_and_still_forwards() -> None:
    """HC-03, FWD-EP-03"""
    leaving = Endpoint(("10.244.0.7",), ready=False, serving=True, terminating=True, node_name="node-a")
    view = view_of(leaving)

    assert local_ready_endpoints(view.service_ports) == {}
    assert [bool(sets.local) for one in view.service_ports for sets in one.choices] == [True, True]


def test_the_port_exists_for_external_policy_local_only() -> None:
    """HC-01"""
    cluster_wide = attrs.evolve(SERVICE, external_traffic_policy=TrafficPolicy.CLUSTER)

    assert health_check_ports(view_of()) == {WEB: 31000}
    assert health_check_ports(view_of(service=cluster_wide)) == {}


def test_the_port_exists_for_load_balancers_only() -> None:
    """HC-01: a number that another type still holds opens nothing."""
    node_port = attrs.evolve(SERVICE, type=ServiceType.NODE_PORT)

    assert health_check_ports(view_of(service=node_port)) == {}


def test_the_port_is_open_on_every_address_unless_node_ports_are_held_to_some() -> None:
    """HC-01, NP-01, NP-02"""

    def opens(address: str, *, mode: ProxyMode = ProxyMode.IPTABLES, listed: tuple[str, ...] = ()) -> bool:
        node = attrs.evolve(NODE, mode=mode, node_port_addresses=listed)
        return contains(health_check_addresses(view_of(node=node)), parse_address(address)[1])

    assert [opens("192.0.2.5"), opens("127.0.0.1")] == [True, True]
    assert [opens(a, listed=("192.0.2.0/24",)) for a in ("192.0.2.5", "127.0.0.1")] == [True, False]
    assert opens("127.0.0.1", mode=ProxyMode.IPVS, listed=("0.0.0.0/0",))
    assert opens("127.0.0.1", mode=ProxyMode.IPVS, listed=("fd00::/8",))
    assert not opens("127.0.0.1", mode=ProxyMode.NFTABLES)


def test_a_proxy_is_healthy_until_a_change_has_waited_as_long_as_the_timeout() -> None:
    """HC-04"""
    health = ProxyHealth(60).updated(Family.IPV4, 0).queued(Family.IPV4, 100).queued(Family.IPV4, 150)

    assert [health.is_healthy(now) for now in (100, 159, 160)] == [True, True, False]
    assert health.updated(Family.IPV4, 170).is_healthy(1000)


def test_one_family_that_lags_makes_the_proxy_unhealthy() -> None:
    """HC-04"""
    health = ProxyHealth(60).updated(Family.IPV4, 0).updated(Family.IPV6, 0).queued(Family.IPV6, 0)

    assert not health.updated(Family.IPV4, 59).is_healthy(60)


def test_a_proxy_that_starts_is_healthy_however_long_it_takes() -> None:
    assert ProxyHealth(60).queued(Family.IPV4, 0).is_healthy(1000)


def test_healthz_fails_for_a_node_that_is_leaving_and_livez_does_not() -> None:
    """HC-04"""
    health = ProxyHealth(60).updated(Family.IPV4, 0)

    assert health.healthz(5).status == 200
    assert health.healthz(5, node_eligible=False).status == 503
    assert health.livez(5).status == 200


def test_both_fail_while_rules_lag() -> None:
    """HC-04"""
    health = ProxyHealth(60).updated(Family.IPV4, 0).queued(Family.IPV4, 1)

    assert (health.healthz(61).status, health.livez(61).status) == (503, 503)


@pytest.mark.parametrize(
    ("eligible", "expected"),
    [
        (is_eligible(), True),
        (is_eligible(exists=False), False),
        (is_eligible(deleting=True), False),
        (is_eligible(taints=("example.org/other",)), True),
        (is_eligible(taints=("ToBeDeletedByClusterAutoscaler",)), False),
    ],
)
def test_a_node_is_not_to_be_used_once_it_is_to_go(eligible: bool, expected: bool) -> None:
    """HC-04"""
    assert eligible is expected


def test_what_passes_is_said_to_be_updated_now() -> None:
    health = ProxyHealth(60).updated(Family.IPV6, 3).updated(Family.IPV4, Fraction(5, 2))

    assert health.healthz(10).body == (
        '{"lastUpdated":"1970-01-01T00:00:10Z","currentTime":"1970-01-01T00:00:10Z",'
        '"nodeEligible":true,"healthy":true,"status":'
        '{"IPv4":{"lastUpdated":"1970-01-01T00:00:02.5Z","healthy":true},'
        '"IPv6":{"lastUpdated":"1970-01-01T00:00:03Z","healthy":true}}}'
    )


def test_what_fails_shows_the_latest_sync_and_who_lags() -> None:
    health = ProxyHealth(60).updated(Family.IPV6, 3).updated(Family.IPV4, 4).queued(Family.IPV6, 5)

    assert health.livez(65).body == (
        '{"lastUpdated":"1970-01-01T00:00:04Z","currentTime":"1970-01-01T00:01:05Z","healthy":false,'
        '"status":{"IPv4":{"lastUpdated":"1970-01-01T00:00:04Z","healthy":true},'
        '"IPv6":{"lastUpdated":"1970-01-01T00:00:03Z","healthy":false}}}'
    )


def test_a_proxy_that_never_synced_on_a_leaving_node_has_no_time_to_show() -> None:
    assert ProxyHealth().healthz(0, node_eligible=False).body == (
        '{"lastUpdated":"0001-01-01T00:00:00Z","currentTime":"1970-01-01T00:00:00Z",'
        '"nodeEligible":false,"healthy":true}'
    )
