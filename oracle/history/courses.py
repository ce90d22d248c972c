"""What became of each difference from dump to dump: it healed, it is still there, it came and went.

A difference is followed by its service port, kind and family; one that many Services share is
followed for each of them. A spell is an unbroken run of dumps that show it. Dumps that could
not be judged in full show what they show, but prove nothing gone.

| course | |
|---|---|
| lag | over now, one spell, not known to have begun by the rules alone: kube-proxy caught up |
| persists | the last dump shows it |
| came-and-went | over now, but the rules alone began it, or there was more than one spell |
| untold | the last dump that was judged shows it, and the last dump could not be judged |
"""

import enum
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import attrs

from model.addresses import Family
from model.objects import ObjectName, ServicePortName
from oracle.findings import Difference, Kind, NodeReport


class Became(enum.Enum):
    """What became of a difference; others script against these words."""

    LAG = "lag"
    PERSISTS = "persists"
    CAME_AND_WENT = "came-and-went"
    UNTOLD = "untold"


class Began(enum.Enum):
    """What had changed when a difference was first seen."""

    FIRST_DUMP = "there-from-the-first-dump"
    OBJECTS_CHANGED = "objects-changed"
    RULES_CHANGED = "rules-changed"
    UNTOLD = "untold"


@attrs.frozen
class Spell:
    """Dumps `first` to `last`, counted from 0, show the difference; `gone` is the one that proves it gone."""

    first: int
    last: int
    gone: int | None
    began: Began


@attrs.frozen
class Subject:
    """What a difference is followed by. `frontend` is "" where a Service is concerned."""

    service_port: ServicePortName | None
    kind: Kind
    family: Family
    frontend: str = ""


@attrs.frozen
class Course:
    """One difference through a history: its spells, and how it looked when last seen."""

    subject: Subject
    became: Became
    spells: tuple[Spell, ...]
    difference: Difference


def courses(
    reports: Sequence[NodeReport], began: Callable[[ObjectName | None, int], Began]
) -> tuple[Course, ...]:
    """The course of every difference that any of a node's reports shows, reports in order of time.

    `began` says what had changed about a Service, None for what is no Service's, when the
    dump of that index was taken.
    """
    shown = [_subjects(report) for report in reports]
    is_whole = [not any(item.matters for item in report.not_judged) for report in reports]
    out = []
    for subject in dict.fromkeys(subject for one in shown for subject in one):
        seen = [
            True if subject in one else False if whole else None
            for one, whole in zip(shown, is_whole, strict=True)
        ]
        service = subject.service_port.service if subject.service_port else None
        spells = tuple(_spells(seen, partial(began, service)))
        last = spells[-1].last
        out.append(Course(subject, _became(spells, len(seen)), spells, shown[last][subject]))
    return tuple(sorted(out, key=lambda one: _ORDER.index(one.became)))


_ORDER = (Became.PERSISTS, Became.UNTOLD, Became.CAME_AND_WENT, Became.LAG)


def _subjects(report: NodeReport) -> dict[Subject, Difference]:
    """What the report's differences are followed by, each with the first of its differences."""
    found: dict[Subject, Difference] = {}
    for one in report.differences:
        for name in (one.service_port, *one.also):
            found.setdefault(Subject(name, one.kind, one.family, "" if name else one.frontend), one)
    return found


def _spells(seen: Sequence[bool | None], began: Callable[[int], Began]) -> Iterator[Spell]:
    first = last = None
    for at, shows in enumerate(seen):
        if shows:
            first, last = at if first is None else first, at
        elif shows is False and first is not None and last is not None:
            yield Spell(first, last, at, _began(seen, first, began))
            first = last = None
    if first is not None and last is not None:
        yield Spell(first, last, None, _began(seen, first, began))


def _began(seen: Sequence[bool | None], first: int, began: Callable[[int], Began]) -> Began:
    if first == 0:
        return Began.FIRST_DUMP
    return Began.UNTOLD if seen[first - 1] is None else began(first)


def _became(spells: Sequence[Spell], dumps: int) -> Became:
    final = spells[-1]
    if final.gone is None:
        return Became.PERSISTS if final.last == dumps - 1 else Became.UNTOLD
    if len(spells) > 1 or final.began is Began.RULES_CHANGED:
        return Became.CAME_AND_WENT
    return Became.LAG
