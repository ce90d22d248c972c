"""A whole cluster once its controllers are done: what they made, what users made, what is left over."""

import attrs
from hypothesis import given
from hypothesis import strategies as st

from model.controllers.publish import publish
from model.objects import (
    Cluster,
    EndpointAddress,
    Endpoints,
    EndpointSlice,
    EndpointSubset,
    ObjectName,
    ServiceType,
)
from tests.model.controllers.building import HTTP_8080, NODES, WEB, a_pod, a_service, a_slice

BY_HAND = Endpoints(WEB, (EndpointSubset((EndpointAddress("192.168.1.4"),), (), (HTTP_8080,)),))
OTHER = ObjectName("shop", "other")
CLUSTER = Cluster(services=(a_service(),), pods=(a_pod(1),), nodes=tuple(NODES.values()))


def managers(slices: tuple[EndpointSlice, ...]) -> list[str]:
    return [one.managed_by.partition("-")[0] for one in slices]


def test_a_managed_service_has_slices_and_endpoints() -> None:
    found = publish(CLUSTER)

    assert ((a_slice("web-00000", 1),), [WEB]) == (found.slices, [each.name for each in found.endpoints])


def test_slices_of_users_stay_beside_those_of_controllers() -> None:
    """EPS-SL-07, EPS-MIR-07: also of Services without a selector, whose Endpoints are mirrored."""
    mine = a_slice("mine", 7, managed_by="me", service_owners=())

    found = publish(attrs.evolve(CLUSTER, slices=(mine,)))
    by_hand = publish(Cluster(services=(a_service(selector=None),), slices=(mine,), endpoints=(BY_HAND,)))

    assert ["me", "endpointslice"] == managers(found.slices)
    assert ["me", "endpointslicemirroring"] == managers(by_hand.slices)


def test_external_names_and_selectorless_services_get_nothing() -> None:
    """EPS-SEL-01"""
    services = (
        a_service(type=ServiceType.EXTERNAL_NAME, external_name="example.com"),
        a_service(name=OTHER, selector=None),
    )

    found = publish(attrs.evolve(CLUSTER, services=services))

    assert ((), ()) == (found.slices, found.endpoints)


def test_adding_a_selector_replaces_mirrored_slices() -> None:
    """EPS-MIR-06: and the Endpoints written by hand."""
    by_hand = publish(Cluster(services=(a_service(selector=None),), endpoints=(BY_HAND,)))

    found = publish(attrs.evolve(CLUSTER, slices=by_hand.slices, endpoints=by_hand.endpoints))

    assert ["endpointslice"] == managers(found.slices)
    assert ["10.244.0.1"] == [
        address.ip for each in found.endpoints for subset in each.subsets for address in subset.addresses
    ]


def test_removing_the_selector_leaves_the_last_slices_and_endpoints() -> None:
    """EPS-MIR-06: the Endpoints are then mirrored beside the slices."""
    before = publish(CLUSTER)
    without = attrs.evolve(
        CLUSTER, services=(a_service(selector=None),), slices=before.slices, endpoints=before.endpoints
    )

    found = publish(without)

    assert (before.endpoints, ["endpointslice", "endpointslicemirroring"]) == (
        found.endpoints,
        sorted(managers(found.slices)),
    )


def test_what_controllers_made_for_a_deleted_service_goes() -> None:
    """EPS-EP-06: what users made stays, such as Endpoints without a Service."""
    before = publish(CLUSTER)
    by_hand = attrs.evolve(BY_HAND, name=OTHER)
    gone = attrs.evolve(CLUSTER, services=(), slices=before.slices, endpoints=(*before.endpoints, by_hand))

    found = publish(gone)

    assert ((), (by_hand,)) == (found.slices, found.endpoints)


def test_mirrored_slices_go_with_their_endpoints() -> None:
    """EPS-MIR-01"""
    cluster = Cluster(services=(a_service(selector=None),), endpoints=(BY_HAND,))
    mirrored = publish(cluster).slices

    found = publish(attrs.evolve(cluster, slices=mirrored, endpoints=()))

    assert (1, ()) == (len(mirrored), found.slices)


def test_new_slices_do_not_take_the_name_of_any_other() -> None:
    """Service web-00000's slice is called as a slice of web would be."""
    taken = a_slice("web-00000", managed_by="me", service=OTHER, service_owners=())

    found = publish(attrs.evolve(CLUSTER, slices=(taken,)))

    assert ["web-00000", "web-00001"] == [one.name.name for one in found.slices]


@given(
    st.lists(
        st.tuples(st.booleans(), st.booleans(), st.sampled_from("abcz"), st.sampled_from(["web", "db"])),
        max_size=8,
    ),
    st.sampled_from([None, "PreferClose", "PreferSameNode"]),
    st.sampled_from([(), (("service.kubernetes.io/topology-mode", "Auto"),)]),
    st.sampled_from([("IPv4",), ("IPv6", "IPv4")]),
    st.booleans(),
)
def test_publishing_what_is_published_changes_nothing(
    drawn: list[tuple[bool, bool, str, str]],
    distribution: str | None,
    annotations: tuple[tuple[str, str], ...],
    families: tuple[str, ...],
    publish_unready: bool,
) -> None:
    """The controllers come to rest after one pass each, which is what makes them level-triggered."""
    pods = tuple(
        a_pod(
            number,
            ready=ready,
            terminating=terminating,
            node_name=node,
            labels=(("app", app),),
            ips=(f"10.244.0.{number}", f"fd00::{number}") if ready else (f"10.244.0.{number}",),
        )
        for number, (ready, terminating, node, app) in enumerate(drawn, 1)
    )
    service = a_service(
        traffic_distribution=distribution,
        annotations=annotations,
        ip_families=families,
        publish_not_ready_addresses=publish_unready,
    )
    db = a_service(name=OTHER, selector=(("app", "db"),), cluster_ips=("None",), uid="uid-of-other")
    cluster = attrs.evolve(CLUSTER, services=(service, db), pods=pods)

    once = publish(cluster)
    twice = publish(attrs.evolve(cluster, slices=once.slices, endpoints=once.endpoints))

    assert once == twice


def test_a_mirrored_slice_that_names_no_service_is_nobodys_to_delete() -> None:
    lost = a_slice(
        "lost", managed_by="endpointslicemirroring-controller.k8s.io", service=None, service_owners=()
    )

    assert (lost,) == publish(Cluster(slices=(lost,))).slices
