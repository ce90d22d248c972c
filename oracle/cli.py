"""The `svcproof` command: exit status 0 holds, 1 differs, 2 unreadable or not enough to judge.

An input that cannot be read is one line on standard error. An exception nobody expected
is a bug: it keeps its traceback, and its status 70 is never taken for a verdict.
"""

import contextlib
import gc
import io
import os
import signal
import sys
from collections.abc import Sequence

import click

from model.errors import InputError
from oracle.commands.admit import admit
from oracle.commands.check import check
from oracle.commands.diff import diff
from oracle.commands.dns import dns
from oracle.commands.endpoints import endpoints
from oracle.commands.expect import expect
from oracle.commands.invariants import invariants
from oracle.commands.judge import judge
from oracle.commands.migrate import migrate
from oracle.commands.prove import prove
from oracle.commands.render import render
from oracle.commands.replay import replay
from oracle.commands.terminal import note
from oracle.commands.trace import trace

UNREADABLE, BUG = 2, 70


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="svcproof")
def svcproof() -> None:
    """Judge whether nodes' packet rules keep the promises of Kubernetes Services."""


svcproof.add_command(check)
svcproof.add_command(trace)
svcproof.add_command(expect)
svcproof.add_command(diff)
svcproof.add_command(migrate)
svcproof.add_command(dns)
svcproof.add_command(endpoints)
svcproof.add_command(admit)
svcproof.add_command(replay)
svcproof.add_command(judge)
svcproof.add_command(render)
svcproof.add_command(prove)
svcproof.add_command(invariants)


def main(arguments: Sequence[str] | None = None) -> None:
    """One command line in this process; always raises SystemExit."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def script() -> None:
    """The command's own process, which ends here.

    It lives shortly and holds millions of small objects: they are neither searched for
    cycles (`check` does that between nodes) nor taken apart one by one at the end.
    """
    gc.disable()
    status: object = 0
    try:
        main()
    except SystemExit as end:
        status = end.code
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):
            stream.flush()
    os._exit(status if isinstance(status, int) else BUG)


def run(arguments: Sequence[str]) -> int:
    """The exit status of one command line. Runs outside click's own `main`, which exits 1
    for a closed pipe and would have it read as "differs"."""
    try:
        with svcproof.make_context("svcproof", list(arguments)) as context:
            status = svcproof.invoke(context)
        sys.stdout.flush()
        return status if isinstance(status, int) else 0
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.ClickException as error:
        error.show()
        return UNREADABLE
    except InputError as error:
        note(error)
        return UNREADABLE
    except BrokenPipeError:
        # The reader has gone: nothing more to say, not even at the interpreter's own exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except Exception:
        import traceback

        traceback.print_exc()
        return BUG


if __name__ == "__main__":
    script()
