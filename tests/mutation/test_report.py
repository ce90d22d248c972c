"""The page of scores: what is written is read again, and a run replaces its own rows alone."""

from pathlib import Path

import attrs
import pytest

from mutation import report
from mutation.report import Equivalent, Page, Score, Survivor, estimate, page, percentage, read_page, total

HEAD = "# Scores of it\n\nWhat this is.\n\n"
ODDS = Score("model/odds.py", 40, 12, 8, 2, 2)
MODES = Score("model/modes.py", 100, 100, 100, 0, 0)
PAGE = Page(
    scores=(MODES, ODDS),
    survivors=(
        Survivor("model/odds.py", 3, "key = a | b", "key = a & b", "Shares that differ so are too rare."),
        Survivor("model/odds.py", 9, "x()", ""),
    ),
    equivalent=(
        Equivalent("model/odds.py", 4, "x = 1", None, "Nobody reads x.", 2),
        Equivalent("model/odds.py", 5, "y = 1", "y = 2", "Nobody reads y."),
    ),
    new=("model/packet.py",),
)


def test_a_page_that_is_written_is_read_again() -> None:
    text = page(HEAD, PAGE)

    assert read_page(text) == PAGE
    assert page(text, PAGE) == text
    assert text.startswith(HEAD)


def test_the_score_counts_what_can_be_killed_and_is_rounded_down() -> None:
    almost = Score("model/odds.py", 9999, 3001, 3000, 1, 0)

    assert (percentage(ODDS), percentage(almost)) == ("80.0 %", "99.9 %")
    assert percentage(Score("model/odds.py", 1, 1, 0, 0, 1)) == "-"


def test_sums_count_each_fault_once_and_the_estimate_speaks_for_those_not_tried() -> None:
    assert total([ODDS, MODES]) == Score("all", 140, 112, 108, 2, 2)
    assert estimate([ODDS, MODES]) == pytest.approx(100 * (40 * 0.8 + 100) / 140)


def test_a_run_replaces_the_rows_of_its_module_and_drops_those_of_modules_that_are_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = Score("model/gone.py", 1, 1, 1, 0, 0)
    file = tmp_path / "mutation.md"
    file.write_text(page(HEAD, attrs.evolve(PAGE, scores=(*PAGE.scores, gone))))
    monkeypatch.setattr(report, "PAGE", file)
    packet = Score("model/packet.py", 5, 5, 4, 1, 0)
    survivor = Survivor("model/packet.py", 1, "a", "b")

    report.written(packet, (survivor,), ())

    expected = Page((MODES, ODDS, packet), (*PAGE.survivors, survivor), PAGE.equivalent)
    assert read_page(file.read_text()) == expected
