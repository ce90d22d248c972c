"""What one packet leaves on a node, and what that does to the next."""

from fractions import Fraction

import attrs
import pytest

from model.addresses import Family, parse_address
from model.affinity import Client
from model.conntrack import Cleanup, Flow, FlowState
from model.frontends import NodeView, node_view
from model.node_config import InterfaceAddress, NodeConfig, ProxyMode
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
from model.outcome import Target, Verdict
from model.packet import PROTOCOL_NUMBERS, Origin, Packet
from model.traffic import Close, Delivery, NotClosable, Traffic, close, elapsed, flow_key, send, synced

WEB = ObjectName("shop", "web")
VIP, CLIENT, OTHER = "10.96.0.10", "10.244.7.7", "10.244.7.8"
A, B = "10.244.0.5", "10.244.0.6"
TO_A, TO_B = Fraction(0), Fraction(1, 2)
UDP_CHANGED = (ServicePortName(WEB, "", "UDP"),)
NODE = NodeConfig(
    "node-a",
    cluster_cidrs=("10.244.0.0/16", "fd00:244::/64"),
    addresses=(InterfaceAddress("eth0", Family.IPV4, parse_address("192.0.2.5")[1], 24),),
)


def view_of(
    *hosts: str,
    protocol: str = "TCP",
    sticky: bool = False,
    mode: ProxyMode = ProxyMode.IPTABLES,
    services: tuple[str, ...] = ("web",),
    family: Family = Family.IPV4,
) -> NodeView:
    """Services of one VIP and port 80 with the same endpoints, as the node sees them."""
    names = [ObjectName("shop", name) for name in services]
    vips = (VIP, "fd00:10::10")
    cluster = Cluster(
        tuple(
            Service(
                name,
                ports=(ServicePort("", protocol, 80),),
                cluster_ips=vips if at == 0 else ("10.96.0.11",),
                external_ips=("198.51.100.1",),
                session_affinity=SessionAffinity.CLIENT_IP if sticky else SessionAffinity.NONE,
                affinity_seconds=60,
            )
            for at, name in enumerate(names)
        ),
        tuple(
            EndpointSlice(
                ObjectName("shop", f"{name.name}-1"),
                name,
                family.value,
                tuple(Endpoint((host,)) for host in (hosts if at == 0 else hosts[::-1][:1])),
                (EndpointPort("", protocol, 8080),),
            )
            for at, name in enumerate(names)
        ),
    )
    return node_view(cluster, attrs.evolve(NODE, mode=mode), family)


def packet(source: str = CLIENT, to: str = VIP, protocol: str = "TCP", port: int = 80) -> Packet:
    family, address = parse_address(source)
    number = PROTOCOL_NUMBERS[protocol.lower()]
    return Packet(family, Origin.WIRE, address, parse_address(to)[1], number, port)


def at(host: str) -> Target:
    return Target(parse_address(host)[1], 8080)


def opened(view: NodeView, chance: Fraction = TO_A, protocol: str = "TCP", now: int = 0) -> Traffic:
    return send(Traffic(), view, packet(protocol=protocol), 40000, now, chance)[1]


def again(
    traffic: Traffic,
    view: NodeView,
    now: int,
    *,
    chance: Fraction = TO_A,
    protocol: str = "TCP",
    port: int = 40000,
) -> tuple[Delivery, Traffic]:
    return send(traffic, view, packet(protocol=protocol), port, now, chance)


def test_a_new_connection_goes_where_chance_falls_and_leaves_a_flow() -> None:
    delivery, traffic = send(Traffic(), view_of(A, B), packet(), 40000, 5, TO_B)

    key = flow_key(packet(), 40000)
    flow = Flow(key, at(B), False, ServicePortName(WEB, "", "TCP"), 5, 5, FlowState.ESTABLISHED)
    assert delivery == Delivery(Verdict.DNAT, at(B), False, flow, delivery.outcome)
    assert delivery.is_new
    assert dict(traffic.flows) == {key: flow}


def test_a_known_flow_goes_on_whatever_chance_says() -> None:
    """CT-01"""
    delivery, traffic = again(opened(view_of(A, B), TO_B), view_of(A, B), 7, chance=TO_A)

    assert (delivery.target, delivery.is_new) == (at(B), False)
    assert [(flow.opened, flow.seen) for flow in traffic.flows.values()] == [(0, 7)]


@pytest.mark.parametrize("protocol", ["TCP", "SCTP"])
def test_a_connection_stays_with_an_endpoint_that_left(protocol: str) -> None:
    """CT-01, CT-06"""
    traffic = opened(view_of(A, B, protocol=protocol), TO_B, protocol)
    after = view_of(A, protocol=protocol)

    delivery, _ = again(synced(traffic, after, ()), after, 1, protocol=protocol)

    assert delivery.target == at(B)


def test_a_connection_outlives_the_last_endpoint_and_a_new_one_is_refused() -> None:
    """CT-08: refusals match new packets only."""
    traffic, after = opened(view_of(A)), view_of()

    assert again(traffic, after, 1)[0].target == at(A)
    refused, left = again(traffic, after, 1, port=40001)
    assert (refused.verdict, refused.flow, refused.reject_with) == (
        Verdict.REJECT,
        None,
        "icmp-port-unreachable",
    )
    assert left.flows == traffic.flows


def test_a_connection_outlives_its_service() -> None:
    """CT-01, CT-05"""
    traffic, after = opened(view_of(A)), view_of(A, services=())

    assert again(synced(traffic, after, ()), after, 1)[0].target == at(A)


def test_another_source_port_is_another_connection() -> None:
    traffic = opened(view_of(A, B), TO_A)

    assert again(traffic, view_of(A, B), 1, chance=TO_B, port=40001)[0].target == at(B)


def test_masquerade_goes_with_the_flow() -> None:
    """CT-01: a client from outside is masqueraded at a cluster IP, and stays so (MASQ-02)."""
    outside = packet("203.0.113.9")
    first, traffic = send(Traffic(), view_of(A), outside, 40000, 0, TO_A)

    later, _ = send(traffic, view_of(), outside, 40000, 1, TO_A)

    assert (first.masquerade, later.masquerade, later.is_new) == (True, True, False)


def test_a_packet_for_nobody_leaves_an_untranslated_flow() -> None:
    delivery, traffic = send(Traffic(), view_of(A), packet(to="8.8.8.8"), 40000, 0, TO_A)

    assert delivery.verdict is Verdict.PASS
    assert [(flow.target, flow.service_port) for flow in traffic.flows.values()] == [(None, None)]


def test_an_untranslated_udp_flow_hides_the_service_until_it_is_cleaned_up() -> None:
    """BZ-20, CT-02"""
    before = view_of(protocol="UDP", services=())
    _, traffic = send(Traffic(), before, packet(protocol="UDP"), 40000, 0, TO_A)
    after = view_of(A, protocol="UDP")

    stuck, _ = again(traffic, after, 1, protocol="UDP")
    freed, _ = again(synced(traffic, after, UDP_CHANGED), after, 1, protocol="UDP")

    assert (stuck.verdict, freed.target) == (Verdict.PASS, at(A))


def test_a_udp_flow_to_an_endpoint_that_left_is_cleaned_up_and_moves() -> None:
    """CT-02"""
    traffic, after = opened(view_of(A, B, protocol="UDP"), TO_B, "UDP"), view_of(A, protocol="UDP")

    assert again(synced(traffic, after, UDP_CHANGED), after, 1, protocol="UDP")[0].target == at(A)


def test_without_a_change_of_udp_endpoints_nothing_is_cleaned_up() -> None:
    """CT-05"""
    traffic, after = opened(view_of(A, B, protocol="UDP"), TO_B, "UDP"), view_of(A, protocol="UDP")

    assert again(synced(traffic, after, ()), after, 1, protocol="UDP")[0].target == at(B)


def test_a_udp_flow_of_a_service_that_lost_every_endpoint_goes_nowhere_up_to_1_36_2() -> None:
    """CT-04"""
    traffic, after = opened(view_of(A, protocol="UDP"), protocol="UDP"), view_of(protocol="UDP")
    left, gone = (
        synced(traffic, after, UDP_CHANGED, cleanup) for cleanup in (Cleanup.SKIPS_UNSERVED, Cleanup.COMPLETE)
    )

    assert again(left, after, 1, protocol="UDP")[0].target == at(A)
    assert again(gone, after, 1, protocol="UDP")[0].verdict is Verdict.REJECT


def test_silence_ends_a_flow() -> None:
    """CT-01: 24 hours for TCP."""
    traffic = opened(view_of(A, B), TO_A)

    day = 24 * 3600
    assert again(traffic, view_of(A, B), day - 1, chance=TO_B)[0].target == at(A)
    assert again(traffic, view_of(A, B), day, chance=TO_B)[0].target == at(B)
    assert len(elapsed(traffic, day - 1).flows) == 1
    assert len(elapsed(traffic, day).flows) == 0


def test_each_packet_keeps_the_flow_alive() -> None:
    view = view_of(A, B, protocol="UDP")
    traffic, went = opened(view, TO_A, "UDP"), []

    for now in (29, 148, 268):
        delivery, traffic = again(traffic, view, now, chance=TO_B, protocol="UDP")
        went.append(delivery.target)

    assert went == [at(A), at(A), at(B)]


def test_a_connection_that_nobody_answers_does_not_last() -> None:
    _, traffic = send(Traffic(), view_of(A), packet(), 40000, 0, TO_A, answered=False)

    assert [len(elapsed(traffic, now).flows) for now in (119, 120)] == [1, 0]


def test_a_half_closed_connection_still_goes_where_it_went() -> None:
    """CT-01"""
    traffic = opened(view_of(A, B), TO_B)

    half = close(traffic, flow_key(packet(), 40000), 1, Close.ONE_SIDE)

    assert again(half, view_of(A, B), 2)[0].target == at(B)
    assert [len(elapsed(half, now).flows) for now in (3600, 3601)] == [1, 0]


@pytest.mark.parametrize("how", [Close.BOTH_SIDES, Close.RESET])
def test_a_closed_connection_makes_way_for_a_new_one(how: Close) -> None:
    traffic = close(opened(view_of(A, B), TO_B), flow_key(packet(), 40000), 1, how)

    delivery, after = again(traffic, view_of(A, B), 2, chance=TO_A)

    assert (delivery.target, delivery.is_new) == (at(A), True)
    assert [flow.opened for flow in after.flows.values()] == [2]


def test_only_a_live_connection_of_a_protocol_that_closes_can_be_closed() -> None:
    udp = opened(view_of(A, protocol="UDP"), protocol="UDP")

    with pytest.raises(NotClosable, match="no connection to close"):
        close(udp, flow_key(packet(protocol="UDP"), 40000), 1, Close.ONE_SIDE)
    with pytest.raises(NotClosable):
        close(Traffic(), flow_key(packet(), 40000), 1, Close.RESET)


def test_affinity_holds_new_connections_of_a_source() -> None:
    """AFF-01, AFF-03: by another frontend and source port too, and no other source."""
    view = view_of(A, B, sticky=True)
    traffic = opened(view, TO_B)

    by_external_ip, _ = send(traffic, view, packet(to="198.51.100.1"), 40001, 1, TO_A)
    stranger, _ = send(traffic, view, packet(OTHER), 40000, 1, TO_A)

    assert (by_external_ip.target, stranger.target) == (at(B), at(A))


def test_affinity_counts_from_the_last_new_connection() -> None:
    """AFF-04: the packets of a known flow do not refresh it."""
    view = view_of(A, B, sticky=True)
    _, traffic = again(opened(view, TO_B), view, 50)

    assert again(traffic, view, 60, port=40001)[0].target == at(B)
    assert again(traffic, view, 61, port=40001)[0].target == at(A)


def test_affinity_does_not_move_a_known_flow() -> None:
    """AFF-09: switching it off leaves connections alone and frees new ones."""
    traffic = opened(view_of(A, B, sticky=True), TO_B)
    after = view_of(A, B)
    traffic = synced(traffic, after, ())

    assert again(traffic, after, 1)[0].target == at(B)
    assert again(traffic, after, 1, port=40001)[0].target == at(A)


def test_an_endpoint_that_returns_finds_its_clients_gone() -> None:
    """AFF-05"""
    both, without = view_of(A, B, sticky=True), view_of(A, sticky=True)
    traffic = synced(synced(opened(both, TO_B), without, ()), both, ())

    assert again(traffic, both, 1, port=40001)[0].target == at(A)


def test_a_sync_of_one_family_leaves_the_memory_of_the_other() -> None:
    view = view_of("fd00:244::5", "fd00:244::6", sticky=True, family=Family.IPV6)
    asking = packet("fd00:99::1", "fd00:10::10")
    _, traffic = send(Traffic(), view, asking, 40000, 0, TO_B)
    traffic = synced(traffic, view_of(A, sticky=True), UDP_CHANGED)

    delivery, _ = send(traffic, view, asking, 40001, 1, TO_A)

    assert delivery.target == Target(parse_address("fd00:244::6")[1], 8080)


def test_iptables_forgets_a_client_among_many() -> None:
    """MODE-18, with room for one source."""
    view = view_of(A, B, sticky=True)
    traffic = opened(view, TO_B)
    traffic = send(traffic, view, packet(OTHER), 40000, 1, TO_B, xt_recent_sources=1)[1]

    assert again(traffic, view, 2, port=40001)[0].target == at(A)


def test_the_caller_chooses_where_two_services_claim_the_frontend() -> None:
    """FWD-OBJ-08: the flow and the memory are those of the service that was chosen."""
    view = view_of(A, B, sticky=True, services=("web", "zoo"))
    shared = packet(to="198.51.100.1")

    sent = [send(Traffic(), view, shared, 40000, 0, TO_A, choice=at) for at in (0, 1)]

    names = [ServicePortName(ObjectName("shop", name), "", "TCP") for name in ("web", "zoo")]
    assert [delivery.target for delivery, _ in sent] == [at(A), at(B)]
    assert [d.flow and d.flow.service_port for d, _ in sent] == names
    source = parse_address(CLIENT)[1]
    assert [list(traffic.memory(Family.IPV4)) for _, traffic in sent] == [
        [(Client(source, names[0]), at(A))],
        [(Client(source, names[1]), at(B))],
    ]


@pytest.mark.parametrize(
    ("protocol", "services", "verdict"),
    [
        ("TCP", ("web",), Verdict.DNAT),
        ("UDP", ("web",), Verdict.DROP),
        ("SCTP", ("web",), Verdict.DROP),
        ("TCP", (), Verdict.DROP),
    ],
    ids=["TCP", "UDP", "SCTP", "service gone"],
)
def test_ipvs_ends_flows_whose_server_is_gone(
    protocol: str, services: tuple[str, ...], verdict: Verdict
) -> None:
    """MODE-23 to MODE-25: a server of TCP stays while it has connections."""
    traffic = opened(view_of(A, protocol=protocol), protocol=protocol)
    after = view_of(B, protocol=protocol, mode=ProxyMode.IPVS, services=services)

    delivery, left = again(traffic, after, 1, protocol=protocol)

    assert delivery.verdict is verdict
    assert len(left.flows) == (1 if verdict is Verdict.DNAT else 0)


@pytest.mark.parametrize("mode", [ProxyMode.NFTABLES, ProxyMode.IPTABLES])
def test_other_modes_leave_flows_to_conntrack(mode: ProxyMode) -> None:
    """MODE-24, MODE-25"""
    traffic = opened(view_of(A, protocol="UDP"), protocol="UDP")

    assert again(traffic, view_of(protocol="UDP", mode=mode), 1, protocol="UDP")[0].target == at(A)


def test_no_step_changes_the_state_before_it() -> None:
    view = view_of(A, B, sticky=True)
    first = opened(view, TO_B)
    flows, memory = dict(first.flows), dict(first.memory(Family.IPV4))

    again(first, view, 9)
    synced(first, view_of(), UDP_CHANGED)
    elapsed(first, 10**6)

    assert (dict(first.flows), dict(first.memory(Family.IPV4))) == (flows, memory)
