"""The plain walk does with a packet what the kernel's tables do, rule by rule."""

from fractions import Fraction

import pytest

from model.addresses import Family, parse_address
from model.outcome import Leaf, Outcome, Remembered, Target, Verdict
from model.packet import Origin, Packet
from oracle.dialects.iptables import parse_iptables
from oracle.findings import Trace
from oracle.plain import trace
from tests.handmade import CONFIG, packet, tables

V4 = Family.IPV4


def walked(dump: str, one: Packet | None = None) -> Trace:
    return trace(parse_iptables(dump.encode(), "dump", V4), CONFIG, one or packet())


def fate(dump: str, one: Packet | None = None) -> Outcome:
    """The outcome, where nothing is unsure."""
    traced = walked(dump, one)
    assert traced.unsure == ()
    return traced.outcome


def settled(verdict: Verdict, reject_with: str = "") -> Outcome:
    return Outcome((Leaf(verdict, Fraction(1), reject_with=reject_with),))


def target(to: str) -> Target:
    host, _, port = to.partition(":")
    return Target(parse_address(host)[1], int(port))


def dnat(to: str, odds: Fraction = Fraction(1), *, masquerade: bool = False) -> Leaf:
    return Leaf(Verdict.DNAT, odds, target(to), masquerade)


PASS, DROP = settled(Verdict.PASS), settled(Verdict.DROP)
TO_A = "-j DNAT --to-destination 10.244.0.1:8080"
TO_B = "-j DNAT --to-destination 10.244.0.2:8080"


def sent(*leaves: Leaf) -> Outcome:
    return Outcome(leaves)


def test_a_packet_that_meets_no_rule_passes() -> None:
    """Empty tables with policy ACCEPT leave everything alone."""
    assert fate(tables(nat="", filter="")) == PASS


def test_goto_returns_to_the_callers_caller() -> None:
    """What comes after a goto in the same chain is never met; after the jump above it is."""
    dump = tables(
        nat=f"""
        -A PREROUTING -j OUTER
        -A PREROUTING {TO_B}
        -A OUTER -g INNER
        -A OUTER {TO_A}
        -A INNER -d 10.96.0.2/32 -j RETURN"""
    )

    assert fate(dump) == sent(dnat("10.244.0.2:8080"))
    assert fate(dump.replace("-g INNER", "-j INNER")) == sent(dnat("10.244.0.1:8080"))


def test_return_ends_a_chain_and_in_a_base_chain_meets_the_policy() -> None:
    """RETURN from a called chain goes on behind the jump."""
    called = tables(
        filter="""
        -A FORWARD -j OWN
        -A FORWARD -j DROP
        -A OWN -j RETURN
        -A OWN -j ACCEPT"""
    )
    base = tables(
        filter=""":FORWARD DROP
        -A FORWARD -d 10.96.0.1/32 -j RETURN
        -A FORWARD -j ACCEPT"""
    )

    assert fate(called) == DROP
    assert fate(base) == DROP
    assert fate(base, packet("10.96.0.2:80")) == PASS


def test_a_drop_policy_swallows_what_falls_off_the_chain() -> None:
    """ACCEPT before the end saves a packet from it; translation does not."""
    dump = tables(
        nat=f"-A PREROUTING -p tcp -m tcp --dport 80 {TO_A}",
        filter=""":FORWARD DROP
        -A FORWARD -d 10.244.0.2/32 -j ACCEPT""",
    )

    assert fate(dump) == DROP
    assert fate(dump.replace("10.244.0.1:", "10.244.0.2:")) == sent(dnat("10.244.0.2:8080"))


def test_accept_in_nat_ends_nat_alone() -> None:
    """Nothing is translated any more, and the filter table is still asked."""
    dump = tables(
        nat=f"""
        -A PREROUTING -j EARLY
        -A PREROUTING {TO_A}
        -A EARLY -j ACCEPT""",
        filter="-A FORWARD -d 10.96.0.1/32 -j REJECT --reject-with icmp-port-unreachable",
    )

    assert fate(dump) == settled(Verdict.REJECT, "icmp-port-unreachable")


def test_filter_sees_the_translated_address_and_port() -> None:
    """A rule for the cluster IP no longer matches behind DNAT, one for the endpoint does."""
    nat = f"-A PREROUTING -d 10.96.0.1/32 {TO_A}"

    before = fate(tables(nat=nat, filter="-A FORWARD -d 10.96.0.1/32 -p tcp -m tcp --dport 80 -j DROP"))
    after = fate(tables(nat=nat, filter="-A FORWARD -d 10.244.0.1/32 -p tcp -m tcp --dport 8080 -j DROP"))

    assert (before, after) == (sent(dnat("10.244.0.1:8080")), DROP)


@pytest.mark.parametrize(("state", "outcome"), [("DNAT", DROP), ("NEW", DROP), ("ESTABLISHED", None)])
def test_conntrack_knows_the_translation(state: str, outcome: Outcome | None) -> None:
    """A first packet that was translated is both NEW and DNAT."""
    dump = tables(nat=f"-A PREROUTING {TO_A}", filter=f"-A FORWARD -m conntrack --ctstate {state} -j DROP")

    assert fate(dump) == (outcome or sent(dnat("10.244.0.1:8080")))


def test_an_untranslated_packet_is_not_in_state_dnat() -> None:
    """The guard of loopback lets in only what was translated."""
    dump = tables(filter="-A FORWARD -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP")

    assert fate(dump) == DROP


@pytest.mark.parametrize(
    ("set_", "asked", "outcome"),
    [
        ("--set-xmark 0x4000/0x4000", "--mark 0x4000/0x4000", DROP),
        ("--set-xmark 0x4000/0x4000", "--mark 0x8000/0x8000", PASS),
        ("--set-xmark 0xc000/0xffffffff", "--mark 0x4000/0x4000", DROP),  # other bits do not count
        ("--set-xmark 0xc000/0xffffffff", "--mark 0x4000", PASS),  # without a mask all do
        ("--set-xmark 0x4000/0x0", "--mark 0x4000/0x4000", DROP),  # flipped on
        ("--or-mark 0x1", "! --mark 0x1/0x1", PASS),
        ("--and-mark 0x0", "--mark 0x0", DROP),
    ],
)
def test_a_mark_set_in_nat_is_asked_in_filter(set_: str, asked: str, outcome: Outcome) -> None:
    """mark = (mark & ~mask) ^ value, and only the bits of the mask are compared."""
    dump = tables(nat=f"-A PREROUTING -j MARK {set_}", filter=f"-A FORWARD -m mark {asked} -j DROP")

    assert fate(dump) == outcome


def test_a_mark_flipped_twice_is_gone() -> None:
    """As KUBE-POSTROUTING clears the mark that it found."""
    dump = tables(
        mangle="""
        -A PREROUTING -j MARK --set-xmark 0x4000/0x4000
        -A PREROUTING -j MARK --set-xmark 0x4000/0x0""",
        filter="-A FORWARD -m mark --mark 0x4000/0x4000 -j DROP",
    )

    assert fate(dump) == PASS


def test_masquerade_happens_in_postrouting() -> None:
    """The mark set before translation is what asks for it."""
    dump = tables(
        nat=f"""
        -A PREROUTING -d 10.96.0.1/32 -j MARK --set-xmark 0x4000/0x4000
        -A PREROUTING {TO_A}
        -A POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN
        -A POSTROUTING -j MASQUERADE --random-fully"""
    )

    assert fate(dump) == sent(dnat("10.244.0.1:8080", masquerade=True))
    assert fate(dump, packet("10.96.0.2:80")) == sent(dnat("10.244.0.1:8080"))


def test_a_packet_to_itself_comes_in_again_by_loopback() -> None:
    """What the node sends to its own address meets OUTPUT, POSTROUTING and then INPUT by lo."""
    own = packet("10.32.1.11:80", "10.32.1.11", Origin.NODE)
    by_lo = tables(filter="-A INPUT -i lo -p tcp -j DROP")
    by_eth0 = tables(filter="-A INPUT -i eth0 -p tcp -j DROP")
    nat_again = tables(nat=f"-A PREROUTING {TO_A}")

    assert (fate(by_lo, own), fate(by_eth0, own)) == (DROP, PASS)
    assert fate(nat_again, own) == PASS  # the connection has had its nat


def test_what_the_node_sends_elsewhere_never_meets_input_or_prerouting() -> None:
    """Nor does it meet FORWARD."""
    dump = tables(nat=f"-A PREROUTING {TO_A}", filter="-A INPUT -j DROP\n-A FORWARD -j DROP")

    assert fate(dump, packet(origin=Origin.NODE, source="10.32.1.11")) == PASS


def test_what_the_wire_brings_for_the_node_itself_is_never_masqueraded() -> None:
    """Translated to the node's own address a packet meets INPUT and no POSTROUTING."""
    nat = "-A POSTROUTING -j MASQUERADE\n-A PREROUTING -j DNAT --to-destination {}:6443"

    home = fate(tables(nat=nat.format("10.32.1.11")))
    away = fate(tables(nat=nat.format("10.32.1.12")))

    assert home == sent(dnat("10.32.1.11:6443"))
    assert away == sent(dnat("10.32.1.12:6443", masquerade=True))


@pytest.mark.parametrize("notrack", ["-j NOTRACK", "-j CT --notrack"])
def test_an_untracked_packet_has_no_nat(notrack: str) -> None:
    """Its state is UNTRACKED, not NEW."""
    raw, nat = f"-A PREROUTING {notrack}", f"-A PREROUTING {TO_A}"

    assert fate(tables(raw=raw, nat=nat)) == PASS
    assert fate(tables(raw=raw, filter="-A FORWARD -m conntrack --ctstate NEW -j DROP")) == PASS
    assert fate(tables(raw=raw, filter="-A FORWARD -m conntrack --ctstate UNTRACKED -j DROP")) == DROP


CHOICE = f"""
    :SEP-1 -
    :SEP-2 -
    -A PREROUTING -d 10.96.0.1/32 -j SVC
    -A SVC -m statistic --mode random --probability 0.33333333349 -j SEP-1
    -A SVC -m statistic --mode random --probability 0.50000000000 -j SEP-2
    -A SVC -j SEP-3
    -A SEP-1 {TO_A}
    -A SEP-2 {TO_B}
    -A SEP-3 -j DNAT --to-destination 10.244.0.3:8080"""

THIRD = Fraction(1, 3)


def test_chances_multiply_to_equal_shares() -> None:
    """1/3, then 1/2 of what is left, then the rest; printed odds are read as the fractions meant."""
    assert fate(tables(nat=CHOICE)) == sent(
        *(dnat(f"10.244.0.{n}:8080", THIRD) for n in (1, 2, 3)),
    )


def test_an_emptied_endpoint_chain_falls_back_to_the_next_ones() -> None:
    """Packets that choose it come back and choose again: half and half of its third."""
    emptied = CHOICE.replace(f"-A SEP-1 {TO_A}\n", "")

    assert fate(tables(nat=emptied)) == sent(
        dnat("10.244.0.2:8080", Fraction(1, 2)), dnat("10.244.0.3:8080", Fraction(1, 2))
    )


def test_an_emptied_second_chain_leaves_two_thirds_to_the_last() -> None:
    """The first keeps its third."""
    emptied = CHOICE.replace(f"-A SEP-2 {TO_B}\n", "")

    assert fate(tables(nat=emptied)) == sent(
        dnat("10.244.0.1:8080", THIRD), dnat("10.244.0.3:8080", 2 * THIRD)
    )


def test_an_emptied_last_chain_leaves_a_part_untranslated() -> None:
    """Nothing comes after it to choose."""
    emptied = CHOICE[: CHOICE.index("-A SEP-3")].replace(":SEP-1 -", ":SEP-1 -\n:SEP-3 -")

    assert fate(tables(nat=emptied)) == sent(
        Leaf(Verdict.PASS, THIRD), dnat("10.244.0.1:8080", THIRD), dnat("10.244.0.2:8080", THIRD)
    )


STICKY = f"""
    -A PREROUTING -j SVC
    -A SVC -m recent --rcheck --seconds 60 --reap --name ONE --mask 255.255.255.255 --rsource -j ONE
    -A SVC -m recent --rcheck --seconds 60 --reap --name TWO --mask 255.255.255.255 --rsource -j TWO
    -A SVC -m statistic --mode random --probability 0.50000000000 -j ONE
    -A SVC -j TWO
    -A ONE -p tcp -m recent --set --name ONE --mask 255.255.255.255 --rsource -m tcp {TO_A}
    -A TWO -p tcp -m recent --set --name TWO --mask 255.255.255.255 --rsource -m tcp {TO_B}"""

HALVES = (dnat("10.244.0.1:8080", Fraction(1, 2)), dnat("10.244.0.2:8080", Fraction(1, 2)))
ONE, TWO = Remembered(target("10.244.0.1:8080"), 60), Remembered(target("10.244.0.2:8080"), 60)


def test_memories_are_asked_in_the_order_of_their_rules() -> None:
    """A new client meets chance; a client in both lists goes where the first one leads."""
    lines = STICKY.strip().splitlines()
    swapped = "\n".join([lines[0], lines[2], lines[1], *lines[3:]])

    assert fate(tables(nat=STICKY)) == Outcome(HALVES, (ONE, TWO))
    assert fate(tables(nat=swapped)) == Outcome(HALVES, (TWO, ONE))


def test_a_list_that_nobody_enters_is_no_memory() -> None:
    """Without --set the lists stay empty and only chance is left."""
    forgetful = STICKY.replace("--set", "--rcheck")
    only_one = STICKY.replace("-m recent --set --name TWO --mask 255.255.255.255 --rsource ", "")

    assert fate(tables(nat=only_one)) == Outcome(HALVES, (ONE,))
    assert fate(tables(nat=forgetful)).affinity == ()


def test_a_list_entered_for_another_endpoint_leads_nowhere() -> None:
    """Clients of the first endpoint are remembered as the second one's."""
    crossed = STICKY.replace("--set --name TWO", "--set --name ONE")

    assert fate(tables(nat=crossed)).affinity == (Remembered(Target(0, 0), 60),)


def test_asking_a_memory_without_a_target_does_nothing() -> None:
    """A rule that only counts remembered clients keeps nobody where he was."""
    counting = STICKY.replace("--rsource -j TWO", "--rsource")

    assert fate(tables(nat=counting)) == Outcome(HALVES, (ONE,))


UNHEARD = "-m unheard --of it"


def test_an_outcome_that_hangs_on_an_unknown_match_is_unsure() -> None:
    """The line is named, and taken as not matching in the outcome given."""
    dump = tables(filter=f"-A FORWARD -d 10.96.0.1/32 {UNHEARD} -j DROP")

    traced = walked(dump)

    assert traced.outcome == PASS
    assert [(one.line, one.matters) for one in traced.unsure] == [
        (dump.splitlines().index(":OUTPUT ACCEPT [0:0]") + 2, True)
    ]


@pytest.mark.parametrize(
    "rules",
    [
        f"-A FORWARD {UNHEARD} -j DROP\n-A FORWARD -j DROP",  # dropped either way
        f"-A FORWARD -d 10.96.0.2/32 {UNHEARD} -j ACCEPT\n-A FORWARD -j DROP",  # not this packet
        f"-A FORWARD {UNHEARD}\n-A FORWARD -j DROP",  # no target
    ],
)
def test_an_unknown_match_without_effect_is_not_reported(rules: str) -> None:
    """All ways to settle it come to the same."""
    assert fate(tables(filter=rules)) == DROP


def test_one_unknown_line_met_twice_is_settled_once() -> None:
    """Both visits of one line see the same truth, so the two rules cannot disagree."""
    dump = tables(
        filter=f"""
        -A FORWARD -j MAYBE
        -A FORWARD -m mark --mark 0x1/0x1 -j DROP
        -A FORWARD -m mark --mark 0x3/0x3 -j DROP
        -A MAYBE {UNHEARD} -j MARK --set-xmark 0x2/0x2"""
    )

    assert fate(dump) == PASS  # the mark is 0 or 2: neither 1 nor 3


def test_a_target_that_cannot_be_judged_is_unsure() -> None:
    """Whatever it does, the outcome must not be relied on."""
    dump = tables(filter="-A FORWARD -d 10.96.0.1/32 -j NFQUEUE --queue-num 1")

    assert [one.text for one in walked(dump).unsure] == [
        "-A FORWARD -d 10.96.0.1/32 -j NFQUEUE --queue-num 1"
    ]
    assert fate(dump, packet("10.96.0.2:80")) == PASS


def test_an_interface_that_is_not_known_is_unsure_unless_it_is_lo() -> None:
    """A packet without a named interface came by none that is loopback."""
    by_pods = tables(filter="-A FORWARD -i cali+ -j DROP")
    by_lo = tables(filter="-A FORWARD -i lo -j DROP")

    assert len(walked(by_pods).unsure) == 1
    assert fate(by_lo) == PASS


def test_the_path_is_every_rule_met_in_order() -> None:
    """Rules that did not match are not on it."""
    dump = tables(
        nat=f"""
        -A PREROUTING -d 10.96.0.2/32 -j DROP
        -A PREROUTING -d 10.96.0.1/32 -j SVC
        -A SVC {TO_A}"""
    )

    assert [line.text for line in walked(dump).path] == [
        "-A PREROUTING -d 10.96.0.1/32 -j SVC",
        f"-A SVC {TO_A}",
    ]
