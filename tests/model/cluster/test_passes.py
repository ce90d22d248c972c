"""Controllers act on what is there when they pass, late, interrupted and in any order."""

import attrs
import pytest

from model.api import objects as api
from model.api.service_storage import Accepted
from model.cluster import events
from model.cluster.settle import settle
from model.cluster.state import ClusterState
from model.cluster.transition import carry_out, step
from model.node_config import NodeConfig
from model.objects import Node, ObjectName, Pod

WEB = ObjectName("shop", "web")
PODS = tuple(ObjectName("shop", f"web-{number}") for number in range(3))


def service(**spec: object) -> api.Service:
    ports = (api.ServicePort(port=80, target_port=8080),)
    spec = {"ports": ports, "selector": (("app", "web"),)} | spec
    return api.Service(api.Metadata(name="web", namespace="shop"), api.ServiceSpec(**spec))  # type: ignore[arg-type]  # fields by name


def run(state: ClusterState, *happenings: events.Event) -> ClusterState:
    for event in happenings:
        state = step(state, event)
    return state


def started(state: ClusterState, pod: ObjectName, ip: str) -> ClusterState:
    return run(
        state,
        events.CreatePod(Pod(pod, labels=(("app", "web"),))),
        events.SchedulePod(pod, "node-a"),
        events.StartPod(pod, (ip,)),
        events.SetPodReady(pod, True),
    )


def cluster(**spec: object) -> ClusterState:
    """A node, the Service, and three ready pods 10.244.1.1 to .3; no controller has passed."""
    state = run(
        ClusterState(),
        events.AddServiceCIDR("kubernetes", ("10.96.0.0/24",)),
        events.AddNode(Node("node-a"), NodeConfig("node-a")),
        events.CreateService(service(**spec)),
    )
    for number, pod in enumerate(PODS, start=1):
        state = started(state, pod, f"10.244.1.{number}")
    return state


def published(state: ClusterState, name: ObjectName = WEB) -> list[tuple[str, bool | None]]:
    """Address and readiness of every entry in the Service's slices."""
    return sorted(
        (endpoint.addresses[0], endpoint.ready) for one in state.slices.of(name) for endpoint in one.endpoints
    )


def test_nothing_is_published_before_a_controller_passes() -> None:
    state = cluster()

    assert (0, 0) == (len(state.slices.by_name), len(state.endpoints))


def test_a_pass_publishes_what_is_there_by_then() -> None:
    state = run(cluster(), events.SetPodReady(PODS[0], False), events.SyncSlices(WEB))

    assert [("10.244.1.1", False), ("10.244.1.2", True), ("10.244.1.3", True)] == published(state)


def test_a_second_pass_changes_nothing() -> None:
    once = run(cluster(), events.SyncSlices(WEB), events.SyncEndpoints(WEB), events.MirrorEndpoints(WEB))

    twice = run(once, events.SyncSlices(WEB), events.SyncEndpoints(WEB), events.MirrorEndpoints(WEB))

    assert once == twice


def test_the_order_of_passes_does_not_matter() -> None:
    passes = (events.SyncSlices(WEB), events.SyncEndpoints(WEB), events.MirrorEndpoints(WEB))

    forward, backward = run(cluster(), *passes), run(cluster(), *reversed(passes))

    assert settle(forward) == settle(backward)


def test_an_interrupted_pass_has_made_its_first_writes_only() -> None:
    """EPS-SL-02: a Service that loses a family and gains a port list is seen half way."""
    state = run(cluster(), events.SyncSlices(WEB))
    old = state.slices.of(WEB)
    changed = service(ports=(api.ServicePort(port=80, target_port="http"),))
    stored = state.registry.services[WEB]
    state = step(
        state,
        events.UpdateService(attrs.evolve(stored, spec=attrs.evolve(stored.spec, ports=changed.spec.ports))),
    )

    assert old == step(state, events.SyncSlices(WEB, writes=0)).slices.of(WEB)
    assert settle(state).slices.of(WEB) == step(state, events.SyncSlices(WEB)).slices.of(WEB) != old


def test_the_endpoints_of_a_deleted_service_go_with_it_and_its_slices_by_garbage_collection() -> None:
    """EPS-EP-06."""
    state = run(cluster(), events.SyncSlices(WEB), events.SyncEndpoints(WEB))

    deleted = step(state, events.DeleteService(WEB))

    assert WEB in state.endpoints
    assert WEB not in deleted.endpoints
    assert published(state) == published(deleted)
    assert not published(step(deleted, events.CollectGarbage(WEB)))


def test_a_service_made_anew_does_not_own_the_slices_of_the_old_one() -> None:
    state = run(
        cluster(),
        events.SyncSlices(WEB),
        events.DeleteService(WEB),
        events.CreateService(service(selector=(("app", "other"),)), seed=1),
    )

    assert 3 == len(published(state))
    assert not published(step(state, events.CollectGarbage(WEB)))


def test_a_controller_leaves_the_slices_that_others_made() -> None:
    mine = api.EndpointSlice(
        api.Metadata(name="mine", namespace="shop", labels=(("kubernetes.io/service-name", "web"),)),
        "IPv4",
        (api.Endpoint(("10.244.9.9",)),),
        (api.EndpointPort("", "TCP", 8080),),
    )
    state = run(cluster(), events.WriteSlice(mine))

    state = settle(state)

    assert ("10.244.9.9", None) in published(state)
    assert 4 == len(published(state))


def test_endpoints_written_by_hand_are_mirrored_for_a_service_without_selector() -> None:
    """EPS-MIR-01, EPS-MIR-04."""
    by_hand = api.Endpoints(
        api.Metadata(name="web", namespace="shop"),
        (
            api.EndpointSubset(
                addresses=(api.EndpointAddress("10.9.0.1"),),
                not_ready_addresses=(api.EndpointAddress("10.9.0.2"),),
                ports=(api.SubsetPort(port=5432, protocol="TCP"),),
            ),
        ),
    )
    state = settle(run(cluster(selector=()), events.WriteEndpoints(by_hand)))

    assert [("10.9.0.1", True), ("10.9.0.2", False)] == published(state)


def test_a_removed_selector_leaves_the_last_slices_and_endpoints() -> None:
    """EPS-MIR-06: nobody looks after them any more."""
    state = settle(cluster())
    stored = state.registry.services[WEB]
    bare = attrs.evolve(stored, spec=attrs.evolve(stored.spec, selector=()))
    state = settle(step(state, events.UpdateService(bare)))

    state = settle(step(state, events.SetPodReady(PODS[0], False)))

    managed = [one for one in state.slices.of(WEB) if one.managed_by == "endpointslice-controller.k8s.io"]
    assert [("10.244.1.1", True)] == [
        (endpoint.addresses[0], endpoint.ready)
        for one in managed
        for endpoint in one.endpoints
        if endpoint.addresses[0] == "10.244.1.1"
    ]


def test_an_answer_tells_the_author_of_a_request_what_was_stored() -> None:
    stepped = carry_out(cluster(), events.CreateService(attrs.evolve(service(), metadata=other())))

    assert isinstance(stepped.answer, Accepted)
    assert stepped.state.registry.services[ObjectName("shop", "other")] == stepped.answer.service


def other() -> api.Metadata:
    return api.Metadata(name="other", namespace="shop")


@pytest.mark.parametrize("event", [events.SyncSlices(WEB, writes=-1), events.MirrorEndpoints(WEB, writes=-1)])
def test_a_negative_count_of_writes_is_refused(event: events.Event) -> None:
    with pytest.raises(events.IllegalEvent, match="writes -1: is negative"):
        step(cluster(), event)
