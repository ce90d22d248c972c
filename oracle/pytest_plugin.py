"""pytest's side of svcproof: nothing, unless one of its options is given.

`--svcproof-bundle PATH` tries every claim on a bundle, beside whatever tests there are.
`--recorded DIR` names recorded cases for svcproof's own tests. Options of a conftest come
too late for both: pytest looks for its configuration beside its arguments first, would take
the folder in `pytest --recorded DIR` for one of tests, and find neither the tests nor their
settings. Once it has gone wrong, only a run with the option in one word can put it right.
"""

import subprocess
import sys
from collections.abc import Sequence

import pytest

RECORDED, BUNDLE = "--recorded", "--svcproof-bundle"


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("svcproof")
    group.addoption(RECORDED, metavar="DIR", help="folder of recorded cases outside the project")
    group.addoption(
        BUNDLE, action="append", default=[], metavar="PATH", help="try every claim on this bundle; repeatable"
    )


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """Runs pytest anew where the option's value has led it away from its configuration."""
    given = [str(argument) for argument in config.invocation_params.args]
    if config.inipath is not None or not {RECORDED, BUNDLE} & set(given):
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
        value = next(left, None) if argument in (RECORDED, BUNDLE) else None
        out.append(argument if value is None else f"{argument}={value}")
    return out


def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Adds what is to be judged of each bundle; nothing is imported for it otherwise."""
    for path in config.getoption(BUNDLE):
        from oracle.pytest_bundles import items as of_bundle

        items.extend(of_bundle(session, path))
