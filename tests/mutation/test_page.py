"""docs/mutation.md: every module has its row, the figures add up, and the contract has no survivor."""

from collections import Counter

import pytest

from mutation.__main__ import SAMPLE
from mutation.mutants import mutants_of
from mutation.report import CONTRACT, PAGE, ROOT, Page, Score, estimate, page, read_page, total

TEXT = PAGE.read_text()
TABLES = read_page(TEXT)
LEAST = 90.0  # percent of what can be killed, for all of model/


def modules_with_faults() -> list[str]:
    """A module whose text is a docstring or imports alone has nothing to be changed."""
    paths = sorted((ROOT / "model").rglob("*.py"))
    return [path.relative_to(ROOT).as_posix() for path in paths if mutants_of_start(path.read_text())]


def mutants_of_start(text: str) -> bool:
    """Whether a module has any fault; long ones have, and need not be asked."""
    return text.count("\n") > 30 or bool(mutants_of(text))


def untold(tables: Page, modules: list[str]) -> list[str]:
    told = {score.module for score in tables.scores} | set(tables.new)
    return [module for module in modules if module not in told]


def test_every_module_has_a_score_or_is_named_as_new() -> None:
    """If this fails for a module of yours, try it, or add it to the list "New since" of the page."""
    assert untold(TABLES, modules_with_faults()) == []


def test_a_module_that_the_page_does_not_name_is_found() -> None:
    assert untold(TABLES, ["model/forwarding.py", "model/of_tomorrow.py"]) == ["model/of_tomorrow.py"]


def test_no_module_stands_in_the_table_twice() -> None:
    rows = Counter(score.module for score in TABLES.scores)

    assert [module for module, count in rows.items() if count > 1] == []
    assert set(TABLES.new).isdisjoint(rows)


@pytest.mark.parametrize("score", TABLES.scores, ids=lambda score: score.module)
def test_the_figures_of_a_row_add_up(score: Score) -> None:
    survived = [s for s in TABLES.survivors if s.module == score.module]
    equivalent = [e.count for e in TABLES.equivalent if e.module == score.module]

    assert score.tried == score.killed + score.survived + score.equivalent
    assert (score.survived, score.equivalent) == (len(survived), sum(equivalent))
    assert score.tried == (score.mutants if score.module in CONTRACT else min(score.mutants, SAMPLE))


def test_the_page_says_what_its_rows_say() -> None:
    """The sums, the percentages and the estimate are those of the rows."""
    assert page(TEXT, TABLES) == TEXT


def test_no_fault_of_the_contract_goes_unnoticed() -> None:
    survived = {score.module: score.survived for score in TABLES.scores if score.module in CONTRACT}

    assert survived == dict.fromkeys(CONTRACT, 0)


def test_of_all_faults_nine_in_ten_are_noticed() -> None:
    everything = total(TABLES.scores)

    assert everything.killed >= LEAST / 100 * (everything.tried - everything.equivalent)
    assert estimate(TABLES.scores) >= LEAST


def test_every_equivalent_mutant_has_a_reason() -> None:
    assert [e for e in TABLES.equivalent if len(e.reason.split()) < 4] == []


def test_every_survivor_has_a_reason() -> None:
    assert [s for s in TABLES.survivors if len(s.reason.split()) < 4] == []
