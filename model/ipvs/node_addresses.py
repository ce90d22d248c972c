"""Which addresses of its node a proxy in ipvs mode reckons with.

Law: what sits on the dummy device is the proxy's own work and never counts as the node's.
"""

from collections.abc import Iterable

from model.addresses import Family, parse_cidr
from model.intervals import Intervals, contains
from model.ipvs.records import DUMMY_DEVICE
from model.node_config import NodeConfig
from model.node_ports import node_port_addresses

_LINK_LOCAL: Intervals = ((0xFE80 << 112, (0xFEC0 << 112) - 1),)  # fe80::/10


def listed(addresses: Iterable[int], family: Family) -> frozenset[int]:
    """The addresses that a proxy sees of a device: not loopback, nor IPv6 link-local (MODE-01)."""
    return frozenset(
        address
        for address in addresses
        if not contains(family.loopback, address)
        and not (family is Family.IPV6 and contains(_LINK_LOCAL, address))
    )


def node_addresses(config: NodeConfig, family: Family) -> frozenset[int]:
    """Every address of every device but the dummy one, as the proxy lists them (MODE-01)."""
    return listed(
        (one.address for one in config.addresses if one.family is family and one.interface != DUMMY_DEVICE),
        family,
    )


def node_port_servers(config: NodeConfig, family: Family) -> tuple[int, ...]:
    """The addresses on which node ports have virtual servers (MODE-01, MODE-02, MODE-11, NP-01).

    Without a list of CIDRs for the family they are all that the proxy lists. With one they
    are what is in it, on whatever device: there the dummy device and link-local count too.
    """
    if _takes_all(config.node_port_addresses, family):
        return tuple(sorted(node_addresses(config, family)))
    served = node_port_addresses(config, family)
    own = {one.address for one in config.addresses if one.family is family}
    primary = config.primary_address(family)
    candidates = own if primary is None else own | {primary}
    return tuple(sorted(address for address in candidates if contains(served, address)))


def _takes_all(texts: tuple[str, ...], family: Family) -> bool:
    """NP-01, NP-02: no list, none of the family in it, or one that covers all of it."""
    if texts == ("primary",):
        return False
    own = [values for of, values in map(parse_cidr, texts) if of is family]
    return not own or family.everything in own
