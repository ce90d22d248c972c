"""Recorded nodes over time: a proxy that stood still persists in its fault, healthy moments have none."""

import shutil
from pathlib import Path

import pytest

from tests.oracle.history.kept import Json, ask

DUMPS = Path(__file__).parents[2] / "dumps"

Capture = pytest.CaptureFixture[str]


def before_and_after(folder: Path, mode: str) -> None:
    """The bundle of a proxy that was stopped on node-a, once with the objects that its rules fit."""
    for name in ("1", "2"):
        shutil.copytree(DUMPS / f"stale-pod-unready.{mode}", folder / name)
        for node in ("node-b", "node-c"):
            shutil.rmtree(folder / name / "nodes" / node)
    (folder / "1" / "cluster-before.json").replace(folder / "1" / "cluster.json")


@pytest.mark.parametrize(
    ("mode", "ordered_by"), [("iptables", "header-times"), ("nftables", "resource-versions")]
)
def test_a_proxy_that_stands_still_while_a_pod_becomes_unready(
    tmp_path: Path, capsys: Capture, mode: str, ordered_by: str
) -> None:
    """The rules of both moments are the same ones, so they fit the first moment alone."""
    before_and_after(tmp_path, mode)

    status, [history] = ask(capsys, tmp_path)

    assert (status, history["ordered_by"]) == (1, ordered_by)
    assert [dump["report"]["verdict"] for dump in history["dumps"]] == ["conforms", "differs"]
    changes = {
        (one["kind"], one["text"].partition(" became ")[2]) for one in history["between"][0]["changes"]
    }
    assert changes == {("endpoint-changed", "unready (was ready)")}
    courses = {(one["course"], one["kind"], one["spells"][0]["began"]) for one in history["differences"]}
    assert courses == {("persists", "ineligible-target", "objects-changed")}


def test_healthy_histories_conform_at_every_moment(recorded: Path, capsys: Capture) -> None:
    """Three nodes in two modes, before and after: what changed is told, and nothing was ever wrong."""
    folders = sorted((recorded / "real").glob("history-*"))

    assert folders
    for folder in folders:
        status, histories = ask(capsys, folder)
        assert (status, len(histories)) == (0, 6), folder
        for history in histories:
            assert faultless(history), (folder, history["node"], history["mode"])


def faultless(history: Json) -> bool:
    names = [dump["name"].partition(".")[0] for dump in history["dumps"]]
    told = [change["kind"] for change in history["between"][0]["changes"]]
    return names == ["before", "after"] and history["differences"] == [] and bool(told)
