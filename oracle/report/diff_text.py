"""What differs between two sides as a person reads it: what nobody explains first.

Differences that are alike but for the Service are told once, with the Services' names.
"""

from collections.abc import Iterator, Sequence

from model.outcome import Verdict
from oracle.difference.diff import NodeDiff
from oracle.difference.groups import Group, alike
from oracle.findings import NotJudged
from oracle.report.diff_json import spans, verdict_of
from oracle.report.wording import Look, count, line_text, outcome_text

_SERVICES_SHOWN = 3
_LINES_SHOWN = 2
_ITEMS_SHOWN = 3
_DESTINATIONS_SHOWN = 3
_VERDICTS = {
    "same": ("NO DIFFERENCE", "green"),
    "differs": ("DIFFERS", "red"),
    "not-judged": ("NOT JUDGED", "yellow"),
}


def diff_lines(diff: NodeDiff, look: Look, label: str, *, only_unexplained: bool) -> Iterator[str]:
    """One line for the node, then its differences and what could not be compared."""
    yield _headline(diff, look, label)
    told = diff.unexplained if only_unexplained else diff.groups
    for groups in _folded(told, look):
        yield ""
        yield from _group_lines(groups, look)
    if diff.groups and diff.not_judged:
        yield ""
    yield from _open_lines(diff.not_judged, look)


def aside_lines(diffs: Sequence[NodeDiff], look: Look) -> Iterator[str]:
    """What was assumed about either side, once for all nodes."""
    assumed = list(dict.fromkeys(text for diff in diffs for text in diff.assumptions))
    shown = assumed if look.verbose else assumed[:_ITEMS_SHOWN]
    yield from (f"assumed: {text}" for text in shown)
    if left := len(assumed) - len(shown):
        yield f"... and {count(left, 'more assumption')} (--verbose shows all)"


def _headline(diff: NodeDiff, look: Look, label: str) -> str:
    word, colour = _VERDICTS[verdict_of(diff)]
    parts = [look.paint(label, "bold"), look.paint(word, colour)]
    if diff.groups:
        told = f", {len(diff.unexplained)} unexplained" if diff.unexplained else ", all explained"
        parts.append(count(len(diff.groups), "difference") + told)
    families = " and ".join(family.value for family in diff.families)
    parts.append(f"({families + ', ' if families else ''}{count(diff.cells, 'cell')} compared)")
    return "  ".join(parts)


def _folded(groups: Sequence[Group], look: Look) -> list[list[Group]]:
    """Groups that differ in the Service only, together; in the order of the first of each."""
    if look.verbose:
        return [[one] for one in groups]
    out: dict[object, list[Group]] = {}
    for one in groups:
        out.setdefault(alike(one), []).append(one)
    return list(out.values())


def _group_lines(groups: Sequence[Group], look: Look) -> Iterator[str]:
    first = groups[0]
    family = first.family
    names = list(dict.fromkeys(one.subject.text for one in groups))
    shown = ", ".join(names[:_SERVICES_SHOWN])
    more = f" and {len(names) - _SERVICES_SHOWN} more" if len(names) > _SERVICES_SHOWN else ""
    kinds = ", ".join(kind.value for kind in first.cause.kinds)
    mark = f"[{', '.join(first.cause.ids) or kinds}]" if first.cause.is_explained else "unexplained"
    head = f"  {mark} "
    what = f"{first.before} -> {first.after}"
    kind = f"{first.subject.kind}{' IPv6' if family.bits == 128 else ''}"
    yield look.cut_with_head(head, f"{kind}: {what}", "dim" if first.cause.is_explained else "red")
    yield look.cut(f"    services  {shown}{more}  ({_counts(groups)})")
    destinations = [text for one in groups for text in spans(family, one.destinations)]
    destinations = list(dict.fromkeys(destinations))
    more = (
        f" and {len(destinations) - _DESTINATIONS_SHOWN} more"
        if len(destinations) > _DESTINATIONS_SHOWN
        else ""
    )
    yield look.cut(f"    address   {', '.join(destinations[:_DESTINATIONS_SHOWN])}{more}")
    yield from (look.cut(f"    because   {text}") for text in first.cause.what)
    yield look.cut(f"    packet    {first.packet}")
    for side, outcomes, lines in zip("AB", first.outcomes, first.lines, strict=True):
        texts = [outcome_text(one, family, verbose=look.verbose) for one in outcomes]
        yield look.cut(f"    {side}         {' or '.join(texts)}")
        is_untouched = all(one.verdict is Verdict.PASS for one in outcomes)
        listed = lines if look.verbose else () if is_untouched else lines[-_LINES_SHOWN:]
        yield from (look.cut(f"    {side} rule    {line_text(line)}") for line in listed)


def _counts(groups: Sequence[Group]) -> str:
    frontends = sum(one.frontends for one in groups)
    classes = sum(one.classes for one in groups)
    return f"{count(frontends, 'place')}, {classes} {'class' if classes == 1 else 'classes'} of packets"


def _open_lines(items: Sequence[NotJudged], look: Look) -> Iterator[str]:
    ordered = sorted(items, key=lambda item: not item.matters)
    shown = ordered if look.verbose else [item for item in ordered if item.matters][:_ITEMS_SHOWN]
    for item in shown:
        place = f"{item.file}:{item.line}" if item.line else item.file
        text = f"{place}: {item.why}" + (f": {item.text}" if item.text else "")
        yield look.cut_with_head("  not compared: ", text, "yellow")
    if left := len(ordered) - len(shown):
        yield f"  {count(left, 'more item')} not judged (--verbose shows all)"
