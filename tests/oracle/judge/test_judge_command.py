"""The command drives a process, and ends it; its status says who is at fault."""

import json
import sys
from pathlib import Path

import pytest

from oracle.cli import run
from oracle.judge.adapters.walker import Walker

ROOT = Path(__file__).parents[3]
WALKER = (sys.executable, "-m", "oracle.judge.adapters.walker")
SPEAKS = """
import json, sys
from oracle.judge.adapters.walker import Walker

class Wrong(Walker):
    def seen(self):
        return [one for one in self.objects if one["kind"] != "EndpointSlice"]

wrong = Wrong()
for line in sys.stdin:
    print(json.dumps(wrong.answer(json.loads(line))), flush=True)
"""


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def judged(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    status = run(["judge", *arguments])
    said = capsys.readouterr()
    return status, said.out, said.err


def test_a_conforming_process_agrees(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = judged(capsys, "--histories", "2", "--", *WALKER)

    assert (0, "") == (status, err)
    assert out.startswith("AGREES  2 histories, ")


def test_a_wrong_process_is_shown_with_its_history(capsys: pytest.CaptureFixture[str]) -> None:
    """FWD-CIP-01 and MASQ: a Service with a pod is to be served; it takes a Service and a pod to see."""
    status, out, _ = judged(capsys, "--", sys.executable, "-c", SPEAKS)

    lines = out.splitlines()
    assert 1 == status
    assert lines[0].startswith("DIFFERS  in a history of 2 events; ")
    assert any("is created: ClusterIP, IPv4" in line for line in lines[3:5])
    assert any(line.endswith("ready") and "pod shop/web-" in line for line in lines[3:5])
    assert any(line.startswith("  expected  DNAT to 10.") and "[FWD-CIP-01, " in line for line in lines)
    assert any(line.startswith("  got       REJECT") for line in lines)
    assert ["Node", "Node", "Service", "EndpointSlice", "Pod"] == [
        json.loads(line)["kind"] for line in lines if line.startswith('    {"')
    ]


def test_the_same_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = judged(capsys, "--format", "json", "--", sys.executable, "-c", SPEAKS)

    answer = json.loads(out)
    found = answer["difference"]
    assert (1, "differs", 2) == (status, answer["verdict"], len(found["events"]))
    assert ("reject", "dnat") == (found["got"]["fates"][0]["do"], found["expected"]["verdict"])
    assert found["packet"].keys() >= {"from", "to", "port", "protocol", "origin"}


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (("cat",), "output of cat:1: 'type' is 'start', where 'ready' has to follow 'start'"),
        (
            ("sh", "-c", "echo no rules >&2; exit 3"),
            "output of sh:1: it ended with status 3 before the last answer; its last words: no rules",
        ),
        (("sh", "-c", "kill -9 $$"), "output of sh:1: it was ended by signal 9 before the last answer"),
        (("sh", "-c", "printf '{}'"), "output of sh:1: the line has no end"),
        (("sleep", "30"), "output of sleep:1: no answer within 0.2 s"),
        (("/no/such/command",), "/no/such/command: cannot be started: No such file or directory"),
    ],
)
def test_a_broken_protocol_is_one_line(
    capsys: pytest.CaptureFixture[str], command: tuple[str, ...], expected: str
) -> None:
    found = judged(capsys, "--timeout", "0.2" if command[0] == "sleep" else "10", "--", *command)

    assert (2, "", f"svcproof: {expected}\n") == found


def test_a_version_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    found = judged(capsys, "--version", "newest", "--", "cat")

    assert (2, "", "svcproof: --version: 'newest' is not a version of Kubernetes such as 1.33\n") == found


def test_the_documented_session_is_one() -> None:
    """Each line that the page shows as an answer is what the reference says to the line above it."""
    page = (ROOT / "docs" / "judge.md").read_text()
    session = page.partition("```json-lines\n")[2].partition("```")[0].splitlines()
    walker = Walker()

    said = [walker.answer(json.loads(line[2:])) for line in session if line.startswith("> ")]

    assert [json.loads(line[2:]) for line in session if line.startswith("< ")] == said
    assert ["ready", "applied", "outcomes"] == [one["type"] for one in said]
