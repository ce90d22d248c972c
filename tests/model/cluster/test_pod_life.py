"""Pods and nodes live as Kubernetes lets them, and an impossible event is refused by name."""

from collections.abc import Callable

import pytest

from model.cluster import events, node_life, pod_life
from model.cluster.events import IllegalEvent
from model.cluster.state import ClusterState
from model.cluster.transition import step
from model.node_config import NodeConfig
from model.objects import Node, ObjectName, Pod, Service

WEB = ObjectName("shop", "web-1")
OTHER = ObjectName("shop", "web-2")
NODE = Node("node-a", addresses=(("InternalIP", "10.32.1.11"), ("Hostname", "node-a")))


def with_node() -> ClusterState:
    return node_life.add_node(ClusterState(), events.AddNode(NODE, NodeConfig("node-a")))


def created(pod: Pod) -> ClusterState:
    return pod_life.create_pod(with_node(), events.CreatePod(pod))


def running(ip: str = "10.244.1.5") -> ClusterState:
    state = created(Pod(WEB, labels=(("app", "web"),)))
    state = pod_life.schedule_pod(state, events.SchedulePod(WEB, "node-a"))
    return pod_life.start_pod(state, events.StartPod(WEB, (ip,)))


def pod(state: ClusterState) -> Pod:
    return state.pods.by_name[WEB]


def test_a_pod_starts_pending_whatever_status_was_submitted() -> None:
    state = created(Pod(WEB, phase="Running", ready=True, ips=("10.244.1.5",), node_name="node-a"))

    assert Pod(WEB, phase="Pending") == pod(state)


def test_a_started_pod_runs_with_its_address_and_is_not_ready_yet() -> None:
    assert ("Running", ("10.244.1.5",), False) == (
        pod(running()).phase,
        pod(running()).ips,
        pod(running()).ready,
    )


def test_a_host_network_pod_has_its_nodes_addresses() -> None:
    state = created(Pod(WEB, host_network=True))
    state = pod_life.schedule_pod(state, events.SchedulePod(WEB, "node-a"))

    state = pod_life.start_pod(state, events.StartPod(WEB))

    assert ("10.32.1.11",) == pod(state).ips


def test_an_ended_pod_keeps_its_address_and_gives_it_free() -> None:
    state = pod_life.finish_pod(running(), events.FinishPod(WEB))
    state = pod_life.create_pod(state, events.CreatePod(Pod(OTHER)))
    state = pod_life.schedule_pod(state, events.SchedulePod(OTHER, "node-a"))

    state = pod_life.start_pod(state, events.StartPod(OTHER, ("10.244.1.5",)))

    assert ("10.244.1.5",) == pod(state).ips == state.pods.by_name[OTHER].ips


def test_a_pod_on_no_node_is_gone_as_soon_as_it_is_deleted() -> None:
    state = pod_life.terminate_pod(created(Pod(WEB)), events.TerminatePod(WEB))

    assert WEB not in state.pods.by_name


def test_a_terminating_pod_may_stay_ready() -> None:
    state = pod_life.set_pod_ready(running(), events.SetPodReady(WEB, True))

    state = pod_life.terminate_pod(state, events.TerminatePod(WEB))

    assert (True, True) == (pod(state).terminating, pod(state).ready)


def test_a_selector_finds_the_pods_of_its_namespace_with_all_its_labels() -> None:
    state = created(Pod(WEB, labels=(("app", "web"), ("tier", "front"))))
    for name, labels in {
        OTHER: (("app", "web"),),
        ObjectName("other", "web-3"): (("app", "web"), ("tier", "front")),
    }.items():
        state = pod_life.create_pod(state, events.CreatePod(Pod(name, labels=labels)))
    service = Service(ObjectName("shop", "web"), selector=(("app", "web"), ("tier", "front")))

    selected = state.pods.selected(service)

    assert [WEB] == [one.name for one in selected]


def test_a_service_without_selector_selects_nothing() -> None:
    assert not running().pods.selected(Service(ObjectName("shop", "web")))


def test_a_removed_node_takes_its_proxy_and_leaves_its_pods() -> None:
    state = node_life.remove_node(running(), events.RemoveNode("node-a"))

    assert ([], [], [WEB]) == (list(state.nodes), list(state.proxies), list(state.pods.by_name))


@pytest.mark.parametrize(
    ("attempt", "refusal"),
    [
        (lambda: created_twice(), "CreatePod: pod shop/web-1: exists already"),
        (
            lambda: pod_life.schedule_pod(running(), events.SchedulePod(WEB, "node-a")),
            "SchedulePod: name shop/web-1: is on node-a already",
        ),
        (
            lambda: pod_life.schedule_pod(created(Pod(WEB)), events.SchedulePod(WEB, "node-z")),
            "SchedulePod: node node-z: does not exist",
        ),
        (
            lambda: pod_life.schedule_pod(
                pod_life.finish_pod(created(Pod(WEB)), events.FinishPod(WEB)),
                events.SchedulePod(WEB, "node-a"),
            ),
            "SchedulePod: name shop/web-1: is ending",
        ),
        (
            lambda: pod_life.start_pod(created(Pod(WEB)), events.StartPod(WEB)),
            "StartPod: name shop/web-1: is on no node",
        ),
        (
            lambda: pod_life.start_pod(running(), events.StartPod(WEB, ("10.244.1.6",))),
            "StartPod: name shop/web-1: is Running, not Pending",
        ),
        (
            lambda: pod_life.start_pod(scheduled(Pod(WEB)), events.StartPod(WEB)),
            "StartPod: ips (): a running pod has an address",
        ),
        (
            lambda: pod_life.start_pod(
                scheduled(Pod(WEB, host_network=True)), events.StartPod(WEB, ("10.244.1.6",))
            ),
            "StartPod: ips ('10.244.1.6',): a hostNetwork pod has its node's addresses",
        ),
        (lambda: started_with_the_same_address(), "StartPod: ips 10.244.1.5: is held by shop/web-1"),
        (
            lambda: pod_life.set_pod_ready(created(Pod(WEB)), events.SetPodReady(WEB, True)),
            "SetPodReady: name shop/web-1: is Pending, not Running",
        ),
        (
            lambda: pod_life.set_pod_ready(with_node(), events.SetPodReady(WEB, True)),
            "SetPodReady: name shop/web-1: does not exist",
        ),
        (
            lambda: pod_life.terminate_pod(
                pod_life.terminate_pod(running(), events.TerminatePod(WEB)), events.TerminatePod(WEB)
            ),
            "TerminatePod: name shop/web-1: is terminating already",
        ),
        (
            lambda: pod_life.finish_pod(
                pod_life.finish_pod(running(), events.FinishPod(WEB)), events.FinishPod(WEB)
            ),
            "FinishPod: name shop/web-1: is Succeeded already",
        ),
        (
            lambda: pod_life.delete_pod(ClusterState(), events.DeletePod(WEB)),
            "DeletePod: name shop/web-1: does not exist",
        ),
        (
            lambda: node_life.add_node(with_node(), events.AddNode(NODE, NodeConfig("node-a"))),
            "AddNode: node node-a: exists already",
        ),
        (
            lambda: node_life.add_node(ClusterState(), events.AddNode(NODE, NodeConfig("node-b"))),
            "AddNode: config node-b: is not of node node-a",
        ),
        (
            lambda: node_life.remove_node(ClusterState(), events.RemoveNode("node-a")),
            "RemoveNode: name node-a: does not exist",
        ),
        (
            lambda: step(with_node(), events.Tick(-1)),
            "Tick: seconds -1: time runs forward",
        ),
    ],
)
def test_what_cannot_happen_is_refused_with_event_field_value_and_reason(
    attempt: Callable[[], ClusterState], refusal: str
) -> None:
    with pytest.raises(IllegalEvent) as refused:
        attempt()

    assert refusal == str(refused.value)


def scheduled(one: Pod) -> ClusterState:
    return pod_life.schedule_pod(created(one), events.SchedulePod(one.name, "node-a"))


def created_twice() -> ClusterState:
    return pod_life.create_pod(created(Pod(WEB)), events.CreatePod(Pod(WEB)))


def started_with_the_same_address() -> ClusterState:
    state = pod_life.create_pod(running(), events.CreatePod(Pod(OTHER)))
    state = pod_life.schedule_pod(state, events.SchedulePod(OTHER, "node-a"))
    return pod_life.start_pod(state, events.StartPod(OTHER, ("10.244.1.5",)))
