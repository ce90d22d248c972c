"""`svcproof check --history`: every dump has its verdict, and every difference its course."""

import json
from pathlib import Path

import pytest

from oracle.cli import run
from tests.oracle.history.kept import Json, State, ask, keep_bundle, only, rules

BOTH, ONE = State((10, 11), version=100), State((10,), version=200)
T1, T2, T3, T4 = (f"Mon Nov 23 11:19:{second} 2026" for second in ("30", "32", "40", "55"))

FROM_THE_FIRST = "there-from-the-first-dump"

Capture = pytest.CaptureFixture[str]


def course(history: Json) -> tuple[str, str, list[tuple[str, str, str | None, str, int | None]]]:
    """The only difference's course, its kind and its spells."""
    found = only(history["differences"])
    spells = [
        tuple(one[key] for key in ("first", "last", "gone", "began", "seconds")) for one in found["spells"]
    ]
    return found["course"], found["kind"], spells


def verdicts(history: Json) -> list[tuple[str, str]]:
    return [(dump["name"], dump["report"]["verdict"]) for dump in history["dumps"]]


def test_rules_that_follow_their_objects_late_are_a_lag(tmp_path: Path, capsys: Capture) -> None:
    """An endpoint goes between a and b; b's rules still use it, c's no more. Times order them, not names."""
    keep_bundle(tmp_path, "c", BOTH, rules(BOTH, time=T1))
    keep_bundle(tmp_path, "b", ONE, rules(BOTH, time=T2))
    keep_bundle(tmp_path, "a", ONE, rules(ONE, time=T3))

    status, [history] = ask(capsys, tmp_path)

    assert status == 0
    assert (history["ordered_by"], history["verdict"], history["mode"]) == (
        "header-times",
        "conforms",
        "iptables",
    )
    assert verdicts(history) == [("c", "conforms"), ("b", "differs"), ("a", "conforms")]
    assert course(history) == ("lag", "stale-target", [("b", "b", "a", "objects-changed", 8)])


def test_a_difference_of_the_last_dump_persists(tmp_path: Path, capsys: Capture) -> None:
    """The status is the last dump's, whatever was right before it."""
    keep_bundle(tmp_path, "1", BOTH, rules(BOTH, time=T1))
    keep_bundle(tmp_path, "2", ONE, rules(BOTH, time=T2))
    keep_bundle(tmp_path, "3", ONE, rules(BOTH, time=T3))

    status, [history] = ask(capsys, tmp_path)

    assert status == 1
    assert course(history) == ("persists", "stale-target", [("2", "3", None, "objects-changed", None)])


def test_what_the_rules_alone_began_came_and_went(tmp_path: Path, capsys: Capture) -> None:
    """The objects stay; somebody damages the rules between 1 and 2, and they are right again in 3."""
    keep_bundle(tmp_path, "1", BOTH, rules(BOTH, time=T1))
    keep_bundle(tmp_path, "2", BOTH, rules(ONE, time=T2))
    keep_bundle(tmp_path, "3", BOTH, rules(BOTH, time=T3))

    status, [history] = ask(capsys, tmp_path)

    assert status == 0
    assert course(history) == ("came-and-went", "missing-target", [("2", "2", "3", "rules-changed", 8)])


def test_two_spells_came_and_went(tmp_path: Path, capsys: Capture) -> None:
    """An endpoint goes, comes back and goes again, and the rules are late each time it goes."""
    again = State((10, 11), version=300)
    keep_bundle(tmp_path, "1", ONE, rules(BOTH, time=T1))
    keep_bundle(tmp_path, "2", again, rules(BOTH, time=T2))
    keep_bundle(tmp_path, "3", State((10,), version=400), rules(BOTH, time=T3))
    keep_bundle(tmp_path, "4", State((10,), version=400), rules(ONE, time=T4))

    status, [history] = ask(capsys, tmp_path)

    assert status == 0
    assert course(history) == (
        "came-and-went",
        "stale-target",
        [("1", "1", "2", FROM_THE_FIRST, 2), ("3", "3", "4", "objects-changed", 15)],
    )


def test_the_last_dump_may_leave_a_difference_untold(tmp_path: Path, capsys: Capture) -> None:
    """A dump that cannot be read proves nothing gone; the status is its own, and one line says why."""
    keep_bundle(tmp_path, "1", ONE, rules(BOTH, time=T1))
    keep_bundle(tmp_path, "2", ONE, rules(ONE, time=T2).replace("COMMIT\n", ""))

    status = run(["check", "--history", str(tmp_path), "--format", "json"])

    out, err = capsys.readouterr()
    [history] = json.loads(out)["histories"]
    assert status == 2
    assert course(history) == (
        "untold",
        "stale-target",
        [("1", "1", None, FROM_THE_FIRST, None)],
    )
    assert err.startswith("svcproof: 2: nodes/node-a/iptables-save:")
    assert (err.count("\n"), "truncated" in err) == (1, True)


def test_a_dump_between_that_cannot_be_read_interrupts_nothing(tmp_path: Path, capsys: Capture) -> None:
    """Seen before it and after it, the difference is one spell; the status is that of the last dump."""
    keep_bundle(tmp_path, "1", ONE, rules(BOTH, time=T1))
    keep_bundle(tmp_path, "2", ONE, rules(BOTH, time=T2).replace("COMMIT\n", ""))
    keep_bundle(tmp_path, "3", ONE, rules(BOTH, time=T3))
    keep_bundle(tmp_path, "4", ONE, rules(ONE, time=T4))

    status, [history] = ask(capsys, tmp_path)

    assert status == 0
    assert [verdict for _, verdict in verdicts(history)] == ["differs", "not-judged", "differs", "conforms"]
    assert course(history) == ("lag", "stale-target", [("1", "3", "4", FROM_THE_FIRST, 25)])


def test_modes_are_histories_of_their_own(tmp_path: Path, capsys: Capture) -> None:
    """nftables has no times: resourceVersions order it, and nobody knows how long anything took."""
    keep_bundle(tmp_path, "a.iptables", BOTH, rules(BOTH, time=T1))
    keep_bundle(tmp_path, "b.iptables", ONE, rules(ONE, time=T2))
    keep_bundle(tmp_path, "b.nftables", ONE, rules(BOTH, "nftables"), "nftables")
    keep_bundle(tmp_path, "a.nftables", State((10,), version=300), rules(ONE, "nftables"), "nftables")

    status, [first, second] = ask(capsys, tmp_path)

    assert status == 0
    assert [(h["mode"], h["ordered_by"]) for h in (first, second)] == [
        ("iptables", "header-times"),
        ("nftables", "resource-versions"),
    ]
    assert verdicts(second) == [("b.nftables", "differs"), ("a.nftables", "conforms")]
    assert course(second)[2] == [("b.nftables", "b.nftables", "a.nftables", FROM_THE_FIRST, None)]
    assert [step["seconds"] for h in (first, second) for step in h["between"]] == [2, None]


def test_without_a_configuration_the_rules_tell_the_mode(tmp_path: Path, capsys: Capture) -> None:
    keep_bundle(tmp_path, "a", BOTH, rules(BOTH))
    keep_bundle(tmp_path, "b", BOTH, rules(BOTH, "nftables"), "nftables")
    for name in ("a", "b"):
        (tmp_path / name / "nodes" / "node-a" / "kube-proxy-config.yaml").unlink()

    _, found = ask(capsys, tmp_path)

    assert [(h["mode"], [dump["name"] for dump in h["dumps"]]) for h in found] == [
        ("iptables", ["a"]),
        ("nftables", ["b"]),
    ]


def test_each_history_answers_for_its_own_last_dump(tmp_path: Path, capsys: Capture) -> None:
    """One mode ends wrong, the other right: the whole differs."""
    keep_bundle(tmp_path, "a", ONE, rules(BOTH, time=T1))
    keep_bundle(tmp_path, "b", ONE, rules(ONE, "nftables"), "nftables")

    status, found = ask(capsys, tmp_path)

    assert status == 1
    assert [history["verdict"] for history in found] == ["differs", "conforms"]


def test_node_chooses_among_several(tmp_path: Path, capsys: Capture) -> None:
    """Without it every node has its own history; of a name that no moment has, the others are listed."""
    keep_bundle(tmp_path, "1", BOTH, rules(BOTH, time=T1))
    nodes = tmp_path / "1" / "nodes"
    (nodes / "node-b").mkdir()
    (nodes / "node-b" / "iptables-save").write_text(rules(BOTH, time=T1))

    _, both = ask(capsys, tmp_path)
    _, one = ask(capsys, tmp_path, "--node", "node-a")
    status = run(["check", "--history", str(tmp_path), "--node", "node-z"])

    assert [[history["node"] for history in found] for found in (both, one)] == [
        ["node-a", "node-b"],
        ["node-a"],
    ]
    assert status == 2
    assert capsys.readouterr().err == (
        f"svcproof: {tmp_path}: no node 'node-z' at any moment; there are: node-a, node-b\n"
    )


def test_the_text_tells_the_story(tmp_path: Path, capsys: Capture) -> None:
    keep_bundle(tmp_path, "1-before", BOTH, rules(BOTH, time=T1))
    keep_bundle(tmp_path, "2-late", ONE, rules(BOTH, time=T2))
    keep_bundle(tmp_path, "3-after", ONE, rules(ONE, time=T3))

    status = run(["check", "--history", str(tmp_path)])

    assert status == 0
    assert capsys.readouterr().out.splitlines()[:9] == [
        "node-a (iptables)  CONFORMS in the last of 3 dumps, ordered by the times in their headers",
        "  1  1-before  2026-11-23 11:19:30  CONFORMS",
        "       shop/web: endpoint 10.244.0.11:8080/TCP removed",
        "  2  2-late  2026-11-23 11:19:32  DIFFERS  1 difference",
        "       nothing changed in the objects",
        "  3  3-after  2026-11-23 11:19:40  CONFORMS",
        "",
        "  lag  shop/web: stale-target: in 2 (2-late), gone in 3 (3-after), 8 s after it was first seen",
        "       it began as its Service or the node was changed",
    ]


def test_a_new_range_of_addresses_that_rules_do_not_know_is_the_objects_doing(
    tmp_path: Path, capsys: Capture
) -> None:
    """A range for cluster IPs is added, and the rules do not refuse its unallocated part (MODE-06)."""
    for name in ("1", "2"):
        keep_bundle(tmp_path, name, BOTH, rules(BOTH, "nftables"), "nftables")
    cidr = {"apiVersion": "networking.k8s.io/v1", "kind": "ServiceCIDR", "metadata": {"name": "kubernetes"}}
    (tmp_path / "2" / "servicecidrs.json").write_text(
        json.dumps({**cidr, "spec": {"cidrs": ["10.96.0.0/24"]}})
    )

    status, [history] = ask(capsys, tmp_path)

    assert status == 1
    assert [change["text"] for change in history["between"][0]["changes"]] == [
        "service address range 10.96.0.0/24 added"
    ]
    assert course(history)[2] == [("2", "2", None, "objects-changed", None)]
