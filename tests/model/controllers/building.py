"""Small objects for the controllers' tests: Service shop/web, its pods, nodes a, b and c in their zones."""

from fractions import Fraction

import attrs

from model.objects import (
    ContainerPort,
    Endpoint,
    EndpointPort,
    EndpointSlice,
    Node,
    ObjectName,
    Pod,
    Service,
    ServicePort,
)

WEB = ObjectName("shop", "web")
LABELS = (("app", "web"),)
HTTP = ServicePort("http", "TCP", 80, target_port=8080)
HTTP_8080 = EndpointPort("http", "TCP", 8080)


def a_service(**changes: object) -> Service:
    """A ClusterIP Service of one family that selects app=web, port http to 8080."""
    service = Service(
        WEB,
        ports=(HTTP,),
        cluster_ips=("10.96.0.9",),
        ip_families=("IPv4",),
        selector=LABELS,
        uid="uid-of-web",
    )
    return attrs.evolve(service, **changes)  # type: ignore[arg-type]  # fields by name


def a_pod(number: int = 1, /, **changes: object) -> Pod:
    """A ready pod shop/web-N on node a at 10.244.0.N; its container names port 8080 `http`."""
    pod = Pod(
        ObjectName("shop", f"web-{number}"),
        node_name="a",
        ips=(f"10.244.{number // 256}.{number % 256}",),
        phase="Running",
        ready=True,
        labels=LABELS,
        ports=(ContainerPort("http", "TCP", 8080),),
    )
    return attrs.evolve(pod, **changes)  # type: ignore[arg-type]  # fields by name


def a_node(name: str, zone: str | None = None, cpus: int = 4, **changes: object) -> Node:
    """A ready node, in a zone or in none."""
    labels = (("topology.kubernetes.io/zone", zone),) if zone else ()
    node = Node(name, labels=labels, allocatable_cpu=Fraction(cpus))
    return attrs.evolve(node, **changes)  # type: ignore[arg-type]  # fields by name


NODES = {name: a_node(name, f"zone-{name}") for name in ("a", "b", "c")}


def an_endpoint(number: int, **changes: object) -> Endpoint:
    """What pod N of `a_pod` is as an endpoint."""
    endpoint = Endpoint(
        (f"10.244.{number // 256}.{number % 256}",),
        ready=True,
        serving=True,
        terminating=False,
        node_name="a",
        zone="zone-a",
        target=ObjectName("shop", f"web-{number}"),
    )
    return attrs.evolve(endpoint, **changes)  # type: ignore[arg-type]  # fields by name


def a_slice(name: str, *numbers: int, **changes: object) -> EndpointSlice:
    """A slice that the controller made for Service shop/web, with these pods."""
    one = EndpointSlice(
        ObjectName("shop", name),
        WEB,
        "IPv4",
        tuple(an_endpoint(number) for number in numbers),
        (HTTP_8080,),
        managed_by="endpointslice-controller.k8s.io",
        service_owners=("uid-of-web",),
    )
    return attrs.evolve(one, **changes)  # type: ignore[arg-type]  # fields by name
