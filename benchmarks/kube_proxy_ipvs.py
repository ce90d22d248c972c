"""What the tools print of a node whose kube-proxy 1.36 runs in ipvs mode: virtual servers, sets, addresses.

Written from kube-proxy's own order and conditions and the forms of ipvsadm 1.31, ipset 7 and
iproute2, not from the project's model, like `benchmarks.kube_proxy_rules` for the first mode:
a cluster written out here and judged by the oracle is a test of both. The few rules that stand
beside are in `benchmarks.kube_proxy_ipvs_rules`.

Left out: counters, connections, virtual servers of others. Source: rules-ipvs 2 to 5.
"""

import json
from collections.abc import Iterable, Iterator

import attrs

from benchmarks.kube_proxy_ipvs_rules import write_rules
from benchmarks.kube_proxy_ipvs_sets import SETS, Sets, set_name
from benchmarks.kube_proxy_state import Backend, Choice, Portal, backends, choose, portals
from model.addresses import Family, format_address, parse_cidr
from model.intervals import Intervals, contains
from model.node_config import NodeConfig
from model.objects import Cluster

DUMMY = "kube-ipvs0"

_FLAGS = {"tcp": "-t", "udp": "-u", "sctp": "--sctp-service"}


@attrs.frozen
class Server:
    """One virtual server: its place, seconds of persistence (None without), real servers as `ip:port`."""

    protocol: str
    place: str
    persistence: int | None
    real_servers: tuple[str, ...]


@attrs.frozen
class IpvsNode:
    """All that the tools print of one node; `rules` holds iptables-save of each family."""

    servers: tuple[Server, ...]
    sets: dict[Family, Sets]
    rules: dict[Family, str]
    addresses: tuple[tuple[str, tuple[tuple[Family, str, int], ...]], ...]  # device, (family, text, length)

    @property
    def ipvsadm_save(self) -> str:
        """The output of `ipvsadm -Sn`."""
        lines: list[str] = []
        for one in self.servers:
            at = f"{_FLAGS[one.protocol]} {one.place}"
            kept = "" if one.persistence is None else f" -p {one.persistence}"
            lines.append(f"-A {at} -s rr{kept}")
            lines += [f"-a {at} -r {real} -m -w 1" for real in one.real_servers]
        return "".join(f"{line}\n" for line in lines)

    @property
    def ipvsadm_list(self) -> str:
        """The output of `ipvsadm -Ln`."""
        lines = [
            "IP Virtual Server version 1.2.1 (size=4096)",
            "Prot LocalAddress:Port Scheduler Flags",
            "  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn",
        ]
        for one in self.servers:
            kept = "" if one.persistence is None else f" persistent {one.persistence}"
            lines.append(f"{one.protocol.upper():<4} {one.place} rr{kept}")
            lines += [f"  -> {real:<28} Masq    1      0          0         " for real in one.real_servers]
        return "".join(f"{line}\n" for line in lines)

    @property
    def ipset_save(self) -> str:
        """The output of `ipset save`."""
        lines: list[str] = []
        for family, sets in self.sets.items():
            word = "inet" if family is Family.IPV4 else "inet6"
            for name, (kind, _) in SETS.items():
                size = (
                    "range 0-65535" if kind == "bitmap:port" else f"family {word} hashsize 1024 maxelem 65536"
                )
                lines.append(f"create {set_name(name, family)} {kind} {size}")
                lines += [f"add {set_name(name, family)} {entry}" for entry in sets[name]]
        return "".join(f"{line}\n" for line in lines)

    @property
    def ip_addr(self) -> str:
        """The output of `ip -j addr`."""
        links = [
            {
                "ifname": device,
                "addr_info": [
                    {"family": "inet" if of is Family.IPV4 else "inet6", "local": text, "prefixlen": length}
                    for of, text, length in found
                ],
            }
            for device, found in self.addresses
        ]
        return json.dumps(links, indent=1) + "\n"


def write_ipvs(cluster: Cluster, config: NodeConfig) -> IpvsNode:
    """The node once kube-proxy has synced these objects, in both families.

    Services are written in the order of the objects. `config.addresses` are those of every
    device but the dummy one. Raises ValueError for a source range or CIDR that cannot be parsed.
    """
    syncs = {family: _Sync.of(cluster, config, family) for family in Family}
    devices: dict[str, list[tuple[Family, str, int]]] = {}
    for one in config.addresses:
        text = format_address(one.family, one.address)
        devices.setdefault(one.interface, []).append((one.family, text, one.prefix_length))
    bound = [(of, text, of.bits) for of, sync in syncs.items() for text in sync.bound]
    return IpvsNode(
        servers=tuple(one for sync in syncs.values() for one in sync.servers.values()),
        sets={of: sync.entries for of, sync in syncs.items()},
        rules={of: write_rules(config, of, sync.entries, sync.closed) for of, sync in syncs.items()},
        addresses=(*((device, tuple(found)) for device, found in devices.items()), (DUMMY, tuple(bound))),
    )


@attrs.frozen
class _Sync:
    """One sync of one family; `closed` is (address, protocol, port) that the node may not reach."""

    family: Family
    primary: int | None
    own: tuple[str, ...]  # the node's addresses that count
    node_ips: tuple[str, ...]  # those that serve node ports
    servers: dict[tuple[str, str], Server] = attrs.Factory(dict)
    entries: Sets = attrs.field(factory=lambda: {name: {} for name in SETS})
    bound: dict[str, None] = attrs.Factory(dict)
    closed: list[tuple[str, str, int]] = attrs.Factory(list)

    @classmethod
    def of(cls, cluster: Cluster, config: NodeConfig, family: Family) -> "_Sync":
        found = backends(cluster, config, family)
        sync = cls(
            family,
            config.primary_address(family),
            tuple(_own(config, family)),
            tuple(_node_ips(config, family)),
        )
        for portal in portals(cluster, family):
            of_port = found.get((portal.service, portal.port_name, portal.protocol.upper()), ())
            sync.write(portal, of_port, choose(of_port, portal, config))
        sync.entries["KUBE-IPVS-IPS"].update(sync.bound)
        return sync

    def write(self, portal: Portal, found: tuple[Backend, ...], choice: Choice) -> None:
        """Everything of one service port, in kube-proxy's order: what is written last stays."""
        protocol, port = portal.protocol, portal.port
        for one in found:
            if one.is_local:
                number = one.text.rpartition(":")[2]
                self._add("KUBE-LOOP-BACK", f"{one.ip},{protocol}:{number},{one.ip}")
        internal = _policy(choice, is_local=portal.internal_local)
        external = _policy(choice, is_local=portal.external_local)
        self._add("KUBE-CLUSTER-IP", f"{portal.cluster_ip},{protocol}:{port}")
        self.bound[portal.cluster_ip] = None
        self._serve(portal, portal.cluster_ip, port, internal)
        for address in portal.external_ips:
            local = "-LOCAL" if portal.external_local else ""
            self._add(f"KUBE-EXTERNAL-IP{local}", f"{address},{protocol}:{port}")
            self._bind(address)
            self._serve(portal, address, port, external)
        for address in portal.ingress_vips:
            self._write_balancer_sets(portal, address)
            self._bind(address)
            self._serve(portal, address, port, external)
        if portal.node_port:
            if not self.node_ips:
                return
            self._write_node_port_sets(portal)
            for address in self.node_ips:
                self._serve(portal, address, portal.node_port, external)
        if portal.health_check_node_port:
            self._add("KUBE-HEALTH-CHECK-NODE-PORT", str(portal.health_check_node_port))

    def _write_balancer_sets(self, portal: Portal, address: str) -> None:
        entry = f"{address},{portal.protocol}:{portal.port}"
        self._add("KUBE-LOAD-BALANCER", entry)
        if portal.external_local:
            self._add("KUBE-LOAD-BALANCER-LOCAL", entry)
        if not portal.source_ranges:
            return
        self._add("KUBE-LOAD-BALANCER-FW", entry)
        for cidr in portal.source_ranges:
            net = cidr.removesuffix(f"/{self.family.bits}")  # a single address prints without its length
            self._add("KUBE-LOAD-BALANCER-SOURCE-CIDR", f"{entry},{net}")
        spans = [parse_cidr(cidr)[1] for cidr in portal.source_ranges]
        if self.primary is not None and any(contains(span, self.primary) for span in spans):
            self._add("KUBE-LOAD-BALANCER-SOURCE-IP", f"{entry},{address}")
        else:
            self.closed.append((address, portal.protocol, portal.port))

    def _write_node_port_sets(self, portal: Portal) -> None:
        entries, suffix = [str(portal.node_port)], portal.protocol.upper()
        if portal.protocol == "sctp":
            entries, suffix = [f"{address},sctp:{portal.node_port}" for address in self.node_ips], "SCTP-HASH"
        for entry in entries:
            self._add(f"KUBE-NODE-PORT-{suffix}", entry)
            if portal.external_local:
                self._add(f"KUBE-NODE-PORT-LOCAL-{suffix}", entry)

    def _add(self, name: str, entry: str) -> None:
        self.entries[name][entry] = None

    def _bind(self, address: str) -> None:
        if address not in self.own:
            self.bound[address] = None

    def _serve(self, portal: Portal, address: str, port: int, chosen: tuple[Backend, ...]) -> None:
        place = f"[{address}]:{port}" if self.family is Family.IPV6 else f"{address}:{port}"
        targets = tuple(one.text for one in chosen)
        self.servers[portal.protocol, place] = Server(
            portal.protocol, place, portal.affinity_seconds, targets
        )


def _policy(choice: Choice, *, is_local: bool) -> tuple[Backend, ...]:
    """Without local endpoints policy Local has those of the whole cluster."""
    return choice.local if is_local and choice.local else choice.cluster


def _own(config: NodeConfig, family: Family) -> Iterator[str]:
    """The addresses that kube-proxy lists: of all devices but the dummy one, no loopback, no fe80::/10."""
    for one in config.addresses:
        is_link_local = family is Family.IPV6 and one.address >> 118 == 0xFE80 >> 6
        if one.family is family and not contains(family.loopback, one.address) and not is_link_local:
            yield format_address(family, one.address)


def _node_ips(config: NodeConfig, family: Family) -> Iterable[str]:
    """The addresses with virtual servers for node ports: all, or those in the CIDRs of the family."""
    spans: list[Intervals]
    if config.node_port_addresses == ("primary",):
        spans = [((address, address),) for of, address in config.primary if of is family]
    else:
        spans = [span for of, span in map(parse_cidr, config.node_port_addresses) if of is family]
    if not spans or family.everything in spans:
        return dict.fromkeys(_own(config, family))
    return dict.fromkeys(
        format_address(family, one.address)
        for one in config.addresses
        if one.family is family
        and not contains(family.loopback, one.address)
        and any(contains(span, one.address) for span in spans)
    )
