"""Endpoints written by hand, and the slices that repeat them for proxies."""

import attrs
import pytest

from model.controllers.mirroring import mirror
from model.objects import (
    Endpoint,
    EndpointAddress,
    EndpointPort,
    Endpoints,
    EndpointSlice,
    EndpointSubset,
    ObjectName,
    Service,
)
from tests.model.controllers.building import HTTP_8080, WEB, a_service

MANAGER = "endpointslicemirroring-controller.k8s.io"
DB = EndpointPort("db", "TCP", 5432)
BY_HAND = a_service(selector=None)


def addresses(*ips: str) -> tuple[EndpointAddress, ...]:
    return tuple(EndpointAddress(ip) for ip in ips)


def written(*subsets: EndpointSubset, **changes: object) -> Endpoints:
    return attrs.evolve(Endpoints(WEB, subsets), **changes)  # type: ignore[arg-type]  # fields by name


def mirrored(name: str, *endpoints: Endpoint, **changes: object) -> EndpointSlice:
    one = EndpointSlice(ObjectName("shop", name), WEB, "IPv4", endpoints, (HTTP_8080,), managed_by=MANAGER)
    return attrs.evolve(one, **changes)  # type: ignore[arg-type]  # fields by name


ONE = written(EndpointSubset(addresses("10.0.0.1"), (), (HTTP_8080,)))


def test_ready_and_unready_addresses_are_mirrored_with_that_condition_alone() -> None:
    """EPS-MIR-04: serving and terminating stay unset; EPS-MIR-05: what is known is copied, no zone."""
    known = EndpointAddress("10.0.0.1", "a", "db-0", ObjectName("shop", "p"))
    endpoints = written(EndpointSubset((known,), addresses("10.0.0.2"), (HTTP_8080,)))

    found = mirror(BY_HAND, endpoints, ())

    ready = Endpoint(("10.0.0.1",), True, node_name="a", hostname="db-0", target=ObjectName("shop", "p"))
    assert found == (mirrored("web-00000", ready, Endpoint(("10.0.0.2",), False)),)


@pytest.mark.parametrize(
    ("service", "endpoints"),
    [
        (None, ONE),
        (a_service(), ONE),
        (BY_HAND, None),
        (BY_HAND, attrs.evolve(ONE, labels=(("endpointslice.kubernetes.io/skip-mirror", "true"),))),
        (BY_HAND, attrs.evolve(ONE, annotations=(("control-plane.alpha.kubernetes.io/leader", "{}"),))),
    ],
)
def test_what_is_not_to_be_mirrored_loses_its_mirrored_slices(
    service: Service | None, endpoints: Endpoints | None
) -> None:
    """EPS-MIR-01, EPS-MIR-06"""
    assert mirror(service, endpoints, [mirrored("web-x", Endpoint(("10.0.0.1",), True))]) == ()


def test_only_the_value_true_keeps_endpoints_from_being_mirrored() -> None:
    """EPS-MIR-01"""
    labels = (("endpointslice.kubernetes.io/skip-mirror", "yes"),)

    assert len(mirror(BY_HAND, attrs.evolve(ONE, labels=labels), ())) == 1


def test_each_port_list_and_family_has_a_slice() -> None:
    """EPS-MIR-02: whatever the families of the Service; one without addresses has none."""
    endpoints = written(
        EndpointSubset(addresses("10.0.0.1", "fd00::1"), (), (HTTP_8080,)),
        EndpointSubset(addresses("10.0.0.2"), (), (DB,)),
        EndpointSubset((), (), (EndpointPort("no", "TCP", 1),)),
    )

    found = mirror(BY_HAND, endpoints, ())

    assert [("IPv4", "db", 1), ("IPv4", "http", 1), ("IPv6", "http", 1)] == [
        (one.address_type, one.ports[0].name, len(one.endpoints)) for one in found
    ]
    assert len({one.name for one in found}) == 3


def test_ports_that_the_same_addresses_offer_alike_share_a_slice_whatever_their_subsets() -> None:
    """EPS-MIR-02: the subsets are repacked first (RepackSubsets, as EPS-EP-04)."""
    endpoints = written(
        EndpointSubset(addresses("10.0.0.1"), (), (HTTP_8080,)),
        EndpointSubset(addresses("10.0.0.1"), (), (DB,)),
    )

    (found,) = mirror(BY_HAND, endpoints, ())

    assert ((DB, HTTP_8080), (Endpoint(("10.0.0.1",), True),)) == (found.ports, found.endpoints)


def test_ports_that_one_more_address_offers_have_a_slice_of_their_own() -> None:
    """EPS-MIR-02: an address stands once for each set of addresses that its ports have."""
    endpoints = written(
        EndpointSubset(addresses("10.0.0.1"), (), (HTTP_8080, DB)),
        EndpointSubset(addresses("10.0.0.2"), (), (DB,)),
    )

    found = mirror(BY_HAND, endpoints, ())

    assert [((DB,), 2), ((HTTP_8080,), 1)] == [(one.ports, len(one.endpoints)) for one in found]


def test_an_address_that_one_subset_calls_unready_at_a_port_is_unready_there() -> None:
    endpoints = written(
        EndpointSubset(addresses("10.0.0.1"), (), (HTTP_8080,)),
        EndpointSubset((), addresses("10.0.0.1"), (HTTP_8080,)),
    )

    assert mirror(BY_HAND, endpoints, ()) == (mirrored("web-00000", Endpoint(("10.0.0.1",), False)),)


def test_of_a_subset_the_first_thousand_readable_addresses_are_mirrored_ready_ones_first() -> None:
    """EPS-MIR-03: what cannot be read does not count; in the order of their text."""
    unready = addresses(*(f"10.1.{100 + at // 100}.{100 + at % 100}" for at in reversed(range(1200))))
    endpoints = written(EndpointSubset(addresses("nonsense", "10.0.0.1"), unready, (HTTP_8080,)))

    (found,) = mirror(BY_HAND, endpoints, ())

    assert (1000, ("10.0.0.1",), ("10.1.109.198",)) == (
        len(found.endpoints),
        found.endpoints[0].addresses,
        found.endpoints[-1].addresses,
    )


def test_an_address_that_is_once_unready_at_a_port_list_is_unready() -> None:
    endpoints = written(EndpointSubset(addresses("10.0.0.1"), addresses("10.0.0.1"), (HTTP_8080,)))

    assert mirror(BY_HAND, endpoints, ()) == (mirrored("web-00000", Endpoint(("10.0.0.1",), False)),)


def test_labels_are_copied_but_for_those_of_the_controller() -> None:
    """Those that name the Service and the manager are set anew, the headless one is a field."""
    labels = (
        ("endpointslice.kubernetes.io/managed-by", "me"),
        ("kubernetes.io/service-name", "other"),
        ("service.kubernetes.io/headless", ""),
        ("team", "x"),
    )

    found = mirror(BY_HAND, attrs.evolve(ONE, labels=labels), ())

    endpoint = Endpoint(("10.0.0.1",), True)
    assert found == (mirrored("web-00000", endpoint, headless=True, labels=(("team", "x"),)),)


def test_addresses_without_ports_have_a_slice_without_ports() -> None:
    """EPS-MIR-02: apart from those that the same object has at ports."""
    endpoints = written(
        EndpointSubset(addresses("10.0.0.1"), addresses("10.0.0.3")),
        EndpointSubset(addresses("10.0.0.2"), (), (HTTP_8080,)),
    )

    found = mirror(BY_HAND, endpoints, ())

    plain = mirrored("", Endpoint(("10.0.0.1",), True), Endpoint(("10.0.0.3",), False), ports=())
    at_http = mirrored("", Endpoint(("10.0.0.2",), True))
    assert {plain, at_http} == {attrs.evolve(one, name=ObjectName("shop", "")) for one in found}


def test_a_slice_that_says_the_same_is_left_as_it_is() -> None:
    """Whatever its order."""
    endpoints = written(EndpointSubset(addresses("10.0.0.1", "10.0.0.2"), (), (HTTP_8080,)))
    existing = mirrored("web-x", Endpoint(("10.0.0.2",), True), Endpoint(("10.0.0.1",), True))

    (found,) = mirror(BY_HAND, endpoints, [existing])

    assert found is existing


def test_a_slice_whose_ports_are_in_another_order_is_left_as_it_is() -> None:
    """EPS-PORT-04: a list of ports is a set."""
    endpoints = written(EndpointSubset(addresses("10.0.0.1"), (), (HTTP_8080, DB)))
    either = [
        mirrored("web-x", Endpoint(("10.0.0.1",), True), ports=p) for p in ((DB, HTTP_8080), (HTTP_8080, DB))
    ]

    found = [mirror(BY_HAND, endpoints, [one]) for one in either]

    assert found == [(one,) for one in either]


def test_a_slice_is_rewritten_under_its_name_and_others_of_its_ports_go() -> None:
    existing = [mirrored("web-x", Endpoint(("10.0.0.9",), True)), mirrored("web-y")]

    assert mirror(BY_HAND, ONE, existing) == (mirrored("web-x", Endpoint(("10.0.0.1",), True)),)


def test_a_slice_of_new_ports_takes_the_name_of_an_obsolete_one_of_its_family() -> None:
    existing = [mirrored("web-6", ports=(DB,), address_type="IPv6"), mirrored("web-4", ports=(DB,))]

    assert mirror(BY_HAND, ONE, existing) == (mirrored("web-4", Endpoint(("10.0.0.1",), True)),)


def test_names_of_new_slices_are_not_taken() -> None:
    (found,) = mirror(BY_HAND, ONE, (), taken={ObjectName("shop", "web-00000")})

    assert ObjectName("shop", "web-00001") == found.name
