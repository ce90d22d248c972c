"""The answer of `diff` as JSON values; docs/diff.md describes the schema."""

from collections.abc import Sequence

from model.addresses import Family, format_address
from model.intervals import Intervals
from oracle.difference.cause import Cause
from oracle.difference.diff import NodeDiff
from oracle.difference.groups import Group
from oracle.findings import Line, NotJudged
from oracle.report.as_json import VERSION, Json, outcome_json, packet_json


def diff_json(first: str, second: str, diffs: Sequence[NodeDiff], *, only_unexplained: bool) -> Json:
    """The whole answer: each node's differences between the two sides."""
    return {
        "version": VERSION,
        "a": first,
        "b": second,
        "nodes": [_node(one, only_unexplained=only_unexplained) for one in diffs],
    }


def verdict_of(diff: NodeDiff) -> str:
    """`differs`, `not-judged` where no difference is found and some packet is not compared, or `same`."""
    if diff.groups:
        return "differs"
    return "not-judged" if diff.is_open else "same"


def _node(diff: NodeDiff, *, only_unexplained: bool) -> Json:
    told = diff.unexplained if only_unexplained else diff.groups
    return {
        "node": diff.node,
        "verdict": verdict_of(diff),
        "families": [family.value for family in diff.families],
        "judged": {"cells": diff.cells},
        "explained": len(diff.groups) - len(diff.unexplained),
        "unexplained": len(diff.unexplained),
        "differences": [_group(one) for one in told],
        "unsupported": [_not_judged(item) for item in diff.not_judged],
        "assumptions": list(diff.assumptions),
    }


def _group(group: Group) -> Json:
    family, subject = group.family, group.subject
    first, second = group.outcomes
    answer: Json = {
        "family": family.value,
        "service": str(subject.service) if subject.service else None,
        "port": {"name": subject.port[0], "number": subject.port[1]} if subject.port else None,
        "protocol": subject.protocol or None,
        "kind": subject.kind,
        "from": group.before,
        "to": group.after,
        "explained": group.cause.is_explained,
        "cause": _cause(group.cause),
        "cites": list(group.cause.ids),
        "frontends": group.frontends,
        "classes": group.classes,
        "destinations": spans(family, group.destinations),
        "packet": packet_json(group.packet),
        "a": outcome_json(first[0], family),
        "b": outcome_json(second[0], family),
        "rules": {"a": _lines(group.lines[0]), "b": _lines(group.lines[1])},
        "replayed": group.is_replayed,
    }
    for key, outcomes in (("a_allowed", first), ("b_allowed", second)):
        if len(outcomes) > 1:
            answer[key] = [outcome_json(one, family) for one in outcomes]
    return answer


def _cause(cause: Cause) -> Json:
    return {
        "kinds": [kind.value for kind in cause.kinds],
        "departs": list(cause.departs),
        "text": list(cause.what),
    }


def spans(family: Family, values: Intervals) -> list[str]:
    """A set of addresses as text, each span as an address, a CIDR or `LOW-HIGH`.

    >>> spans(Family.IPV4, ((0x7F000000, 0x7FFFFFFF), (0xC0000201, 0xC0000201)))
    ['127.0.0.0/8', '192.0.2.1']
    """
    out: list[str] = []
    for low, high in values:
        size = high - low + 1
        text = format_address(family, low)
        if size == 1:
            out.append(text)
        elif size & (size - 1) == 0 and low % size == 0:
            out.append(f"{text}/{family.bits - size.bit_length() + 1}")
        else:
            out.append(f"{text}-{format_address(family, high)}")
    return out


def _lines(lines: Sequence[Line]) -> list[Json]:
    return [{"file": one.file, "line": one.line, "text": one.text} for one in lines]


def _not_judged(item: NotJudged) -> Json:
    return {
        "file": item.file,
        "line": item.line,
        "text": item.text,
        "why": item.why,
        "matters": item.matters,
    }
