"""What `nft list ruleset` prints on a node whose kube-proxy 1.36 runs in nftables mode.

Written from kube-proxy's layout of its table and the form in which nft 1.0.6 prints it,
not from the project's model, like `benchmarks.kube_proxy_rules` for the other mode: a
drawn cluster written out here and judged by the oracle is a test of both.

Left out: tables of others, counters and handles. Source: rules-nftables 1, 2 and 5.
"""

import random
from base64 import b32encode
from collections.abc import Iterable
from hashlib import sha256

import attrs

from benchmarks.kube_proxy_nft_frame import BASES, MAPS, chain_text, fixed_chains, masquerade_mark, set_text
from benchmarks.kube_proxy_state import Backend, Choice, Portal, backends, choose, cidr_text, portals
from model.addresses import Family, format_address, parse_cidr
from model.intervals import Intervals, contains
from model.node_config import DetectLocalMode, NodeConfig
from model.node_ports import node_port_addresses
from model.objects import Cluster


def write_nftables(
    cluster: Cluster,
    config: NodeConfig,
    families: Iterable[Family] = tuple(Family),
    order_seed: int | None = None,
) -> str:
    """The listing once kube-proxy has synced these objects, a table for each family.

    Services are written in the order of the objects; `order_seed` shuffles them. Raises
    ValueError for a source range or node-port CIDR that cannot be parsed.
    """
    return "".join(_table(cluster, config, family, order_seed) for family in families)


def _table(cluster: Cluster, config: NodeConfig, family: Family, order_seed: int | None) -> str:
    found = backends(cluster, config, family)
    entries = list(portals(cluster, family))
    if order_seed is not None:
        random.Random(order_seed).shuffle(entries)
    writer = _Writer(config, family, "ip" if family is Family.IPV4 else "ip6", _pod_source(config, family))
    for portal in entries:
        key = (portal.service, portal.port_name, portal.protocol.upper())
        writer.write_portal(portal, choose(found.get(key, ()), portal, config))
    cidrs = [text for text in cluster.service_cidrs if parse_cidr(text)[0] is family]
    return writer.text(cidrs)


def short_hash(text: str) -> str:
    """The 8 characters before a name.

    >>> short_hash("ns1/svc1/tcp/p80")
    'ULMVA6XW'
    """
    return b32encode(sha256(text.encode()).digest())[:8].decode()


@attrs.frozen
class _Writer:
    """Puts service ports into sets, maps and chains of one table.

    `pod_source` is the match of packets from pods with the one of all others, None without
    a detector.
    """

    config: NodeConfig
    family: Family
    word: str  # ip or ip6
    pod_source: tuple[str, str] | None
    elements: dict[str, dict[str, str]] = attrs.field(
        factory=lambda: {name: {} for name in ("hairpin-connections", "cluster-ips", "nodeport-ips", *MAPS)}
    )
    memories: list[str] = attrs.Factory(list)
    chains: dict[str, list[str]] = attrs.Factory(dict)

    @property
    def _mark(self) -> str:
        return masquerade_mark(self.config)

    def write_portal(self, portal: Portal, choice: Choice) -> None:
        """Everything kube-proxy writes for one service port."""
        full = f"{portal.service}/{portal.protocol}/{portal.port_name}"
        name = f"{short_hash(full)}-{full}"
        has_internal = bool(choice.local) if portal.internal_local else choice.has_endpoints
        has_external = bool(choice.local) if portal.external_local else choice.has_endpoints
        refusal = "drop" if choice.has_endpoints else "goto reject-chain"

        self._add("cluster-ips", portal.cluster_ip)
        internal = "local" if portal.internal_local else "service"
        where = "service-ips" if has_internal else "no-endpoint-services"
        self._serve(where, portal, portal.cluster_ip, f"goto {internal}-{name}" if has_internal else refusal)
        for address in (*portal.external_ips, *portal.ingress_vips):
            if choice.has_endpoints:
                self._serve("service-ips", portal, address, f"goto external-{name}")
            if not has_external:
                self._serve("no-endpoint-services", portal, address, refusal)
        if portal.node_port:
            key = f"{portal.protocol} . {portal.node_port}"
            if choice.has_endpoints:
                self._add("service-nodeports", f"{key} : goto external-{name}")
            if not has_external:
                self._add("no-endpoint-nodeports", f'{key} comment "{portal.title}" : {refusal}')
        if portal.source_ranges and portal.ingress_vips:
            self._write_firewall(portal, name)
        if choice.has_endpoints:
            self._write_policy_chain(portal, f"service-{name}", full, choice.cluster)
            self._write_policy_chain(portal, f"local-{name}", full, choice.local)
            if portal.has_external_frontend:
                self._write_external_chain(portal, name, has_external=has_external)
            self._write_endpoints(portal, full, choice.reachable)

    def _add(self, where: str, element: str) -> None:
        """A key that another Service has taken stays its own (FWD-OBJ-08)."""
        key = element.partition(" : ")[0].partition(" comment ")[0]
        self.elements[where].setdefault(key, element)

    def _serve(self, where: str, portal: Portal, address: str, verdict: str) -> None:
        about = f' comment "{portal.title}"' if where.startswith("no-endpoint") else ""
        self._add(where, f"{address} . {portal.protocol} . {portal.port}{about} : {verdict}")

    def _write_firewall(self, portal: Portal, name: str) -> None:
        sources = list(portal.source_ranges)
        primary = self.config.primary_address(self.family)
        if primary is not None and any(contains(parse_cidr(text)[1], primary) for text in sources):
            sources += portal.ingress_vips
        ordered = sorted(dict.fromkeys(parse_cidr(text)[1] for text in sources))
        listed = ", ".join(_bare(self.family, span) for span in ordered)
        one_of = listed if len(ordered) == 1 else f"{{ {listed} }}"
        self.chains[f"firewall-{name}"] = [f"{self.word} saddr != {one_of} drop"]
        for address in portal.ingress_vips:
            self._serve("firewall-ips", portal, address, f"goto firewall-{name}")

    def _write_external_chain(self, portal: Portal, name: str, *, has_external: bool) -> None:
        rules = self.chains[f"external-{name}"] = []
        if not portal.external_local:
            rules.append(f'{self._mark} comment "masquerade"')
        else:
            if self.pod_source:
                pods, _ = self.pod_source
                rules.append(f'{pods} goto service-{name} comment "short-circuit pod traffic"')
            rules.append(f'fib saddr type local {self._mark} comment "masquerade local traffic"')
            rules.append(f'fib saddr type local goto service-{name} comment "short-circuit local traffic"')
        if has_external:
            rules.append(f"goto {'local' if portal.external_local else 'service'}-{name}")

    def _write_policy_chain(self, portal: Portal, chain: str, full: str, chosen: tuple[Backend, ...]) -> None:
        if not chosen:
            return
        rules = self.chains[chain] = []
        if portal.affinity_seconds is None:
            targets = (f"{at} : {one.ip} . {_port(one)}" for at, one in enumerate(chosen))
            rules.append(
                f"meta l4proto {portal.protocol} dnat {self.word} to numgen random mod {len(chosen)}"
                f" map {{ {', '.join(targets)} }}"
            )
            return
        names = [_endpoint_name(full, one) for one in chosen]
        rules += [f"{self.word} saddr @affinity-{name} goto endpoint-{name}" for name in names]
        gotos = ", ".join(f"{at} : goto endpoint-{name}" for at, name in enumerate(names))
        rules.append(f"numgen random mod {len(chosen)} vmap {{ {gotos} }}")

    def _write_endpoints(self, portal: Portal, full: str, reachable: tuple[Backend, ...]) -> None:
        """The set of hairpins, and with affinity a chain and a memory for each endpoint."""
        for one in reachable:
            if one.is_local:
                hairpin = f"{one.ip} . {one.ip} . {portal.protocol} . {_port(one)}"
                self._add("hairpin-connections", hairpin)
            if portal.affinity_seconds is not None:
                name = _endpoint_name(full, one)
                self.memories.append(
                    f"\tset affinity-{name} {{\n\t\ttype {self._address_type}\n\t\tsize 65535\n"
                    f"\t\tflags dynamic,timeout\n\t\ttimeout {_duration(portal.affinity_seconds)}\n\t}}\n"
                )
                self.chains[f"endpoint-{name}"] = [
                    f"update @affinity-{name} {{ {self.word} saddr }}",
                    f"meta l4proto {portal.protocol} dnat to {one.text}",
                ]

    @property
    def _address_type(self) -> str:
        return "ipv4_addr" if self.family is Family.IPV4 else "ipv6_addr"

    def text(self, service_cidrs: list[str]) -> str:
        """The whole table."""
        of_node = self._node_port_match()
        others = self.pod_source[1] if self.pod_source else None
        fixed = fixed_chains(self.config, self.word, others, of_node, service_cidrs)
        parts = [*self._sets(), *self.memories, BASES, *fixed]
        for name, rules in self.chains.items():
            parts.append(chain_text(name, rules))
        return (
            f'table {self.word} kube-proxy {{\n\tcomment "rules for kube-proxy"\n' + "\n".join(parts) + "}\n"
        )

    def _node_port_match(self) -> str:
        """Node ports are served on the listed addresses, or on all but loopback (MODE-01, -02)."""
        if not self._is_all_local:
            return f"{self.word} daddr @nodeport-ips"
        loopback = "127.0.0.0/8" if self.family is Family.IPV4 else "::1"
        return f"fib daddr type local {self.word} daddr != {loopback}"

    @property
    def _is_all_local(self) -> bool:
        return any(
            parse_cidr(text)[1] == parse_cidr(text)[0].everything
            for text in self.config.node_port_addresses
            if text != "primary" and parse_cidr(text)[0] is self.family
        )

    def _sets(self) -> Iterable[str]:
        own = self._address_type
        if not self._is_all_local:
            spans = node_port_addresses(self.config, self.family)
            for low, high in spans:
                for address in range(low, high + 1):
                    self._add("nodeport-ips", format_address(self.family, address))
        for name, key in {
            "hairpin-connections": f"{own} . {own} . inet_proto . inet_service",
            "cluster-ips": own,
            "nodeport-ips": own,
        }.items():
            if name != "nodeport-ips" or not self._is_all_local:
                yield set_text("set", name, key, self.elements[name].values())
        for name in MAPS:
            key = "inet_proto . inet_service" + (" : verdict" if "nodeports" in name else "")
            if "nodeports" not in name:
                key = f"{own} . {key} : verdict"
            yield set_text("map", name, key, self.elements[name].values())


def _pod_source(config: NodeConfig, family: Family) -> tuple[str, str] | None:
    """The matches of packets from pods and of all others (SRC-02)."""
    word = "ip" if family is Family.IPV4 else "ip6"
    match config.detect_local:
        case DetectLocalMode.CLUSTER_CIDR | DetectLocalMode.NODE_CIDR:
            span = config.detector_cidr(family)
            text = cidr_text(family, span) if span else ""
            return (f"{word} saddr {text}", f"{word} saddr != {text}") if text else None
        case DetectLocalMode.BRIDGE_INTERFACE:
            name = config.bridge_interface
        case DetectLocalMode.INTERFACE_NAME_PREFIX:
            name = f"{config.interface_name_prefix}*"
        case DetectLocalMode.NONE:
            return None
    return f'iifname "{name}"', f'iifname != "{name}"'


def _bare(family: Family, span: Intervals) -> str:
    """A CIDR as nft prints it: a single address without its length."""
    return cidr_text(family, span).removesuffix(f"/{family.bits}")


def _port(backend: Backend) -> str:
    return backend.text.rpartition(":")[2]


def _endpoint_name(full: str, backend: Backend) -> str:
    text = f"{full}__{backend.ip.replace(':', '.')}/{_port(backend)}"
    return f"{short_hash(text)}-{text}"


def _duration(seconds: int) -> str:
    """Seconds as nft prints them.

    >>> _duration(10800), _duration(90)
    ('3h', '1m30s')
    """
    out = ""
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, seconds = divmod(seconds, size)
        out += f"{count}{unit}" if count else ""
    return out or "0s"
