"""Searches for a drawn case that is wanted: the same case on every run, and a failure where there is none.

No search has a deadline, for it ends by the number of its examples, and a busy machine must
not change what is found. Neither has health checks: they speak of examples that are rejected
or slow, and here every example but the last is one that is not wanted.
"""

from collections.abc import Callable
from random import Random
from typing import TypeVar

from hypothesis import HealthCheck, Phase, find, given, seed, settings
from hypothesis import strategies as st

T = TypeVar("T")

FIRST = settings(
    max_examples=3000,
    phases=[Phase.generate],
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
"""Ends with the first case that is wanted."""

SMALLEST = settings(FIRST, phases=[Phase.generate, Phase.shrink])
"""Makes what it found as small as it gets."""


def found(drawn: st.SearchStrategy[T], wanted: Callable[[T], bool], search: settings = FIRST) -> T:
    """A drawn case that is wanted; hypothesis.errors.NoSuchExample fails the test when there is none."""
    return find(drawn, wanted, settings=search, random=Random(0))


def sample(drawn: st.SearchStrategy[T], count: int) -> list[T]:
    """So many examples, the same on every run."""
    examples: list[T] = []

    @seed(0)
    @settings(FIRST, max_examples=count)
    @given(drawn)
    def collect(example: T) -> None:
        examples.append(example)

    collect()
    return examples
