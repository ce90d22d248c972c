"""What a cluster comes to when everybody keeps running, and what is found when nobody comes to rest."""

import attrs
import pytest

from model.api import objects as api
from model.cluster import events, settle
from model.cluster.settle import NeverQuiet, published
from model.cluster.state import ClusterState
from model.cluster.transition import step
from model.node_config import NodeConfig
from model.objects import (
    EndpointAddress,
    Endpoints,
    EndpointSlice,
    EndpointSubset,
    Node,
    ObjectName,
    Pod,
)

WEB, GONE = ObjectName("shop", "web"), ObjectName("shop", "gone")


def cluster() -> ClusterState:
    """A node with a proxy, and a Service with one ready pod; no controller has passed."""
    spec = api.ServiceSpec((api.ServicePort(port=80, target_port=8080),), (("app", "web"),))
    pod = Pod(ObjectName("shop", "web-0"), labels=(("app", "web"),))
    state = ClusterState()
    for event in (
        events.AddServiceCIDR("kubernetes", ("10.96.0.0/24",)),
        events.AddNode(Node("node-a"), NodeConfig("node-a")),
        events.AddNode(Node("node-b"), NodeConfig("node-b")),
        events.StopProxy("node-b"),
        events.CreateService(api.Service(api.Metadata("web", namespace="shop"), spec)),
        events.CreatePod(pod),
        events.SchedulePod(pod.name, "node-a"),
        events.StartPod(pod.name, ("10.244.1.1",)),
        events.SetPodReady(pod.name, True),
    ):
        state = step(state, event)
    return state


def test_slices_and_endpoints_are_those_of_the_services_pods() -> None:
    found = published(cluster())

    (one,) = found.slices.of(WEB)
    assert (["10.244.1.1"], [WEB]) == ([each.addresses[0] for each in one.endpoints], list(found.endpoints))
    assert ["10.244.1.1"] == [each.ip for each in found.endpoints[WEB].subsets[0].addresses]


def test_what_controllers_made_for_a_service_that_is_gone_goes() -> None:
    """EPS-EP-06: known by its slices alone, and by its Endpoints alone."""
    of_mirroring = EndpointSlice(
        ObjectName("shop", "gone-1"), GONE, "IPv4", managed_by="endpointslicemirroring-controller.k8s.io"
    )
    of_slices = EndpointSlice(
        ObjectName("shop", "gone-2"),
        GONE,
        "IPv4",
        managed_by="endpointslice-controller.k8s.io",
        service_owners=("u9",),
    )
    state = ClusterState()
    for one in (of_mirroring, of_slices):
        state = attrs.evolve(state, slices=state.slices.put(one, 0))

    assert [] == list(published(state).slices.by_name)


def test_endpoints_without_a_service_stay_as_somebody_wrote_them() -> None:
    """EPS-MIR-01"""
    by_hand = Endpoints(GONE, (EndpointSubset((EndpointAddress("192.0.2.1"),)),))
    state = attrs.evolve(ClusterState(), endpoints=ClusterState().endpoints.insert(GONE, by_hand))

    assert state == published(state)


def test_running_proxies_that_are_not_late_have_applied_what_is_published() -> None:
    before = cluster()

    on_time, late = settle.settle(before), settle.settle(before, {"node-a"})

    applied = on_time.proxies["node-a"].applied
    assert applied is not None
    assert (on_time.services, on_time.slices) == (applied.services, applied.slices)
    assert (None, None) == (on_time.proxies["node-b"].applied, late.proxies["node-a"].applied)


def test_controllers_that_never_come_to_rest_are_a_fault_of_the_model(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(settle, "MOST_ROUNDS", 1)  # publishing takes one, seeing that it is done another

    with pytest.raises(NeverQuiet, match=r"^objects still change after 1 rounds of every controller$"):
        published(cluster())
