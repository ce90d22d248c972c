"""Stored objects as consumers read them: with every field that counts, and numbers that are ports."""

import pytest

from model.api import objects as api
from model.api.as_read import read_endpoints, read_service, read_slice
from model.objects import (
    Endpoint,
    EndpointAddress,
    EndpointPort,
    Endpoints,
    EndpointSlice,
    EndpointSubset,
    Ingress,
    ObjectName,
    Service,
    ServicePort,
    ServiceType,
    TrafficPolicy,
)

WEB, POD = ObjectName("shop", "web"), ObjectName("shop", "web-0")
METADATA = api.Metadata("web", namespace="shop", uid="u1", labels=(("team", "x"),), annotations=(("a", "b"),))
TO_POD = api.ObjectReference("Pod", "shop", "web-0")


def test_a_service_is_read_with_all_that_its_consumers_need() -> None:
    spec = api.ServiceSpec(
        ports=(
            api.ServicePort("http", "TCP", port=80, target_port="web", node_port=30080),
            api.ServicePort("dns", "UDP", port=53, target_port=5353),
        ),
        selector=(("app", "web"),),
        cluster_ips=("10.96.0.10",),
        type="NodePort",
        external_traffic_policy="Local",
        ip_families=("IPv4",),
    )
    status = api.ServiceStatus(api.LoadBalancerStatus((api.Ingress("192.0.2.1", ip_mode="Proxy"),)))

    found = read_service(api.Service(METADATA, spec, status))

    assert found == Service(
        WEB,
        ServiceType.NODE_PORT,
        (ServicePort("http", "TCP", 80, 30080, "web"), ServicePort("dns", "UDP", 53, 0, 5353)),
        ("10.96.0.10",),
        ingress=(Ingress("192.0.2.1", ip_mode="Proxy"),),
        external_traffic_policy=TrafficPolicy.LOCAL,
        selector=(("app", "web"),),
        labels=(("team", "x"),),
        annotations=(("a", "b"),),
        ip_families=("IPv4",),
        uid="u1",
    )


@pytest.mark.parametrize(("stored", "read"), [(65535, 65535), (65536, 0), (-1, 0), (0, 0)])
def test_a_node_port_that_is_no_number_of_a_port_is_read_as_none(stored: int, read: int) -> None:
    """API-F-08: nothing checks those of an ExternalName Service; the port's other fields stay."""
    port = api.ServicePort("http", "TCP", port=80, target_port=8080, node_port=stored)

    found = read_service(api.Service(METADATA, api.ServiceSpec((port,), type="ExternalName")))

    assert found.ports == (ServicePort("http", "TCP", 80, read, 8080),)


@pytest.mark.parametrize(
    ("stored", "read"), [(8080, 8080), (65535, 65535), (65536, None), (-1, None), (None, None)]
)
def test_a_slice_is_read_with_ports_that_are_some(stored: int | None, read: int | None) -> None:
    """The API takes any number; the name and protocol of the port stay."""
    labels = (("kubernetes.io/service-name", "web"), ("team", "x"))
    one = api.EndpointSlice(
        api.Metadata("web-1", namespace="shop", labels=labels),
        "IPv4",
        (
            api.Endpoint(
                ("10.244.0.5",),
                api.EndpointConditions(True, True, False),
                target_ref=TO_POD,
                node_name="node-a",
                zone="z1",
                hints=api.EndpointHints((api.Hint("z1"),), (api.Hint("node-a"),)),
            ),
        ),
        (api.EndpointPort("http", "TCP", stored, "h2c"),),
    )

    endpoint = Endpoint(
        ("10.244.0.5",),
        ready=True,
        serving=True,
        terminating=False,
        node_name="node-a",
        zone="z1",
        zone_hints=("z1",),
        node_hints=("node-a",),
        target=POD,
    )
    assert read_slice(one) == EndpointSlice(
        ObjectName("shop", "web-1"),
        WEB,
        "IPv4",
        (endpoint,),
        (EndpointPort("http", "TCP", read, "h2c"),),
        labels=(("team", "x"),),
    )


def test_endpoints_are_read_subset_for_subset() -> None:
    subset = api.EndpointSubset(
        (api.EndpointAddress("10.244.0.5", "web-0", "node-a", TO_POD),),
        (api.EndpointAddress("10.244.0.6"),),
        (api.SubsetPort("http", 8080, "TCP", "h2c"),),
    )

    found = read_endpoints(api.Endpoints(METADATA, (subset,)))

    assert found == Endpoints(
        WEB,
        (
            EndpointSubset(
                (EndpointAddress("10.244.0.5", "node-a", "web-0", POD),),
                (EndpointAddress("10.244.0.6"),),
                (EndpointPort("http", "TCP", 8080, "h2c"),),
            ),
        ),
        (("team", "x"),),
        (("a", "b"),),
    )


def test_an_object_that_says_nothing_is_read_as_the_empty_one() -> None:
    nameless = ObjectName("default", "")

    assert (Service(nameless), EndpointSlice(nameless, None, ""), Endpoints(nameless)) == (
        read_service(api.Service()),
        read_slice(api.EndpointSlice()),
        read_endpoints(api.Endpoints()),
    )
