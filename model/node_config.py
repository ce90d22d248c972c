"""What else decides a node's treatment of packets: kube-proxy's settings and addresses.

Every setting is kube-proxy's own, with kube-proxy's default; `assumptions` names in
words each value that was neither given nor certain.
"""

import enum

import attrs

from model.addresses import Family, parse_cidr
from model.intervals import EMPTY, Intervals, normalise
from model.proxy_version import KNOWN_BUGS, Quirk, Reading


class ProxyMode(enum.Enum):
    IPTABLES = "iptables"
    NFTABLES = "nftables"
    IPVS = "ipvs"


class DetectLocalMode(enum.Enum):
    """How a node tells that a packet comes from a pod (SRC-02, KEP-2450)."""

    CLUSTER_CIDR = "ClusterCIDR"
    NODE_CIDR = "NodeCIDR"
    BRIDGE_INTERFACE = "BridgeInterface"
    INTERFACE_NAME_PREFIX = "InterfaceNamePrefix"
    NONE = "None"  # no detector configured: nobody is a pod


@attrs.frozen
class InterfaceAddress:
    """One address of one interface, as `ip addr` shows it."""

    interface: str
    family: Family
    address: int
    prefix_length: int


@attrs.frozen
class NodeConfig:
    """One node as its proxy sees it.

    `cluster_cidrs` and `pod_cidrs` hold at most one CIDR a family that counts: the
    first of each family (SRC-02). `node_port_addresses` is kube-proxy's list: empty,
    ("primary",), or CIDRs (NP-01). `addresses` are those of every interface,
    loopback included where it was listed. `readings` is every way in which its version
    of kube-proxy may read the slices, the likeliest first: one unless the version is
    unknown. `quirks` are those of its rules' layout.
    """

    name: str
    mode: ProxyMode = ProxyMode.IPTABLES
    detect_local: DetectLocalMode = DetectLocalMode.CLUSTER_CIDR
    cluster_cidrs: tuple[str, ...] = ()
    pod_cidrs: tuple[str, ...] = ()
    bridge_interface: str = ""
    interface_name_prefix: str = ""
    masquerade_all: bool = False
    masquerade_bit: int = 14
    node_port_addresses: tuple[str, ...] = ()
    localhost_node_ports: bool = True
    addresses: tuple[InterfaceAddress, ...] = ()
    addresses_are_complete: bool = False  # read off the interfaces, not off the Node object
    primary: tuple[tuple[Family, int], ...] = ()
    zone: str | None = None
    readings: tuple[Reading, ...] = (Reading(),)
    quirks: frozenset[Quirk] = frozenset()
    assumptions: tuple[str, ...] = ()

    def promised(self) -> "NodeConfig":
        """The node without the known bugs of its kube-proxy: what Services may expect of it."""
        return attrs.evolve(self, quirks=self.quirks - KNOWN_BUGS.keys())

    def local_addresses(self, family: Family) -> Intervals:
        """Addresses that addrtype LOCAL accepts: each interface's, and all loopback."""
        own = [(a.address, a.address) for a in self.addresses if a.family is family]
        return normalise([*own, *family.loopback])

    def primary_address(self, family: Family) -> int | None:
        """The node's primary address of the family, None when it has none."""
        return dict(self.primary).get(family)

    def detector_cidr(self, family: Family) -> Intervals:
        """The source addresses of pods under a CIDR detector; empty under the others."""
        texts = {
            DetectLocalMode.CLUSTER_CIDR: self.cluster_cidrs,
            DetectLocalMode.NODE_CIDR: self.pod_cidrs,
        }.get(self.detect_local, ())
        for text in texts:
            of, values = parse_cidr(text)
            if of is family:
                return values
        return EMPTY
