"""kube-proxy's configuration file, as written or within the ConfigMap that carries it.

Fields and defaults are those of kubeproxy.config.k8s.io/v1alpha1; what kube-proxy would
not start with is refused.
"""

from typing import Any, Literal

import msgspec

from model.addresses import parse_address, parse_cidr
from model.errors import InputError
from model.load.text import decode_tree, parse_documents
from model.load.wire import Wire, decode_error_text
from model.node_config import DetectLocalMode, ProxyMode

KIND = "KubeProxyConfiguration"
VERSION = "kubeproxy.config.k8s.io/v1alpha1"


class _DetectLocal(Wire):
    bridge_interface: str | None = None
    interface_name_prefix: str | None = None


class _Section(Wire):
    """The settings that iptables and nftables each have; ipvs uses those of iptables."""

    masquerade_all: bool | None = None
    masquerade_bit: int | None = None
    localhost_node_ports: bool | None = None


class ProxyConfig(Wire):
    """The fields of the file that a packet's fate depends on, None where unset."""

    api_version: str | None = None
    mode: Literal["", "iptables", "nftables", "ipvs"] | None = None
    hostname_override: str | None = None
    bind_address: str | None = None
    cluster_cidr: str | None = msgspec.field(name="clusterCIDR", default=None)
    detect_local_mode: (
        Literal["", "ClusterCIDR", "NodeCIDR", "BridgeInterface", "InterfaceNamePrefix"] | None
    ) = None
    detect_local: _DetectLocal | None = None
    node_port_addresses: list[str] | None = None
    iptables: _Section | None = None
    nftables: _Section | None = None

    @property
    def proxy_mode(self) -> ProxyMode:
        """Unset is iptables."""
        return ProxyMode(self.mode or "iptables")

    @property
    def section(self) -> _Section:
        """The section whose masquerading settings hold in this mode."""
        chosen = self.nftables if self.proxy_mode is ProxyMode.NFTABLES else self.iptables
        return chosen or _Section()

    @property
    def detector(self) -> DetectLocalMode:
        """The detector asked for; unset is ClusterCIDR."""
        return DetectLocalMode(self.detect_local_mode or "ClusterCIDR")

    @property
    def cluster_cidrs(self) -> tuple[str, ...]:
        """The list that clusterCIDR holds, separated by commas."""
        return tuple(part.strip() for part in (self.cluster_cidr or "").split(",") if part.strip())


def parse_proxy_config(data: bytes, file: str) -> ProxyConfig:
    """The one KubeProxyConfiguration of a file in YAML or JSON.

    It may stand among other documents, in a ConfigMap (under any key, `config.conf` as
    kubeadm has it) or in a List that holds the ConfigMap. Raises InputError when there is
    none, when there are two that differ, or when a field is not what kube-proxy takes.
    """
    trees = [decode_tree(document, file) for document in parse_documents(data, file)]
    found = [written for tree in trees for written in configurations(tree, file)]
    if not found:
        raise InputError(file, 0, f"holds no {KIND}, nor a ConfigMap with one")
    if any(written != found[0] for written in found):
        raise InputError(file, 0, f"holds several {KIND}s that differ")
    try:
        config = msgspec.convert(found[0], ProxyConfig)
    except msgspec.ValidationError as error:
        path, fault = decode_error_text(error)
        raise _refused(file, path, fault) from None
    _check(config, file)
    return config


def configurations(tree: Any, file: str) -> list[dict[str, Any]]:
    """Every KubeProxyConfiguration in a document, as it is written."""
    if not isinstance(tree, dict):
        return []
    if tree.get("kind") == KIND:
        return [tree]
    if isinstance(items := tree.get("items"), list):
        return [written for item in items for written in configurations(item, file)]
    data = tree.get("data")
    if tree.get("kind") != "ConfigMap" or not isinstance(data, dict):
        return []
    return [
        written
        for key, text in data.items()
        if isinstance(text, str) and KIND in text
        for document in parse_documents(text.encode(), f"{file} (data {key!r})")
        for written in configurations(decode_tree(document, file), file)
    ]


def _check(config: ProxyConfig, file: str) -> None:
    if config.api_version not in (None, VERSION):
        raise _refused(file, "apiVersion", f"{config.api_version} is not read, only {VERSION}")
    for cidr in config.cluster_cidrs:
        _check_cidr(cidr, "clusterCIDR", file)
    if config.node_port_addresses != ["primary"]:
        for cidr in config.node_port_addresses or ():
            _check_cidr(cidr, "nodePortAddresses", file)
    bit = config.section.masquerade_bit
    if bit is not None and not 0 <= bit <= 31:
        raise _refused(file, "masqueradeBit", f"{bit} is not between 0 and 31")
    if config.bind_address:
        try:
            parse_address(config.bind_address)
        except ValueError as error:
            raise _refused(file, "bindAddress", str(error)) from None


def _check_cidr(text: str, field: str, file: str) -> None:
    try:
        parse_cidr(text)
    except ValueError as error:
        raise _refused(file, field, str(error)) from None
    if "/" not in text:
        raise _refused(file, field, f"{text!r} is not a CIDR")


def _refused(file: str, path: str, fault: str) -> InputError:
    return InputError(file, 0, ": ".join(part for part in (KIND, path, fault) if part))
