"""Two fates in words: what is the same is left out, and equal kinds of difference read alike."""

from fractions import Fraction

import pytest

from model.addresses import Family, parse_address
from model.outcome import Leaf, Outcome, Remembered, Target, Verdict
from model.packet import TCP, Origin, Packet
from oracle.difference.fates import fates

ONE, HALF = Fraction(1), Fraction(1, 2)


def number(text: str) -> int:
    return parse_address(text)[1]


PACKET = Packet(Family.IPV4, Origin.WIRE, number("10.244.1.5"), number("10.96.0.10"), TCP, 80)
HERE, THERE = Target(number("10.244.1.5"), 8080), Target(number("10.244.2.6"), 8080)
REFUSED = Outcome((Leaf(Verdict.REJECT, ONE, reject_with="icmp-port-unreachable"),))
RESET = Outcome((Leaf(Verdict.REJECT, ONE, reject_with="tcp-reset"),))
DROPPED = Outcome((Leaf(Verdict.DROP, ONE),))
PASSED = Outcome((Leaf(Verdict.PASS, ONE),))
REWRITTEN = Outcome((Leaf(Verdict.PASS, ONE, masquerade=True),))


def sent(*targets: Target, odds: tuple[Fraction, ...] = (), rewritten: tuple[Target, ...] = ()) -> Outcome:
    shares = odds or (Fraction(1, len(targets)),) * len(targets)
    pairs = zip(targets, shares, strict=True)
    return Outcome(tuple(Leaf(Verdict.DNAT, share, to, to in rewritten) for to, share in pairs))


def held(outcome: Outcome, seconds: int) -> Outcome:
    memory = tuple(Remembered(leaf.target, seconds) for leaf in outcome.leaves if leaf.target is not None)
    return Outcome(outcome.leaves, memory)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (REFUSED, PASSED, ("refused", "left alone")),
        (sent(HERE), DROPPED, ("delivered", "dropped")),
        (sent(HERE, rewritten=(HERE,)), PASSED, ("delivered", "left alone")),
        (REFUSED, RESET, ("refused, with icmp-port-unreachable", "refused, with tcp-reset")),
        (PASSED, REWRITTEN, ("left alone, source kept", "left alone, source replaced")),
        (sent(HERE, THERE), sent(HERE), ("delivered, also to 10.244.2.6:8080", "delivered")),
        (sent(HERE), sent(THERE), ("delivered to 10.244.1.5:8080", "delivered to 10.244.2.6:8080")),
        (
            sent(HERE, THERE),
            sent(HERE, THERE, odds=(Fraction(1, 4), Fraction(3, 4))),
            ("delivered, evenly", "delivered, unevenly (1/4, 3/4)"),
        ),
        (
            sent(HERE, THERE, rewritten=(HERE, THERE)),
            sent(HERE, THERE),
            ("delivered, source replaced", "delivered, source kept"),
        ),
        (
            sent(HERE, THERE, rewritten=(HERE,)),
            sent(HERE, THERE),
            (
                "delivered, source replaced when sent back to its sender",
                "delivered, source kept when sent back to its sender",
            ),
        ),
        (
            sent(HERE, THERE, rewritten=(THERE,)),
            sent(HERE, THERE),
            ("delivered, source replaced on the way to 10.244.2.6:8080", "delivered, source kept"),
        ),
        (
            held(sent(HERE), 600),
            sent(HERE),
            ("delivered, clients held 600 s", "delivered, clients not held"),
        ),
        (
            held(sent(HERE), 600),
            held(sent(HERE), 10800),
            ("delivered, clients held 600 s", "delivered, clients held 10800 s"),
        ),
        (
            Outcome((Leaf(Verdict.DNAT, HALF, HERE), Leaf(Verdict.DROP, HALF))),
            sent(HERE),
            ("delivered or dropped", "delivered"),
        ),
    ],
)
def test_fates_are_told_as_far_as_they_part(
    before: Outcome, after: Outcome, expected: tuple[str, str]
) -> None:
    assert expected == fates(before, after, PACKET)
    assert expected[::-1] == fates(after, before, PACKET)
