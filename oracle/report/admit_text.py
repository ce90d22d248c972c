"""What the API server would do with each object, as a person reads it: the verdict, then field by field."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import yaml

from oracle.admission.changes import Cause, Change, changes
from oracle.admission.judge import Judgement, Verb, Verdict, full_tree
from oracle.admission.reading import Given
from oracle.admission.rules import rules_of
from oracle.report.wording import Look, count, printable

_COLOURS = {Verdict.ACCEPTED: "green", Verdict.REFUSED: "red", Verdict.NOT_JUDGED: "yellow"}
_DONE = {Verb.CREATE: "created", Verb.UPDATE: "updated"}
_TRIED = {Verb.CREATE: "create", Verb.UPDATE: "update"}
_WIDTH = len(Cause.ALLOCATED.value)


def judgement_lines(judgement: Judgement, look: Look) -> Iterator[str]:
    """One line for the object, then what is stored otherwise than given, or every fault.

    With `look.verbose` an accepted object is shown whole, as it is stored.
    """
    verdict = judgement.verdict
    word = look.paint(verdict.value.replace("-", " ").upper(), _COLOURS[verdict])
    yield printable(f"{title(judgement.given)}: ") + f"{word}{_ending(judgement)}"
    yield from map(printable, fault_lines(judgement))
    yield from map(printable, _change_lines(changes(judgement)))
    for warning in judgement.warnings:
        yield f"  {'warning':{_WIDTH}}  {printable(warning)}"
    if look.verbose and judgement.stored is not None:
        text = yaml.safe_dump(full_tree(judgement.stored), sort_keys=False, default_flow_style=False)
        yield from (f"  | {line}" for line in text.splitlines())


def summary_line(judgements: Sequence[Judgement], look: Look) -> str:
    """How many objects are accepted, refused and not judged."""
    tally = Counter(one.verdict for one in judgements)
    words = [
        look.paint(f"{tally[verdict]} {verdict.value.replace('-', ' ')}", _COLOURS[verdict])
        for verdict in (Verdict.REFUSED, Verdict.NOT_JUDGED, Verdict.ACCEPTED)
        if tally[verdict]
    ]
    return f"{count(len(judgements), 'object')}: {', '.join(words)}"


def title(given: Given) -> str:
    """`Service shop/web (web.yaml, document 2)`."""
    where = f"{given.file}, {given.place}" if given.place else given.file
    return f"{given.kind} {given.namespace}/{given.name or '(without a name)'} ({where})"


def fault_lines(judgement: Judgement) -> Iterator[str]:
    """Each field error of a refusal, or its reason where it is about no field."""
    refusal = judgement.refusal
    if refusal is None:
        return
    for cause in refusal.causes:
        yield f"  {cause.field}: {cause.detail}  {cause.type.value}{_cited(judgement, cause.field)}"
    if not refusal.causes:
        yield f"  {refusal.what}"


def _ending(judgement: Judgement) -> str:
    if judgement.refusal is not None:
        verb = f" to {_TRIED[judgement.verb]}" if judgement.verb else ""
        return f"{verb}, {judgement.refusal.reason.status} {judgement.refusal.reason.value}"
    if judgement.verb is None:
        return f", {judgement.given.passed_over}"
    return f", {_DONE[judgement.verb if judgement.before is not None else Verb.CREATE]}"


def _change_lines(found: Iterable[Change]) -> Iterator[str]:
    for one in found:
        shown = {
            Cause.DROPPED: f"{_value(one.given)} is not stored",
            Cause.CHANGED: f"{_value(one.given)} becomes {_value(one.stored)}",
        }.get(one.cause, _value(one.stored))
        if one.cause is Cause.REMOVED:
            yield f"  {one.cause.value:{_WIDTH}}  {one.field}: {one.note}"
            continue
        note = f"  ({one.note})" if one.note else ""
        cites = f"  [{', '.join(one.cites)}]" if one.cites else ""
        yield f"  {one.cause.value:{_WIDTH}}  {one.field}: {shown}{note}{cites}"


def _value(value: object) -> str:
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)


def _cited(judgement: Judgement, field: str) -> str:
    rules = rules_of(judgement.given.kind, field)
    return f"  [{', '.join(rules)}]" if rules else ""
