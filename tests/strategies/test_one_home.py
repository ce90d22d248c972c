"""What is drawn is defined here and nowhere else in the tests."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]


def strategies_defined_in(text: str) -> list[int]:
    """The lines that make a strategy; in a decorator, an annotation or `draw` one is only asked for."""
    tree = ast.parse(text)
    asked = {id(node) for spot in _where_strategies_are_asked_for(tree) for node in ast.walk(spot)}
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "st"
        and id(node) not in asked
    ]


def _where_strategies_are_asked_for(tree: ast.Module) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef():
                yield from (one for one in node.decorator_list if isinstance(one, ast.Call))
                yield from (one.annotation for one in node.args.args if one.annotation)
            case ast.AnnAssign():
                yield node.annotation
            case ast.Call(func=ast.Attribute(attr="draw")):
                yield from node.args


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("@given(st.integers())\ndef test_one(at: st.DataObject): pass", []),
        ("def test_one(data):\n    data.draw(st.integers())", []),
        ("numbers = st.integers()", [1]),
        ("@st.composite\ndef numbers(draw): pass", [1]),
        ("def numbers():\n    return st.integers()", [2]),
    ],
)
def test_a_strategy_is_told_from_the_use_of_one(text: str, expected: list[int]) -> None:
    assert expected == strategies_defined_in(text)


def test_no_test_defines_a_strategy() -> None:
    elsewhere = [path for path in TESTS.rglob("*.py") if Path(__file__).parent not in path.parents]

    stray = [
        f"{path.relative_to(TESTS)}:{line}"
        for path in sorted(elsewhere)
        if "hypothesis" in (text := path.read_text())
        for line in strategies_defined_in(text)
    ]

    assert stray == []
    assert elsewhere
