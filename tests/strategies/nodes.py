"""Three nodes by name, and kube-proxies drawn for the first of them: a default one is the simplest."""

from collections.abc import Sequence

from hypothesis import strategies as st

from model.addresses import Family, parse_address
from model.node_config import DetectLocalMode, InterfaceAddress, NodeConfig, ProxyMode
from model.proxy_version import quirks_of
from tests.strategies.weights import evenly, mostly

NODES = ("node-a", "node-b", "node-c")
ZONES = ("zone-1", "zone-1", "zone-2")

_NODE_BASE = {"IPv4": "10.32.1.1{}", "IPv6": "fd00:10:32:1::1{}"}
_CLUSTER_CIDRS = ("10.244.0.0/16", "fd00:10:244::/48")

MODELLED_MODES = (ProxyMode.IPTABLES, ProxyMode.NFTABLES, ProxyMode.IPVS)
_MINORS = (36, 35, 32, 29, 28, 25, 19)  # one version of each kind that modes tell apart

_NODE_PORT_ADDRESSES = (
    (),
    ("primary",),
    ("10.32.1.0/24",),
    ("127.0.0.0/8", "10.32.1.0/24"),
    ("fd00:10:32:1::/64",),
    ("0.0.0.0/0", "::/0"),
    ("192.168.0.0/16", "::1/128"),
    ("172.16.0.0/12",),  # no address of the node
)


@st.composite
def node_configs(draw: st.DrawFn, modes: Sequence[ProxyMode] = (ProxyMode.IPTABLES,)) -> NodeConfig:
    """kube-proxy on node-a in one of the modes, with every kind of detector and node-port setting.

    In other modes than iptables it may be of any version that differs from the newest.
    """
    mode = draw(evenly(*modes))
    extra = draw(
        st.sampled_from(
            (
                (),
                (("eth1", "192.168.7.11", 24),),
                (("cbr0", "10.244.0.1", 24), ("cbr0", "fd00:10:244:0::1", 64)),  # of the node and of the pods
                (("kube-lb", "192.0.2.10", 32), ("kube-lb", "2001:db8:b::10", 128)),  # a balancer's address
            )
        )
    )
    own = (
        ("lo", "127.0.0.1", 8),
        ("lo", "::1", 128),
        ("eth0", node_address(0, "IPv4"), 24),
        ("eth0", node_address(0, "IPv6"), 64),
    )
    return NodeConfig(
        name=NODES[0],
        mode=mode,
        quirks=frozenset() if mode is ProxyMode.IPTABLES else quirks_of(draw(evenly(*_MINORS))),
        detect_local=draw(evenly(*DetectLocalMode)),
        cluster_cidrs=draw(mostly(_CLUSTER_CIDRS, _CLUSTER_CIDRS[:1])),
        pod_cidrs=pod_cidrs(0),
        bridge_interface="cbr0",
        interface_name_prefix="cali",
        masquerade_all=draw(mostly(False, True)),
        masquerade_bit=draw(mostly(14, 0, 31)),
        node_port_addresses=draw(evenly(*_NODE_PORT_ADDRESSES)),
        localhost_node_ports=draw(mostly(True, False)),
        addresses=tuple(
            InterfaceAddress(interface, *parse_address(text), length)
            for interface, text, length in own + extra
        ),
        addresses_are_complete=True,
        primary=tuple(parse_address(node_address(0, family.value)) for family in Family),
        zone=draw(evenly(ZONES[0], None)),
    )


def node_address(index: int, family: str) -> str:
    """The InternalIP of a node."""
    return _NODE_BASE[family].format(index + 1)


def pod_cidrs(index: int) -> tuple[str, str]:
    """The pod CIDRs of a node, IPv4 first."""
    return f"10.244.{index}.0/24", f"fd00:10:244:{index}::/64"
