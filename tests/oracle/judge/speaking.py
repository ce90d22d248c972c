"""An implementation in this process, spoken to by the same lines as one of its own."""

import json

from oracle.judge.adapters.walker import Walker
from oracle.judge.protocol import Message


class InProcess:
    """A channel to a `Walker`; `asked` are the messages in order."""

    name = "walker"

    def __init__(self, walker: Walker) -> None:
        self._walker = walker
        self.asked: list[Message] = []

    def exchange(self, line: str) -> tuple[int, str]:
        self.asked.append(json.loads(line))
        return len(self.asked), json.dumps(self._walker.answer(self.asked[-1]))


class Script:
    """A channel that answers with given lines, whatever is asked."""

    name = "script"

    def __init__(self, *lines: str) -> None:
        self._lines = list(lines)
        self._at = 0

    def exchange(self, _: str) -> tuple[int, str]:
        self._at += 1
        return self._at, self._lines[self._at - 1]
