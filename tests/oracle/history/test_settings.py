"""Settings of the node that changed between two moments are told, and count as a cause."""

from pathlib import Path

import attrs
import pytest

from model.objects import Cluster, Node
from oracle.bundle import NodeEvidence
from oracle.history.moments import Moment
from oracle.history.settings import settings_changes
from tests.oracle.history.kept import State, ask, keep_bundle, proxy_config, rules

BOTH = State((10, 11))
NODE = Node("node-a", labels=(("topology.kubernetes.io/zone", "east"),), pod_cidrs=("10.244.0.0/24",))
ETH0 = b'[{"ifname": "eth0", "addr_info": [{"family": "inet", "local": "%s", "prefixlen": 24}]}]'


def moment(node: Node = NODE, config: str = proxy_config(), address: bytes = b"10.32.1.11") -> Moment:
    evidence = NodeEvidence("node-a", (), ("config", config.encode()), ("ip-addr", ETH0 % address))
    return Moment("t", evidence, Cluster(nodes=(node,)))


def told(before: Moment, after: Moment) -> list[str]:
    return [change.text for change in settings_changes(before, after)]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("nodePortAddresses: [10.32.0.0/16]\n", "nodePortAddresses unset -> 10.32.0.0/16"),
        ("iptables: {masqueradeAll: true}\n", "masqueradeAll false -> true"),
        ("iptables: {masqueradeBit: 15}\n", "masqueradeBit 14 -> 15"),
        ("iptables: {localhostNodePorts: false}\n", "localhostNodePorts true -> false"),
        ("detectLocalMode: NodeCIDR\n", "detectLocalMode ClusterCIDR -> NodeCIDR"),
    ],
)
def test_kube_proxys_settings_are_told(line: str, expected: str) -> None:
    assert told(moment(), moment(config=proxy_config() + line)) == [f"node node-a: {expected}"]


def test_the_nodes_own_fields_are_told() -> None:
    node = attrs.evolve(NODE, labels=(("topology.kubernetes.io/zone", "west"),), pod_cidrs=())

    assert told(moment(), moment(node)) == [
        "node node-a: zone east -> west",
        "node node-a: pod CIDR 10.244.0.0/24 -> none",
    ]


def test_addresses_that_came_and_went_are_told() -> None:
    assert told(moment(), moment(address=b"10.32.1.12")) == [
        "node node-a: address 10.32.1.11/24 on eth0 gone",
        "node node-a: address 10.32.1.12/24 on eth0 new",
    ]


def test_what_is_only_assumed_has_not_changed() -> None:
    """One of the moments has no configuration, so nobody knows what it was."""
    without = attrs.evolve(moment(), evidence=attrs.evolve(moment().evidence, proxy_config=None))

    assert told(without, moment(config=proxy_config() + "iptables: {masqueradeAll: true}\n")) == []


def test_rules_that_do_not_follow_a_setting_are_late(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """masqueradeAll comes on and the rules stay: what is wrong since began with the settings."""
    for name in ("1", "2"):
        keep_bundle(tmp_path, name, BOTH, rules(BOTH))
    changed = proxy_config() + "iptables: {masqueradeAll: true}\n"
    (tmp_path / "2" / "nodes" / "node-a" / "kube-proxy-config.yaml").write_text(changed)

    status, [history] = ask(capsys, tmp_path)

    assert status == 1
    assert [change["text"] for change in history["between"][0]["changes"]] == [
        "node node-a: masqueradeAll false -> true"
    ]
    assert {(one["kind"], one["spells"][0]["began"]) for one in history["differences"]} == {
        ("masquerade-missing", "objects-changed")
    }
