"""A folder's moments: bundles, nodes' folders or files of rules, each with its own objects or shared ones."""

import json
import tarfile
from pathlib import Path

import pytest

from model.errors import InputError
from oracle.cli import run
from oracle.history.moments import Moment, Shared, read_moments
from tests.oracle.history.kept import State, ask, keep_bundle, keep_files, rules

BOTH, ONE = State((10, 11), version=100), State((10,), version=200)
T1, T2 = "Mon Nov 23 11:19:30 2026", "Mon Nov 23 11:19:32 2026"

Capture = pytest.CaptureFixture[str]


def moments(folder: Path) -> tuple[Moment, ...]:
    return read_moments(str(folder), Shared())


def endpoints(moment: Moment) -> int:
    """How many endpoints the moment's objects hold: BOTH has 2, ONE has 1."""
    assert moment.cluster is not None
    return sum(len(one.endpoints) for one in moment.cluster.slices)


def fault(folder: Path) -> str:
    with pytest.raises(InputError) as caught:
        moments(folder)
    return f"{caught.value.file.removeprefix(str(folder))}: {caught.value.what}"


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("t1.iptables", "t2.iptables"), ["t1", "t2"]),
        (("t1.iptables", "t1.ip6tables", "t1.nft"), ["t1"]),
        (("1.iptables-save.txt", "2_iptables.log", "3-ip6tables-save.gz"), ["1", "2", "3"]),
        (("iptables-save.1", "iptables-save-2.txt", "nft-3"), ["1", "2", "3"]),
        (("a.nftables", "b.nft.json", "c.ipvsadm", "c.ipset"), ["a", "b", "c"]),
        (("a.iptables", "README.md", "notes.txt", ".b.iptables.swp"), ["a"]),
    ],
)
def test_files_of_one_stem_are_one_moment(
    tmp_path: Path, names: tuple[str, ...], expected: list[str]
) -> None:
    """Whether the tool stands last in the name or first; what names no tool is passed over."""
    keep_files(tmp_path, dict.fromkeys(names, ""), BOTH)

    assert [one.name for one in moments(tmp_path)] == expected


def test_json_of_nft_is_known_by_its_content(tmp_path: Path) -> None:
    """Beside it cluster.json holds objects, and a report of something else is nothing."""
    keep_files(tmp_path, {"t1.json": '{"nftables": []}', "expected.json": '{"nftables_like": 1}'}, BOTH)

    found = moments(tmp_path)

    assert [(one.name, [file.label for file in one.evidence.rules]) for one in found] == [("t1", ["t1.json"])]


@pytest.mark.parametrize("name", ["t2.cluster.json", "cluster-t2.json", "t2.objects.json", "t2.json"])
def test_objects_of_a_stem_are_those_of_its_moment(tmp_path: Path, name: str) -> None:
    """The others share the set that belongs to no stem."""
    keep_files(tmp_path, {"t1.iptables": "", "t2.iptables": ""}, BOTH)
    (tmp_path / name).write_text(json.dumps(ONE.objects))

    first, second = moments(tmp_path)

    assert (endpoints(first), first.object_files) == (2, ())
    assert (endpoints(second), [file.label for file in second.object_files]) == (1, [name])


def test_files_of_rules_are_judged_by_shared_objects_and_settings(tmp_path: Path, capsys: Capture) -> None:
    """The only Node names the node; what changed is read off the rules, and that is said."""
    keep_files(tmp_path, {"a.iptables": rules(BOTH, time=T2), "b.iptables": rules(ONE, time=T1)}, BOTH)

    status, [history] = ask(capsys, tmp_path)

    assert (status, history["node"], history["ordered_by"]) == (0, "node-a", "header-times")
    assert [(dump["name"], dump["own_objects"]) for dump in history["dumps"]] == [("b", False), ("a", False)]
    [step] = history["between"]
    assert step["told_by"] == "rules"
    assert step["changes"] == [
        {"service": "shop/web", "kind": "endpoint-added", "text": "endpoint 10.244.0.11:8080 now used"}
    ]
    assert history["differences"][0]["course"] == "lag"


def test_the_text_says_that_one_set_of_objects_judges_all(tmp_path: Path, capsys: Capture) -> None:
    keep_files(tmp_path, {"a.iptables": rules(BOTH), "b.iptables": rules(BOTH)}, BOTH)

    run(["check", "--history", str(tmp_path)])

    assert capsys.readouterr().out.splitlines() == [
        "node-a (iptables)  CONFORMS in the last of 2 dumps, ordered by name "
        "(no times, and no resourceVersions that tell them apart)",
        "  objects: every dump judged by the one set that was given, whatever held at the moment",
        "  1  a  CONFORMS",
        "       nothing changed in what the rules serve",
        "  2  b  CONFORMS",
    ]


def test_options_give_what_files_of_rules_lack(tmp_path: Path, capsys: Capture) -> None:
    """Objects, node, settings and addresses may come from anywhere; two sets of objects are one too many."""
    keep_files(tmp_path / "else", {}, BOTH)
    folder = tmp_path / "dumps"
    folder.mkdir()
    (folder / "t1.iptables").write_text(rules(BOTH))
    options = [
        f"--{name}={tmp_path / 'else' / file}"
        for name, file in (
            ("cluster", "cluster.json"),
            ("proxy-config", "kube-proxy-config.yaml"),
            ("addresses", "ip-addr.json"),
        )
    ]

    status, [history] = ask(capsys, folder, *options, "--node", "node-a")
    (folder / "cluster.json").write_text(json.dumps(BOTH.objects))
    twice = run(["check", "--history", str(folder), *options])

    assert (status, history["dumps"][0]["report"]["assumptions"]) == (0, [])
    assert twice == 2
    assert capsys.readouterr().err == (
        f"svcproof: {folder}: objects are here and in --cluster: give one set of them\n"
    )


def test_a_nodes_folder_is_a_moment(tmp_path: Path, capsys: Capture) -> None:
    """With objects of its own inside, or those beside it."""
    keep_files(tmp_path, {}, BOTH)
    for name, time in (("late", T2), ("soon", T1)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "iptables-save").write_text(rules(BOTH, time=time))
    (tmp_path / "late" / "cluster.json").write_text(json.dumps(ONE.objects))

    status, [history] = ask(capsys, tmp_path)

    assert status == 1
    assert [(dump["name"], dump["own_objects"]) for dump in history["dumps"]] == [
        ("soon", False),
        ("late", True),
    ]
    assert history["between"][0]["told_by"] == "objects"


def test_an_archive_is_a_bundle(tmp_path: Path) -> None:
    keep_bundle(tmp_path / "of", "t2", ONE, rules(ONE))
    folder = tmp_path / "kept"
    keep_bundle(folder, "t1", BOTH, rules(BOTH))
    with tarfile.open(folder / "t2.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "of" / "t2", "t2")

    assert [(one.name, endpoints(one)) for one in moments(folder)] == [("t1", 2), ("t2.tar.gz", 1)]


def test_bundles_without_objects_share_those_beside_them(tmp_path: Path) -> None:
    keep_bundle(tmp_path, "t1", BOTH, rules(BOTH))
    (tmp_path / "t1" / "cluster.json").rename(tmp_path / "cluster.json")

    [found] = moments(tmp_path)

    assert (endpoints(found), found.object_files) == (2, ())


def test_what_is_no_history_is_said(tmp_path: Path) -> None:
    keep_bundle(tmp_path, "bundle", BOTH, rules(BOTH))
    keep_files(tmp_path / "files", {"a.iptables": ""}, BOTH)
    (tmp_path / "empty").mkdir()

    assert fault(tmp_path / "bundle").startswith(": is one bundle, of one moment: give the folder of several")
    assert fault(tmp_path / "empty").startswith(": no dumps of any moment here: expected bundles")
    assert fault(tmp_path / "gone") == ": no such file or folder"
    assert fault(tmp_path / "files" / "a.iptables").startswith(": is no folder")


def test_a_file_of_objects_that_cannot_be_read_is_named_with_its_moment(tmp_path: Path) -> None:
    keep_bundle(tmp_path / "bundles", "t1", BOTH, rules(BOTH))
    (tmp_path / "bundles" / "t1" / "cluster.json").write_text("{")
    (tmp_path / "folders" / "t2").mkdir(parents=True)
    (tmp_path / "folders" / "t2" / "iptables-save").write_text(rules(BOTH))
    (tmp_path / "folders" / "t2" / "cluster.json").write_text("{")

    assert fault(tmp_path / "bundles").startswith("t1/cluster.json: ")
    assert fault(tmp_path / "folders").startswith("t2/cluster.json: ")


def test_forms_are_not_mixed(tmp_path: Path) -> None:
    keep_bundle(tmp_path, "t1", BOTH, rules(BOTH))
    (tmp_path / "t2.iptables").write_text("")

    assert fault(tmp_path) == (
        ": t1 and t2.iptables are moments of different forms: give each form a folder of its own"
    )


def test_moments_without_objects_cannot_be_judged(tmp_path: Path, capsys: Capture) -> None:
    """One line names the moment and the command that gets them."""
    (tmp_path / "t1.iptables").write_text(rules(BOTH))

    status = run(["check", "--history", str(tmp_path)])

    err = capsys.readouterr().err
    assert (status, err.count("\n")) == (2, 1)
    assert err.startswith(
        f"svcproof: {tmp_path}/t1: no cluster objects to judge by; add the output of: kubectl"
    )


@pytest.mark.parametrize("more", [["bundle"], ["--rules", "f"], ["a", "b"]])
def test_a_history_goes_alone(tmp_path: Path, capsys: Capture, more: list[str]) -> None:
    status = run(["check", "--history", str(tmp_path), *more])

    assert status == 2
    assert "--history names a folder of dumps: give no PATH and no --rules with it" in capsys.readouterr().err
