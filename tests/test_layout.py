"""Imports run one way, heavy libraries stay out of the command's start, and files stay short."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

MAY_IMPORT = {
    "model": {"model"},
    "invariants": {"model", "invariants"},
    "oracle": {"model", "invariants", "oracle"},
}
OURS = {*MAY_IMPORT, "tests", "benchmarks"}

HEAVY = {"hypothesis", "pytest", "z3"}
MAY_BE_HEAVY = {
    "model/symbolic.py",
    "invariants/machine.py",
    "invariants/strategies.py",
    "oracle/pytest_bundles.py",
    "oracle/pytest_plugin.py",
}
HEAVY_FOLDERS = ("invariants/prove/",)

MOST_LINES = 300
HEAD_LINES = 40  # where a long file must give its reason


def sources(root: Path) -> Iterator[tuple[str, str, str]]:
    """(package, path below root, text) of every module of the packages."""
    for package in MAY_IMPORT:
        for path in sorted((root / package).rglob("*.py")):
            yield package, path.relative_to(root).as_posix(), path.read_text()


def imported(tree: ast.AST, module_level: bool) -> Iterator[tuple[int, str]]:
    """(line, top-level name) of each import; with `module_level`, of those that run at import."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name.partition(".")[0]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            # A relative import stays in its package: absolute ones are the custom here.
            yield node.lineno, "." if node.level else (node.module or "").partition(".")[0]
        elif not (module_level and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)):
            yield from imported(node, module_level)


def imports_against_the_layers(root: Path) -> list[str]:
    return [
        f"{path}:{line} imports {name}"
        for package, path, text in sources(root)
        for line, name in imported(ast.parse(text), module_level=False)
        if name in OURS | {"."} and name not in MAY_IMPORT[package]
    ]


def heavy_imports(root: Path) -> list[str]:
    return [
        f"{path}:{line} imports {name}"
        for _, path, text in sources(root)
        if path not in MAY_BE_HEAVY and not path.startswith(HEAVY_FOLDERS)
        for line, name in imported(ast.parse(text), module_level=True)
        if name in HEAVY
    ]


def long_files_without_a_reason(root: Path) -> list[str]:
    long = []
    for _, path, text in sources(root):
        lines = text.splitlines()
        reasons = [line for line in lines[:HEAD_LINES] if line.startswith("# long file: ")]
        if len(lines) > MOST_LINES and not reasons:
            long.append(f"{path}: {len(lines)} lines")
    return long


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for package in MAY_IMPORT:
        (tmp_path / package).mkdir()
    return tmp_path


def test_imports_run_one_way() -> None:
    assert imports_against_the_layers(ROOT) == []


def test_an_import_up_the_layers_is_found_even_inside_a_function(project: Path) -> None:
    (project / "model" / "a.py").write_text("def f():\n    from oracle.space.walk import walk\n")
    (project / "oracle" / "b.py").write_text("import model.packet\nfrom invariants import facts\n")
    (project / "invariants" / "c.py").write_text("import os, tests.helpers\nfrom . import facts\n")

    assert imports_against_the_layers(project) == [
        "model/a.py:2 imports oracle",
        "invariants/c.py:1 imports tests",
        "invariants/c.py:2 imports .",
    ]


def test_heavy_libraries_are_imported_only_where_they_are_the_purpose() -> None:
    assert heavy_imports(ROOT) == []


def test_a_heavy_import_is_found_where_it_runs_at_import(project: Path) -> None:
    (project / "model" / "symbolic.py").write_text("import z3\n")
    (project / "model" / "a.py").write_text("def f():\n    import z3\n\n\nclass C:\n    import z3.z3util\n")
    (project / "oracle" / "b.py").write_text(
        "try:\n    from hypothesis import given\nexcept ImportError: pass\n"
    )

    assert heavy_imports(project) == ["model/a.py:6 imports z3", "oracle/b.py:2 imports hypothesis"]


def test_the_command_starts_without_heavy_libraries() -> None:
    program = f"import oracle.cli, sys; print(sorted({HEAVY!r} & sys.modules.keys()))"

    result = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)

    assert (result.stdout, result.stderr) == ("[]\n", "")


def test_files_are_short_or_say_why_not() -> None:
    assert long_files_without_a_reason(ROOT) == []


def test_a_long_file_is_found_unless_its_head_gives_a_reason(project: Path) -> None:
    (project / "model" / "short.py").write_text("x = 1\n" * 300)
    (project / "model" / "long.py").write_text("x = 1\n" * 301)
    (project / "model" / "reasoned.py").write_text("# long file: one table\n" + "x = 1\n" * 301)
    (project / "oracle" / "late.py").write_text("x = 1\n" * 301 + "# long file: too late\n")

    assert long_files_without_a_reason(project) == ["model/long.py: 301 lines", "oracle/late.py: 302 lines"]
