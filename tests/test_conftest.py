"""What a test lacks is named, and fails the run where everything must run."""

from pathlib import Path

import pytest

CONFTEST = Path(__file__).with_name("conftest.py").read_text()

LACKS_A_TOOL = """
    import pytest

    @pytest.mark.needs_tool("no-such-program")
    def test_it():
        pass
"""

USES_RECORDED_CASES = """
    def test_it(recorded):
        assert recorded.is_dir()
"""


@pytest.fixture
def inner(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A project of its own with this conftest, in an environment that demands nothing."""
    for name in ("CI", "SVCPROOF_CI", "SVCPROOF_RECORDED_REQUIRED", "HYPOTHESIS_PROFILE", "PYTEST_ADDOPTS"):
        monkeypatch.delenv(name, raising=False)
    pytester.makeconftest(CONFTEST)
    return pytester


def test_a_missing_tool_is_skipped_by_name_on_a_desk(inner: pytest.Pytester) -> None:
    inner.makepyfile(LACKS_A_TOOL)

    result = inner.runpytest_subprocess("-rs")

    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines("*needs no-such-program on PATH*")


@pytest.mark.parametrize(("name", "value"), [("SVCPROOF_CI", "1"), ("CI", "true")])
def test_a_missing_tool_fails_where_everything_must_run(
    inner: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    inner.makepyfile(LACKS_A_TOOL)

    result = inner.runpytest_subprocess()

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines("*needs no-such-program on PATH*")


def test_recorded_cases_are_skipped_when_no_folder_is_given(inner: pytest.Pytester) -> None:
    inner.makepyfile(USES_RECORDED_CASES)

    result = inner.runpytest_subprocess("-rs")

    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines("*give --recorded DIR*")


def test_recorded_cases_fail_when_required_and_not_given(
    inner: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SVCPROOF_RECORDED_REQUIRED", "1")
    inner.makepyfile(USES_RECORDED_CASES)

    result = inner.runpytest_subprocess()

    result.assert_outcomes(errors=1)


def test_recorded_cases_are_read_from_the_folder_given(inner: pytest.Pytester) -> None:
    inner.makepyfile(USES_RECORDED_CASES)
    inner.mkdir("cases")

    result = inner.runpytest_subprocess("--recorded", "cases")

    result.assert_outcomes(passed=1)


def test_a_recorded_folder_that_does_not_exist_is_an_error(inner: pytest.Pytester) -> None:
    inner.makepyfile(USES_RECORDED_CASES)

    result = inner.runpytest_subprocess("--recorded", "absent")

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines("*--recorded absent: no such folder*")


def test_the_folder_of_recorded_cases_may_follow_a_blank(
    inner: pytest.Pytester, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Though pytest then looks for its settings beside that folder first."""
    inner.makeini("[pytest]\naddopts = --strict-markers\nmarkers = mine: known by these settings only")
    inner.makepyfile(
        "import pytest\n\n@pytest.mark.mine\ndef test_it(recorded):\n    assert recorded.is_dir()"
    )

    result = inner.runpytest_subprocess("--recorded", str(tmp_path_factory.mktemp("elsewhere")))

    result.assert_outcomes(passed=1)


CLAIMS_BY_ID = """
    import pytest

    @pytest.mark.parametrize("id", ["INV-01", "NEG-02"])
    def test_a_claim(id, record_property):
        record_property("cases", 7 if id == "INV-01" else 0)

    @pytest.mark.parametrize("id", ["INV-01: caught"])
    def test_it_can_fail(id):
        assert not id

    def test_something_else():
        pass
"""


def test_the_report_lists_claims_with_their_tests_and_cases(inner: pytest.Pytester) -> None:
    inner.makepyfile(CLAIMS_BY_ID)

    result = inner.runpytest_subprocess()

    assert "INV-01 2 7       NEG-02 1" in result.outlines


A_LONG_AND_A_SHORT_TEST = """
    import pytest

    @pytest.mark.thorough
    def test_long():
        pass

    def test_short():
        pass
"""


@pytest.mark.parametrize(
    ("arguments", "must_run", "passed", "left_out"),
    [((), "", 1, 1), (("-m", "thorough"), "", 1, 1), ((), "1", 2, 0)],
)
def test_long_tests_run_where_everything_must_and_when_asked_for(
    inner: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    must_run: str,
    passed: int,
    left_out: int,
) -> None:
    monkeypatch.setenv("SVCPROOF_CI", must_run)
    inner.makeini("[pytest]\nmarkers = thorough: takes long")
    inner.makepyfile(A_LONG_AND_A_SHORT_TEST)

    result = inner.runpytest_subprocess(*arguments)

    result.assert_outcomes(passed=passed, deselected=left_out)
