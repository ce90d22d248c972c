"""Changes between two moments are told in Services' words, from the objects of both."""

import attrs
import pytest

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
    SessionAffinity,
    TrafficPolicy,
)
from oracle.history.services import service_changes

WEB = ObjectName("shop", "web")
PORT = ServicePort("", "TCP", 80, target_port=8080)
SERVICE = Service(WEB, ports=(PORT,), cluster_ips=("10.96.0.10",))
READY = Endpoint(("10.244.0.10",), ready=True)
SLICE = EndpointSlice(ObjectName("shop", "web-1"), WEB, "IPv4", (READY,), (EndpointPort("", "TCP", 8080),))


def said(before: Cluster, after: Cluster) -> list[tuple[str, str]]:
    """(kind, sentence) of every change."""
    return [(change.kind.value, str(change)) for change in service_changes(before, after)]


def of_services(before: Service | None, after: Service | None) -> list[tuple[str, str]]:
    one, other = (() if service is None else (service,) for service in (before, after))
    return said(Cluster(services=one, slices=(SLICE,)), Cluster(services=other, slices=(SLICE,)))


def of_endpoints(before: tuple[Endpoint, ...], after: tuple[Endpoint, ...]) -> list[tuple[str, str]]:
    one, other = (attrs.evolve(SLICE, endpoints=endpoints) for endpoints in (before, after))
    return said(Cluster(services=(SERVICE,), slices=(one,)), Cluster(services=(SERVICE,), slices=(other,)))


def test_a_service_comes_and_goes_as_a_whole() -> None:
    """Its endpoints are not told one by one."""
    described = "(ClusterIP 10.96.0.10, ports 80/TCP)"

    assert of_services(None, SERVICE) == [("service-added", f"shop/web: added {described}")]
    assert of_services(SERVICE, None) == [("service-removed", f"shop/web: removed {described}")]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"ports": (attrs.evolve(PORT, port=81),)}, [("port-changed", "port 80/TCP is now 81/TCP")]),
        (
            {"ports": (attrs.evolve(PORT, node_port=30080),)},
            [("port-changed", "node port of 80/TCP none -> 30080")],
        ),
        (
            {"ports": (attrs.evolve(PORT, target_port="http"),)},
            [("port-changed", "target port of 80/TCP 8080 -> http")],
        ),
        (
            {"ports": (PORT, ServicePort("tls", "TCP", 443))},
            [("port-added", "port 443/TCP (tls) added")],
        ),
        (
            {"ports": (attrs.evolve(PORT, protocol="UDP"),)},
            [("port-removed", "port 80/TCP removed"), ("port-added", "port 80/UDP added")],
        ),
        ({"external_ips": ("192.0.2.1",)}, [("address-added", "external IP 192.0.2.1 added")]),
        (
            {"cluster_ips": ("10.96.0.11",)},
            [
                ("address-removed", "cluster IP 10.96.0.10 removed"),
                ("address-added", "cluster IP 10.96.0.11 added"),
            ],
        ),
        (
            {"ingress": (Ingress("198.51.100.7"), Ingress("198.51.100.8", ip_mode="Proxy"))},
            [("address-added", "load balancer address 198.51.100.7 added")],  # FWD-OBJ-03
        ),
        (
            {"external_traffic_policy": TrafficPolicy.LOCAL},
            [("policy-changed", "externalTrafficPolicy Cluster -> Local")],
        ),
        (
            {"internal_traffic_policy": TrafficPolicy.LOCAL},
            [("policy-changed", "internalTrafficPolicy Cluster -> Local")],
        ),
        (
            {"session_affinity": SessionAffinity.CLIENT_IP, "affinity_seconds": 60},
            [("policy-changed", "session affinity none -> 60 s")],
        ),
        (
            {"load_balancer_source_ranges": ("192.0.2.0/24",)},
            [("policy-changed", "loadBalancerSourceRanges none -> 192.0.2.0/24")],
        ),
        ({"type": ServiceType.NODE_PORT}, [("service-changed", "type ClusterIP -> NodePort")]),
        ({"labels": (("a", "b"),)}, []),
    ],
)
def test_what_changed_about_a_service_is_named(
    changed: dict[str, object], expected: list[tuple[str, str]]
) -> None:
    """A label is no node's concern."""
    after = attrs.evolve(SERVICE, **changed)  # type: ignore[arg-type]  # names are fields

    assert of_services(SERVICE, after) == [(kind, f"shop/web: {text}") for kind, text in expected]


def test_a_service_of_the_same_name_may_be_another_one() -> None:
    one, other = attrs.evolve(SERVICE, uid="1"), attrs.evolve(SERVICE, uid="2")

    assert of_services(one, other) == [
        ("service-changed", "shop/web: deleted and created again (another uid)")
    ]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ((), (READY,), [("endpoint-added", "added")]),
        ((), (attrs.evolve(READY, ready=False),), [("endpoint-added", "added, unready")]),
        ((READY,), (), [("endpoint-removed", "removed")]),
        (
            (READY,),
            (attrs.evolve(READY, ready=False),),
            [("endpoint-changed", "became unready (was ready)")],
        ),
        (
            (READY,),
            (attrs.evolve(READY, ready=False, serving=True, terminating=True),),
            [("endpoint-changed", "became terminating, still serving (was ready)")],
        ),
        (
            (READY,),
            (attrs.evolve(READY, ready=False, serving=False, terminating=True),),
            [("endpoint-changed", "became terminating, no longer serving (was ready)")],
        ),
        ((attrs.evolve(READY, ready=None),), (READY,), []),  # EPS-COND-03: unset is ready
    ],
)
def test_what_became_of_an_endpoint_is_told(
    before: tuple[Endpoint, ...], after: tuple[Endpoint, ...], expected: list[tuple[str, str]]
) -> None:
    name = "shop/web: endpoint 10.244.0.10:8080/TCP"

    assert of_endpoints(before, after) == [(kind, f"{name} {text}") for kind, text in expected]


def test_zone_hints_are_told_too() -> None:
    found = of_endpoints((READY,), (attrs.evolve(READY, zone_hints=("east",)),))

    assert found == [("endpoint-changed", "shop/web: endpoint 10.244.0.10:8080/TCP: hints none -> east")]


def test_an_endpoint_that_moves_to_another_slice_has_not_changed() -> None:
    """All slices of a Service are merged (EPS-SL-07)."""
    moved = attrs.evolve(SLICE, name=ObjectName("shop", "web-2"))
    before = Cluster(services=(SERVICE,), slices=(SLICE,))

    assert said(before, Cluster(services=(SERVICE,), slices=(moved,))) == []


def test_services_are_told_in_the_order_of_their_names() -> None:
    other = attrs.evolve(SERVICE, name=ObjectName("shop", "api"), cluster_ips=("10.96.0.9",))
    found = said(Cluster(), Cluster(services=(SERVICE, other)))

    assert [text.split(":")[0] for _, text in found] == ["shop/api", "shop/web"]
