"""How often something is drawn: the usual value mostly, what it shrinks to, and an odd one at times."""

from typing import Any, TypeVar

from hypothesis import strategies as st

T = TypeVar("T")


def mostly(usual: T, *others: T) -> st.SearchStrategy[T]:
    """The usual value in about four of five draws, and when shrinking."""
    return st.sampled_from((usual,) * 4 * max(len(others), 1) + others)


def sometimes(value: Any, otherwise: Any = None) -> st.SearchStrategy[Any]:
    """The value, one time in four."""
    return st.sampled_from((otherwise, otherwise, otherwise, value))
