"""What events do to the pools of addresses and node ports, and how a quiet cluster is reached."""

import attrs
import pytest
from rpds import HashTrieMap

from model.api import objects as api
from model.api.service_storage import Accepted
from model.cluster import events, pools
from model.cluster.settle import MOST_ROUNDS, published, settle
from model.cluster.state import ClusterState
from model.cluster.transition import step
from model.node_config import NodeConfig
from model.objects import Node, ObjectName

KUBERNETES = ObjectName("default", "kubernetes")
GONE = ObjectName("shop", "gone")


def run(state: ClusterState, *some: events.Event) -> ClusterState:
    for event in some:
        state = step(state, event)
    return state


def with_range() -> ClusterState:
    return run(ClusterState(), events.AddServiceCIDR("kubernetes", ("10.96.0.0/24",)))


def test_a_range_comes_and_goes() -> None:
    """A range with nothing in it is gone with its finalizer."""
    state = run(with_range(), events.AddServiceCIDR("more", ("10.97.0.0/24",)))
    deleted = run(state, events.DeleteServiceCIDR("more"), events.FinalizeServiceCIDRs())

    assert set(state.registry.service_cidrs) == {"kubernetes", "more"}
    assert set(deleted.registry.service_cidrs) == {"kubernetes"}


def test_the_service_kubernetes_has_the_first_address_and_is_stored() -> None:
    """ALLOC-IP-05; not a dry run, so consumers see it."""
    state, accepted = pools.ensure_kubernetes(with_range(), events.EnsureKubernetesService())

    assert isinstance(accepted, Accepted)
    assert dict(state.registry.ip_owners) == {"10.96.0.1": KUBERNETES}
    assert list(state.services.by_name) == [KUBERNETES]


def leaking(state: ClusterState) -> ClusterState:
    """With an address and a node port that belong to a Service that is not there."""
    registry = attrs.evolve(
        state.registry,
        ip_owners=state.registry.ip_owners.insert("10.96.0.77", GONE),
        node_ports=HashTrieMap({30077: GONE}),
    )
    return attrs.evolve(state, registry=registry)


@pytest.mark.parametrize(
    ("pool", "loses_address", "loses_port"),
    [(events.Pool.CLUSTER_IPS, True, False), (events.Pool.NODE_PORTS, False, True)],
)
def test_a_repair_loop_looks_after_its_own_pool(
    pool: events.Pool, loses_address: bool, loses_port: bool
) -> None:
    """ALLOC-IP-08, ALLOC-NP-10: some passes later the leak is gone, and of the other pool nothing."""
    state = leaking(with_range())

    for _ in range(5):
        state, _ = pools.repair(state, events.Repair(pool))

    assert ("10.96.0.77" not in state.registry.ip_owners) is loses_address
    assert (30077 not in state.registry.node_ports) is loses_port


def test_endpoints_without_a_service_are_collected_before_all_is_quiet() -> None:
    endpoints = api.Endpoints(
        api.Metadata("gone", namespace="shop"),
        (api.EndpointSubset((api.EndpointAddress("192.0.2.1"),), (), (api.SubsetPort("", 80, "TCP"),)),),
    )
    state = run(with_range(), events.WriteEndpoints(endpoints))

    quiet = published(state)

    assert run(quiet, events.MirrorEndpoints(GONE), events.CollectGarbage(GONE)) == quiet


def test_late_proxies_stay_behind_when_the_others_settle() -> None:
    state = run(
        with_range(),
        events.AddNode(Node("node-a"), NodeConfig("node-a")),
        events.AddNode(Node("node-b"), NodeConfig("node-b")),
        events.EnsureKubernetesService(),
    )

    settled = settle(state, late={"node-b"})

    assert settled.proxies["node-b"] == state.proxies["node-b"]
    assert settled.proxies["node-a"] != state.proxies["node-a"]
    assert settle(settled).proxies["node-b"] != state.proxies["node-b"]


def test_controllers_need_no_more_rounds_than_are_allowed() -> None:
    """Each pass needs one round; mirroring follows the Endpoints controller."""
    assert MOST_ROUNDS == 8
