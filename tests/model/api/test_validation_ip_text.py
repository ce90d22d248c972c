"""What text counts as an address or a CIDR: sloppy for what is stored, strict for what is new (API-F-31)."""

import pytest

from model.api.gates import FeatureGates
from model.api.validation.ip_text import (
    canonical_cidr_errors,
    canonical_ip_errors,
    endpoint_ip_errors,
    is_ipv6,
    legacy_cidr_errors,
    legacy_ip_errors,
    parse_ip,
)
from tests.model.api.validation_cases import BEFORE_STRICT_TEXT, GATES, found


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("010.000.0.09", "10.0.0.9"),
        ("FD00:0:0::00001", "fd00::1"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("::ffff:010.0.0.1", "10.0.0.1"),
        ("::10.0.0.1", "::a00:1"),
        ("::", "::"),
    ],
)
def test_a_stored_address_is_read_as_every_consumer_reads_it(text: str, meant: str) -> None:
    assert meant == str(parse_ip(text))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "foo",
        "10.0.0",
        "10.0.0.256",
        "10.0.0.1/32",
        "[::1]",
        "fe80::1%eth0",
        " 10.0.0.1",
        "1:2",
        "0x0a.0.0.1",
    ],
)
def test_other_text_is_no_address(text: str) -> None:
    assert parse_ip(text) is None


def test_an_ipv4_mapped_address_is_of_family_ipv4() -> None:
    assert (False, True, False) == (is_ipv6("::ffff:10.0.0.1"), is_ipv6("fd00::1"), is_ipv6("foo"))


@pytest.mark.parametrize(
    ("text", "strict", "sloppy"),
    [
        ("10.0.0.1", 0, 0),
        ("FD00:0::1", 0, 0),
        ("010.0.0.1", 1, 0),
        ("::ffff:10.0.0.1", 1, 0),
        ("10.0.0", 1, 1),
    ],
)
def test_the_gate_decides_on_leading_zeros_and_mapped_addresses(text: str, strict: int, sloppy: int) -> None:
    actual = [len(legacy_ip_errors("ip", text, gates)) for gates in (GATES, BEFORE_STRICT_TEXT)]

    assert [strict, sloppy] == actual


@pytest.mark.parametrize(
    ("text", "strict", "sloppy"),
    [
        ("10.0.0.0/8", 0, 0),
        ("FD00::/64", 0, 0),
        ("0.0.0.0/0", 0, 0),
        ("10.0.0.1/8", 1, 0),
        ("010.0.0.0/8", 1, 0),
        ("10.0.0.0/08", 1, 0),
        ("::ffff:10.0.0.0/104", 1, 0),
        ("10.0.0.0", 1, 1),
        ("10.0.0.0/33", 1, 1),
        ("10.0.0.0/", 1, 1),
        ("10.0.0.0/-1", 1, 1),
        ("10.0.0.0/8/8", 1, 1),
        ("fd00::/129", 1, 1),
        ("fd00::/128", 0, 0),
    ],
)
def test_the_gate_decides_on_host_bits_of_cidrs(text: str, strict: int, sloppy: int) -> None:
    actual = [len(legacy_cidr_errors("cidr", text, gates)) for gates in (GATES, BEFORE_STRICT_TEXT)]

    assert [strict, sloppy] == actual


@pytest.mark.parametrize("zeros", [1, 20, 6000])
def test_any_number_of_leading_zeros_is_read_and_only_the_gate_refuses_it(zeros: int) -> None:
    """API-F-31, ParseIPSloppy and ParseCIDRSloppy; /0 itself has none."""
    address, cidr = "0" * zeros + "10.0.0.0", "10.0.0.0/" + "0" * zeros + "8"

    strict = (*legacy_ip_errors("ip", address, GATES), *legacy_cidr_errors("cidr", cidr, GATES))
    sloppy = (
        *legacy_ip_errors("ip", address, BEFORE_STRICT_TEXT),
        *legacy_cidr_errors("cidr", cidr, BEFORE_STRICT_TEXT),
    )

    assert ["cidr INVALID", "ip INVALID"] == found(strict)
    assert sloppy == ()
    assert () == legacy_cidr_errors("cidr", "0.0.0.0/0", GATES)


@pytest.mark.parametrize(
    "text", ["10.0.0.0/33", "fd00::/129", "10.0.0.0/" + "9" * 6000, "10.0.0.0/", "10.0.0.0/+8"]
)
def test_a_prefix_length_that_the_address_has_not_is_refused(text: str) -> None:
    assert ["cidr INVALID"] == found(legacy_cidr_errors("cidr", text, BEFORE_STRICT_TEXT))


@pytest.mark.parametrize("gates", [GATES, BEFORE_STRICT_TEXT])
def test_a_stored_value_is_exempt_even_when_it_is_garbage(gates: FeatureGates) -> None:
    errors = (
        *legacy_ip_errors("ip", "garbage", gates, ("garbage",)),
        *legacy_cidr_errors("cidr", "garbage", gates, ("garbage",)),
    )

    assert errors == ()


@pytest.mark.parametrize(
    ("text", "faults"),
    [("10.0.0.1", 0), ("fd00::1", 0), ("FD00::1", 1), ("fd00:0::1", 1), ("010.0.0.1", 1), ("foo", 1)],
)
def test_a_canonical_address_has_one_spelling(text: str, faults: int) -> None:
    assert faults == len(canonical_ip_errors("ip", text))


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("10.0.0.0/8", 0),
        ("fd00::/64", 0),
        ("FD00::/64", 1),
        ("10.0.0.1/8", 1),
        ("::ffff:10.0.0.0/104", 1),
        ("x", 1),
    ],
)
def test_a_canonical_cidr_has_one_spelling(text: str, faults: int) -> None:
    assert faults == len(canonical_cidr_errors("cidr", text))


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("10.0.0.1", 0),
        ("255.255.255.255", 0),
        ("239.255.255.253", 0),
        ("224.0.1.0", 0),
        ("ff05::1", 0),
        ("0.0.0.0", 1),
        ("127.8.8.8", 1),
        ("169.254.169.254", 1),
        ("224.0.0.1", 1),
        ("::", 1),
        ("::1", 1),
        ("fe80::1", 1),
        ("ff02::1", 1),
        ("ff12::1", 1),
        ("::ffff:127.0.0.1", 1),
        ("foo", 1),
    ],
)
def test_an_endpoint_is_not_unspecified_loopback_or_link_local(text: str, faults: int) -> None:
    """EPS-SL-06, API-F-15."""
    assert faults == len(endpoint_ip_errors("ip", text))
