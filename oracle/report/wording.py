"""Outcomes, lines and colours in words, the same in every text answer."""

from collections import defaultdict
from collections.abc import Container
from fractions import Fraction

import attrs

from model.addresses import Family, format_address
from model.outcome import Outcome, Target, Verdict
from oracle.findings import Line

_VERDICTS = {
    Verdict.REJECT: "REJECT",
    Verdict.DROP: "DROP",
    Verdict.PASS: "untouched",
}
_TARGETS_SHOWN = 3
_COLOURS = {"red": "31", "green": "32", "yellow": "33", "bold": "1", "dim": "2"}


@attrs.frozen
class Look:
    """How an answer is shown: `width` in characters, colours or none, all of it or the gist."""

    width: int = 160
    colour: bool = False
    verbose: bool = False

    def paint(self, text: str, colour: str) -> str:
        """The text in a colour of the terminal, or as it is when colours are off."""
        return f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m" if self.colour else text

    def cut(self, text: str) -> str:
        """Uncoloured text within the width, its end given up for an ellipsis.

        What a terminal would obey rather than show becomes `?`: rules hold other people's comments.
        """
        shown = text if text.isprintable() else "".join(c if c.isprintable() else "?" for c in text)
        if self.verbose or len(shown) <= self.width:
            return shown
        return shown[: max(self.width - 1, 1)] + "…"

    def cut_with_head(self, head: str, text: str, colour: str) -> str:
        """The two together within the width, the head in a colour."""
        return self.paint(head, colour) + self.cut(head + text)[len(head) :]


def outcome_text(
    outcome: Outcome, family: Family, first: Container[Target] = (), verbose: bool = False
) -> str:
    """The outcome in one line; targets in `first` are named before those that may be left out.

    `DNAT to 10.0.0.1:80 (1/2), 10.0.0.2:80 (1/2, masqueraded); affinity 10800 s`,
    `REJECT`, `DROP`, `untouched`. All targets, and the error of a REJECT, when `verbose`.
    """
    targets: defaultdict[tuple[Target, bool], Fraction] = defaultdict(Fraction)
    others: defaultdict[tuple[Verdict, bool, str], Fraction] = defaultdict(Fraction)
    for leaf in outcome.leaves:
        if leaf.target is not None:
            targets[leaf.target, leaf.masquerade] += leaf.odds
        else:
            others[leaf.verdict, leaf.masquerade, leaf.reject_with if verbose else ""] += leaf.odds
    parts = []
    if targets:
        ordered = sorted(targets, key=lambda key: (key[0] not in first, key))
        shown = ordered if verbose else ordered[:_TARGETS_SHOWN]
        names = [_target(family, target, targets[target, masked], masked) for target, masked in shown]
        left = len(ordered) - len(shown)
        parts.append("DNAT to " + ", ".join(names) + (f", ... and {left} more" if left else ""))
    for (verdict, masked, error), odds in sorted(others.items(), key=lambda item: -item[1]):
        remark = _remark("" if odds == 1 else str(odds), "masqueraded" if masked else "", error)
        parts.append(("otherwise " if parts else "") + _VERDICTS[verdict] + remark)
    if seconds := sorted({memory.seconds for memory in outcome.affinity}):
        parts.append("affinity " + " and ".join(f"{value} s" for value in seconds))
    return "; ".join(parts)


def target_text(family: Family, target: Target) -> str:
    """`10.0.0.1:80` or `[fd00::1]:80`."""
    address = format_address(family, target.address)
    return f"[{address}]:{target.port}" if family is Family.IPV6 else f"{address}:{target.port}"


def line_text(line: Line) -> str:
    """`FILE:LINE: TEXT`, as a compiler would name it."""
    return f"{line.file}:{line.line}: {line.text}" if line.line else f"{line.file}: {line.text}"


def count(number: int, noun: str) -> str:
    """`1 rule`, `3 rules`.

    >>> count(3, "rule")
    '3 rules'
    """
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _target(family: Family, target: Target, odds: Fraction, masquerade: bool) -> str:
    remark = _remark("" if odds == 1 else str(odds), "masqueraded" if masquerade else "")
    return target_text(family, target) + remark


def _remark(*parts: str) -> str:
    said = ", ".join(part for part in parts if part)
    return f" ({said})" if said else ""
