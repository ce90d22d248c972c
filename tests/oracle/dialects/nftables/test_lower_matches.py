"""A match of nft lets through the packets that the kernel would."""

import pytest

from model.outcome import Verdict
from model.packet import Origin
from tests.oracle.dialects.nftables.lowering import (
    DROP,
    NODE,
    PASS,
    chain,
    fate,
    forward,
    is_judged,
    packet,
    rulesets,
    settled,
    table,
    verdicts,
    walked,
)

MATCHES = [
    ("ip daddr 10.96.0.1", {}, "drop"),
    ("ip daddr 10.96.0.2", {}, "pass"),
    ("ip daddr != 10.96.0.2", {}, "drop"),
    ("ip daddr 10.96.0.0/16", {}, "drop"),
    ("ip daddr 10.96.0.0-10.96.0.1", {}, "drop"),
    ("ip daddr 10.96.0.2-10.96.0.9", {}, "pass"),
    ("ip daddr { 10.96.0.1, 10.97.0.0/16 }", {}, "drop"),
    ("ip daddr != { 10.96.0.1, 10.97.0.0/16 }", {}, "pass"),
    ("ip daddr & 255.255.0.0 == 10.96.0.0", {}, "drop"),
    ("ip daddr & 255.255.0.0 != 10.96.0.0", {}, "pass"),
    ("ip daddr & 255.255.0.0 == 10.97.0.0", {}, "pass"),
    ("ip saddr 203.0.113.0/24", {}, "drop"),
    ("ip saddr != 203.0.113.0/24", {}, "pass"),
    ("ip daddr > 10.96.0.0", {}, "drop"),
    ("ip daddr < 10.96.0.1", {}, "pass"),
    ("ip protocol tcp", {}, "drop"),
    ("ip protocol udp", {}, "pass"),
    ("meta l4proto tcp", {}, "drop"),
    ("meta l4proto != tcp", {}, "pass"),
    ("meta l4proto { tcp, udp }", {}, "drop"),
    ("meta l4proto { icmp, udp }", {}, "pass"),
    ("tcp dport 80", {}, "drop"),
    ("tcp dport 80", {"protocol": "udp"}, "pass"),
    ("tcp dport != 80", {}, "pass"),
    ("tcp dport != 81", {"protocol": "udp"}, "pass"),
    ("udp dport 80", {"protocol": "udp"}, "drop"),
    ("sctp dport 80", {"protocol": "sctp"}, "drop"),
    ("tcp dport { 22, 80-90 }", {}, "drop"),
    ("tcp dport >= 80", {}, "drop"),
    ("tcp dport > 80", {}, "pass"),
    ("tcp dport <= 79", {}, "pass"),
    ("meta l4proto { tcp, udp } th dport 80", {"protocol": "udp"}, "drop"),
    ("meta l4proto { tcp, udp } th dport 80", {"protocol": "icmp"}, "pass"),
    ("th dport 80", {"protocol": "udp"}, "drop"),
    ("th dport 81", {}, "pass"),
    ("meta nfproto ipv4", {}, "drop"),
    ("meta nfproto ipv6", {}, "pass"),
    ("meta protocol ip", {}, "drop"),
    ("meta protocol != ip", {}, "pass"),
    ("ct state new", {}, "drop"),
    ("ct state established,related", {}, "pass"),
    ("ct state new,established", {}, "drop"),
    ("ct state { new, untracked }", {}, "drop"),
    ("ct state != { new, untracked }", {}, "pass"),
    ("ct state != established", {}, "drop"),
    ("ct state invalid", {}, "pass"),
    ("ct direction original", {}, "drop"),
    ("ct direction reply", {}, "pass"),
    ("ct status dnat", {}, "pass"),
    ("fib saddr type local", {}, "pass"),
    ("fib saddr type != local", {}, "drop"),
    ("fib daddr type multicast", {}, "pass"),
    ("fib daddr type multicast", {"to": "224.0.0.5:80"}, "drop"),
    ('iifname "eth0"', {"in_interface": "eth0"}, "drop"),
    ('iifname "eth*"', {"in_interface": "eth7"}, "drop"),
    ('iifname "eth*"', {"in_interface": "cali7"}, "pass"),
    ('iifname != "eth0"', {"in_interface": "eth0"}, "pass"),
    ('iif "eth0"', {"in_interface": "eth0"}, "drop"),
    ('iifname { "eth0", "cali1" }', {"in_interface": "cali1"}, "drop"),
    ('iifname != { "eth0", "cali1" }', {"in_interface": "cali1"}, "pass"),
    ('oifname "eth0"', {"to": "10.32.1.77:80"}, "drop"),
    ('oifname "lo"', {"to": "10.32.1.77:80"}, "pass"),
    ("meta mark 0x0", {}, "drop"),
    ("meta mark 0x1", {}, "pass"),
    ("meta mark != 0x1", {}, "drop"),
    ("meta mark & 0x4000 == 0x4000", {}, "pass"),
    ("meta mark & 0x4000 != 0x4000", {}, "drop"),
    ("meta mark & 0x4000 == 0x1", {}, "pass"),
    ("meta mark 0x0-0x5", {}, "drop"),
    ("meta mark 0x1-0x5", {}, "pass"),
    ("tcp flags syn", {}, "drop"),
    ("tcp flags ack", {}, "pass"),
    ("tcp flags & (fin | syn | rst | ack) == syn", {}, "drop"),
    ("tcp flags & (fin | syn | rst | ack) != syn", {}, "pass"),
    ("tcp flags & (fin | syn) == fin | syn", {}, "pass"),
]
CONCAT = (
    "set s {\ntype ipv4_addr . inet_proto . inet_service\nflags interval\n"
    "elements = { 10.96.0.1 . tcp . 80, 10.97.0.0/16 . udp . 53-54 }\n}"
)


@pytest.mark.parametrize(("match", "about", "verdict"), MATCHES)
def test_a_match(match: str, about: dict[str, str], verdict: str) -> None:
    """A rule of one match that drops, asked about a packet from outside, forwarded."""
    assert fate(forward(f"{match} drop"), packet(**about)).verdict.value == verdict  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "match",
    [
        "ip ttl 1",
        "ip dscp cs1",
        "ct mark 0x1",
        "meta skuid 0",
        "meta cgroup 5",
        "tcp flags psh",
        "tcp flags == syn",
        "fib daddr . iif type local",
        "fib daddr type broadcast",
        "ct status assured",
        "ct status != dnat",
        "limit rate 5/second",
        "ip daddr & 0.0.0.255 == 0.0.0.1",
        "jhash ip saddr mod 2 0",
        "@th,16,16 80",
        'meta l4proto tcp ct helper "ftp"',
        'xt match "string"',
    ],
)
def test_what_cannot_be_known_is_not_judged(match: str) -> None:
    """Neither the match nor its contrary is taken for granted, and the line is listed."""
    listing = forward(f"{match} drop")

    assert not is_judged(listing)
    assert rulesets(listing)[0].unsupported != ()


@pytest.mark.parametrize("statement", ["counter packets 3 bytes 180", 'log prefix "x"', 'xt match "comment"'])
def test_what_lets_every_packet_through_says_nothing(statement: str) -> None:
    """Counters, logs and comments do not decide."""
    assert fate(forward(f"tcp dport 80 {statement} drop")) == DROP


def test_a_source_port_is_not_known_of_a_packet() -> None:
    """Clients choose it; a rule that asks for it may meet the packet or not."""
    assert not is_judged(forward("tcp sport 1024-65535 drop"))
    assert fate(forward("udp sport 1024-65535 drop")) == PASS


def test_a_doubt_that_the_rest_of_the_rule_rules_out_does_not_matter() -> None:
    """A packet of another port needs no answer; nor does one whose fate is the same."""
    listing = forward("tcp dport 81 ip ttl 1 drop")
    twice = forward("ip ttl 1 drop\ndrop")

    assert fate(listing) == PASS
    assert fate(twice) == DROP


def test_th_dport_of_a_protocol_without_ports_reads_its_payload() -> None:
    """ICMP has bytes there, and nobody knows which."""
    ping = packet("10.96.0.1:0", protocol="icmp")

    assert not is_judged(forward("th dport 53 drop"), ping)
    assert not is_judged(forward("th dport != 53 drop"), ping)
    assert fate(forward("meta l4proto udp th dport 53 drop"), ping) == PASS
    assert fate(forward("udp dport != 53 drop"), ping) == PASS


def test_inet_tables_are_of_both_families_and_narrowed_by_what_they_name() -> None:
    """`ip` and `ip6` matches are of their own packets alone."""
    rules = """
        ip daddr 10.96.0.1 drop
        ip6 daddr fd00::1 reject
        meta nfproto ipv6 tcp dport 443 drop
        tcp dport 22 drop"""
    listing = forward(rules, kind="inet")

    assert verdicts(
        listing,
        [
            packet(),
            packet("[fd00::1]:80"),
            packet("[fd00::2]:443"),
            packet("10.0.0.1:443"),
            packet("[fd00::2]:22"),
        ],
    ) == ["drop", "reject", "drop", "pass", "drop"]


def test_local_addresses_are_the_nodes() -> None:
    """fib type local asks the node's addresses, of sources and destinations."""
    rules = chain("c", "fib daddr type local drop", "filter hook prerouting priority filter")
    out = chain("o", "fib saddr type local drop", "filter hook output priority filter")
    listing = table(rules + "\n" + out)

    assert fate(listing, packet(f"{NODE}:22")) == DROP
    assert fate(listing, packet("10.32.1.12:22")) == PASS
    assert fate(listing, packet("10.32.1.12:22", NODE, origin=Origin.NODE)) == DROP


def test_a_trace_names_the_rule_that_was_met() -> None:
    """Line and text of the dump, also where one rule became several."""
    listing = forward("tcp dport 81 drop\nip daddr . meta l4proto . th dport @s drop", CONCAT)
    (line,) = walked(listing).path

    assert listing.splitlines()[line.line - 1].strip() == line.text
    assert line.text == "ip daddr . meta l4proto . th dport @s drop"


def test_a_refusal_is_named_as_in_iptables() -> None:
    """One vocabulary of errors for both dialects; TCP resets are of TCP alone."""
    named = {
        "reject": "icmp-port-unreachable",
        "reject with icmp host-unreachable": "icmp-host-unreachable",
        "reject with icmp prot-unreachable": "icmp-proto-unreachable",
        "reject with icmpx admin-prohibited": "icmp-admin-prohibited",
        "reject with tcp reset": "tcp-reset",
    }
    for statement, error in named.items():
        assert fate(forward(statement)) == settled(Verdict.REJECT, error)
    assert fate(forward("reject", kind="ip6"), packet("[fd00::1]:80")) == settled(
        Verdict.REJECT, "icmp6-port-unreachable"
    )
    assert fate(
        forward("reject with icmpx admin-prohibited", kind="inet"), packet("[fd00::1]:80")
    ) == settled(Verdict.REJECT, "icmp6-adm-prohibited")
    assert fate(forward("reject with tcp reset"), packet(protocol="udp")) == PASS
