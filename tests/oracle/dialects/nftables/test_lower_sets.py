"""Sets, concatenations and chances let through what the kernel would."""

from fractions import Fraction

import pytest

from tests.oracle.dialects.nftables.lowering import (
    DROP,
    PASS,
    V4,
    V6,
    chain,
    fate,
    forward,
    is_judged,
    packet,
    prerouting,
    rulesets,
    sent,
    table,
    to,
    verdicts,
)

CONCAT = (
    "set s {\ntype ipv4_addr . inet_proto . inet_service\nflags interval\n"
    "elements = { 10.96.0.1 . tcp . 80, 10.97.0.0/16 . udp . 53-54 }\n}"
)


def test_a_sets_elements_are_what_it_matches() -> None:
    """Single values, spans and prefixes of a named set."""
    listing = forward(
        "ip daddr @s drop",
        "set s {\ntype ipv4_addr\nflags interval\n"
        "elements = { 10.96.0.1, 10.97.0.0/24, 10.98.0.5-10.98.0.7 }\n}",
    )
    hosts = ("10.96.0.1", "10.96.0.2", "10.97.0.255", "10.97.1.0", "10.98.0.7", "10.98.0.8")

    assert verdicts(listing, [packet(f"{host}:80") for host in hosts]) == ["drop", "pass"] * 3


def test_an_empty_set_matches_nothing_and_its_contrary_everything() -> None:
    """kube-proxy writes empty sets at start."""
    empty = "set s {\ntype ipv4_addr\n}\nset k {\ntype ipv4_addr . inet_proto . inet_service\n}"

    assert fate(forward("ip daddr @s drop", empty)) == PASS
    assert fate(forward("ip daddr != @s drop", empty)) == DROP
    assert fate(forward("ip daddr . meta l4proto . th dport @k drop", empty)) == PASS
    assert fate(forward("ip daddr . meta l4proto . th dport != @k drop", empty)) == DROP


def test_a_set_that_the_dump_does_not_have_is_not_judged() -> None:
    """A cut listing is not an empty set."""
    assert not is_judged(forward("ip daddr @gone drop"))


@pytest.mark.parametrize(
    ("to_", "protocol", "inside"),
    [
        ("10.96.0.1:80", "tcp", True),
        ("10.96.0.1:80", "udp", False),
        ("10.96.0.1:53", "udp", False),
        ("10.97.3.4:54", "udp", True),
        ("10.97.3.4:55", "udp", False),
        ("10.97.3.4:54", "tcp", False),
    ],
)
def test_a_concatenation_is_compared_as_a_whole(to_: str, protocol: str, inside: bool) -> None:
    """One element holds all its parts together; the contrary holds where no element does."""
    match = "ip daddr . meta l4proto . th dport"
    one = packet(to_, protocol=protocol)

    assert (fate(forward(f"{match} @s drop", CONCAT), one) == DROP) is inside
    assert (fate(forward(f"{match} != @s drop", CONCAT), one) == DROP) is not inside


def test_what_follows_a_negated_concatenation_is_met_by_both_ways() -> None:
    """Neither the rule nor the chain ends for the packets that are in the set."""
    listing = forward(
        """
        ip daddr . meta l4proto . th dport != @s counter jump mark
        meta mark 0x1 drop
        tcp dport 80 reject""",
        CONCAT + "\n" + chain("mark", "meta mark set 0x1"),
    )

    assert verdicts(listing, [packet("10.96.0.1:80"), packet("10.96.0.2:80")]) == ["reject", "drop"]


def test_overlapping_elements_are_not_judged() -> None:
    """nft refuses to load them, so nobody can say what such a dump means."""
    listing = forward(
        "ip daddr . meta l4proto . th dport @s drop",
        "set s {\ntype ipv4_addr . inet_proto . inet_service\nflags interval\n"
        "elements = { 10.96.0.0/16 . tcp . 80, 10.96.0.1 . tcp . 80-90 }\n}",
    )

    assert not is_judged(listing)


def test_equal_conditions_are_the_same_object() -> None:
    """Large nodes hold each condition once."""
    (one,) = rulesets(forward("ip daddr 10.96.0.1 tcp dport 80 drop\nip daddr 10.96.0.1 tcp dport 80 accept"))
    first, second = one.tables["ip t"]["c"].rules

    assert first.when is second.when


def test_a_chance_is_exact() -> None:
    """numgen of N and random bits are fractions; round robin gives one packet the same."""
    half = "meta l4proto tcp dnat to 10.0.0.1:80"
    rest = f"\n{half.replace('0.1:', '0.2:')}"

    def odds(match: str) -> Fraction:
        return fate(prerouting(f"{match} {half}{rest}")).leaves[0].odds

    assert odds("numgen random mod 3 0") == Fraction(1, 3)
    assert odds("numgen random mod 10 < 3") == Fraction(3, 10)
    assert odds("numgen inc mod 4 != 0") == Fraction(3, 4)
    assert odds("numgen random mod 4 offset 2 2-3") == Fraction(1, 2)
    assert odds("meta random & 0x7fffffff < 715827883") == Fraction(715827883, 1 << 31)
    assert odds("meta random < 0x40000000") == Fraction(1, 4)


def test_a_chance_of_all_or_nothing_is_none() -> None:
    """Comparisons that always or never hold."""
    assert fate(forward("numgen random mod 2 < 2 drop")) == DROP
    assert fate(forward("numgen random mod 2 2 drop")) == PASS


def test_two_chances_multiply_and_bind_all_that_follows() -> None:
    """What is drawn once decides for the mark and for the translation together."""
    listing = table(
        chain(
            "c",
            """
            numgen random mod 2 0 numgen random mod 3 0 meta mark set 0x1 dnat to 10.0.0.1:80
            meta l4proto tcp dnat to 10.0.0.2:80""",
            "nat hook prerouting priority dstnat",
        )
        + chain("m", "meta mark 0x1 masquerade", "nat hook postrouting priority srcnat")
    )

    assert fate(listing) == sent(
        to("10.0.0.1:80", Fraction(1, 6), masquerade=True), to("10.0.0.2:80", Fraction(5, 6))
    )


def test_each_family_has_its_own_rule_set() -> None:
    """A table of one family says nothing of the other; both rule sets are given."""
    listing = forward("drop") + forward("accept", kind="ip6")

    assert fate(listing) == DROP
    assert fate(listing, packet("[fd00::1]:80")) == PASS
    assert list(rulesets(listing, V4)[0].tables) == ["ip t"]
    assert list(rulesets(listing, V6)[0].tables) == ["ip6 t"]


def test_what_is_in_doubt_of_one_family_does_not_touch_the_other() -> None:
    """Sets that rules change, filled and asked by IPv4 addresses, in a table of both."""
    listing = forward(
        "ip saddr @s drop\nadd @s { ip saddr limit rate over 3/minute } drop\nip ttl 1 drop",
        "set s {\ntype ipv4_addr\nflags dynamic,timeout\ntimeout 1m\n}",
        kind="inet",
    )

    assert not is_judged(listing)
    assert fate(listing, packet("[fd00::1]:80")) == PASS
    assert rulesets(listing, V6)[0].unsupported == ()
