"""The catalogue lists every claim once, and docs/invariants.md is the catalogue."""

import importlib
import pkgutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import invariants
from invariants.catalogue import CATALOGUE, DNS, EVENTUAL, FLOW, NUMBER, PACKET, STATE, STEP, WORLDS
from invariants.invariant import Invariant, Kind, Violation

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
    listed: dict[Kind, tuple[Invariant[Callable[..., Violation | None]], ...]] = {
        Kind.STATE: STATE,
        Kind.STEP: STEP,
        Kind.EVENTUAL: EVENTUAL,
        Kind.NUMBER: NUMBER,
        Kind.PACKET: PACKET,
        Kind.WORLDS: WORLDS,
        Kind.FLOW: FLOW,
        Kind.DNS: DNS,
    }

    assert {kind: {claim.kind for claim in claims} for kind, claims in listed.items()} == {
        kind: {kind} for kind in Kind
    }
    assert [claim for claims in listed.values() for claim in claims] == list(CATALOGUE)


def test_claims_about_packets_say_of_which_modes_they_are() -> None:
    with_modes = {claim.kind for claim in CATALOGUE if claim.modes}
    without = {claim.kind for claim in CATALOGUE if not claim.modes}

    assert (with_modes, without) == (
        {Kind.PACKET, Kind.WORLDS, Kind.FLOW},
        {Kind.STATE, Kind.STEP, Kind.EVENTUAL, Kind.NUMBER, Kind.DNS},
    )


def test_the_catalogue_loads_without_a_solver_or_dns() -> None:
    heavy = {"z3", "hypothesis", "dns"}
    program = f"import invariants.catalogue, sys; print(sorted({heavy} & sys.modules.keys()))"

    result = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)

    assert (result.stdout, result.stderr) == ("[]\n", "")
