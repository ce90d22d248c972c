"""Which addresses and numbers a range holds, and which of them are given out last.

Both allocators split their range: dynamic requests are served from the upper band, so
that people may pick from the lower one without a clash (KEP-3070, KEP-3668). Plain
arithmetic on integers; who owns what is in the pools.
"""

from functools import lru_cache

import attrs

from model.addresses import Family, parse_cidr

_SHORTEST_IPV6_PREFIX = 64
_MOST_HOST_BITS = 128 - _SHORTEST_IPV6_PREFIX


@attrs.frozen
class Bands:
    """A range of integers: `first..middle-1` is the static band, `middle..last` the dynamic one.

    Empty when `last < first`; without a static band `middle == first`.
    """

    first: int
    middle: int
    last: int

    def __contains__(self, number: int) -> bool:
        return self.first <= number <= self.last

    def __len__(self) -> int:
        return max(0, self.last - self.first + 1)


@attrs.frozen
class AddressRange:
    """The usable addresses of one CIDR; `network` is its lowest address, which is not usable."""

    family: Family
    network: int
    usable: Bands

    def has(self, family: Family, address: int) -> bool:
        return family is self.family and address in self.usable


def static_band_size(size: int, *, step: int, most: int) -> int:
    """The size of the lower band of `size` values: a step-th part, within 16..most, none up to 16.

    >>> [static_band_size(size, step=16, most=256) for size in (16, 17, 256, 65536)]
    [0, 16, 16, 256]
    """
    return 0 if size <= 16 else min(max(16, size // step), most)


@lru_cache(maxsize=1 << 10)
def address_range(cidr: str) -> AddressRange:
    """The usable addresses of a service CIDR, split into bands (ALLOC-IP-02, -03).

    IPv4 loses the network and the broadcast address, IPv6 only the former. An IPv6
    prefix shorter than /64 has no allocator, so nothing of it is usable.
    Raises ValueError when the text is not a CIDR.
    """
    family, ((low, high),) = parse_cidr(cidr)
    first, last = low + 1, high - (family is Family.IPV4)
    if (high - low + 1).bit_length() - 1 > _MOST_HOST_BITS:
        return AddressRange(family, low, Bands(first, first, low))
    static = static_band_size(high - low + 1, step=16, most=256)
    return AddressRange(family, low, Bands(first, first + static, last))


@lru_cache(maxsize=16)
def node_port_bands(first: int, last: int) -> Bands:
    """The node port range, split into bands (ALLOC-NP-02); both ends belong to it.

    >>> node_port_bands(30000, 32767)
    Bands(first=30000, middle=30086, last=32767)
    """
    return Bands(first, first + static_band_size(last - first + 1, step=32, most=128), last)
