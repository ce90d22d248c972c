"""The answer of `check --history` as JSON values; docs/history.md describes it."""

from collections.abc import Sequence

from oracle.findings import Difference
from oracle.history.courses import Course, Spell
from oracle.history.history import Between, Dump, History
from oracle.history.traffic import Traffic
from oracle.report.as_json import VERSION, Json, check_json


def history_json(folder: str, histories: Sequence[History]) -> Json:
    """Each node's history in each mode."""
    return {"version": VERSION, "histories": [_history(folder, one) for one in histories]}


def _history(folder: str, history: History) -> Json:
    return {
        "node": history.node,
        "folder": folder,
        "mode": history.mode.value if history.mode else None,
        "ordered_by": history.order.by.value,
        "doubts": list(history.order.doubts),
        "verdict": history.last.verdict.value,
        "dumps": [_dump(one) for one in history.dumps],
        "between": [_between(history, at, one) for at, one in enumerate(history.between)],
        "differences": [_course(history, one) for one in history.courses],
    }


def _dump(dump: Dump) -> Json:
    """A NODE of `check`, with the moment before it."""
    [node] = _nodes(dump)
    return {
        "name": dump.name,
        "time": dump.time.isoformat(sep=" ") if dump.time else None,
        "resource_version": dump.resource_version,
        "own_objects": dump.has_own_objects,
        "report": node,
    }


def _nodes(dump: Dump) -> list[object]:
    nodes = check_json([(dump.name, dump.report)])["nodes"]
    assert isinstance(nodes, list)
    return nodes


def _between(history: History, at: int, step: Between) -> Json:
    return {
        "from": history.dumps[at].name,
        "to": history.dumps[at + 1].name,
        "seconds": history.seconds(at, at + 1),
        "told_by": "rules" if step.from_rules else "objects",
        "changes": [
            {"service": str(one.service) if one.service else None, "kind": one.kind.value, "text": one.text}
            for one in step.changes
        ],
        "traffic": [_traffic(one) for one in step.traffic],
        "counters": {"compared": step.resets.compared, "fell": step.resets.fell},
    }


def _traffic(one: Traffic) -> Json:
    return {
        "packets": one.packets,
        "rule": {"file": one.line.file, "line": one.line.line, "text": one.line.text},
        **_subject(one.difference),
        "throughout": one.throughout,
        "reset": one.was_reset,
        "new": one.is_new,
        "first_packets": one.first_packets,
    }


def _subject(difference: Difference) -> Json:
    name = difference.service_port
    return {
        "kind": difference.kind.value,
        "service": str(name.service) if name else None,
        "frontend": difference.frontend,
    }


def _course(history: History, course: Course) -> Json:
    name = course.subject.service_port
    return {
        "course": course.became.value,
        "kind": course.subject.kind.value,
        "family": course.subject.family.value,
        "service": str(name.service) if name else None,
        "port": {"name": name.port_name, "protocol": name.protocol} if name else None,
        "frontend": course.difference.frontend,
        "explanation": course.difference.explanation,
        "spells": [_spell(history, one) for one in course.spells],
    }


def _spell(history: History, spell: Spell) -> Json:
    return {
        "first": history.dumps[spell.first].name,
        "last": history.dumps[spell.last].name,
        "gone": None if spell.gone is None else history.dumps[spell.gone].name,
        "began": spell.began.value,
        "seconds": None if spell.gone is None else history.seconds(spell.first, spell.gone),
    }
