"""A printed probability is the fraction that kube-proxy meant."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oracle.dialects.iptables.odds import probability
from oracle.dialects.iptables.tokens import MalformedError


def as_printed(written: str) -> str:
    """What iptables-save prints for a probability that was written: the kernel keeps 31 bits."""
    kept = int(float(written) * 2**31 + 0.5)
    return f"{kept / 2**31:.11f}"


@pytest.mark.parametrize(
    ("text", "odds"),
    [
        ("0.33333333349", Fraction(1, 3)),
        ("0.14285714272", Fraction(1, 7)),
        ("0.33332999982", Fraction(1, 3)),  # kube-proxy before 1.17 wrote 0.33333
        ("0.50000000000", Fraction(1, 2)),
        ("1.00000000000", Fraction(1)),
        ("0.00000000000", Fraction(0)),
        ("0.33333", Fraction(1, 3)),
        ("0.4", Fraction(858993459, 1 << 31)),
        ("0.34000000000", Fraction(730144440, 1 << 31)),
    ],
)
def test_figures_seen_in_dumps(text: str, odds: Fraction) -> None:
    """1/m in the text of either age is 1/m; anything else is what the kernel keeps."""
    assert probability(text) == odds


@given(st.integers(1, 5000))
def test_ten_decimals_come_back_exactly(ways: int) -> None:
    """kube-proxy since 1.17 writes ten decimals."""
    assert probability(as_printed(f"{1 / ways:.10f}")) == Fraction(1, ways)


@given(st.integers(1, 300))
def test_five_decimals_come_back_exactly(ways: int) -> None:
    """kube-proxy before 1.17 wrote five, which tell at most some 300 endpoints apart."""
    assert probability(as_printed(f"{1 / ways:.5f}")) == Fraction(1, ways)


@pytest.mark.parametrize("text", ["", "x", "-0.5", "1.1", "nan", "inf", "1e-3", "0,5", "\u0660.5"])
def test_what_is_no_probability_is_refused(text: str) -> None:
    """Numbers in other forms never come from iptables-save."""
    with pytest.raises(MalformedError):
        probability(text)
