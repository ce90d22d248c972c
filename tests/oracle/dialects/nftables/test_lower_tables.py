"""Where chains hang, and what of a listing is walked, decides which packets meet a rule."""

import pytest

from model.packet import Origin
from oracle.dialects.nftables.lower import lowered, managed_tables
from oracle.dialects.nftables.text import parse_text
from oracle.ruleset import Base, Hookpoint
from tests.oracle.dialects.nftables import lowering
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
    table,
    verdicts,
)

NAT = "nat hook prerouting priority dstnat"


def test_a_return_goes_back_to_the_caller_and_in_a_base_chain_to_its_policy() -> None:
    """Rules behind it are not met."""
    called = forward("jump inner\ndrop", chain("inner", "return\naccept"))

    assert fate(called) == DROP
    assert fate(forward("return\ndrop")) == PASS


def test_base_chains_carry_hook_priority_and_type() -> None:
    """BZ-43, BZ-44: where a chain hangs decides what it sees."""
    listing = table(
        chain("a", "drop", "filter hook output priority -110")
        + chain("b", "accept", NAT)
        + chain("d", "accept", "filter hook prerouting priority dstnat - 10")
        + chain("plain", "accept")
    )
    chains = rulesets(listing)[0].tables["ip t"]

    assert {name: one.base for name, one in chains.items()} == {
        "a": Base(Hookpoint.OUTPUT, -110),
        "b": Base(Hookpoint.PREROUTING, -100, is_nat=True),
        "d": Base(Hookpoint.PREROUTING, -110),
        "plain": None,
    }


def test_a_policy_of_drop_meets_what_falls_off_the_end() -> None:
    """And a drop of one table is final whatever another accepts."""
    listing = forward("tcp dport 80 accept").replace("policy accept", "policy drop")

    assert verdicts(listing, [packet(), packet("10.0.0.1:81")]) == ["pass", "drop"]
    assert fate(forward("accept") + listing.replace(" t ", " u "), packet("10.0.0.1:81")) == DROP


def test_a_dormant_table_is_not_asked() -> None:
    """Its chains hang nowhere; the reader is told."""
    listing = forward("drop").replace("table ip t {", "table ip t {\n\tflags dormant")

    assert fate(listing) == PASS
    assert "dormant" in rulesets(listing)[0].warnings[0].what


@pytest.mark.parametrize(
    ("listing", "hook"),
    [
        (table(chain("i", "drop", "filter hook ingress device eth0 priority 0"), kind="netdev"), "ingress"),
        (table(chain("f", "reject", "filter hook forward priority 0"), kind="bridge"), "forward"),
        (table(chain("i", "drop", "filter hook ingress device eth0 priority 0"), kind="inet"), "ingress"),
    ],
)
def test_other_hooks_that_may_drop_are_warned_of(listing: str, hook: str) -> None:
    """They are not walked; without a rule that drops, nothing is said."""
    (ruleset,) = rulesets(listing)
    harmless = listing.replace("drop", "accept").replace("reject", "accept")

    assert [name for name, one in ruleset.base_chains if one.rules] == []
    assert [hook in note.what for note in ruleset.warnings] == [True]
    assert rulesets(harmless)[0].warnings == ()


def test_a_jump_to_a_missing_chain_is_not_judged() -> None:
    """The kernel would have refused it: the listing is cut."""
    assert not is_judged(forward("jump gone"))


def test_tables_of_iptables_can_be_left_to_its_own_dump() -> None:
    """What nft shows of them is read as far as it goes, and named as theirs."""
    warning = "# Warning: table ip nat is managed by iptables-nft, do not touch!\n"
    listing = warning + table(
        chain("PREROUTING", 'ip protocol tcp counter packets 0 bytes 0 xt target "DNAT"', NAT), name="nat"
    )
    dump = parse_text(listing.encode(), "nft")

    assert managed_tables(dump) == {"ip nat"}
    assert not is_judged(listing)
    assert "iptables-save" in lowered(dump)[0].unsupported[0].what
    assert lowered(dump, without={"ip nat"})[0].tables == {}


def test_a_conntrack_status_in_tables_of_iptables_is_not_believed() -> None:
    """nft prints a negated `--ctstate DNAT` without its negation (rules-nftables 7)."""
    warning = "# Warning: table ip t is managed by iptables-nft, do not touch!\n"

    assert not is_judged(warning + forward("ct status dnat drop"))


def test_rules_aside_go_by_the_line_they_continue() -> None:
    """What a reader sees is the rule of the dump."""
    (one,) = rulesets(forward("meta mark 0x0 meta mark set 0x1 drop"))
    chains = one.tables["ip t"]
    lines = {(rule.line, rule.text) for held in chains.values() for rule in held.rules}

    assert len(chains) == 2
    assert lines == {(5, "meta mark 0x0 meta mark set 0x1 drop")}


def test_output_and_postrouting_are_of_what_the_node_sends() -> None:
    """A rule in output sees the node's own packets alone."""
    listing = table(chain("o", "drop", "filter hook output priority filter"))

    assert fate(listing) == PASS
    assert fate(listing, packet(source=NODE, origin=Origin.NODE)) == DROP


def test_chains_that_translate_are_asked_at_the_kernels_place_whatever_their_priority() -> None:
    """Listed behind the filter, and yet the filter meets what is translated already (nf_nat_core.c)."""
    listing = lowering.table(
        lowering.chain("f", "tcp dport 80 drop", "filter hook prerouting priority 0")
        + lowering.chain("n", "tcp dport 80 dnat to 10.0.0.1:8080", "nat hook prerouting priority 5")
    )

    assert lowering.fate(listing).verdict.value == "dnat"
