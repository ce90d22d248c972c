"""Nodes come, change and go by events, each of which reaches the node that it names."""

from collections.abc import Callable

import pytest

from model.cluster import events
from model.cluster.events import IllegalEvent
from model.cluster.state import ClusterState
from model.cluster.transition import step
from model.node_config import NodeConfig
from model.objects import Node, ObjectName, Pod

NODE = Node("node-a", addresses=(("InternalIP", "10.32.1.11"),))
ZONED = (("topology.kubernetes.io/zone", "z"),)
WEB = ObjectName("shop", "web-1")


def run(state: ClusterState, *some: events.Event) -> ClusterState:
    for event in some:
        state = step(state, event)
    return state


def with_node() -> ClusterState:
    return run(ClusterState(), events.AddNode(NODE, NodeConfig("node-a")))


def test_new_labels_take_the_place_of_the_old_ones() -> None:
    state = run(with_node(), events.RelabelNode("node-a", ZONED))

    assert state.nodes["node-a"].labels == ZONED
    assert run(state, events.RelabelNode("node-a", ())).nodes["node-a"].labels == ()


def test_a_node_turns_unready_and_ready_again() -> None:
    state = run(with_node(), events.SetNodeReady("node-a", False))

    assert not state.nodes["node-a"].ready
    assert run(state, events.SetNodeReady("node-a", True)).nodes["node-a"].ready


def test_a_removed_node_takes_its_proxy_and_leaves_its_pods() -> None:
    """EPS-SEL-04"""
    state = run(
        with_node(),
        events.CreatePod(Pod(WEB)),
        events.SchedulePod(WEB, "node-a"),
        events.RemoveNode("node-a"),
    )

    assert ("node-a" in state.nodes, "node-a" in state.proxies) == (False, False)
    assert state.pods.by_name[WEB].node_name == "node-a"


@pytest.mark.parametrize(
    "event",
    [
        lambda name: events.RelabelNode(name, ()),
        lambda name: events.SetNodeReady(name, True),
        lambda name: events.RemoveNode(name),
    ],
)
def test_a_node_that_is_not_there_can_do_nothing(event: Callable[[str], events.Event]) -> None:
    with pytest.raises(IllegalEvent) as refusal:
        step(with_node(), event("node-b"))

    assert (refusal.value.field, refusal.value.value) == ("name", "node-b")


def test_why_a_pod_cannot_start_names_the_field_at_fault() -> None:
    """EPS-SEL-05: addresses are the node's own for hostNetwork, and given for others."""
    host = run(with_node(), events.CreatePod(Pod(WEB, host_network=True)), events.SchedulePod(WEB, "node-a"))
    other = run(with_node(), events.CreatePod(Pod(WEB)), events.SchedulePod(WEB, "node-a"))
    told = []

    for state, ips in ((host, ("10.244.1.5",)), (other, ())):
        with pytest.raises(IllegalEvent) as refusal:
            step(state, events.StartPod(WEB, ips))
        told.append((refusal.value.field, refusal.value.why))

    assert told == [
        ("ips", "a hostNetwork pod has its node's addresses"),
        ("ips", "a running pod has an address"),
    ]


def test_a_pod_is_terminated_once() -> None:
    state = run(
        with_node(),
        events.CreatePod(Pod(WEB)),
        events.SchedulePod(WEB, "node-a"),
        events.TerminatePod(WEB),
    )

    with pytest.raises(IllegalEvent) as refusal:
        step(state, events.TerminatePod(WEB))

    assert str(refusal.value) == "TerminatePod: name shop/web-1: is terminating already"
