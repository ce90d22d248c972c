"""The values between two bounds, or under a prefix."""

from typing import Final

from oracle.dialects.nftables.expressions import Address, Range, Scalar, Unknown


def span(low: Scalar | Unknown, high: Scalar | Unknown, text: str) -> Range | Scalar | Unknown:
    """The range of two values; Unknown when they are not of one kind and in order."""
    match low, high:
        case (Address(family, first), Address(other, last)) if family is other and first <= last:
            return Range(low, high) if first != last else low
        case (int(first), int(last)) if first <= last:
            return Range(first, last) if first != last else first
        case (str(first_name), str(last_name)):
            return Range(first_name, last_name)
        case _:
            return Unknown(text)


_BITS: Final = {"mark": 32, "inet_service": 16, "inet_proto": 8}


def prefix(base: Scalar | Unknown, length: int, type_name: str, text: str) -> Range | Scalar | Unknown:
    """The values that share `length` leading bits with `base`, addresses or numbers of a known width.

    nft prints a comparison under a mask of leading bits so: `meta mark & 0x80000000 != 0`
    becomes `meta mark != 0x00000000/1`.

    >>> prefix(0, 1, "mark", "0x00000000/1")
    Range(low=0, high=2147483647)
    """
    match base:
        case Address(family, value) if 0 <= length <= family.bits:
            low, high = _leading(value, length, family.bits)
            return Range(Address(family, low), Address(family, high)) if low != high else base
        case int(value) if 0 <= length <= _BITS.get(type_name, -1):
            return span(*_leading(value, length, _BITS[type_name]), text)
        case _:
            return Unknown(text)


def _leading(value: int, length: int, bits: int) -> tuple[int, int]:
    low = value >> (bits - length) << (bits - length)
    return low, low | (1 << (bits - length)) - 1
