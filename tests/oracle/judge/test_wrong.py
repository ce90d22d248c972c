"""Each class of bug is found in an implementation that has it, and shown by a short history."""

from collections.abc import Iterable
from fractions import Fraction

import pytest

from oracle.judge.adapters.walker import Walker
from oracle.judge.drawing import smallest_difference
from oracle.judge.moves import SetPod, SetService, Wanted
from oracle.judge.protocol import Message, Session
from oracle.judge.setting import Setting
from oracle.judge.trial import Case, Difference, Tally, play
from oracle.report.judge_text import judged_lines
from oracle.report.wording import Look
from tests.oracle.judge.speaking import InProcess
from tests.oracle.judge.wrong import WRONG

MOST_EVENTS = 5
EXACT = Fraction(0)


def difference(
    walker: Walker, mode: str, histories: int, *, version: str = "", seed: int = 0
) -> Difference | None:
    return smallest_difference(
        Session(InProcess(walker)),
        mode=mode,
        version=version,
        histories=histories,
        events=8,
        seed=seed,
        tolerance=Fraction(1, 1000),
        tally=Tally(),
    )


@pytest.mark.parametrize("wrong", WRONG, ids=lambda one: one.__name__)
def test_each_class_of_bug_is_found_by_a_short_history(wrong: type[Walker]) -> None:
    """Within the histories that are played unless told otherwise."""
    found = difference(wrong(), "iptables", 100)

    assert found is not None
    assert 1 <= len(found.events) <= MOST_EVENTS
    assert found.expected.cites


@pytest.mark.parametrize(("mode", "version"), [("iptables", ""), ("nftables", ""), ("iptables", "v1.30.0")])
def test_rules_written_from_the_contract_agree(mode: str, version: str) -> None:
    """Rules in the words of iptables or nft, read back and walked plainly; v1.30 reads hints otherwise."""
    assert difference(Walker(), mode, 20, version=version, seed=1) is None


def test_equal_seeds_find_the_same() -> None:
    wrong = next(one for one in WRONG if one.__name__ == "IgnoresExternalPolicy")

    first, second = difference(wrong(), "iptables", 100), difference(wrong(), "iptables", 100)

    assert first == second


def test_affinity_that_is_not_told_is_counted() -> None:
    """AFF-03: it agrees as far as it was judged, and how far that is gets said."""

    class Silent(Walker):
        def outcomes(self, packets: Iterable[Message]) -> list[Message]:
            return [{"fates": answer["fates"]} for answer in super().outcomes(packets)]

    affine = SetService(0, Wanted(has_affinity=True))
    tally = Tally()

    found = play(Case(Setting(), (SetPod(0, "node-a"), affine)), Session(InProcess(Silent())), EXACT, tally)

    # The cluster IP from two clients outside, a pod, the node, and the endpoint itself.
    assert (None, 5) == (found, tally.affinity_untold)
    assert (
        "not judged: affinity of 5 packets, of which nothing was said"
        == [*judged_lines(found, tally, Look())][-1]
    )
