"""A fault is tried apart from everything else, against the tests that can notice it."""

import os
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path

import pytest

from model.odds import share, total
from mutation import reach, warm
from mutation.equivalent import reviewed
from mutation.mutants import Mutant, mutants_of
from mutation.processes import TIMED_OUT, apart
from mutation.reach import Reach, function_of
from mutation.report import Equivalent

SECONDS = {"model/packet.py::slow": 1.9, "model/packet.py::fast": 0.1, "model/errors.py::other": 0.2}


def test_work_apart_gives_its_status_and_leaves_this_process_as_it_was() -> None:
    here: list[int] = []

    def work() -> int:
        here.append(os.getpid())
        return 4

    assert apart(work, seconds=30) == 4
    assert here == []


def test_work_that_raises_fails_and_work_without_end_is_ended() -> None:
    def raises() -> int:
        raise RuntimeError

    def never_ends() -> int:
        while True:
            time.sleep(1)

    assert apart(raises, seconds=30) == 3
    assert apart(never_ends, seconds=0.2) == TIMED_OUT


def test_the_tests_of_a_line_are_those_that_ran_it_the_quickest_first() -> None:
    known = Reach("", {}, SECONDS, {"model/odds.py:34": ["model/packet.py::slow", "model/packet.py::fast"]})

    assert known.of_line("model/odds.py", 34) == ("model/packet.py::fast", "model/packet.py::slow")


def test_a_module_is_imported_by_its_name_or_out_of_its_package() -> None:
    file = "tests/model/api/test_objects.py"

    assert reach.imports(file, "model/api/objects.py")  # from model.api import objects
    assert reach.imports(file, "model/api/__init__.py")
    assert reach.imports("tests/model/test_odds.py", "model/odds.py")
    assert not reach.imports(file, "model/objects.py")


@pytest.mark.parametrize(
    ("reaching", "expected"),
    [({"a.py::slow", "a.py::fast"}, ("a.py::fast",)), ({"a.py::slow"}, ("a.py::slow",))],
)
def test_a_test_of_many_seconds_is_asked_only_where_it_alone_reaches_the_line(
    reaching: set[str], expected: tuple[str, ...]
) -> None:
    seconds = {"a.py::slow": reach.MOST_SECONDS + 0.1, "a.py::fast": 0.1}

    known = Reach("", {}, seconds, {"model/odds.py:34": list(reaching)})

    assert known.of_line("model/odds.py", 34) == expected


def test_what_a_changed_file_reached_is_forgotten_and_nothing_else() -> None:
    lines = {"model/odds.py:34": ["a.py::one", "b.py::two"], "model/odds.py:35": ["a.py::one"]}
    known = Reach("code", {"a.py": "1", "b.py": "2"}, {"a.py::one": 0.1, "b.py::two": 0.2}, lines)

    left = known.without({"a.py"})

    assert (left.seconds, left.tests) == (
        {"b.py::two": 0.2},
        {"model/odds.py:34": ["b.py::two"], "model/odds.py:35": []},
    )


def test_a_line_that_runs_at_import_is_reached_by_who_reaches_its_module_or_imports_it() -> None:
    """Of this module's table of operators no test runs a line; this file imports it."""
    this = Path(__file__).relative_to(reach.ROOT).as_posix() + "::test"
    lines = {"model/odds.py:11": [], "model/odds.py:34": ["model/errors.py::other"]}

    with_this = Reach("", {}, {"model/errors.py::other": 0.2, this: 0.3}, lines)

    assert with_this.of_line("model/odds.py", 11) == ("model/errors.py::other", this)


def test_a_module_without_functions_is_reached_by_who_reaches_its_importers() -> None:
    """model/modes.py reads the tables of model/forwarding.py, and nothing runs in those later."""
    known = Reach(
        "", {}, SECONDS, {"model/forwarding.py:80": [], "model/modes.py:50": ["model/errors.py::other"]}
    )

    assert known.of_line("model/forwarding.py", 80) == ("model/errors.py::other",)


def test_a_test_is_one_whatever_its_parameters() -> None:
    assert function_of("tests/a.py::test_it[a::b-[c]]") == "tests/a.py::test_it"


def test_a_faulty_function_takes_the_place_of_the_real_one_wherever_it_is_held() -> None:
    """In a process of its own: here it stays right."""
    text = (reach.ROOT / "model/odds.py").read_text()
    (mutant,) = (m for m in mutants_of(text) if "intern(first - second)" in m.after)

    def changes_it() -> int:
        placed = warm.put_in_place("model/odds.py", mutant)
        return 0 if placed and total(share(2), share(7)) == Fraction(5, 14) else 1

    assert apart(changes_it, seconds=30) == 0
    assert total(share(2), share(7)) == Fraction(9, 14)


def test_a_faulty_function_that_nothing_holds_has_no_place() -> None:
    mutant = Mutant(1, "", "", ("nowhere", 1), "def nowhere(): ...\n")

    assert not warm.put_in_place("model/odds.py", mutant)


def test_reviewed_mutants_of_one_line_are_told_together() -> None:
    line = 'MASQUERADE_ALL = Fact("masqueradeAll")'
    two = [Mutant(39, line, f"MASQUERADE_ALL = Fact({name})", None, "") for name in ("None", '"X"')]
    other = Mutant(39, line.lower(), "", None, "")

    reason = "A fact is told from the others by being another value; its text is for readers."
    expected = (Equivalent("model/forwarding.py", 39, line, None, reason, 2),)
    assert reviewed("model/forwarding.py", [*two, other]) == (expected, (other,))


AT_IMPORT = """
from mutation import reach
from mutation.mutants import mutants_of
from mutation.reach import Reach
from mutation.run import fate

class Unseeing:
    def status(self, _):
        return 0

mutant = next(m for m in mutants_of((reach.ROOT / "model/odds.py").read_text()) if m.function)
test = "tests/model/test_odds.py::test_two_exclusive_ways_add_up"
known = Reach("", {}, {test: 0.1}, {f"model/odds.py:{mutant.line}": [test]})
print(fate("model/odds.py", mutant, known, Unseeing(), own_alone=True).value)
"""


def test_a_fault_that_did_its_work_at_import_is_noticed_by_who_imports_anew() -> None:
    """ONE is made by `intern` before any test runs, and stays when the function is exchanged."""
    done = subprocess.run(
        [sys.executable, "-c", AT_IMPORT], cwd=reach.ROOT, capture_output=True, text=True, check=True
    )

    assert done.stdout.splitlines()[-1] == "killed"
