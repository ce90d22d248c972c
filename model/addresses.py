"""IP families, addresses and CIDRs as numbers.

An address is an `int` beside its `Family`; a CIDR is the `Intervals` it covers.
Text is read strictly, as the Kubernetes API stores it since 1.36 (API-F-31):
no leading zeros, no zone, no IPv4-mapped IPv6 unless the caller asks.
"""

import enum
import socket
from functools import lru_cache

from model.intervals import Intervals


class Family(enum.Enum):
    """An IP family; `bits` is the width of its addresses."""

    IPV4 = "IPv4"
    IPV6 = "IPv6"

    @property
    def bits(self) -> int:
        return 32 if self is Family.IPV4 else 128

    @property
    def top(self) -> int:
        """The highest address as a number."""
        return (1 << self.bits) - 1

    @property
    def everything(self) -> Intervals:
        """Every address of the family."""
        return _EVERYTHING[self]

    @property
    def loopback(self) -> Intervals:
        """127.0.0.0/8, or ::1."""
        return ((0x7F000000, 0x7FFFFFFF),) if self is Family.IPV4 else ((1, 1),)


_EVERYTHING = {family: ((0, (1 << bits) - 1),) for family, bits in ((Family.IPV4, 32), (Family.IPV6, 128))}


@lru_cache(maxsize=1 << 18)
def parse_address(text: str) -> tuple[Family, int]:
    """The family and number of a textual address.

    Raises ValueError naming the text when it is not an address.
    """
    try:
        if ":" in text:
            return Family.IPV6, int.from_bytes(socket.inet_pton(socket.AF_INET6, text))
        return Family.IPV4, int.from_bytes(socket.inet_pton(socket.AF_INET, text))
    except OSError:
        raise ValueError(f"{text!r} is not an IP address") from None


@lru_cache(maxsize=1 << 16)
def parse_cidr(text: str) -> tuple[Family, Intervals]:
    """The family and span of `address/length` (or of a bare address).

    Host bits are cleared, as every consumer of a stored CIDR does.
    Raises ValueError naming the text when it is not a CIDR.
    """
    address_text, slash, length_text = text.partition("/")
    try:
        family, address = parse_address(address_text)
    except ValueError:
        raise ValueError(f"{text!r} is not a CIDR") from None
    if not slash:
        return family, ((address, address),)
    if not length_text.isascii() or not length_text.isdigit() or int(length_text) > family.bits:
        raise ValueError(f"{text!r} is not a CIDR")
    host_bits = family.bits - int(length_text)
    low = address >> host_bits << host_bits
    return family, ((low, low | (1 << host_bits) - 1),)


def format_address(family: Family, address: int) -> str:
    """The canonical text of an address.

    >>> format_address(Family.IPV6, 1)
    '::1'
    """
    if family is Family.IPV4:
        return socket.inet_ntop(socket.AF_INET, address.to_bytes(4))
    return socket.inet_ntop(socket.AF_INET6, address.to_bytes(16))
