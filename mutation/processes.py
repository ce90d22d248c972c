"""A piece of work in a process of its own, forked from one that has imported the libraries already.

The forking process never imports the project, so each fork meets the code as it finds it.
"""

import importlib
import os
import resource
import signal
import sys
import time
import traceback
from collections.abc import Callable

TIMED_OUT = -1
_LIBRARIES = ("attrs", "cattrs", "click", "dns.message", "hypothesis.strategies", "msgspec.json")
_MOST_MEMORY = 4 << 30  # bytes: a fault may build lists without end


def import_libraries() -> None:
    """Imports what every run needs, so that it is paid for once."""
    for name in (*_LIBRARIES, "pytest", "rpds", "yaml", "z3"):
        importlib.import_module(name)


def settle_hypothesis() -> None:
    """The same examples each time, none kept for the next fault, and no search for the smallest."""
    from hypothesis import Phase, settings

    phases = (Phase.explicit, Phase.generate)
    settings.register_profile("mutation", derandomize=True, database=None, deadline=None, phases=phases)
    os.environ["HYPOTHESIS_PROFILE"] = "mutation"  # which tests/conftest.py reads


def apart(work: Callable[[], int], *, seconds: float, quiet: bool = True) -> int:
    """The exit status of `work` in a forked process, or `TIMED_OUT` once `seconds` have passed.

    With `quiet`, what it prints is lost. An exception in it gives the status 3, as pytest's
    own internal errors do.
    """
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        os._exit(_as_child(work, quiet=quiet))
    ends = time.monotonic() + seconds
    pause = 0.002
    while time.monotonic() < ends:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(pause)
        pause = min(pause * 1.5, 0.05)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return TIMED_OUT


def _as_child(work: Callable[[], int], *, quiet: bool) -> int:
    os.setsid()  # so that what it starts ends with it, and no terminal stops it
    if quiet:
        silence()
        resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))
    try:
        return work()
    except BaseException:
        traceback.print_exc()
        return 3
    finally:
        sys.stdout.flush()
        sys.stderr.flush()


def silence() -> None:
    """What this process and those it starts print is lost from now on."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
