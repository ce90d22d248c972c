"""No means of trying a claim is listed without a test in which a fault is noticed by it.

Such a test carries the marker `bites`, which `tests.invariants.biting` collects.
"""

import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

from invariants.tried import Means
from oracle.report.invariants_list import claims

ROOT = Path(__file__).parents[2]


@cache
def biting() -> frozenset[tuple[str, str]]:
    """Each claim and means of which some test shows that a fault is noticed."""
    command = [sys.executable, "-m", "tests.invariants.biting"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return frozenset((id, means) for id, means in json.loads(run.stdout))


def test_every_claim_notices_a_fault_by_each_of_its_means() -> None:
    claimed = {
        (claim.id, means.value)
        for claim in claims()
        if claim.id.startswith("INV")
        for means in Means
        if any(tried.startswith(f"{means.value}: ") for tried in claim.tried)
    }

    assert sorted(claimed - biting()) == []


def test_every_refuted_claim_that_is_put_to_a_solver_is_true_of_some_other_model() -> None:
    """Else its witness would be found whatever the model is."""
    asked = {claim.id for claim in claims() if any(tried.startswith("refuted: ") for tried in claim.tried)}

    assert sorted(asked - {id for id, means in biting() if means == "proved"}) == []


def test_no_test_is_marked_with_other_means() -> None:
    assert {means for _, means in biting()} == {means.value for means in Means}


def test_means_are_listed_for_every_claim() -> None:
    untried = [claim.id for claim in claims() if not re.search("^drawn: ", claim.tried[0])]

    assert untried == []
