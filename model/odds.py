"""Exact odds, each value held once.

`Fraction` is exact and slow; a node's odds take a hundred or so distinct values. The
same value is always the same object here, so comparing and multiplying odds is a
dictionary look-up.
"""

from fractions import Fraction
from functools import lru_cache

_INTERNED: dict[Fraction, Fraction] = {}


def intern(value: Fraction) -> Fraction:
    """The one object that stands for this value."""
    return _INTERNED.setdefault(value, value)


ONE = intern(Fraction(1))


@lru_cache(maxsize=1 << 16)
def share(count: int) -> Fraction:
    """The chance of each of `count` equal choices (FWD-LB-01)."""
    return intern(Fraction(1, count))


_PRODUCTS: dict[tuple[int, int], Fraction] = {}
_REMAINDERS: dict[tuple[int, int], Fraction] = {}


def taken(before: Fraction, chance: Fraction) -> Fraction:
    """The odds of reaching a rule and being taken by it. Both arguments interned."""
    key = (id(before), id(chance))
    found = _PRODUCTS.get(key)
    if found is None:
        found = _PRODUCTS[key] = intern(before * chance)
    return found


def left(before: Fraction, chance: Fraction) -> Fraction:
    """The odds of reaching a rule and going on. Both arguments interned."""
    key = (id(before), id(chance))
    found = _REMAINDERS.get(key)
    if found is None:
        found = _REMAINDERS[key] = intern(before * (1 - chance))
    return found


def total(first: Fraction, second: Fraction) -> Fraction:
    """The odds of either of two exclusive ways."""
    return intern(first + second)
