"""Which addresses serve node ports, and which sets may hold what is uncertain."""

import attrs
import pytest

from model.addresses import Family, parse_address
from model.ipvs.node_addresses import node_port_servers
from model.ipvs.records import SetName
from model.node_config import NodeConfig
from model.objects import Cluster
from tests.model.ipvs.building import CLUSTER_IP, HERE, NODE, number, on, slice_of, state_of_cluster

V4 = Family.IPV4


@pytest.mark.parametrize(
    ("cidrs", "expected"),
    [
        ((), ["192.168.0.2"]),
        (("192.168.0.0/24",), ["192.168.0.2"]),
        (("10.0.0.0/8",), []),
        (("primary",), ["192.168.0.2"]),
        (("fd00::/8",), ["192.168.0.2"]),
        (("0.0.0.0/0",), ["192.168.0.2"]),
        (("127.0.0.0/8",), []),
    ],
)
def test_node_ports_are_served_at_the_addresses_in_the_list(
    cidrs: tuple[str, ...], expected: list[str]
) -> None:
    """MODE-01, MODE-02, NP-01, NP-02: never on loopback."""
    found = node_port_servers(attrs.evolve(NODE, node_port_addresses=cidrs), V4)

    assert found == tuple(map(number, expected))


def test_the_primary_address_counts_where_no_interface_has_it() -> None:
    """As on a node whose interfaces were not collected."""
    config = NodeConfig(
        "n1",
        NODE.mode,
        node_port_addresses=("primary",),
        addresses=on("eth0", "192.168.0.2"),
        primary=((V4, parse_address("192.168.0.3")[1]),),
    )

    assert node_port_servers(config, V4) == (number("192.168.0.3"),)


def test_only_the_loop_back_set_is_uncertain_over_a_tie() -> None:
    """EPS-SL-08"""
    second = attrs.evolve(slice_of(attrs.evolve(HERE, node_name="n2")), name=CLUSTER_IP.name)

    state = state_of_cluster(Cluster((CLUSTER_IP,), (slice_of(HERE), second)))

    assert [one.name for one in state.sets if one.uncertain] == [SetName.LOOP_BACK]
