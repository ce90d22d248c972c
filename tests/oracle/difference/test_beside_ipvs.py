"""A node in ipvs mode beside its like in another mode: every difference is a mode's, none a departure."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from oracle.cli import run
from tests.oracle.ipvs_nodes import DUMPS, bundle_of, texts_of, written

Capture = pytest.CaptureFixture[str]
CASES = ("nodeport", "etp-local-lb", "no-endpoints")
OWN_JUMP = '-A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING\n'


def ipvs_bundle(case: str, to: Path) -> Path:
    """The recorded cluster, on nodes whose kube-proxy runs in ipvs mode."""
    bundle = bundle_of(case)
    assert bundle.cluster is not None
    shutil.copytree(DUMPS / f"{case}.iptables", to)
    for one in bundle.nodes:
        folder = to / "nodes" / one.name
        for name, text in texts_of(written(bundle.cluster, one)).items():
            (folder / name).write_text(text)
        for file in folder.glob("*proxy-config*"):
            file.write_text(file.read_text().replace("mode: iptables", "mode: ipvs"))
    return to


def answered(capsys: Capture, *arguments: str | Path) -> dict[str, Any]:
    run([*map(str, arguments), "--format", "json"])
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


def differences(capsys: Capture, *arguments: str | Path) -> list[dict[str, Any]]:
    nodes = answered(capsys, "diff", *arguments)["nodes"]
    assert nodes != []
    assert [] == [line for node in nodes for line in node["unsupported"]]
    return [one for node in nodes for one in node["differences"]]


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("other", ["nftables", "iptables"])
def test_dumps_of_ipvs_and_another_mode_part_by_modes_alone(
    case: str, other: str, tmp_path: Path, capsys: Capture
) -> None:
    """Either way round."""
    ours, theirs = ipvs_bundle(case, tmp_path / "ipvs"), DUMPS / f"{case}.{other}"

    found = [*differences(capsys, ours, theirs), *differences(capsys, theirs, ours)]

    causes = {kind for one in found for kind in one["cause"]["kinds"]}

    assert causes == {"mode"}
    assert [] == [one for one in found if not one["cites"]]


@pytest.mark.parametrize("case", CASES)
def test_a_dump_of_ipvs_mode_is_what_the_mode_does(case: str, tmp_path: Path, capsys: Capture) -> None:
    """What the mode's rules do beside its contract is none of the differences."""
    ours = ipvs_bundle(case, tmp_path / "ipvs")

    assert [] == differences(capsys, ours, "mode:ipvs")
    assert [] == differences(capsys, ours, ours)


def test_an_endpoint_that_reaches_itself_directly_is_rewritten_by_the_mode(
    tmp_path: Path, capsys: Capture
) -> None:
    """MODE-21: KUBE-LOOP-BACK asks for the endpoint as source and destination, and for no Service."""
    ours = ipvs_bundle("nodeport", tmp_path / "ipvs")

    found = differences(capsys, ours, DUMPS / "nodeport.nftables", "--node", "node-a")

    (itself,) = [one for one in found if one["destinations"] == ["10.244.0.10"]]
    assert (["mode"], ["MODE-21"], []) == (
        itself["cause"]["kinds"],
        itself["cites"],
        itself["cause"]["departs"],
    )
    assert ("left alone, source replaced", "left alone, source kept") == (itself["from"], itself["to"])


def test_another_owners_rewriting_is_not_the_modes(tmp_path: Path, capsys: Capture) -> None:
    """Only sources that the mode's own rules may rewrite are laid to it."""
    ours = ipvs_bundle("nodeport", tmp_path / "ipvs")
    file = ours / "nodes" / "node-a" / "iptables-save"
    text = file.read_text()
    assert OWN_JUMP in text
    theirs = "-A POSTROUTING -d 10.244.0.10/32 -p tcp -m tcp --dport 8080 -j MASQUERADE\n"
    file.write_text(text.replace(OWN_JUMP, OWN_JUMP + theirs))

    found = differences(capsys, ours, DUMPS / "nodeport.nftables", "--node", "node-a")

    at_pod = [one for one in found if one["destinations"] == ["10.244.0.10"]]
    assert {("mode",), ("others",)} == {tuple(one["cause"]["kinds"]) for one in at_pod}


@pytest.mark.parametrize("to", ["nftables", "iptables"])
def test_a_migration_from_ipvs_leaves_nothing_unexplained(to: str, tmp_path: Path, capsys: Capture) -> None:
    """MODE-04: the Services' addresses leave the node; the present rules are what they should be."""
    answer = answered(capsys, "migrate", ipvs_bundle("nodeport", tmp_path / "ipvs"), "--to", to)

    assert {"ipvs"} == {node["from"] for node in answer["nodes"]}
    assert {0} == {node["unexplained"] for node in answer["nodes"]}
    assert "kube-ipvs0" in {item["topic"] for item in answer["items"]}
    assert "present-rules" not in {item["topic"] for item in answer["items"]}
