"""Which tests reach which line of `model/`, and how long each takes: measured once, kept in build/.

Where only files of tests have changed since, those alone are measured again.

A fault is then run only against tests that can notice it, the quickest first. What runs
while a module is imported (tables, above all) counts as reached by the tests that reach
anything else of the module, or of those that import it where it has no functions, and by
those whose own file imports it.
"""

import ast
import hashlib
import json
import os
from collections.abc import Sequence, Set
from functools import cache
from pathlib import Path

import attrs
import cattrs

from mutation.processes import apart

ROOT = Path(__file__).parents[1]
KEPT = ROOT / "build" / "mutation" / "reach.json"
TESTS = (
    *("tests/model", "tests/invariants", "tests/test_readings_agree.py", "model"),
    *("tests/oracle/test_endpoints_command.py", "tests/oracle/test_replay.py"),
)
# Those draw histories and packets for minutes, look for the smallest counterexample, prove things,
# or ask what other tests there are.
LEFT_OUT = (
    *("tests/model/cluster/test_machine.py", "tests/model/cluster/test_wrong_machines.py"),
    *(f"tests/invariants/test_{name}_bite.py" for name in ("claims", "packet_claims", "world_claims")),
    *(f"tests/invariants/test_{name}_hold.py" for name in ("claims", "packet_claims", "dns_claims")),
    *("tests/invariants/test_claims_hold_of_versions.py", "tests/invariants/test_claims_bite_on_dumps.py"),
    *("tests/invariants/test_provisos.py", "tests/invariants/test_refuted_claims.py"),
    *("tests/invariants/inductive", "tests/invariants/prove", "tests/invariants/test_every_method_bites.py"),
)
MOST_SECONDS = 10.0  # none is above it today
ARGUMENTS = (
    *("-q", "--no-header", "-p", "no:cacheprovider", "-W", "ignore"),
    *(f"--ignore={path}" for path in LEFT_OUT),
)


@attrs.frozen
class Reach:
    """`seconds` by test (a function, whatever its parameters); `tests` by "path:line" of a module.

    `fingerprint` is that of all code besides the tests: another one asks for another
    measurement. `files` is that of each file with tests.
    """

    fingerprint: str
    files: dict[str, str]
    seconds: dict[str, float]
    tests: dict[str, list[str]]

    def of_line(self, path: str, line: int) -> tuple[str, ...]:
        """The tests for a fault in that line, the quickest first.

        Those of more than `MOST_SECONDS` are left out wherever a quicker one reaches the line.
        """
        found = self.tests.get(f"{path}:{line}") or self._of_import(path)
        quickest = sorted(set(found), key=lambda test: (self.seconds[test], test))
        quick = [test for test in quickest if self.seconds[test] <= MOST_SECONDS]
        return tuple(quick or quickest[:1])

    def without(self, files: Set[str]) -> "Reach":
        """What is known without the tests of these files."""
        seconds = {test: s for test, s in self.seconds.items() if test.partition("::")[0] not in files}
        tests = {place: [t for t in tests if t in seconds] for place, tests in self.tests.items()}
        return attrs.evolve(self, seconds=seconds, tests=tests)

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
    """What the last run kept, with a new measurement of what has changed since."""
    kept = cattrs.structure(json.loads(KEPT.read_text()), Reach) if KEPT.exists() else None
    code, files = _fingerprints()
    known, ask = Reach(code, files, {}, {}), list(TESTS)
    if kept and kept.fingerprint == code:
        changed = {file for file, _ in kept.files.items() ^ files.items()}
        known, ask = attrs.evolve(kept.without(changed), files=files), sorted(changed & files.keys())
    if ask:
        status = apart(lambda: _measure(known, ask), seconds=3600, quiet=False)
        if status != 0:
            raise SystemExit(f"the tests fail without any fault (pytest's exit status {status})")
        known = cattrs.structure(json.loads(KEPT.read_text()), Reach)
    return known


def _measure(known: Reach, ask: Sequence[str]) -> int:
    """Runs these tests under coverage; the caller's process must be one made for it."""
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
    status = pytest.main([*ARGUMENTS, *ask], plugins=[Contexts()])
    measuring.stop()
    if status:
        return int(status)
    tests = dict(known.tests)
    data = measuring.get_data()
    for file in sorted(data.measured_files()):
        path = Path(file).relative_to(ROOT).as_posix()
        for line, contexts in sorted(data.contexts_by_lineno(file).items()):
            place = f"{path}:{line}"
            tests[place] = sorted({*tests.get(place, ()), *contexts} - {""})
    took = {test: round(time, 4) for test, time in seconds.items()}
    KEPT.parent.mkdir(parents=True, exist_ok=True)
    now = attrs.evolve(known, seconds=known.seconds | took, tests=tests)
    KEPT.write_text(json.dumps(attrs.asdict(now)))
    return 0


def imports(file: str, path: str) -> bool:
    """Whether the file's own text imports the module at `path`, or names out of it."""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".") in _imported(file)


@cache
def _imported(file: str) -> frozenset[str]:
    """What a file imports, in dotted names; of `from a import b` both, as b may be a module."""
    found: set[str] = set()
    for node in ast.walk(ast.parse((ROOT / file).read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.update((node.module, *(f"{node.module}.{alias.name}" for alias in node.names)))
    return frozenset(found)


def _modules() -> list[str]:
    return [path.relative_to(ROOT).as_posix() for path in sorted((ROOT / "model").rglob("*.py"))]


def _fingerprints() -> tuple[str, dict[str, str]]:
    """That of all code besides tests, and those of the files with tests."""
    code = hashlib.sha256()
    files = {}
    for package in ("model", "invariants", "tests"):
        for path in sorted((ROOT / package).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            if name.startswith(LEFT_OUT):
                continue
            if not path.name.startswith("test_"):  # the "model" among TESTS is for doctests
                code.update(os.fsencode(name) + path.read_bytes())
            elif name.startswith(TESTS):
                files[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return code.hexdigest(), files
