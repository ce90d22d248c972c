"""What is counted of single edits: only what is told and true helps, and no mistake is hidden."""

import re
from collections import Counter

import attrs
import pytest

from mutation.edits import DIALECTS, PAGE, Judged, judge, share, sort_of, table
from oracle.findings import Kind, NodeReport, NodeVerdict, NotJudged
from tests.oracle import test_mutations as plain
from tests.oracle.test_mutations import Effect

HEALTHY = "clusterip-basic.iptables"


def report(verdict: NodeVerdict, kind: Kind = Kind.WRONG_VERDICT) -> NodeReport:
    """A report with that verdict; one difference where the node differs."""
    of = plain.node(HEALTHY)
    edit = next(one for one in plain.every_edit(HEALTHY) if plain.judged(of, one).differences)
    told = plain.judged(of, edit)
    differences = (attrs.evolve(told.differences[0], kind=kind),) if verdict is NodeVerdict.DIFFERS else ()
    open_ = (NotJudged("iptables-save", 1, "", "why", matters=True),)
    given = attrs.evolve(
        told, differences=differences, not_judged=open_ if verdict is NodeVerdict.NOT_JUDGED else ()
    )
    assert given.verdict is verdict
    return given


@pytest.mark.parametrize(
    ("verdict", "effects", "expected"),
    [
        (NodeVerdict.DIFFERS, [Effect.NONE, Effect.CHANGED], "told"),
        (NodeVerdict.DIFFERS, [Effect.NONE], "false alarm"),
        (NodeVerdict.CONFORMS, [Effect.NONE], "silent"),
        (NodeVerdict.CONFORMS, [Effect.NONE, Effect.CHANGED], "missed"),
        (NodeVerdict.CONFORMS, [Effect.UNSURE], "missed"),
        (NodeVerdict.NOT_JUDGED, [Effect.UNSURE], "not judged"),
        (NodeVerdict.NOT_JUDGED, [Effect.CHANGED], "missed"),
    ],
)
def test_an_edit_is_counted_by_what_it_does_and_what_is_said(
    verdict: NodeVerdict, effects: list[Effect], expected: str
) -> None:
    assert sort_of(effects, report(verdict)) == expected


def test_a_rule_that_hides_others_is_counted_apart_while_no_packet_meets_it() -> None:
    hidden = report(NodeVerdict.DIFFERS, Kind.UNREACHABLE_RULE)

    assert sort_of([Effect.NONE], hidden) == "latent"
    assert sort_of([Effect.CHANGED], hidden) == "told"


def test_shares_are_rounded_down() -> None:
    """One miss of two thousand is not 100 %."""
    assert [share(1, 1), share(1999, 2000), share(0, 3), share(0, 0)] == ["100.0 %", "99.9 %", "0.0 %", "-"]


def test_the_table_adds_up_the_cases_of_a_dialect() -> None:
    judged = [
        Judged("ipvs", "a", Counter({"told": 2, "missed": 1})),
        Judged("ipvs", "b", Counter({"told": 1, "silent": 4, "false alarm": 3})),
    ]

    assert "| ipvs | 11 | 3 | 1 | 4 | 3 | 0 | 0 | 50.0 % | 75.0 % |" in table(judged)


@pytest.mark.parametrize("place", [("iptables", HEALTHY, 2), ("ipvs", "clusterip-basic", 2)])
def test_the_edits_of_a_case_are_judged(place: tuple[str, str, int]) -> None:
    judged = judge(place)

    assert judged.counts.total() == 2
    assert judged.wrong == ()


def test_the_page_has_a_row_for_each_dialect_and_tells_of_no_mistake() -> None:
    """Precision and recall of all edits, as the last run found them."""
    row = re.compile(r"^\| (\w+) \| ([\d,]+) \|.*\| ([\d.]+) % \| ([\d.]+) % \|$", re.MULTILINE)
    rows = row.findall(PAGE.read_text(encoding="utf-8"))

    assert [name for name, *_ in rows] == list(DIALECTS)
    assert all(int(edits.replace(",", "")) > 1_000 for _, edits, *_ in rows)
    assert all((precision, recall) == ("100.0", "100.0") for _, _, precision, recall in rows)
