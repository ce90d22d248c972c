"""The text of `iptables-save` on a node whose kube-proxy 1.36 runs in iptables mode.

Written from kube-proxy's chain layout (names, order and comments of its rules) and the
form in which iptables 1.8.9 prints them, not from the project's model: a drawn cluster
written out here and judged by the oracle is a test of both. Beyond 1,000 endpoints the
comments of endpoint rules are left out, as kube-proxy does then.

Left out: counters, chains of others, and hosts where nfacct or random-fully is missing.
"""

import random
from base64 import b32encode
from hashlib import sha256

import attrs

from benchmarks.kube_proxy_frame import (
    Chains,
    comment,
    fixed_chains,
    has_localhost_node_ports,
    node_port_jumps,
)
from benchmarks.kube_proxy_state import Backend, Choice, Portal, backends, choose, cidr_text, portals
from model.addresses import Family, format_address, parse_cidr
from model.intervals import contains
from model.node_config import DetectLocalMode, NodeConfig
from model.objects import Cluster

LARGE_CLUSTER_ENDPOINTS = 1000


def write_iptables(
    cluster: Cluster, config: NodeConfig, family: Family, order_seed: int | None = None
) -> str:
    """What iptables-save (ip6tables-save) prints once kube-proxy has synced these objects.

    Services are written in the order of the objects; `order_seed` shuffles them, since
    kube-proxy's own order between services is that of a map. Raises ValueError for a
    source range or node-port CIDR that cannot be parsed.
    """
    found = backends(cluster, config, family)
    entries = [
        (p, found.get((p.service, p.port_name, p.protocol.upper()), ())) for p in portals(cluster, family)
    ]
    if order_seed is not None:
        random.Random(order_seed).shuffle(entries)
    tables = fixed_chains(config, family)
    writer = _Writer(
        config=config,
        family=family,
        filter=tables.filter,
        nat=tables.nat,
        pod_source=_detector(config, family),
        localhost_node_ports=has_localhost_node_ports(config, family),
        comments_endpoints=sum(len(all_of) for _, all_of in entries) <= LARGE_CLUSTER_ENDPOINTS,
    )
    for portal, all_of in entries:
        writer.write_portal(portal, choose(all_of, portal, config))
    tables.nat["KUBE-SERVICES"] += node_port_jumps(config, family)
    return tables.text()


def chain_hash(text: str) -> str:
    """The 16 characters behind a chain's prefix: base32 of SHA-256, cut.

    >>> chain_hash("kube-system/kube-dns:dns" + "udp")
    'TCOU7JCQXEZGVUNU'
    """
    return b32encode(sha256(text.encode()).digest())[:16].decode()


def probability(choices: int) -> str:
    """1/choices as iptables prints it: through kube-proxy's 10 decimals and the kernel's 31 bits.

    >>> probability(3)
    '0.33333333349'
    """
    scale = 1 << 31
    return f"{round(float(f'{1 / choices:.10f}') * scale) / scale:.11f}"


@attrs.frozen
class _Writer:
    """Puts service ports into the chains of `filter` and `nat`.

    `pod_source` is the match of packets that come from pods, "" without a detector.
    """

    config: NodeConfig
    family: Family
    filter: Chains
    nat: Chains
    pod_source: str
    localhost_node_ports: bool
    comments_endpoints: bool

    @property
    def _full(self) -> str:
        return f"/{self.family.bits}"

    @property
    def _reject(self) -> str:
        kind = "icmp-port-unreachable" if self.family is Family.IPV4 else "icmp6-port-unreachable"
        return f"REJECT --reject-with {kind}"

    def write_portal(self, portal: Portal, choice: Choice) -> None:
        """Everything kube-proxy writes for one service port."""
        names = _Names.of(portal)
        has_internal = bool(choice.local) if portal.internal_local else choice.has_endpoints
        has_external = bool(choice.local) if portal.external_local else choice.has_endpoints
        no_local = f"{portal.title} has no local endpoints", "DROP"
        refusal = no_local if choice.has_endpoints else (f"{portal.title} has no endpoints", self._reject)
        internal_chain = names.svl if portal.internal_local else names.svc
        masquerading = internal_chain if has_internal else ""

        cluster_ip = self._at(portal, portal.cluster_ip, f"{portal.title} cluster IP")
        if has_internal:
            self.nat["KUBE-SERVICES"].append(f"{cluster_ip} -j {internal_chain}")
        else:
            why, target = refusal
            self.filter["KUBE-SERVICES"].append(f"{self._at(portal, portal.cluster_ip, why)} -j {target}")

        if choice.has_endpoints:
            self._capture_external(portal, names)
        if not has_external:
            self._refuse_external(portal, *refusal)
        if portal.health_check_node_port:
            self.filter["KUBE-NODEPORTS"].append(
                f"-p tcp {comment(f'{portal.title} health check node port')}"
                f" -m tcp --dport {portal.health_check_node_port} -j ACCEPT"
            )
        if not choice.has_endpoints:
            return

        if portal.has_external_frontend:
            self._write_external_chain(portal, names, has_external)
        self._write_policy_chain(portal, names.svc, choice.cluster, masquerading)
        self._write_policy_chain(portal, names.svl, choice.local, masquerading)
        for backend in choice.reachable:
            self._write_endpoint_chain(portal, backend)

    def _at(self, portal: Portal, address: str, why: str) -> str:
        """A match of address, protocol and service port."""
        protocol = portal.protocol
        return f"-d {address}{self._full} -p {protocol} {comment(why)} -m {protocol} --dport {portal.port}"

    def _capture_external(self, portal: Portal, names: "_Names") -> None:
        """The rules that lead external frontends to EXT, or to FW where source ranges are set."""
        services, protocol = self.nat["KUBE-SERVICES"], portal.protocol
        services += [
            f"{self._at(portal, address, f'{portal.title} external IP')} -j {names.ext}"
            for address in portal.external_ips
        ]
        ingress_chain = names.fw if portal.source_ranges else names.ext
        services += [
            f"{self._at(portal, address, f'{portal.title} loadbalancer IP')} -j {ingress_chain}"
            for address in portal.ingress_vips
        ]
        if portal.source_ranges and portal.ingress_vips:
            self._write_firewall(portal, names)
        if portal.node_port:
            match = f"-p {protocol} {comment(portal.title)} -m {protocol} --dport {portal.node_port}"
            if self.localhost_node_ports:
                counted = "-m nfacct --nfacct-name  localhost_nps_accepted_pkts"
                self.nat["KUBE-NODEPORTS"].append(f"-d 127.0.0.0/8 {match} {counted} -j {names.ext}")
            self.nat["KUBE-NODEPORTS"].append(f"{match} -j {names.ext}")

    def _refuse_external(self, portal: Portal, why: str, target: str) -> None:
        """Filter rules for external frontends that nat did not translate."""
        refused, protocol = self.filter["KUBE-EXTERNAL-SERVICES"], portal.protocol
        for address in (*portal.external_ips, *portal.ingress_vips):
            refused.append(f"{self._at(portal, address, why)} -j {target}")
        if portal.node_port:
            refused.append(
                f"-p {protocol} {comment(why)} -m addrtype --dst-type LOCAL"
                f" -m {protocol} --dport {portal.node_port} -j {target}"
            )

    def _write_firewall(self, portal: Portal, names: "_Names") -> None:
        """The FW chain of source ranges, and the drops for what falls off its end."""
        allowed = comment(f"{portal.title} loadbalancer IP")
        sources = list(portal.source_ranges)
        primary = self.config.primary_address(self.family)
        if primary is not None and any(contains(parse_cidr(r)[1], primary) for r in portal.source_ranges):
            sources += [vip + self._full for vip in portal.ingress_vips]
        self.nat[names.fw] = [f"-s {source} {allowed} -j {names.ext}" for source in sources]
        self.nat[names.fw].append(
            comment(f"other traffic to {portal.title} will be dropped by KUBE-PROXY-FIREWALL")
        )
        self.filter["KUBE-PROXY-FIREWALL"] += [
            f"{self._at(portal, address, f'{portal.title} traffic not accepted by {names.fw}')} -j DROP"
            for address in portal.ingress_vips
        ]

    def _write_external_chain(self, portal: Portal, names: "_Names", has_external: bool) -> None:
        """EXT: masquerade, or under policy Local the short circuit of pods and of the node."""
        rules = self.nat[names.ext] = []
        about = f"{portal.title} external destinations"
        if not portal.external_local:
            rules.append(f"{comment(f'masquerade traffic for {about}')} -j KUBE-MARK-MASQ")
        else:
            if self.pod_source:
                rules.append(f"{self.pod_source} {comment(f'pod traffic for {about}')} -j {names.svc}")
            from_node = "-m addrtype --src-type LOCAL"
            rules.append(f"{comment(f'masquerade LOCAL traffic for {about}')} {from_node} -j KUBE-MARK-MASQ")
            rules.append(f"{comment(f'route LOCAL traffic for {about}')} {from_node} -j {names.svc}")
        if has_external:
            rules.append(f"-j {names.svl if portal.external_local else names.svc}")

    def _write_policy_chain(
        self, portal: Portal, chain: str, chosen: tuple[Backend, ...], masquerading: str
    ) -> None:
        """SVC or SVL: masquerade of the cluster IP, affinity memories, then the lottery.

        `masquerading` names the chain that serves the cluster IP; only that one marks its traffic.
        """
        if not chosen:
            return
        rules = self.nat[chain] = []
        if chain == masquerading:
            cluster_ip = self._at(portal, portal.cluster_ip, f"{portal.title} cluster IP")
            if self.config.masquerade_all:
                rules.append(f"{cluster_ip} -j KUBE-MARK-MASQ")
            elif self.pod_source:
                rules.append(f"{_not_from(self.pod_source, cluster_ip)} -j KUBE-MARK-MASQ")
        jumps = [(_sep(portal, b), self._endpoint_comment(f"{portal.title} -> {b.text}")) for b in chosen]
        if portal.affinity_seconds is not None:
            rules += [
                f"{to}-m recent --rcheck --seconds {portal.affinity_seconds} --reap"
                f" --name {sep} --mask {self._recent_mask} --rsource -j {sep}"
                for sep, to in jumps
            ]
        for left, (sep, to) in zip(range(len(jumps), 0, -1), jumps, strict=True):
            odds = f"-m statistic --mode random --probability {probability(left)} " if left > 1 else ""
            rules.append(f"{to}{odds}-j {sep}")

    def _write_endpoint_chain(self, portal: Portal, backend: Backend) -> None:
        """SEP: masquerade of an endpoint that meets itself, affinity memory, translation."""
        sep, protocol = _sep(portal, backend), portal.protocol
        about = self._endpoint_comment(portal.title)
        remember = ""
        if portal.affinity_seconds is not None:
            remember = f"-m recent --set --name {sep} --mask {self._recent_mask} --rsource "
        self.nat[sep] = [
            f"-s {backend.ip}{self._full} {about}-j KUBE-MARK-MASQ",
            f"-p {protocol} {about}{remember}-m {protocol} -j DNAT --to-destination {backend.text}",
        ]

    @property
    def _recent_mask(self) -> str:
        return format_address(self.family, self.family.top)

    def _endpoint_comment(self, text: str) -> str:
        return f"{comment(text)} " if self.comments_endpoints else ""


@attrs.frozen
class _Names:
    """The chains of one service port."""

    svc: str
    svl: str
    ext: str
    fw: str

    @classmethod
    def of(cls, portal: Portal) -> "_Names":
        code = chain_hash(portal.title + portal.protocol)
        return cls(f"KUBE-SVC-{code}", f"KUBE-SVL-{code}", f"KUBE-EXT-{code}", f"KUBE-FW-{code}")


def _sep(portal: Portal, backend: Backend) -> str:
    return f"KUBE-SEP-{chain_hash(portal.title + portal.protocol + backend.text)}"


def _detector(config: NodeConfig, family: Family) -> str:
    """The match "comes from a pod", "" when nothing detects pods of the family (SRC-02)."""
    match config.detect_local:
        case DetectLocalMode.CLUSTER_CIDR | DetectLocalMode.NODE_CIDR:
            span = config.detector_cidr(family)
            return f"-s {cidr_text(family, span)}" if span else ""
        case DetectLocalMode.BRIDGE_INTERFACE:
            return f"-i {config.bridge_interface}"
        case DetectLocalMode.INTERFACE_NAME_PREFIX:
            return f"-i {config.interface_name_prefix}+"
        case DetectLocalMode.NONE:
            return ""


def _not_from(pod_source: str, match: str) -> str:
    """The match for packets from elsewhere; a source prints first, an interface before the protocol."""
    if pod_source.startswith("-s"):
        return f"! {pod_source} {match}"
    return match.replace(" -p ", f" ! {pod_source} -p ", 1)
