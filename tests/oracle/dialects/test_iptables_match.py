"""What each match of a rule means, and that what cannot be judged says so."""

from fractions import Fraction

import pytest

from model.addresses import Family
from model.intervals import Intervals
from model.predicate import ALWAYS, All, Any, Fact, Field, Not, Predicate, Within
from oracle.dialects.iptables.matches import parse_match
from oracle.dialects.iptables.tokens import MalformedError, WrongFamilyError

V4, V6 = Family.IPV4, Family.IPV6
TOP4 = 0xFFFFFFFF


def tcp() -> Within:
    return Within(Field.PROTOCOL, ((6, 6),))


def ports(*spans: tuple[int, int]) -> Within:
    return Within(Field.PORT, spans)


def source(*spans: tuple[int, int]) -> Within:
    return Within(Field.SOURCE, spans)


def not_judged(text: str) -> Fact:
    return Fact("unsupported", text)


NEVER = Within(Field.PROTOCOL, ())


@pytest.mark.parametrize(
    ("text", "literals"),
    [
        ("-s 10.0.0.0/8", [source((0x0A000000, 0x0AFFFFFF))]),
        ("-s 10.0.0.1/32", [source((0x0A000001, 0x0A000001))]),
        ("-s 10.0.0.1", [source((0x0A000001, 0x0A000001))]),
        ("! -s 10.0.0.0/8", [source((0, 0x09FFFFFF), (0x0B000000, TOP4))]),
        ("-s ! 10.0.0.0/8", [source((0, 0x09FFFFFF), (0x0B000000, TOP4))]),
        ("-s 10.0.0.0/255.255.0.0", [source((0x0A000000, 0x0A00FFFF))]),
        ("-s 10.0.0.0/255.0.255.0", [not_judged("-s 10.0.0.0/255.0.255.0")]),
        ("! -s 10.0.0.0/255.0.255.0", [not_judged("! -s 10.0.0.0/255.0.255.0")]),
        ("-s 0.0.0.0/0", []),
        ("! -s 0.0.0.0/0", [NEVER]),
        ("-d 1.2.3.4/32", [Within(Field.DESTINATION, ((0x01020304, 0x01020304),))]),
        ("-i cali+", [Fact("in-interface", "cali+")]),
        ("! -i lo", [Not(Fact("in-interface", "lo"))]),
        ("! -o eth0", [Not(Fact("out-interface", "eth0"))]),
        ("-i +", []),
        ("-p tcp", [tcp()]),
        ("-p 6", [tcp()]),
        ("-p TCP", [tcp()]),
        ("-p sctp", [Within(Field.PROTOCOL, ((132, 132),))]),
        ("-p gre", [Within(Field.PROTOCOL, ((47, 47),))]),
        ("-p all", []),
        ("! -p tcp", [Within(Field.PROTOCOL, ((0, 5), (7, 255)))]),
        ("-p carrier-pigeon", [not_judged("-p carrier-pigeon")]),
        ("-f", [not_judged("-f")]),
        ("! -f", [not_judged("! -f")]),
    ],
)
def test_addresses_interfaces_and_protocols(text: str, literals: list[Predicate]) -> None:
    """The options before the matches become one literal each; what is always true, none."""
    condition = parse_match(f" {text}", V4)

    assert condition.when == All(tuple(literals))


@pytest.mark.parametrize(
    ("text", "added"),
    [
        ("-m tcp", []),
        ("-m tcp --dport 80", [ports((80, 80))]),
        ("--dport 80", [ports((80, 80))]),
        ("-m tcp --dport 80:90", [ports((80, 90))]),
        ("-m tcp --dport 80:", [ports((80, 65535))]),
        ("-m tcp --dport :80", [ports((0, 80))]),
        ("-m tcp --dport 0:65535", []),
        ("-m tcp ! --dport 80:90", [ports((0, 79), (91, 65535))]),
        ("-m tcp --dport ! 80", [ports((0, 79), (81, 65535))]),
        ("-m tcp --sport 1024:", [Within(Field.SOURCE_PORT, ((1024, 65535),))]),
        ("-m tcp --tcp-flags FIN,SYN,RST,ACK SYN", []),
        ("-m tcp --syn", []),
        ("-m tcp --tcp-flags SYN,RST SYN", []),
        ("-m tcp ! --syn", [NEVER]),
        ("-m tcp --tcp-flags SYN,RST SYN,RST", [NEVER]),
        (
            "-m tcp --tcp-flags FIN,SYN,RST,PSH,ACK,URG NONE",
            [not_judged("--tcp-flags FIN,SYN,RST,PSH,ACK,URG NONE")],
        ),
        ("-m tcp --tcp-option 5", [not_judged("--tcp-option 5")]),
        ("-m multiport --dports 443,80:82,81", [ports((80, 82), (443, 443))]),
        ("-m multiport ! --dports 0:79,81:65535", [ports((80, 80))]),
        ("-m multiport --sports 53", [Within(Field.SOURCE_PORT, ((53, 53),))]),
        ("-m multiport --ports 53", [not_judged("--ports 53")]),
        ("-m multiport ! --ports 0", [ports((1, 65535)), Within(Field.SOURCE_PORT, ((1, 65535),))]),
        ("-m udp --dport 53", [not_judged("-m udp --dport 53")]),
    ],
)
def test_ports_and_flags_of_tcp(text: str, added: list[Predicate]) -> None:
    """Ports are intervals, flags are those of a connection's first packet."""
    condition = parse_match(f" -p tcp {text}", V4)

    assert condition.when == All((tcp(), *added))


@pytest.mark.parametrize("text", ["-m tcp --dport 80", "-m multiport --dports 80"])
def test_a_port_without_a_protocol_is_not_judged(text: str) -> None:
    """The kernel refuses such a rule, so nobody knows what the dump's author meant."""
    condition = parse_match(f" {text}", V4)

    assert condition.when == All((not_judged(text),))


@pytest.mark.parametrize(
    ("text", "literals"),
    [
        ("-m mark --mark 0x4000/0x4000", [Fact("mark", "0x4000/0x4000")]),
        ("-m mark ! --mark 0x4000/0x4000", [Not(Fact("mark", "0x4000/0x4000"))]),
        ("-m mark --mark 0xABC", [Fact("mark", "0xabc/0xffffffff")]),
        ("-m mark --mark 16", [Fact("mark", "0x10/0xffffffff")]),
        ("-m connmark --mark 0x1", [not_judged("-m connmark --mark 0x1")]),
        ("-m addrtype --src-type LOCAL", [Fact("source-local")]),
        ("-m addrtype ! --dst-type LOCAL", [Not(Fact("destination-local"))]),
        ("-m addrtype --dst-type MULTICAST", [Within(Field.DESTINATION, ((0xE0000000, 0xEFFFFFFF),))]),
        (
            "-m addrtype --src-type UNICAST,LOCAL",
            [Any((Fact("source-local"), not_judged("addrtype --src-type UNICAST")))],
        ),
        ("-m addrtype --dst-type BROADCAST", [not_judged("addrtype --dst-type BROADCAST")]),
        (
            "-m addrtype --dst-type LOCAL --limit-iface-in",
            [not_judged("-m addrtype --dst-type LOCAL --limit-iface-in")],
        ),
        ("-m conntrack --ctstate NEW", [Fact("ctstate", "NEW")]),
        (
            "-m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT",
            [Not(Any((Fact("ctstate", "RELATED"), Fact("ctstate", "ESTABLISHED"), Fact("ctstate", "DNAT"))))],
        ),
        ("-m state --state INVALID", [Fact("ctstate", "INVALID")]),
        (
            "-m conntrack --ctstate NEW --ctorigdst 10.0.0.1",
            [Fact("ctstate", "NEW"), not_judged("--ctorigdst 10.0.0.1")],
        ),
        ("-m iprange --src-range 10.0.0.1-10.0.0.9", [source((0x0A000001, 0x0A000009))]),
        (
            "-m iprange ! --dst-range 0.0.0.0-10.0.0.9",
            [Within(Field.DESTINATION, ((0x0A00000A, TOP4),))],
        ),
        ("-m nfacct --nfacct-name  localhost_nps_accepted_pkts", []),
        ("-m comment --comment word", []),
    ],
)
def test_matches_that_are_judged(text: str, literals: list[Predicate]) -> None:
    """Each is one literal, and leaves a note exactly where a part could not be judged."""
    condition = parse_match(f" {text}", V4)

    assert condition.when == All(tuple(literals))
    assert bool(condition.notes) == ("unsupported" in repr(literals))


@pytest.mark.parametrize(
    "text",
    [
        "-m physdev ! --physdev-is-in",
        "-m set --match-set pods src,dst --return-nomatch",
        "-m rpfilter --loose --validmark --invert",
        '-m u32 --u32 "0x0>>0x16&0x3c@0xc&0xf=0x5 && 0x1=0x2"',
        '-m bpf --bytecode "4,48 0 0 9,21 0 1 6"',
        "-m ipvs --ipvs",
        "-m owner ! --uid-owner 0",
        "-m limit --limit 5/min",
        "-m hashlimit --hashlimit-upto 5/min --hashlimit-name x",
        "-m tos --tos 0x10/0x3f",
        "-m socket --transparent",
        "-m cgroup --path system.slice",
        "-m time --timestart 10:00:00 --timestop 23:59:59",
        "-m icmp --icmp-type 8",
        '-m string --string "a -j b" --algo bm',
        "-m newfangled --whatever",
        "-m tcp [unsupported revision]",
    ],
)
def test_a_match_that_is_not_judged_is_kept_as_unknown(text: str) -> None:
    """The rule may match, and a note gives the match as the dump has it."""
    condition = parse_match(f" {text}", V4)

    assert condition.when == All((not_judged(text),))
    assert condition.notes == (f"match not judged: {text}",)


@pytest.mark.parametrize(
    ("text", "when"),
    [
        (
            "--rcheck --seconds 10800 --reap --name KUBE-SEP-A --mask 255.255.255.255 --rsource",
            Fact("recent", "KUBE-SEP-A/10800"),
        ),
        ("--update --name a", Fact("recent", "a/0")),
        ("! --rcheck --seconds 5 --name a", Not(Fact("recent", "a/5"))),
        ("--rcheck", Fact("recent", "DEFAULT/0")),
        ("--remove --name a", not_judged("-m recent --remove --name a")),
        ("--rcheck --hitcount 3 --name a", not_judged("-m recent --rcheck --hitcount 3 --name a")),
        ("--rcheck --name a --rdest", not_judged("-m recent --rcheck --name a --rdest")),
        (
            "--rcheck --name a --mask 255.255.255.0",
            not_judged("-m recent --rcheck --name a --mask 255.255.255.0"),
        ),
    ],
)
def test_recent_asks_a_list(text: str, when: Predicate) -> None:
    """A list asked for sources is a fact of list and age; other ways of asking are unknown."""
    condition = parse_match(f" -m recent {text}", V4)

    assert condition.when == All((when,))
    assert condition.remember == ""


def test_recent_set_always_matches_and_remembers() -> None:
    """kube-proxy's endpoint chain remembers the client and goes on to DNAT."""
    text = " -p tcp -m recent --set --name KUBE-SEP-A --mask 255.255.255.255 --rsource -m tcp"

    condition = parse_match(text, V4)

    assert (condition.when, condition.remember, condition.notes) == (All((tcp(),)), "KUBE-SEP-A", ())


def test_recent_set_before_a_match_that_may_fail_is_not_judged() -> None:
    """The kernel has then remembered the source although the rule did not match."""
    condition = parse_match(" -p tcp -m recent --set --name a -m tcp --dport 80", V4)

    assert condition.when == All((tcp(), ports((80, 80)), not_judged("recent --set before other matches")))


@pytest.mark.parametrize(
    ("text", "odds"),
    [
        ("--mode random --probability 0.33333333349", Fraction(1, 3)),
        ("--mode random ! --probability 0.50000000000", Fraction(1, 2)),
        ("--mode random ! --probability 0.25000000000", Fraction(3, 4)),
        ("--mode random --probability 1.00000000000", None),
        ("--mode nth --every 3 --packet 1", Fraction(1, 3)),
        ("--mode nth ! --every 3 --packet 0", Fraction(2, 3)),
        ("--mode nth --every 1 --packet 0", None),
    ],
)
def test_statistic_is_a_chance_and_no_condition(text: str, odds: Fraction | None) -> None:
    """A chance of one is no chance."""
    condition = parse_match(f" -m statistic {text}", V4)

    assert (condition.when, condition.odds) == (ALWAYS, odds)


def test_a_probability_of_zero_never_matches() -> None:
    """It is a condition that fails, not a chance."""
    condition = parse_match(" -m statistic --mode random --probability 0.00000000000", V4)

    assert (condition.when, condition.odds) == (All((NEVER,)), None)


def test_independent_chances_multiply_and_counted_ones_do_not() -> None:
    """Two random matches are independent; a counter beside a chance is not."""
    half = "-m statistic --mode random --probability 0.50000000000"
    counted = "-m statistic --mode nth --every 2 --packet 0"

    both = parse_match(f" {half} {half}", V4)
    mixed = parse_match(f" {half} {counted}", V4)

    assert (both.odds, both.notes) == (Fraction(1, 4), ())
    assert (mixed.odds, mixed.when) == (Fraction(1, 2), All((not_judged(counted),)))


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("-d fd00::10/128", (((0xFD << 120) | 0x10, (0xFD << 120) | 0x10),)),
        ("! -d ::1/128", ((0, 0), (2, (1 << 128) - 1))),
        ("-d fe80::/ffc0::", ((0xFE80 << 112, (0xFEC0 << 112) - 1),)),
        ("-m addrtype --dst-type MULTICAST", ((0xFF << 120, (1 << 128) - 1),)),
    ],
)
def test_ipv6_addresses(text: str, spans: Intervals) -> None:
    """A complement reaches to the top of the family's own addresses."""
    condition = parse_match(f" {text}", V6)

    assert condition.when == All((Within(Field.DESTINATION, spans),))


def test_no_match_is_always() -> None:
    """A rule without matches has the one condition that never fails."""
    assert parse_match("", V4).when is ALWAYS


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("-s", "-s should have one value"),
        ("-s 10.0.0.300/32", "'10.0.0.300' is not an IP address"),
        ("-s 10.0.0.0/33", "'10.0.0.0/33' is not a CIDR"),
        ("-s 10.0.0.1/32 -s 10.0.0.2/32", "-s is given twice"),
        ("-p tcp -m tcp --dport 70000", "70000 is not a number from 0 to 65535"),
        ("-p tcp -m tcp --dport 90:80", "the range 90:80 ends before it begins"),
        ("-p 256", "256 is not a number from 0 to 255"),
        ("-m mark --mark 0x1ffffffff", "0x1ffffffff is not a number from 0 to 4294967295"),
        ("-m statistic --mode random --probability 1.5", "probability 1.5 is not a number from 0 to 1"),
        ("-m statistic --mode nth --every 0", "--every 0 counts nothing"),
        ("-m", "-m without a name"),
        ("10.0.0.1", "10.0.0.1 stands where an option should"),
        ("-p tcp !", "! stands where an option should"),
        ('-m set --match-set "x src', "a quote is not closed"),
    ],
)
def test_what_iptables_would_refuse_is_refused(text: str, what: str) -> None:
    """The message names the fault."""
    with pytest.raises(MalformedError) as refused:
        parse_match(f" {text}", V4)

    assert str(refused.value) == what


@pytest.mark.parametrize(
    ("text", "family", "what"),
    [
        ("-s fd00::1/128", V4, "wrong family: fd00::1/128 is IPv6 in an IPv4 dump"),
        ("-d 10.0.0.0/8", V6, "wrong family: 10.0.0.0/8 is IPv4 in an IPv6 dump"),
        ("-m iprange --src-range fd00::1-fd00::2", V4, "wrong family: fd00::1 is IPv6 in an IPv4 dump"),
    ],
)
def test_an_address_of_the_other_family_is_refused(text: str, family: Family, what: str) -> None:
    """It shows that the dump is not what it is said to be."""
    with pytest.raises(WrongFamilyError) as refused:
        parse_match(f" {text}", family)

    assert str(refused.value) == what
