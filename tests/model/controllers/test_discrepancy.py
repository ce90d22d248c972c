"""What a cluster holds is compared with what is published entry by entry, not object by object."""

import attrs

from model.controllers.discrepancy import Change, Publication, compared, discrepancies
from model.controllers.publish import Published
from model.objects import (
    Cluster,
    Endpoint,
    EndpointAddress,
    EndpointPort,
    Endpoints,
    EndpointSlice,
    EndpointSubset,
    ObjectName,
)
from tests.model.controllers.building import HTTP_8080, WEB, a_service

A, B = Endpoint(("10.244.0.1",), ready=True), Endpoint(("10.244.0.2",), ready=True)
OTHER = ObjectName("shop", "other")
UDP, TCP = EndpointPort("dns", "UDP", 53), EndpointPort("dns", "TCP", 53)


def a_slice(
    *endpoints: Endpoint,
    name: str = "web-1",
    service: ObjectName = WEB,
    ports: tuple[EndpointPort, ...] = (HTTP_8080,),
) -> EndpointSlice:
    return EndpointSlice(ObjectName("shop", name), service, "IPv4", endpoints, ports)


def told(cluster: Cluster, published: Published) -> list[tuple[str, Change, object, object]]:
    """(Service, change, what is expected, what is found) with the endpoints' first addresses."""

    def address(entry: object) -> object:
        endpoint = getattr(entry, "endpoint", None)
        return endpoint and endpoint.addresses[0]

    return [
        (one.service.name, one.change, address(one.expected), address(one.found))
        for one in discrepancies(cluster, published)
    ]


def holding(*slices: EndpointSlice) -> Cluster:
    services = (a_service(), a_service(name=OTHER))
    return Cluster(services=services, slices=slices)


def test_how_endpoints_are_spread_over_slices_means_nothing() -> None:
    held = holding(a_slice(B), a_slice(A, name="web-2"))

    assert told(held, Published((a_slice(A, B),), ())) == []


def test_the_order_of_ports_means_nothing() -> None:
    held = holding(a_slice(A, ports=(UDP, TCP)))

    assert told(held, Published((a_slice(A, ports=(TCP, UDP)),), ())) == []


def test_a_service_of_which_nothing_is_held_misses_what_is_published() -> None:
    held = holding(a_slice(A, service=OTHER))

    found = told(held, Published((a_slice(A, service=OTHER), a_slice(B)), ()))

    assert found == [("web", Change.MISSING, "10.244.0.2", None)]


def test_what_is_held_of_a_service_and_not_published_is_stale() -> None:
    held = holding(a_slice(A, B))

    assert told(held, Published((a_slice(B),), ())) == [("web", Change.STALE, None, "10.244.0.1")]
    assert told(held, Published((), ())) == [
        ("web", Change.STALE, None, "10.244.0.1"),
        ("web", Change.STALE, None, "10.244.0.2"),
    ]


def test_an_endpoint_that_says_something_else_has_changed() -> None:
    unready = attrs.evolve(A, ready=False)

    found = told(holding(a_slice(A, B)), Published((a_slice(unready, B),), ()))

    assert found == [("web", Change.CHANGED, "10.244.0.1", "10.244.0.1")]


def test_endpoints_are_compared_by_address_readiness_and_ports() -> None:
    one, two = EndpointAddress("10.244.0.1"), EndpointAddress("10.244.0.2")
    held = Endpoints(WEB, (EndpointSubset((one, two), (), (UDP, TCP)),))
    published = Endpoints(WEB, (EndpointSubset((one,), (two,), (TCP, UDP)),))
    cluster = Cluster(services=(a_service(),), endpoints=(held,))

    assert compared(cluster) == (Publication.ENDPOINTS,)
    assert told(cluster, Published((), (published,))) == [("web", Change.CHANGED, "10.244.0.2", "10.244.0.2")]


def test_endpoints_without_addresses_are_an_entry_too() -> None:
    """EPS-EP-02: they say that nothing is there, which is not the same as not being there."""
    empty = Endpoints(WEB)
    held = Cluster(services=(a_service(),), endpoints=(empty,))

    assert told(held, Published((), (empty,))) == []
    assert told(held, Published((), ())) == [("web", Change.STALE, None, None)]


def test_a_hostname_is_part_of_what_endpoints_say() -> None:
    def endpoints(hostname: str) -> Endpoints:
        address = EndpointAddress("10.244.0.1", hostname=hostname)
        return Endpoints(WEB, (EndpointSubset((address,), ports=(HTTP_8080,)),))

    held = Cluster(services=(a_service(),), endpoints=(endpoints(""),))

    (found,) = discrepancies(held, Published((), (endpoints("db-0"),)))
    assert found.expected is not None
    assert found.expected.endpoint is not None
    assert found.found is not None
    assert found.found.endpoint is not None
    assert (found.expected.endpoint.hostname, found.found.endpoint.hostname) == ("db-0", None)
