"""What the commands promise to scripts: exit statuses, streams, and one answer a question.

The judges themselves are stood in for: these tests are about what is said of their answers.
"""

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from model.addresses import Family
from model.errors import InputError
from model.expectation import Expectation
from model.node_config import InterfaceAddress, NodeConfig
from model.objects import Cluster, Node, ObjectName, Service
from model.outcome import Leaf, Outcome, Target, Verdict
from model.packet import Origin, Packet
from oracle.bundle import read_text_source
from oracle.cli import run
from oracle.commands.options import KUBECTL
from oracle.findings import Difference, Judged, Kind, Line, NodeReport, NotJudged, Trace

OBJECTS = Cluster(services=(Service(ObjectName("shop", "web")),), nodes=(Node("node-a"), Node("node-b")))
PASS = Outcome((Leaf(Verdict.PASS, Fraction(1)),))
PACKET = Packet(Family.IPV4, Origin.WIRE, 1, 2, 6, 80)
WRONG = Difference(
    Kind.MISSING_FRONTEND, Family.IPV4, None, None, "TCP", "0.0.0.2:80", PACKET, (PASS,), PASS, (), (), "gone"
)
UNJUDGED = NotJudged("rules", 7, "-m bpf", "match bpf", matters=True)

Say = Callable[..., str]


def status_of(command: str) -> int:
    return run(command.split())


def conforming(name: str) -> NodeReport:
    return NodeReport(name, "iptables", (Family.IPV4,), Judged(1, 2, 3), ())


def differing(name: str) -> NodeReport:
    return NodeReport(name, "iptables", (Family.IPV4,), Judged(1, 2, 3), (WRONG,))


def unjudged(name: str) -> NodeReport:
    return NodeReport(name, "iptables", (Family.IPV4,), Judged(1, 2, 3), (), (UNJUDGED,))


def unreadable(name: str) -> NodeReport:
    raise InputError(f"{name}/iptables-save", 3, "not a rule")


KNOWN = NodeConfig(
    "good", addresses=(InterfaceAddress("eth0", Family.IPV4, 1, 24),), addresses_are_complete=True
)
CONFIGS = {"": NodeConfig(""), "doubtful": NodeConfig("doubtful", assumptions=("mode iptables assumed",))}
JUDGES = {"good": conforming, "bad": differing, "dark": unjudged, "torn": unreadable}


def replies(packets: Iterable[Packet]) -> Iterator[Trace]:
    """Each packet is sent to its own destination port plus one; port 7 depends on an unjudged line."""
    for packet in packets:
        leaf = Leaf(Verdict.DNAT, Fraction(1), Target(packet.destination, packet.port + 1))
        unsure = (UNJUDGED,) if packet.port == 7 else ()
        yield Trace(Outcome((leaf,)), (Line("rules", packet.port, "-A X"),), unsure)


@pytest.fixture(autouse=True)
def stand_ins(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bundle is a name: its nodes by `+`, judged as `JUDGES` says; "bare" has no objects."""

    def bundle(path: str) -> SimpleNamespace:
        if path == "nowhere":
            raise InputError(path, 0, "no such file or folder")
        nodes = tuple(SimpleNamespace(name=name) for name in path.removeprefix("bare-").split("+"))
        return SimpleNamespace(path=path, cluster=None if path.startswith("bare-") else OBJECTS, nodes=nodes)

    def stand_in(name: str, **members: object) -> None:
        module = ModuleType(name)
        module.__dict__.update(members)
        monkeypatch.setitem(sys.modules, name, module)

    stand_in(
        "oracle.bundle",
        read_bundle=bundle,
        bundle_from_files=lambda _cluster, _rules, node, *_: bundle(node or ""),
        node_config=lambda evidence, _cluster, **_: (CONFIGS.get(evidence.name, KNOWN), frozenset()),
        read_text_source=read_text_source,
    )
    stand_in(
        "oracle.check",
        check_node=lambda evidence, *_: JUDGES[evidence.name](evidence.name),
        trace_node=lambda _evidence, _cluster, packets: replies(packets),
    )
    monkeypatch.setattr(
        "model.expectation.expect_packets",
        lambda _cluster, _config, packets: (
            Expectation((answer.outcome,), ("FWD-CIP-01",), ()) for answer in replies(packets)
        ),
    )


@pytest.mark.parametrize(
    ("nodes", "status"),
    [
        ("good", 0),
        ("bad", 1),
        ("dark", 2),
        ("torn", 2),
        ("good+bad", 1),
        ("good+torn", 2),
        ("torn+bad", 1),
        ("bad+dark", 1),
    ],
)
def test_exit_status_of_check(nodes: str, status: int) -> None:
    """1 if any node differs, else 2 if any could not be judged, else 0."""
    assert run(["check", nodes]) == status


def test_unreadable_node_does_not_hide_the_others(capsys: pytest.CaptureFixture[str]) -> None:
    """It is reported as not judged, with its place; the others have their verdicts."""
    status_of("check torn+good --format json")

    out, err = capsys.readouterr()
    nodes = json.loads(out)["nodes"]
    assert [(node["node"], node["verdict"]) for node in nodes] == [
        ("torn", "not-judged"),
        ("good", "conforms"),
    ]
    assert nodes[0]["unsupported"] == [
        {"file": "torn/iptables-save", "line": 3, "text": "", "why": "not a rule", "matters": True}
    ]
    assert err == "svcproof: torn/iptables-save:3: not a rule\n"


def test_unreadable_bundle_does_not_hide_the_others(capsys: pytest.CaptureFixture[str]) -> None:
    """Each PATH stands for itself; the status owns up to the one that was not read."""
    status = status_of("check nowhere good")

    out, err = capsys.readouterr()
    assert (status, err) == (2, "svcproof: nowhere: no such file or folder\n")
    assert "good good  CONFORMS" in out


def test_text_of_check_ends_in_a_summary_of_many_nodes(capsys: pytest.CaptureFixture[str]) -> None:
    """Conforming nodes take a line each; the last line counts."""
    status_of("check good+bad+good")

    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "good  CONFORMS  (iptables; 1 frontend, 2 cells, 3 rules judged)"
    assert lines[-1] == "3 nodes: 1 differs, 2 conform"


def test_check_of_one_node_of_a_bundle(capsys: pytest.CaptureFixture[str]) -> None:
    """--node leaves the others out."""
    status = status_of("check good+bad --node good")

    assert status == 0
    assert "bad" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("check bare-good", f"bare-good: no cluster objects to judge by; add the output of: {KUBECTL}"),
        (
            "expect bare-good --from 1.1.1.1 --to 2.2.2.2:80/tcp",
            f"bare-good: no cluster objects to judge by; add the output of: {KUBECTL}",
        ),
        (
            "trace good+bad --from 1.1.1.1 --to 2.2.2.2:80/tcp",
            "good+bad: which node? choose one with --node: good, bad",
        ),
        ("check --cluster c --rules r", "--node: which node? give its name: node-a, node-b"),
        ("check good+bad --node none", "good+bad: no node 'none'; there are: good, bad"),
        ("trace good --from 1.1.1.1 --to x", "--to: 'x' is not ADDR:PORT/PROTO, such as"),
        ("trace good --packets /nowhere.jsonl", "/nowhere.jsonl: no such file or folder"),
    ],
)
def test_input_that_is_not_enough_is_one_line(
    command: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit status 2, nothing on standard output, one line that says what to do."""
    status = status_of(command)

    out, err = capsys.readouterr()
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"svcproof: {says}")


def test_trace_of_one_packet_is_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    """A bundle without objects can be traced."""
    status = status_of("trace bare-good --from 10.0.0.1 --to 10.0.0.2:80/tcp --format json")

    assert status == 0
    assert json.loads(capsys.readouterr().out) == {
        "verdict": "dnat",
        "targets": [{"address": "10.0.0.2", "port": 81, "probability": "1", "masquerade": False}],
        "affinity_seconds": None,
        "path": [{"file": "rules", "line": 80, "text": "-A X"}],
    }


@pytest.mark.parametrize("command", ["trace", "expect"])
def test_many_packets_are_answered_in_order_one_a_line(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The n-th line answers the n-th packet, in both formats."""
    ports = [90, 80, 100]
    packets = tmp_path / "packets.jsonl"
    packets.write_text(
        "".join(
            f'{{"from":"10.0.0.1","to":"10.0.0.2","port":{port},"protocol":"tcp","origin":"wire"}}\n'
            for port in ports
        )
    )

    statuses = [
        run([command, "good", "--packets", str(packets), "--format", form]) for form in ("json", "text")
    ]

    lines = capsys.readouterr().out.splitlines()
    assert statuses == [0, 0]
    assert [json.loads(line)["targets"][0]["port"] for line in lines[:3]] == [91, 81, 101]
    assert [f"10.0.0.2:{port} tcp" in line for port, line in zip(ports, lines[3:], strict=True)] == [True] * 3


def test_assumptions_are_in_the_answer(capsys: pytest.CaptureFixture[str]) -> None:
    """One answer as JSON holds what it assumes; standard error says it too."""
    status = status_of("expect doubtful --origin wire --from 10.0.0.1 --to 10.0.0.2:80/tcp --format json")

    out, err = capsys.readouterr()
    assert (status, json.loads(out)["assumptions"], err) == (
        0,
        ["mode iptables assumed"],
        "svcproof: mode iptables assumed\n",
    )


def test_bad_packet_is_named_before_any_answer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No half of the answers is given."""
    packets = tmp_path / "packets.jsonl"
    good = '{"from":"10.0.0.1","to":"10.0.0.2","port":80,"protocol":"tcp","origin":"wire"}\n'
    packets.write_text(good + good + good.replace("80", "80000"))

    status = run(["trace", "good", "--packets", str(packets)])

    assert (status, *capsys.readouterr()) == (
        2,
        "",
        f"svcproof: {packets}:3: 'port' is 80000, not a number from 0 to 65535\n",
    )


def test_unsure_trace_is_answered_with_status_2(capsys: pytest.CaptureFixture[str]) -> None:
    """An answer that must not be relied on cannot look like one that can."""
    status = status_of("trace good --origin wire --from 10.0.0.1 --to 10.0.0.2:7/tcp")

    out, err = capsys.readouterr()
    assert status == 2
    assert out.startswith("DNAT to 10.0.0.2:8\nnot judged: rules:7: match bpf: -m bpf\n")
    assert err == "svcproof: rules:7: the answer depends on this line, which cannot be judged: match bpf\n"


def test_unexpected_exception_keeps_its_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A fault in the judge is never taken for a verdict."""
    monkeypatch.setitem(JUDGES, "bad", lambda name: conforming(name + 1))

    status = status_of("check bad")

    assert status == 70
    assert capsys.readouterr().err.startswith("Traceback (most recent call last)")


def test_interrupt_is_quiet(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Control-C ends the command with the shell's own status, and no word."""

    def interrupt(_name: str) -> NodeReport:
        raise KeyboardInterrupt

    monkeypatch.setitem(JUDGES, "bad", interrupt)

    assert (status_of("check bad"), *capsys.readouterr()) == (130, "", "")
