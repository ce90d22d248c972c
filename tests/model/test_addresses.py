"""Addresses and CIDRs are read as numbers of a family, and what is none is named."""

import re

import pytest

from model.addresses import Family, format_address, parse_address, parse_cidr


def test_a_family_has_its_width_its_addresses_and_its_loopback() -> None:
    """The whole of 127.0.0.0/8 is loopback in IPv4; in IPv6 it is ::1 alone."""
    top = (1 << 128) - 1

    assert (32, 0xFFFFFFFF, ((0, 0xFFFFFFFF),), ((127 << 24, (128 << 24) - 1),)) == (
        Family.IPV4.bits,
        Family.IPV4.top,
        Family.IPV4.everything,
        Family.IPV4.loopback,
    )
    assert (128, top, ((0, top),), ((1, 1),)) == (
        Family.IPV6.bits,
        Family.IPV6.top,
        Family.IPV6.everything,
        Family.IPV6.loopback,
    )


@pytest.mark.parametrize(
    ("text", "family", "number"),
    [
        ("10.0.1.2", Family.IPV4, (10 << 24) + (1 << 8) + 2),
        ("255.255.255.255", Family.IPV4, 0xFFFFFFFF),
        ("fd00::1:2", Family.IPV6, (0xFD00 << 112) + (1 << 16) + 2),
    ],
)
def test_an_address_is_a_number_and_back(text: str, family: Family, number: int) -> None:
    assert (family, number) == parse_address(text)
    assert text == format_address(family, number)


@pytest.mark.parametrize("text", ["", "web", "10.0.0", "010.0.0.1", "10.0.0.256", "fe80::1%eth0", "1::2::3"])
def test_what_is_no_address_is_named(text: str) -> None:
    """API-F-31: leading zeros and zones are none."""
    with pytest.raises(ValueError, match=f"^{re.escape(repr(text))} is not an IP address$"):
        parse_address(text)


@pytest.mark.parametrize(
    ("text", "family", "low", "high"),
    [
        ("10.0.1.0/24", Family.IPV4, "10.0.1.0", "10.0.1.255"),
        ("10.0.1.77/24", Family.IPV4, "10.0.1.0", "10.0.1.255"),
        ("10.0.1.77/32", Family.IPV4, "10.0.1.77", "10.0.1.77"),
        ("10.0.1.77", Family.IPV4, "10.0.1.77", "10.0.1.77"),
        ("10.0.1.77/0", Family.IPV4, "0.0.0.0", "255.255.255.255"),
        ("fd00::1:2/112", Family.IPV6, "fd00::1:0", "fd00::1:ffff"),
        ("fd00::1/128", Family.IPV6, "fd00::1", "fd00::1"),
    ],
)
def test_a_cidr_is_the_span_that_its_length_leaves(text: str, family: Family, low: str, high: str) -> None:
    """Host bits do not count, and an address alone is a span of one."""
    span = ((parse_address(low)[1], parse_address(high)[1]),)

    assert (family, span) == parse_cidr(text)


@pytest.mark.parametrize(
    "text", ["web", "web/8", "10.0.0.0/", "10.0.0.0/33", "fd00::/129", "10.0.0.0/-1", "10.0.0.0/²"]
)
def test_what_is_no_cidr_is_named_whole(text: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(repr(text))} is not a CIDR$"):
        parse_cidr(text)
