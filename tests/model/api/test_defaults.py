"""Defaults that a Service's own fields decide."""

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.api.defaults import set_defaults
from model.api.objects import (
    ClientIPConfig,
    Ingress,
    LoadBalancerStatus,
    Service,
    ServicePort,
    ServiceSpec,
    ServiceStatus,
    SessionAffinityConfig,
)
from tests.model.api.api_cases import defaulted, service, with_spec


def test_a_bare_service_is_a_cluster_ip_of_tcp_ports_without_affinity() -> None:
    """API-F-02, -05, -07, -20, -22, -24."""
    bare = Service(spec=ServiceSpec(ports=(ServicePort(port=80),)))

    spec = ServiceSpec(
        ports=(ServicePort(port=80, protocol="TCP", target_port=80),),
        type="ClusterIP",
        session_affinity="None",
        internal_traffic_policy="Cluster",
    )
    assert set_defaults(bare) == Service(spec=spec)


@pytest.mark.parametrize("unset", [0, ""])
def test_a_target_port_that_says_nothing_is_the_port(unset: int | str) -> None:
    """API-F-07."""
    assert defaulted(ServicePort(port=80, target_port=unset)).spec.ports[0].target_port == 80


def test_a_named_target_port_stays() -> None:
    """API-F-07."""
    assert defaulted(ServicePort(port=80, target_port="http")).spec.ports[0].target_port == "http"


@pytest.mark.parametrize(
    ("kind", "external_ips", "expected"),
    [
        ("NodePort", (), "Cluster"),
        ("LoadBalancer", (), "Cluster"),
        ("ClusterIP", ("203.0.113.1",), "Cluster"),
        ("ClusterIP", (), ""),
        ("ExternalName", ("203.0.113.1",), ""),
    ],
)
def test_external_traffic_policy_is_set_where_traffic_comes_from_outside(
    kind: str, external_ips: tuple[str, ...], expected: str
) -> None:
    """API-F-22, API-PRED-03."""
    assert defaulted(type=kind, external_ips=external_ips).spec.external_traffic_policy == expected


def test_a_policy_that_is_set_stays() -> None:
    """API-F-22, API-F-24."""
    spec = defaulted(type="NodePort", external_traffic_policy="Local", internal_traffic_policy="Local").spec

    assert (spec.external_traffic_policy, spec.internal_traffic_policy) == ("Local", "Local")


def test_external_name_gets_no_internal_traffic_policy() -> None:
    """API-F-24."""
    assert defaulted(type="ExternalName").spec.internal_traffic_policy is None


@pytest.mark.parametrize(
    ("kind", "expected"), [("LoadBalancer", True), ("NodePort", None), ("ClusterIP", None)]
)
def test_only_load_balancers_say_whether_they_get_node_ports(kind: str, expected: bool | None) -> None:
    """API-F-19."""
    assert defaulted(type=kind).spec.allocate_load_balancer_node_ports is expected


@pytest.mark.parametrize(
    "config", [None, SessionAffinityConfig(), SessionAffinityConfig(ClientIPConfig())], ids=repr
)
def test_client_affinity_without_a_timeout_lasts_three_hours(config: SessionAffinityConfig | None) -> None:
    """API-F-21."""
    spec = defaulted(session_affinity="ClientIP", session_affinity_config=config).spec

    assert spec.session_affinity_config == SessionAffinityConfig(ClientIPConfig(10800))


def test_an_affinity_timeout_of_zero_is_left_for_validation() -> None:
    """API-F-21."""
    config = SessionAffinityConfig(ClientIPConfig(0))

    assert (
        defaulted(session_affinity="ClientIP", session_affinity_config=config).spec.session_affinity_config
        == config
    )


def test_without_affinity_its_config_is_dropped() -> None:
    """API-F-21."""
    config = SessionAffinityConfig(ClientIPConfig(10))

    assert (
        defaulted(session_affinity="None", session_affinity_config=config).spec.session_affinity_config
        is None
    )


def test_an_ingress_address_of_a_load_balancer_is_a_vip() -> None:
    """API-F-29: a hostname has no mode, and a set one stays."""
    given_ingress = (
        Ingress(ip="192.0.2.1"),
        Ingress(hostname="lb.example"),
        Ingress("192.0.2.2", ip_mode="Proxy"),
    )
    status = ServiceStatus(LoadBalancerStatus(given_ingress))

    found = set_defaults(attrs.evolve(service(type="LoadBalancer"), status=status))

    assert [one.ip_mode for one in found.status.load_balancer.ingress] == ["VIP", None, "Proxy"]


def test_an_ingress_address_of_another_type_has_no_mode() -> None:
    """API-F-29."""
    status = ServiceStatus(LoadBalancerStatus((Ingress(ip="192.0.2.1"),)))

    assert set_defaults(attrs.evolve(service(type="NodePort"), status=status)).status == status


@given(
    kind=st.sampled_from(["", "ClusterIP", "NodePort", "LoadBalancer", "ExternalName", "Wrong"]),
    affinity=st.sampled_from(["", "None", "ClientIP", "Wrong"]),
    external_ips=st.sampled_from([(), ("203.0.113.1",)]),
    port=st.integers(-1, 70000),
)
def test_defaulting_twice_is_defaulting_once(
    kind: str, affinity: str, external_ips: tuple[str, ...], port: int
) -> None:
    once = set_defaults(
        with_spec(
            service("web", ServicePort(port=port)),
            type=kind,
            session_affinity=affinity,
            external_ips=external_ips,
        )
    )

    assert set_defaults(once) == once
