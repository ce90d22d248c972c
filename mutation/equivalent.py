"""What a reader found about the mutants that no test kills, with reasons.

Those that cannot be killed, because nothing that they change can be seen, stand in
equivalent.toml; those that could, and why they are left so, in unnoticed.toml. Each is one
table: `module`, `before` and `after` (the first line that changes, as `Mutant` has it;
`after` may be left out, for every fault of that line) and `reason`.
"""

import tomllib
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from mutation.mutants import Mutant
from mutation.report import Equivalent

_REVIEWED = Path(__file__).with_name("equivalent.toml")
_LEFT = Path(__file__).with_name("unnoticed.toml")


@cache
def _reasons(file: Path) -> dict[tuple[str, str, str | None], str]:
    tables = tomllib.loads(file.read_text()).get("mutant", [])
    return {(t["module"], t["before"], t.get("after")): t["reason"] for t in tables}


def why_left(path: str, mutant: Mutant) -> str:
    """The reason for leaving a fault unnoticed, "" where nobody has looked at it."""
    known = _reasons(_LEFT)
    return known.get((path, mutant.before, mutant.after)) or known.get((path, mutant.before, None), "")


def reviewed(path: str, survived: Sequence[Mutant]) -> tuple[tuple[Equivalent, ...], tuple[Mutant, ...]]:
    """The survivors parted into those known to be equivalent, with reasons, and the others."""
    found: dict[tuple[int, str, str | None], Equivalent] = {}
    others = []
    for mutant in survived:
        for after in (mutant.after, None):
            reason = _reasons(_REVIEWED).get((path, mutant.before, after))
            if reason:
                key = (mutant.line, mutant.before, after)
                count = found[key].count + 1 if key in found else 1
                found[key] = Equivalent(path, mutant.line, mutant.before, after, reason, count)
                break
        else:
            others.append(mutant)
    return tuple(found.values()), tuple(others)
