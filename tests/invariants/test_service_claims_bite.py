"""Claims about stored Services and the pools: what they let pass, and what they catch."""

from typing import Any

import attrs
import pytest

from invariants.catalogue import CATALOGUE
from model.api import objects as api
from tests.invariants.states import (
    HTTP,
    a_balancer,
    a_service,
    an_external_name,
    at_node_port,
    holding,
)

BY_ID = {claim.id: claim for claim in CATALOGUE}

BOTH = ("10.96.0.5", "fd00:10:96::5")
BOTH_FAMILIES = ("IPv4", "IPv6")
STICKY = api.SessionAffinityConfig(api.ClientIPConfig(86400))
DNS = api.ServicePort("dns", "UDP", port=80, target_port=53)
NODE_PORT = {"type": "NodePort", "external_traffic_policy": "Cluster"}


def sticky_for(seconds: int | None) -> api.SessionAffinityConfig:
    return api.SessionAffinityConfig(api.ClientIPConfig(seconds))


def with_ingress(service: api.Service, **entry: Any) -> api.Service:
    status = api.ServiceStatus(api.LoadBalancerStatus((api.Ingress(**entry),)))
    return attrs.evolve(service, status=status)


def dual(**spec: Any) -> api.Service:
    stack: dict[str, Any] = {"cluster_ips": BOTH, "ip_families": BOTH_FAMILIES}
    return a_service(**(stack | {"ip_family_policy": "RequireDualStack"} | spec))


def local_balancer(**spec: Any) -> api.Service:
    local: dict[str, Any] = {"external_traffic_policy": "Local", "health_check_node_port": 30081}
    return a_balancer(**(local | spec))


SOUND = [
    pytest.param(a_service(), id="ClusterIP"),
    pytest.param(a_service(ports=(HTTP, DNS)), id="one number, two protocols"),
    pytest.param(dual(), id="two families"),
    pytest.param(dual(ip_family_policy="PreferDualStack"), id="two families by preference"),
    pytest.param(a_service(ip_family_policy="PreferDualStack"), id="preference without a second family"),
    pytest.param(a_service(cluster_ips=("None",)), id="headless"),
    pytest.param(a_service(cluster_ips=("None",), ports=()), id="headless without ports"),
    pytest.param(
        a_service(cluster_ips=("None",), ip_families=BOTH_FAMILIES, ip_family_policy="RequireDualStack"),
        id="headless with two families",
    ),
    pytest.param(an_external_name(), id="ExternalName"),
    pytest.param(
        a_service(external_ips=("203.0.113.5",), external_traffic_policy="Local"), id="external address"
    ),
    pytest.param(a_service(ports=(at_node_port(30080),), **NODE_PORT), id="NodePort"),
    pytest.param(
        a_service(ports=(at_node_port(30080), at_node_port(30080, "dns", "UDP")), **NODE_PORT),
        id="one node port, two protocols (ALLOC-NP-04)",
    ),
    pytest.param(local_balancer(), id="LoadBalancer, Local"),
    pytest.param(
        a_balancer(ports=(HTTP,), allocate_load_balancer_node_ports=False), id="LoadBalancer, no node ports"
    ),
    pytest.param(
        a_service(session_affinity="ClientIP", session_affinity_config=STICKY), id="a day of affinity"
    ),
    pytest.param(with_ingress(a_balancer(), ip="192.0.2.9", ip_mode="VIP"), id="ingress address"),
    pytest.param(with_ingress(a_balancer(), hostname="lb.example"), id="ingress name"),
]


@pytest.mark.parametrize("service", SOUND)
def test_every_claim_lets_a_sound_service_pass(service: api.Service) -> None:
    state = holding(service)

    broken = [claim.id for claim in CATALOGUE if claim.kind.value == "S" and claim.violation(state)]
    assert [] == broken


@pytest.mark.parametrize(
    ("id", "service"),
    [
        pytest.param("INV-01", a_service(cluster_ip="10.96.0.6"), id="INV-01: two minds"),
        pytest.param("INV-01", a_service(cluster_ip="", cluster_ips=("10.96.0.5",)), id="INV-01: plural"),
        pytest.param("INV-01", a_service(cluster_ips=("10.96.0.5", "10.96.0.6")), id="INV-01: one family"),
        pytest.param("INV-01", a_service(cluster_ips=(*BOTH, "10.96.0.6")), id="INV-01: three addresses"),
        pytest.param("INV-02", dual(ip_families=("IPv6", "IPv4")), id="INV-02: other order"),
        pytest.param("INV-02", dual(cluster_ips=BOTH[:1]), id="INV-02: an address short"),
        pytest.param("INV-03", dual(ip_family_policy="SingleStack"), id="INV-03: two for SingleStack"),
        pytest.param("INV-03", a_service(ip_family_policy="RequireDualStack"), id="INV-03: one for two"),
        pytest.param(
            "INV-03", a_service(ip_family_policy="PreferDualStack", ip_families=()), id="INV-03: none at all"
        ),
        pytest.param("INV-04", an_external_name(external_name=""), id="INV-04: no name"),
        pytest.param("INV-04", an_external_name(cluster_ips=("10.96.0.5",)), id="INV-04: an address"),
        pytest.param("INV-04", an_external_name(ip_families=("IPv4",)), id="INV-04: a family"),
        pytest.param("INV-04", an_external_name(ip_family_policy="SingleStack"), id="INV-04: stacks"),
        pytest.param("INV-04", an_external_name(external_traffic_policy="Local"), id="INV-04: a policy"),
        pytest.param("INV-04", an_external_name(health_check_node_port=30081), id="INV-04: a health check"),
        pytest.param("INV-05", a_service(external_traffic_policy="Cluster"), id="INV-05: no way in"),
        pytest.param("INV-05", a_balancer(external_traffic_policy=""), id="INV-05: unset"),
        pytest.param("INV-05", a_service(external_ips=("203.0.113.5",)), id="INV-05: unset, external"),
        pytest.param("INV-06", a_balancer(health_check_node_port=30081), id="INV-06: policy Cluster"),
        pytest.param("INV-06", local_balancer(health_check_node_port=0), id="INV-06: none"),
        pytest.param("INV-07", a_service(ports=(at_node_port(30080),)), id="INV-07: ClusterIP"),
        pytest.param("INV-07", a_service(**NODE_PORT), id="INV-07: NodePort without"),
        pytest.param("INV-07", a_balancer(ports=(HTTP,)), id="INV-07: LoadBalancer without"),
        pytest.param(
            "INV-07",
            a_balancer(ports=(HTTP,), allocate_load_balancer_node_ports=None),
            id="INV-07: LoadBalancer that does not say",
        ),
        pytest.param("INV-08", a_balancer(cluster_ips=("None",)), id="INV-08: headless balancer"),
        pytest.param("INV-09", a_service(ports=(HTTP, HTTP)), id="INV-09: one port twice"),
        pytest.param(
            "INV-09", a_service(ports=(HTTP, attrs.evolve(HTTP, port=81))), id="INV-09: one name twice"
        ),
        pytest.param(
            "INV-09", a_service(ports=(HTTP, attrs.evolve(HTTP, name="web"))), id="INV-09: one number twice"
        ),
        pytest.param(
            "INV-09",
            a_service(ports=(at_node_port(30080), at_node_port(30080, "web", port=81)), **NODE_PORT),
            id="INV-09: one node port twice",
        ),
        pytest.param("INV-09", a_service(ports=(HTTP, attrs.evolve(DNS, name=""))), id="INV-09: no name"),
        pytest.param("INV-10", a_service(session_affinity="ClientIP"), id="INV-10: no timeout"),
        pytest.param("INV-10", a_service(session_affinity_config=STICKY), id="INV-10: timeout for nothing"),
        *(
            pytest.param(
                "INV-10",
                a_service(session_affinity="ClientIP", session_affinity_config=sticky_for(seconds)),
                id=f"INV-10: {seconds} seconds",
            )
            for seconds in (0, 86401, None)
        ),
        pytest.param("INV-11", with_ingress(a_service(), hostname="lb.example"), id="INV-11: ClusterIP"),
        pytest.param("INV-11", with_ingress(a_balancer(), ip="192.0.2.9"), id="INV-11: no ipMode"),
        pytest.param(
            "INV-11",
            with_ingress(a_balancer(), hostname="lb.example", ip_mode="VIP"),
            id="INV-11: no address",
        ),
    ],
)
def test_a_claim_about_services_catches_an_unsound_one(id: str, service: api.Service) -> None:
    violation = BY_ID[id].violation(holding(service))

    assert violation is not None
    assert violation.what.startswith(str(service.object_name))
