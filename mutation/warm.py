"""Faults inside functions, tried where all tests are imported and collected already.

One process imports the project and collects the tests, once. For each fault it forks,
and the fork puts the faulty function's code in place of the real one's, wherever that
function is held by now. It costs the tests alone, not the two seconds before the first of them.
"""

import gc
import multiprocessing
from collections.abc import Iterator
from multiprocessing.connection import Connection
from types import CodeType, FunctionType

import attrs

from mutation.mutants import Mutant
from mutation.processes import apart, silence
from mutation.reach import ARGUMENTS, ROOT, TESTS, function_of

NOT_HERE = 100  # beyond pytest's own exit statuses


@attrs.frozen
class Trial:
    """What the process with the collected tests is asked: these tests, under this fault, within `seconds`.

    Without a fault it says whether the tests pass in this order.
    """

    path: str
    mutant: Mutant | None
    tests: tuple[str, ...]
    seconds: float


@attrs.frozen
class Warm:
    """The process with the collected tests, behind a pipe."""

    pipe: "Connection[Trial | None, int]"

    def status(self, trial: Trial) -> int:
        """pytest's exit status of the trial, or `TIMED_OUT`, or `NOT_HERE`."""
        self.pipe.send(trial)
        return self.pipe.recv()

    def end(self) -> None:
        """Lets the process go."""
        self.pipe.send(None)


def warm() -> Warm:
    """Starts the process; its first answer comes when every test is collected."""
    ours, theirs = multiprocessing.Pipe()
    context = multiprocessing.get_context("fork")
    context.Process(target=_serve, args=(theirs,), daemon=True).start()
    return Warm(ours)


def _serve(pipe: "Connection[int, Trial | None]") -> None:
    import pytest

    silence()

    class Serving:
        @pytest.hookimpl(tryfirst=True)
        def pytest_runtestloop(self, session: pytest.Session) -> bool:
            gc.freeze()  # so that forks share its memory
            while trial := pipe.recv():
                pipe.send(apart(lambda trial=trial: _tried(session, trial), seconds=trial.seconds))  # type: ignore[misc]
            return True

    pytest.main([*ARGUMENTS, "-x", *TESTS], plugins=[Serving()])


def _tried(session: "object", trial: Trial) -> int:
    import pytest

    assert isinstance(session, pytest.Session)
    if trial.mutant and not put_in_place(trial.path, trial.mutant):
        return NOT_HERE
    order = {test: place for place, test in enumerate(trial.tests)}
    items = [item for item in session.items if function_of(item.nodeid) in order]
    items.sort(key=lambda item: order[function_of(item.nodeid)])
    for item, following in zip(items, [*items[1:], None], strict=True):
        session.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if session.testsfailed:
            return 1
    return 0


def put_in_place(path: str, mutant: Mutant) -> bool:
    """Gives the live functions the faulty code; False where there is none, or it cannot take it."""
    file = str(ROOT / path)
    codes = _codes(compile(mutant.text, file, "exec"))
    faulty = next(
        (code for code in codes if (code.co_qualname, code.co_firstlineno) == mutant.function), None
    )
    if faulty is None:
        return False
    gc.unfreeze()
    found = [
        thing
        for thing in gc.get_objects()
        if isinstance(thing, FunctionType)
        and thing.__code__.co_filename == file
        and (thing.__code__.co_qualname, thing.__code__.co_firstlineno) == mutant.function
    ]
    for function in found:
        if len(function.__code__.co_freevars) != len(faulty.co_freevars):
            return False
        function.__code__ = faulty
    return bool(found)


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _codes(inner)
