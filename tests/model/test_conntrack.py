"""What a node remembers of connections, for how long, and what a clean-up takes away."""

from fractions import Fraction

import attrs
import pytest

from model.addresses import Family, parse_address
from model.conntrack import (
    KUBE_PROXY_TIMEOUTS,
    NO_FLOWS,
    Cleanup,
    Flow,
    FlowKey,
    FlowState,
    Timeouts,
    cleaned,
    cleanup_of,
    drops_invalid,
    is_expired,
    lookup,
    stale,
    timeout,
    unexpired,
)
from model.conntrack_settings import ConntrackSettings, Kernel, Setting, settings_at_start
from model.frontends import NodeView, node_view
from model.node_config import NodeConfig, ProxyMode
from model.objects import (
    Cluster,
    Endpoint,
    EndpointPort,
    EndpointSlice,
    Ingress,
    ObjectName,
    Service,
    ServicePort,
    ServicePortName,
    ServiceType,
)
from model.outcome import Target
from model.packet import SCTP, TCP, UDP

DNS = ObjectName("kube-system", "dns")
CLIENT = "203.0.113.9"
GOOD, BAD = "10.244.0.5:5353", "10.244.0.6:5353"
SERVING = Endpoint(("10.244.0.5",))


def target(text: str) -> Target:
    host, _, port = text.rpartition(":")
    return Target(parse_address(host)[1], int(port))


def flow(to: str, endpoint: str | None = BAD, protocol: int = UDP, source_port: int = 40000) -> Flow:
    at = target(to)
    family, source = parse_address(CLIENT)
    key = FlowKey(family, protocol, source, source_port, at.address, at.port)
    return Flow(key, target(endpoint) if endpoint else None, False, None, opened=0, seen=0)


def view_of(*endpoints: Endpoint, ports: tuple[ServicePort, ...] | None = None) -> NodeView:
    service = Service(
        DNS,
        type=ServiceType.LOAD_BALANCER,
        ports=ports or (ServicePort("dns", "UDP", 53, 30053), ServicePort("dns-tcp", "TCP", 53, 30153)),
        cluster_ips=("10.96.0.10",),
        external_ips=("192.0.2.50",),
        ingress=(Ingress("198.51.100.7"),),
    )
    piece = EndpointSlice(
        ObjectName("kube-system", "dns-1"),
        DNS,
        "IPv4",
        endpoints,
        (EndpointPort("dns", "UDP", 5353), EndpointPort("dns-tcp", "TCP", 5353)),
    )
    return node_view(Cluster((service,), (piece,)), NodeConfig("node-a"), Family.IPV4)


@pytest.mark.parametrize(
    "to",
    ["10.96.0.10:53", "192.0.2.50:53", "198.51.100.7:53", "192.0.2.5:30053", "8.8.8.8:30053"],
    ids=["cluster IP", "external IP", "balancer IP", "node port", "node port's number elsewhere"],
)
def test_a_udp_flow_that_no_serving_endpoint_answers_is_stale(to: str) -> None:
    """CT-02: by a node port's number to any address at all."""
    assert stale([flow(to, BAD)], view_of(SERVING)) == (flow(to, BAD),)
    assert stale([flow(to, GOOD)], view_of(SERVING)) == ()


@pytest.mark.parametrize("to", ["10.96.0.10:54", "8.8.8.8:53", "10.96.0.10:30153"])
def test_a_flow_to_no_frontend_of_a_udp_port_is_left(to: str) -> None:
    """CT-02"""
    assert stale([flow(to)], view_of(SERVING)) == ()


def test_another_port_of_a_serving_address_is_another_endpoint() -> None:
    """CT-02"""
    other = flow("10.96.0.10:53", "10.244.0.5:5454")

    assert stale([other], view_of(SERVING)) == (other,)


def test_a_flow_that_was_never_translated_is_stale_once_there_are_endpoints() -> None:
    """CT-02: its answers would come from the frontend itself."""
    untranslated = flow("10.96.0.10:53", None)

    assert stale([untranslated], view_of(SERVING)) == (untranslated,)


@pytest.mark.parametrize("protocol", [TCP, SCTP])
def test_flows_of_other_protocols_are_never_cleaned_up(protocol: int) -> None:
    """CT-06"""
    assert stale([flow("10.96.0.10:53", BAD, protocol)], view_of(SERVING)) == ()


@pytest.mark.parametrize(
    ("endpoint", "is_kept"),
    [
        (Endpoint(("10.244.0.6",), ready=False, serving=True, terminating=True), True),
        (Endpoint(("10.244.0.6",), ready=False, serving=True), True),
        (Endpoint(("10.244.0.6",), ready=False, serving=False), False),
    ],
    ids=["terminating", "not ready", "not serving"],
)
def test_serving_alone_decides(endpoint: Endpoint, is_kept: bool) -> None:
    """CT-03"""
    found = stale([flow("10.96.0.10:53", BAD)], view_of(SERVING, endpoint))

    assert (found == ()) is is_kept


def test_a_service_port_that_nothing_serves_keeps_its_stale_flows_up_to_1_36_2() -> None:
    """CT-04"""
    old = flow("10.96.0.10:53")

    assert stale([old], view_of(), Cleanup.SKIPS_UNSERVED) == ()
    assert stale([old], view_of(), Cleanup.COMPLETE) == (old,)


def test_the_version_says_which_clean_up_it_is() -> None:
    """CT-04"""
    assert [cleanup_of(32), cleanup_of(36, 2)] == [Cleanup.SKIPS_UNSERVED] * 2
    assert [cleanup_of(36, 3), cleanup_of(37)] == [Cleanup.COMPLETE] * 2
    with pytest.raises(NotImplementedError):
        cleanup_of(31)


def test_flows_of_the_other_family_are_another_sync_s() -> None:
    other = attrs.evolve(flow("10.96.0.10:53"), original=FlowKey(Family.IPV6, UDP, 1, 2, 3, 30053))

    assert stale([other], view_of(SERVING)) == ()


def test_a_clean_up_leaves_the_rest() -> None:
    gone, kept = flow("10.96.0.10:53", BAD), flow("10.96.0.10:53", GOOD, source_port=40001)
    flows = NO_FLOWS.insert(gone.original, gone).insert(kept.original, kept)

    assert dict(cleaned(flows, view_of(SERVING))) == {kept.original: kept}


@pytest.mark.parametrize(
    ("protocol", "state", "seconds"),
    [
        (TCP, FlowState.OPENING, 120),
        (TCP, FlowState.ESTABLISHED, 24 * 3600),
        (TCP, FlowState.HALF_CLOSED, 3600),
        (TCP, FlowState.CLOSED, 120),
        (TCP, FlowState.RESET, 10),
        (SCTP, FlowState.OPENING, 3),
        (SCTP, FlowState.ESTABLISHED, 210),
        (SCTP, FlowState.HALF_CLOSED, 3),
        (SCTP, FlowState.CLOSED, 10),
        (UDP, FlowState.OPENING, 30),
        (1, FlowState.ESTABLISHED, 30),
        (47, FlowState.ESTABLISHED, 600),
    ],
)
def test_each_state_has_its_timeout(protocol: int, state: FlowState, seconds: int) -> None:
    """CT-01: established and half-closed TCP have kube-proxy's, the rest the kernel's."""
    one = attrs.evolve(flow("10.96.0.10:53", protocol=protocol), state=state)

    assert timeout(one, KUBE_PROXY_TIMEOUTS) == seconds
    assert [is_expired(one, now) for now in (seconds - 1, seconds)] == [False, True]


def test_the_kernel_alone_keeps_an_idle_connection_for_five_days() -> None:
    one = attrs.evolve(flow("10.96.0.10:53", protocol=TCP), state=FlowState.ESTABLISHED)

    assert timeout(one, Timeouts()) == 5 * 24 * 3600
    assert timeout(attrs.evolve(one, state=FlowState.HALF_CLOSED), Timeouts()) == 60


@pytest.mark.parametrize(("seen", "seconds"), [(2, 30), (3, 120)])
def test_udp_that_goes_both_ways_for_more_than_two_seconds_is_a_stream(seen: int, seconds: int) -> None:
    one = attrs.evolve(flow("10.96.0.10:53"), state=FlowState.ESTABLISHED, seen=seen)

    assert timeout(one, KUBE_PROXY_TIMEOUTS) == seconds


def test_only_a_live_connection_is_found() -> None:
    one = flow("10.96.0.10:53", protocol=TCP)
    flows = {one.original: attrs.evolve(one, state=FlowState.ESTABLISHED)}
    ended = {one.original: attrs.evolve(one, state=FlowState.CLOSED)}

    assert lookup(flows, one.original, 100) == flows[one.original]
    assert lookup(flows, one.original, 24 * 3600) is None
    assert lookup(ended, one.original, 1) is None
    assert lookup({}, one.original, 1) is None


def test_time_takes_the_expired_entries_only() -> None:
    short, long = flow("10.96.0.10:53"), flow("10.96.0.10:53", protocol=TCP)
    flows = NO_FLOWS.insert(short.original, short).insert(long.original, long)

    assert dict(unexpired(flows, 30)) == {long.original: long}


def test_iptables_alone_drops_invalid_packets_and_not_when_the_kernel_is_liberal() -> None:
    """CT-07, MODE-26"""
    assert drops_invalid(ProxyMode.IPTABLES)
    assert not drops_invalid(ProxyMode.IPTABLES, be_liberal=True)
    assert not drops_invalid(ProxyMode.NFTABLES)
    assert not drops_invalid(ProxyMode.IPVS)


NOTHING = ConntrackSettings(
    max_per_core=None, min=None, tcp_established_timeout=None, tcp_close_wait_timeout=None
)


def test_the_defaults_size_the_table_by_cores_and_set_two_timeouts() -> None:
    """CT-01"""
    assert settings_at_start(ConntrackSettings(), Kernel(cores=8, hash_size=1024)) == (
        Setting("nf_conntrack_max", 8 * 32768),
        Setting("hashsize", 8 * 8192),
        Setting("nf_conntrack_tcp_timeout_established", 86400),
        Setting("nf_conntrack_tcp_timeout_close_wait", 3600),
    )


def test_what_is_unset_or_zero_leaves_the_kernel_alone() -> None:
    zeros = attrs.evolve(NOTHING, max_per_core=0, min=5, tcp_established_timeout=0, tcp_close_wait_timeout=0)

    assert settings_at_start(NOTHING, Kernel(4)) == ()
    assert settings_at_start(zeros, Kernel(4)) == ()


def test_the_table_has_a_least_size() -> None:
    wanted = attrs.evolve(NOTHING, max_per_core=10, min=1000)

    assert settings_at_start(wanted, Kernel(4, hash_size=250)) == (Setting("nf_conntrack_max", 1000),)


@pytest.mark.parametrize(
    ("least", "kernel", "buckets"),
    [(1003, Kernel(4, hash_size=250), []), (1004, Kernel(4, hash_size=250), [251]), (4, Kernel(4), [1])],
)
def test_a_bucket_for_every_four_entries(least: int, kernel: Kernel, buckets: list[int]) -> None:
    """CT-01: a part of a bucket is none, and a kernel of which nothing is known has none."""
    wanted = attrs.evolve(NOTHING, max_per_core=1, min=least)

    found = settings_at_start(wanted, kernel)
    assert found[1:] == tuple(Setting("hashsize", count) for count in buckets)


def test_udp_timeouts_and_liberal_tcp_are_set_when_asked_for() -> None:
    wanted = attrs.evolve(
        NOTHING, tcp_be_liberal=True, udp_timeout=Fraction(5, 2), udp_stream_timeout=Fraction(60)
    )

    assert settings_at_start(wanted, Kernel(4)) == (
        Setting("nf_conntrack_tcp_be_liberal", 1),
        Setting("nf_conntrack_udp_timeout", 2),
        Setting("nf_conntrack_udp_timeout_stream", 60),
    )


def test_an_answer_comes_from_the_endpoint_or_from_the_destination() -> None:
    assert flow("10.96.0.10:53", GOOD).reply_source == target(GOOD)
    assert flow("10.96.0.10:53", None).reply_source == target("10.96.0.10:53")


def test_the_name_of_the_service_port_does_not_matter_to_a_clean_up() -> None:
    """CT-02 goes by addresses and ports of the entry, which is all that the kernel has."""
    named = attrs.evolve(flow("10.96.0.10:53"), service_port=ServicePortName(DNS, "gone", "UDP"))

    assert stale([named], view_of(SERVING)) == (named,)
