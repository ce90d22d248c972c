"""Every case of every recorded table gives its recorded result, or is listed by name with the reason."""

import json
from pathlib import Path

import attrs
import pytest

from tests.recorded_tables.case import Case, Inexpressible, Mismatch, Replay, same
from tests.recorded_tables.replays import replay_of, replays, tables

MOST_INEXPRESSIBLE = 0.05


@attrs.frozen
class Tally:
    """What became of the cases of one table."""

    table: str
    passed: int
    failed: tuple[str, ...]
    inexpressible: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"{self.table}: {self.passed} passed, {len(self.failed)} failed, "
            f"{len(self.inexpressible)} not expressible"
        )


def play(table: str, cases: list[Case], replay: Replay | None) -> Tally:
    """Plays every case of a table; a table that nothing plays is not expressible as a whole."""
    passed, failed, inexpressible = 0, [], []
    for case in cases:
        try:
            if replay is None:
                raise Inexpressible("nothing plays this table")
            replay(case)
            passed += 1
        except Inexpressible as reason:
            inexpressible.append(f"{case['id']}: {reason}")
        except Mismatch as difference:
            failed.append(f"{case['id']}: {difference}")
    return Tally(table, passed, tuple(failed), tuple(inexpressible))


def read(path: Path) -> list[Case]:
    return [json.loads(line) for line in path.read_text().splitlines() if line.strip()]


def test_every_recorded_case_gives_its_recorded_result(
    recorded: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """At most one case in twenty may be out of the model's reach, and each is named."""
    known = replays()
    tallies = [
        play(name, read(path), replay_of(name, known))
        for path in tables(recorded)
        for name in [path.relative_to(recorded).with_suffix("").as_posix()]
    ]

    with capsys.disabled():
        print("", *tallies, *(line for one in tallies for line in one.inexpressible), sep="\n")
    assert tallies, f"{recorded} holds no tables"
    failed = [line for one in tallies for line in one.failed]
    assert not failed
    cases = sum(one.passed + len(one.inexpressible) for one in tallies)
    assert sum(len(one.inexpressible) for one in tallies) <= MOST_INEXPRESSIBLE * cases


def test_a_wrong_answer_is_counted_as_failed() -> None:
    def wrong(case: Case) -> None:
        same(case["recorded"], 2)

    tally = play("tables/Any", [{"id": "tables/Any/1", "recorded": 1}], wrong)

    assert tally == Tally("tables/Any", 0, ("tables/Any/1: recorded 1, the model says 2",), ())


def test_a_table_that_nothing_plays_counts_as_not_expressible() -> None:
    tally = play("tables/Other", [{"id": "tables/Other/1"}], replay_of("tables/Other", {"tables/Any": print}))

    assert tally.inexpressible == ("tables/Other/1: nothing plays this table",)


def test_the_longest_matching_beginning_plays_a_table() -> None:
    def broad(case: Case) -> None: ...
    def narrow(case: Case) -> None: ...

    assert narrow is replay_of("controllers/endpointsSync", {"controllers": broad, "controllers/end": narrow})
