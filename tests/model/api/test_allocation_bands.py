"""Bands as plain arithmetic."""

import pytest

from model.addresses import parse_address
from model.api.allocation.bands import Bands, address_range, node_port_bands


def address(text: str) -> int:
    return parse_address(text)[1]


@pytest.mark.parametrize(
    ("cidr", "first", "middle", "last"),
    [
        ("10.96.0.0/12", "10.96.0.1", "10.96.1.1", "10.111.255.254"),
        ("10.0.0.0/24", "10.0.0.1", "10.0.0.17", "10.0.0.254"),
        ("10.0.0.0/27", "10.0.0.1", "10.0.0.17", "10.0.0.30"),
        ("10.0.0.0/28", "10.0.0.1", "10.0.0.1", "10.0.0.14"),
        ("10.0.0.0/20", "10.0.0.1", "10.0.1.1", "10.0.15.254"),
        ("fd00::/112", "fd00::1", "fd00::101", "fd00::ffff"),
        ("fd00::/124", "fd00::1", "fd00::1", "fd00::f"),
        ("fd00::/64", "fd00::1", "fd00::101", "fd00::ffff:ffff:ffff:ffff"),
    ],
)
def test_a_cidr_has_these_bands(cidr: str, first: str, middle: str, last: str) -> None:
    """ALLOC-IP-02, ALLOC-IP-03."""
    assert address_range(cidr).usable == Bands(address(first), address(middle), address(last))


@pytest.mark.parametrize("cidr", ["10.0.0.0/31", "10.0.0.0/32", "fd00::/128", "fd00::/63"])
def test_a_cidr_without_usable_addresses_holds_none(cidr: str) -> None:
    """ALLOC-IP-02."""
    found = address_range(cidr)

    assert len(found.usable) == 0
    assert not found.has(found.family, found.network)


@pytest.mark.parametrize(
    ("first", "last", "middle"),
    [
        (30000, 32767, 30086),
        (30000, 30015, 30000),
        (30000, 30016, 30016),
        (30000, 30511, 30016),
        (20000, 32767, 20128),
    ],
)
def test_a_node_port_range_has_these_bands(first: int, last: int, middle: int) -> None:
    """ALLOC-NP-02."""
    assert node_port_bands(first, last) == Bands(first, middle, last)
