"""An implementation as a process of its own: lines to its standard input, lines from its standard output.

Neither side can block the other: what is written and what is read pass through queues, and an
answer that does not come in time, or never will, is an InputError that says why.
"""

import contextlib
import queue
import subprocess
import threading
from collections import deque
from collections.abc import Sequence
from types import TracebackType
from typing import IO

from model.errors import InputError
from oracle.report.wording import printable

_LAST_WORDS = 3  # lines of standard error that are told when it ends
_GRACE = 5.0  # seconds to end by itself once there is nothing more to read
_LONGEST = 64 << 20  # bytes of one line of an answer


class Process:
    """A running implementation; leaving the context ends it."""

    def __init__(self, command: Sequence[str], timeout: float) -> None:
        """Starts the command; each answer may take `timeout` seconds. Raises InputError if it cannot."""
        self.name = f"output of {command[0]}"
        self._timeout = timeout
        self._lines = 0
        self._out: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._in: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._said: deque[str] = deque(maxlen=_LAST_WORDS)
        try:
            self._child = subprocess.Popen(
                list(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
        except OSError as error:
            raise InputError(command[0], 0, f"cannot be started: {error.strerror}") from None
        child = self._child
        assert child.stdin is not None
        assert child.stdout is not None
        assert child.stderr is not None
        self._listener = threading.Thread(target=self._listen, args=(child.stderr,), daemon=True)
        self._writer = threading.Thread(target=self._write, args=(child.stdin,), daemon=True)
        self._reader = threading.Thread(target=self._read, args=(child.stdout,), daemon=True)
        for thread in (self._listener, self._writer, self._reader):
            thread.start()

    def exchange(self, line: str) -> tuple[int, str]:
        """As `Channel` says."""
        self._in.put(line.encode() + b"\n")
        try:
            answer = self._out.get(timeout=self._timeout)
        except queue.Empty:
            raise InputError(self.name, self._lines + 1, f"no answer within {self._timeout:g} s") from None
        if answer is None:
            raise InputError(self.name, self._lines + 1, self._end())
        self._lines += 1
        if not answer.endswith(b"\n"):
            raise InputError(self.name, self._lines, "the line has no end")
        return self._lines, answer.decode(errors="replace")

    def __enter__(self) -> "Process":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._in.put(None)
        try:
            self._child.wait(_GRACE if kind is None else 0)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()

    def _end(self) -> str:
        """How it ended, with its last words; it may have closed its output and live on."""
        try:
            status = self._child.wait(_GRACE)
        except subprocess.TimeoutExpired:
            return "it closed its output before the last answer"
        self._listener.join(_GRACE)
        how = f"it was ended by signal {-status}" if status < 0 else f"it ended with status {status}"
        words = " | ".join(self._said)
        return f"{how} before the last answer" + (f"; its last words: {words}" if words else "")

    def _read(self, stream: IO[bytes]) -> None:
        while line := stream.readline(_LONGEST):
            self._out.put(line)
        self._out.put(None)

    def _write(self, stream: IO[bytes]) -> None:
        with contextlib.suppress(OSError):  # it is gone; reading tells
            while (line := self._in.get()) is not None:
                stream.write(line)
                stream.flush()
        with contextlib.suppress(OSError):
            stream.close()

    def _listen(self, stream: IO[bytes]) -> None:
        for line in stream:
            if text := line.decode(errors="replace").strip():
                self._said.append(printable(text[:200]))
