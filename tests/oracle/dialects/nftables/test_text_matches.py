"""The text of matches: operators, expressions and values in the type of their left side."""

import pytest

from oracle.dialects.nftables.expressions import (
    Binary,
    BitOp,
    Concat,
    Ct,
    Expression,
    Fib,
    Flags,
    Jhash,
    Meta,
    Payload,
    Range,
    RawPayload,
    SetLiteral,
    SetReference,
    Symhash,
    Unknown,
    Verdict,
    VerdictKind,
)
from oracle.dialects.nftables.statements import (
    Match,
    MatchOp,
)
from tests.oracle.dialects.nftables.listings import (
    address,
    addresses,
    elements,
    right_of,
    statement,
)

ACCEPT = Verdict(VerdictKind.ACCEPT)
DROP = Verdict(VerdictKind.DROP)
MARK = Meta("mark")
DADDR = Payload("ip", "daddr")
SADDR = Payload("ip", "saddr")


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("meta mark & 0x00004000 != 0x00000000", Match(MatchOp.NE, Binary(BitOp.AND, MARK, 0x4000), 0)),
        ("mark and 0x4000 == 0x0", Match(MatchOp.EQ, Binary(BitOp.AND, MARK, 0x4000), 0)),
        # How nft prints `meta mark & 0x80000000 != 0`, the mark of masqueradeBit 31.
        ("meta mark != 0x00000000/1", Match(MatchOp.NE, MARK, Range(0, 0x7FFFFFFF))),
        ("tcp dport 32768/1", Match(MatchOp.EQ, Payload("tcp", "dport"), Range(0x8000, 0xFFFF))),
        ("meta mark 0x5", Match(MatchOp.EQ, MARK, 5)),
        (
            "meta random & 2147483647 < 1073741824",
            Match(MatchOp.LT, Binary(BitOp.AND, Meta("random"), 2147483647), 1073741824),
        ),
        ("tcp dport 80-90", Match(MatchOp.EQ, Payload("tcp", "dport"), Range(80, 90))),
        ("tcp dport != 80", Match(MatchOp.NE, Payload("tcp", "dport"), 80)),
        ("ip ttl <= 5", Match(MatchOp.LE, Payload("ip", "ttl"), 5)),
        ("meta length >= 100", Match(MatchOp.GE, Meta("length"), 100)),
        ("udp length > 10", Match(MatchOp.GT, Payload("udp", "length"), 10)),
        ("ct state new", Match(MatchOp.IN, Ct("state"), "new")),
        ("ct state established,related", Match(MatchOp.IN, Ct("state"), Flags(("established", "related")))),
        ("ct state 0x8", Match(MatchOp.IN, Ct("state"), "new")),
        ("ct state != new", Match(MatchOp.NE, Ct("state"), "new")),
        (
            "ct state { established, new }",
            Match(MatchOp.EQ, Ct("state"), SetLiteral(elements("established", "new"))),
        ),
        ("ct status dnat", Match(MatchOp.IN, Ct("status"), "dnat")),
        ("ct status ! dnat", Match(MatchOp.NONE_OF, Ct("status"), "dnat")),
        ("ct original proto-dst 80", Match(MatchOp.EQ, Ct("proto-dst", "original"), 80)),
        ("ct original ip saddr 1.2.3.4", Match(MatchOp.EQ, Ct("ip saddr", "original"), address("1.2.3.4"))),
        ("ct direction original", Match(MatchOp.EQ, Ct("direction"), "original")),
        ("ct expiration > 5s", Match(MatchOp.GT, Ct("expiration"), 5)),
        ("tcp flags syn", Match(MatchOp.IN, Payload("tcp", "flags"), 2)),
        ("tcp flags == syn", Match(MatchOp.EQ, Payload("tcp", "flags"), 2)),
        (
            "tcp flags syn / fin,syn,rst,ack",
            Match(MatchOp.EQ, Binary(BitOp.AND, Payload("tcp", "flags"), 0x17), 2),
        ),
        (
            "tcp flags != syn / fin,syn,rst,ack",
            Match(MatchOp.NE, Binary(BitOp.AND, Payload("tcp", "flags"), 0x17), 2),
        ),
        (
            "tcp flags & (fin | syn | rst | ack) == syn",
            Match(MatchOp.EQ, Binary(BitOp.AND, Payload("tcp", "flags"), 0x17), 2),
        ),
        ("fib daddr type local", Match(MatchOp.EQ, Fib(("daddr",), "type"), "local")),
        ("fib daddr type 2", Match(MatchOp.EQ, Fib(("daddr",), "type"), "local")),
        (
            "fib daddr . iif type != { local, broadcast }",
            Match(MatchOp.NE, Fib(("daddr", "iif"), "type"), SetLiteral(elements("local", "broadcast"))),
        ),
        (
            "fib saddr . mark . iif oif missing",
            Match(MatchOp.EQ, Fib(("saddr", "mark", "iif"), "oif"), "missing"),
        ),
        ("fib saddr . iif oif 0", Match(MatchOp.EQ, Fib(("saddr", "iif"), "oif"), "missing")),
        ("ip daddr != 127.0.0.0/8", Match(MatchOp.NE, DADDR, addresses("127.0.0.0", "127.255.255.255"))),
        ("ip daddr @cluster-ips", Match(MatchOp.EQ, DADDR, SetReference("cluster-ips"))),
        (
            "ip saddr != { 10.0.0.0/8, 1.1.1.1-1.1.1.3 }",
            Match(
                MatchOp.NE,
                SADDR,
                SetLiteral(
                    elements(addresses("10.0.0.0", "10.255.255.255"), addresses("1.1.1.1", "1.1.1.3"))
                ),
            ),
        ),
        (
            "ip saddr . tcp dport 1.1.1.1 . 80",
            Match(MatchOp.EQ, Concat((SADDR, Payload("tcp", "dport"))), Concat((address("1.1.1.1"), 80))),
        ),
        (
            "ip saddr & 255.0.255.0 == 10.0.1.0",
            Match(MatchOp.EQ, Binary(BitOp.AND, SADDR, address("255.0.255.0")), address("10.0.1.0")),
        ),
        ("ip6 daddr != ::1", Match(MatchOp.NE, Payload("ip6", "daddr"), address("::1"))),
        ('iifname "eth0"', Match(MatchOp.EQ, Meta("iifname"), "eth0")),
        ('meta iifname != "cali*"', Match(MatchOp.NE, Meta("iifname"), "cali*")),
        ('iif "lo"', Match(MatchOp.EQ, Meta("iif"), "lo")),
        ("iifgroup 5", Match(MatchOp.EQ, Meta("iifgroup"), "5")),
        ("meta pkttype unicast", Match(MatchOp.EQ, Meta("pkttype"), "host")),
        ("meta nfproto 10", Match(MatchOp.EQ, Meta("nfproto"), "ipv6")),
        ("meta protocol ip", Match(MatchOp.EQ, Meta("protocol"), "ip")),
        ('meta hour "10:00"-"12:00"', Match(MatchOp.EQ, Meta("hour"), Range("10:00", "12:00"))),
        ("jhash ip saddr mod 3 seed 0x5 0", Match(MatchOp.EQ, Jhash(SADDR, 3, 5), 0)),
        ("symhash mod 2 offset 5 6", Match(MatchOp.EQ, Symhash(2, 5), 6)),
        ("@nh,0,8 & 0xf == 0x5", Match(MatchOp.EQ, Binary(BitOp.AND, RawPayload("nh", 0, 8), 15), 5)),
        ("rt ipsec missing", Match(MatchOp.EQ, Unknown("rt ipsec"), "missing")),
        ("socket transparent 1", Match(MatchOp.EQ, Unknown("socket transparent"), 1)),
    ],
)
def test_a_match_compares(rule: str, expected: Match) -> None:
    """Operators, values in the type of their left side, sets, and what is computed."""
    assert expected == statement(rule)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("meta l4proto sctp", 132),
        ("meta l4proto 253", 253),
        ("ip protocol icmp", 1),
        ("ip6 nexthdr ipv6-icmp", 58),
        ("icmp type echo-request", 8),
        ("icmp code port-unreachable", 3),
        ("icmpv6 type nd-neighbor-solicit", 135),
        ("icmpv6 type { 128, echo-reply }", SetLiteral(elements(128, 129))),
        ("ip dscp cs1", 8),
        ("ip dscp af21", 18),
        ("ip dscp ef", 46),
        ("th dport https", 443),
        ("tcp dport { ssh, 80, 1000-2000 }", SetLiteral(elements(22, 80, Range(1000, 2000)))),
        ("tcp dport 7-7", 7),
    ],
)
def test_names_of_numbers_are_numbers(rule: str, expected: Expression) -> None:
    """Protocols, ICMP types and codes, DSCP classes, and names of ports that are certain."""
    assert expected == right_of(rule)


@pytest.mark.parametrize(
    ("rule", "word"),
    [
        ("tcp dport no-such-service", "no-such-service"),
        ("meta l4proto tcpp", "tcpp"),
        ("ip daddr fd00::1", "fd00::1"),
        ("ip daddr 1.2.3.4/33", "1.2.3.4/33"),
        ("ip daddr 1.2.3.400", "1.2.3.400"),
        ("tcp dport 90-80", "90-80"),
    ],
)
def test_a_word_without_meaning_in_its_type_is_unknown(rule: str, word: str) -> None:
    """Never guessed: a service by an uncertain name, an address of the other family."""
    assert Unknown(word) == right_of(rule)
