"""Plain scalars are what go-yaml makes of them, without timestamps and base-60 numbers."""

import math
from typing import Any

import pytest

from model.errors import InputError
from model.load.yaml_tree import MAX_DEPTH, yaml_documents


def value_of(text: str) -> Any:
    (document,) = yaml_documents(f"a: {text}\n".encode(), "c.yaml")
    return document["a"]


def refusal(text: str) -> str:
    with pytest.raises(InputError) as fault:
        yaml_documents(text.encode(), "c.yaml")
    return str(fault.value)


@pytest.mark.parametrize("text", ["", "~", "null", "Null", "NULL"])
def test_these_are_null(text: str) -> None:
    assert value_of(text) is None


@pytest.mark.parametrize(
    ("words", "expected"), [(("true", "yes", "on"), True), (("false", "no", "off"), False)]
)
def test_these_words_are_truth_values_in_three_forms(words: tuple[str, ...], expected: bool) -> None:
    for word in words:
        for form in (word, word.capitalize(), word.upper()):
            assert value_of(form) is expected


@pytest.mark.parametrize("text", ["nULL", "tRUE", "y", "n", "Y", "N", "oN", "truee", "none"])
def test_other_words_are_text(text: str) -> None:
    assert value_of(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", 0),
        ("80", 80),
        ("-80", -80),
        ("+80", 80),
        ("0x1F", 31),
        ("-0x1f", -31),
        ("017", 15),
        ("0o17", 15),
        ("-017", -15),
        # Underscores count for nothing, wherever they are.
        ("1_000", 1000),
        ("1_", 1),
        ("1__0", 10),
        ("-_1", -1),
    ],
)
def test_whole_numbers(text: str, expected: int) -> None:
    found = value_of(text)

    assert (found, type(found)) == (expected, int)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0.5", 0.5),
        (".5", 0.5),
        ("1.", 1.0),
        ("-1e3", -1000.0),
        ("1_.5", 1.5),
        ("09", 9.0),
        (".inf", math.inf),
        ("-.Inf", -math.inf),
    ],
)
def test_other_numbers(text: str, expected: float) -> None:
    found = value_of(text)

    assert (found, type(found)) == (expected, float)


def test_not_a_number_is_one() -> None:
    assert math.isnan(value_of(".nan"))
    assert math.isnan(value_of(".NaN"))


@pytest.mark.parametrize(
    "text", ["10.96.0.1", "2001-12-14", "12:30", "fd00::1", "1.2.3", "0x", "0b1", "-x", "1" * 100, "_1", "8O"]
)
def test_what_only_looks_like_a_number_is_text(text: str) -> None:
    assert value_of(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('"80"', "80"),
        ("'true'", "true"),
        ("! 80", "80"),
        ("!!str 80", "80"),
        ("!!int 80", 80),
        ("!!bool yes", True),
        ("!!float 0.5", 0.5),
        ("!!null ~", None),
        ("! {b: 1}", {"b": 1}),
        ("!!map {b: 1}", {"b": 1}),
        ("!!seq [1]", [1]),
    ],
)
def test_a_tag_says_what_a_value_is(text: str, expected: Any) -> None:
    found = value_of(text)

    assert (found, type(found)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("!!int x", "tag:yaml.org,2002:int"),
        ("!!bool 1", "tag:yaml.org,2002:bool"),
        ("!!seq {b: 1}", "tag:yaml.org,2002:seq"),
        ("!!map [1]", "tag:yaml.org,2002:map"),
        ("!mine 1", "!mine"),
        ("!mine [1]", "!mine"),
    ],
)
def test_a_tag_that_does_not_fit_is_refused(text: str, tag: str) -> None:
    assert refusal(f"b: 1\na: {text}\n") == f"c.yaml:2: YAML: tag {tag} is not read"


def test_an_alias_stands_for_the_value_of_its_anchor_of_any_kind() -> None:
    text = "a: &s x\nb: &l [1]\nc: &m {k: v}\nd: [*s, *l, *m]\n"

    (document,) = yaml_documents(text.encode(), "c.yaml")

    assert document["d"] == ["x", [1], {"k": "v"}]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: *x\n", "c.yaml:1: YAML: alias *x names no finished value"),
        ("a: &x [*x]\n", "c.yaml:1: YAML: alias *x names no finished value"),
        ("a: &x 1\n---\nb: *x\n", "c.yaml:3: YAML: alias *x names no finished value"),
        ("a: 1\na: 2\n", "c.yaml:2: YAML: key 'a' occurs twice in one mapping"),
        ("a: 1\n<<: {b: 1}\n", "c.yaml:2: YAML: merge keys (<<) are not read"),
        ("[a]: 1\n", "c.yaml:1: YAML: a mapping's key is not a scalar"),
    ],
)
def test_what_is_not_read_is_refused_with_its_line(text: str, expected: str) -> None:
    assert refusal(text) == expected


def test_a_key_that_is_quoted_may_look_like_a_merge_key() -> None:
    (document,) = yaml_documents(b'"<<": 1\n', "c.yaml")

    assert document == {"<<": 1}


def test_nesting_has_a_bound() -> None:
    deepest = "[" * MAX_DEPTH + "]" * MAX_DEPTH

    assert len(yaml_documents(deepest.encode(), "c.yaml")) == 1
    assert refusal(f"[{deepest}]") == f"c.yaml:1: YAML: nested more than {MAX_DEPTH} deep"


def test_empty_documents_are_left_out() -> None:
    assert yaml_documents(b"---\n---\na: 1\n---\n", "c.yaml") == [{"a": 1}]
