"""Slices of one Service merge into the endpoint lists that a proxy may hold."""

from model.addresses import Family, parse_address
from model.objects import Endpoint, EndpointPort, EndpointSlice, ObjectName
from model.proxy_endpoints import ProxyEndpoint, merge_slices

NAME = ObjectName("shop", "web")
HTTP = EndpointPort("http", "TCP", 80)


def slice_of(
    *endpoints: Endpoint, ports: tuple[EndpointPort, ...] = (HTTP,), kind: str = "IPv4"
) -> EndpointSlice:
    return EndpointSlice(NAME, NAME, kind, endpoints, ports)


def at(host: str, *, ready: bool = True, terminating: bool = False) -> Endpoint:
    return Endpoint((host,), ready, True, terminating)


def held(host: str, port: int = 80, *, ready: bool = True, terminating: bool = False) -> ProxyEndpoint:
    return ProxyEndpoint(parse_address(host)[1], port, ready, True, terminating)


def test_endpoints_are_in_the_order_of_their_text() -> None:
    """`10.0.0.10:80` comes before `10.0.0.1:80`, as 0 before the colon (AFF-03)."""
    slices = [slice_of(at("10.0.0.9"), at("10.0.0.10")), slice_of(at("10.0.0.1"))]

    merged = merge_slices(slices, Family.IPV4, "n1")

    assert merged == {("http", "TCP"): ((held("10.0.0.10"), held("10.0.0.1"), held("10.0.0.9")),)}


def test_ipv6_endpoints_are_in_the_order_of_their_canonical_text() -> None:
    """The slice may write them otherwise: as text, FD00::2 comes before fd00::1."""
    slices = [slice_of(at("FD00::2"), at("fd00:0::1"), kind="IPv6")]

    merged = merge_slices(slices, Family.IPV6, "n1")

    assert merged == {("http", "TCP"): ((held("fd00::1"), held("fd00::2")),)}


def test_one_address_written_in_two_ways_is_one_endpoint() -> None:
    """As it is in two slices."""
    slices = [slice_of(at("FD00::1"), kind="IPv6"), slice_of(at("fd00:0::1"), kind="IPv6")]

    assert merge_slices(slices, Family.IPV6, "n1") == {("http", "TCP"): ((held("fd00::1"),),)}


def test_leading_zeros_of_an_address_count_for_nothing() -> None:
    """API-F-31: kube-proxy reads old text and writes it anew, so that both entries are one."""
    slices = [slice_of(at("010.000.0.01"), at("10.0.0.1"))]

    assert merge_slices(slices, Family.IPV4, "n1") == {("http", "TCP"): ((held("10.0.0.1"),),)}


def test_an_entry_that_stays_beats_one_that_terminates() -> None:
    """In whichever order they come (EPS-SL-08)."""
    going = at("10.0.0.1", ready=False, terminating=True)

    for entries in ((going, at("10.0.0.1")), (at("10.0.0.1"), going)):
        assert merge_slices([slice_of(*entries)], Family.IPV4, "n1") == {
            ("http", "TCP"): ((held("10.0.0.1"),),)
        }


def test_a_tie_leaves_both_entries_possible() -> None:
    """Each list has the others as they are (EPS-SL-08)."""
    entries = at("10.0.0.2"), at("10.0.0.1"), at("10.0.0.2", ready=False)

    merged = merge_slices([slice_of(*entries)], Family.IPV4, "n1")

    assert merged == {
        ("http", "TCP"): (
            (held("10.0.0.1"), held("10.0.0.2")),
            (held("10.0.0.1"), held("10.0.0.2", ready=False)),
        )
    }


def test_ports_are_joined_by_name_and_protocol_and_may_differ_in_number() -> None:
    """A port without a number serves nobody (EPS-PORT-05, -06)."""
    other = (
        EndpointPort("http", "TCP", 8080),
        EndpointPort("dns", "UDP", 53),
        EndpointPort("all", "TCP", None),
    )
    slices = [slice_of(at("10.0.0.1")), slice_of(at("10.0.0.1"), ports=other)]

    merged = merge_slices(slices, Family.IPV4, "n1")

    assert merged == {
        ("http", "TCP"): ((held("10.0.0.1", 80), held("10.0.0.1", 8080)),),
        ("dns", "UDP"): ((held("10.0.0.1", 53),),),
    }


def test_what_is_no_address_of_the_family_is_no_endpoint() -> None:
    """A port that is left with none has no list at all (EPS-SL-05)."""
    slices = [
        slice_of(at("fd00::1"), at("10.0.0.256"), at("web"), Endpoint(())),
        slice_of(at("web"), kind="FQDN"),
    ]

    assert merge_slices(slices, Family.IPV4, "n1") == {}
