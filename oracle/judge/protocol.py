"""The messages between the judge and an implementation, one JSON object a line each way.

Law: every question is answered by exactly one line, in the order asked. docs/judge.md has the
schema; this module is all that writes questions and reads answers.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from model.errors import InputError
from model.packet import Packet
from oracle.judge.answers import Answer, Malformed, read_answer
from oracle.judge.kubernetes_json import Tree, key_of
from oracle.judge.setting import INTERFACES, JUDGED, Setting
from oracle.report.as_json import packet_json
from oracle.report.wording import printable

VERSION = 1
STATE, CHANGES = "state", "changes"

Message = dict[str, Any]
Key = tuple[str, str, str]


class Channel(Protocol):
    """A way to an implementation. `name` is what its output is called in a report of a fault."""

    name: str

    def exchange(self, line: str, /) -> tuple[int, str]:
        """The number and text of the line that answers this one. Raises InputError if none comes."""


class Session:
    """One implementation, asked in the order of the protocol. Faults in its answers are InputErrors."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._wants = STATE
        self._told: dict[Key, Tree] = {}
        self._at = 0

    def start(self, setting: Setting, number: int) -> None:
        """A new history begins: there are no objects, whatever there was."""
        self._told = {}
        answer = self._ask(
            {
                "type": "start",
                "version": VERSION,
                "history": number,
                "node": JUDGED,
                "proxy_config": setting.configuration(),
                "interfaces": list(INTERFACES),
            },
            "ready",
            {"wants"},
        )
        self._wants = answer.get("wants", STATE)
        if self._wants not in (STATE, CHANGES):
            raise self._fault(f"'wants' is {self._wants!r}, neither {STATE!r} nor {CHANGES!r}")

    def tell(self, event: str, objects: Sequence[Tree]) -> None:
        """What the API server holds after an event: all of it, or what it did to what was told last."""
        now = {key_of(tree): tree for tree in objects}
        message: Message = {"type": "objects", "event": event}
        if self._wants == STATE:
            message["state"] = list(objects)
        else:
            message["changes"] = list(_changes(self._told, now))
        self._told = now
        self._ask(message, "applied", set())

    def ask(self, packets: Sequence[Packet]) -> tuple[Answer, ...]:
        """What becomes of each packet, in order."""
        message = {"type": "packets", "packets": [packet_json(packet) for packet in packets]}
        listed = self._ask(message, "outcomes", {"outcomes"}).get("outcomes")
        if not isinstance(listed, list) or len(listed) != len(packets):
            count = len(listed) if isinstance(listed, list) else "no"
            raise self._fault(f"{count} outcomes for {len(packets)} packets")
        answers = []
        for number, (tree, packet) in enumerate(zip(listed, packets, strict=True), 1):
            try:
                answers.append(read_answer(tree, packet))
            except Malformed as fault:
                raise self._fault(f"outcome {number}: {fault}") from None
        return tuple(answers)

    def _ask(self, message: Message, kind: str, keys: set[str]) -> Message:
        self._at, line = self._channel.exchange(json.dumps(message))
        try:
            answer = json.loads(line)
        except (ValueError, RecursionError):
            raise self._fault(f"not JSON, where {kind!r} has to follow: {line[:60]!r}") from None
        if not isinstance(answer, dict):
            raise self._fault(f"not a JSON object, where {kind!r} has to follow")
        said = answer.get("type")
        if said == "fault":
            raise self._fault(f"the implementation reports: {answer.get('message')}")
        if said != kind:
            raise self._fault(f"'type' is {said!r}, where {kind!r} has to follow {message['type']!r}")
        if unknown := sorted(answer.keys() - keys - {"type"}):
            raise self._fault(f"{kind!r} has the key {unknown[0]!r}, which is not of the protocol")
        return answer

    def _fault(self, what: str) -> InputError:
        return InputError(self._channel.name, self._at, printable(what))


def _changes(before: dict[Key, Tree], now: dict[Key, Tree]) -> Iterable[Tree]:
    """Watch events: what is new, what is otherwise, and what is gone as it was last."""
    for key, tree in now.items():
        if key not in before:
            yield {"type": "ADDED", "object": tree}
        elif before[key] != tree:
            yield {"type": "MODIFIED", "object": tree}
    for key, tree in before.items():
        if key not in now:
            yield {"type": "DELETED", "object": tree}
