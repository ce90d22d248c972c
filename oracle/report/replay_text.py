"""A history as a person follows it: time, event, what came of it, and what was expected."""

from collections.abc import Iterator, Sequence

from model.api.refusal import Refused
from oracle.replay.run import Happened
from oracle.report.wording import Look, count, printable

_MARGIN = " " * 9


def happened_lines(happened: Happened, look: Look) -> Iterator[str]:
    """The event with its answer on one line where it fits, then changes, then expectations."""
    entry = happened.entry
    if entry.note:
        yield look.paint(f"{_MARGIN}# {printable(entry.note)}", "dim")
    head = f"{span(happened.now):>7}  {printable(f'{entry.name} {entry.subject}'.rstrip())}"
    first, *rest = [*map(printable, happened.lines)] or [""]
    yield head + (f": {first}" if first else "")
    yield from (f"{_MARGIN}  {line}" for line in rest)
    if happened.failure is not None:
        for line in failure_lines(happened):
            yield f"{_MARGIN}  {printable(line)}"
    yield from (f"{_MARGIN}  . {printable(line)}" for line in happened.changes)
    if happened.unmet:
        place = entry.expected.line if entry.expected else entry.line
        for text in happened.unmet:
            yield f"{_MARGIN}  {look.paint('UNMET', 'red')} (line {place}) {printable(text)}"
    elif entry.expected is not None:
        yield f"{_MARGIN}  {look.paint('as expected', 'green')}"


def failure_lines(happened: Happened) -> Iterator[str]:
    """Each field error of a refused request; why anything else cannot be."""
    failure = happened.failure
    if not isinstance(failure, Refused):
        yield f"impossible: {failure}"
        return
    yield f"refused, {failure.reason.status} {failure.reason.value}" + (
        "" if failure.causes else f": {failure.what}"
    )
    yield from (f"  {cause.field}: {cause.detail}  {cause.type.value}" for cause in failure.causes)


def summary_line(history: Sequence[Happened], look: Look) -> str:
    """How many expectations held."""
    failed = [one for one in history if one.unmet]
    asked = sum(1 for one in history if one.entry.expected is not None)
    said = f"{count(len(history), 'event')}, {count(asked, 'expectation')}"
    if not failed:
        return f"{said}: {look.paint('all as expected', 'green')}"
    lines = ", ".join(str(one.entry.line) for one in failed)
    return f"{said}: {look.paint(f'{len(failed)} otherwise than expected', 'red')} (line {lines})"


def span(seconds: int) -> str:
    """A time since the start.

    >>> [span(value) for value in (5, 60, 3725, 90000)]
    ['5s', '1m', '1h2m5s', '1d1h']
    """
    parts = []
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m"), (1, "s")):
        if seconds >= size:
            parts.append(f"{seconds // size}{unit}")
            seconds %= size
    return "".join(parts) or "0s"
