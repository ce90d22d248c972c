"""One recorded case, and what a replay says of it."""

from collections.abc import Callable, Mapping
from typing import Any

import attrs

Case = Mapping[str, Any]
"""One line of a table: JSON with at least `id` (kind/table/number)."""


@attrs.frozen
class Mismatch(Exception):
    """The model answers otherwise than the recording; `what` shows both."""

    what: str

    def __str__(self) -> str:
        return self.what


@attrs.frozen
class Inexpressible(Exception):
    """The case speaks of something outside the model; `why` says of what."""

    why: str

    def __str__(self) -> str:
        return self.why


Replay = Callable[[Case], None]
"""Plays one case: returns where model and recording agree, else raises one of the above."""


def same(expected: object, actual: object, of: str = "") -> None:
    """Raises Mismatch unless the recorded value and the model's are equal."""
    if expected != actual:
        raise Mismatch(f"{of + ': ' if of else ''}recorded {expected!r}, the model says {actual!r}")
