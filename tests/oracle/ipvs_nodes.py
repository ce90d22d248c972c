"""Recorded clusters on nodes whose kube-proxy runs in ipvs mode: evidence written, not recorded."""

from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import attrs

from benchmarks.kube_proxy_ipvs import IpvsNode, write_ipvs
from model.addresses import Family
from model.frontends import NodeView, node_view
from model.intervals import contains
from model.ipvs.beside import may_be_masqueraded
from model.node_config import NodeConfig, ProxyMode
from model.objects import Cluster
from model.outcome import Outcome
from model.packet import Origin, Packet
from oracle.bundle import Bundle, EvidenceFile, NodeEvidence, node_config, read_bundle
from oracle.node_rules import read_node
from oracle.plain import trace
from oracle.ruleset import Ruleset
from tests.grid import grid

DUMPS = Path(__file__).parent.parent / "dumps"
ELSEWHERE = 0xC6336402  # 198.51.100.2
FILES = ("iptables-save", "ip6tables-save", "ipvsadm", "ipset")


@cache
def bundle_of(case: str) -> Bundle:
    return read_bundle(DUMPS / f"{case}.iptables")


def in_ipvs_mode(config: NodeConfig) -> NodeConfig:
    return attrs.evolve(config, mode=ProxyMode.IPVS)


def written(cluster: Cluster, evidence: NodeEvidence) -> IpvsNode:
    """What a node would show if its kube-proxy ran in ipvs mode."""
    config, _ = node_config(evidence, cluster, mode=ProxyMode.IPVS)
    return write_ipvs(cluster, config)


def texts_of(node: IpvsNode, *, listed: bool = False) -> dict[str, str]:
    """The node's files by their names in a bundle; ipvsadm as -Sn, or as -Ln if `listed`."""
    return {
        "iptables-save": node.rules[Family.IPV4],
        "ip6tables-save": node.rules[Family.IPV6],
        "ipvsadm": node.ipvsadm_list if listed else node.ipvsadm_save,
        "ipset": node.ipset_save,
        "ip-addr.json": node.ip_addr,
    }


def evidence_of(of: NodeEvidence, texts: dict[str, str], *, configured: bool = True) -> NodeEvidence:
    """The same node with these files, kube-proxy's configuration among them unless not `configured`."""
    assert of.proxy_config is not None
    label, data = of.proxy_config
    proxy_config = (label, data.replace(b"mode: iptables", b"mode: ipvs")) if configured else None
    rules = tuple(EvidenceFile(name, texts[name].encode()) for name in FILES if name in texts)
    addresses = ("ip-addr.json", texts["ip-addr.json"].encode()) if "ip-addr.json" in texts else None
    return NodeEvidence(of.name, rules, proxy_config, addresses)


@attrs.frozen(eq=False)
class Node:
    """A healthy node in ipvs mode, and what it does with each packet of the grid, in IPv4.

    Left out are packets of no Service whose source its rules happen to rewrite, as they may.
    """

    evidence: NodeEvidence
    cluster: Cluster
    config: NodeConfig
    texts: dict[str, str]
    before: dict[Packet, Outcome]

    def edited(self, file: str, old: str, new: str) -> NodeEvidence:
        """The evidence with one piece of text of a file replaced, where it stands first."""
        assert old in self.texts[file], f"{file} has no {old!r}"
        return evidence_of(self.evidence, self.texts | {file: self.texts[file].replace(old, new, 1)})


@cache
def healthy(case: str, name: str = "node-a") -> Node:
    bundle = bundle_of(case)
    assert bundle.cluster is not None
    recorded = next(one for one in bundle.nodes if one.name == name)
    texts = texts_of(written(bundle.cluster, recorded))
    evidence = evidence_of(recorded, texts)
    read = read_node(evidence, bundle.cluster)
    view = node_view(bundle.cluster, read.config, Family.IPV4)
    rulesets = read.by_family[Family.IPV4]
    before = {
        packet: trace(rulesets, read.config, packet).outcome
        for packet in (*grid(view), *from_virtual_addresses(view))
        if not may_be_left(view, packet)
    }
    return Node(recorded, bundle.cluster, read.config, texts, before)


def from_virtual_addresses(view: NodeView) -> Iterator[Packet]:
    """The node, speaking to elsewhere from an address bound to kube-ipvs0: KUBE-IPVS-OUT-FILTER sees them."""
    for address, protocol, port in view.by_address:
        yield Packet(view.family, Origin.NODE, address, address, protocol, port)
        yield Packet(view.family, Origin.NODE, address, ELSEWHERE, protocol, port)


def may_be_left(view: NodeView, packet: Packet) -> bool:
    """Whether nothing is demanded of a packet's source."""
    place = (packet.destination, packet.protocol, packet.port)
    beside = may_be_masqueraded(view, *place, packet.origin)
    return contains(beside, packet.source) and not view.owners(*place)


def is_changed(of: Node, evidence: NodeEvidence, also: Iterable[Packet] = ()) -> bool:
    """Whether the plain walk treats some packet of the grid, or of `also`, otherwise than before."""
    read = read_node(evidence, of.cluster)
    now = read.by_family[Family.IPV4]
    was: tuple[Ruleset, ...] | None = None
    for packet in (*also, *of.before):
        before = of.before.get(packet)
        if before is None:
            if was is None:
                was = read_node(evidence_of(of.evidence, of.texts), of.cluster).by_family[Family.IPV4]
            before = trace(was, of.config, packet).outcome
        if trace(now, read.config, packet).outcome != before:
            return True
    return False
