"""pytest's side of svcproof: the option that names a folder of recorded cases.

It is a plugin and not a part of the tests' own conftest because pytest looks for its
configuration beside its arguments before a conftest can add an option: it would take the
folder in `pytest --recorded DIR` for one of tests, and find neither these tests nor their
settings. Once it has gone wrong, only a run with the option in one word can put it right.
"""

import subprocess
import sys
from collections.abc import Sequence

import pytest

OPTION = "--recorded"


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("svcproof")
    group.addoption(OPTION, metavar="DIR", help="folder of recorded cases outside the project")


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """Runs pytest anew where the option's value has led it away from its configuration."""
    given = config.invocation_params.args
    if config.inipath is not None or OPTION not in given:
        return None
    return subprocess.run([sys.executable, "-m", "pytest", *in_one_word(given)], check=False).returncode


def in_one_word(arguments: Sequence[str]) -> list[str]:
    """The arguments with the option and its value joined.

    >>> in_one_word(["-q", "--recorded", "folder", "tests"])
    ['-q', '--recorded=folder', 'tests']
    """
    out: list[str] = []
    left = iter(arguments)
    for argument in left:
        value = next(left, None) if argument == OPTION else None
        out.append(argument if value is None else f"{OPTION}={value}")
    return out
