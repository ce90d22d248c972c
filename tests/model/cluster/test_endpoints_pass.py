"""A pass of the Endpoints controller sees the object that is there, and leaves alone what is not its own."""

import attrs

from model.api import objects as api
from model.cluster import events
from model.cluster.state import ClusterState
from model.cluster.transition import step
from model.node_config import NodeConfig
from model.objects import Node, ObjectName, Pod

WEB, POD = ObjectName("shop", "web"), ObjectName("shop", "web-1")
PORTS = (api.ServicePort(port=80, target_port=8080),)
SELECTING = api.Service(
    api.Metadata("web", namespace="shop"), api.ServiceSpec(ports=PORTS, selector=(("app", "web"),))
)


def run(state: ClusterState, *some: events.Event) -> ClusterState:
    for event in some:
        state = step(state, event)
    return state


def cluster(service: api.Service = SELECTING) -> ClusterState:
    return run(
        ClusterState(),
        events.AddServiceCIDR("kubernetes", ("10.96.0.0/24",)),
        events.AddNode(Node("node-a"), NodeConfig("node-a")),
        events.CreateService(service),
        events.CreatePod(Pod(POD, labels=(("app", "web"),))),
        events.SchedulePod(POD, "node-a"),
        events.StartPod(POD, ("10.244.1.1",)),
        events.SetPodReady(POD, True),
    )


def addresses(state: ClusterState) -> list[str]:
    return [each.ip for subset in state.endpoints[WEB].subsets for each in subset.addresses]


def test_the_pods_of_the_service_are_published() -> None:
    assert addresses(run(cluster(), events.SyncEndpoints(WEB))) == ["10.244.1.1"]


def test_what_is_there_already_is_kept_as_it_is() -> None:
    """The trigger time and what others wrote stay with an object that needs no change."""
    state = run(cluster(), events.SyncEndpoints(WEB))
    marked = attrs.evolve(state.endpoints[WEB], annotations=(("by", "hand"),))
    state = attrs.evolve(state, endpoints=state.endpoints.insert(WEB, marked))

    again = run(state, events.SyncEndpoints(WEB))

    assert again.endpoints[WEB].annotations == (("by", "hand"),)


def test_nothing_happens_to_a_service_that_is_gone_or_selects_nothing() -> None:
    """EPS-SEL-01"""
    without = attrs.evolve(SELECTING, spec=attrs.evolve(SELECTING.spec, selector=()))

    assert WEB not in run(cluster(without), events.SyncEndpoints(WEB)).endpoints
    assert run(cluster(), events.SyncEndpoints(ObjectName("shop", "x"))) == cluster()
