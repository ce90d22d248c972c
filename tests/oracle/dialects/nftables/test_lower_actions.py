"""What a rule of nft does to a packet, statement by statement."""

import pytest

from tests.oracle.dialects.nftables.lowering import (
    DROP,
    NODE,
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

NAT = "nat hook prerouting priority dstnat"
POST = "nat hook postrouting priority srcnat"
FORWARD = "filter hook forward priority filter"


@pytest.mark.parametrize(
    "statement",
    [
        "dnat ip to jhash ip saddr mod 2 map { 0 : 10.0.0.1 . 80, 1 : 10.0.0.2 . 80 }",
        "dnat ip to symhash mod 2 map { 0 : 10.0.0.1 . 80, 1 : 10.0.0.2 . 80 }",
        "dnat ip to numgen random mod 2 map { 0 : 10.0.0.1 . 80, 0 : 10.0.0.2 . 80 }",
        "dnat to 10.0.0.1-10.0.0.9",
        "dnat to 10.0.0.1:80-90",
        "dnat ip to ip daddr map @gone",
        "tproxy to 127.0.0.1:50080",
        "queue num 0",
        "ip daddr set 10.0.0.1",
        "tcp dport set 81",
        "meta mark set ct mark",
        "dup to 10.0.0.1",
        'xt target "DNAT"',
        "frobnicate all",
    ],
)
def test_what_may_do_anything_is_not_judged(statement: str) -> None:
    """A packet that meets it has no certain fate; one that does not, has."""
    listing = prerouting(f"meta l4proto tcp {statement}")

    assert not is_judged(listing)
    assert is_judged(listing, packet(protocol="udp"))
    assert rulesets(listing)[0].unsupported != ()


@pytest.mark.parametrize(
    "statement",
    [
        "ct mark set 0x1",
        "meta priority set 1:2",
        "meta nftrace set 1",
        "ip dscp set cs1",
        "tcp option maxseg size set rt mtu",
        'xt target "LOG"',
    ],
)
def test_what_leaves_a_packets_fate_alone_is_passed_over(statement: str) -> None:
    """The rule that follows is met, and nothing is listed as not judged."""
    listing = forward(f"{statement}\ndrop")

    assert fate(listing) == DROP
    assert rulesets(listing)[0].unsupported == ()


def test_offloading_ends_the_rule_for_a_first_packet() -> None:
    """A connection that is not confirmed is not offloaded: NFT_BREAK."""
    listing = forward("ip protocol tcp flow add @f drop\nreject")

    assert verdicts(listing, [packet()]) == ["reject"]


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("dnat to 10.0.0.1:8080", to("10.0.0.1:8080")),
        ("dnat to 10.0.0.1", to("10.0.0.1:80")),
        ("dnat to :8080", to("10.96.0.1:8080")),
        ("dnat ip to ip daddr map { 10.96.0.1 : 10.0.0.1 }", to("10.0.0.1:80")),
        ("dnat ip to ip daddr . tcp dport map { 10.96.0.1 . 80 : 10.0.0.1 . 81 }", to("10.0.0.1:81")),
        ("redirect to :8080", to(f"{NODE}:8080")),
        ("redirect", to(f"{NODE}:80")),
    ],
)
def test_a_translation(statement: str, expected: object) -> None:
    """Address, port or both; by a map or at once."""
    listing = prerouting(f"meta l4proto tcp {statement}")

    assert fate(listing).leaves == (expected,)


def test_a_translation_of_the_other_family_does_nothing() -> None:
    """In a table of both, IPv4 packets pass `dnat ip6`."""
    listing = prerouting("dnat ip6 to fd00::1\ndnat ip to 10.0.0.1", kind="inet")

    assert fate(listing) == sent(to("10.0.0.1:80"))
    assert fate(listing, packet("[fd00::9]:80")) == sent(to("[fd00::1]:80"))


@pytest.mark.parametrize(
    ("change", "mark"),
    [
        ("meta mark set 0x4000", 0x4000),
        ("meta mark set meta mark | 0x00004000", 0x4001),
        ("meta mark set meta mark & 0xfffffffe", 0),
        ("meta mark set meta mark ^ 0x00000003", 2),
        ("meta mark set meta mark & 0xffff0000 | 0x00000020", 0x20),
        ("meta mark set ip daddr map { 10.96.0.1 : 0x7 }", 7),
        ("meta mark set ip daddr map { 10.96.0.2 : 0x7 }", 1),
    ],
)
def test_a_mark_is_computed(change: str, mark: int) -> None:
    """From the mark 1, with bits set, cleared and turned."""
    listing = forward(f"meta mark set 0x1\n{change}\nmeta mark {mark:#x} drop")

    assert fate(listing) == DROP


def test_statements_are_done_from_left_to_right() -> None:
    """A match behind a change of the mark sees the new mark, one before it the old one."""
    listing = forward("meta mark 0x0 meta mark set 0x1 meta mark 0x1 meta mark set 0x2 counter drop\nreject")
    failing = forward("meta mark 0x0 meta mark set 0x1 meta mark 0x0 drop\nmeta mark 0x1 reject")

    assert verdicts(listing, [packet()]) == ["drop"]
    assert verdicts(failing, [packet()]) == ["reject"]


def test_a_mark_changed_in_a_rule_that_asked_for_it_is_changed_once() -> None:
    """MASQ-09: tested, cleared and masqueraded in one rule (1.36)."""
    listing = table(
        chain("c", "meta mark set 0x4000 meta l4proto tcp dnat to 10.0.0.1:80", NAT)
        + chain(
            "p",
            "meta mark & 0x00004000 != 0x00000000"
            " meta mark set meta mark ^ 0x00004000 masquerade fully-random",
            POST,
        )
    )
    unmarked = listing.replace("meta mark set 0x4000", "meta mark set 0x8000")

    assert fate(listing) == sent(to("10.0.0.1:80", masquerade=True))
    assert fate(unmarked) == sent(to("10.0.0.1:80"))


def test_a_goto_behind_a_change_of_what_was_asked_leaves_the_chain() -> None:
    """The rest of the rule stands aside, and its goto still leaves for good."""
    objects = chain("inner", "meta mark 0x0 meta mark set 0x1 goto empty\ndrop") + chain("empty", "counter")
    listing = forward("jump inner\nmeta mark 0x1 reject", objects)

    assert verdicts(listing, [packet()]) == ["reject"]


def test_several_effects_that_leave_only_in_some_ways_are_not_judged() -> None:
    """They cannot be written as rules without losing one of the ways."""
    objects = chain("inner", "meta mark 0x0 meta mark set 0x1 tcp dport 80 goto empty\ndrop")
    listing = forward("jump inner", objects + chain("empty", "counter"))

    assert not is_judged(listing)


def test_snat_and_masquerade_give_another_source() -> None:
    """Whatever address it is."""
    first = chain("c", "meta l4proto tcp dnat to 10.0.0.1:80", NAT)
    expected = sent(to("10.0.0.1:80", masquerade=True))

    for statement in ("masquerade", "snat to 10.32.1.11", "masquerade to :1024-65535 random"):
        rule = f"meta l4proto tcp {statement}"
        assert fate(table(first + chain("p", rule, POST))) == expected


def test_an_untracked_packet_is_not_translated() -> None:
    """notrack at raw comes before nat, and changes the conntrack state."""
    listing = table(
        chain("r", "ct state new notrack counter", "filter hook prerouting priority raw")
        + chain("c", "meta l4proto tcp dnat to 10.0.0.1:80", NAT)
        + chain("f", "ct state untracked drop", FORWARD)
    )

    assert fate(listing) == DROP
