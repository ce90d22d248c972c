"""The page that says which bugs of the past are seen names each of them, and tests that show it."""

import json
import re
from pathlib import Path

from oracle.findings import Kind

ROOT = Path(__file__).parents[2]
ROW = re.compile(
    r"\| (?P<id>BZ-\d\d)(?P<star> ★)? \| (?P<what>[^|]+) \| (?P<versions>[^|]+) \| (?P<seen>\w+)"
    r" \| (?P<how>[^|]+) \| (?:\[`(?P<name>\w+)`\]\(\.\./(?P<path>[\w/.]+)\))? ?\|"
)
LIST = re.compile(r"^\| (BZ-\d\d)( ★)? \|", re.MULTILINE)
PAGE = (ROOT / "docs/bugs.md").read_text(encoding="utf-8")
LINES = [line for line in PAGE.splitlines() if line.startswith("| BZ-")]


def rows() -> list[re.Match[str]]:
    found = [ROW.fullmatch(line) for line in LINES]
    assert [line for line, row in zip(LINES, found, strict=True) if row is None] == []
    return [row for row in found if row is not None]


def test_every_bug_of_the_list_has_its_row() -> None:
    listed = LIST.findall((ROOT / "docs/rules/bugs.md").read_text(encoding="utf-8"))

    assert len(listed) == 66
    assert listed == [(row["id"], row["star"] or "") for row in rows()]


def test_the_page_counts_its_rows() -> None:
    for seen in ("check", "model", "no"):
        count = sum(row["seen"] == seen for row in rows())

        assert re.search(rf"^- \*\*{seen}\*\*: .*\({count}(?: of 66)?\)[.]$", PAGE, re.MULTILINE)
    assert {row["seen"] for row in rows()} == {"check", "model", "no"}


def test_what_is_seen_has_a_test_that_is_there() -> None:
    for row in rows():
        assert row["name"] or row["seen"] == "no", f"{row['id']} names no test"
        if row["name"]:
            text = (ROOT / row["path"]).read_text(encoding="utf-8")
            assert f"def {row['name']}(" in text, f"{row['id']}: {row['path']} has no {row['name']}"


def test_what_comes_as_a_dump_is_what_has_a_star() -> None:
    dumps = {path.name[:5] for path in (ROOT / "tests/dumps/bugs").iterdir() if path.is_dir()}

    assert dumps == {row["id"] for row in rows() if row["star"]}


def kinds_of(row: re.Match[str]) -> set[str]:
    """The kinds of finding that a row names; commands in code quotes are other words."""
    return set(re.findall(r"`([a-z]+(?:-[a-z]+)+)`", row["how"]))


def test_a_row_that_check_sees_names_the_kinds_of_its_findings_or_a_warning() -> None:
    known = {kind.value for kind in Kind}

    for row in rows():
        assert kinds_of(row) <= known, row["id"]
        assert row["seen"] != "check" or kinds_of(row) or "warning" in row["how"], row["id"]


def test_a_row_with_a_star_names_what_its_dumps_are_found_by() -> None:
    expected = {
        path.parent.name[:5]: {
            one["kind"]
            for found in json.loads(path.read_text(encoding="utf-8"))["findings"].values()
            for one in found
        }
        for path in (ROOT / "tests/dumps/bugs").glob("*/expected.json")
    }

    assert expected == {row["id"]: kinds_of(row) for row in rows() if row["star"]}
