"""`svcproof prove` and `svcproof invariants`: what they print, and their exit status."""

import json
import re
from pathlib import Path

import pytest
import z3  # type: ignore[import-untyped]  # the package has no type information

from invariants.catalogue import CATALOGUE
from invariants.prove import catalogue
from invariants.prove.catalogue import PROOFS
from invariants.prove.query import Method, Proof, Query
from invariants.refuted import REFUTED
from oracle.cli import run
from oracle.report.prove_text import proofs_table

ROOT = Path(__file__).parents[3]


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    status = run(arguments)
    out, err = capsys.readouterr()
    return status, out, err


def test_a_proved_and_a_refuted_claim_are_status_0(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = said(capsys, "prove", "INV-41", "neg-03")

    heads = [line.rpartition("  ")[0] for line in out.splitlines() if line[:1] in "IN"]
    assert (status, err) == (0, "")
    assert heads == ["INV-41  PROVED  unbounded", "NEG-03  REFUTED  bounded"]
    assert "witness FWD-" in out
    assert out.endswith("1 proved, 1 false ones refuted, 0 not as expected\n")


def with_proofs(monkeypatch: pytest.MonkeyPatch, goal: bool, *, refuted: bool) -> None:
    query = Query("a question", (), z3.BoolVal(goal), show=lambda _: "a witness")
    proof = Proof("INV-41", Method.EXHAUSTIVE, "nobody", lambda: (query,), refuted=refuted)
    monkeypatch.setattr(catalogue, "PROOFS", (proof,))


def test_a_proof_that_fails_is_status_1(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with_proofs(monkeypatch, goal=False, refuted=False)

    status, out, _ = said(capsys, "prove")

    assert status == 1
    assert "INV-41  REFUTED  NOT AS EXPECTED (proved)" in out
    assert "  witness a witness" in out


def test_a_false_claim_without_a_witness_is_status_1(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with_proofs(monkeypatch, goal=True, refuted=True)

    status, out, _ = said(capsys, "prove", "--format", "json")

    (found,) = json.loads(out)["proofs"]
    assert status == 1
    assert (found["expected"], found["outcome"], found["as_expected"]) == ("refuted", "proved", False)


def test_an_unknown_id_is_status_2_and_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = said(capsys, "prove", "INV-41", "INV-100")

    assert (status, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("svcproof: ID: no proof of INV-100; there are: ")


def test_json_says_all_that_text_does(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = said(capsys, "prove", "NEG-12", "--format", "json")

    answer = json.loads(out)
    (found,) = answer["proofs"]
    assert (status, answer["version"]) == (0, 1)
    assert found | {"seconds": 0} == {
        "id": "NEG-12",
        "part": "",
        "claim": "A Service of type LoadBalancer has node ports.",
        "method": "exhaustive over facts",
        "scope": "a Service that the API server stores",
        "why": "",
        "expected": "refuted",
        "outcome": "refuted",
        "as_expected": True,
        "seconds": 0,
        "query": "node port",
        "witness": "type LoadBalancer, has an external policy, allocateLoadBalancerNodePorts is false",
    }


def test_queries_are_written_out(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    folder = tmp_path / "queries"

    status, _, _ = said(capsys, "prove", "INV-42", "--smt2", str(folder))

    names = sorted(path.name for path in folder.iterdir())
    text = (folder / "INV-42-01.smt2").read_text()
    assert status == 0
    assert names == [f"INV-42-0{at}{part}.smt2" for at in (1, 2) for part in ("-premises", "")]
    assert text.startswith("; local (contract)\n(set-logic ALL)\n(set-info :status unsat)\n")
    assert text.endswith("(check-sat)\n")


def test_a_folder_that_cannot_be_made_is_status_2(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    status, out, err = said(capsys, "prove", "INV-42", "--smt2", str(tmp_path / "file"))

    assert (status, out, err.count("\n")) == (2, "", 1)


@pytest.mark.parametrize("form", ["text", "markdown", "json"])
def test_the_list_has_every_claim_and_every_proof(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = said(capsys, "invariants", "--format", form)

    wanted = (
        {claim.id for claim in CATALOGUE} | {claim.id for claim in REFUTED} | {proof.id for proof in PROOFS}
    )
    assert (status, err) == (0, "")
    assert {id for id in wanted if id in out} == wanted


def test_the_list_says_how_a_claim_is_tried(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = said(capsys, "invariants", "--format", "json")

    by_id = {one["id"]: one for one in json.loads(out)["invariants"]}
    assert by_id["INV-36"]["tried"] == [
        "drawn: clusters and packets",
        "proved: unbounded",
        "on dumps: rules of recorded nodes",
    ]
    assert by_id["INV-36"]["modes"] == ["iptables", "nftables"]
    assert by_id["INV-19"]["assumption"].startswith("No ExternalName Service")
    assert by_id["NEG-02"] | {"sentence": ""} == {
        "id": "NEG-02",
        "kind": "",
        "sentence": "",
        "status": "refuted",
        "modes": ["iptables"],
        "versions": "1.36",
        "assumption": "",
        "source": ["FWD-ETP-02", "FWD-ETP-03"],
        "tried": ["drawn: short histories, until one breaks it", "refuted: bounded"],
    }


def test_the_list_ends_with_how_many_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = said(capsys, "invariants")

    assert re.fullmatch(r"98 claims: \d+ proved, \d+ tried, 17 refuted", out.splitlines()[-1])


def test_the_page_lists_the_proofs() -> None:
    """`svcproof prove --list` writes the table of docs/proofs.md."""
    lines = (ROOT / "docs" / "proofs.md").read_text().splitlines()

    wanted = list(proofs_table(PROOFS))
    at = lines.index(wanted[0])
    assert lines[at : at + len(wanted)] == wanted
    assert not any(line.startswith("|") for line in lines[at + len(wanted) : at + len(wanted) + 1])


def test_the_list_of_proofs_proves_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with_proofs(monkeypatch, goal=False, refuted=False)

    status, out, _ = said(capsys, "prove", "--list")

    (row,) = out.splitlines()[2:]
    assert status == 0
    assert row.startswith("| INV-41 | ")
    assert row.endswith(" | proved | exhaustive over facts | nobody |")
