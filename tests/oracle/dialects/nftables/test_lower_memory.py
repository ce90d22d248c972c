"""A set that rules fill is a memory of sources, and nothing else is."""

from fractions import Fraction

import pytest

from model.addresses import parse_address
from model.outcome import Remembered, Target
from oracle.dialects.nftables.lower_memory import remembered
from oracle.dialects.nftables.text import parse_text
from tests.oracle.dialects.nftables.lowering import (
    chain,
    fate,
    forward,
    is_judged,
    packet,
    prerouting,
    to,
)

HALF, THIRD = Fraction(1, 2), Fraction(1, 3)
AFFINITY = (
    "set affinity-a {\ntype ipv4_addr\nsize 65535\nflags dynamic,timeout\ntimeout 3h\n"
    "elements = { 203.0.113.2 expires 2h59m, 203.0.113.9 expires 5s }\n}\n"
    + chain("endpoint-a", "update @affinity-a { ip saddr }\nmeta l4proto tcp dnat to 10.0.0.1:80")
    + chain("endpoint-b", "meta l4proto tcp dnat to 10.0.0.2:80")
)
STICKY = """ip saddr @affinity-a goto endpoint-a
numgen random mod 2 vmap { 0 : goto endpoint-a, 1 : goto endpoint-b }"""


def test_a_set_that_rules_fill_is_a_memory() -> None:
    """AFF-03, MODE-18: fresh clients are spread, remembered ones go where they were.

    That the packet's source is in the set at the moment of the dump means nothing.
    """
    outcome = fate(prerouting(STICKY, AFFINITY))

    assert outcome.leaves == (to("10.0.0.1:80", HALF), to("10.0.0.2:80", HALF))
    assert outcome.affinity == (Remembered(Target(parse_address("10.0.0.1")[1], 80), 10800),)


def test_the_clients_remembered_now_are_given_apart() -> None:
    """With the seconds they have left."""
    listing = prerouting(STICKY, AFFINITY).replace("table ip t", "table ip kube-proxy")

    assert remembered(parse_text(listing.encode(), "nft")) == {
        "affinity-a": ((parse_address("203.0.113.2")[1], 10740.0), (parse_address("203.0.113.9")[1], 5.0))
    }


def test_a_set_that_no_rule_fills_is_its_elements() -> None:
    """Without the update nobody is remembered anew; those in it are sent there."""
    listing = prerouting(STICKY, AFFINITY.replace("update @affinity-a { ip saddr }", "counter"))

    assert fate(listing).leaves == (to("10.0.0.1:80"),)
    assert len(fate(listing, packet(source="203.0.113.7")).leaves) == 2


@pytest.mark.parametrize(
    "update",
    [
        "add @affinity-a { ip saddr }",
        "delete @affinity-a { ip saddr }",
        "update @affinity-a { ip daddr }",
        "update @affinity-a { ip saddr timeout 500ms }",
    ],
)
def test_a_set_that_rules_change_otherwise_is_not_judged(update: str) -> None:
    """What it holds by then cannot be told."""
    listing = prerouting(STICKY, AFFINITY.replace("update @affinity-a { ip saddr }", update))

    assert not is_judged(listing)


def test_an_update_with_its_own_life_time_counts_that() -> None:
    """Instead of the set's."""
    listing = prerouting(STICKY, AFFINITY.replace("{ ip saddr }", "{ ip saddr timeout 1m }"))

    assert [one.seconds for one in fate(listing).affinity] == [60]


def test_an_update_under_a_limit_may_stop_the_rule() -> None:
    """`add @s { ip saddr limit rate over 10/minute } drop`, as against brute force."""
    listing = forward(
        "add @s { ip saddr limit rate over 10/minute } drop", "set s {\ntype ipv4_addr\nflags dynamic\n}"
    )

    assert not is_judged(listing)
