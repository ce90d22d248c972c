"""A map does what the element of the packet says, or what chance says."""

from fractions import Fraction

import pytest

from tests.oracle.dialects.nftables.lowering import (
    DROP,
    chain,
    fate,
    forward,
    packet,
    prerouting,
    sent,
    to,
    verdicts,
)

HALF, THIRD = Fraction(1, 2), Fraction(1, 3)


def test_a_map_does_what_its_element_says() -> None:
    """Verdicts of a named map; what it does not hold meets the next rule."""
    listing = forward(
        "ip daddr . meta l4proto . th dport vmap @m\ntcp dport 22 drop",
        "map m {\ntype ipv4_addr . inet_proto . inet_service : verdict\nelements = {"
        ' 10.96.0.1 . tcp . 80 comment "ns/s:p" : drop, 10.96.0.2 . tcp . 80 : goto r,'
        " 10.96.0.3 . tcp . 22 : accept, 10.96.0.4 . tcp . 22 : continue }\n}\n" + chain("r", "reject"),
    )
    packets = [packet(f"10.96.0.{n}:{port}") for n, port in ((1, 80), (1, 81), (2, 80), (3, 22), (4, 22))]

    assert verdicts(listing, packets) == ["drop", "pass", "reject", "pass", "drop"]


def test_a_jump_from_a_map_comes_back_behind_the_rule_and_a_goto_does_not() -> None:
    """The called chain returns to the next rule, or to the caller of the rule's chain."""
    objects = chain("empty", "counter") + chain(
        "inner", "tcp dport vmap { 80 : jump empty, 81 : goto empty }\ndrop"
    )
    listing = forward("jump inner\nreject", objects)

    assert verdicts(listing, [packet("10.0.0.1:80"), packet("10.0.0.1:81")]) == ["drop", "reject"]


def test_a_map_of_spans_and_its_catch_all() -> None:
    """`*` takes what no other element does, also where those come back."""
    objects = chain("empty", "counter")
    last = forward("tcp dport vmap { 80-90 : accept, * : drop }\nreject")
    coming_back = forward("tcp dport vmap { 80-90 : jump empty, * : drop }\nreject", objects)
    ports = [packet(f"10.0.0.1:{port}") for port in (79, 80, 90, 91)]

    assert verdicts(last, ports) == ["drop", "pass", "pass", "drop"]
    assert verdicts(coming_back, ports) == ["drop", "reject", "reject", "drop"]


def test_states_interfaces_and_local_addresses_choose_from_maps() -> None:
    """As firewalls write them."""
    states = forward("ct state vmap { established : accept, related : accept, new : drop }\nreject")
    faces = forward('iifname vmap { "lo" : accept, "eth0" : drop }\nreject')

    assert fate(states) == DROP
    assert verdicts(faces, [packet(in_interface="eth0"), packet(in_interface="cali1")]) == ["drop", "reject"]


def test_a_map_of_marks_looks_once() -> None:
    """The chain that the first element calls changes the mark to the second's."""
    objects = chain("one", "meta mark set 0x2") + chain("two", "drop")
    listing = forward("meta mark set 0x1\nmeta mark vmap { 0x1 : jump one, 0x2 : jump two }\nreject", objects)

    assert verdicts(listing, [packet()]) == ["reject"]


def test_each_number_of_a_random_map_has_the_same_odds() -> None:
    """FWD-LB-01, in one rule that translates and in one that chooses chains."""
    ends = "".join(chain(f"e{n}", f"meta l4proto tcp dnat to 10.0.0.{n}:8080") for n in (1, 2, 3))
    straight = prerouting(
        "meta l4proto tcp dnat ip to numgen random mod 3 map"
        " { 0 : 10.0.0.1 . 8080, 1 : 10.0.0.2 . 8080, 2 : 10.0.0.3 . 8080 }"
    )
    chains = prerouting("numgen random mod 3 vmap { 0 : goto e1, 1 : goto e2, 2 : goto e3 }", ends)
    robin = prerouting("numgen inc mod 3 vmap { 0 : goto e1, 1 : goto e2, 2 : goto e3 }", ends)
    expected = sent(*(to(f"10.0.0.{n}:8080", THIRD) for n in (1, 2, 3)))

    assert [fate(listing) for listing in (straight, chains, robin)] == [expected] * 3


@pytest.mark.parametrize("back", ["jump empty", "continue"])
def test_what_a_random_number_lets_come_back_meets_the_next_rule_and_no_other_choice(back: str) -> None:
    """Half are dropped by the map, and the others by nothing until the rule behind it."""
    objects = chain("empty", "counter")
    listing = forward(f"numgen random mod 2 vmap {{ 0 : {back}, 1 : drop }}\ntcp dport 80 reject", objects)
    ways = {leaf.verdict.value: leaf.odds for leaf in fate(listing).leaves}

    assert ways == {"reject": HALF, "drop": HALF}


@pytest.mark.parametrize(
    ("elements", "odds"),
    [
        ("0 : 10.0.0.1 . 80, 2 : 10.0.0.2 . 80", ["pass 1/3", "1 1/3", "2 1/3"]),
        ("0-1 : 10.0.0.1 . 80, 2 : 10.0.0.2 . 80", ["1 2/3", "2 1/3"]),
        ("0 : 10.0.0.1 . 80, 1 : 10.0.0.2 . 80, 3 : 10.0.0.3 . 80", ["pass 1/3", "1 1/3", "2 1/3"]),
        ("2 : 10.0.0.2 . 80, 1 : 10.0.0.1 . 80, 0 : 10.0.0.1 . 80", ["1 2/3", "2 1/3"]),
    ],
)
def test_numbers_missing_or_never_drawn_are_gaps(elements: str, odds: list[str]) -> None:
    """What is drawn and not found goes untranslated: connections lost, and never hidden."""
    listing = prerouting(f"meta l4proto tcp dnat ip to numgen random mod 3 map {{ {elements} }}")

    found = [
        f"{leaf.target.address & 0xFF if leaf.target else 'pass'} {leaf.odds}"
        for leaf in fate(listing).leaves
    ]
    assert sorted(odds) == sorted(found)


def test_a_gap_meets_the_next_rule() -> None:
    """A lookup that finds nothing ends its rule alone."""
    listing = prerouting(
        "meta l4proto tcp dnat ip to numgen random mod 2 map { 0 : 10.0.0.1 . 80 }\n"
        "meta l4proto tcp dnat to 10.0.0.9:90"
    )

    assert fate(listing) == sent(to("10.0.0.1:80", HALF), to("10.0.0.9:90", HALF))


def test_numbers_begin_at_the_offset() -> None:
    """`mod 2 offset 10` draws 10 and 11."""
    listing = prerouting(
        "meta l4proto tcp dnat ip to numgen random mod 2 offset 10"
        " map { 10 : 10.0.0.1 . 80, 11 : 10.0.0.2 . 80 }"
    )

    assert fate(listing) == sent(to("10.0.0.1:80", HALF), to("10.0.0.2:80", HALF))
