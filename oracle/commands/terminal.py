"""What a command writes: answers to standard output, notes and progress to standard error."""

import json
import os
import shutil
import sys
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from oracle.report.wording import Look

_QUIET_FOR = 1.0  # seconds of work that need no progress line
_PIPE_WIDTH = 160


def look(verbose: bool) -> "Look":
    """How text is to be shown here: colours only on a terminal that wants them."""
    from oracle.report.wording import Look

    terminal = sys.stdout.isatty()
    return Look(
        width=shutil.get_terminal_size().columns if terminal else _PIPE_WIDTH,
        colour=terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb",
        verbose=verbose,
    )


def say(lines: Iterable[str]) -> None:
    """Lines of an answer, on standard output."""
    for line in lines:
        sys.stdout.write(line + "\n")


def say_json(value: object, indent: int | None = None) -> None:
    """One JSON value, on one line unless indented."""
    say([json.dumps(value, indent=indent)])


def note(text: object) -> None:
    """One line on standard error, `svcproof: FILE:LINE: what`."""
    sys.stdout.flush()  # so that the two streams read in order when they share a terminal
    print(f"svcproof: {text}", file=sys.stderr, flush=True)


class Progress:
    """One line on a terminal's standard error, once the work has taken a second."""

    def __init__(self) -> None:
        self._subject = ""
        self._from = time.monotonic()
        self._terminal = sys.stderr.isatty()
        self._last = 0.0
        self._shown = False

    def turn_to(self, subject: str) -> None:
        """What is told from now on is about the subject."""
        self._subject = subject

    def tell(self, what: str) -> None:
        """Show what is being done, at most ten times a second."""
        now = time.monotonic()
        if not self._terminal or now - self._from < _QUIET_FOR or now - self._last < 0.1:
            return
        width = shutil.get_terminal_size().columns
        sys.stderr.write(f"\r\x1b[K{f'{self._subject}: {what}'[: width - 1]}")
        sys.stderr.flush()
        self._last, self._shown = now, True

    def clear(self) -> None:
        """Take the line away before something else is written."""
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._shown = False
