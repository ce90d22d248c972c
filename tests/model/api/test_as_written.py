"""A controller's objects as the API server stores them: no field is lost, and none is made up."""

from model import objects
from model.api.as_written import written_endpoints, written_slice
from model.api.objects import (
    Endpoint,
    EndpointAddress,
    EndpointConditions,
    EndpointHints,
    EndpointPort,
    Endpoints,
    EndpointSlice,
    EndpointSubset,
    Hint,
    Metadata,
    ObjectReference,
    SubsetPort,
)
from model.objects import ObjectName

POD = ObjectName("shop", "web-1")
BY_NAME = ("kubernetes.io/service-name", "web")


def test_a_slice_carries_the_labels_that_say_whose_it_is() -> None:
    """Sorted by key, as any map of an API object."""
    one = objects.EndpointSlice(
        ObjectName("shop", "web-abc"), ObjectName("shop", "web"), "IPv4", headless=True, managed_by="me"
    )
    labels = (
        ("endpointslice.kubernetes.io/managed-by", "me"),
        BY_NAME,
        ("service.kubernetes.io/headless", ""),
    )

    metadata = Metadata(name="web-abc", namespace="shop", labels=labels)
    assert written_slice(one) == EndpointSlice(metadata=metadata, address_type="IPv4")


def test_a_slice_of_nobody_has_no_labels() -> None:
    written = written_slice(objects.EndpointSlice(ObjectName("shop", "lone"), None, "IPv6"))

    assert written == EndpointSlice(Metadata(name="lone", namespace="shop"), "IPv6")


def test_every_field_of_an_endpoint_is_written() -> None:
    full = objects.Endpoint(
        ("10.0.0.1",),
        ready=True,
        serving=True,
        terminating=False,
        node_name="n1",
        zone="z1",
        zone_hints=("z1", "z2"),
        node_hints=("n1",),
        hostname="web-1",
        target=POD,
    )
    name = ObjectName("shop", "web-abc")
    one = objects.EndpointSlice(
        name,
        ObjectName("shop", "web"),
        "IPv4",
        (full, objects.Endpoint(("10.0.0.2",), node_hints=("n2",)), objects.Endpoint(("10.0.0.3",))),
        (objects.EndpointPort("http", "TCP", 8080),),
    )

    written = written_slice(one)
    assert written.ports == (EndpointPort("http", "TCP", 8080),)
    assert written.metadata.labels == (BY_NAME,)
    assert written.endpoints == (
        Endpoint(
            addresses=("10.0.0.1",),
            conditions=EndpointConditions(True, True, False),
            hostname="web-1",
            target_ref=ObjectReference("Pod", "shop", "web-1"),
            node_name="n1",
            zone="z1",
            hints=EndpointHints((Hint("z1"), Hint("z2")), (Hint("n1"),)),
        ),
        Endpoint(
            addresses=("10.0.0.2",), conditions=EndpointConditions(), hints=EndpointHints((), (Hint("n2"),))
        ),
        Endpoint(addresses=("10.0.0.3",), conditions=EndpointConditions()),
    )


def test_every_field_of_endpoints_is_written() -> None:
    ready = objects.EndpointAddress("10.0.0.1", node_name="n1", target=POD, hostname="web-1")
    subset = objects.EndpointSubset(
        (ready,), (objects.EndpointAddress("10.0.0.2"),), (objects.EndpointPort("http", "TCP", 8080),)
    )
    one = objects.Endpoints(
        ObjectName("shop", "web"), (subset,), labels=(("a", "b"),), annotations=(("c", "d"),)
    )

    metadata = Metadata(name="web", namespace="shop", labels=(("a", "b"),), annotations=(("c", "d"),))
    address = EndpointAddress("10.0.0.1", "web-1", "n1", ObjectReference("Pod", "shop", "web-1"))
    parts = EndpointSubset((address,), (EndpointAddress("10.0.0.2"),), (SubsetPort("http", 8080, "TCP"),))
    assert written_endpoints(one) == Endpoints(metadata, (parts,))
