"""The answer of `admit` as JSON values; docs/admit.md describes the schema."""

from collections.abc import Sequence

from oracle.admission.changes import Change, changes
from oracle.admission.judge import Judgement, full_tree
from oracle.admission.rules import rules_of
from oracle.report.as_json import VERSION, Json


def admission_json(judgements: Sequence[Judgement], assumptions: Sequence[str]) -> Json:
    """The object that `svcproof admit --format json` prints."""
    return {
        "version": VERSION,
        "objects": [judgement_json(one) for one in judgements],
        "assumptions": list(assumptions),
    }


def judgement_json(judgement: Judgement) -> Json:
    """One object's verdict with its changes, or its faults."""
    given = judgement.given
    answer: Json = {
        "file": given.file,
        "place": given.place,
        "kind": given.kind,
        "namespace": given.namespace,
        "name": given.name,
        "verdict": judgement.verdict.value,
        "verb": judgement.verb.value if judgement.verb else None,
        "status": judgement.status,
        "causes": [],
        "changes": [_change(one) for one in changes(judgement)],
        "warnings": list(judgement.warnings),
    }
    if judgement.stored is not None:
        answer["stored"] = full_tree(judgement.stored)
    if given.passed_over:
        answer["why"] = given.passed_over
    if judgement.refusal is not None:
        answer["reason"] = judgement.refusal.reason.value
        answer["message"] = str(judgement.refusal)
        answer["causes"] = [
            {
                "type": cause.type.value,
                "field": cause.field,
                "message": cause.detail,
                "cites": list(rules_of(given.kind, cause.field)),
            }
            for cause in judgement.refusal.causes
        ]
    return answer


def _change(one: Change) -> Json:
    return {
        "field": one.field,
        "change": one.cause.value,
        "given": one.given,
        "stored": one.stored,
        "from": one.note or None,
        "cites": list(one.cites),
    }
