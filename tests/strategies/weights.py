"""How often something is drawn: the usual value mostly, what it shrinks to, and an odd one at times.

A strategy that is made anew for every example is looked into anew; so what clusters are made of
is asked for here, where each choice is made once.
"""

from collections.abc import Hashable
from functools import cache
from typing import Any, TypeVar

from hypothesis import strategies as st

T = TypeVar("T")


def evenly(*values: T) -> st.SearchStrategy[T]:
    """Each as often as any other; the first when shrinking."""
    return _choice(values)


def mostly(usual: T, *others: T) -> st.SearchStrategy[T]:
    """The usual value in about four of five draws, and when shrinking."""
    return _choice((usual,) * 4 * max(len(others), 1) + others)


def sometimes(value: Any, otherwise: Any = None) -> st.SearchStrategy[Any]:
    """The value, one time in four."""
    return st.sampled_from((otherwise, otherwise, otherwise, value))


def _choice(values: tuple[T, ...]) -> st.SearchStrategy[T]:
    # One and True are equal, and so are tuples of them: their types tell them apart.
    return _made(values, tuple(map(type, values)))


@cache
def _made(values: tuple[T, ...], _: Hashable) -> st.SearchStrategy[T]:
    return st.sampled_from(values)
