"""Outcomes, lines and colours in words, the same in every text answer."""

from collections import defaultdict
from collections.abc import Container
from fractions import Fraction

import attrs

from model.addresses import Family, format_address
from model.outcome import Outcome, Target, Verdict
from oracle.findings import Line, NodeReport

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
        """Uncoloured text within the width, its middle given up for an ellipsis.

        The end stays, because there a rule says what it does.
        """
        shown = printable(text)
        if self.verbose or len(shown) <= self.width:
            return shown
        end = max(self.width // 4, min(32, self.width // 2))  # 32 holds `-j KUBE-SEP-...` whole
        return shown[: max(self.width - 1 - end, 1)] + "…" + shown[-end:]

    def cut_with_head(self, head: str, text: str, colour: str) -> str:
        """The two together within the width, the head in a colour."""
        return self.paint(head, colour) + self.cut(head + text)[len(head) :]


def printable(text: str) -> str:
    """The text with `?` for what a terminal would obey rather than show.

    Rules hold other people's comments.
    """
    return text if text.isprintable() else "".join(c if c.isprintable() else "?" for c in text)


def outcome_text(
    outcome: Outcome, family: Family, first: Container[Target] = (), verbose: bool = False
) -> str:
    """The outcome in one line; targets in `first` are named before those that may be left out.

    `DNAT to 10.0.0.1:80 (1/2), 10.0.0.2:80 (1/2, masqueraded); affinity 10800 s`,
    `DNAT to 10.0.0.1:80, 10.0.0.2:80, ... and 8 more (each 1/10)`,
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
        shown = sorted(targets)
        if len(shown) > _TARGETS_SHOWN and not verbose:
            shown = sorted(shown, key=lambda key: key[0] not in first)[:_TARGETS_SHOWN]
        left = len(targets) - len(shown)
        more = f", ... and {left} more" if left else ""
        remarks = {key: _target_remark(targets[key], key[1]) for key in targets}
        common = (
            next(iter(remarks.values())) if len(remarks) > 1 and len(set(remarks.values())) == 1 else None
        )
        names = [target_text(family, key[0]) + (remarks[key] if common is None else "") for key in shown]
        each = "" if common is None else common.replace("(", "(each ", 1)
        parts.append(f"DNAT to {', '.join(names)}{more}{each}")
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


def dialect_and_backend(report: NodeReport) -> tuple[str, str]:
    """`iptables` and `nft`, of a report whose dialect is `iptables (nft)`."""
    dialect, _, backend = report.dialect.partition(" (")
    return dialect, backend.removesuffix(")")


def count(number: int, noun: str) -> str:
    """`1 rule`, `3 rules`.

    >>> count(3, "rule")
    '3 rules'
    """
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _target_remark(odds: Fraction, masquerade: bool) -> str:
    return _remark("" if odds == 1 else str(odds), "masqueraded" if masquerade else "")


def _remark(*parts: str) -> str:
    said = ", ".join(part for part in parts if part)
    return f" ({said})" if said else ""
