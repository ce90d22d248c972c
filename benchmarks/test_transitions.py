"""pytest-benchmark: what one step costs, event by event, in a cluster of 1,000 Services.

Run by `make bench`. Each Service has ten running pods on ten nodes, its slices and
Endpoints are published and every proxy has synced, so a step starts from a quiet cluster.
The promise is that a transition takes less than a millisecond; that of a repair loop and
of the passes of all controllers, which look at everything, is not bounded so.
"""

from collections.abc import Callable
from functools import lru_cache

import attrs
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from model.addresses import Family, parse_address
from model.api import objects as api
from model.cluster import events
from model.cluster.settle import settle
from model.cluster.state import ClusterState
from model.cluster.transition import step
from model.node_config import InterfaceAddress, NodeConfig
from model.objects import Node, ObjectName, Pod
from model.packet import TCP, UDP, Origin, Packet

SERVICES, PODS, NODES = 1_000, 10, 10
MOST_SECONDS = 0.001


def service(number: int, **spec: object) -> api.Service:
    """A NodePort Service for the pods of its number."""
    return api.Service(
        metadata=api.Metadata(name=f"svc-{number}", namespace="shop"),
        spec=api.ServiceSpec(
            type="NodePort",
            selector=(("app", f"app-{number}"),),
            ports=(
                api.ServicePort(name="http", port=80, target_port=8080),
                api.ServicePort(name="dns", port=53, protocol="UDP"),
            ),
            **spec,  # type: ignore[arg-type]
        ),
    )


def pod_name(number: int, replica: int) -> ObjectName:
    return ObjectName("shop", f"app-{number}-{replica}")


def pod(number: int, replica: int) -> Pod:
    return Pod(pod_name(number, replica), labels=(("app", f"app-{number}"),))


def pod_ip(number: int, replica: int) -> str:
    at = number * PODS + replica
    return f"10.{200 + at // 65536}.{at // 256 % 256}.{at % 256}"


@lru_cache(maxsize=1)
def quiet_cluster() -> ClusterState:
    """The settled cluster of the head of this file."""
    state = step(ClusterState(), events.AddServiceCIDR("kubernetes", ("10.96.0.0/16",)))
    for number in range(NODES):
        name, ip = f"node-{number}", f"10.32.1.{number + 10}"
        address = parse_address(ip)[1]
        config = NodeConfig(
            name,
            cluster_cidrs=("10.200.0.0/14",),
            addresses=(InterfaceAddress("eth0", Family.IPV4, address, 24),),
            primary=((Family.IPV4, address),),
        )
        labels = (("topology.kubernetes.io/zone", f"zone-{number % 3}"),)
        node = Node(name, addresses=(("InternalIP", ip),), labels=labels)
        state = step(state, events.AddNode(node, config))
    for number in range(SERVICES):
        state = step(state, events.CreateService(service(number), seed=number))
        for replica in range(PODS):
            of = pod_name(number, replica)
            state = step(state, events.CreatePod(pod(number, replica)))
            state = step(state, events.SchedulePod(of, f"node-{replica % NODES}"))
            state = step(state, events.StartPod(of, (pod_ip(number, replica),)))
            state = step(state, events.SetPodReady(of, True))
    return settle(state)


def packet(state: ClusterState, number: int, port: int, protocol: int) -> Packet:
    """A pod's packet to the Service's cluster IP."""
    ip = state.registry.services[ObjectName("shop", f"svc-{number}")].spec.cluster_ip
    source, destination = parse_address(pod_ip(1, 1))[1], parse_address(ip)[1]
    return Packet(Family.IPV4, Origin.WIRE, source, destination, protocol, port)


def changed(state: ClusterState, number: int) -> ClusterState:
    """The cluster after one pod of the Service became unready, its slice written anew."""
    state = step(state, events.SetPodReady(pod_name(number, 0), False))
    return step(state, events.SyncSlices(ObjectName("shop", f"svc-{number}")))


def with_flows(state: ClusterState) -> ClusterState:
    """The cluster with a hundred UDP flows to ten Services on one node."""
    for at in range(100):
        state = step(state, events.Send("node-0", packet(state, at % 10, 53, UDP), 40_000 + at))
    return state


def stored(state: ClusterState, number: int) -> api.Service:
    return state.registry.services[ObjectName("shop", f"svc-{number}")]


def relabelled(state: ClusterState) -> events.Event:
    one = stored(state, 7)
    annotated = attrs.evolve(one.metadata, annotations=(("a", "b"),))
    return events.UpdateService(attrs.evolve(one, metadata=annotated))


def same(state: ClusterState) -> ClusterState:
    return state


Before = Callable[[ClusterState], ClusterState]

CASES: dict[str, tuple[Before, Callable[[ClusterState], events.Event]]] = {
    "create a Service": (same, lambda _: events.CreateService(service(5000))),
    "update a Service": (same, relabelled),
    "delete a Service": (same, lambda _: events.DeleteService(ObjectName("shop", "svc-7"))),
    "create a pod": (same, lambda _: events.CreatePod(pod(7, 99))),
    "a pod becomes unready": (same, lambda _: events.SetPodReady(pod_name(7, 0), False)),
    "a pod terminates": (same, lambda _: events.TerminatePod(pod_name(7, 0))),
    "slices: nothing to do": (same, lambda _: events.SyncSlices(ObjectName("shop", "svc-7"))),
    "slices: one endpoint changed": (
        lambda state: step(state, events.SetPodReady(pod_name(7, 0), False)),
        lambda _: events.SyncSlices(ObjectName("shop", "svc-7")),
    ),
    "Endpoints: one address changed": (
        lambda state: step(state, events.SetPodReady(pod_name(7, 0), False)),
        lambda _: events.SyncEndpoints(ObjectName("shop", "svc-7")),
    ),
    "mirroring: nothing to do": (same, lambda _: events.MirrorEndpoints(ObjectName("shop", "svc-7"))),
    "a proxy syncs one change": (
        lambda state: changed(state, 7),
        lambda _: events.SyncProxy("node-0"),
    ),
    "a proxy syncs, 100 UDP flows": (
        lambda state: changed(with_flows(state), 7),
        lambda _: events.SyncProxy("node-0"),
    ),
    "a first packet": (same, lambda state: events.Send("node-0", packet(state, 7, 80, TCP), 40_000)),
    "a later packet": (with_flows, lambda state: events.Send("node-0", packet(state, 0, 53, UDP), 40_000)),
    "time passes": (same, lambda _: events.Tick(1)),
}


@pytest.mark.parametrize("name", CASES)
def test_a_step_takes_less_than_a_millisecond(benchmark: BenchmarkFixture, name: str) -> None:
    before, event_of = CASES[name]
    state = before(quiet_cluster())
    event = event_of(state)

    benchmark.pedantic(step, (state, event), rounds=50, iterations=4, warmup_rounds=5)  # type: ignore[no-untyped-call]  # the plugin leaves it untyped

    assert benchmark.stats is not None
    assert benchmark.stats.stats.median < MOST_SECONDS
