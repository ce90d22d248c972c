"""Which tests reach which line of `model/`, and how long each takes: measured once, kept in build/.

A fault is then run only against tests that can notice it, the quickest first. What runs
while a module is imported (tables, above all) counts as reached by the tests that reach
anything else of the module, or of those that import it where it has no functions, and by
those whose own file imports it.
"""

import hashlib
import json
import os
import re
from functools import cache
from pathlib import Path

import attrs
import cattrs

from mutation.processes import apart

ROOT = Path(__file__).parents[1]
KEPT = ROOT / "build" / "mutation" / "reach.json"
TESTS = ("tests/model", "tests/invariants", "tests/test_readings_agree.py", "model")
# Those look for the smallest counterexample, or prove things of relations written beside the model.
LEFT_OUT = ("tests/invariants/inductive", "tests/invariants/prove", "tests/invariants/test_refuted_claims.py")
ARGUMENTS = (
    *("-q", "--no-header", "-p", "no:cacheprovider", "-W", "ignore"),
    *(f"--ignore={path}" for path in LEFT_OUT),
)


@attrs.frozen
class Reach:
    """`seconds` by test (a function, whatever its parameters); `tests` by "path:line" of a module.

    `fingerprint` is that of all code measured: another one asks for another measurement.
    """

    fingerprint: str
    seconds: dict[str, float]
    tests: dict[str, list[str]]

    def of_line(self, path: str, line: int) -> tuple[str, ...]:
        """The tests for a fault in that line, the quickest first."""
        found = self.tests.get(f"{path}:{line}") or self._of_import(path)
        return tuple(sorted(set(found), key=lambda test: (self.seconds[test], test)))

    def _of_import(self, path: str) -> list[str]:
        """The tests for what runs at import: of files that import it, or reach it or its importers."""
        named = [test for test in self.seconds if imports(test.partition("::")[0], path)]
        return named + self._of_module(path, frozenset({path}))

    def _of_module(self, path: str, seen: frozenset[str]) -> list[str]:
        found = [
            test for place, tests in self.tests.items() if place.startswith(f"{path}:") for test in tests
        ]
        if found:
            return found
        importers = [other for other in _modules() if other not in seen and imports(other, path)]
        return [test for other in importers for test in self._of_module(other, seen | set(importers))]


def function_of(nodeid: str) -> str:
    """A test's id without its parameters, which a fault may change.

    >>> function_of("tests/model/test_odds.py::test_odds[1/2-x]")
    'tests/model/test_odds.py::test_odds'
    """
    return nodeid.partition("[")[0]


def measured() -> Reach:
    """What the last run kept, or a new measurement where any code has changed since."""
    now = _fingerprint()
    if KEPT.exists():
        kept = cattrs.structure(json.loads(KEPT.read_text()), Reach)
        if kept.fingerprint == now:
            return kept
    KEPT.parent.mkdir(parents=True, exist_ok=True)
    status = apart(lambda: _measure(now), seconds=3600, quiet=False)
    if status != 0:
        raise SystemExit(f"the tests fail without any fault (pytest's exit status {status})")
    return cattrs.structure(json.loads(KEPT.read_text()), Reach)


def _measure(fingerprint: str) -> int:
    """Runs the tests under coverage; the caller's process must be one made for it."""
    import coverage
    import pytest

    measuring = coverage.Coverage(data_file=None, source=[str(ROOT / "model")], config_file=False)
    seconds: dict[str, float] = {}

    class Contexts:
        @pytest.hookimpl(tryfirst=True)
        def pytest_runtest_logstart(self, nodeid: str) -> None:
            measuring.switch_context(function_of(nodeid))

        def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
            test = function_of(report.nodeid)
            seconds[test] = seconds.get(test, 0) + report.duration

        def pytest_runtest_logfinish(self) -> None:
            measuring.switch_context("")

    measuring.start()
    status = pytest.main([*ARGUMENTS, *TESTS], plugins=[Contexts()])
    measuring.stop()
    if status:
        return int(status)
    tests: dict[str, list[str]] = {}
    data = measuring.get_data()
    for file in sorted(data.measured_files()):
        path = Path(file).relative_to(ROOT).as_posix()
        for line, contexts in sorted(data.contexts_by_lineno(file).items()):
            tests[f"{path}:{line}"] = sorted(set(contexts) - {""})
    kept = Reach(fingerprint, {test: round(took, 4) for test, took in seconds.items()}, tests)
    KEPT.write_text(json.dumps(attrs.asdict(kept)))
    return 0


@cache
def imports(file: str, path: str) -> bool:
    """Whether the file's own text imports the module at `path` by its name."""
    name = re.escape(path.removesuffix(".py").removesuffix("/__init__").replace("/", "."))
    return bool(re.search(rf"^from {name} import|^import {name}\b", (ROOT / file).read_text(), re.MULTILINE))


def _modules() -> list[str]:
    return [path.relative_to(ROOT).as_posix() for path in sorted((ROOT / "model").rglob("*.py"))]


def _fingerprint() -> str:
    digest = hashlib.sha256()
    for package in ("model", "invariants", "tests"):
        for path in sorted((ROOT / package).rglob("*.py")):
            digest.update(os.fsencode(path.relative_to(ROOT)) + path.read_bytes())
    return digest.hexdigest()
