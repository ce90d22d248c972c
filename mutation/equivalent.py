"""The mutants that no test can kill, because nothing that they change can be seen: reviewed, with reasons.

They stand in equivalent.toml, one table each: `module`, `before` and `after` (the first
line that changes, as `Mutant` has it; `after` may be left out, for every fault of that
line) and `reason`.
"""

import tomllib
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from mutation.mutants import Mutant
from mutation.report import Equivalent

_REVIEWED = Path(__file__).with_name("equivalent.toml")


@cache
def _reviewed() -> dict[tuple[str, str, str | None], str]:
    tables = tomllib.loads(_REVIEWED.read_text()).get("mutant", [])
    return {(t["module"], t["before"], t.get("after")): t["reason"] for t in tables}


def reviewed(path: str, survived: Sequence[Mutant]) -> tuple[tuple[Equivalent, ...], tuple[Mutant, ...]]:
    """The survivors parted into those known to be equivalent, with reasons, and the others."""
    found: dict[tuple[int, str, str | None], Equivalent] = {}
    others = []
    for mutant in survived:
        for after in (mutant.after, None):
            reason = _reviewed().get((path, mutant.before, after))
            if reason:
                key = (mutant.line, mutant.before, after)
                count = found[key].count + 1 if key in found else 1
                found[key] = Equivalent(path, mutant.line, mutant.before, after, reason, count)
                break
        else:
            others.append(mutant)
    return tuple(found.values()), tuple(others)
