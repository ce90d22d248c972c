"""The addresses on which a node answers node ports, and whether loopback is one (NP-01..03)."""

from model.addresses import Family, parse_cidr
from model.intervals import EMPTY, Intervals, complement, intersect, normalise, single, union
from model.node_config import NodeConfig, ProxyMode


def _covers_everything(config: NodeConfig, family: Family) -> bool | None:
    """Whether node ports answer on all addresses; None when the list names some (NP-01)."""
    texts = config.node_port_addresses
    if not texts and config.mode is not ProxyMode.NFTABLES:  # NP-02
        return True
    if not texts or texts == ("primary",):
        # The proxy puts the primary addresses in its place; a family without one is not listed.
        return config.primary_address(family) is None
    cidrs = [parse_cidr(text) for text in texts]
    own = [values for of, values in cidrs if of is family]
    return not own or family.everything in own


def serves_localhost(config: NodeConfig, family: Family) -> bool:
    """NP-03: IPv4, iptables mode, switched on, and the address list covers loopback."""
    if family is not Family.IPV4 or config.mode is not ProxyMode.IPTABLES or not config.localhost_node_ports:
        return False
    if _covers_everything(config, family):
        return True
    listed = [
        parse_cidr(text)[1]
        for text in config.node_port_addresses
        if text != "primary" and parse_cidr(text)[0] is family
    ]
    return any(intersect(values, family.loopback) for values in listed)


def node_port_addresses(config: NodeConfig, family: Family) -> Intervals:
    """The addresses on which this node answers node ports (NP-01..03, MODE-01, MODE-02)."""
    own = normalise((a.address, a.address) for a in config.addresses if a.family is family)
    not_loopback = complement(family.loopback, family.top)
    if _covers_everything(config, family):
        everywhere = config.local_addresses(family)
        return everywhere if serves_localhost(config, family) else intersect(everywhere, not_loopback)
    primary = config.primary_address(family)
    primary_only = ((primary, primary),) if primary is not None else EMPTY
    if not config.node_port_addresses or config.node_port_addresses == ("primary",):
        return primary_only
    listed: Intervals = EMPTY
    for text in config.node_port_addresses:
        of, values = parse_cidr(text)
        if of is family:
            listed = union(listed, values)
    if not config.addresses_are_complete:
        own = union(own, single(family.loopback[0][1] if family is Family.IPV6 else 0x7F000001))
    chosen = intersect(own, listed)
    return chosen if serves_localhost(config, family) else intersect(chosen, not_loopback)
