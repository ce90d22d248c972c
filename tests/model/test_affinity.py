"""Affinity memory of each proxy mode: how much is remembered, and what makes room."""

from fractions import Fraction

from model.addresses import Family
from model.affinity import (
    Client,
    Memory,
    Retention,
    WhenFull,
    connect,
    forgetting,
    remembered,
    retention,
    used,
)
from model.frontends import NodeView, node_view
from model.node_config import NodeConfig, ProxyMode
from model.objects import (
    Cluster,
    Endpoint,
    EndpointPort,
    EndpointSlice,
    ObjectName,
    Service,
    ServicePort,
    ServicePortName,
    SessionAffinity,
)
from model.outcome import Leaf, Outcome, Remembered, Target, Verdict

WEB = ObjectName("shop", "web")
NAME = ServicePortName(WEB, "", "TCP")
A, B = Target(0x0AF40005, 8080), Target(0x0AF40006, 8080)
TO_A, TO_B = Fraction(0), Fraction(1, 2)


def client(source: int) -> Client:
    return Client(source, NAME)


def choice(*targets: Target, seconds: int = 60) -> Outcome:
    odds = Fraction(1, len(targets))
    return Outcome(
        tuple(Leaf(Verdict.DNAT, odds, target) for target in targets),
        tuple(Remembered(target, seconds) for target in targets),
    )


def connected(memory: Memory, source: int, now: int, kept: Retention, to: Fraction = TO_A) -> Memory:
    return connect(memory, client(source), now, choice(A, B), to, kept)[1]


def test_iptables_forgets_the_source_that_was_silent_longest() -> None:
    """MODE-18: an xt_recent list is in the order of the latest connection, not of the first."""
    kept = Retention(2, WhenFull.EVICTS)
    memory: Memory = {}
    for source, now in ((1, 0), (2, 1), (1, 2), (3, 3)):
        memory = connected(memory, source, now, kept)

    assert memory == {(client(1), A): 2, (client(3), A): 3}


def test_sources_of_one_second_go_in_the_order_they_came() -> None:
    kept = Retention(2, WhenFull.EVICTS)
    memory: Memory = {}
    for source in (1, 2, 3):
        memory = connected(memory, source, 7, kept)

    assert memory == {(client(2), A): 7, (client(3), A): 7}


def test_the_limit_is_of_each_endpoint_alone() -> None:
    """MODE-18: one list for each service port and endpoint."""
    kept = Retention(1, WhenFull.EVICTS)
    memory = connected({}, 1, 0, kept, TO_A)
    memory = connected(memory, 2, 1, kept, TO_B)

    assert memory == {(client(1), A): 0, (client(2), B): 1}


def test_a_known_source_takes_no_more_room() -> None:
    kept = Retention(2, WhenFull.EVICTS)
    memory: Memory = {}
    for source, now in ((1, 0), (2, 1), (2, 2)):
        memory = connected(memory, source, now, kept)

    assert memory == {(client(1), A): 0, (client(2), A): 2}


def test_iptables_remembers_a_hundred_sources_unless_told_otherwise() -> None:
    """MODE-18"""
    memory: Memory = {}
    for source in range(101):
        memory = connected(memory, source, source, retention(ProxyMode.IPTABLES))

    assert set(memory) == {(client(source), A) for source in range(1, 101)}
    assert retention(ProxyMode.IPTABLES, xt_recent_sources=255).most_sources == 255


def test_a_full_nftables_set_takes_no_new_source() -> None:
    """MODE-18: it has no room, so the connection goes through and is not remembered."""
    kept = Retention(2, WhenFull.REFUSES)
    memory: Memory = {}
    for source in (1, 2, 3):
        memory = connected(memory, source, source, kept)

    assert memory == {(client(1), A): 1, (client(2), A): 2}
    assert retention(ProxyMode.NFTABLES) == Retention(65535, WhenFull.REFUSES)


def test_an_expired_source_makes_room_in_an_nftables_set() -> None:
    kept = Retention(2, WhenFull.REFUSES)
    memory: Memory = {}
    for source, now in ((1, 0), (2, 50), (3, 60), (4, 61)):
        memory = connected(memory, source, now, kept)

    assert memory == {(client(2), A): 50, (client(4), A): 61}


def test_an_ipvs_frontend_remembers_one_endpoint_of_a_client() -> None:
    """MODE-18: a template is set anew, where the other modes add an entry."""
    kept = retention(ProxyMode.IPVS)
    _, memory = connect({}, client(1), 0, choice(A, B), TO_B, kept)

    _, memory = connect(memory, client(1), 1, choice(A), TO_A, kept)

    assert memory == {(client(1), A): 1}


def test_an_ipvs_frontend_knows_nothing_of_the_clients_of_another() -> None:
    """MODE-18, unlike AFF-01"""
    here, there = Client(1, NAME, (10, 80)), Client(1, NAME, (11, 80))
    _, memory = connect({}, here, 0, choice(A, B), TO_B, retention(ProxyMode.IPVS))

    assert remembered(choice(A, B), memory, here, 1) == B
    assert remembered(choice(A, B), memory, there, 1) is None


def test_using_an_ipvs_template_keeps_it() -> None:
    """MODE-19: it counts from its last use."""
    _, memory = connect({}, client(1), 0, choice(A, B), TO_B, retention(ProxyMode.IPVS))

    later = used(memory, client(1), B, 50)

    assert remembered(choice(A, B), memory, client(1), 61) is None
    assert remembered(choice(A, B), later, client(1), 61) == B
    assert used(memory, client(2), B, 50) == memory


def view_of(*addresses: str, affinity: SessionAffinity = SessionAffinity.CLIENT_IP) -> NodeView:
    service = Service(
        WEB,
        ports=(ServicePort("", "TCP", 80),),
        cluster_ips=("10.96.0.10",),
        session_affinity=affinity,
    )
    piece = EndpointSlice(
        ObjectName("shop", "web-1"),
        WEB,
        "IPv4",
        tuple(Endpoint((address,)) for address in addresses),
        (EndpointPort("", "TCP", 8080),),
    )
    return node_view(Cluster((service,), (piece,)), NodeConfig("node-a"), Family.IPV4)


def test_what_a_sync_forgets_is_gone_from_an_ipvs_frontend_too() -> None:
    """MODE-20: the template of an endpoint that dropped out is dropped, and none comes back."""
    kept = retention(ProxyMode.IPVS)
    _, memory = connect({}, client(1), 0, choice(A, B), TO_B, kept)

    without_b = forgetting(memory, view_of("10.244.0.5"))
    _, again = connect(without_b, client(1), 1, choice(A, B), TO_A, kept)

    assert without_b == {}
    assert again == {(client(1), A): 1}


def test_a_sync_forgets_the_endpoint_that_left_and_no_other() -> None:
    """AFF-05, AFF-09"""
    memory = connected(connected({}, 1, 0, Retention()), 2, 1, Retention(), TO_B)

    assert forgetting(memory, view_of("10.244.0.6")) == {(client(2), B): 1}
    assert forgetting(memory, view_of("10.244.0.5", "10.244.0.6")) == memory
    assert forgetting(memory, view_of("10.244.0.6", affinity=SessionAffinity.NONE)) == {}


def test_an_earlier_memory_is_left_as_it_was() -> None:
    kept = Retention(1, WhenFull.EVICTS)
    first = connected({}, 1, 0, kept)

    second = connected(first, 2, 1, kept)

    assert (first, second) == ({(client(1), A): 0}, {(client(2), A): 1})
    assert (len(first), len(second)) == (1, 1)
