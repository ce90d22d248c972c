"""Which claims notice a fault by which means: `python -m tests.invariants.biting` prints it as JSON.

A test says so by the marker `bites(means, *ids)`. The claims are those that the marker names,
or else those in the test's name and parameters (`test_inv_57_...`, `[INV-57: ...]`).
Tests are collected and not run.
"""

import contextlib
import io
import json
import re
import sys

import pytest

LISTED = ("tests/invariants", "tests/model/cluster/test_wrong_machines.py")


class Bites:
    """The pairs of claim and means that collected tests are marked with."""

    def __init__(self) -> None:
        self.pairs: set[tuple[str, str]] = set()

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        for item in session.items:
            for marker in item.iter_markers("bites"):
                means, *ids = marker.args
                self.pairs.update((id, means) for id in ids or _named(item))


def _named(item: pytest.Item) -> set[str]:
    callspec = getattr(item, "callspec", None)
    words = [item.name, *(str(value) for value in (callspec.params.values() if callspec else ()))]
    found = re.findall(r"(inv|neg)[-_](\d\d)", " ".join(words), re.IGNORECASE)
    return {f"{kind.upper()}-{number}" for kind, number in found}


def main() -> int:
    bites = Bites()
    with contextlib.redirect_stdout(io.StringIO()) as told:
        status = pytest.main(["--collect-only", "-q", "-n0", "-m", "bites", *LISTED], plugins=[bites])
    print(told.getvalue() if status else json.dumps(sorted(bites.pairs)))
    return int(status)


if __name__ == "__main__":
    sys.exit(main())
