"""The answer of `migrate` as JSON values; docs/migrate.md describes the schema."""

from collections.abc import Sequence

from oracle.difference.migration import Item, Migration, NodeSwitch
from oracle.findings import Line
from oracle.report.as_json import VERSION, Json
from oracle.report.diff_json import spans


def migrate_json(bundle: str, answer: Migration) -> Json:
    """The whole answer: items, the gravest first, and the nodes that they rest on."""
    return {
        "version": VERSION,
        "bundle": bundle,
        "to": answer.to.value,
        "nodes": [_node(one) for one in answer.nodes],
        "items": [_item(one) for one in answer.items],
        "unsupported": [
            {"file": one.file, "line": one.line, "text": one.text, "why": one.why, "matters": one.matters}
            for one in answer.not_judged
        ],
        "assumptions": list(
            dict.fromkeys(text for one in answer.nodes for text in one.present.config.assumptions)
        ),
    }


def _node(one: NodeSwitch) -> Json:
    return {
        "node": one.diff.node,
        "from": one.present.config.mode.value,
        "families": [family.value for family in one.diff.families],
        "judged": {"cells": one.diff.cells},
        "differences": len(one.diff.groups),
        "unexplained": len(one.diff.unexplained),
    }


def _item(item: Item) -> Json:
    return {
        "topic": item.topic,
        "effect": item.effect.value,
        "text": item.text,
        "cites": list(item.ids),
        "services": list(item.services),
        "nodes": list(item.nodes),
        "addresses": [text for family, values in item.addresses for text in spans(family, values)],
        "details": list(item.details),
        "lines": _lines(item.lines),
    }


def _lines(lines: Sequence[Line]) -> list[Json]:
    return [{"file": one.file, "line": one.line, "text": one.text} for one in lines]
