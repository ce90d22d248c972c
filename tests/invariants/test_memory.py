"""Affinity memory, one connection at a time: who is held where, and what is forgotten."""

from fractions import Fraction

from model.addresses import Family
from model.affinity import Client, Memory, connect, forgetting, remembered
from model.frontends import node_view
from model.node_config import NodeConfig
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
CLIENT, OTHER = Client(1, NAME), Client(2, NAME)
A, B, C = (Target(0x0AF40005 + at, 8080) for at in range(3))


def choice(*targets: Target, seconds: int = 60) -> Outcome:
    odds = Fraction(1, len(targets))
    return Outcome(
        tuple(Leaf(Verdict.DNAT, odds, target) for target in targets),
        tuple(Remembered(target, seconds) for target in targets),
    )


def test_a_stranger_goes_where_chance_falls() -> None:
    went = [connect({}, CLIENT, 0, choice(A, B, C), Fraction(at, 6))[0].target for at in range(6)]

    assert went == [A, A, B, B, C, C]


def test_a_client_returns_until_more_than_the_timeout_has_passed() -> None:
    _, memory = connect({}, CLIENT, 100, choice(A, B), Fraction(1, 2))

    assert memory == {(CLIENT, B): 100}
    assert [remembered(choice(A, B), memory, CLIENT, now) for now in (100, 160, 161)] == [B, B, None]
    assert remembered(choice(A, B), memory, OTHER, 100) is None


def test_each_new_connection_sets_the_entry_anew() -> None:
    memory: Memory = {(CLIENT, B): 100}

    connection, after = connect(memory, CLIENT, 150, choice(A, B), Fraction(0))

    assert (connection.target, after, memory) == (B, {(CLIENT, B): 150}, {(CLIENT, B): 100})


def test_the_first_live_entry_wins_where_a_client_is_remembered_twice() -> None:
    """AFF-07: held to another endpoint by another set, it goes there from now on."""
    _, memory = connect({}, CLIENT, 0, choice(A, B), Fraction(1, 2))
    _, memory = connect(memory, CLIENT, 1, choice(A), Fraction(0))

    assert memory == {(CLIENT, B): 0, (CLIENT, A): 1}
    assert remembered(choice(A, B), memory, CLIENT, 2) == A


def test_memory_never_leads_outside_the_set_in_use() -> None:
    """AFF-06"""
    memory: Memory = {(CLIENT, C): 100}

    connection, after = connect(memory, CLIENT, 101, choice(A, B), Fraction(0))

    assert connection.target == A
    assert after == {(CLIENT, C): 100, (CLIENT, A): 101}


def test_nothing_is_remembered_without_affinity_or_of_a_refusal() -> None:
    without = Outcome((Leaf(Verdict.DNAT, Fraction(1), A),))
    refused = Outcome((Leaf(Verdict.REJECT, Fraction(1)),))

    assert connect({}, CLIENT, 0, without, Fraction(0))[1] == {}
    assert connect({}, CLIENT, 0, refused, Fraction(0))[0].target is None


def applied(*addresses: str, affinity: SessionAffinity = SessionAffinity.CLIENT_IP, memory: Memory) -> Memory:
    """What is left of the memory once the node has applied a Service with these endpoints."""
    service = Service(WEB, ports=(ServicePort("", "TCP", 80),), cluster_ips=("10.96.0.10",))
    slices = EndpointSlice(
        ObjectName("shop", "web-1"),
        WEB,
        "IPv4",
        tuple(Endpoint((address,)) for address in addresses),
        (EndpointPort("", "TCP", 8080),),
    )
    sticky = Service(
        service.name, ports=service.ports, cluster_ips=service.cluster_ips, session_affinity=affinity
    )
    return forgetting(memory, node_view(Cluster((sticky,), (slices,)), NodeConfig("node-a"), Family.IPV4))


def test_an_endpoint_that_leaves_is_forgotten_and_not_remembered_when_it_returns() -> None:
    """AFF-05"""
    memory: Memory = {(CLIENT, A): 100, (CLIENT, B): 90}

    without_a = applied("10.244.0.6", memory=memory)

    assert without_a == {(CLIENT, B): 90}
    assert applied("10.244.0.5", "10.244.0.6", memory=without_a) == {(CLIENT, B): 90}


def test_switching_affinity_off_forgets_every_client() -> None:
    """AFF-09"""
    memory: Memory = {(CLIENT, A): 100}

    assert applied("10.244.0.5", affinity=SessionAffinity.NONE, memory=memory) == {}
