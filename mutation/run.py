"""Whether any test notices one fault: the module is imported with it, the files stay as they are."""

import enum
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import attrs

from mutation.mutants import Mutant
from mutation.processes import TIMED_OUT, apart
from mutation.reach import ARGUMENTS, ROOT, Reach, function_of, imports
from mutation.warm import NOT_HERE, Trial, Warm

_PASSED, _NOTHING_COLLECTED = 0, 5  # pytest's exit statuses


class Fate(enum.Enum):
    """What became of a mutant; all but the last are kills."""

    KILLED = "killed"
    TIMED_OUT = "timed out"
    SURVIVED = "survived"


def fate(path: str, mutant: Mutant, reach: Reach, warm: Warm, *, own_alone: bool) -> Fate:
    """Runs the tests that reach the mutant's line; its own go first, and no others with `own_alone`.

    A fault inside a function is tried where the tests are collected already. What survives
    there may have done its work before, while modules were imported, so its own tests are
    asked once more in a process that imports everything anew, as all are for other faults.
    """
    tests = reach.of_line(path, mutant.line)
    own = _own_tests(path, tests)
    others = () if own and own_alone else tuple(test for test in tests if test not in own)
    is_warm = mutant.function is not None
    for warmly, some in ((is_warm, own), (is_warm, others), *([(False, own)] if is_warm else [])):
        if some:
            seconds = 30 + 10 * sum(reach.seconds[test] for test in some)
            trial = Trial(path, mutant, some, seconds)
            status = warm.status(trial) if warmly else NOT_HERE
            if status == NOT_HERE:
                status = apart(_Cold(path, mutant, some), seconds=seconds)
            if status == TIMED_OUT:
                return Fate.TIMED_OUT
            if status not in (_PASSED, _NOTHING_COLLECTED):
                return Fate.KILLED
    return Fate.SURVIVED


def _own_tests(path: str, tests: Sequence[str]) -> tuple[str, ...]:
    """Those in files named after the module, else those in files that import it."""
    files = {test.partition("::")[0] for test in tests}
    own = {file for file in files if Path(path).stem in Path(file).stem} or {
        file for file in files if imports(file, path)
    }
    return tuple(test for test in tests if test.partition("::")[0] in own)


def _dotted(path: str) -> str:
    return path.removesuffix(".py").replace("/", ".").removesuffix(".__init__")


@attrs.frozen
class _Cold:
    path: str
    mutant: Mutant
    tests: tuple[str, ...]

    def __call__(self) -> int:
        return _tested(self.path, self.mutant, self.tests)


def _tested(path: str, mutant: Mutant, tests: Sequence[str]) -> int:
    """pytest's exit status for these tests; the caller's process must be one made for it."""
    import pytest

    sys.meta_path.insert(0, _Faulty(path, mutant.text))
    order = {test: place for place, test in enumerate(tests)}

    class Chosen:
        @pytest.hookimpl(trylast=True)
        def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
            chosen = [item for item in items if function_of(item.nodeid) in order]
            items[:] = sorted(chosen, key=lambda item: order[function_of(item.nodeid)])

    files = list(dict.fromkeys(test.partition("::")[0] for test in tests))
    return int(pytest.main([*ARGUMENTS, "-x", *files], plugins=[Chosen()]))


@attrs.frozen
class _Faulty(importlib.abc.Loader):
    """Imports the module at `path` from `text`; everything else is left to the others."""

    path: str
    text: str

    def find_spec(self, fullname: str, *_: object) -> importlib.machinery.ModuleSpec | None:
        if fullname != _dotted(self.path):
            return None
        file = ROOT / self.path
        is_package = file.name == "__init__.py"
        spec = importlib.machinery.ModuleSpec(fullname, self, origin=str(file), is_package=is_package)
        spec.has_location = True
        if is_package:
            spec.submodule_search_locations = [str(file.parent)]
        return spec

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self.text, str(ROOT / self.path), "exec"), module.__dict__)
