"""A node's history as text: the verdict of its last dump, each dump, what changed, what became of what.

Dumps are numbered from 1 in their order, and named so in the rest of the answer.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from model.addresses import Family
from oracle.findings import NodeVerdict
from oracle.history.courses import Became, Began, Course, Spell, Subject
from oracle.history.history import Between, History
from oracle.history.order import OrderedBy
from oracle.history.traffic import Traffic
from oracle.report.as_text import aside_lines, node_lines
from oracle.report.wording import Look, count, line_text, printable

_VERDICTS = {
    NodeVerdict.CONFORMS: ("CONFORMS", "green"),
    NodeVerdict.DIFFERS: ("DIFFERS", "red"),
    NodeVerdict.NOT_JUDGED: ("NOT JUDGED", "yellow"),
}
_ORDERS = {
    OrderedBy.HEADER_TIMES: "by the times in their headers",
    OrderedBy.RESOURCE_VERSIONS: "by the resourceVersions of their objects (no times given)",
    OrderedBy.NAMES: "by name (no times, and no resourceVersions that tell them apart)",
}
_BECAME = {
    Became.LAG: ("lag", "green"),
    Became.PERSISTS: ("persists", "red"),
    Became.CAME_AND_WENT: ("came and went", "yellow"),
    Became.UNTOLD: ("untold", "yellow"),
}
_BEGAN = {
    Began.FIRST_DUMP: "there from the first dump on",
    Began.OBJECTS_CHANGED: "it began as its Service or the node was changed",
    Began.RULES_CHANGED: "it began by the rules alone: its Service was not changed",
    Began.UNTOLD: "the dump before could not be judged",
}
_NAMES_SHOWN = 3
_CHANGES_SHOWN = 10


def history_lines(history: History, look: Look) -> Iterator[str]:
    """The history of one node in one mode; every dump's report in full when `verbose`."""
    yield _headline(history, look)
    yield from (f"  order: {doubt}" for doubt in history.order.doubts)
    if len(history.dumps) > 1 and not all(dump.has_own_objects for dump in history.dumps):
        shared = [_at(history, at) for at, dump in enumerate(history.dumps) if not dump.has_own_objects]
        which = "every dump" if len(shared) == len(history.dumps) else ", ".join(shared)
        yield f"  objects: {which} judged by the one set that was given, whatever held at the moment"
    for at in range(len(history.dumps)):
        yield _dump_line(history, at, look)
        if at < len(history.between):
            yield from _between_lines(history.between[at], look)
    if history.courses:
        yield ""
        for group in _alike(history.courses):
            yield from _course_lines(history, group, look)
    told = range(len(history.dumps)) if look.verbose else [len(history.dumps) - 1]
    for at in told:
        report = history.dumps[at].report
        if report.verdict is not NodeVerdict.CONFORMS or look.verbose:
            yield ""
            yield from node_lines(report, look, f"{history.node} in {_at(history, at)}")
    asides = list(aside_lines([dump.report for dump in history.dumps][-1:], look))
    if asides:
        yield ""
        yield from asides


def _headline(history: History, look: Look) -> str:
    word, colour = _VERDICTS[history.last.verdict]
    mode = f" ({history.mode.value})" if history.mode else ""
    dumps = count(len(history.dumps), "dump")
    order = f", ordered {_ORDERS[history.order.by]}" if len(history.dumps) > 1 else ""
    return (
        f"{look.paint(history.node + mode, 'bold')}  {look.paint(word, colour)} in the last of {dumps}{order}"
    )


def _at(history: History, at: int) -> str:
    return f"{at + 1} ({printable(history.dumps[at].name)})"


def _dump_line(history: History, at: int, look: Look) -> str:
    dump = history.dumps[at]
    word, colour = _VERDICTS[dump.report.verdict]
    time = f"  {dump.time}" if dump.time else ""
    version = f"  resourceVersion {dump.resource_version}" if dump.resource_version and not dump.time else ""
    found = f"  {count(len(dump.report.differences), 'difference')}" if dump.report.differences else ""
    why = next((f": {one.why}" for one in dump.report.not_judged if one.matters), "")
    unjudged = why if dump.report.verdict is NodeVerdict.NOT_JUDGED else ""
    name = printable(dump.name)
    return f"  {at + 1}  {name}{time}{version}  {look.paint(word, colour)}{found}" + printable(unjudged)


def _between_lines(step: Between, look: Look) -> Iterator[str]:
    shown = step.changes if look.verbose else step.changes[:_CHANGES_SHOWN]
    by = "read off the rules: " if step.from_rules else ""
    yield from (f"       {by}{printable(str(change))}" for change in shown)
    if left := len(step.changes) - len(shown):
        yield f"       ... and {count(left, 'more change')} (--verbose shows all)"
    if not step.changes:
        yield f"       nothing changed in {'what the rules serve' if step.from_rules else 'the objects'}"
    if step.resets.fell:
        yield (
            f"       counters of {step.resets.fell} of {count(step.resets.compared, 'rule')} fell: "
            "set back, or their chains written anew"
        )
    yield from (_traffic_line(one, look) for one in step.traffic)


def _traffic_line(one: Traffic, look: Look) -> str:
    head = (
        "live traffic on a wrong rule"
        if one.throughout
        else "traffic on a rule that was wrong for part of it"
    )
    unit = "first packets of connections" if one.first_packets else "packets"
    least = "at least " if one.was_reset else ""
    how = " (counter set back)" if one.was_reset else " (the rule is new)" if one.is_new else ""
    whose = one.difference.service_port or "no Service"
    text = f": {least}+{one.packets} {unit}{how}: {whose} {one.difference.kind.value}: {line_text(one.line)}"
    return "       " + look.cut_with_head(head, text, "red" if one.throughout else "yellow")


_Group = tuple[Course, ...]


def _alike(courses: Sequence[Course]) -> list[_Group]:
    """Courses that differ in their Services alone, together."""
    groups: defaultdict[tuple[object, ...], list[Course]] = defaultdict(list)
    for one in courses:
        groups[one.became, one.subject.kind, one.subject.family, one.spells].append(one)
    return [tuple(group) for group in groups.values()]


def _course_lines(history: History, group: _Group, look: Look) -> Iterator[str]:
    first = group[0]
    word, colour = _BECAME[first.became]
    names = [_name(one.subject) for one in group]
    shown = names if look.verbose else names[:_NAMES_SHOWN]
    left = f" and {len(names) - len(shown)} more" if len(names) > len(shown) else ""
    family = " IPv6" if first.subject.family is Family.IPV6 else ""
    head = f"{', '.join(shown)}{left}: {first.subject.kind.value}{family}"
    yield f"  {look.paint(word, colour)}  {printable(head)}: " + "; ".join(
        _spell(history, spell) for spell in first.spells
    )
    yield f"       {_BEGAN[first.spells[-1].began]}"
    yield f"       when last seen: {printable(first.difference.explanation)}"


def _name(subject: Subject) -> str:
    return str(subject.service_port) if subject.service_port else f"no Service, {subject.frontend}"


def _spell(history: History, spell: Spell) -> str:
    first, last = _at(history, spell.first), _at(history, spell.last)
    if spell.gone is None:
        return f"since {first}" + ("" if spell.last == len(history.dumps) - 1 else f", last seen in {last}")
    seen = f"in {first}" if first == last else f"from {first} to {last}"
    seconds = history.seconds(spell.first, spell.gone)
    after = "" if seconds is None else f", {seconds} s after it was first seen"
    return f"{seen}, gone in {_at(history, spell.gone)}{after}"
