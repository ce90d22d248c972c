"""`svcproof endpoints`: what is published, whether it is what the objects hold, and what is refused."""

import json
from pathlib import Path
from typing import Any

import pytest

from oracle.cli import run

DUMPS = Path(__file__).parents[1] / "dumps"
BASIC = DUMPS / "clusterip-basic.iptables"


def objects_of(folder: Path) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = json.loads((folder / "cluster.json").read_text())["items"]
    return items


def written(folder: Path, items: list[dict[str, Any]]) -> str:
    path = folder / "objects.json"
    path.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
    return str(path)


def with_unready_pod() -> list[dict[str, Any]]:
    """The objects of the basic dump after its first pod turned unready and before any controller saw it."""
    items = objects_of(BASIC)
    pod = next(item for item in items if item["kind"] == "Pod")
    next(each for each in pod["status"]["conditions"] if each["type"] == "Ready")["status"] = "False"
    return items


def without(items: list[dict[str, Any]], *kinds: str) -> list[dict[str, Any]]:
    return [item for item in items if item["kind"] not in kinds]


def test_a_quiet_cluster_agrees(capsys: pytest.CaptureFixture[str]) -> None:
    status = run(["endpoints", str(BASIC)])

    first = capsys.readouterr().out.splitlines()[0]
    wanted = "AGREES  slices and Endpoints of 2 Services are as the controllers publish them"
    assert (0, wanted) == (status, first)


def test_a_service_is_shown_with_its_slices_and_endpoints(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Alone, when it is named; the names of new slices count up."""
    items = without(objects_of(BASIC), "EndpointSlice", "Endpoints")
    name = next(item["metadata"] for item in items if item["metadata"]["namespace"] != "default")

    status = run(["endpoints", name["name"], "--cluster", written(tmp_path, items)])

    out = capsys.readouterr().out
    assert (0, True, False) == (
        status,
        f"EndpointSlice {name['name']}-00000  IPv4" in out,
        "kubernetes" in out,
    )


def test_objects_without_slices_are_not_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    items = without(objects_of(BASIC), "EndpointSlice", "Endpoints")

    status = run(["endpoints", "--cluster", written(tmp_path, items)])

    out = capsys.readouterr().out
    assert (0, True) == (status, out.startswith("NOT COMPARED  2 Services;"))


def test_slices_that_lag_behind_a_pod_differ(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same endpoint on both sides: the condition it should have, and the one it has."""
    status = run(["endpoints", "--cluster", written(tmp_path, with_unready_pod())])

    lines = capsys.readouterr().out.splitlines()
    assert 1 == status
    assert lines[0].startswith("DIFFERS  slices and Endpoints of 1 of 2 Services are not as")
    assert "~ changed: EndpointSlice of" in lines[2]
    assert ("not ready", True) == (" ".join(lines[3].split()[2:4]), "not ready" not in lines[4])


def test_json_says_what_is_published_and_every_difference(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = run(["endpoints", "--format", "json", "--cluster", written(tmp_path, with_unready_pod())])

    answer = json.loads(capsys.readouterr().out)
    (service,) = (each for each in answer["services"] if each["differences"])
    slice_difference, endpoints_difference = service["differences"]
    ready = [slice_difference[side]["endpoint"]["ready"] for side in ("expected", "found")]
    assert (1, "differs", 1) == (status, answer["verdict"], answer["version"])
    assert ("EndpointSlice", "changed", [False, True]) == (
        slice_difference["object"],
        slice_difference["kind"],
        ready,
    )
    assert "Endpoints" == endpoints_difference["object"]
    assert {False} <= {each["ready"] for one in service["slices"] for each in one["endpoints"]}


def test_a_missing_slice_and_a_stale_address_are_told_apart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    items = objects_of(BASIC)
    slices = [item for item in items if item["kind"] == "EndpointSlice" and len(item["endpoints"]) == 2]
    (one,) = slices
    one["endpoints"][0]["addresses"] = ["10.244.7.7"]
    one["endpoints"][0]["targetRef"]["name"] = "gone"

    status = run(["endpoints", "--format", "json", "--cluster", written(tmp_path, items)])

    answer = json.loads(capsys.readouterr().out)
    kinds = {each["kind"] for service in answer["services"] for each in service["differences"]}
    assert (1, {"missing", "stale"}) == (status, kinds)


def test_the_service_may_come_after_the_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status = run(["endpoints", "--cluster", written(tmp_path, objects_of(BASIC)), "default/kubernetes"])

    out = capsys.readouterr().out
    assert (0, True) == (status, "of 1 Service are" in out)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([str(BASIC), "nobody"], "no Service 'nobody' among the objects"),
        ([], "give --cluster, or a bundle PATH"),
        ([str(BASIC), "a", "b"], "one SERVICE at most"),
        ([str(DUMPS / "missing")], "missing"),
    ],
)
def test_what_cannot_be_answered_is_said_in_one_line(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status = run(["endpoints", *arguments])

    error = capsys.readouterr().err
    assert (2, True) == (status, says in error)


@pytest.mark.parametrize(
    ("kind", "says"), [("Pod", "slices name pods, and the objects hold none"), ("Node", "with their Node")]
)
def test_objects_without_pods_or_nodes_are_not_enough(
    kind: str, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Rather than everything being called stale."""
    status = run(["endpoints", "--cluster", written(tmp_path, without(objects_of(BASIC), kind))])

    error = capsys.readouterr().err
    assert (2, True) == (status, says in error)


def test_a_name_that_several_services_have_is_asked_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    service = {"apiVersion": "v1", "kind": "Service", "spec": {"type": "ExternalName"}}
    items = [{**service, "metadata": {"name": "web", "namespace": space}} for space in ("a", "b")]

    status = run(["endpoints", "web", "--cluster", written(tmp_path, items)])

    assert (2, True) == (status, "there are: a/web, b/web" in capsys.readouterr().err)
