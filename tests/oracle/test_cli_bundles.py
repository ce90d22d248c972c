"""The commands on recorded nodes: `trace` and `expect` say the same of a healthy one."""

import json
from pathlib import Path

import pytest

from oracle.cli import run

DUMPS = Path(__file__).parents[1] / "dumps"
API = "--from 203.0.113.2 --to 10.96.0.1:443/tcp --format json"
API_ANSWER = {
    "verdict": "dnat",
    "targets": [{"address": "10.32.1.140", "port": 6443, "probability": "1", "masquerade": True}],
    "affinity_seconds": None,
}


def test_healthy_bundle_conforms(capsys: pytest.CaptureFixture[str]) -> None:
    """Three nodes as kube-proxy wrote them: status 0, and nothing on standard error."""
    status = run(["check", str(DUMPS / "clusterip-basic.iptables"), "--format", "json"])

    out, err = capsys.readouterr()
    answer = json.loads(out)
    assert (status, err) == (0, "")
    assert [(node["node"], node["verdict"], node["differences"]) for node in answer["nodes"]] == [
        ("node-a", "conforms", []),
        ("node-b", "conforms", []),
        ("node-c", "conforms", []),
    ]


def test_stale_nodes_differ_and_the_fresh_one_does_not(capsys: pytest.CaptureFixture[str]) -> None:
    """kube-proxy stood still on two of three nodes when a pod became unready."""
    status = run(["check", str(DUMPS / "stale-pod-unready.iptables"), "--format", "json"])

    answer = json.loads(capsys.readouterr().out)
    verdicts = {node["node"]: node["verdict"] for node in answer["nodes"]}
    assert status == 1
    assert verdicts == {"node-a": "differs", "node-b": "differs", "node-c": "conforms"}


@pytest.mark.parametrize("command", ["trace", "expect"])
def test_packet_to_the_api_server(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The rules and the contract agree on the target and on the masquerade."""
    status = run([command, str(DUMPS / "clusterip-basic.iptables"), "--node", "node-a", *API.split()])

    answer = json.loads(capsys.readouterr().out)
    assert status == 0
    assert {key: answer[key] for key in API_ANSWER} == API_ANSWER


def test_single_files_give_the_verdict_of_the_bundle(capsys: pytest.CaptureFixture[str]) -> None:
    """The same evidence, file by file, both families in one `--rules`."""
    node = DUMPS / "dual-stack.iptables" / "nodes" / "node-a"
    files = ["--rules", str(node / "iptables-save"), str(node / "ip6tables-save")]
    files += [
        "--proxy-config",
        str(node / "kube-proxy-config.yaml"),
        "--addresses",
        str(node / "ip-addr.json"),
    ]
    [cluster] = (DUMPS / "dual-stack.iptables").glob("cluster.*")

    by_files = run(["check", "--cluster", str(cluster), "--node", "node-a", *files])
    text_by_files = capsys.readouterr().out
    by_bundle = run(["check", str(DUMPS / "dual-stack.iptables"), "--node", "node-a"])

    assert (by_files, text_by_files) == (by_bundle, capsys.readouterr().out)
    assert text_by_files.startswith("node-a  CONFORMS")
