"""Where a judged history takes place: the nodes, and the configuration of the judged one.

One shape of cluster, with two families, zones, and a second interface that node ports may be kept to.
"""

from collections.abc import Mapping
from types import MappingProxyType

import attrs
from rpds import HashTrieMap

from model.addresses import Family, parse_address
from model.api import objects as api
from model.api.registry import DEFAULT_SERVICE_CIDR, ApiConfig, Registry
from model.cluster import events
from model.cluster.state import ClusterState
from model.cluster.transition import step
from model.node_config import NodeConfig
from model.objects import Node

JUDGED = "node-a"
NODES = (JUDGED, "node-b")
ZONE = "topology.kubernetes.io/zone"


@attrs.frozen
class Setting:
    """Where a history takes place: the judged node's kube-proxy, by the names of its configuration."""

    mode: str = "iptables"
    version: str = ""  # of kube-proxy, as in v1.36.0; "" for the newest
    proxy: Mapping[str, object] = MappingProxyType({"clusterCIDR": "10.244.0.0/16,fd00:10:244::/48"})

    def configuration(self) -> dict[str, object]:
        """The KubeProxyConfiguration."""
        return {
            "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
            "kind": "KubeProxyConfiguration",
            "mode": self.mode,
            **self.proxy,
        }


INTERFACES: tuple[dict[str, object], ...] = tuple(
    {
        "ifname": name,
        "addr_info": [
            {"family": "inet" if "." in text else "inet6", "local": text, "prefixlen": length}
            for text, length in addresses
        ],
    }
    for name, addresses in (
        ("lo", (("127.0.0.1", 8), ("::1", 128))),
        ("eth0", (("10.32.1.11", 24), ("fd00:10:32::11", 64))),
        ("eth1", (("172.20.0.11", 24), ("fd00:172:20::11", 64))),
        ("cni0", (("10.244.1.254", 24), ("fd00:10:244:1::fe", 64))),
    )
)
"""The judged node's interfaces, as `ip -j addr` prints them."""


def beginning(setting: Setting) -> ClusterState:
    """Two nodes in two zones, and nothing else."""
    cidr = api.ServiceCIDRSpec(("10.96.0.0/24", "fd00:10:96::/112"))
    ranges = api.ServiceCIDR(api.Metadata(name=DEFAULT_SERVICE_CIDR), cidr)
    registry = Registry(ApiConfig(), service_cidrs=HashTrieMap({ranges.metadata.name: ranges}))
    state = ClusterState(registry=registry)
    for name, zone in zip(NODES, ("zone-a", "zone-b"), strict=True):
        one = node(name, zone, setting.version)
        primary = tuple(parse_address(text) for _, text in one.addresses)
        state = step(state, events.AddNode(one, NodeConfig(name, primary=primary)))
    return state


def node(name: str, zone: str, version: str) -> Node:
    """A node of the name, with its addresses in both families."""
    return Node(
        name,
        tuple(("InternalIP", _address(name, family.value)) for family in Family),
        labels=(("kubernetes.io/hostname", name), (ZONE, zone)),
        kube_proxy_version=version,
    )


def _address(node: str, family: str) -> str:
    at = 1 + ("node-a", "node-b", "node-c").index(node)
    return f"10.32.1.1{at}" if family == "IPv4" else f"fd00:10:32::1{at}"
