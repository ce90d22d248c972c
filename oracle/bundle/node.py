"""A node as its proxy sees it, put together from its configuration, interfaces and Node object.

Values are taken in kube-proxy's own order of precedence. What was not given is left at
kube-proxy's default, said in a sentence of `assumptions` and named in the set beside it,
so that it may be inferred from the rules instead.
"""

from collections.abc import Iterable

import attrs
import msgspec

from model.addresses import Family, format_address, parse_address, parse_cidr
from model.node_config import DetectLocalMode, InterfaceAddress, NodeConfig, ProxyMode
from model.objects import Cluster, Node
from model.proxy_version import LATEST, concerned, minor_version, quirks_of, reading_of
from oracle.bundle.evidence import NodeEvidence
from oracle.bundle.interfaces import parse_ip_addr
from oracle.bundle.proxy_config import ProxyConfig, parse_proxy_config

_NO_CONFIG = "no kube-proxy configuration given: "

# NodeConfig field to the sentence that stands while no configuration file gives the field.
ASSUMED_WITHOUT_CONFIG = {
    "mode": f"{_NO_CONFIG}mode iptables assumed",
    "detect_local": f"{_NO_CONFIG}detectLocalMode ClusterCIDR assumed",
    "cluster_cidrs": f"{_NO_CONFIG}clusterCIDR is unknown, so no source counts as a pod",
    "masquerade_all": f"{_NO_CONFIG}masqueradeAll false assumed",
    "masquerade_bit": f"{_NO_CONFIG}masqueradeBit 14 assumed",
    "node_port_addresses": f"{_NO_CONFIG}nodePortAddresses unset assumed",
    "localhost_node_ports": f"{_NO_CONFIG}localhostNodePorts true assumed",
}
LIKE_KUBELET = "kube-proxy's version is not given: the kubelet's is taken"

_UNSET_WITHOUT_CONFIG = frozenset((*ASSUMED_WITHOUT_CONFIG, "bridge_interface", "interface_name_prefix"))

_LINK_LOCAL = {Family.IPV4: parse_cidr("169.254.0.0/16")[1][0], Family.IPV6: parse_cidr("fe80::/10")[1][0]}
_BY_PREFERENCE = ("InternalIP", "ExternalIP")


@attrs.frozen
class _Identity:
    """Who the node is: its name, its Node object, and what is doubtful about that."""

    name: str
    node: Node | None
    doubts: tuple[str, ...] = ()


def node_config(
    evidence: NodeEvidence, cluster: Cluster | None, *, mode: ProxyMode | None = None
) -> tuple[NodeConfig, frozenset[str]]:
    """The node's configuration, and the names of NodeConfig's fields that nothing gave.

    A `mode` stands in place of the configuration's: the node is one whose kube-proxy was
    started in that mode with the same file.

    Raises InputError for a kube-proxy configuration or `ip -j addr` that cannot be read.
    """
    proxy = (
        parse_proxy_config(evidence.proxy_config[1], evidence.proxy_config[0])
        if evidence.proxy_config
        else None
    )
    if proxy is not None and mode is not None:
        proxy = msgspec.structs.replace(proxy, mode=mode.value)
    who = _identity(evidence.name, proxy, cluster)
    listed = parse_ip_addr(evidence.ip_addr[1], evidence.ip_addr[0]) if evidence.ip_addr else None
    own = list(_node_addresses(who.node))
    addresses = tuple(own) if listed is None else listed
    pod_cidrs, bad_cidrs = _pod_cidrs(who.node)
    primary, doubts = _primary(proxy, own, listed)

    assumptions = [*who.doubts, *bad_cidrs, *doubts]
    unset: set[str] = set()
    if listed is None:
        source = "those of the Node object are assumed" if own else "none are known"
        assumptions.append(f"no interface addresses given: {source}")
        unset |= {"addresses"}
    if who.node is None:
        unset |= {"pod_cidrs", "zone"}
    if not primary:
        unset |= {"primary"}
    minor, is_certain = _minor(who.node)
    if not is_certain:
        unset |= {"readings"}
        if minor is not None and cluster is not None and concerned(cluster).slices:
            assumptions.append(f"{LIKE_KUBELET}, 1.{minor}")
    config = NodeConfig(
        name=who.name,
        pod_cidrs=pod_cidrs,
        addresses=addresses,
        addresses_are_complete=listed is not None,
        primary=primary,
        zone=who.node.zone if who.node else None,
        readings=(reading_of(LATEST if minor is None else minor),),
    )
    if proxy is None:
        given = frozenset() if mode is None else {"mode"}
        assumptions.extend(text for name, text in ASSUMED_WITHOUT_CONFIG.items() if name not in given)
        unset |= _UNSET_WITHOUT_CONFIG - given
        config = attrs.evolve(config, mode=mode or config.mode)
    else:
        config = _with_proxy_config(config, proxy)
    if config.mode is not ProxyMode.IPTABLES and minor is not None:  # iptables rules show theirs
        config = attrs.evolve(config, quirks=quirks_of(minor))
    return attrs.evolve(config, assumptions=tuple(assumptions)), frozenset(unset)


def _minor(node: Node | None) -> tuple[int | None, bool]:
    """Kube-proxy's minor version, None if nothing tells, and whether the Node says it itself."""
    own = minor_version(node.kube_proxy_version) if node else None
    if own is not None or node is None:
        return own, own is not None
    return minor_version(node.kubelet_version), False


def _with_proxy_config(config: NodeConfig, proxy: ProxyConfig) -> NodeConfig:
    detect = proxy.detect_local
    bridge = (detect and detect.bridge_interface) or ""
    prefix = (detect and detect.interface_name_prefix) or ""
    # Without its argument a detector is left out, and then nobody is a pod (SRC-02).
    has_argument = {
        DetectLocalMode.CLUSTER_CIDR: proxy.cluster_cidrs,
        DetectLocalMode.NODE_CIDR: config.pod_cidrs,
        DetectLocalMode.BRIDGE_INTERFACE: bridge,
        DetectLocalMode.INTERFACE_NAME_PREFIX: prefix,
    }[proxy.detector]
    node_port_addresses = tuple(proxy.node_port_addresses or ())
    if proxy.proxy_mode is ProxyMode.NFTABLES and not node_port_addresses:
        node_port_addresses = ("primary",)  # NP-02
    section, iptables = proxy.section, proxy.iptables
    bit = section.masquerade_bit
    is_localhost_off = iptables is not None and iptables.localhost_node_ports is False
    return attrs.evolve(
        config,
        mode=proxy.proxy_mode,
        detect_local=proxy.detector if has_argument else DetectLocalMode.NONE,
        cluster_cidrs=proxy.cluster_cidrs,
        bridge_interface=bridge,
        interface_name_prefix=prefix,
        masquerade_all=bool(section.masquerade_all),
        masquerade_bit=14 if bit is None else bit,
        node_port_addresses=node_port_addresses,
        localhost_node_ports=not is_localhost_off,
    )


def _identity(name: str, proxy: ProxyConfig | None, cluster: Cluster | None) -> _Identity:
    """The evidence's name, or hostnameOverride where that alone names a Node of the cluster."""
    override = ((proxy and proxy.hostname_override) or "").strip().lower()
    node = cluster.node(name) if cluster else None
    other = cluster.node(override) if cluster and override and override != name else None
    if node is None and (other is not None or (override and not name)):
        said = (f"hostnameOverride names the node {override}, not {name}",) if name else ()
        name, node, doubts = override, other, said
    elif override and override != name:
        doubts = (f"hostnameOverride is {override}; the node is taken to be {name}",)
    else:
        doubts = ()
    if not name:
        doubts = (*doubts, "no node name given: no endpoint counts as local, zone and pod CIDR are unknown")
    elif node is None:
        doubts = (*doubts, f"no Node object {name} given: its zone and pod CIDR are unknown")
    return _Identity(name, node, doubts)


def _node_addresses(node: Node | None) -> Iterable[InterfaceAddress]:
    """The Node's internal, then external addresses; host names and broken text are no addresses."""
    for kind in _BY_PREFERENCE:
        for of_kind, text in node.addresses if node else ():
            if of_kind == kind:
                try:
                    family, address = parse_address(text)
                except ValueError:
                    continue
                yield InterfaceAddress("", family, address, family.bits)


def _pod_cidrs(node: Node | None) -> tuple[tuple[str, ...], list[str]]:
    good, doubts = [], []
    for text in node.pod_cidrs if node else ():
        try:
            parse_cidr(text)
            good.append(text)
        except ValueError as error:
            doubts.append(f"pod CIDR of the Node object is not used: {error}")
    return tuple(good), doubts


def _primary(
    proxy: ProxyConfig | None, own: list[InterfaceAddress], listed: tuple[InterfaceAddress, ...] | None
) -> tuple[tuple[tuple[Family, int], ...], list[str]]:
    """The node's primary address of each family, as kube-proxy finds it, and doubts about it.

    A specific bindAddress counts first, then the Node object's first internal or external
    address. A family that the Node object leaves out has none (kube-proxy takes loopback,
    which is no node port address). Interfaces are asked only where the Node object gives
    no address at all, or one that the node does not have.
    """
    bind = parse_address(proxy.bind_address) if proxy and proxy.bind_address else None
    primary: list[tuple[Family, int]] = []
    doubts: list[str] = []
    for family in Family:
        if bind and bind[0] is family and bind[1] != 0:
            if not _is_loopback(family, bind[1]):
                primary.append((family, bind[1]))
            continue
        first = next((item.address for item in own if item.family is family), None)
        if first is not None and (listed is None or _has(listed, family, first)):
            primary.append((family, first))
            continue
        if own and first is None:
            continue
        usable = [item.address for item in listed or () if item.family is family and _is_usable(item)]
        if first is not None:
            text = format_address(family, first)
            doubts.append(f"the Node object's address {text} is on none of the node's interfaces")
        if usable:
            primary.append((family, usable[0]))
            text = format_address(family, usable[0])
            doubts.append(
                f"primary {family.value} address {text} assumed: the first on the node's interfaces"
            )
    return tuple(primary), doubts


def _has(addresses: Iterable[InterfaceAddress], family: Family, address: int) -> bool:
    return any(item.family is family and item.address == address for item in addresses)


def _is_loopback(family: Family, address: int) -> bool:
    return any(low <= address <= high for low, high in family.loopback)


def _is_usable(item: InterfaceAddress) -> bool:
    low, high = _LINK_LOCAL[item.family]
    return not _is_loopback(item.family, item.address) and not low <= item.address <= high
