"""Half of a task in a second process, where the machine has two and the task is pure."""

import os
import pickle
import sys
import threading
from collections.abc import Callable
from typing import TypeVar

Answer = TypeVar("Answer")


def second_half(task: Callable[[], Answer]) -> Callable[[], Answer] | None:
    """Starts the task in a copy of this process; call what comes back for its answer.

    None where that cannot be had: one processor, other threads, or a system whose
    processes cannot be copied. The answer must survive pickling. An error of the task is
    raised when the answer is asked for.
    """
    alone = threading.active_count() == 1
    if sys.platform != "linux" or (os.cpu_count() or 1) < 2 or not alone:
        return None
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(reading)
            with os.fdopen(writing, "wb") as out:
                pickle.dump(task(), out, pickle.HIGHEST_PROTOCOL)
            status = 0
        finally:
            os._exit(status)  # the copy must not run what the original has yet to do
    os.close(writing)

    def answer() -> Answer:
        with os.fdopen(reading, "rb") as source:
            data = source.read()
        _, status = os.waitpid(child, 0)
        if status != 0 or not data:
            return task()  # whatever befell the copy, the task itself says
        result: Answer = pickle.loads(data)
        return result

    return answer
