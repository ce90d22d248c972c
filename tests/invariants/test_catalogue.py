"""The catalogue lists every claim once, and docs/invariants.md is the catalogue."""

import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import invariants
from invariants.catalogue import CATALOGUE, FLOW, PACKET, STATE
from invariants.invariant import Invariant, Kind

ROOT = Path(__file__).parents[2]
HEAD = "| id | kind | claim | assumes | from | tried on |"


def documented() -> list[list[str]]:
    """The cells of each row of the page's table."""
    lines = (ROOT / "docs" / "invariants.md").read_text().splitlines()
    rows = lines[lines.index(HEAD) + 2 :]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows if row.startswith("| INV-")]


def test_the_page_says_what_the_catalogue_says() -> None:
    claimed = [
        [claim.id, claim.kind.value, claim.sentence, claim.assumption or "-", ", ".join(claim.source)]
        for claim in sorted(CATALOGUE, key=lambda claim: claim.id)
    ]

    assert [row[:5] for row in documented()] == claimed
    assert all(len(row) == 6 and row[5] for row in documented())


def test_every_claim_that_is_written_is_in_the_catalogue_once() -> None:
    written = [
        claim.id
        for found in pkgutil.iter_modules(invariants.__path__)
        if found.name != "catalogue"
        for claim in vars(importlib.import_module(f"invariants.{found.name}")).values()
        if isinstance(claim, Invariant)
    ]

    assert sorted(claim.id for claim in CATALOGUE) == sorted(written)
    assert len(set(written)) == len(written)


def test_claims_are_listed_under_their_kind() -> None:
    kinds = [{claim.kind for claim in listed} for listed in (STATE, PACKET, FLOW)]

    assert kinds == [{Kind.STATE}, {Kind.PACKET}, {Kind.FLOW}]


def test_claims_about_packets_say_of_which_modes_they_are() -> None:
    assert [bool(claim.modes) for claim in CATALOGUE] == [claim.kind is not Kind.STATE for claim in CATALOGUE]


def test_the_catalogue_loads_without_a_solver() -> None:
    program = "import invariants.catalogue, sys; print(sorted({'z3', 'hypothesis'} & sys.modules.keys()))"

    result = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)

    assert (result.stdout, result.stderr) == ("[]\n", "")
