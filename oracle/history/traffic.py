"""What met a wrong rule between two dumps, told by the rule's own counter.

A rule that was wrong in both dumps was wrong for what it counted between them, as far as the
dumps can tell; one that is wrong in one of them only may have counted part of it while right.
A counter that fell was set back, by hand or because kube-proxy wrote the chain anew: then its
present value is the least that it has met since.
"""

from collections.abc import Iterator, Mapping

import attrs

from oracle.findings import Difference, Kind, Line, NodeReport
from oracle.history.counters import Counted, Counters, RuleKey


@attrs.frozen
class Traffic:
    """Packets that met a wrong rule between two neighbouring dumps.

    `line` is the rule in the later dump, `difference` what it is guilty of. `throughout` says
    that both dumps show it to be wrong. `was_reset` says that the counter fell in between, and
    `is_new` that the earlier dump lacks the rule; `packets` then counts from 0. `first_packets`
    says that the rule meets only the first packet of each connection.
    """

    line: Line
    difference: Difference
    packets: int
    throughout: bool
    was_reset: bool = False
    is_new: bool = False
    first_packets: bool = False


@attrs.frozen
class Resets:
    """How many of the rules that two dumps both count show less in the later one."""

    fell: int
    compared: int


def traffic(
    before: NodeReport, counted_before: Counters, after: NodeReport, counted_after: Counters
) -> tuple[Traffic, ...]:
    """Every wrong rule that counted packets between two dumps, in the later one's order."""
    old = {one.key: one.packets for one in counted_before.values()}
    wrong_before = _wrong(before, counted_before)
    wrong_after = _wrong(after, counted_after)
    out = []
    for (file, line), counted in counted_after.items():
        key = counted.key
        difference = wrong_after.get(key) or wrong_before.get(key)
        if difference is None or not old:
            continue
        earlier = old.get(key)
        fell = earlier is not None and counted.packets < earlier
        packets = counted.packets - (0 if fell or earlier is None else earlier)
        if packets or fell:
            both = key in wrong_before and key in wrong_after
            out.append(
                Traffic(
                    _line(file, line, counted, difference),
                    difference,
                    packets,
                    both,
                    fell,
                    earlier is None,
                    counted.is_per_connection,
                )
            )
    return tuple(out)


def resets(counted_before: Counters, counted_after: Counters) -> Resets:
    """How many counters fell between two dumps."""
    old = {one.key: one.packets for one in counted_before.values()}
    pairs = [(old[one.key], one.packets) for one in counted_after.values() if one.key in old]
    return Resets(sum(now < then for then, now in pairs), len(pairs))


def _line(file: str, line: int, counted: Counted, difference: Difference) -> Line:
    """The rule as evidence, in the words of the difference where that names it."""
    named = (one for one in difference.lines if (one.file, one.line) == (file, line))
    return next(named, Line(file, line, counted.text))


def _wrong(report: NodeReport, counted: Mapping[tuple[str, int], Counted]) -> dict[RuleKey, Difference]:
    return {
        counted[file, line].key: difference
        for difference, file, line in _guilty(report)
        if (file, line) in counted
    }


def _guilty(report: NodeReport) -> Iterator[tuple[Difference, str, int]]:
    """Lines that do wrong: of a frontend that is not there, they are only where its packets went by."""
    for difference in report.differences:
        if difference.kind is not Kind.MISSING_FRONTEND:
            yield from ((difference, one.file, one.line) for one in difference.lines)
