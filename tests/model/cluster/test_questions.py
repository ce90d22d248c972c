"""What a node answers depends on what its proxy has applied, and on how far that lags behind."""

import json

import pytest

from model.addresses import Family, parse_address
from model.api import objects as api
from model.cluster import events, questions
from model.cluster.state import ClusterState
from model.cluster.transition import step
from model.node_config import NodeConfig
from model.objects import Node, ObjectName, Pod

WEB, POD = ObjectName("shop", "web"), ObjectName("shop", "web-1")
BALANCED = api.Service(
    api.Metadata("web", namespace="shop"),
    api.ServiceSpec(
        type="LoadBalancer",
        ports=(api.ServicePort(port=80, target_port=8080),),
        selector=(("app", "web"),),
        external_traffic_policy="Local",
        health_check_node_port=32000,
    ),
)
PRIMARY = (Family.IPV4, parse_address("192.168.0.2")[1])


def run(state: ClusterState, *some: events.Event) -> ClusterState:
    for event in some:
        state = step(state, event)
    return state


def cluster() -> ClusterState:
    """A node with one ready pod of a Service under policy Local; its proxy has seen everything."""
    return run(
        ClusterState(),
        events.AddServiceCIDR("kubernetes", ("10.96.0.0/24",)),
        events.AddNode(Node("node-a"), NodeConfig("node-a", primary=(PRIMARY,))),
        events.CreateService(BALANCED),
        events.CreatePod(Pod(POD, labels=(("app", "web"),))),
        events.SchedulePod(POD, "node-a"),
        events.StartPod(POD, ("10.244.1.1",)),
        events.SetPodReady(POD, True),
        events.SyncSlices(WEB),
        events.SyncProxy("node-a"),
    )


def service_status(state: ClusterState) -> int | None:
    answer = questions.health(state, "node-a", WEB)
    return answer.status if answer else None


def node_status(state: ClusterState) -> int | None:
    answer = questions.healthz(state, "node-a")
    return answer.status if answer else None


def test_a_node_with_a_ready_endpoint_is_healthy_for_the_balancer() -> None:
    """HC-03"""
    assert (service_status(cluster()), node_status(cluster())) == (200, 200)


def test_what_the_proxy_has_not_seen_does_not_count() -> None:
    unready = run(cluster(), events.SetPodReady(POD, False), events.SyncSlices(WEB))

    assert service_status(unready) == 200
    assert service_status(run(unready, events.SyncProxy("node-a"))) == 503


def test_before_its_first_sync_a_proxy_listens_nowhere() -> None:
    """HC-01"""
    state = run(cluster(), events.AddNode(Node("node-b"), NodeConfig("node-b", primary=(PRIMARY,))))

    assert questions.health(state, "node-b", WEB) is None


def test_a_stopped_proxy_answers_nothing() -> None:
    stopped = run(cluster(), events.StopProxy("node-a"))

    assert (service_status(stopped), node_status(stopped)) == (None, None)


@pytest.mark.parametrize(("seconds", "expected"), [(59, 200), (60, 503)])
def test_rules_that_lag_behind_too_long_make_the_proxy_unhealthy(seconds: int, expected: int) -> None:
    """HC-04: twice the 30 seconds of a sync period after a change; without one never."""
    waiting = run(cluster(), events.SetPodReady(POD, False), events.SyncSlices(WEB), events.Tick(seconds))
    quiet = run(cluster(), events.Tick(seconds))

    assert (node_status(waiting), node_status(quiet)) == (expected, 200)


def test_a_sync_makes_the_proxy_healthy_again() -> None:
    late = run(cluster(), events.SetPodReady(POD, False), events.SyncSlices(WEB), events.Tick(500))

    assert node_status(run(late, events.SyncProxy("node-a"))) == 200


def test_slices_of_the_other_family_keep_no_rules_of_this_one_waiting() -> None:
    other = api.EndpointSlice(
        api.Metadata("six", namespace="shop", labels=(("kubernetes.io/service-name", "web"),)),
        address_type="IPv6",
        endpoints=(api.Endpoint(addresses=("fd00::1",)),),
    )
    state = run(cluster(), events.WriteSlice(other), events.Tick(500))

    assert node_status(state) == 200


def test_the_answer_says_when_rules_were_last_written_and_whether_the_node_may_be_used() -> None:
    """HC-04"""
    late = run(cluster(), events.SetPodReady(POD, False), events.SyncSlices(WEB), events.Tick(500))
    answer = questions.healthz(late, "node-a")
    assert answer is not None

    body = json.loads(answer.body)

    assert (body["healthy"], body["nodeEligible"]) == (False, True)
    assert body["lastUpdated"] == "1970-01-01T00:00:00Z"
    assert body["status"] == {"IPv4": {"lastUpdated": "1970-01-01T00:00:00Z", "healthy": False}}
