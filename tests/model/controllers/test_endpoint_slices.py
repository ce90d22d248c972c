"""Slices after a pass: complete, with as few changes as possible, and never without any."""

from collections.abc import Iterable

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.controllers.endpoint_slices import new_slice, reconcile_slices
from model.objects import EndpointPort, EndpointSlice, Node, ObjectName, Pod, Service
from tests.model.controllers.building import (
    HTTP,
    HTTP_8080,
    NODES,
    a_pod,
    a_service,
    a_slice,
    an_endpoint,
)


def pass_over(
    service: Service,
    pods: Iterable[Pod],
    existing: Iterable[EndpointSlice] = (),
    nodes: dict[str, Node] = NODES,
    most: int = 100,
) -> tuple[EndpointSlice, ...]:
    return reconcile_slices(service, pods, nodes, existing, max_endpoints=most)


def pods(*numbers: int) -> list[Pod]:
    return [a_pod(number) for number in numbers]


def sizes(slices: Iterable[EndpointSlice]) -> list[int]:
    return sorted(len(one.endpoints) for one in slices)


def test_a_new_slice_says_whose_it_is_and_who_made_it() -> None:
    """EPS-SL-04: the Service's labels too, without those that only the controller sets."""
    reserved = ("endpointslice.kubernetes.io/managed-by", "me")
    service = a_service(labels=(reserved, ("team", "x")))

    found = pass_over(service, pods(1))

    assert found == (a_slice("web-00000", 1, labels=(("team", "x"),)),)


@pytest.mark.parametrize("cluster_ips", [("None",), ()])
def test_slices_of_headless_services_are_labelled(cluster_ips: tuple[str, ...]) -> None:
    """EPS-SL-04"""
    (found,) = pass_over(a_service(cluster_ips=cluster_ips), pods(1))

    assert found.headless


def test_without_eligible_pods_each_family_has_an_empty_slice_without_ports() -> None:
    """EPS-SL-03"""
    found = pass_over(a_service(ip_families=("IPv4", "IPv6")), [a_pod(phase="Failed")])

    assert [("IPv4", (), ()), ("IPv6", (), ())] == [
        (one.address_type, one.endpoints, one.ports) for one in found
    ]


def test_the_empty_slice_is_kept_and_later_takes_the_first_endpoints() -> None:
    """EPS-SL-03: written only when there is something to write, under its old name."""
    (empty,) = pass_over(a_service(), [])

    again = pass_over(a_service(), [], [empty])
    filled = pass_over(a_service(), pods(1), [empty])

    assert ((empty,), (a_slice(empty.name.name, 1),)) == (again, filled)


def test_a_slice_that_loses_its_last_endpoint_becomes_the_empty_one() -> None:
    """EPS-SL-03: its port list goes as well."""
    found = pass_over(a_service(), [], [a_slice("web-x", 1)])

    assert found == (attrs.evolve(new_slice(a_service(), "IPv4"), name=ObjectName("shop", "web-x")),)


def test_pods_without_an_address_of_a_family_leave_its_slice_empty() -> None:
    """EPS-SEL-06"""
    found = pass_over(a_service(ip_families=("IPv4", "IPv6")), pods(1))

    assert [("IPv4", 1), ("IPv6", 0)] == [(one.address_type, len(one.endpoints)) for one in found]


def test_slices_of_a_family_that_the_service_gave_up_are_deleted() -> None:
    """EPS-SEL-06"""
    old = a_slice("web-6", address_type="IPv6")

    found = pass_over(a_service(), pods(1), [old, a_slice("web-4", 1)])

    assert found == (a_slice("web-4", 1),)


def test_a_service_that_is_not_managed_keeps_its_slices() -> None:
    """EPS-SEL-01: also those that no pod backs any more."""
    existing = (a_slice("web-x", 9),)

    assert existing == pass_over(a_service(selector=None), pods(1), existing)


def test_pods_that_the_service_does_not_select_are_passed_over() -> None:
    """EPS-SEL-02"""
    stranger = a_pod(2, labels=(("app", "other"),))

    assert (a_slice("web-00000", 1),) == pass_over(a_service(), [a_pod(1), stranger])


@pytest.mark.parametrize(("publish_unready", "published"), [(False, [1]), (True, [1, 2])])
def test_a_pod_whose_node_is_gone_is_skipped_unless_unready_addresses_are_published(
    publish_unready: bool, published: list[int]
) -> None:
    """EPS-SEL-04"""
    service = a_service(publish_not_ready_addresses=publish_unready)

    found = pass_over(service, [a_pod(1), a_pod(2, node_name="gone")])

    assert [f"web-{number}" for number in published] == [
        endpoint.target.name for one in found for endpoint in one.endpoints if endpoint.target
    ]


def test_pods_with_other_port_numbers_have_slices_of_their_own() -> None:
    """EPS-PORT-04: also the one that names no such port, which is in a slice without ports."""
    service = a_service(ports=(attrs.evolve(HTTP, target_port="http"),))
    other = attrs.evolve(a_pod().ports[0], container_port=9090)

    found = pass_over(service, [a_pod(1), a_pod(2, ports=(other,)), a_pod(3, ports=()), a_pod(4)])

    assert [((8080,), 2), ((9090,), 1), ((), 1)] == [
        (tuple(port.port for port in one.ports), len(one.endpoints)) for one in found
    ]


def test_ports_in_another_order_are_the_same_ports() -> None:
    """EPS-PORT-04"""
    metrics = attrs.evolve(HTTP, name="metrics", target_port=9090)
    service = a_service(ports=(HTTP, metrics))
    existing = a_slice("web-x", 1, ports=(EndpointPort("metrics", "TCP", 9090), HTTP_8080))

    assert (existing,) == pass_over(service, pods(1), [existing])


def test_no_slice_holds_more_than_the_limit_and_no_pod_is_left_out() -> None:
    """EPS-SL-01, EPS-SL-02: 250 endpoints make 100, 100 and 50."""
    found = pass_over(a_service(), pods(*range(1, 251)))

    targets = [endpoint.target for one in found for endpoint in one.endpoints]
    assert ([50, 100, 100], 250) == (sizes(found), len(set(targets)))


def test_an_unchanged_slice_is_left_as_it_is() -> None:
    existing = (a_slice("web-x", 1, 2), a_slice("web-y", 3))

    assert existing == pass_over(a_service(), pods(1, 2, 3), existing)


def test_an_endpoint_that_changed_is_changed_where_it_is() -> None:
    (found,) = pass_over(a_service(), [a_pod(1), a_pod(2, ready=False)], [a_slice("web-x", 1, 2)])

    unready = an_endpoint(2, ready=False, serving=False)
    assert found == a_slice("web-x", endpoints=(an_endpoint(1), unready))


def test_slices_that_must_change_anyway_are_filled_first() -> None:
    """Two of three in x go, so x takes both new ones, and y stays as it is."""
    existing = (a_slice("web-x", 1, 2, 3), a_slice("web-y", 4))

    found = pass_over(a_service(), pods(1, 4, 5, 6), existing, most=3)

    assert found == (a_slice("web-x", 1, 5, 6), a_slice("web-y", 4))


def test_of_slices_that_must_change_the_fullest_is_filled_first() -> None:
    """Both lose one; y has two left and x one, so y takes the new one."""
    existing = (a_slice("web-x", 1, 2), a_slice("web-y", 3, 4, 5))

    found = pass_over(a_service(), pods(1, 3, 4, 6), existing, most=3)

    assert found == (a_slice("web-x", 1), a_slice("web-y", 3, 4, 6))


def test_as_many_endpoints_as_a_slice_holds_make_a_slice_of_their_own() -> None:
    """Though an empty one of these ports has just that room: the controller only asks it for fewer."""
    found = pass_over(a_service(), pods(1, 2), [a_slice("web-x")], most=2)

    assert found == (a_slice("web-x"), a_slice("web-00000", 1, 2))


def test_what_is_left_goes_into_the_slice_it_fills_best() -> None:
    """One more fits x and y; y is fuller, so y takes it."""
    existing = (a_slice("web-x", 1), a_slice("web-y", 2, 3))

    found = pass_over(a_service(), pods(1, 2, 3, 4), existing, most=4)

    assert found == (a_slice("web-x", 1), a_slice("web-y", 2, 3, 4))


def test_a_new_slice_is_made_where_the_rest_fits_into_no_single_slice() -> None:
    """Two slices with room for one each, two more endpoints: neither is touched."""
    existing = (a_slice("web-x", 1, 2), a_slice("web-y", 3, 4))

    found = pass_over(a_service(), pods(*range(1, 7)), existing, most=3)

    assert found == (*existing, a_slice("web-00000", 5, 6))


def test_an_endpoint_in_two_slices_stays_in_one() -> None:
    """EPS-SL-02"""
    found = pass_over(a_service(), pods(1, 2), [a_slice("web-x", 1, 2), a_slice("web-y", 2)])

    assert found == (a_slice("web-x", 1, 2),)


def test_a_slice_of_new_ports_takes_the_place_of_one_of_old_ports() -> None:
    old = a_slice("web-x", 1, ports=(EndpointPort("http", "TCP", 80),))

    assert (a_slice("web-x", 1),) == pass_over(a_service(), pods(1), [old])


def test_slices_of_an_earlier_service_of_that_name_are_replaced() -> None:
    """They await garbage collection, so their names are not used again."""
    old = a_slice("web-x", 1, service_owners=("uid-of-another",))

    assert (a_slice("web-00000", 1),) == pass_over(a_service(), pods(1), [old])


def test_a_changed_label_of_the_service_is_copied_to_its_slices() -> None:
    """EPS-SL-04"""
    found = pass_over(a_service(labels=(("team", "x"),)), pods(1), [a_slice("web-x", 1)])

    assert found == (a_slice("web-x", 1, labels=(("team", "x"),)),)


def test_a_service_on_its_way_out_gets_no_new_slices() -> None:
    service = a_service(being_deleted=True)

    found = pass_over(service, pods(1, 2, 3), [a_slice("web-x", 1)], most=1)

    assert found == (a_slice("web-x", 1),)


def test_slices_that_await_deletion_are_not_used() -> None:
    leaving = a_slice("web-x", 1, being_deleted=True)

    assert (leaving, a_slice("web-00000", 1)) == pass_over(a_service(), pods(1), [leaving])


def test_names_of_new_slices_are_not_taken() -> None:
    taken = {ObjectName("shop", "web-00000"), ObjectName("shop", "web-00002")}

    found = reconcile_slices(a_service(), pods(1), NODES, [], taken=taken)

    assert [ObjectName("shop", "web-00001")] == [one.name for one in found]


@given(
    st.sets(st.integers(1, 30), max_size=12),
    st.sets(st.integers(1, 30), max_size=12),
    st.integers(1, 5),
)
def test_a_second_pass_changes_nothing(before: set[int], after: set[int], most: int) -> None:
    """A pass leaves every pod in exactly one slice, whatever was there, and is then content."""
    earlier = pass_over(a_service(), pods(*sorted(before)), most=most)

    once = pass_over(a_service(), pods(*sorted(after)), earlier, most=most)
    twice = pass_over(a_service(), pods(*sorted(after)), once, most=most)

    assert once == twice
    assert max(sizes(once)) <= most
    targets = [endpoint.target for one in once for endpoint in one.endpoints]
    assert sorted(ObjectName("shop", f"web-{number}") for number in after) == sorted(filter(None, targets))


def test_an_empty_slice_that_still_has_ports_loses_them() -> None:
    """EPS-SL-03: the slice that is always there has none; it keeps its name."""
    found = pass_over(a_service(), (), [a_slice("web-x")])

    assert found == (a_slice("web-x", ports=()),)


def test_a_slice_that_is_new_has_everything_but_endpoints_and_a_name() -> None:
    """EPS-SL-04"""
    service = a_service(labels=(("team", "x"),), cluster_ips=("None",))

    assert new_slice(service, "IPv6", (HTTP_8080,)) == EndpointSlice(
        ObjectName("shop", ""),
        service.name,
        "IPv6",
        ports=(HTTP_8080,),
        headless=True,
        managed_by="endpointslice-controller.k8s.io",
        labels=(("team", "x"),),
        service_owners=("uid-of-web",),
    )
