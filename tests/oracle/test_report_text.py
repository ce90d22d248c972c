"""What people read of an answer, word for word."""

import re
from fractions import Fraction
from typing import Any

import attrs
import pytest

from model.addresses import Family, parse_address
from model.expectation import Expectation
from model.objects import ObjectName, ServicePortName
from model.outcome import Leaf, Outcome, Remembered, Target, Verdict
from model.packet import Origin, Packet
from oracle.findings import Difference, Judged, Kind, Line, NodeReport, NotJudged, Trace
from oracle.report.as_text import (
    aside_lines,
    difference_lines,
    expectation_line,
    expectation_lines,
    node_lines,
    summary_line,
    trace_line,
    trace_lines,
)
from oracle.report.wording import Look, outcome_text

HALF, THIRD = Fraction(1, 2), Fraction(1, 3)
V4, V6 = Family.IPV4, Family.IPV6
PLAIN = Look(width=160)


def target(text: str, port: int) -> Target:
    return Target(parse_address(text)[1], port)


def dnat(text: str, port: int, odds: Fraction, masquerade: bool = False) -> Leaf:
    return Leaf(Verdict.DNAT, odds, target(text, port), masquerade)


def settled(verdict: Verdict, reject_with: str = "") -> Outcome:
    return Outcome((Leaf(verdict, Fraction(1), reject_with=reject_with),))


TWO = Outcome(
    (dnat("10.0.0.1", 80, HALF), dnat("10.0.0.2", 80, HALF, masquerade=True)),
    (Remembered(target("10.0.0.1", 80), 10800), Remembered(target("10.0.0.2", 80), 10800)),
)
ONE = Outcome((dnat("10.0.0.1", 80, Fraction(1)),))
LEAK = Outcome((dnat("10.0.0.1", 80, 2 * THIRD), Leaf(Verdict.PASS, THIRD)))
HUNDRED = Outcome(tuple(dnat(f"10.0.1.{last}", 80, Fraction(1, 100)) for last in range(100)))
PACKET = Packet(
    V4,
    Origin.WIRE,
    parse_address("10.244.1.9")[1],
    parse_address("10.96.0.10")[1],
    6,
    80,
    in_interface="eth0",
)
WEB = ServicePortName(ObjectName("shop", "web"), "http", "TCP")
STALE = Difference(
    kind=Kind.STALE_TARGET,
    family=V4,
    service_port=WEB,
    port=80,
    protocol="TCP",
    frontend="10.96.0.10:80",
    packet=PACKET,
    expected=(ONE,),
    found=TWO,
    lines=(
        Line("iptables-save", 41, "-A KUBE-SEP-X -j DNAT --to 10.0.0.2:80"),
        Line("iptables-save", 12, "-A KUBE-SVC-W -j KUBE-SEP-X"),
        Line("iptables-save", 13, "-A KUBE-SVC-W -j KUBE-SEP-C"),
    ),
    cites=("FWD-CIP-01",),
    explanation="10.0.0.2:80 is no endpoint of the Service.",
)
SEEN = Judged(frontends=12, cells=431, rules=310)


def report(*differences: Difference, not_judged: tuple[NotJudged, ...] = ()) -> NodeReport:
    return NodeReport("node-a", "iptables", (V4,), SEEN, differences, not_judged)


@pytest.mark.parametrize(
    ("outcome", "says"),
    [
        (TWO, "DNAT to 10.0.0.1:80 (1/2), 10.0.0.2:80 (1/2, masqueraded); affinity 10800 s"),
        (ONE, "DNAT to 10.0.0.1:80"),
        (LEAK, "DNAT to 10.0.0.1:80 (2/3); otherwise untouched (1/3)"),
        (settled(Verdict.REJECT, "icmp-port-unreachable"), "REJECT"),
        (settled(Verdict.DROP), "DROP"),
        (settled(Verdict.PASS), "untouched"),
        (
            HUNDRED,
            "DNAT to 10.0.1.0:80, 10.0.1.1:80, 10.0.1.2:80, ... and 97 more (each 1/100)",
        ),
    ],
)
def test_outcome_in_words(outcome: Outcome, says: str) -> None:
    """An outcome is one line in the terms of packet filters, with exact odds."""
    assert outcome_text(outcome, V4) == says


def test_target_of_ipv6_is_bracketed() -> None:
    """`address:port` is never ambiguous."""
    outcome = Outcome((dnat("fd00::1", 80, Fraction(1)),))

    assert outcome_text(outcome, V6) == "DNAT to [fd00::1]:80"


def test_odd_target_among_many_is_not_hidden_by_the_ellipsis() -> None:
    """What was found wrong is named first, however many targets there are."""
    said = outcome_text(HUNDRED, V4, first={target("10.0.1.77", 80)})

    assert said == "DNAT to 10.0.1.77:80, 10.0.1.0:80, 10.0.1.1:80, ... and 97 more (each 1/100)"


def test_difference_takes_five_lines() -> None:
    """Headline, packet, expected, found and the guilty line; further lines are counted."""
    said = list(difference_lines(STALE, PLAIN))

    assert said == [
        "  shop/web port 80/TCP (http): stale-target at 10.96.0.10:80 [FWD-CIP-01]",
        "    packet    10.244.1.9 -> 10.96.0.10:80 tcp (from the wire by eth0)",
        "    expected  DNAT to 10.0.0.1:80",
        "    found     DNAT to 10.0.0.1:80 (1/2), 10.0.0.2:80 (1/2, masqueraded); affinity 10800 s",
        "    rule      iptables-save:41: -A KUBE-SEP-X -j DNAT --to 10.0.0.2:80 (and 2 more lines)",
    ]


@pytest.mark.parametrize("blameless", [{"lines": ()}, {"kind": Kind.MISSING_FRONTEND}])
def test_difference_without_a_guilty_line_says_why_in_words(blameless: dict[str, Any]) -> None:
    """Where no line can be blamed, the explanation stands in its place."""
    said = list(difference_lines(attrs.evolve(STALE, **blameless), PLAIN))

    assert said[4:] == ["    why       10.0.0.2:80 is no endpoint of the Service."]


def test_long_guilty_line_is_cut_with_its_count_kept() -> None:
    """A line never exceeds the width; what the rule does and what follows it are still said."""
    look = Look(width=60)

    last = list(difference_lines(STALE, look))[-1]

    assert len(last) == 60
    assert last.startswith("    rule      iptabl…")
    assert last.endswith("10.0.0.2:80 (and 2 more lines)")


def test_spread_of_a_cause_is_in_its_headline() -> None:
    """IPv6, further frontends and further Services are said once, on the headline."""
    wide = attrs.evolve(
        STALE, family=V6, frontends=4, also=(ServicePortName(ObjectName("shop", "db"), "", "TCP"),)
    )

    said = next(difference_lines(wide, PLAIN))

    assert said == (
        "  shop/web port 80/TCP (http): stale-target at 10.96.0.10:80 IPv6"
        " and 3 more frontends, also of shop/db [FWD-CIP-01]"
    )


def test_difference_of_no_service_says_so() -> None:
    """A foreign rule concerns no Service."""
    foreign = attrs.evolve(STALE, service_port=None, port=None, kind=Kind.UNREACHABLE_RULE)

    said = next(difference_lines(foreign, PLAIN))

    assert said == "  no Service: unreachable-rule at 10.96.0.10:80 [FWD-CIP-01]"


def test_node_begins_with_its_verdict() -> None:
    """The first line is the node, its verdict and how much was judged."""
    said = next(node_lines(report(STALE), PLAIN))

    assert said == "node-a  DIFFERS  1 difference  (iptables; 12 frontends, 431 cells, 310 rules judged)"


def test_conforming_node_is_one_line() -> None:
    """Nothing more is said of a node that is as it should be."""
    said = list(node_lines(report(), PLAIN))

    assert said == ["node-a  CONFORMS  (iptables; 12 frontends, 431 cells, 310 rules judged)"]


def test_lines_that_decide_are_shown_and_the_idle_are_counted() -> None:
    """What withholds a verdict is shown; what nothing depends on is a number."""
    deciding = NotJudged("iptables-save", 7, "-A X -m bpf", "match bpf", matters=True)
    idle = NotJudged("iptables-save", 9, "-A Y -j NFQUEUE", "target NFQUEUE", matters=False)

    said = list(node_lines(report(not_judged=(idle, deciding, idle)), PLAIN))

    assert said == [
        "node-a  NOT JUDGED  (iptables; 12 frontends, 431 cells, 310 rules judged)",
        "  not judged: iptables-save:7: match bpf: -A X -m bpf",
        "  2 lines not judged that no Service packet depends on (--verbose shows them)",
    ]


def test_many_differences_are_counted_past_twenty() -> None:
    """A screen holds the first; the rest is a number unless all is wanted."""
    many = report(*[STALE] * 23)

    brief = list(node_lines(many, PLAIN))
    full = list(node_lines(many, Look(verbose=True)))

    assert brief[-1] == "  ... and 3 more differences (--verbose shows all)"
    assert sum("stale-target" in line for line in brief) == 20
    assert sum("stale-target" in line for line in full) == 23


def test_colours_do_not_count_as_width_or_get_cut() -> None:
    """Taking the colours out of a coloured answer gives the plain one."""
    deciding = NotJudged("iptables-save", 7, "-A X -m bpf " * 20, "match bpf", matters=True)
    node = report(STALE, not_judged=(deciding,))

    coloured = list(node_lines(node, Look(width=70, colour=True)))

    assert [re.sub(r"\x1b\[\d+m", "", line) for line in coloured] == list(node_lines(node, Look(width=70)))
    assert coloured != list(node_lines(node, Look(width=70)))


def test_rule_text_cannot_command_the_terminal() -> None:
    """A comment that holds an escape sequence is shown, not obeyed."""
    trace = Trace(ONE, (Line("iptables-save", 3, "-m comment --comment \x1b[2J"),))

    said = list(trace_lines(trace, V4, PLAIN))

    assert said[1] == "  iptables-save:3  -m comment --comment ?[2J"


def test_summary_counts_verdicts() -> None:
    """Many nodes end in one line that sums them up."""
    said = summary_line([report(), report(STALE), report()], PLAIN)

    assert said == "3 nodes: 1 differs, 2 conform"


def test_warnings_of_many_nodes_are_said_once() -> None:
    """A warning about the cluster is no line per node; one about some nodes names them."""
    shared = attrs.evolve(report(), warnings=("two claim 10.0.0.1",))
    own = attrs.evolve(shared, node="node-b", assumptions=("mode iptables assumed",))

    assert list(aside_lines([shared, own], PLAIN)) == [
        "  warning: two claim 10.0.0.1",
        "  assumed: mode iptables assumed (node-b)",
    ]


def test_backend_is_said_beside_the_dialect() -> None:
    """Whose iptables made a dump can be the fault."""
    said = next(node_lines(attrs.evolve(report(), dialect="iptables (legacy)"), PLAIN))

    assert said == "node-a  CONFORMS  (iptables on legacy; 12 frontends, 431 cells, 310 rules judged)"


def test_trace_is_the_outcome_and_then_each_rule_met() -> None:
    """The lines come in the order in which the packet met them."""
    trace = Trace(
        TWO,
        (
            Line("iptables-save", 5, "-A PREROUTING -j KUBE-SERVICES"),
            Line("iptables-save", 9, "-A KUBE-SVC-W"),
        ),
        (NotJudged("iptables-save", 7, "-m bpf", "match bpf", matters=True),),
    )

    assert list(trace_lines(trace, V4, PLAIN)) == [
        "DNAT to 10.0.0.1:80 (1/2), 10.0.0.2:80 (1/2, masqueraded); affinity 10800 s",
        "not judged: iptables-save:7: match bpf: -m bpf",
        "  iptables-save:5  -A PREROUTING -j KUBE-SERVICES",
        "  iptables-save:9  -A KUBE-SVC-W",
    ]
    assert trace_line(PACKET, Trace(ONE, ()), PLAIN) == (
        "10.244.1.9 -> 10.96.0.10:80 tcp (from the wire by eth0): DNAT to 10.0.0.1:80"
    )


def test_expectation_names_its_rows_and_owners() -> None:
    """Several allowed outcomes read as a choice."""
    choice = Expectation(
        (ONE, settled(Verdict.REJECT)), ("FWD-CIP-01", "FWD-OBJ-08"), ("shop/web:http", "shop/b")
    )

    assert list(expectation_lines(choice, V4, PLAIN)) == [
        "either DNAT to 10.0.0.1:80",
        "or REJECT",
        "  decided by FWD-CIP-01, FWD-OBJ-08",
        "  frontend of shop/web:http and shop/b",
    ]
    assert expectation_line(PACKET, choice, PLAIN) == (
        "10.244.1.9 -> 10.96.0.10:80 tcp (from the wire by eth0):"
        " DNAT to 10.0.0.1:80 or REJECT [FWD-CIP-01, FWD-OBJ-08]"
    )
