"""The text of what rules do: verdicts, choices, translations, refusals, marks."""

import pytest

from oracle.dialects.nftables.expressions import (
    ANYTHING,
    Binary,
    BitOp,
    Concat,
    Ct,
    Element,
    Expression,
    MapLookup,
    Meta,
    Numgen,
    Payload,
    Range,
    SetLiteral,
    SetReference,
    Unknown,
    Verdict,
    VerdictKind,
)
from oracle.dialects.nftables.statements import (
    Mangle,
    Masquerade,
    Match,
    MatchOp,
    Nat,
    NatKind,
    Notrack,
    Redirect,
    Reject,
    Tproxy,
    VerdictMap,
)
from tests.oracle.dialects.nftables.listings import (
    V4,
    V6,
    address,
    addresses,
    statement,
    statements,
)

ACCEPT = Verdict(VerdictKind.ACCEPT)
DROP = Verdict(VerdictKind.DROP)
MARK = Meta("mark")
DADDR = Payload("ip", "daddr")
SADDR = Payload("ip", "saddr")
DPORT = Payload("th", "dport")
L4PROTO = Meta("l4proto")


@pytest.mark.parametrize("kind", list(VerdictKind))
def test_verdicts_are_words(kind: VerdictKind) -> None:
    """Jump and goto name a chain, whose name may hold slashes (rules-nftables 2)."""
    chain = "service-ULMVA6XW-ns1/svc1/tcp/p80" if kind in (VerdictKind.JUMP, VerdictKind.GOTO) else ""

    assert Verdict(kind, chain) == statement(f"{kind.value} {chain}")


def test_dispatch_looks_up_a_verdict_by_a_key_of_three() -> None:
    """The rule by which every Service is found (rules-nftables 1)."""
    key = Concat((DADDR, L4PROTO, DPORT))

    assert VerdictMap(key, SetReference("service-ips")) == statement(
        "ip daddr . meta l4proto . th dport vmap @service-ips"
    )


def test_a_choice_among_endpoints_is_drawn() -> None:
    """`addr . port` is dropped by nft, and the map gives both (rules-nftables 1, 5)."""
    branches = SetLiteral(
        (
            Element(0, Concat((address("10.180.0.1"), 80))),
            Element(1, Concat((address("10.180.0.2"), 80))),
        )
    )
    dnat = Nat(NatKind.DNAT, V4, MapLookup(Numgen("random", 2), branches))
    rule = (
        "meta l4proto tcp dnat ip {}to numgen random mod 2 map {{ 0 : 10.180.0.1 . 80, 1 : 10.180.0.2 . 80 }}"
    )

    assert (Match(MatchOp.EQ, L4PROTO, 6), dnat) == statements(rule.format(""))
    assert (Match(MatchOp.EQ, L4PROTO, 6), dnat) == statements(rule.format("addr . port "))


def test_a_choice_among_chains_is_drawn() -> None:
    """With affinity, or up to 1.35 (rules-nftables 4)."""
    branches = (
        Element(0, Verdict(VerdictKind.GOTO, "endpoint-5OJB2KTY-ns1/svc1/tcp/p80__10.180.0.1/80")),
        Element(Range(1, 4), Verdict(VerdictKind.DROP)),
    )

    assert VerdictMap(Numgen("inc", 5, 2), SetLiteral(branches)) == statement(
        "numgen inc mod 5 offset 2 vmap"
        " { 0 : goto endpoint-5OJB2KTY-ns1/svc1/tcp/p80__10.180.0.1/80, 1-4 : drop }"
    )


def test_a_literal_map_may_catch_the_rest() -> None:
    """`*` beside other keys."""
    branches = (Element(address("1.1.1.1"), DROP), Element(ANYTHING, Verdict(VerdictKind.CONTINUE)))

    assert VerdictMap(SADDR, SetLiteral(branches)) == statement(
        "ip saddr vmap { 1.1.1.1 : drop, * : continue }"
    )


@pytest.mark.parametrize(
    ("rule", "family", "expected"),
    [
        ("dnat to 10.244.0.10:8080", "ip", Nat(NatKind.DNAT, V4, address("10.244.0.10"), 8080)),
        ("dnat to [fd00::1]:80", "ip6", Nat(NatKind.DNAT, V6, address("fd00::1"), 80)),
        ("dnat ip6 to [fd00::1]:80", "inet", Nat(NatKind.DNAT, V6, address("fd00::1"), 80)),
        ("dnat ip6 to fd00::1", "inet", Nat(NatKind.DNAT, V6, address("fd00::1"))),
        ("dnat ip to 1.2.3.4:80", "inet", Nat(NatKind.DNAT, V4, address("1.2.3.4"), 80)),
        ("dnat to :80", "ip", Nat(NatKind.DNAT, V4, None, 80)),
        ("dnat to :80", "inet", Nat(NatKind.DNAT, None, None, 80)),
        (
            "dnat ip to 1.2.3.4-1.2.3.9:80-90 persistent",
            "inet",
            Nat(NatKind.DNAT, V4, addresses("1.2.3.4", "1.2.3.9"), Range(80, 90), ("persistent",)),
        ),
        (
            "snat ip6 to [fd00::1]-[fd00::9]:1024-65535 random,persistent",
            "inet",
            Nat(
                NatKind.SNAT,
                V6,
                addresses("fd00::1", "fd00::9"),
                Range(1024, 65535),
                ("persistent", "random"),
            ),
        ),
        ("snat ip6 to fd00::1-fd00::9", "inet", Nat(NatKind.SNAT, V6, addresses("fd00::1", "fd00::9"))),
        (
            "snat to 1.2.3.4 fully-random",
            "ip",
            Nat(NatKind.SNAT, V4, address("1.2.3.4"), None, ("fully-random",)),
        ),
        ("dnat ip to ip saddr map @m", "inet", Nat(NatKind.DNAT, V4, MapLookup(SADDR, SetReference("m")))),
        (
            "dnat ip to ip saddr map @m:80",
            "inet",
            Nat(NatKind.DNAT, V4, MapLookup(SADDR, SetReference("m")), 80),
        ),
        (
            "dnat ip to ip saddr map { 1.1.1.1 : 2.2.2.2 }:80",
            "inet",
            Nat(
                NatKind.DNAT,
                V4,
                MapLookup(SADDR, SetLiteral((Element(address("1.1.1.1"), address("2.2.2.2")),))),
                80,
            ),
        ),
        (
            "snat ip prefix to ip saddr map { 10.0.0.0/24 : 11.0.0.0/24 }",
            "inet",
            Nat(
                NatKind.SNAT,
                V4,
                MapLookup(
                    SADDR,
                    SetLiteral(
                        (Element(addresses("10.0.0.0", "10.0.0.255"), addresses("11.0.0.0", "11.0.0.255")),)
                    ),
                ),
                None,
                ("prefix",),
            ),
        ),
        ("redirect", "ip", Redirect()),
        ("redirect to :80", "ip", Redirect(80)),
        ("redirect to :80-90 random", "ip", Redirect(Range(80, 90), ("random",))),
        (
            "redirect to :tcp dport map { 80 : 8080 }",
            "ip",
            Redirect(MapLookup(Payload("tcp", "dport"), SetLiteral((Element(80, 8080),)))),
        ),
        ("masquerade", "ip", Masquerade()),
        ("masquerade fully-random", "ip", Masquerade(None, ("fully-random",))),
        (
            "masquerade to :1024-65535 random,persistent",
            "ip",
            Masquerade(Range(1024, 65535), ("persistent", "random")),
        ),
        ("tproxy ip to 127.0.0.1:5", "inet", Tproxy(V4, address("127.0.0.1"), 5)),
        ("tproxy to :5", "inet", Tproxy(None, None, 5)),
        ("notrack", "ip", Notrack()),
    ],
)
def test_translations_have_an_address_and_a_port(rule: str, family: str, expected: object) -> None:
    """Every form of target; a family that is not said is the table's."""
    assert expected == statement(rule, family)


@pytest.mark.parametrize(
    ("rule", "family", "expected"),
    [
        ("reject", "ip", Reject("icmp", "port-unreachable")),
        ("reject", "ip6", Reject("icmpv6", "port-unreachable")),
        ("reject", "inet", Reject("icmpx", "port-unreachable")),
        ("reject with icmp port-unreachable", "ip", Reject("icmp", "port-unreachable")),
        ("reject with icmp type host-unreachable", "ip", Reject("icmp", "host-unreachable")),
        ("reject with icmpv6 no-route", "ip6", Reject("icmpv6", "no-route")),
        ("reject with icmpx type admin-prohibited", "inet", Reject("icmpx", "admin-prohibited")),
        ("reject with icmp 3", "ip", Reject("icmp", "port-unreachable")),
        ("reject with tcp reset", "ip", Reject("tcp reset")),
    ],
)
def test_a_refusal_names_its_error(rule: str, family: str, expected: Reject) -> None:
    """Alone, it is the port-unreachable of its family; versions differ in the word `type`."""
    assert expected == statement(rule, family)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("meta mark set meta mark | 0x00004000", Binary(BitOp.OR, MARK, 0x4000)),
        ("meta mark set mark or 0x4000", Binary(BitOp.OR, MARK, 0x4000)),
        ("mark set mark xor 0x4000", Binary(BitOp.XOR, MARK, 0x4000)),
        ("meta mark set 5", 5),
        (
            "meta mark set meta mark & 0xffff0005 | 0x00000005",
            Binary(BitOp.OR, Binary(BitOp.AND, MARK, 0xFFFF0005), 5),
        ),
        (
            "meta mark set (meta mark & 0xffff0005) | 0x00000005",
            Binary(BitOp.OR, Binary(BitOp.AND, MARK, 0xFFFF0005), 5),
        ),
        (
            "meta mark set meta mark & 0xfff0ffff ^ 0x00010000",
            Binary(BitOp.XOR, Binary(BitOp.AND, MARK, 0xFFF0FFFF), 0x10000),
        ),
        (
            "meta mark set meta mark | ct mark & 0xff",
            Binary(BitOp.OR, MARK, Binary(BitOp.AND, Ct("mark"), 255)),
        ),
        ("meta mark set meta mark << 8", Binary(BitOp.LSHIFT, MARK, 8)),
        ("meta mark set ct mark", Ct("mark")),
        ("meta mark set ip saddr map @marks", MapLookup(SADDR, SetReference("marks"))),
        (
            "meta mark set ip saddr map { 10.0.0.0/8 : 0x00000005 }",
            MapLookup(SADDR, SetLiteral((Element(addresses("10.0.0.0", "10.255.255.255"), 5),))),
        ),
        ("meta mark set numgen random mod 3", Numgen("random", 3)),
    ],
)
def test_a_mark_is_set_to_what_operators_give(rule: str, expected: Expression) -> None:
    """Shifts bind first, then `&`, `^`, `|`; words and signs mean the same (rules-nftables 5)."""
    assert Mangle(MARK, expected) == statement(rule)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("ct mark set meta mark", Mangle(Ct("mark"), MARK)),
        ("ct zone set 5", Mangle(Ct("zone"), 5)),
        ("ip daddr set 1.2.3.4", Mangle(DADDR, address("1.2.3.4"))),
        ("tcp dport set 80", Mangle(Payload("tcp", "dport"), 80)),
        ("tcp option maxseg size set rt mtu", Mangle(Unknown("tcp option maxseg size"), Unknown("rt mtu"))),
    ],
)
def test_more_than_marks_can_be_set(rule: str, expected: Mangle) -> None:
    """Connection marks and fields of headers; what is written of a TCP option is no known value."""
    assert expected == statement(rule)
