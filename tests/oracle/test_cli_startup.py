"""The command before any evidence is read: its start, its command line, its reader gone."""

import subprocess
import sys
from pathlib import Path

import pytest

from oracle.cli import run
from oracle.commands.options import spread

ROOT = Path(__file__).parents[2]


def python(script: str) -> subprocess.CompletedProcess[str]:
    """The script run by a fresh interpreter at the project's root."""
    return subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_option_takes_every_value_up_to_the_next() -> None:
    """`--cluster A B` is `--cluster A --cluster B`; a lone `-` is a value, `--` ends options."""
    given = ["p", "--rules", "a", "-", "--node", "n", "m", "--cluster", "c", "d", "--", "--rules", "e", "f"]

    wanted = ["p", "--rules", "a", "--rules", "-", "--node", "n", "m", "--cluster", "c", "--cluster", "d"]
    assert spread(given) == [*wanted, "--", "--rules", "e", "f"]


def test_help_is_quick_to_come() -> None:
    """Nothing heavy is imported before a command needs it."""
    script = (
        "import sys\n"
        "from oracle.cli import run\n"
        "assert run(['trace', '--help']) == 0\n"
        "heavy = {'z3', 'hypothesis', 'rich', 'yaml', 'pytest', 'msgspec'}\n"
        "sys.stderr.write(' '.join(sorted(heavy & set(sys.modules))))\n"
    )

    done = python(script)

    assert "--packets" in done.stdout
    assert (done.returncode, done.stderr) == (0, "")


def test_closed_pipe_is_quiet() -> None:
    """`svcproof --help | head -0` says nothing on standard error and is no verdict."""
    script = (
        "import os, sys\n"
        "reader, writer = os.pipe()\n"
        "os.dup2(writer, 1); os.close(reader); os.close(writer)\n"
        "from oracle.cli import main\n"
        "main(['check', '--help'])\n"
    )

    done = python(script)

    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.parametrize(
    "command",
    [
        "",
        "chek good",
        "check",
        "check good --format yaml",
        "check good --cluster c.json",
        "check --rules - --cluster -",
        "trace --rules - --packets -",
        "trace good",
        "trace good --from 1.1.1.1",
        "trace --from 1.1.1.1 --to 2.2.2.2:80/tcp",
        "trace good --packets p --from 1.1.1.1 --to 2.2.2.2:80/tcp",
        "expect --from 1.1.1.1 --to 2.2.2.2:80/tcp",
        "expect good --mode userspace --from 1.1.1.1 --to 2.2.2.2:80/tcp",
    ],
)
def test_wrong_command_line_is_status_2(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Never 1: that would read as a difference."""
    status = run(command.split())

    out, err = capsys.readouterr()
    assert (status, out, err.startswith("Usage: svcproof")) == (2, "", True)
