"""A rule of a JSON listing is shown as nft would print it, so that it reads back as the same."""

import pytest

from oracle.dialects.nftables.lower import lowered
from oracle.dialects.nftables.lower_text import rendered
from oracle.dialects.nftables.names import Generation
from oracle.dialects.nftables.parse import parse_nftables
from oracle.dialects.nftables.text import parse_text
from tests.oracle.dialects.nftables.generations import kube_proxy
from tests.oracle.dialects.nftables.lowering import chain, table

RULES = [
    "ip daddr 10.96.0.1 tcp dport 80 drop",
    "ip saddr != 10.244.0.0/16 meta mark set meta mark | 0x00004000",
    "ip daddr { 10.96.0.1, 10.96.0.4-10.96.0.9 } reject with icmp host-unreachable",
    'iifname "eth*" oifname != { "lo", "cni0" } accept',
    "ct state established,related accept",
    "ct status dnat ip saddr . ip daddr . meta l4proto . th dport @s masquerade fully-random",
    "meta l4proto { tcp, udp } th dport vmap { 80 : drop, 81-90 : jump other, * : return }",
    "meta l4proto tcp dnat ip to numgen random mod 2 map { 0 : 10.0.0.1 . 80, 1 : 10.0.0.2 . 80 }",
    "meta l4proto tcp dnat to 10.0.0.1:8080",
    "fib daddr type local ip daddr != 127.0.0.0/8 goto other",
    "update @s { ip saddr }",
    "meta mark & 0x00004000 != 0x00000000 return",
    "redirect to :8080",
    "notrack counter",
]


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_reads_back_as_the_same(rule: str) -> None:
    """Whatever its wording."""
    objects = "set s {\ntype ipv4_addr\n}\n" + chain("other", "accept")
    first = parse_text(table(objects + chain("c", rule)).encode(), "nft").tables[0].chains["c"].rules[0]
    again = rendered(first)
    second = parse_text(table(objects + chain("c", again)).encode(), "nft").tables[0].chains["c"].rules[0]

    assert first.statements == second.statements


@pytest.mark.parametrize("generation", Generation, ids=lambda one: one.name)
def test_every_rule_of_kube_proxy_reads_back_as_the_same(generation: Generation) -> None:
    """Of each generation."""
    (only,) = parse_text(kube_proxy(generation).encode(), "nft").tables
    for held in only.chains.values():
        for rule in held.rules:
            listing = table(chain("c", rendered(rule)))
            (again,) = parse_text(listing.encode(), "nft").tables[0].chains["c"].rules
            assert rule.statements == again.statements


def test_a_listing_in_json_shows_its_rules() -> None:
    """Its lines are the places of the objects in the list."""
    objects = (
        '{"nftables": [{"table": {"family": "ip", "name": "t"}},'
        ' {"chain": {"family": "ip", "table": "t", "name": "c"}},'
        ' {"rule": {"family": "ip", "table": "t", "chain": "c", "expr": ['
        '{"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": 80}},'
        ' {"drop": null}]}}]}'
    )
    (rule,) = lowered(parse_nftables(objects.encode(), "nft.json"))[0].tables["ip t"]["c"].rules

    assert (rule.line, rule.text) == (2, "tcp dport 80 drop")
