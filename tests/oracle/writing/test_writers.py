"""Each rule is one line in its tool's own words, and what a tool has no words for is refused."""

from fractions import Fraction

import pytest

from model.addresses import Family
from model.packet import TCP
from model.predicate import All, Fact, Field, Not, Predicate, Within
from oracle.ruleset import (
    Accept,
    Action,
    Base,
    Chain,
    Continue,
    Dialect,
    Dnat,
    Hookpoint,
    Jump,
    Reject,
    Rule,
    Ruleset,
    SetMark,
    Unsupported,
)
from oracle.writing import NotWritableError, write_iptables, write_nft

V4, V6 = Family.IPV4, Family.IPV6
_TEN = Within(Field.SOURCE, ((0x0A000000, 0x0AFFFFFF),))
_NOT_TEN = Within(Field.SOURCE, ((0, 0x09FFFFFF), (0x0B000000, 0xFFFFFFFF)))
_OF_TCP = Within(Field.PROTOCOL, ((TCP, TCP),))
_ACCEPT = Accept()
_TO_80 = Within(Field.PORT, ((80, 80),))


def an_iptables(rule: Rule, family: Family = V4) -> Ruleset:
    return Ruleset(family, "", {"nat": {"A": Chain("A", [rule], 0), "B": Chain("B", [], 0)}}, backend="nft")


def an_nft(rule: Rule, family: Family = V4) -> Ruleset:
    chains = {"A": Chain("A", [rule], 0), "B": Chain("B", [], 0)}
    word = "ip" if family is V4 else "ip6"
    return Ruleset(family, "", {f"{word} kube-proxy": chains}, dialect=Dialect.NFTABLES)


def a_rule(
    *when: Predicate,
    then: Action = _ACCEPT,
    odds: Fraction | None = None,
    remember: str = "",
    text: str = "",
) -> Rule:
    return Rule(All(when), then, 0, text, odds, remember)


@pytest.mark.parametrize(
    ("rule", "iptables", "nft"),
    [
        pytest.param(a_rule(), "-j ACCEPT", "accept", id="every packet"),
        pytest.param(a_rule(_TEN), "-s 10.0.0.0/8 -j ACCEPT", "ip saddr 10.0.0.0/8 accept", id="a network"),
        pytest.param(
            a_rule(_NOT_TEN),
            "! -s 10.0.0.0/8 -j ACCEPT",
            "ip saddr != 10.0.0.0/8 accept",
            id="others",
        ),
        pytest.param(
            a_rule(Within(Field.DESTINATION, ((0x0A000001, 0x0A000003),))),
            "-m iprange --dst-range 10.0.0.1-10.0.0.3 -j ACCEPT",
            "ip daddr 10.0.0.1-10.0.0.3 accept",
            id="a span",
        ),
        pytest.param(
            a_rule(_OF_TCP, _TO_80, then=Dnat(0x0AF40105, 8080)),
            "-p tcp -m tcp --dport 80 -j DNAT --to-destination 10.244.1.5:8080",
            "tcp dport 80 dnat to 10.244.1.5:8080",
            id="a translation",
        ),
        pytest.param(
            a_rule(_OF_TCP, Within(Field.PORT, ((80, 80), (443, 450)))),
            "-p tcp -m multiport --dports 80,443:450 -j ACCEPT",
            "tcp dport { 80, 443-450 } accept",
            id="several ports",
        ),
        pytest.param(
            a_rule(Fact("in-interface", "cali+"), Not(Fact("ctstate", "NEW"))),
            "-i cali+ -m conntrack ! --ctstate NEW -j ACCEPT",
            'iifname "cali*" ct state != { new } accept',
            id="an interface and a state",
        ),
        pytest.param(
            a_rule(Not(Fact("mark", "0x4000/0x4000")), then=SetMark(0x4000, 0)),
            "-m mark ! --mark 0x4000/0x4000 -j MARK --set-xmark 0x0/0x4000",
            "meta mark & 0x4000 != 0x4000 meta mark set meta mark and 0xffffbfff",
            id="marks",
        ),
        pytest.param(
            a_rule(then=Jump("B"), odds=Fraction(1, 3)),
            "-m statistic --mode random --probability 0.33333333349 -j B",
            "numgen random mod 3 < 1 jump B",
            id="a chance",
        ),
        pytest.param(
            a_rule(then=Reject("icmp-port-unreachable"), text='shop/web "x"'),
            '-m comment --comment "shop/web \\"x\\"" -j REJECT --reject-with icmp-port-unreachable',
            "reject with icmp port-unreachable comment \"shop/web 'x'\"",
            id="a refusal with a comment",
        ),
    ],
)
def test_a_rule_is_a_line(rule: Rule, iptables: str, nft: str) -> None:
    """The words of iptables-save and of nft for the same rule."""
    lines = write_iptables(an_iptables(rule)).splitlines(), write_nft([an_nft(rule)]).splitlines()

    assert (f"-A A {iptables}", f"\t\t{nft}") == (lines[0][4], lines[1][2])


def test_a_memory_is_a_list_or_a_set() -> None:
    """AFF-03, MODE-18, MODE-19: entered by the rule, asked with its age, and refreshed while it is used."""
    chain = Chain(
        "A",
        [
            a_rule(Fact("recent", "web/60"), then=Jump("B")),
            a_rule(then=Continue(), remember="web"),
        ],
        0,
    )
    chains = {"A": chain, "B": Chain("B", [], 0)}

    iptables = write_iptables(Ruleset(V4, "", {"nat": chains}))
    nft = write_nft([Ruleset(V4, "", {"ip kube-proxy": chains})])

    assert [
        "-A A -m recent --name web --rcheck --seconds 60 --reap --rsource -j B",
        "-A A -m recent --name web --set --rsource",
    ] == iptables.splitlines()[3:5]
    assert [
        "\tset web { type ipv4_addr; flags dynamic,timeout; timeout 60s; }",
        "\tchain A {",
        "\t\tip saddr @web jump B",
        "\t\tupdate @web { ip saddr }",
    ] == nft.splitlines()[1:5]


def test_a_base_chain_says_where_it_hangs() -> None:
    """nft's are declared with type, hook, priority and policy; iptables' own with a policy alone."""
    at = Base(Hookpoint.PREROUTING, -100, is_nat=True)
    nft = {"ip kube-proxy": {"base": Chain("base", [], 0, Accept(), at)}}
    iptables = {"nat": {"PREROUTING": Chain("PREROUTING", [], 0, Accept())}}

    assert "\t\ttype nat hook prerouting priority -100; policy accept;" in write_nft([Ruleset(V4, "", nft)])
    assert ":PREROUTING ACCEPT [0:0]" in write_iptables(Ruleset(V4, "", iptables))


def test_ipv6_has_its_own_words() -> None:
    """Addresses in brackets before a port, the other header, the other error."""
    rule = a_rule(Within(Field.SOURCE, ((1, 1),)), _OF_TCP, then=Dnat(2, 80))
    refusal = a_rule(then=Reject("icmp6-port-unreachable"))

    assert "-A A -s ::1/128 -p tcp -j DNAT --to-destination [::2]:80" in write_iptables(an_iptables(rule, V6))
    assert "ip6 saddr ::1 meta l4proto tcp dnat to [::2]:80" in write_nft([an_nft(rule, V6)])
    assert "reject with icmpv6 port-unreachable" in write_nft([an_nft(refusal, V6)])


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        pytest.param(a_rule(Fact("unsupported", "-m bpf")), "the fact unsupported", id="a doubt"),
        pytest.param(a_rule(then=Unsupported("target TEE")), "target TEE", id="an action in doubt"),
        pytest.param(a_rule(Within(Field.SOURCE, ())), "in no number", id="what is never true"),
        pytest.param(a_rule(_TO_80), "ports without a protocol", id="a port of any protocol"),
        pytest.param(a_rule(All(())), "a conjunction within", id="a conjunction in a conjunction"),
        pytest.param(a_rule(then=Dnat(None, None)), "to nowhere", id="a translation to nowhere"),
    ],
)
def test_what_neither_tool_can_say_is_refused(rule: Rule, says: str) -> None:
    """With the chain, and never left out."""
    with pytest.raises(NotWritableError, match=f"nat A: .*{says}"):
        write_iptables(an_iptables(rule))
    with pytest.raises(NotWritableError, match=f"ip kube-proxy A: .*{says}"):
        write_nft([an_nft(rule)])


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        pytest.param(a_rule(Within(Field.SOURCE, ((1, 2), (5, 6), (9, 9)))), "in 3 networks", id="a set"),
        pytest.param(a_rule(Within(Field.PROTOCOL, ((6, 6), (17, 17)))), "several protocols", id="protocols"),
        pytest.param(a_rule(Fact("in-interface", "a"), Fact("in-interface", "b")), "-i twice", id="links"),
        pytest.param(a_rule(odds=Fraction(3, 7)), "a chance of 3/7", id="a chance that is not kept"),
        pytest.param(
            a_rule(_OF_TCP, Within(Field.PORT, tuple((at, at) for at in range(0, 40, 2)))),
            "more than 15 ports",
            id="ports",
        ),
    ],
)
def test_what_iptables_alone_cannot_say_is_refused(rule: Rule, says: str) -> None:
    """nft has words for it."""
    with pytest.raises(NotWritableError, match=says):
        write_iptables(an_iptables(rule))

    assert write_nft([an_nft(rule)])


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        pytest.param(a_rule(then=Jump("B"), remember="web"), "does something else", id="remembers and jumps"),
        pytest.param(a_rule(Fact("mark", "0x3/0x1")), "a mark that is 0x3/0x1", id="a mark outside its mask"),
        pytest.param(a_rule(then=Reject("tcp-reset")), "a TCP reset", id="a reset of what may be UDP"),
    ],
)
def test_what_nft_alone_cannot_say_is_refused(rule: Rule, says: str) -> None:
    """iptables has words for it."""
    with pytest.raises(NotWritableError, match=says):
        write_nft([an_nft(rule)])

    assert write_iptables(an_iptables(rule))


def test_a_long_comment_is_cut_to_what_the_tool_takes() -> None:
    """iptables takes 256 bytes with the end of the text, nft 128."""
    rule = a_rule(text="x" * 300)

    assert f"--comment {'x' * 255} -j" in write_iptables(an_iptables(rule))
    assert f'comment "{"x" * 120}"' in write_nft([an_nft(rule)])
