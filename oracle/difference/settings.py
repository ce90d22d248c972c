"""Which settings of kube-proxy's file a switch of mode leaves behind, or makes count.

Each mode reads a section of its own: iptables and ipvs share that of iptables for
masquerading, nftables has its own (`kubeproxy.config.k8s.io/v1alpha1`).
"""

import json
from collections.abc import Iterator, Mapping

from model.load.text import decode_tree, parse_documents
from model.node_config import ProxyMode
from model.objects import Cluster
from oracle.bundle import NodeEvidence
from oracle.bundle.proxy_config import configurations
from oracle.difference.migration import Effect, Item

_IPTABLES, _NFTABLES, _IPVS = ProxyMode.IPTABLES, ProxyMode.NFTABLES, ProxyMode.IPVS
_SHARED = ("masqueradeAll", "masqueradeBit", "syncPeriod", "minSyncPeriod")


def settings(evidence: NodeEvidence, cluster: Cluster, was: ProxyMode, to: ProxyMode) -> Iterator[Item]:
    """The items about settings of one node; none without its configuration file."""
    written = _written(evidence)
    if written is None:
        return
    name = (evidence.name,)
    sections = {mode: _section(written, mode.value) for mode in ProxyMode}
    listed = written.get("nodePortAddresses")
    has_node_ports = any(port.node_port for service in cluster.services for port in service.ports)
    if not listed and has_node_ports and _NFTABLES in (was, to):
        meaning = "the primary address" if to is _NFTABLES else "every address"
        wanted = "0.0.0.0/0, ::/0" if to is _NFTABLES else "primary"
        text = (
            f"nodePortAddresses is unset and then means {meaning}; to keep what is served, set it to {wanted}"
        )
        yield Item("nodePortAddresses", Effect.CHECK, text, ("NP-02",), nodes=name)
    if was is _IPTABLES and has_node_ports and sections[_IPTABLES].get("localhostNodePorts") is True:
        text = (
            "iptables.localhostNodePorts asks for node ports on loopback, which the new mode does not serve"
        )
        yield Item("localhostNodePorts", Effect.CHECK, text, ("NP-03", "MODE-02"), nodes=name)
    left = tuple(_left_behind(sections, was, to))
    if left:
        text = f"settings of section {_home(was)} that section {_home(to)} does not have"
        yield Item("sections", Effect.CHECK, text, nodes=name, details=left)
    if was is _IPVS and sections[_IPVS]:
        text = f"settings of section ipvs have no meaning in {to.value} mode"
        told = tuple(f"ipvs.{key}: {json.dumps(value)}" for key, value in sections[_IPVS].items())
        yield Item("ipvs-section", Effect.CHECK, text, nodes=name, details=told)
    if to is _IPVS:
        yield from _for_ipvs(sections[_IPVS], name)


def _for_ipvs(section: Mapping[str, object], name: tuple[str, ...]) -> Iterator[Item]:
    scheduler = section.get("scheduler") or "rr"
    text = f"one scheduler chooses for all Services: {scheduler}"
    yield Item("scheduler", Effect.CHANGES, text, ("MODE-17",), nodes=name)
    if not section.get("excludeCIDRs"):
        text = "virtual servers of others are deleted unless ipvs.excludeCIDRs names their addresses"
        yield Item("excludeCIDRs", Effect.CHECK, text, ("MODE-33",), nodes=name)


def _left_behind(
    sections: Mapping[ProxyMode, Mapping[str, object]], was: ProxyMode, to: ProxyMode
) -> Iterator[str]:
    """What the masquerading section in use says and the one to come does not."""
    mine, theirs = _home(was), _home(to)
    if mine == theirs:
        return
    old, new = sections[ProxyMode(mine)], sections[ProxyMode(theirs)]
    for key in _SHARED:
        if old.get(key) not in (None, False) and old.get(key) != new.get(key):
            yield f"{mine}.{key}: {json.dumps(old[key])}"


def _home(mode: ProxyMode) -> str:
    """The section of a mode's masquerading settings."""
    return _NFTABLES.value if mode is _NFTABLES else _IPTABLES.value


def _section(written: Mapping[str, object], name: str) -> dict[str, object]:
    """A section's settings that are set."""
    found = written.get(name)
    if not isinstance(found, dict):
        return {}
    return {key: value for key, value in found.items() if value not in (None, "", [])}


def _written(evidence: NodeEvidence) -> Mapping[str, object] | None:
    """The configuration as it is written; whether it is well-formed is another's to say."""
    if evidence.proxy_config is None:
        return None
    file, data = evidence.proxy_config
    trees = [decode_tree(document, file) for document in parse_documents(data, file)]
    return next((found for tree in trees for found in configurations(tree, file)), None)
