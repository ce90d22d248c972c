"""A node's configuration answers for its addresses and for what its local detector calls a pod."""

import attrs
import pytest

from model.addresses import Family, parse_address, parse_cidr
from model.node_config import DetectLocalMode, InterfaceAddress, NodeConfig, ProxyMode

V4, V6 = Family.IPV4, Family.IPV6


def number(text: str) -> int:
    return parse_address(text)[1]


def test_detectors_are_named_as_in_kube_proxys_configuration() -> None:
    names = ["ClusterCIDR", "NodeCIDR", "BridgeInterface", "InterfaceNamePrefix"]

    assert [DetectLocalMode(name).value for name in names] == names


@pytest.mark.parametrize(
    ("detector", "expected"),
    [
        (DetectLocalMode.CLUSTER_CIDR, "10.244.0.0/16"),
        (DetectLocalMode.NODE_CIDR, "10.244.3.0/24"),
    ],
)
def test_a_cidr_detector_takes_the_cidr_of_the_family(detector: DetectLocalMode, expected: str) -> None:
    """SRC-02, whatever family is named first."""
    config = NodeConfig(
        "node-a",
        detect_local=detector,
        cluster_cidrs=("fd00:244::/56", "10.244.0.0/16"),
        pod_cidrs=("10.244.3.0/24",),
    )

    assert config.detector_cidr(V4) == parse_cidr(expected)[1]


@pytest.mark.parametrize(
    "detector", [DetectLocalMode.BRIDGE_INTERFACE, DetectLocalMode.INTERFACE_NAME_PREFIX]
)
def test_a_detector_by_interface_asks_no_address(detector: DetectLocalMode) -> None:
    config = NodeConfig("node-a", detect_local=detector, cluster_cidrs=("10.244.0.0/16",))

    assert config.detector_cidr(V4) == ()


def test_a_family_without_a_cidr_has_no_detector() -> None:
    config = NodeConfig("node-a", cluster_cidrs=("10.244.0.0/16",))

    assert config.detector_cidr(V6) == ()


def test_all_loopback_is_local_beside_the_interfaces_addresses_of_the_family() -> None:
    config = NodeConfig(
        "node-a",
        addresses=(
            InterfaceAddress("eth0", V4, number("192.0.2.5"), 24),
            InterfaceAddress("eth0", V6, number("2001:db8::5"), 64),
        ),
    )
    loopback = (number("127.0.0.0"), number("127.255.255.255"))

    assert config.local_addresses(V4) == (loopback, (number("192.0.2.5"), number("192.0.2.5")))


def test_the_primary_address_is_that_of_the_family() -> None:
    config = NodeConfig("node-a", primary=((V4, number("192.0.2.5")),))

    assert (config.primary_address(V4), config.primary_address(V6)) == (number("192.0.2.5"), None)


def test_what_nobody_sets_is_kube_proxys_default() -> None:
    """Mark 0x4000 is bit 14; loopback answers for node ports; nothing is known of the node's addresses."""
    config = NodeConfig("node-a")

    assert attrs.asdict(config, recurse=False, filter=lambda field, _: field.name != "readings") == {
        "name": "node-a",
        "mode": ProxyMode.IPTABLES,
        "detect_local": DetectLocalMode.CLUSTER_CIDR,
        "cluster_cidrs": (),
        "pod_cidrs": (),
        "bridge_interface": "",
        "interface_name_prefix": "",
        "masquerade_all": False,
        "masquerade_bit": 14,
        "node_port_addresses": (),
        "localhost_node_ports": True,
        "addresses": (),
        "addresses_are_complete": False,
        "primary": (),
        "zone": None,
        "quirks": frozenset(),
        "assumptions": (),
    }
    assert config.addresses_are_complete is False
