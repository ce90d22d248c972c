"""The chance of `-m statistic`, exact again after the kernel rounded it.

The kernel keeps k = round(p * 2^31), and iptables-save prints k / 2^31 with 11 decimals.
kube-proxy meant 1/m. So a printed p is taken for 1/m, with m = round(1/p), when

- k differs from 2^31/m by at most one step (kube-proxy since 1.17 writes 10 decimals), or
- k is what the text of 1/m with 5 decimals gives (kube-proxy before 1.17);

anything else is k / 2^31, the chance that the kernel really uses. With 5 decimals,
neighbouring m cannot be told apart above about 316.

Source: rules-iptables 4 (1.17) and 6.
"""

import re
from fractions import Fraction
from functools import lru_cache

from oracle.dialects.iptables.tokens import MalformedError

_STEPS = 1 << 31
_NUMBER = re.compile(r"\d{1,20}(?:\.\d{0,40})?|\.\d{1,40}", re.ASCII)


@lru_cache(maxsize=1 << 14)
def probability(text: str) -> Fraction:
    """The chance meant by the text of `--probability`, 0 to 1.

    Raises MalformedError when the text is not such a number.

    >>> probability("0.33333333349"), probability("0.33332999982"), probability("0.4")
    (Fraction(1, 3), Fraction(1, 3), Fraction(858993459, 2147483648))
    """
    if not _NUMBER.fullmatch(text) or not 0 <= float(text) <= 1:
        raise MalformedError(f"probability {text} is not a number from 0 to 1")
    steps = _kernel_steps(text)
    if steps == 0:
        return Fraction(0)
    ways = round(_STEPS / steps)
    if abs(steps * ways - _STEPS) <= ways or steps == _kernel_steps(f"{1 / ways:.5f}"):
        return Fraction(1, ways)
    return Fraction(steps, _STEPS)


def _kernel_steps(text: str) -> int:
    """The integer that iptables stores for a probability."""
    return int(float(text) * _STEPS + 0.5)
