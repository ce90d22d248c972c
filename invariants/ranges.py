"""What a range of addresses or numbers is made of, by the definitions of 02.

Said here once more, beside the allocators' part of the model, so that a claim does not
believe what it is meant to check.
"""

from collections.abc import Collection

import attrs

from model.addresses import Family, parse_cidr
from model.api.objects import ServiceCIDR
from model.api.registry import ApiConfig, Registry


def static_size(size: int, step: int, most: int) -> int:
    """The size of the lower band of `size` values (ALLOC-IP-03, ALLOC-NP-02)."""
    return 0 if size <= 16 else min(max(16, size // step), most)


@attrs.frozen
class Range:
    """`first..last` can be given out, the first `static` of them in the lower band."""

    first: int
    last: int
    static: int

    def is_static(self, value: int) -> bool:
        return self.first <= value < self.first + self.static

    def dynamic_is_full(self, taken: Collection[int]) -> bool:
        low = self.first + self.static
        return sum(1 for value in taken if low <= value <= self.last) == self.last - low + 1


@attrs.frozen
class AddressRange(Range):
    """One CIDR, from `low` to `high`; `edges` are those of its addresses that nobody gets (ALLOC-IP-02)."""

    family: Family
    low: int
    high: int

    @property
    def edges(self) -> tuple[int, ...]:
        return (self.low, self.high) if self.family is Family.IPV4 else (self.low,)

    @property
    def is_too_wide(self) -> bool:
        """Whether it has no allocator: an IPv6 range wider than /64 (ALLOC-IP-02)."""
        return self.family is Family.IPV6 and self.high - self.low >= 1 << 64

    def spans(self, family: Family, address: int) -> bool:
        """Whether the address lies in the range, on its edge perhaps."""
        return family is self.family and self.low <= address <= self.high

    def holds(self, family: Family, address: int) -> bool:
        """Whether the address is a usable one of the range."""
        return family is self.family and self.first <= address <= self.last


def node_port_range(config: ApiConfig) -> Range:
    """ALLOC-NP-01, ALLOC-NP-02."""
    first, last = config.first_node_port, config.last_node_port
    return Range(first, last, static_size(last - first + 1, 32, 128))


def address_ranges(registry: Registry, *, ready: bool = False) -> list[AddressRange]:
    """Every CIDR of every ServiceCIDR, or of those alone that give out addresses (ALLOC-IP-01)."""
    return [
        _range(cidr)
        for one in registry.service_cidrs.values()
        if not ready or _is_ready(one)
        for cidr in one.spec.cidrs
    ]


def _range(cidr: str) -> AddressRange:
    family, ((low, high),) = parse_cidr(cidr)
    last = high - 1 if family is Family.IPV4 else high
    return AddressRange(low + 1, last, static_size(high - low + 1, 16, 256), family, low, high)


def _is_ready(one: ServiceCIDR) -> bool:
    unready = any(each.type == "Ready" and each.status != "True" for each in one.status.conditions)
    return one.metadata.deletion_timestamp is None and not unready
