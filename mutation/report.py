"""docs/mutation.md: the score of each module, and the contract's equivalent mutants with their reasons.

A run replaces the rows of its own modules and keeps the others, so that one module can
be judged again alone.
"""

import re
from pathlib import Path

import attrs

PAGE = Path(__file__).parents[1] / "docs" / "mutation.md"
CONTRACT = ("model/forwarding.py", "model/modes.py", "model/eligibility.py")

_SCORES = (
    "## Scores\n\n| module | mutants | tried | killed | survived | equivalent | score |\n"
    "|---|--:|--:|--:|--:|--:|--:|\n"
)
_EQUIVALENT = (
    "## Equivalent mutants\n\n| where | line | with the fault | why nothing can tell |\n|---|---|---|---|\n"
)
_SCORE = re.compile(r"^\| `(model/\S+\.py)` \| (\d+) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \| [^|]* \|$", re.M)
_ENTRY = re.compile(
    r"^\| `(model/\S+\.py):(\d+)` \| (`` .*? ``) \| (`` .*? ``|lost|any of \d+) \| (.*) \|$", re.M
)


@attrs.frozen
class Score:
    """What became of the mutants of one module; `mutants` is how many there are, tried or not."""

    module: str
    mutants: int
    tried: int
    killed: int
    survived: int
    equivalent: int


@attrs.frozen
class Equivalent:
    """Mutants that nothing can tell from the module itself, and why.

    `after` is one mutant's line, "" where it is lost, and None for `count` of the line.
    """

    module: str
    line: int
    before: str
    after: str | None
    reason: str
    count: int = 1


def written(score: Score, equivalent: tuple[Equivalent, ...]) -> None:
    """Puts one module's results into the page, in place of its earlier ones."""
    text = PAGE.read_text()
    scores, entries = read_page(text)
    scores = [*(s for s in scores if s.module != score.module), score]
    entries = [*(e for e in entries if e.module != score.module), *equivalent]
    PAGE.write_text(page(text, scores, entries))


def read_page(text: str) -> tuple[list[Score], list[Equivalent]]:
    """The two tables of a page."""
    scores = [Score(module, *map(int, numbers)) for module, *numbers in _SCORE.findall(text)]
    entries = [
        Equivalent(module, int(line), _uncode(before), *_read_after(after, reason))
        for module, line, before, after, reason in _ENTRY.findall(text)
    ]
    return scores, entries


def _read_after(cell: str, reason: str) -> tuple[str | None, str, int]:
    if cell.startswith("any of "):
        return None, reason, int(cell.removeprefix("any of "))
    return "" if cell == "lost" else _uncode(cell), reason, 1


def page(text: str, scores: list[Score], entries: list[Equivalent]) -> str:
    """The page with these tables in place of its own; the contract's modules come first."""
    head = text.partition("## Scores")[0]
    ordered = sorted(scores, key=lambda s: (s.module not in CONTRACT, s.module))
    rows = [_row(f"`{score.module}`", score) for score in ordered]
    total = Score("", *(sum(column) for column in zip(*(attrs.astuple(s)[1:] for s in scores), strict=True)))
    listed = sorted(entries, key=lambda e: (e.module not in CONTRACT, e.module, e.line, e.after or ""))
    return (
        f"{head}{_SCORES}{''.join(rows)}{_row('all', total)}\n"
        f"{_EQUIVALENT}{''.join(_entry(e) for e in listed)}"
    )


def percentage(score: Score) -> str:
    """Killed out of those that can be, rounded down so that only all are 100 %; "-" where none can."""
    able = score.tried - score.equivalent
    return f"{1000 * score.killed // able / 10:.1f} %" if able else "-"


def _row(name: str, s: Score) -> str:
    cells = (name, s.mutants, s.tried, s.killed, s.survived, s.equivalent, percentage(s))
    return f"| {' | '.join(map(str, cells))} |\n"


def _entry(e: Equivalent) -> str:
    after = f"any of {e.count}" if e.after is None else _code(e.after) if e.after else "lost"
    return f"| `{e.module}:{e.line}` | {_code(e.before)} | {after} | {e.reason} |\n"


def _code(text: str) -> str:
    return "`` " + text.replace("|", "\\|") + " ``"


def _uncode(text: str) -> str:
    return text[3:-3].replace("\\|", "|")
