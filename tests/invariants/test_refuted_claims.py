"""Every refuted claim is broken, in each way stated, by a small history that is found and replayed."""

import re
import subprocess
import sys
from pathlib import Path

import attrs
import pytest

from invariants.catalogue import CATALOGUE
from invariants.invariant import Violation
from invariants.refuted import REFUTED
from invariants.refuted.page import page
from model.cluster import events
from tests.invariants.hunts import BY_ID, HUNTS, Hunt
from tests.invariants.playing import Written, broken, played, told
from tests.strategies.scenes import (
    CLUSTER_IPS,
    HTTP,
    WEB,
    client_events,
    created,
    everybody_knows,
    opening,
    pod_address,
    pod_events,
)
from tests.strategies.scripts import a_packet, a_service
from tests.strategies.search import SMALLEST, found
from tests.test_docs import cited_ids

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("hunt", HUNTS, ids=lambda hunt: hunt.name)
def test_a_small_counterexample_is_found_and_breaks_the_claim_when_replayed(hunt: Hunt) -> None:
    history = found(hunt.drawn.map(Written), hunt.is_met_by, SMALLEST)

    steps = played(history)
    violation = broken(BY_ID[hunt.id], steps)
    text = told(BY_ID[hunt.id], steps)
    print(text)
    assert isinstance(violation, Violation)
    assert len(history) <= hunt.most
    assert [words for words in hunt.says if words not in text] == []
    assert text.endswith(f"so: {violation.what}")


def test_each_way_in_which_a_claim_fails_has_a_search_of_its_own() -> None:
    ways = [(claim.id, at) for claim in REFUTED for at in range(len(claim.breaks))]

    assert ways == [(hunt.id, hunt.at) for hunt in HUNTS]


def test_the_rows_that_decide_a_counterexample_are_among_what_breaks_the_claim() -> None:
    """But for the plain row by which everything for a cluster IP is sent on."""
    stray = {
        (hunt.id, rule)
        for hunt in HUNTS
        for rule in {*hunt.cites} - {"FWD-CIP-01"} - {*BY_ID[hunt.id].breaks[hunt.at].rules}
    }

    assert stray == set()


def test_every_refuted_claim_of_the_rules_is_there_in_their_order() -> None:
    rules = (ROOT / "docs" / "rules" / "07-invariants.md").read_text()

    assert [claim.id for claim in REFUTED] == re.findall(r"^\| (NEG-\d\d) \|", rules, re.MULTILINE)


def test_every_rule_that_the_list_names_as_breaking_a_claim_is_named_here() -> None:
    """Rules of modes that are not modelled are named where the claim says what it awaits."""
    rules = (ROOT / "docs" / "rules" / "07-invariants.md").read_text()
    listed = re.findall(r"^\| (NEG-\d\d) \|.*\|([^|]*)\|$", rules, re.MULTILINE)

    missing = {
        (id, rule)
        for id, why in listed
        for rule in cited_ids(why) - {*BY_ID[id].broken_by} - cited_ids(BY_ID[id].awaits)
    }

    assert missing == set()
    assert len(listed) == len(REFUTED)


def test_a_plain_history_breaks_no_claim_but_that_names_need_endpoints() -> None:
    """They are tempting: of a ready pod on the node and a cluster IP asked by a pod they are true."""
    port = attrs.evolve(HTTP, node_port=0)
    history = (
        *opening(),
        *created(a_service(WEB, port, type="ClusterIP", cluster_ip=CLUSTER_IPS["IPv4"])),
        *pod_events(0, "node-a", "ready"),
        *client_events("node-a"),
        *everybody_knows(),
        events.Send("node-a", a_packet(pod_address("node-a", 99), CLUSTER_IPS["IPv4"], 80), 40000),
    )

    steps = played(history)
    assert {"NEG-10"} == {claim.id for claim in REFUTED if broken(claim, steps) is not None}
    assert [step.event for step in steps if step.is_refused] == []


def test_no_claim_is_both_claimed_and_refuted() -> None:
    claimed = {claim.sentence for claim in CATALOGUE}

    assert claimed.isdisjoint(claim.sentence for claim in REFUTED)


def test_the_page_is_what_the_claims_say() -> None:
    assert (ROOT / "docs" / "refuted.md").read_text() == page()


def test_the_page_is_made_by_the_command_that_it_names() -> None:
    command = [sys.executable, "-m", "invariants.refuted.page"]

    made = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)

    assert made.stdout == page()


def test_refuted_claims_load_without_a_solver_or_dns() -> None:
    heavy = {"z3", "hypothesis", "dns"}
    program = f"import invariants.refuted, sys; print(sorted({heavy} & sys.modules.keys()))"

    result = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)

    assert (result.stdout, result.stderr) == ("[]\n", "")
