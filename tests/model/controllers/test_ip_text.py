"""Controllers read addresses as Go's tolerant parser does."""

import pytest

from model.addresses import Family
from model.controllers.ip_text import read_ip

V4, V6 = Family.IPV4, Family.IPV6


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10.0.0.1", (V4, "10.0.0.1")),
        ("010.000.00.0001", (V4, "10.0.0.1")),
        ("10.0.0.00000000000000000000255", (V4, "10.0.0.255")),
        ("10.0.0.256", None),
        ("10.0.0.10001", None),
        ("10.0.0.10000", None),
        ("10.0.0.1000000000000000000000001", None),
        ("10.0.0", None),
        ("10.0.0.1.2", None),
        ("10.0.0.-1", None),
        ("10.0.0.", None),
        ("10.0.0.\u0661", None),
        ("2001:DB8::1", (V6, "2001:db8::1")),
        ("::ffff:10.0.0.1", (V4, "10.0.0.1")),
        ("::10.0.0.1", (V6, "::a00:1")),
        ("x:y", None),
    ],
)
def test_an_address_is_read_with_leading_zeros_and_written_without(text: str, expected: object) -> None:
    """API-F-31: net.ParseIP of old, which stored objects still need."""
    assert read_ip(text) == expected
