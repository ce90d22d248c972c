"""Every answer as a person reads it at night: the verdict first, then why, then what is unsure.

Functions yield lines without their ends. A difference takes five lines at most; what
is left out is counted, and `verbose` shows all of it.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from model.addresses import Family
from model.expectation import Expectation
from model.outcome import Outcome, Target
from model.packet import Packet
from oracle.findings import Difference, Kind, NodeReport, NodeVerdict, NotJudged, Trace
from oracle.report.wording import Look, count, dialect_and_backend, line_text, outcome_text, printable

_VERDICTS = {
    NodeVerdict.CONFORMS: ("CONFORMS", "green"),
    NodeVerdict.DIFFERS: ("DIFFERS", "red"),
    NodeVerdict.NOT_JUDGED: ("NOT JUDGED", "yellow"),
}
_DIFFERENCES_SHOWN = 20
_ITEMS_SHOWN = 3
_ASIDES_SHOWN = 5


def node_lines(report: NodeReport, look: Look, label: str = "") -> Iterator[str]:
    """One line for the node, then its differences and what could not be judged."""
    yield _headline(report, look, label or report.node)
    shown = report.differences if look.verbose else report.differences[:_DIFFERENCES_SHOWN]
    for difference in shown:
        yield ""
        yield from difference_lines(difference, look)
    if left := len(report.differences) - len(shown):
        yield ""
        yield f"  ... and {count(left, 'more difference')} (--verbose shows all)"
    open_questions = list(_not_judged_lines(report.not_judged, look))
    if report.differences and open_questions:
        yield ""
    yield from open_questions


def aside_lines(reports: Sequence[NodeReport], look: Look) -> Iterator[str]:
    """Warnings and assumptions, each once, with the nodes it is about where there are several."""
    for heading, texts_of in (("warning", _warnings), ("assumed", _assumptions)):
        nodes_by_text: defaultdict[str, list[str]] = defaultdict(list)
        for report in reports:
            for text in texts_of(report):
                nodes_by_text[text].append(report.node)
        for at, (text, nodes) in enumerate(nodes_by_text.items()):
            if at == _ASIDES_SHOWN and not look.verbose:
                yield f"  ... and {len(nodes_by_text) - at} more {heading} (--verbose shows all)"
                break
            about = f" ({_listed(nodes, look)})" if 0 < len(nodes) < len(reports) else ""
            yield f"  {heading}: {text}{about}"


def difference_lines(difference: Difference, look: Look) -> Iterator[str]:
    """At most five lines: what, the packet, expected, found, the guilty line."""
    family = difference.packet.family
    yield "  " + _title(difference, look)
    yield f"    packet    {difference.packet}"
    expected = [
        outcome_text(outcome, family, _odd_targets(outcome, difference.found), look.verbose)
        for outcome in difference.expected
    ]
    yield "    expected  " + " or ".join(expected)
    odd = _odd_targets(difference.found, *difference.expected)
    yield "    found     " + outcome_text(difference.found, family, odd, look.verbose)
    # Of a frontend that is not there, the lines are only where the packet went by.
    # Nor does one line stand for a cause that many Services share.
    is_general = difference.kind is Kind.MISSING_FRONTEND or bool(difference.also)
    is_blameless = not difference.lines or is_general
    if is_blameless or look.verbose:
        yield f"    why       {difference.explanation}"
    if is_blameless and not look.verbose:
        return
    shown = difference.lines if look.verbose else difference.lines[:1]
    left = len(difference.lines) - len(shown)
    ending = f" (and {count(left, 'more line')})" if left else ""
    for line in shown:
        yield _room(look, ending).cut("    rule      " + line_text(line)) + ending


def summary_line(reports: Sequence[NodeReport], look: Look) -> str:
    """How many nodes conform, differ and could not be judged."""
    tally = Counter(report.verdict for report in reports)
    words = [
        look.paint(f"{tally[verdict]} {said}", colour)
        for verdict, said, colour in (
            (NodeVerdict.DIFFERS, "differ" if tally[NodeVerdict.DIFFERS] != 1 else "differs", "red"),
            (NodeVerdict.NOT_JUDGED, "not judged", "yellow"),
            (NodeVerdict.CONFORMS, "conform" if tally[NodeVerdict.CONFORMS] != 1 else "conforms", "green"),
        )
        if tally[verdict]
    ]
    return f"{count(len(reports), 'node')}: {', '.join(words)}"


def trace_lines(trace: Trace, family: Family, look: Look) -> Iterator[str]:
    """The outcome, what makes it unsure, then every rule the packet met."""
    yield look.paint(outcome_text(trace.outcome, family, verbose=look.verbose), "bold")
    for item in trace.unsure:
        yield look.cut_with_head("not judged: ", _not_judged_text(item), "yellow")
    for line in trace.path:
        yield printable(f"  {line.file}:{line.line}  {line.text}")


def trace_line(packet: Packet, trace: Trace, look: Look) -> str:
    """One packet of many, in one line."""
    unsure = f"  NOT JUDGED: {_not_judged_text(trace.unsure[0])}" if trace.unsure else ""
    return f"{packet}: {outcome_text(trace.outcome, packet.family, verbose=look.verbose)}{unsure}"


def expectation_lines(expectation: Expectation, family: Family, look: Look) -> Iterator[str]:
    """Each allowed outcome, the contract's rows that decided, and whose frontend it is."""
    texts = [outcome_text(outcome, family, verbose=look.verbose) for outcome in expectation.allowed]
    for at, text in enumerate(texts):
        yield look.paint(
            f"either {text}" if len(texts) > 1 and not at else f"or {text}" if at else text, "bold"
        )
    yield f"  decided by {', '.join(expectation.cites)}"
    if expectation.service_ports:
        yield f"  frontend of {' and '.join(expectation.service_ports)}"


def expectation_line(packet: Packet, expectation: Expectation, look: Look) -> str:
    """One packet of many, in one line."""
    texts = [outcome_text(outcome, packet.family, verbose=look.verbose) for outcome in expectation.allowed]
    return f"{packet}: {' or '.join(texts)} [{', '.join(expectation.cites)}]"


def _headline(report: NodeReport, look: Look, label: str) -> str:
    word, colour = _VERDICTS[report.verdict]
    parts = [look.paint(label, "bold"), look.paint(word, colour)]
    if report.differences:
        parts.append(count(len(report.differences), "difference"))
    judged = report.judged
    dialect, backend = dialect_and_backend(report)
    if dialect:
        counts = ((judged.frontends, "frontend"), (judged.cells, "cell"), (judged.rules, "rule"))
        said = ", ".join(count(number, noun) for number, noun in counts)
        parts.append(f"({dialect}{' on ' + backend if backend else ''}; {said} judged)")
    return "  ".join(parts)


def _title(difference: Difference, look: Look) -> str:
    name = difference.service_port
    if name is None:
        subject = "no Service"
    else:
        port = f" ({name.port_name})" if name.port_name else ""
        subject = f"{name.service} port {difference.port}/{difference.protocol}{port}"
    more = difference.frontends - 1
    spread = f" and {count(more, 'more frontend')}" if more else ""
    also = [str(other) for other in difference.also]
    others = f", also of {_listed(also, look)}" if also else ""
    family = " IPv6" if difference.family is Family.IPV6 else ""
    cites = f" [{', '.join(difference.cites)}]" if difference.cites else ""
    kind = look.paint(difference.kind.value, "red")
    at = f" at {difference.frontend}" if difference.frontend else ""
    return f"{subject}: {kind}{at}{family}{spread}{others}{cites}"


def _odd_targets(outcome: Outcome, *others: Outcome) -> frozenset[Target]:
    """Targets that another outcome lacks; if none does, those with another fate there."""
    own = {leaf.target for leaf in outcome.leaves if leaf.target is not None}
    shared = own.intersection(*({leaf.target for leaf in other.leaves} for other in others))
    if shared != own:
        return frozenset(own - shared)
    return frozenset(
        leaf.target
        for leaf in outcome.leaves
        if leaf.target is not None and not all(leaf in other.leaves for other in others)
    )


def _not_judged_lines(items: Sequence[NotJudged], look: Look) -> Iterator[str]:
    """What a fate depends on, line by line; the rest as a count, unless all is wanted."""
    ordered = sorted(items, key=lambda item: not item.matters)
    deciding = [item for item in ordered if item.matters]
    shown = ordered if look.verbose else deciding[:_ITEMS_SHOWN]
    for item in shown:
        head = "  not judged: " if item.matters else "  not judged, decides nothing: "
        yield look.cut_with_head(head, _not_judged_text(item), "yellow" if item.matters else "dim")
    if look.verbose:
        return
    if left := len(deciding) - len(shown):
        yield f"  ... and {count(left, 'more line')} not judged (--verbose shows all)"
    if idle := len(ordered) - len(deciding):
        yield f"  {count(idle, 'line')} not judged that no Service packet depends on (--verbose shows them)"


def _not_judged_text(item: NotJudged) -> str:
    place = f"{item.file}:{item.line}" if item.line else item.file
    return f"{place}: {item.why}" + (f": {item.text}" if item.text else "")


def _warnings(report: NodeReport) -> tuple[str, ...]:
    return report.warnings


def _assumptions(report: NodeReport) -> tuple[str, ...]:
    return report.assumptions


def _listed(names: Sequence[str], look: Look) -> str:
    shown = names if look.verbose else names[:_ITEMS_SHOWN]
    left = len(names) - len(shown)
    return ", ".join(shown) + (f" and {left} more" if left else "")


def _room(look: Look, ending: str) -> Look:
    """The look with room left for an ending that must not be cut off."""
    return Look(width=max(look.width - len(ending), 20), colour=look.colour, verbose=look.verbose)
