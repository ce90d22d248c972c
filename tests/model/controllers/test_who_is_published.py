"""Services that select everything or nothing, and Endpoints that a leader left behind."""

import attrs

from model.controllers.endpoints import ENDPOINTS_CONTROLLER, MANAGED_BY_LABEL
from model.controllers.publish import publish
from model.objects import Cluster, EndpointAddress, Endpoints, EndpointSubset, ObjectName
from tests.model.controllers.building import HTTP_8080, WEB, a_pod, a_service

GONE = Endpoints(
    ObjectName("shop", "gone"),
    (EndpointSubset((EndpointAddress("10.244.0.9"),), (), (HTTP_8080,)),),
    labels=((MANAGED_BY_LABEL, ENDPOINTS_CONTROLLER),),
)
LEADER = (("control-plane.alpha.kubernetes.io/leader", "{}"),)


def names(cluster: Cluster) -> list[str]:
    return [one.name.name for one in publish(cluster).endpoints]


def addresses(cluster: Cluster) -> list[str]:
    return [
        address.ip
        for one in publish(cluster).endpoints
        if one.name == WEB
        for subset in one.subsets
        for address in subset.addresses
    ]


def test_an_empty_selector_selects_every_pod_of_the_namespace() -> None:
    """EPS-SEL-02: and none of another's; without any pod there is an object without subsets."""
    everything = a_service(selector=())
    elsewhere = a_pod(2, name=ObjectName("other", "web-2"))

    assert addresses(Cluster(services=(everything,), pods=(a_pod(1), elsewhere))) == ["10.244.0.1"]
    assert addresses(Cluster(services=(everything,), pods=(elsewhere,))) == []
    assert names(Cluster(services=(everything,))) == ["web"]


def test_what_the_controller_made_for_a_service_that_is_gone_goes_too() -> None:
    assert names(Cluster(endpoints=(GONE,))) == []


def test_a_leaders_lock_and_what_others_wrote_stay() -> None:
    """The controller leaves objects for leader election alone."""
    lock = attrs.evolve(GONE, annotations=LEADER)
    by_hand = attrs.evolve(GONE, labels=())

    assert names(Cluster(endpoints=(lock,))) == ["gone"]
    assert names(Cluster(endpoints=(by_hand,))) == ["gone"]
