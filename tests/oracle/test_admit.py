"""What `svcproof admit` says of objects: accepted with what the server adds, or every fault."""

import json
from pathlib import Path
from typing import Any

import pytest

from oracle.cli import run

SERVICE = """\
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec:
"""
WEB = SERVICE + "  ports: [{port: 80}]\n"
STORED = (
    SERVICE
    + """\
  type: NodePort
  clusterIP: 10.96.0.20
  clusterIPs: [10.96.0.20]
  externalTrafficPolicy: Cluster
  ipFamilies: [IPv4]
  ipFamilyPolicy: SingleStack
  ports: [{port: 80, protocol: TCP, targetPort: 80, nodePort: 30080}]
"""
)
SLICE = """\
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: web-1, namespace: shop}
addressType: IPv4
endpoints: [{addresses: [10.244.1.5]}]
ports: [{port: 8080}]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def put(folder: Path, name: str, text: str) -> str:
    (folder / name).write_text(text)
    return name


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    run(["admit", "--format", "json", *arguments])
    return json.loads(capsys.readouterr().out)


def only(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    (one,) = answer(capsys, *arguments)["objects"]
    return one


def change_of(one: Any, field: str) -> tuple[str, Any]:
    (found,) = [(c["change"], c["stored"]) for c in one["changes"] if c["field"] == field]
    return found


def test_a_new_service_is_created_with_defaults_and_a_drawn_address(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = only(capsys, put(folder, "web.yaml", WEB), "--service-cidr", "10.7.0.0/29")

    assert ("accepted", "create", 201) == (one["verdict"], one["verb"], one["status"])
    assert ("defaulted", "ClusterIP") == change_of(one, "spec.type")  # API-F-02
    assert ("defaulted", 80) == change_of(one, "spec.ports[0].targetPort")  # API-F-07
    drawn = next(c for c in one["changes"] if c["field"] == "spec.clusterIP")
    assert drawn["change"] == "allocated"
    # A /29 has no static band (ALLOC-IP-03), so the dynamic one is all six addresses.
    assert drawn["from"] == (
        "any free one of the dynamic band 10.7.0.1 to 10.7.0.6 of 10.7.0.0/29 (ServiceCIDR kubernetes)"
    )


def test_every_field_error_is_told_with_its_path_and_type(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = SERVICE + "  externalTrafficPolicy: Local\n  ports: [{port: 0}, {port: 90, name: b}]\n"

    one = only(capsys, put(folder, "web.yaml", text))

    # API-F-04, API-F-06 (and its default target, API-F-07), API-F-22.
    assert {
        ("FieldValueRequired", "spec.ports[0].name"),
        ("FieldValueInvalid", "spec.ports[0].port"),
        ("FieldValueInvalid", "spec.ports[0].targetPort"),
        ("FieldValueInvalid", "spec.externalTrafficPolicy"),
    } == {(cause["type"], cause["field"]) for cause in one["causes"]}
    assert (422, "Invalid") == (one["status"], one["reason"])


def test_a_value_of_a_wrong_type_is_refused_and_the_next_object_is_judged(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = SERVICE + '  ports: [{port: "80"}]\n---\n' + WEB

    first, second = answer(capsys, put(folder, "two.yaml", text))["objects"]

    assert ("refused", 400, "document 1") == (first["verdict"], first["status"], first["place"])
    assert first["message"] == "spec.ports[0].port: must be a whole number, not a string"
    assert second["verdict"] == "accepted"


def test_an_object_is_judged_after_those_accepted_before_it(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ports = "  type: NodePort\n  ports: [{port: 80, nodePort: 30080}]\n"
    text = SERVICE + ports + "---\n" + SERVICE.replace("web", "other") + ports

    first, second = answer(capsys, put(folder, "two.yaml", text))["objects"]

    assert ("accepted", "refused") == (first["verdict"], second["verdict"])
    assert ["spec.ports[0].nodePort"] == [cause["field"] for cause in second["causes"]]  # ALLOC-NP-03


def test_an_object_that_exists_is_replaced_and_keeps_what_was_allocated(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = SERVICE + "  type: NodePort\n  ports: [{port: 80}]\n"

    one = only(capsys, "--cluster", put(folder, "cluster.yaml", STORED), put(folder, "web.yaml", text))

    assert ("update", 200) == (one["verb"], one["status"])
    assert ("kept", "10.96.0.20") == change_of(one, "spec.clusterIP")  # API-PIPE-04
    assert ("kept", 30080) == change_of(one, "spec.ports[0].nodePort")


def test_what_an_update_no_longer_gives_is_told_as_removed(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = only(capsys, "--cluster", put(folder, "cluster.yaml", STORED), put(folder, "web.yaml", WEB))

    assert ("removed", None) == change_of(one, "spec.ports[0].nodePort")  # API-TC-03
    assert ("removed", None) == change_of(one, "spec.externalTrafficPolicy")  # API-TC-09


def test_create_refuses_what_exists(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cluster = put(folder, "cluster.yaml", STORED)

    one = only(capsys, "--cluster", cluster, put(folder, "web.yaml", WEB), "--create")

    assert (409, "AlreadyExists") == (one["status"], one["reason"])


def test_update_creates_a_service_but_never_a_slice(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = put(folder, "two.yaml", WEB + "---\n" + SLICE)

    service, one = answer(capsys, text, "--update")["objects"]

    assert ("accepted", "refused") == (service["verdict"], one["verdict"])
    assert (404, "NotFound") == (one["status"], one["reason"])


def test_unknown_fields_and_other_kinds_are_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n"
    text = SERVICE + "  prots: 1\n  ports: [{port: 80}]\n---\n" + pod

    service, other = answer(capsys, put(folder, "two.yaml", text))["objects"]

    assert service["warnings"] == ["spec.prots: unknown field, dropped; kubectl refuses it by default"]
    assert ("not-judged", "kind Pod is not judged") == (other["verdict"], other["why"])


def test_an_assumed_range_is_said_with_a_service_that_does_not_fit(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster = put(folder, "cluster.yaml", STORED.replace("10.96.0.20", "10.43.0.1"))

    found = answer(capsys, put(folder, "slice.yaml", SLICE), "--cluster", cluster)

    assert found["assumptions"] == [
        "no ServiceCIDR kubernetes among the objects: 10.96.0.0/12 assumed (--service-cidr), "
        "though shop/web has 10.43.0.1"
    ]


def test_an_address_with_an_ipaddress_object_is_taken(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    taken = """\
apiVersion: networking.k8s.io/v1
kind: IPAddress
metadata: {name: 10.96.0.30}
spec: {parentRef: {resource: services, namespace: shop, name: gone}}
"""
    text = SERVICE + "  clusterIP: 10.96.0.30\n  ports: [{port: 80}]\n"

    one = only(capsys, "--cluster", put(folder, "ip.yaml", taken), put(folder, "web.yaml", text))

    assert ["spec.clusterIPs"] == [cause["field"] for cause in one["causes"]]  # ALLOC-IP-05


@pytest.mark.parametrize(
    ("text", "arguments", "status"),
    [
        (WEB, [], 0),
        (WEB + "---\n" + SERVICE + "  type: Wrong\n", [], 1),
        ("just: text\n", [], 2),
        (WEB, ["--service-cidr", "10.0.0.0/33"], 2),
        (WEB, ["--service-cidr", "10.0.0.0/24", "--service-cidr", "10.1.0.0/24"], 2),
        (WEB, ["--node-port-range", "32767-30000"], 2),
        (WEB, ["--feature-gates", "Nonsense=true"], 2),
    ],
)
def test_the_exit_status_tells_accepted_refused_and_unreadable(
    folder: Path, text: str, arguments: list[str], status: int
) -> None:
    assert status == run(["admit", put(folder, "web.yaml", text), *arguments])


def test_a_gate_that_is_off_makes_names_as_strict_as_before(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = put(folder, "web.yaml", WEB.replace("name: web", "name: 1web"))

    relaxed = only(capsys, file)
    strict = only(capsys, file, "--feature-gates", "RelaxedServiceNameValidation=false")

    assert ("accepted", "refused") == (relaxed["verdict"], strict["verdict"])  # API-F-01


def test_the_node_port_range_bounds_what_may_be_asked_for(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = SERVICE + "  type: NodePort\n  ports: [{port: 80, nodePort: 30080}]\n"

    one = only(capsys, put(folder, "web.yaml", text), "--node-port-range", "31000-31100")

    assert ["spec.ports[0].nodePort"] == [cause["field"] for cause in one["causes"]]  # ALLOC-NP-08


def test_text_says_verdict_and_faults_line_by_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = put(folder, "web.yaml", SERVICE + "  type: Wrong\n  ports: [{port: 80}]\n")

    run(["admit", file])

    shown = capsys.readouterr().out.splitlines()
    assert shown[0] == "Service shop/web (web.yaml): REFUSED to create, 422 Invalid"
    assert shown[1].startswith("  spec.type: 'Wrong': must be one of")
    assert shown[1].endswith("FieldValueNotSupported  [API-F-02]")


def test_several_cluster_files_may_follow_one_option_when_two_hyphens_end_them(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [put(folder, "a.yaml", STORED), put(folder, "b.yaml", SLICE), put(folder, "web.yaml", WEB)]

    one = only(capsys, "--cluster", files[0], files[1], "--", files[2])

    assert ("web.yaml", "update") == (one["file"], one["verb"])
