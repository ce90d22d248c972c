"""Ranges and addresses as people write them mean what kube-proxy reads in them."""

import pytest

from model.addresses import Family, parse_address, parse_cidr
from model.intervals import Intervals, union
from model.node_config import NodeConfig
from model.written_addresses import allowed_sources, ranges_of_family

V4, V6 = Family.IPV4, Family.IPV6
VIP = parse_address("203.0.113.7")[1]
INSIDE = NodeConfig("node-a", primary=((V4, parse_address("10.0.0.5")[1]),))
ELSEWHERE = NodeConfig("node-a", primary=((V4, parse_address("192.0.2.5")[1]),))


def cidrs(*texts: str) -> Intervals:
    found: Intervals = ()
    for text in texts:
        found = union(found, parse_cidr(text)[1])
    return found


@pytest.mark.parametrize(
    ("ranges", "expected"),
    [
        ((), None),
        (("10.0.0.0/8",), cidrs("10.0.0.0/8")),
        (("10.0.0.0/8", "198.51.100.0/24"), cidrs("10.0.0.0/8", "198.51.100.0/24")),
        ((" 10.0.0.0/8 ",), cidrs("10.0.0.0/8")),
        (("010.0.0.0/8",), cidrs("10.0.0.0/8")),
        # What is no range, or of the other family, is passed over; what comes after it counts.
        (("10.1.2.3", "10.0.0.0/8"), cidrs("10.0.0.0/8")),
        (("x/8", "10.0.0.0/8"), cidrs("10.0.0.0/8")),
        (("010.1.0.0/16/8", "10.2.0.0/16"), cidrs("10.2.0.0/16")),
        (("fd00::/8", "10.0.0.0/8"), cidrs("10.0.0.0/8")),
        # Nothing of the family, or everything of it, leaves every source in (FWD-LBSR-01, -02).
        (("fd00::/8",), None),
        (("x/8",), None),
        (("10.0.0.0/8/8", "10.0.0.0/8/", "10.0.0.0/"), None),
        (("10.0.0.0/8", "0.0.0.0/0"), None),
    ],
)
def test_the_ranges_of_the_family_say_who_is_let_in(
    ranges: tuple[str, ...], expected: Intervals | None
) -> None:
    assert allowed_sources(ranges, (VIP,), ELSEWHERE, V4) == expected


def test_a_node_that_is_let_in_lets_in_the_balancers_own_addresses() -> None:
    """FWD-LBSR-04"""
    with_vip = union(cidrs("10.0.0.0/8"), ((VIP, VIP),))

    assert allowed_sources(("10.0.0.0/8",), (VIP,), INSIDE, V4) == with_vip
    assert allowed_sources(("10.0.0.0/8",), (), INSIDE, V4) == cidrs("10.0.0.0/8")
    assert allowed_sources(("10.0.0.0/8",), (VIP,), NodeConfig("node-a"), V4) == cidrs("10.0.0.0/8")


def test_ranges_of_a_family_are_taken_together() -> None:
    texts = ("10.96.0.0/16", "x", "fd00::/112", "10.97.0.0/16")

    assert ranges_of_family(texts, V4) == cidrs("10.96.0.0/15")
    assert ranges_of_family(texts, V6) == parse_cidr("fd00::/112")[1]
    assert ranges_of_family((), V4) == ()
