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

Hypothesis profiles: `dev` (the default), `ci` (the default where a missing tool fails; the
same examples on every run) and `thorough`. HYPOTHESIS_PROFILE or `--hypothesis-profile`
names another.
"""

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import settings

# No profile has a deadline: it would measure how busy the machine is, not whether the claim holds.
settings.register_profile("dev", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.register_profile("thorough", deadline=None, max_examples=2000, print_blob=True)


def must_run_everything() -> bool:
    """Whether a missing tool is a failure here."""
    return os.environ.get("SVCPROOF_CI") == "1" or os.environ.get("CI") == "true"


settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if must_run_everything() else "dev"))


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "needs_root: must run as root")
    config.addinivalue_line("markers", "needs_tool(name, ...): needs these programs on PATH")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out what takes long, unless everything must run or markers were asked for."""
    if must_run_everything() or config.option.markexpr:
        return
    thorough = [item for item in items if item.get_closest_marker("thorough")]
    if thorough:
        config.hook.pytest_deselected(items=thorough)
        items[:] = [item for item in items if not item.get_closest_marker("thorough")]


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
