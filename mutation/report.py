"""docs/mutation.md: the score of each module, and each fault that no test noticed, with why.

A run replaces the rows of its own modules and keeps the others, so that one module can
be judged again alone. Rows of modules that are gone go too.
"""

import re
from collections.abc import Sequence
from pathlib import Path

import attrs

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "mutation.md"
CONTRACT = ("model/forwarding.py", "model/modes.py", "model/eligibility.py")

_SCORES = (
    "## Scores\n\n| module | mutants | tried | killed | survived | equivalent | score |\n"
    "|---|--:|--:|--:|--:|--:|--:|\n"
)
_SURVIVORS = "## Not noticed\n\n| where | line | with the fault | why it stands |\n|---|---|---|---|\n"
_EQUIVALENT = (
    "## Equivalent mutants\n\n| where | line | with the fault | why nothing can tell |\n|---|---|---|---|\n"
)
_NEW = "## New since\n\nModules that have not been tried yet:\n\n"
_SCORE = re.compile(r"^\| `(model/\S+\.py)` \| (\d+) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \| [^|]* \|$", re.M)
_SURVIVOR = re.compile(
    r"^\| `(model/\S+\.py):(\d+)` \| (`` .*? ``) \| (`` .*? ``|lost) \| ([^`].*|) ?\|$", re.M
)
_ENTRY = re.compile(
    r"^\| `(model/\S+\.py):(\d+)` \| (`` .*? ``) \| (`` .*? ``|lost|any of \d+) \| ([^`].*) \|$", re.M
)
_NEW_MODULE = re.compile(r"^- `(model/\S+\.py)`$", re.M)


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


@attrs.frozen
class Survivor:
    """A mutant that no test noticed, not known to be equivalent; `after` is "" where the line is lost.

    `reason` says why it is left so, "" until somebody has looked.
    """

    module: str
    line: int
    before: str
    after: str
    reason: str = ""


@attrs.frozen
class Page:
    """What docs/mutation.md says below its introduction; `new` are modules without a score."""

    scores: tuple[Score, ...]
    survivors: tuple[Survivor, ...]
    equivalent: tuple[Equivalent, ...]
    new: tuple[str, ...] = ()


def written(score: Score, survivors: tuple[Survivor, ...], equivalent: tuple[Equivalent, ...]) -> None:
    """Puts one module's results into the page, in place of its earlier ones."""
    text = PAGE.read_text()
    old = read_page(text)
    kept = {s.module for s in old.scores if (ROOT / s.module).exists()} - {score.module}
    now = Page(
        (*(s for s in old.scores if s.module in kept), score),
        (*(s for s in old.survivors if s.module in kept), *survivors),
        (*(e for e in old.equivalent if e.module in kept), *equivalent),
        tuple(module for module in old.new if module != score.module),
    )
    PAGE.write_text(page(text, now))


def read_page(text: str) -> Page:
    """The tables of a page."""
    others, _, equivalent = text.partition("## Equivalent mutants")
    return Page(
        tuple(Score(module, *map(int, numbers)) for module, *numbers in _SCORE.findall(others)),
        tuple(
            Survivor(
                module, int(line), _uncode(before), "" if after == "lost" else _uncode(after), why.strip()
            )
            for module, line, before, after, why in _SURVIVOR.findall(others)
        ),
        tuple(
            Equivalent(module, int(line), _uncode(before), *_read_after(after, reason))
            for module, line, before, after, reason in _ENTRY.findall(equivalent)
        ),
        tuple(_NEW_MODULE.findall(text)),
    )


def _read_after(cell: str, reason: str) -> tuple[str | None, str, int]:
    if cell.startswith("any of "):
        return None, reason, int(cell.removeprefix("any of "))
    return "" if cell == "lost" else _uncode(cell), reason, 1


def page(text: str, tables: Page) -> str:
    """The text with these tables in place of its own; the contract's modules come first."""
    head = text.partition("## Scores")[0]
    scores = sorted(tables.scores, key=lambda s: (s.module not in CONTRACT, s.module))
    rows = [_row(f"`{score.module}`", score) for score in scores]
    survivors = sorted(tables.survivors, key=lambda s: (s.module, s.line, s.after))
    entries = sorted(
        tables.equivalent, key=lambda e: (e.module not in CONTRACT, e.module, e.line, e.after or "")
    )
    new = [f"- `{module}`\n" for module in sorted(tables.new)]
    return (
        f"{head}{_SCORES}{''.join(rows)}{_row('all', total(scores))}\n"
        f"With each module's score weighted by how many mutants it has: {estimate(scores):.1f} %.\n\n"
        f"{_SURVIVORS}{''.join(map(_survivor, survivors))}\n"
        f"{_EQUIVALENT}{''.join(map(_entry, entries))}" + (f"\n{_NEW}{''.join(new)}" if new else "")
    )


def total(scores: Sequence[Score]) -> Score:
    """The sums of each column."""
    return Score(
        "all", *(sum(column) for column in zip(*(attrs.astuple(s)[1:] for s in scores), strict=True))
    )


def estimate(scores: Sequence[Score]) -> float:
    """The percentage to be expected had all mutants been tried: a sample speaks for its whole module."""
    able = [(s.mutants, s.killed / (s.tried - s.equivalent)) for s in scores if s.tried > s.equivalent]
    return 100 * sum(mutants * killed for mutants, killed in able) / sum(mutants for mutants, _ in able)


def percentage(score: Score) -> str:
    """Killed out of those that can be, rounded down so that only all are 100 %; "-" where none can."""
    able = score.tried - score.equivalent
    return f"{1000 * score.killed // able / 10:.1f} %" if able else "-"


def _row(name: str, s: Score) -> str:
    cells = (name, s.mutants, s.tried, s.killed, s.survived, s.equivalent, percentage(s))
    return f"| {' | '.join(map(str, cells))} |\n"


def _survivor(s: Survivor) -> str:
    after = _code(s.after) if s.after else "lost"
    return f"| `{s.module}:{s.line}` | {_code(s.before)} | {after} | {s.reason} |\n"


def _entry(e: Equivalent) -> str:
    after = f"any of {e.count}" if e.after is None else _code(e.after) if e.after else "lost"
    return f"| `{e.module}:{e.line}` | {_code(e.before)} | {after} | {e.reason} |\n"


def _code(text: str) -> str:
    return "`` " + text.replace("|", "\\|") + " ``"


def _uncode(text: str) -> str:
    return text[3:-3].replace("\\|", "|")
