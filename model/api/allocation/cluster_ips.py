"""The pool of cluster IPs: every address that belongs to a Service belongs to one (ALLOC-IP-01).

An address is owned through its IPAddress object, cluster-wide, whatever CIDRs hold it;
so CIDRs may overlap. Pure: each function returns the registry after the change, and a
refused request has changed nothing. Source: `pkg/registry/core/service/ipallocator`.
"""

from collections.abc import Iterator
from functools import lru_cache
from random import Random

import attrs

from model.addresses import Family, format_address
from model.api.allocation.bands import AddressRange, address_range
from model.api.allocation.draw import free_value
from model.api.objects import ServiceCIDR
from model.api.registry import Registry
from model.api.validation.ip_text import parse_ip
from model.objects import ObjectName


@attrs.frozen
class NoAddress(Exception):
    """An address that cannot be had; `why` says it for the answer."""

    why: str

    def __str__(self) -> str:
        return self.why


@lru_cache(maxsize=1 << 14)
def canonical_address(text: str) -> tuple[Family, int]:
    """The family and number of a cluster IP in any form that older servers stored.

    Raises ValueError when the text is not an address.
    """
    address = parse_ip(text)
    if address is None:
        raise ValueError(f"{text!r} is not an IP address")
    return (Family.IPV4 if address.version == 4 else Family.IPV6), int(address)


def canonical_text(text: str) -> str:
    """The name that an address's IPAddress object has."""
    return format_address(*canonical_address(text))


def is_ready(cidr: ServiceCIDR) -> bool:
    """Whether a ServiceCIDR gives out addresses (ALLOC-IP-01).

    One without the condition counts as ready, so that allocation works before the
    controller has set it.
    """
    ready = next((one.status for one in cidr.status.conditions if one.type == "Ready"), "True")
    return ready == "True" and cidr.metadata.deletion_timestamp is None


def take_address(registry: Registry, owner: ObjectName, text: str) -> Registry:
    """The registry with this very address owned, from either band (ALLOC-IP-05).

    Raises NoAddress when no ready CIDR holds it, or it is taken: first come wins.
    """
    family, address = canonical_address(text)
    if not any(one.has(family, address) for one in _ranges(registry, family)):
        raise NoAddress("the provided IP is not in the valid range")
    name = format_address(family, address)
    if name in registry.ip_owners:
        raise NoAddress("provided IP is already allocated")
    return attrs.evolve(registry, ip_owners=registry.ip_owners.insert(name, owner))


def take_next_address(
    registry: Registry, owner: ObjectName, family: Family, draw: Random
) -> tuple[Registry, str]:
    """The registry with some free address of the family owned, and that address (ALLOC-IP-04).

    Ready CIDRs are tried in random order. Raises NoAddress when all are full.
    """
    ranges = sorted(_ranges(registry, family), key=lambda one: (one.network, one.usable.last))
    draw.shuffle(ranges)
    taken = registry.ip_owners
    for one in ranges:
        address = free_value(one.usable, lambda number: format_address(family, number) in taken, draw)
        if address is not None:
            text = format_address(family, address)
            return attrs.evolve(registry, ip_owners=taken.insert(text, owner)), text
    raise NoAddress("range is full")


def check_address_dry(registry: Registry, text: str, draw: Random) -> None:
    """What a dry run asks of a requested address: that one CIDR, any of the family's, holds it.

    The real server asks a random one, ready or not, and never whether the address is
    taken (API-PIPE-06). Raises NoAddress.
    """
    family, address = canonical_address(text)
    one = _any_range(registry, family, draw)
    if not one.has(family, address):
        raise NoAddress("the provided IP is not in the valid range")


def placeholder_address(registry: Registry, family: Family, draw: Random) -> str:
    """What a dry run shows for an address it would allocate: the network address of a CIDR.

    Raises NoAddress when that CIDR, a random one of the family's, is not ready.
    """
    return format_address(family, _any_range(registry, family, draw).network)


def release_address(registry: Registry, text: str) -> Registry:
    """The registry with the address free, whoever owned it (ALLOC-IP-06).

    Nothing happens to an address that no ServiceCIDR holds, in whatever state that is:
    its allocator is gone, and only repair removes what is left (ALLOC-IP-08).
    """
    family, address = canonical_address(text)
    if not any(one.has(family, address) for one, _ in map(_range_of, registry.cidrs)):
        return registry
    return attrs.evolve(registry, ip_owners=registry.ip_owners.discard(format_address(family, address)))


def _range_of(named: tuple[str, ServiceCIDR]) -> tuple[AddressRange, ServiceCIDR]:
    cidr, owner = named
    return address_range(cidr), owner


def _ranges(registry: Registry, family: Family) -> Iterator[AddressRange]:
    """The ranges of ready CIDRs of the family; one range may come twice."""
    for one, owner in map(_range_of, registry.cidrs):
        if one.family is family and is_ready(owner):
            yield one


def _any_range(registry: Registry, family: Family, draw: Random) -> AddressRange:
    found = [(one, is_ready(owner)) for one, owner in map(_range_of, registry.cidrs) if one.family is family]
    if not found:
        raise NoAddress("allocator not ready")
    one, ready = draw.choice(sorted(found, key=lambda item: (item[0].network, item[0].usable.last, item[1])))
    if not ready:
        raise NoAddress("allocator not ready")
    return one
