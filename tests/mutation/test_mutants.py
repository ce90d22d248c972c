"""The faults of a module: mutmut's, those of tables, each once, and where each one is."""

import pytest

from mutation.mutants import Mutant, mutants_of

HEAD = "IS_A = Fact('a')\nIS_B = Fact('b')\n"


def lines(text: str) -> set[tuple[int, str, str]]:
    """(line, line before, line after) of each fault."""
    return {(mutant.line, mutant.before, mutant.after) for mutant in mutants_of(text)}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("rows = (Row(1), Row(2))", {"rows = (Row(2),)", "rows = (Row(1), )", "rows = (Row(2), Row(1))"}),
        ("rows = [x, y]", {"rows = [y]", "rows = [x, ]"}),
        ("when = All((IS_A, x))", {"when = Any((IS_A, x))", "when = All((IS_B, x))", "when = All((IS_A, ))"}),
        ("when = Not(IS_A)", {"when = IS_A", "when = Not(IS_B)"}),
        ("good = all(x for x in y if x.z)", {"good = any(x for x in y if x.z)", "good = all(x for x in y)"}),
        ("then = [Do.DROP, Do.PASS]", {"then = [Do.PASS, Do.PASS]", "then = [Do.DROP, Do.DROP]"}),
        ("held = a and b", {"held = a or b", "held = (a)", "held = (b)"}),
        ("first = 4 < x", {"first = 5 < x", "first = 4 <= x"}),
    ],
)
def test_a_table_and_a_condition_go_wrong_in_each_of_these_ways(line: str, expected: set[str]) -> None:
    faults = {after for _, before, after in lines(HEAD + line + "\n") if before == line}

    assert expected <= faults


def test_a_lost_row_stands_at_its_own_line() -> None:
    table = "rows = (\n    Row(1),\n    Row(2),\n    Row(3),\n)\n"

    lost = [(m.line, m.before) for m in mutants_of(table) if not m.after]

    assert lost == [(2, "Row(1),"), (3, "Row(2),"), (4, "Row(3),")]


def test_an_if_is_negated() -> None:
    faults = lines("def f(x):\n    if x.y:\n        return 1\n    return 0\n")

    assert (2, "if x.y:", "if not (x.y):") in faults


def test_names_of_types_annotations_imports_and_docstrings_are_left_alone() -> None:
    text = '"""Doc."""\nfrom a import B\n\nNames = dict[str, B | None]\n\n'
    text += "def f(x: B | None) -> int | B: ...\n"

    assert mutants_of(text) == ()


def test_each_fault_comes_once_and_compiles() -> None:
    texts = [mutant.text for mutant in mutants_of(HEAD + "def f(x):\n    return (x and IS_A, not x, 1)\n")]

    assert len(texts) == len(set(texts)) > 5
    for text in texts:
        compile(text, "faulty", "exec")


CLASS = """\
LIMIT = 3


class Box:
    size = 4

    @property
    def twice(self, more=0):
        def inner():
            return self.size * 2
        return inner() + more
"""


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ("LIMIT = 3", {None}),
        ("size = 4", {None}),
        ("def twice(self, more=0):", {None}),
        ("return self.size * 2", {("Box.twice", 7)}),
        ("return inner() + more", {("Box.twice", 7)}),
    ],
)
def test_a_fault_inside_a_function_names_the_outermost_one_and_its_first_line(
    before: str, expected: set[tuple[str, int] | None]
) -> None:
    found: list[Mutant] = [mutant for mutant in mutants_of(CLASS) if mutant.before == before]

    assert {mutant.function for mutant in found} == expected
