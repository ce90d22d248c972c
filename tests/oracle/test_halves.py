"""Two processes come to what one comes to."""

import os
import sys
import threading
from pathlib import Path

import pytest

from oracle.bundle import read_bundle
from oracle.check import check_node
from oracle.findings import NodeReport
from oracle.space import compare
from oracle.space.halves import second_half

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are copied on Linux only")

DUMPS = Path(__file__).parents[1] / "dumps"


@pytest.fixture(autouse=True)
def copied(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second process is had even where a test runner's threads would forbid it."""
    monkeypatch.setattr(threading, "active_count", lambda: 1)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)


def reports(case: str) -> list[NodeReport]:
    bundle = read_bundle(str(DUMPS / case))
    assert bundle.cluster is not None
    return [check_node(node, bundle.cluster) for node in bundle.nodes]


@pytest.mark.parametrize("case", ["stale-pod-deleted.iptables", "etp-local-lb.iptables", "busy-1.iptables"])
def test_a_node_compared_in_two_processes_gets_the_same_report(
    case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same differences in the same words, and as many cells."""
    alone = reports(case)

    monkeypatch.setattr(compare, "SHARE_FROM", 0)
    shared = reports(case)

    assert [one.verdict for one in shared] == [one.verdict for one in alone]
    assert [one.judged for one in shared] == [one.judged for one in alone]
    for mine, theirs in zip(shared, alone, strict=True):
        assert {(d.kind, d.service_port, d.frontends) for d in mine.differences} == {
            (d.kind, d.service_port, d.frontends) for d in theirs.differences
        }


def test_an_error_in_the_second_process_is_raised_in_the_first() -> None:
    def task() -> int:
        raise ValueError("no answer")

    answer = second_half(task)

    assert answer is not None
    with pytest.raises(ValueError, match="no answer"):
        answer()


def test_the_answer_of_the_second_process_is_the_tasks() -> None:
    answer = second_half(lambda: [1, 2, 3])

    assert answer is not None
    assert answer() == [1, 2, 3]
