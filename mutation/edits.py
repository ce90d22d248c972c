"""`python -m mutation.edits`: edits single lines of right nodes' dumps and writes docs/edits.md.

Every edit of every case is judged by `check`, and by the plain walk over a grid of packets: what an
edit does to no packet must not be told, what it does to some must be. The exit status is 1 where
an edit was misjudged.
"""

import os
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Final

import attrs
import click

from model.addresses import Family
from oracle.check import check_node
from oracle.findings import Kind, NodeReport, NodeVerdict
from oracle.node_rules import read_node
from tests.edits_ipvs import edits_of
from tests.oracle import test_mutations as plain
from tests.oracle import test_mutations_ipvs as ipvs
from tests.oracle.ipvs_nodes import healthy
from tests.oracle.test_mutations import Effect

PAGE: Final = Path(__file__).parents[1] / "docs" / "edits.md"
DIALECTS: Final = ("iptables", "nftables", "ipvs")
_TABLE: Final = re.compile(r"(?<=<!-- table -->\n).*?(?=<!-- end -->)", re.DOTALL)


@attrs.frozen
class Judged:
    """What became of the edits of one case."""

    dialect: str
    case: str
    counts: Counter[str] = attrs.field(factory=Counter)
    wrong: tuple[str, ...] = ()


def sort_of(effects: Iterable[Effect], report: NodeReport) -> str:
    """The column that an edit is counted in, from what it does and what is said of it.

    A node of which something could not be judged is no answer, right or wrong, where the walk
    hangs on the same. What cuts kube-proxy's rules off is told even while no packet meets them.
    """
    found = set(effects)
    match report.verdict:
        case NodeVerdict.DIFFERS if Effect.CHANGED in found:
            return "told"
        case NodeVerdict.DIFFERS if {one.kind for one in report.differences} == {Kind.UNREACHABLE_RULE}:
            return "latent"
        case NodeVerdict.DIFFERS:
            return "false alarm"
        case NodeVerdict.CONFORMS if found <= {Effect.NONE}:
            return "silent"
        case NodeVerdict.NOT_JUDGED if Effect.UNSURE in found:
            return "not judged"
    return "missed"


def judge(place: tuple[str, str, int]) -> Judged:
    """All edits of a case, or so many of them if there are more and it is not 0."""
    dialect, case, most = place
    counts: Counter[str] = Counter()
    wrong = []
    for what, effects, report in _ipvs(case, most) if dialect == "ipvs" else _plain(case, most):
        sort = sort_of(effects, report)
        counts[sort] += 1
        if sort in ("missed", "false alarm"):
            wrong.append(f"{dialect} {case}: {sort}: {what}")
    return Judged(dialect, case, counts, tuple(wrong))


def _plain(case: str, most: int) -> Iterator[tuple[str, list[Effect], NodeReport]]:
    of = plain.node(case)
    for edit in plain.chosen(case, most) if most else plain.every_edit(case):
        report = plain.judged(of, edit)
        evidence = plain.with_rules(of.evidence, of.mode, edit.text)
        now = read_node(evidence, of.cluster).by_family[Family.IPV4]
        packets = (*(one.packet for one in report.differences), *of.before)
        yield f"{edit.what}, line {edit.line}", [plain.effect(of, now, one) for one in packets], report


def _ipvs(case: str, most: int) -> Iterator[tuple[str, list[Effect], NodeReport]]:
    of = healthy(case)
    every = list(edits_of(of.texts))
    for edit in ipvs.chosen(case, every, most or len(every)):
        report = check_node(ipvs.edited(of, edit), of.cluster)
        yield f"{edit.what}: {edit.entry}", list(ipvs.effects(of, edit, report)), report


def table(judged: Iterable[Judged]) -> str:
    """A row for each dialect: edits by what they do and what was said, precision and recall."""
    sums: dict[str, Counter[str]] = {}
    for one in judged:
        sums.setdefault(one.dialect, Counter()).update(one.counts)
    heads = ("told", "missed", "silent", "false alarm", "latent", "not judged")
    lines = [
        "| dialect | edits | " + " | ".join(heads) + " | precision | recall |",
        "|---|" + "--:|" * (len(heads) + 3),
    ]
    for dialect in DIALECTS:
        counts = sums.get(dialect, Counter())
        told, missed, alarms = counts["told"], counts["missed"], counts["false alarm"]
        figures = [counts.total(), *(counts[head] for head in heads)]
        shares = [share(told, told + alarms), share(told, told + missed)]
        lines.append(f"| {dialect} | " + " | ".join([*(f"{one:,}" for one in figures), *shares]) + " |")
    return "\n".join(lines) + "\n"


def share(part: int, whole: int) -> str:
    """In per cent, rounded down so that 100 % means all."""
    return f"{1000 * part // whole / 10:.1f} %" if whole else "-"


@click.command()
@click.option(
    "--most", type=click.IntRange(min=0), default=0, show_default=True, help="Edits of a case; 0: all."
)
@click.option("--write/--no-write", default=True, help="Whether docs/edits.md gets the table.")
def main(*, most: int, write: bool) -> None:
    """Edits single lines of right nodes and counts what check says of it."""
    places = [("ipvs", case, most) for case in ipvs.CASES]
    places += [(case.rpartition(".")[2], case, most) for case in plain.CASES]
    judged = []
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for one in pool.map(judge, places):
            judged.append(one)
            print(f"{one.dialect} {one.case}: {dict(one.counts)}", flush=True)
    wrong = [text for one in judged for text in one.wrong]
    print("\n".join([table(judged), *wrong]))
    if write:
        page = PAGE.read_text(encoding="utf-8")
        PAGE.write_text(_TABLE.sub(table(judged), page), encoding="utf-8")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
