"""Each bug of the past that comes with dumps is found in the bad ones, and the good ones are silent."""

import json
from pathlib import Path

import pytest

from oracle.bundle import read_bundle
from oracle.check import check_node
from oracle.findings import Difference, NodeReport, NodeVerdict

BUGS = Path(__file__).parent.parent / "dumps/bugs"
CASES = sorted(path for path in BUGS.iterdir() if path.is_dir())
GOOD = sorted(BUGS.glob("*/good*"))
BAD = sorted(BUGS.glob("*/bad*"))


def label(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def judged(folder: Path) -> NodeReport:
    bundle = read_bundle(str(folder))
    (node,) = bundle.nodes
    assert bundle.cluster is not None
    return check_node(node, bundle.cluster)


def findings(folder: Path) -> list[dict[str, str]]:
    expected = json.loads((folder.parent / "expected.json").read_text())["findings"]
    return [dict(one) for one in expected[folder.name]]


def is_told(expected: dict[str, str], found: Difference) -> bool:
    return (
        (found.kind.value, str(found.service_port or "")) == (expected["kind"], expected["service"])
        and expected["cites"] in found.cites
        and found.frontend.startswith(expected.get("frontend", ""))
        and ("line" not in expected or any(expected["line"] in line.text for line in found.lines))
    )


def test_fifteen_bugs_are_there_each_bad_and_good() -> None:
    assert len(CASES) == 15
    assert all((case / "good").is_dir() and (case / "bad").is_dir() for case in CASES)


@pytest.mark.parametrize("folder", GOOD, ids=label)
def test_a_node_without_the_bug_conforms(folder: Path) -> None:
    report = judged(folder)

    assert report.differences == ()
    assert report.verdict is NodeVerdict.CONFORMS


@pytest.mark.parametrize("folder", BAD, ids=label)
def test_the_bug_is_found_at_its_service_and_nothing_else(folder: Path) -> None:
    report = judged(folder)
    expected = findings(folder)

    assert sorted((one["kind"], one["service"]) for one in expected) == sorted(
        (one.kind.value, str(one.service_port or "")) for one in report.differences
    )
    assert [one for one in expected if not any(is_told(one, found) for found in report.differences)] == []
    assert report.verdict is NodeVerdict.DIFFERS


def test_a_table_that_is_frozen_is_told_as_one_cause() -> None:
    """BZ-32: fourteen Services are wrong, and the cause is one."""
    (whole,) = judged(BUGS / "BZ-32-frozen-table/bad").differences

    assert len(whole.also) == 14
    assert "one cause is likely" in whole.explanation
