"""What `svcproof replay` makes of a history: it happens in order, is explained, and holds or not."""

import json
from pathlib import Path
from typing import Any

import pytest

from oracle.cli import run

HISTORIES = Path(__file__).parents[2] / "examples" / "histories"
NODE = "- node: {name: node-a, address: 192.168.1.1, pod-cidr: 10.244.1.0/24}\n"
WEB = """\
- create:
    kind: Service
    metadata: {name: web, namespace: shop}
    spec: {clusterIP: 10.96.0.20, selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
"""
POD = "- pod: {name: shop/web-1, labels: {app: web}, node: node-a, ip: 10.244.1.5, ready: true}\n"
ASK = "- ask: {node: node-a, from: 10.244.1.9, to: 10.96.0.20:80/tcp}\n"


def status_of(tmp_path: Path, text: str) -> int:
    (tmp_path / "history.yaml").write_text(text)
    return run(["replay", str(tmp_path / "history.yaml")])


def history(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str) -> list[Any]:
    (tmp_path / "history.yaml").write_text(text)
    run(["replay", str(tmp_path / "history.yaml"), "--format", "json"])
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize("path", sorted(HISTORIES.glob("*.yaml")), ids=lambda path: str(path.stem))
def test_every_history_that_is_shipped_goes_as_it_says(path: Path) -> None:
    assert run(["replay", str(path)]) == 0


def test_a_packet_goes_where_controllers_and_proxies_have_led_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    *_, asked = history(tmp_path, capsys, "events:\n" + NODE + WEB + POD + ASK)

    assert ("dnat", ["10.244.1.5:8080"]) == (asked["facts"]["verdict"], asked["facts"]["targets"])
    assert asked["facts"]["odds"] == {"10.244.1.5:8080": "1"}
    assert asked["facts"]["owners"] == ["shop/web"]


def test_nothing_keeps_up_by_itself_when_all_is_manual(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "settings: {settle: manual}\nevents:\n" + NODE + WEB + POD + ASK
    steps = "- sync-slices: shop/web\n" + ASK + "- proxy: {sync: node-a}\n" + ASK

    found = [
        one["facts"]["verdict"] for one in history(tmp_path, capsys, text + steps) if one["event"] == "ask"
    ]

    assert found == ["pass", "pass", "dnat"]


def test_with_controllers_alone_slices_are_there_before_rules_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "settings: {settle: controllers}\nevents:\n" + NODE + WEB + POD
    text += "- show: {slices: shop/web}\n" + ASK + "- settle:\n" + ASK

    shown, early, _, late = history(tmp_path, capsys, text)[-4:]

    assert shown["facts"]["ready"] == ["10.244.1.5"]
    assert ("pass", "dnat") == (early["facts"]["verdict"], late["facts"]["verdict"])


def test_a_late_proxy_waits_until_it_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (
        "settings: {late: [node-a]}\nevents:\n" + NODE + WEB + POD + ASK + "- proxy: {sync: node-a}\n" + ASK
    )

    found = [one["facts"]["verdict"] for one in history(tmp_path, capsys, text) if one["event"] == "ask"]

    assert found == ["pass", "dnat"]


def test_an_expectation_that_does_not_hold_is_told_with_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "events:\n" + NODE + WEB + ASK + "  expect: {verdict: dnat}\n"

    status = status_of(tmp_path, text)

    assert status == 1
    # NODE takes line 2, WEB 3 to 6, the question 7, so its expectation is on 8.
    assert "UNMET (line 8) verdict: expected dnat, found reject" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("expect", "status"),
    [
        ("", 1),
        ("  expect: refused\n", 0),
        ("  expect: {refused: [spec.type]}\n", 0),
        ("  expect: {refused: [spec.type, FieldValueNotSupported]}\n", 0),
        ("  expect: {refused: Invalid}\n", 0),
        ("  expect: {refused: [spec.type, FieldValueRequired]}\n", 1),
        ("  expect: {refused: Conflict}\n", 1),
        ("  expect: illegal\n", 1),
        ("  expect: accepted\n", 1),
    ],
)
def test_a_refusal_is_a_failure_unless_it_is_the_expected_one(
    tmp_path: Path, expect: str, status: int
) -> None:
    wrong = WEB.replace("spec: {", "spec: {type: Wrong, ")

    assert status_of(tmp_path, "events:\n" + wrong + expect) == status


@pytest.mark.parametrize(
    ("expect", "status"), [("", 1), ("  expect: illegal\n", 0), ("  expect: {illegal: elsewhere}\n", 1)]
)
def test_what_cannot_happen_changes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], expect: str, status: int
) -> None:
    text = "events:\n" + NODE + POD + "- schedule: {pod: shop/web-1, node: node-a}\n" + expect

    status_found = status_of(tmp_path, text)
    capsys.readouterr()
    *_, last = history(tmp_path, capsys, text)

    assert status_found == status
    assert ("illegal", []) == (last["result"], last["changes"])


def test_an_entry_of_several_objects_happens_whole_or_not_at_all(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    service = "  - {kind: Service, metadata: {name: a}, spec: {ports: [{port: 80}]}}\n"
    text = (
        "events:\n- create:\n" + service + service + "  expect: {refused: AlreadyExists}\n- show: services\n"
    )

    refused, shown = history(tmp_path, capsys, text)

    assert ("refused", 409, []) == (refused["result"], refused["status"], refused["unmet"])
    assert shown["facts"]["count"] == 0


def test_a_dry_run_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tried, shown = history(tmp_path, capsys, "events:\n" + WEB + "  dry-run: true\n- show: services\n")

    assert ("done", 0) == (tried["result"], shown["facts"]["count"])


def test_applying_updates_what_is_there_and_keeps_its_address(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    again = WEB.replace("create:", "apply:").replace("clusterIP: 10.96.0.20, ", "type: NodePort, ")

    *_, applied = history(tmp_path, capsys, "events:\n" + WEB + again)

    assert applied["facts"]["spec.clusterIP"] == "10.96.0.20"  # API-PIPE-04
    assert applied["facts"]["spec.type"] == "NodePort"


def test_a_patch_changes_what_it_names_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    patch = "- patch: {service: shop/web, spec: {sessionAffinity: ClientIP}}\n"

    *_, patched = history(tmp_path, capsys, "events:\n" + WEB + patch)

    assert patched["facts"]["spec.sessionAffinity"] == "ClientIP"
    assert patched["facts"]["spec.sessionAffinityConfig.clientIP.timeoutSeconds"] == 10800  # API-F-21
    assert patched["facts"]["spec.ports[0].targetPort"] == 8080


def test_the_load_balancer_address_of_a_status_gets_rules(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "events:\n" + NODE + WEB.replace("spec: {", "spec: {type: LoadBalancer, ") + POD
    text += "- status: {service: shop/web, ingress: [203.0.113.5]}\n"
    text += "- ask: {node: node-a, from: 198.51.100.7, to: 203.0.113.5:80/tcp}\n"

    *_, asked = history(tmp_path, capsys, text)

    assert asked["facts"]["targets"] == ["10.244.1.5:8080"]


def test_a_health_check_counts_the_ready_endpoints_of_its_node(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    local = WEB.replace("spec: {", "spec: {type: LoadBalancer, externalTrafficPolicy: Local, ")
    health = "- health: {node: node-a, service: shop/web}\n"
    text = "events:\n" + NODE + health + local + health + POD + health

    none, empty, full = [one["facts"] for one in history(tmp_path, capsys, text) if one["event"] == "health"]

    assert none == {"listening": False}
    assert (503, 0) == (empty["status"], empty["local-endpoints"])  # HC-02
    assert (200, 1) == (full["status"], full["local-endpoints"])


def test_time_ends_a_flow_that_nobody_uses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    udp = WEB.replace("port: 80,", "port: 80, protocol: UDP,")
    send = '- send: {node: node-a, from: "10.244.1.9:4000", to: 10.96.0.20:80/udp}\n'
    text = "events:\n" + NODE + udp + POD + send + "- tick: 29s\n" + send + "- tick: 5m\n" + send

    found = [one["facts"]["new"] for one in history(tmp_path, capsys, text) if one["event"] == "send"]

    assert found == [True, False, True]  # an entry of UDP lives for 30 s, in use for 120 s


def test_a_history_is_the_same_each_time(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = "events:\n" + WEB.replace("clusterIP: 10.96.0.20, ", "")

    first, again = history(tmp_path, capsys, text), history(tmp_path, capsys, text)
    other = history(tmp_path, capsys, "settings: {seed: 7}\n" + text)

    assert first == again
    assert first[0]["facts"]["spec.clusterIP"] != other[0]["facts"]["spec.clusterIP"]


def test_objects_to_start_from_are_in_the_rules_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "cluster.yaml").write_text(
        """\
kind: Node
apiVersion: v1
metadata: {name: node-a}
status: {addresses: [{type: InternalIP, address: 192.168.1.1}]}
---
kind: Service
apiVersion: v1
metadata: {name: web, namespace: shop}
spec: {type: ClusterIP, clusterIP: 10.96.0.20, clusterIPs: [10.96.0.20], ports: [{port: 80, protocol: TCP}]}
"""
    )

    (asked,) = history(tmp_path, capsys, "cluster: cluster.yaml\nevents:\n" + ASK)

    assert asked["facts"]["verdict"] == "reject"  # it has no endpoints


def test_an_object_may_stand_in_a_file_beside_the_history(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "web.yaml").write_text(
        "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: [{port: 80}]}\n"
    )

    (created,) = history(tmp_path, capsys, "events:\n- create: web.yaml\n")

    assert ("Service default/a", "done") == (created["subject"], created["result"])


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("evnts: []\n", 1, "evnts: is not known here; there are: events, cluster, settings"),
        ("settings: {}\n", 1, "events is missing"),
        ("events:\n- creat: {}\n", 2, "creat: there is no such event; there are: create,"),
        ("events:\n- tick: soon\n", 2, "'soon' is not a time such as 30s, 5m or 1h"),
        ("events:\n- ready: a\n  unready: b\n", 2, "an entry has one event"),
        ("events:\n- pod:\n    name: a\n    ip: 10.0.0.300\n", 4, "'10.0.0.300' is not an IP address"),
        ("events:\n- pod:\n    name: a/b/c\n", 3, "'a/b/c' is not NAMESPACE/NAME"),
        ("events:\n- ask: {node: a, from: 10.0.0.1, to: 10.0.0.2}\n", 2, "is not ADDR:PORT/PROTO"),
        ("events:\n- send: {node: a, from: 10.0.0.1, to: 10.0.0.2:80/tcp}\n", 2, "has no port"),
        ("events:\n- ready: a\n  expect: {}\n", 3, "expects nothing"),
        ("events:\n- ready: a\n  expect: {refused: true, new: true}\n", 3, "has no other results"),
        ("events:\n- ready: a\n  dry-run: true\n", 3, "can be tried out"),
        ("events:\n- create: none.yaml\n", 2, "no such file"),
        ("settings: {settle: often}\nevents: []\n", 1, "is none of after-each, controllers, manual"),
        ("settings:\n  node-port-range: 9-1\nevents: []\n", 2, "9-1 is not a range of ports"),
        ("settings:\n  proxy: {mode: fast}\nevents: []\n", 2, "proxy: mode: invalid enum value 'fast'"),
        ("settings:\n  service-cidrs: [10.0.0.0/33]\nevents: []\n", 2, "'10.0.0.0/33' is not a CIDR"),
        ("events:\n- create: {kind: Service, spec: {prots: []}}\n", 2, "Service has no field spec.prots"),
        ("events:\n- create: {kind: Ingress}\n", 2, "kind Ingress has no part in a history"),
        ("events:\n- show: pants\n", 2, "'pants' is none of services,"),
        ("events: [a: 1\n", 1, "YAML is malformed"),
    ],
)
def test_a_fault_of_the_file_is_told_with_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, line: int, what: str
) -> None:
    status = status_of(tmp_path, text)

    error = capsys.readouterr().err
    assert status == 2
    assert error.startswith(f"svcproof: {tmp_path}/history.yaml:{line}: ")
    assert what in error


def test_nothing_happens_when_a_later_line_is_at_fault(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = status_of(tmp_path, "events:\n" + NODE + "- tick: soon\n")

    assert (2, "") == (status, capsys.readouterr().out)


def test_a_node_that_is_not_there_cannot_be_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (asked,) = history(tmp_path, capsys, "events:\n" + ASK)

    assert ("illegal", "there is no node node-a") == (asked["result"], asked["message"])
