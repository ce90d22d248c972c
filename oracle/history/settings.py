"""What changed about the node itself between two moments: its addresses, zone, and kube-proxy's settings."""

from collections.abc import Iterator

from model.addresses import format_address
from model.errors import InputError
from model.node_config import NodeConfig
from oracle.bundle import node_config
from oracle.history.moments import Moment
from oracle.history.services import Change, ChangeKind


def settings_changes(before: Moment, after: Moment) -> tuple[Change, ...]:
    """One sentence for each setting that files or objects give otherwise than before."""
    try:
        old, unset_before = node_config(before.evidence, before.cluster)
        new, unset_after = node_config(after.evidence, after.cluster)
    except InputError:  # said by the moment's own report
        return ()
    unset = unset_before | unset_after  # what is only assumed has not changed
    said = [
        f"{what} {one} -> {other}"
        for (what, field, one), (_, _, other) in zip(_settings(old), _settings(new), strict=True)
        if one != other and field not in unset
    ]
    if "addresses" not in unset:
        first, second = _addresses(old), _addresses(new)
        said += [f"address {text} gone" for text in first if text not in second]
        said += [f"address {text} new" for text in second if text not in first]
    return tuple(Change(None, ChangeKind.NODE_CHANGED, f"node {new.name}: {text}") for text in said)


def _settings(config: NodeConfig) -> Iterator[tuple[str, str, str]]:
    """(name, field of NodeConfig, value in words) of each setting that the contract depends on."""
    yield "zone", "zone", config.zone or "none"
    yield "pod CIDR", "pod_cidrs", ", ".join(config.pod_cidrs) or "none"
    yield "detectLocalMode", "detect_local", config.detect_local.value
    yield "clusterCIDR", "cluster_cidrs", ", ".join(config.cluster_cidrs) or "none"
    yield "masqueradeAll", "masquerade_all", str(config.masquerade_all).lower()
    yield "masqueradeBit", "masquerade_bit", str(config.masquerade_bit)
    yield "nodePortAddresses", "node_port_addresses", ", ".join(config.node_port_addresses) or "unset"
    yield "localhostNodePorts", "localhost_node_ports", str(config.localhost_node_ports).lower()


def _addresses(config: NodeConfig) -> list[str]:
    return [
        f"{format_address(one.family, one.address)}/{one.prefix_length} on {one.interface}"
        for one in config.addresses
    ]
