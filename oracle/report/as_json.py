"""Every answer as JSON values; the one home of the schema that docs/json.md describes.

Keys are only ever added under one `VERSION`. Probabilities are exact fractions as text
("1/3", "1"); addresses are text; a target's list is sorted, so two equal outcomes are
equal JSON.
"""

from collections import defaultdict
from collections.abc import Sequence
from fractions import Fraction

from model.addresses import Family, format_address
from model.expectation import Expectation
from model.objects import ServicePortName
from model.outcome import Outcome, Verdict
from model.packet import PROTOCOL_NAMES, Packet
from oracle.findings import Difference, Line, NodeReport, NotJudged, Trace
from oracle.report.wording import dialect_and_backend

VERSION = 1

Json = dict[str, object]


def outcome_json(outcome: Outcome, family: Family) -> Json:
    """An OUTCOME object.

    `otherwise` is there when the fate is a mixture that `verdict` and `targets` do not
    exhaust, `masquerade` when an untranslated packet has its source rewritten,
    `reject_with` when the rules name the error.
    """
    verdict = outcome.verdict
    merged: defaultdict[tuple[int, int, bool], Fraction] = defaultdict(Fraction)
    others: defaultdict[Verdict, Fraction] = defaultdict(Fraction)
    for leaf in outcome.leaves:
        if leaf.target is not None:
            merged[leaf.target.address, leaf.target.port, leaf.masquerade] += leaf.odds
        elif leaf.verdict is not verdict:
            others[leaf.verdict] += leaf.odds
    answer: Json = {
        "verdict": verdict.value,
        "targets": [
            {
                "address": format_address(family, address),
                "port": port,
                "probability": str(odds),
                "masquerade": masquerade,
            }
            for (address, port, masquerade), odds in sorted(merged.items())
        ],
        "affinity_seconds": outcome.affinity_seconds,
    }
    untranslated = [leaf for leaf in outcome.leaves if leaf.target is None]
    if others:
        answer["otherwise"] = [
            {"verdict": other.value, "probability": str(others[other])}
            for other in Verdict
            if other in others
        ]
    if any(leaf.masquerade for leaf in untranslated):
        answer["masquerade"] = True
    if errors := sorted({leaf.reject_with for leaf in untranslated if leaf.reject_with}):
        answer["reject_with"] = ", ".join(errors)
    return answer


def packet_json(packet: Packet) -> Json:
    """A packet, in the form that `--packets` reads."""
    answer: Json = {
        "from": format_address(packet.family, packet.source),
        "to": format_address(packet.family, packet.destination),
        "port": packet.port,
        "protocol": PROTOCOL_NAMES.get(packet.protocol, str(packet.protocol)),
        "origin": packet.origin.value,
    }
    if packet.in_interface is not None:
        answer["in_interface"] = packet.in_interface
    return answer


def trace_json(trace: Trace, family: Family) -> Json:
    """An OUTCOME with the `path` of rules met, and the lines it is unsure of if any."""
    answer = outcome_json(trace.outcome, family)
    answer["path"] = [_line(line) for line in trace.path]
    if trace.unsure:
        answer["unsupported"] = [_not_judged(item) for item in trace.unsure]
    return answer


def expectation_json(expectation: Expectation, family: Family) -> Json:
    """The first allowed OUTCOME with its `cites` and `owners`; `allowed` lists all when several."""
    answer = outcome_json(expectation.allowed[0], family)
    answer["cites"] = list(expectation.cites)
    answer["owners"] = list(expectation.service_ports)
    if len(expectation.allowed) > 1:
        answer["allowed"] = [outcome_json(outcome, family) for outcome in expectation.allowed]
    return answer


def check_json(reports: Sequence[tuple[str, NodeReport]]) -> Json:
    """The whole answer of `check`: each node's report beside the bundle it came from."""
    return {"version": VERSION, "nodes": [_node(bundle, report) for bundle, report in reports]}


def _node(bundle: str, report: NodeReport) -> Json:
    dialect, backend = dialect_and_backend(report)
    return {
        "node": report.node,
        "bundle": bundle,
        "dialect": dialect,
        "backend": backend,
        "families": [family.value for family in report.families],
        "verdict": report.verdict.value,
        "judged": {
            "frontends": report.judged.frontends,
            "cells": report.judged.cells,
            "rules": report.judged.rules,
        },
        "differences": [_difference(difference) for difference in report.differences],
        "unsupported": [_not_judged(item) for item in report.not_judged],
        "warnings": list(report.warnings),
        "assumptions": list(report.assumptions),
    }


def _difference(difference: Difference) -> Json:
    name = difference.service_port
    family = difference.packet.family
    answer: Json = {
        "kind": difference.kind.value,
        "family": difference.family.value,
        "service": str(name.service) if name else None,
        "port": {"name": name.port_name, "number": difference.port} if name else None,
        "protocol": difference.protocol,
        "frontend": difference.frontend,
        "packet": packet_json(difference.packet),
        "expected": outcome_json(difference.expected[0], family),
        "found": outcome_json(difference.found, family),
        "rules": [_line(line) for line in difference.lines],
        "cites": list(difference.cites),
        "explanation": difference.explanation,
        "frontends": difference.frontends,
        "also": [_service_port(other) for other in difference.also],
    }
    if len(difference.expected) > 1:
        answer["allowed"] = [outcome_json(outcome, family) for outcome in difference.expected]
    return answer


def _service_port(name: ServicePortName) -> Json:
    return {"service": str(name.service), "port": name.port_name, "protocol": name.protocol}


def _line(line: Line) -> Json:
    return {"file": line.file, "line": line.line, "text": line.text}


def _not_judged(item: NotJudged) -> Json:
    return {
        "file": item.file,
        "line": item.line,
        "text": item.text,
        "why": item.why,
        "matters": item.matters,
    }
