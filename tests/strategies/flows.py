"""Histories of packets, syncs and endpoints that change under them, so narrow that flows meet all of it.

One cluster: two nodes; `web` with TCP and UDP ports, with affinity or without; `edge` of type
LoadBalancer with policy Local; `odd`, whose UDP port has the number of a node port of `edge`.
Their slices are written by hand, three addresses in all.
"""

import itertools
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import attrs
from hypothesis import strategies as st

from invariants.invariant import Step
from model.addresses import Family, parse_address
from model.api import objects as api
from model.cluster import events, transition
from model.cluster.events import Event, Sees
from model.cluster.state import ClusterState
from model.conntrack import Cleanup
from model.node_config import InterfaceAddress, NodeConfig
from model.objects import Node, ObjectName
from model.packet import TCP, UDP, Origin, Packet
from model.traffic import Close
from tests.invariants.playing import played
from tests.invariants.states import NAMESPACE, a_balancer, a_service, holding
from tests.strategies.search import found
from tests.wording import brief

NODES = ("node-a", "node-b")
AFFINITY_SECONDS = 60
UDP_NODE_PORT = 30053
ALIEN = "198.51.100.9"  # nobody's address
CLIENTS = ("203.0.113.7", "203.0.113.8", "10.244.9.9")
ENDPOINTS = (("10.244.0.1", "node-a"), ("10.244.0.2", "node-a"), ("10.244.1.1", "node-b"))
READY, DRAINING, UNREADY = (True, True, False), (False, True, True), (False, False, False)
SERVICES = ("web", "edge", "odd")

HTTP = api.ServicePort("http", "TCP", port=80, target_port=8080)
DNS = api.ServicePort("dns", "UDP", port=53, target_port=5353)
FRONTENDS = (
    ("10.96.0.5", TCP, 80),
    ("10.96.0.5", UDP, 53),
    ("10.96.0.6", TCP, 80),
    ("10.32.1.11", TCP, 30080),
    ("10.32.1.11", UDP, UDP_NODE_PORT),
    ("10.96.0.7", UDP, UDP_NODE_PORT),
    (ALIEN, UDP, UDP_NODE_PORT),
)
"""Those of `web`, `edge` and `odd`, and a place that is nobody's but for its number."""


def a_node(name: str) -> tuple[Node, NodeConfig]:
    """A node in iptables mode that has an IPv4 address."""
    text = f"10.32.1.1{NODES.index(name) + 1}"
    read = parse_address(text)
    config = NodeConfig(
        name,
        cluster_cidrs=("10.244.0.0/16",),
        addresses=(InterfaceAddress("eth0", *read, 24),),
        primary=(read,),
    )
    return Node(name, (("InternalIP", text),)), config


def services(*, affinity: bool) -> tuple[api.Service, ...]:
    sticky: dict[str, Any] = {
        "session_affinity": "ClientIP",
        "session_affinity_config": api.SessionAffinityConfig(api.ClientIPConfig(AFFINITY_SECONDS)),
    }
    edge_ports = (attrs.evolve(HTTP, node_port=30080), attrs.evolve(DNS, node_port=UDP_NODE_PORT))
    return (
        a_service("web", ports=(HTTP, DNS), **(sticky if affinity else {})),
        a_balancer(
            "edge",
            ports=edge_ports,
            cluster_ips=("10.96.0.6",),
            external_traffic_policy="Local",
            health_check_node_port=30090,
            **(sticky if affinity else {}),
        ),
        a_service("odd", ports=(attrs.evolve(DNS, port=UDP_NODE_PORT),), cluster_ips=("10.96.0.7",)),
    )


def a_slice(service: str, entries: Sequence[tuple[int, tuple[bool, bool, bool]]]) -> api.EndpointSlice:
    """The Service's slice, of some of ENDPOINTS by their place there, each with its conditions."""
    metadata = api.Metadata(
        name=f"{service}-1",
        namespace=NAMESPACE,
        labels=(("kubernetes.io/service-name", service),),
    )
    listed = tuple(
        api.Endpoint((ENDPOINTS[at][0],), api.EndpointConditions(*conditions), node_name=ENDPOINTS[at][1])
        for at, conditions in entries
    )
    ports = (api.EndpointPort("http", "TCP", 8080), api.EndpointPort("dns", "UDP", 5353))
    return api.EndpointSlice(metadata, "IPv4", listed, ports)


def begun(*, affinity: bool = False, cleanup: Cleanup = Cleanup.SKIPS_UNSERVED) -> ClusterState:
    """The cluster when both nodes have synced all endpoints of every Service, all ready."""
    return _BEGUN[affinity, cleanup]


def _begun(affinity: bool, cleanup: Cleanup) -> ClusterState:
    state = holding(*services(affinity=affinity))
    for name in SERVICES:
        state = transition.step(state, events.WriteSlice(a_slice(name, [(at, READY) for at in range(3)])))
    for name in NODES:
        state = transition.step(state, events.AddNode(*a_node(name), cleanup))
        state = transition.step(state, events.SyncProxy(name))
    return state


# Made here once, by the model as it is, so that no test that changes it begins elsewhere.
_BEGUN = {(affinity, cleanup): _begun(affinity, cleanup) for affinity in (False, True) for cleanup in Cleanup}


def a_send(
    frontend: int,
    client: int = 0,
    source_port: int = 40000,
    node: str = "node-a",
    chance: Fraction = Fraction(0),
) -> events.Send:
    """A packet to one of FRONTENDS."""
    address, protocol, port = FRONTENDS[frontend]
    packet = Packet(
        Family.IPV4,
        Origin.WIRE,
        parse_address(CLIENTS[client])[1],
        parse_address(address)[1],
        protocol,
        port,
        "eth0",
    )
    return events.Send(node, packet, source_port, chance)


@attrs.frozen
class Drawn:
    """A history by what it is made of; prints as its events in few words."""

    affinity: bool
    cleanup: Cleanup
    happening: tuple[Event, ...]

    def steps(self) -> tuple[Step, ...]:
        return played(self.happening, begun(affinity=self.affinity, cleanup=self.cleanup))

    def __repr__(self) -> str:
        kept = "with affinity" if self.affinity else "without affinity"
        return "\n".join((f"{kept}, clean-up: {self.cleanup.value}", *map(brief, self.happening)))


Move = tuple[Event, ...]

_OF_SERVICE = ("web", "web", "edge", "edge", "edge", "odd", "odd")  # of each of FRONTENDS
_CHANCES = (Fraction(0), Fraction(1, 3), Fraction(1, 2), Fraction(5, 6))
_CONDITIONS = (None, READY, DRAINING, UNREADY)
_SYNCS = (
    events.SyncProxy("node-a"),
    events.SyncProxy("node-b"),
    *(events.SyncProxy("node-a", sees) for sees in Sees),
)


def _one_of(moves: Sequence[Move]) -> st.SearchStrategy[Move]:
    """Any of them; drawn by number, since a strategy of many long values prints long."""
    return st.integers(0, len(moves) - 1).map(lambda at: moves[at])


def _sends(frontend: int) -> st.SearchStrategy[Move]:
    return _one_of(
        [
            (a_send(frontend, client, source_port, node, chance),)
            for client in (0, 0, 1, 2)
            for source_port in (40000, 40001)
            for node in ("node-a", "node-a", "node-b")
            for chance in _CHANCES
        ]
    )


def _later(frontend: int) -> st.SearchStrategy[Move]:
    """The first client comes back by the first node after a while."""
    return _one_of(
        [
            (events.Tick(seconds), a_send(frontend, source_port=40001, chance=chance))
            for seconds in (1, 60, 61)
            for chance in _CHANCES
        ]
    )


def _changes(frontend: int) -> st.SearchStrategy[Move]:
    """The endpoints that the packets go to are others; most often a proxy learns of it at once."""
    service = _OF_SERVICE[frontend]
    written = [
        events.WriteSlice(a_slice(service, [(at, each) for at, each in enumerate(listed) if each]))
        for listed in itertools.product(_CONDITIONS, repeat=3)
    ]
    return _one_of([(write, *sync) for write in written for sync in ((), *zip(_SYNCS))])


def _others(frontend: int) -> st.SearchStrategy[Move]:
    """Time, connections that end, proxies that stop, objects that go."""
    first = a_send(frontend)
    return _one_of(
        [
            *((events.Tick(seconds),) for seconds in (1, 29, 60, 61, 61)),
            *((events.CloseConnection(first.node, first.packet, first.source_port, how),) for how in Close),
            (events.SyncProxy("node-a"),),
            (events.StopProxy("node-a"),),
            (events.StartProxy("node-a"),),
            (events.DeleteSlice(ObjectName(NAMESPACE, "web-1")),),
            (events.DeleteService(ObjectName(NAMESPACE, "edge")),),
        ]
    )


def _moves(frontend: int) -> st.SearchStrategy[Move]:
    sends, changes = _sends(frontend), _changes(frontend)
    return st.one_of(sends, sends, _later(frontend), changes, changes, _others(frontend))


def _of(frontends: tuple[int, ...]) -> st.SearchStrategy[list[Move]]:
    return st.lists(st.one_of([_MOVES[one] for one in frontends]), min_size=2, max_size=6)


_MOVES = [_moves(frontend) for frontend in range(len(FRONTENDS))]
_ABOUT = [_of(each) for each in (*((one,) for one in range(len(FRONTENDS))), (0, 1), (2, 3), (4, 5), (4, 6))]


def drawn() -> st.SearchStrategy[Drawn]:
    """Few clients of few frontends, and what happens to the endpoints, the proxies and the time between."""
    return st.builds(
        lambda affinity, cleanup, moves: Drawn(affinity, cleanup, tuple(itertools.chain(*moves))),
        st.booleans(),
        st.sampled_from(Cleanup),
        st.sampled_from(_ABOUT).flatmap(lambda moves: moves),
    )


def step_found(wanted: Callable[[Step], bool]) -> Step:
    """A drawn step that is wanted; the test fails when there is none."""
    case = found(drawn(), lambda case: any(map(wanted, case.steps())))
    return next(step for step in case.steps() if wanted(step))
