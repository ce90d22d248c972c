"""Where node ports answer: on what is listed, and on everything where nothing of a family is."""

import pytest

from model.addresses import Family, parse_address
from model.intervals import contains
from model.node_config import InterfaceAddress, NodeConfig
from model.node_ports import node_port_addresses

V4, V6 = parse_address("192.168.0.2")[1], parse_address("fd00::2")[1]
INTERFACES = (InterfaceAddress("eth0", Family.IPV4, V4, 24), InterfaceAddress("eth0", Family.IPV6, V6, 64))


def answers(config: NodeConfig, family: Family, address: int) -> bool:
    return contains(node_port_addresses(config, family), address)


@pytest.mark.parametrize(
    ("listed", "in_ipv4", "in_ipv6"),
    [
        ((), True, True),
        (("192.168.0.0/24",), True, True),  # no CIDR of IPv6: all of its addresses
        (("10.0.0.0/8", "fd00::/16"), False, True),
        (("192.168.0.0/24", "fd99::/16"), True, False),
    ],
)
def test_a_family_of_which_nothing_is_listed_answers_everywhere(
    listed: tuple[str, ...], in_ipv4: bool, in_ipv6: bool
) -> None:
    """NP-01."""
    config = NodeConfig("node-a", node_port_addresses=listed, addresses=INTERFACES)

    assert (in_ipv4, in_ipv6) == (answers(config, Family.IPV4, V4), answers(config, Family.IPV6, V6))


def test_primary_lists_nothing_of_a_family_in_which_the_node_has_no_primary_address() -> None:
    """NP-01: the proxy puts the primary addresses in its place, here only the one of IPv4."""
    other = InterfaceAddress("eth1", Family.IPV4, parse_address("10.9.9.9")[1], 24)
    config = NodeConfig(
        "node-a",
        node_port_addresses=("primary",),
        addresses=(*INTERFACES, other),
        primary=((Family.IPV4, V4),),
    )

    assert answers(config, Family.IPV4, V4)
    assert not answers(config, Family.IPV4, other.address)
    assert answers(config, Family.IPV6, V6)
