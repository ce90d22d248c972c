"""Every suffix of a resource quantity has its factor, and nothing else is a suffix."""

from fractions import Fraction

import pytest

from model.load.quantity import parse_quantity

FACTORS = {
    "n": Fraction(1, 10**9),
    "u": Fraction(1, 10**6),
    "m": Fraction(1, 1000),
    "": Fraction(1),
    "k": Fraction(10**3),
    "M": Fraction(10**6),
    "G": Fraction(10**9),
    "T": Fraction(10**12),
    "P": Fraction(10**15),
    "E": Fraction(10**18),
    "Ki": Fraction(1024),
    "Mi": Fraction(1024**2),
    "Gi": Fraction(1024**3),
    "Ti": Fraction(1024**4),
    "Pi": Fraction(1024**5),
    "Ei": Fraction(1024**6),
}


@pytest.mark.parametrize(("suffix", "factor"), FACTORS.items())
def test_a_suffix_multiplies(suffix: str, factor: Fraction) -> None:
    """apimachinery/pkg/api/resource: decimal powers of 1000, binary ones of 1024."""
    assert parse_quantity(f"2.5{suffix}") == Fraction(5, 2) * factor


@pytest.mark.parametrize(
    ("text", "expected"), [("1e3", 1000), ("2E-1", Fraction(1, 5)), ("-3", -3), ("+.5", Fraction(1, 2))]
)
def test_exponents_and_signs_are_read(text: str, expected: Fraction) -> None:
    assert parse_quantity(text) == expected


@pytest.mark.parametrize("text", ["", "x", "1K", "1 k", "1ki", "1e", "1kk", "m", "1.2.3"])
def test_other_texts_are_no_quantity(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_quantity(text)
