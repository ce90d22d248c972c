"""The text of named sets and maps: types, flags, times and elements."""

import pytest

from oracle.dialects.nftables.expressions import ANYTHING, Concat, Element, Range, Verdict, VerdictKind
from tests.oracle.dialects.nftables.listings import address, addresses, text_set


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("1h2m3s", 3723), ("1d", 86400), ("1w1d", 691200), ("500ms", 0.5), ("45s", 45), ("3h", 10800)],
)
def test_durations_are_seconds(said: str, seconds: float) -> None:
    """Weeks, days, hours, minutes, seconds and milliseconds, joined."""
    found = text_set(f"\t\ttype ipv4_addr\n\t\ttimeout {said}\n\t\tflags timeout")

    assert seconds == found.timeout


@pytest.mark.parametrize(
    "said",
    [
        'timeout 30m expires 19m59s984ms comment "a b"',
        'expires 19m59s984ms comment "a b" timeout 30m',
        'comment "a b" timeout 30m expires 19m59s984ms',
        'counter packets 5 bytes 6 timeout 30m expires 19m59s984ms comment "a b"',
        'limit rate 5/second timeout 30m expires 19m59s984ms comment "a b"',
    ],
)
def test_an_element_tells_its_times_and_comment_in_any_order(said: str) -> None:
    """What it counts says nothing of membership."""
    (found,) = text_set(
        f"\t\ttype ipv4_addr . inet_service\n\t\telements = {{ 1.2.3.4 . 80 {said} }}"
    ).elements

    assert Element(Concat((address("1.2.3.4"), 80)), None, 1800, 1199.984, "a b", 4) == found


def test_an_element_that_never_times_out_has_no_timeout() -> None:
    """`timeout never`, as later versions print it."""
    (found,) = text_set("\t\ttype ipv4_addr\n\t\telements = { 1.2.3.4 timeout never }").elements

    assert None is found.timeout


def test_intervals_are_ranges() -> None:
    """Prefixes and ranges, in parts of a key too; a prefix of one address is that address."""
    found = text_set(
        "\t\ttype ipv4_addr . inet_service\n\t\tflags interval\n"
        "\t\telements = { 10.0.0.0/8 . 1-80, 1.1.1.1-1.1.1.3 . 5, 2.2.2.2/32 . 6-6 }"
    )

    assert [
        Concat((addresses("10.0.0.0", "10.255.255.255"), Range(1, 80))),
        Concat((addresses("1.1.1.1", "1.1.1.3"), 5)),
        Concat((address("2.2.2.2"), 6)),
    ] == [element.key for element in found.elements]


def test_host_bits_of_a_prefix_do_not_count() -> None:
    """The kernel masks them."""
    (found,) = text_set("\t\ttype ipv6_addr\n\t\telements = { fd00::17/120 }").elements

    assert addresses("fd00::", "fd00::ff") == found.key


def test_the_star_is_any_key() -> None:
    """`*` catches what no other element does."""
    found = text_set("\t\ttype ipv4_addr : verdict\n\t\telements = { * : drop }", "map")

    assert (Element(ANYTHING, Verdict(VerdictKind.DROP), line=4),) == found.elements


def test_a_map_may_lead_to_address_and_port() -> None:
    """As for a translation."""
    found = text_set(
        "\t\ttype ipv4_addr : ipv4_addr . inet_service\n\t\telements = { 1.1.1.1 : 2.2.2.2 . 80 }", "map"
    )

    assert (Element(address("1.1.1.1"), Concat((address("2.2.2.2"), 80)), line=4),) == found.elements


def test_types_of_expressions_are_worked_out() -> None:
    """`typeof` names expressions instead of types."""
    found = text_set(
        "\t\ttypeof ip saddr . tcp dport : meta mark\n\t\telements = { 1.1.1.1 . 80 : 0x5 }", "map"
    )

    assert (("ipv4_addr", "inet_service"), ("mark",)) == (found.key_types, found.value_types)
    assert (Element(Concat((address("1.1.1.1"), 80)), 5, line=4),) == found.elements


def test_what_looks_like_a_number_is_a_name_where_names_are_meant() -> None:
    """An interface may be called `10`, and a protocol's name is no interface's number."""
    found = text_set('\t\ttype ifname\n\t\telements = { "10", "tcp", "cali*" }')

    assert ["10", "tcp", "cali*"] == [element.key for element in found.elements]
