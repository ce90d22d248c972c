"""A missing tool is said by name: a skip on a desk, a failure where everything must run.

Where the environment has `SVCPROOF_CI=1` or `CI=true`, a test that lacks its tool or root
fails instead of being skipped, so that a green run means that it ran.

| marker or fixture | the test needs |
|---|---|
| `@pytest.mark.needs_root` | to be root |
| `@pytest.mark.needs_tool("iptables-restore", ...)` | these programs on PATH |
| fixture `recorded` | the folder of recorded cases given by `--recorded DIR` (`oracle.pytest_plugin`) |

`recorded` is stricter than the tools: only `SVCPROOF_RECORDED_REQUIRED=1` turns its skip into
a failure, because a clone of the project alone cannot have that folder.

Hypothesis profiles; HYPOTHESIS_PROFILE or `--hypothesis-profile` names one:

| profile | is the default | examples of a test | drawn from |
|---|---|---|---|
| `dev` | on a desk | 100 | another seed each time; what failed is kept and tried first |
| `ci` | where a missing tool fails | 100, and four times as many histories | the same seed each time |
| `thorough` | never | 2000, and forty times as many histories | another seed each time |

`--hypothesis-seed=0` makes any of them the same each time, and a failure prints what repeats it.

The report ends with every claim by its id: how many tests tried it, and to how many cases of
drawn histories it was held.
"""

import os
import re
import shutil
from collections import Counter
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import settings

# No profile has a deadline: it would measure how busy the machine is, not whether the claim holds.
settings.register_profile("dev", deadline=None, print_blob=True)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.register_profile("thorough", deadline=None, max_examples=2000, print_blob=True)


_CLAIM = re.compile(r"\b(?:INV|NEG)-\d\d\b")


def must_run_everything() -> bool:
    """Whether a missing tool is a failure here."""
    return os.environ.get("SVCPROOF_CI") == "1" or os.environ.get("CI") == "true"


settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if must_run_everything() else "dev"))


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "needs_root: must run as root")
    config.addinivalue_line("markers", "needs_tool(name, ...): needs these programs on PATH")
    config.addinivalue_line("markers", "bites(means, *ids): a claim tried by these means notices a fault")
    # xdist's own, named here for runs without it.
    config.addinivalue_line("markers", "xdist_group(name): one worker runs all tests of the group")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out what takes long, unless everything must run or markers were asked for."""
    if must_run_everything() or config.option.markexpr:
        return
    thorough = [item for item in items if item.get_closest_marker("thorough")]
    if thorough:
        config.hook.pytest_deselected(items=thorough)
        items[:] = [item for item in items if not item.get_closest_marker("thorough")]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Lists the claims that were tried, `INV-01 9 3543` for nine tests and so many cases in histories."""
    tests: Counter[str] = Counter()
    cases: Counter[str] = Counter()
    for report in (*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")):
        if getattr(report, "when", "") != "call":
            continue
        for id in {*_CLAIM.findall(report.nodeid.partition("[")[2])}:
            tests[id] += 1
            cases[id] += dict(report.user_properties).get("cases", 0)
    if tests and terminalreporter.config.get_verbosity() >= 0:
        terminalreporter.section(f"{len(tests)} claims: tests, and cases in histories")
        told = [f"{id} {tests[id]}" + (f" {cases[id]}" if cases[id] else "") for id in sorted(tests)]
        for at in range(0, len(told), 6):
            terminalreporter.line("".join(f"{one:<17}" for one in told[at : at + 6]).rstrip())


def pytest_runtest_setup(item: pytest.Item) -> None:
    tools = [tool for marker in item.iter_markers("needs_tool") for tool in marker.args]
    missing = [tool for tool in tools if shutil.which(tool) is None]
    if missing:
        give_up(f"needs {', '.join(missing)} on PATH", failing=must_run_everything())
    if item.get_closest_marker("needs_root") and os.geteuid() != 0:
        give_up("needs root", failing=must_run_everything())


def give_up(reason: str, *, failing: bool) -> NoReturn:
    """Ends the test as failed or as skipped, saying what it lacks."""
    if failing:
        pytest.fail(f"{reason}, and nothing may be skipped here", pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def recorded(request: pytest.FixtureRequest) -> Path:
    """The folder of `--recorded`; it exists."""
    given: str | None = request.config.getoption("--recorded")
    if given is None:
        required = os.environ.get("SVCPROOF_RECORDED_REQUIRED") == "1"
        give_up("needs recorded cases: give --recorded DIR", failing=required)
    folder = Path(given)
    if not folder.is_dir():
        # Asked for by name, so its absence is a mistake and never a skip.
        pytest.fail(f"--recorded {given}: no such folder", pytrace=False)
    return folder
