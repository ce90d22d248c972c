"""Which news of slices a proxy syncs for, and what a sync makes of them."""

import attrs
import pytest

from model.addresses import Family, parse_address
from model.objects import Endpoint, EndpointPort, EndpointSlice, ObjectName, ServicePortName
from model.proxy_changes import SliceCache, changed_udp_service_ports, local_ready_addresses

DNS = ObjectName("kube-system", "dns")
UDP53 = EndpointPort("dns", "UDP", 53)
TCP53 = EndpointPort("dns-tcp", "TCP", 53)
UDP_NAME, TCP_NAME = ServicePortName(DNS, "dns", "UDP"), ServicePortName(DNS, "dns-tcp", "TCP")
EMPTY = SliceCache(Family.IPV4, "node-a")


def piece(
    *hosts: str, name: str = "dns-1", ports: tuple[EndpointPort, ...] = (UDP53,), kind: str = "IPv4"
) -> EndpointSlice:
    endpoints = tuple(Endpoint((host,)) for host in hosts)
    return EndpointSlice(ObjectName("kube-system", name), DNS, kind, endpoints, ports)


def applied(*pieces: EndpointSlice) -> SliceCache:
    cache = EMPTY
    for one in pieces:
        cache = cache.updated(one)
    return cache.synced()[0]


def hosts(cache: SliceCache, name: ServicePortName = UDP_NAME) -> list[int]:
    return [endpoint.address for endpoint in cache.endpoints().get(name, ())]


def number(host: str) -> int:
    return parse_address(host)[1]


def test_nothing_is_acted_on_before_a_sync() -> None:
    """SYNC-01"""
    waiting = EMPTY.updated(piece("10.0.0.1"))

    assert (waiting.needs_sync, hosts(waiting)) == (True, [])
    assert hosts(waiting.synced()[0]) == [number("10.0.0.1")]
    assert not waiting.synced()[0].needs_sync


def test_the_latest_word_on_a_slice_counts() -> None:
    """SYNC-01: changes between two syncs are one change."""
    cache = EMPTY.updated(piece("10.0.0.1")).updated(piece("10.0.0.2"))

    after, changes = cache.synced()

    assert hosts(after) == [number("10.0.0.2")]
    assert [(change.service, set(change.before), set(change.after)) for change in changes] == [
        (DNS, set(), {UDP_NAME})
    ]


def test_slices_of_one_service_add_up() -> None:
    """EPS-SL-07"""
    cache = applied(piece("10.0.0.1"), piece("10.0.0.2", name="dns-2"))

    assert hosts(cache) == [number("10.0.0.1"), number("10.0.0.2")]
    assert hosts(cache.removed(piece("10.0.0.1")).synced()[0]) == [number("10.0.0.2")]


def test_the_same_slice_again_is_no_news() -> None:
    cache = applied(piece("10.0.0.1"))

    assert cache.updated(piece("10.0.0.1")) is cache
    waiting = cache.updated(piece("10.0.0.2"))
    assert waiting.updated(piece("10.0.0.2")) is waiting


@pytest.mark.parametrize(
    "different",
    [
        piece("10.0.0.1"),
        piece("10.0.0.2", "10.0.0.1"),
        piece("10.0.0.1", "10.0.0.2", ports=(UDP53, TCP53)),
        piece("10.0.0.1", "10.0.0.2", ports=(EndpointPort("dns", "UDP", 5353),)),
    ],
    ids=["endpoint gone", "another order", "port added", "port number"],
)
def test_any_difference_is_news(different: EndpointSlice) -> None:
    """The slice is kept as it was given, so another order is another slice."""
    assert applied(piece("10.0.0.1", "10.0.0.2")).updated(different).needs_sync


def test_going_back_before_the_sync_still_counts_as_a_change() -> None:
    """News is measured by what waits, so the sync cleans up for nothing."""
    cache = applied(piece("10.0.0.1")).updated(piece("10.0.0.2")).updated(piece("10.0.0.1"))

    _, changes = cache.synced()

    assert [change.before == change.after for change in changes] == [True]
    assert changed_udp_service_ports(changes) == (UDP_NAME,)


def test_the_end_of_a_slice_that_nobody_knew_is_no_news() -> None:
    assert EMPTY.removed(piece("10.0.0.1")) is EMPTY


def test_a_slice_that_came_and_went_before_the_sync_leaves_nothing() -> None:
    after, changes = EMPTY.updated(piece("10.0.0.1")).removed(piece("10.0.0.1")).synced()

    assert after == EMPTY
    assert [change.service for change in changes] == [DNS]
    assert changed_udp_service_ports(changes) == ()


@pytest.mark.parametrize(
    "other",
    [
        piece("fd00::1", kind="IPv6"),
        piece("example.org", kind="FQDN"),
        attrs.evolve(piece("10.0.0.1"), headless=True),
        attrs.evolve(piece("10.0.0.1"), service=None),
    ],
    ids=["IPv6", "FQDN", "headless", "of no Service"],
)
def test_slices_of_no_concern_are_passed_over(other: EndpointSlice) -> None:
    """EPS-SL-05, FWD-OBJ-02"""
    assert EMPTY.updated(other) is EMPTY


def test_udp_ports_that_come_or_go_call_for_a_clean_up() -> None:
    """CT-02"""
    udp, tcp = piece("10.0.0.1"), piece("10.0.0.1", ports=(TCP53,))

    def cleaned_after(cache: SliceCache) -> tuple[ServicePortName, ...]:
        return changed_udp_service_ports(cache.synced()[1])

    assert cleaned_after(EMPTY.updated(udp)) == (UDP_NAME,)
    assert cleaned_after(applied(udp).removed(udp)) == (UDP_NAME,)
    assert cleaned_after(applied(udp)) == ()
    assert cleaned_after(applied(tcp).removed(tcp)) == ()


def test_a_change_of_a_tcp_port_alone_cleans_up_after_the_udp_port_beside_it() -> None:
    """CT-02 goes by Services: the UDP endpoints are as they were."""
    beside = piece("10.0.0.1", name="dns-2", ports=(TCP53,))
    cache = applied(piece("10.0.0.1"), beside)

    _, changes = cache.removed(beside).synced()

    assert changed_udp_service_ports(changes) == (UDP_NAME,)


def test_a_service_with_one_slice_changed_keeps_those_of_others() -> None:
    other = attrs.evolve(piece("10.0.0.9", name="web-1"), service=ObjectName("kube-system", "web"))
    cache = applied(piece("10.0.0.1"), other)

    after, changes = cache.removed(piece("10.0.0.1")).synced()

    assert [change.service for change in changes] == [DNS]
    assert list(after.endpoints()) == [ServicePortName(ObjectName("kube-system", "web"), "dns", "UDP")]


def test_ready_addresses_of_the_node_count_once_a_service() -> None:
    """HC-03"""
    local = attrs.evolve(
        piece(ports=(UDP53, TCP53)),
        endpoints=(
            Endpoint(("10.0.0.1",), node_name="node-a"),
            Endpoint(("10.0.0.2",), ready=False, serving=True, terminating=True, node_name="node-a"),
            Endpoint(("10.0.0.3",), node_name="node-b"),
        ),
    )

    assert local_ready_addresses(applied(local).endpoints()) == {DNS: frozenset({number("10.0.0.1")})}
