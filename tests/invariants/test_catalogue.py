"""The catalogue lists every claim once, and docs/invariants.md is what the command lists."""

import importlib
import pkgutil
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import invariants
from invariants.catalogue import CATALOGUE, DNS, EVENTUAL, FLOW, NUMBER, PACKET, STATE, STEP, WORLDS
from invariants.invariant import Invariant, Kind, Violation
from oracle.report.invariants_list import claims, claims_markdown

ROOT = Path(__file__).parents[2]


def test_the_page_is_what_the_command_lists() -> None:
    """`svcproof invariants --format markdown` writes the table of docs/invariants.md."""
    lines = (ROOT / "docs" / "invariants.md").read_text().splitlines()

    wanted = list(claims_markdown(claims()))
    at = lines.index(wanted[0])
    assert lines[at : at + len(wanted) + 1] == [*wanted, ""]


def test_every_claim_of_the_rules_is_listed_once_in_their_order() -> None:
    rules = (ROOT / "docs" / "rules" / "07-invariants.md").read_text()

    listed = [claim.id for claim in claims()]
    assert listed == re.findall(r"^\| ((?:INV|NEG)-\d\d) \|", rules, re.MULTILINE)


def test_a_claim_is_proved_if_a_proof_of_it_is_not_a_refutation() -> None:
    by_id = {claim.id: claim for claim in claims()}

    assert [by_id[id].status for id in ("INV-01", "INV-19", "NEG-02", "NEG-04")] == [
        "tried",
        "proved",
        "refuted",
        "refuted",
    ]
    assert by_id["INV-19"].tried == (
        "drawn: states of histories",
        "proved: inductive",
        "refuted beyond its terms: bounded",
        "on dumps: objects of recorded clusters",
    )
    assert by_id["NEG-04"].tried == ("drawn: short histories, until one breaks it",)


def test_a_claim_says_where_it_holds() -> None:
    by_id = {claim.id: claim.where for claim in claims()}

    assert [by_id[id] for id in ("INV-18", "INV-35", "NEG-02", "NEG-17")] == [
        "Kubernetes, 1.36",
        "kube-proxy, iptables and nftables mode, 1.26 to 1.36",
        "kube-proxy, iptables mode, 1.36",
        "Kubernetes, 1.36",
    ]


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
