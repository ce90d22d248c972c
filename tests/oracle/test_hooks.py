"""Base chains are asked by hook and priority, and what IPVS translates goes its own way."""

import pytest

from model.outcome import Outcome, Target, Verdict
from model.packet import Origin
from oracle.dialects.iptables import parse_iptables
from oracle.plain import trace
from oracle.ruleset import Base, Ruleset
from tests.handmade import CONFIG, V4, packet, tables
from tests.hooked import FORWARD, POST, PRE, hooked, ipvs

ENDPOINT = 0x0AF40001  # 10.244.0.1
NODE = "10.32.1.11"
TO_ENDPOINT = "-p tcp -j DNAT --to-destination 10.244.0.1:8080"
NAT = Base(PRE, -100, is_nat=True)


def fate(*rulesets: Ruleset, to: str, source: str = "203.0.113.2", origin: Origin = Origin.WIRE) -> Outcome:
    return trace(rulesets, CONFIG, packet(to, source, origin)).outcome


def iptables(**rules: str) -> Ruleset:
    (ruleset,) = parse_iptables(tables(**rules).encode(), "iptables-save", V4)
    return ruleset


@pytest.mark.parametrize(("priority", "verdict"), [(-110, Verdict.DNAT), (-50, Verdict.DROP)])
def test_a_filter_behind_nat_sees_the_new_destination(priority: int, verdict: Verdict) -> None:
    one = hooked(
        f"-A nat {TO_ENDPOINT}\n-A late -d 10.244.0.1/32 -j DROP", {"nat": NAT, "late": Base(PRE, priority)}
    )

    assert fate(one, to="10.96.0.1:80").verdict is verdict


@pytest.mark.parametrize(("priority", "verdict"), [(-110, Verdict.DROP), (-50, Verdict.DNAT)])
def test_a_filter_before_nat_sees_the_first_destination(priority: int, verdict: Verdict) -> None:
    one = hooked(
        f"-A nat {TO_ENDPOINT}\n-A early -d 10.96.0.1/32 -j DROP",
        {"nat": NAT, "early": Base(PRE, priority)},
    )

    assert fate(one, to="10.96.0.1:80").verdict is verdict


def test_hooks_come_before_priorities() -> None:
    """A chain of the lowest priority at forward still comes after destination nat (BZ-43)."""
    one = hooked(
        f"-A nat {TO_ENDPOINT}\n-A forward -d 10.96.0.1/32 -j DROP",
        {"nat": NAT, "forward": Base(FORWARD, -400)},
    )

    assert fate(one, to="10.96.0.1:80").verdict is Verdict.DNAT


def test_of_two_nat_chains_the_one_of_lower_priority_translates() -> None:
    one = hooked(
        "-A second -p tcp -j DNAT --to-destination 10.244.0.2:80\n"
        "-A first -p tcp -j DNAT --to-destination 10.244.0.1:80",
        {"second": Base(PRE, -90, is_nat=True), "first": NAT},
    )

    assert fate(one, to="10.96.0.1:80").leaves[0].target == Target(ENDPOINT, 80)


def test_another_rule_sets_chain_comes_in_between_by_its_priority() -> None:
    """iptables' mangle (-150) marks, nftables' nat (-100) lets marked packets be."""
    nft = hooked(f"-A nat -m mark ! --mark 0x1/0x1 {TO_ENDPOINT}", {"nat": NAT})
    marking = iptables(mangle="-A PREROUTING -s 203.0.113.2/32 -j MARK --set-xmark 0x1/0x1")

    assert fate(nft, marking, to="10.96.0.1:80").verdict is Verdict.PASS
    assert fate(nft, marking, to="10.96.0.1:80", source="203.0.113.3").verdict is Verdict.DNAT


SERVED = f"-A IPVS -d {NODE}/32 -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.244.0.1:8080"
SERVED_TOO = SERVED.replace("IPVS", "IPVS-OUT")
BOTH = f"{SERVED}\n{SERVED_TOO}"


def test_ipvs_serves_what_is_for_the_node_only() -> None:
    everything = ipvs(f"-A IPVS {TO_ENDPOINT}")

    assert fate(everything, to=f"{NODE}:80").verdict is Verdict.DNAT
    assert fate(everything, to="10.96.0.1:80").verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("chain", "verdict"),
    [("FORWARD", Verdict.DNAT), ("OUTPUT", Verdict.DROP), ("INPUT", Verdict.DNAT)],
)
def test_ipvs_sends_on_through_output(chain: str, verdict: Verdict) -> None:
    """The packet to the endpoint meets output, neither forward nor input."""
    rules = iptables(filter=f"-A {chain} -d 10.244.0.1/32 -j DROP")

    assert fate(rules, ipvs(BOTH), to=f"{NODE}:80").verdict is verdict


def test_filter_input_comes_before_ipvs() -> None:
    rules = iptables(filter="-A INPUT -p tcp -m tcp --dport 80 -j DROP")

    assert fate(rules, ipvs(BOTH), to=f"{NODE}:80").verdict is Verdict.DROP


def test_a_mark_of_prerouting_lets_the_source_be_replaced_behind_ipvs() -> None:
    rules = iptables(
        nat="""
        -A PREROUTING -s 203.0.113.2/32 -j MARK --set-xmark 0x4000/0x4000
        -A POSTROUTING -m mark --mark 0x4000/0x4000 -j MASQUERADE"""
    )
    masqueraded = [
        fate(rules, ipvs(BOTH), to=f"{NODE}:80", source=source).leaves[0].masquerade
        for source in ("203.0.113.2", "203.0.113.3")
    ]

    assert masqueraded == [True, False]


def test_an_endpoint_on_the_node_gets_the_packet_at_input() -> None:
    """No output, no postrouting: its source stays."""
    local = BOTH.replace("10.244.0.1:8080", f"{NODE}:8080")
    rules = iptables(filter="-A OUTPUT -j DROP", nat="-A POSTROUTING -j MASQUERADE")
    leaf = fate(rules, ipvs(local), to=f"{NODE}:80").leaves[0]

    assert (leaf.verdict, leaf.target, leaf.masquerade) == (
        Verdict.DNAT,
        Target(packet(f"{NODE}:8080").destination, 8080),
        False,
    )


def test_the_nodes_own_packets_are_served_at_output() -> None:
    rules = iptables(filter="-A OUTPUT -d 10.244.0.1/32 -j REJECT")
    served = ipvs(SERVED_TOO)

    assert fate(served, to=f"{NODE}:80", source=NODE, origin=Origin.NODE).verdict is Verdict.DNAT
    assert fate(rules, served, to=f"{NODE}:80", source=NODE, origin=Origin.NODE).verdict is Verdict.REJECT


def test_nat_translates_no_more_what_ipvs_has() -> None:
    rules = iptables(nat="-A OUTPUT -p tcp -j DNAT --to-destination 10.244.0.9:9")

    assert fate(rules, ipvs(BOTH), to=f"{NODE}:80").leaves[0].target == Target(ENDPOINT, 8080)


def test_postrouting_is_met_once_and_by_its_own_priority() -> None:
    one = hooked(
        f"-A nat {TO_ENDPOINT}\n-A early -j MARK --set-xmark 0x1/0x0\n"
        "-A source -m mark --mark 0x1/0x1 -j MASQUERADE",
        {"nat": NAT, "source": Base(POST, 100, is_nat=True), "early": Base(POST, 99)},
    )

    assert fate(one, to="10.96.0.1:80").leaves[0].masquerade is True
