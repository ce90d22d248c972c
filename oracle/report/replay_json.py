"""One event of a history as JSON values; docs/replay.md describes the schema."""

from collections.abc import Mapping

from model.api.refusal import Refused
from oracle.replay.entries import Fact
from oracle.replay.run import Happened
from oracle.report.as_json import VERSION, Json


def happened_json(happened: Happened) -> Json:
    """The object that `svcproof replay --format json` prints for each event, one a line."""
    entry, failure = happened.entry, happened.failure
    result = "done" if failure is None else "refused" if isinstance(failure, Refused) else "illegal"
    answer: Json = {
        "version": VERSION,
        "number": happened.number,
        "line": entry.line,
        "time": happened.now,
        "event": entry.name,
        "subject": entry.subject,
        "result": result,
        "answer": list(happened.lines),
        "facts": {name: _fact(value) for name, value in happened.facts.items()},
        "changes": list(happened.changes),
        "expected": entry.expected is not None,
        "unmet": list(happened.unmet),
    }
    if isinstance(failure, Refused):
        answer["reason"] = failure.reason.value
        answer["status"] = failure.reason.status
        answer["causes"] = [
            {"type": cause.type.value, "field": cause.field, "message": cause.detail}
            for cause in failure.causes
        ]
    if failure is not None:
        answer["message"] = str(failure)
    return answer


def _fact(value: Fact) -> object:
    match value:
        case tuple():
            return list(value)
        case Mapping():
            return dict(value)
        case _:
            return value
