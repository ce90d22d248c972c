"""A node's settings are those that kube-proxy would run with, and what is assumed is said."""

import json
from typing import Any

import attrs
import pytest
import yaml

from model.addresses import Family, parse_address
from model.errors import InputError
from model.node_config import DetectLocalMode, InterfaceAddress, NodeConfig, ProxyMode
from model.objects import Cluster, Endpoint, EndpointPort, EndpointSlice, Node, ObjectName
from model.proxy_version import Quirk, reading_of
from oracle.bundle import ASSUMED_WITHOUT_CONFIG, NodeEvidence, node_config

NODE = Node(
    "n1",
    (
        ("Hostname", "n1"),
        ("ExternalIP", "203.0.113.1"),
        ("InternalIP", "10.0.0.1"),
        ("InternalIP", "fd00::1"),
    ),
    ("10.244.0.0/24", "fd00:10:244::/64"),
    (("topology.kubernetes.io/zone", "z1"),),
    kube_proxy_version="v1.36.2",
)
CLUSTER = Cluster(nodes=(NODE,))


def number(text: str) -> tuple[Family, int]:
    return parse_address(text)


def proxy_file(**fields: Any) -> tuple[str, bytes]:
    whole = {"apiVersion": "kubeproxy.config.k8s.io/v1alpha1", "kind": "KubeProxyConfiguration", **fields}
    return "proxy.yaml", yaml.safe_dump(whole).encode()


def ip_addr(*addresses: tuple[str, str]) -> tuple[str, bytes]:
    """`ip -j addr` of these (interface, address/length)."""
    links = []
    for name, text in addresses:
        address, _, length = text.partition("/")
        family = "inet6" if ":" in address else "inet"
        links.append(
            {"ifname": name, "addr_info": [{"family": family, "local": address, "prefixlen": int(length)}]}
        )
    return "ip-addr.json", json.dumps(links).encode()


EVERY_ADDRESS = ip_addr(("lo", "127.0.0.1/8"), ("eth0", "10.0.0.1/24"), ("eth0", "fd00::1/64"))


def config_of(cluster: Cluster | None = CLUSTER, **proxy: Any) -> NodeConfig:
    """The configuration of node n1 with this kube-proxy configuration and all addresses."""
    return node_config(NodeEvidence("n1", (), proxy_file(**proxy), EVERY_ADDRESS), cluster)[0]


def test_with_everything_given_nothing_is_assumed() -> None:
    proxy = proxy_file(
        mode="iptables",
        clusterCIDR="10.244.0.0/16,fd00:10:244::/56",
        nodePortAddresses=["10.0.0.0/24"],
        iptables={"masqueradeAll": True, "masqueradeBit": 7, "localhostNodePorts": False},
        nftables={"masqueradeAll": False, "masqueradeBit": 9},
    )
    expected = NodeConfig(
        name="n1",
        mode=ProxyMode.IPTABLES,
        detect_local=DetectLocalMode.CLUSTER_CIDR,
        cluster_cidrs=("10.244.0.0/16", "fd00:10:244::/56"),
        pod_cidrs=("10.244.0.0/24", "fd00:10:244::/64"),
        masquerade_all=True,
        masquerade_bit=7,
        node_port_addresses=("10.0.0.0/24",),
        localhost_node_ports=False,
        addresses=(
            InterfaceAddress("lo", *number("127.0.0.1"), 8),
            InterfaceAddress("eth0", *number("10.0.0.1"), 24),
            InterfaceAddress("eth0", *number("fd00::1"), 64),
        ),
        addresses_are_complete=True,
        primary=(number("10.0.0.1"), number("fd00::1")),
        zone="z1",
    )

    assert node_config(NodeEvidence("n1", (), proxy, EVERY_ADDRESS), CLUSTER) == (expected, frozenset())


def test_unset_fields_have_kube_proxys_defaults() -> None:
    config = config_of(mode="", iptables={"masqueradeBit": None})

    assert config.mode is ProxyMode.IPTABLES
    assert config.detect_local is DetectLocalMode.NONE
    assert config.masquerade_bit == 14
    assert config.masquerade_all is False
    assert config.node_port_addresses == ()
    assert config.localhost_node_ports is True


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"clusterCIDR": "10.0.0.0/8"}, DetectLocalMode.CLUSTER_CIDR),
        ({"detectLocalMode": "ClusterCIDR"}, DetectLocalMode.NONE),
        ({"detectLocalMode": "NodeCIDR"}, DetectLocalMode.NODE_CIDR),
        ({"detectLocalMode": "BridgeInterface"}, DetectLocalMode.NONE),
        (
            {"detectLocalMode": "BridgeInterface", "detectLocal": {"bridgeInterface": "cni0"}},
            DetectLocalMode.BRIDGE_INTERFACE,
        ),
        (
            {"detectLocalMode": "InterfaceNamePrefix", "detectLocal": {"bridgeInterface": "cni0"}},
            DetectLocalMode.NONE,
        ),
        (
            {"detectLocalMode": "InterfaceNamePrefix", "detectLocal": {"interfaceNamePrefix": "veth"}},
            DetectLocalMode.INTERFACE_NAME_PREFIX,
        ),
    ],
)
def test_a_detector_without_its_argument_is_no_detector(
    fields: dict[str, Any], expected: DetectLocalMode
) -> None:
    assert config_of(**fields).detect_local is expected


def test_node_cidr_detection_needs_the_nodes_pod_cidr() -> None:
    cluster = Cluster(nodes=(attrs.evolve(NODE, pod_cidrs=()),))

    assert config_of(cluster, detectLocalMode="NodeCIDR").detect_local is DetectLocalMode.NONE


def test_masquerading_is_set_by_the_section_of_the_mode_in_use() -> None:
    sections: dict[str, Any] = {
        "iptables": {"masqueradeAll": True, "masqueradeBit": 3},
        "nftables": {"masqueradeBit": 4},
    }

    found = {
        mode: (config.masquerade_all, config.masquerade_bit)
        for mode in ("iptables", "nftables", "ipvs")
        for config in [config_of(CLUSTER, mode=mode, **sections)]
    }

    assert found == {"iptables": (True, 3), "nftables": (False, 4), "ipvs": (True, 3)}


def test_nftables_alone_serves_node_ports_on_primary_addresses_by_default() -> None:
    assert config_of(mode="nftables").node_port_addresses == ("primary",)
    assert config_of(mode="nftables", nodePortAddresses=["0.0.0.0/0"]).node_port_addresses == ("0.0.0.0/0",)
    assert config_of(mode="ipvs").node_port_addresses == ()


def test_without_a_proxy_configuration_each_setting_is_assumed_aloud_and_named() -> None:
    config, unset = node_config(NodeEvidence("n1", (), None, EVERY_ADDRESS), CLUSTER)
    defaults = NodeConfig("n1")

    assert config.assumptions == tuple(ASSUMED_WITHOUT_CONFIG.values())
    assert unset == {*ASSUMED_WITHOUT_CONFIG, "bridge_interface", "interface_name_prefix"}
    assert [getattr(config, field) for field in sorted(unset)] == [
        getattr(defaults, field) for field in sorted(unset)
    ]
    assert unset <= {field.name for field in attrs.fields(NodeConfig)}


def test_addresses_default_to_those_of_the_node_object() -> None:
    config, unset = node_config(NodeEvidence("n1", (), proxy_file()), CLUSTER)

    assert config.addresses == (
        InterfaceAddress("", *number("10.0.0.1"), 32),
        InterfaceAddress("", *number("fd00::1"), 128),
        InterfaceAddress("", *number("203.0.113.1"), 32),
    )
    assert config.addresses_are_complete is False
    assert config.primary == (number("10.0.0.1"), number("fd00::1"))
    assert config.assumptions == ("no interface addresses given: those of the Node object are assumed",)
    assert unset == {"addresses"}


def test_a_missing_node_object_is_said() -> None:
    config, unset = node_config(NodeEvidence("n1", (), proxy_file(), EVERY_ADDRESS), Cluster())

    assert config.zone is None
    assert config.pod_cidrs == ()
    assert config.primary == (number("10.0.0.1"), number("fd00::1"))
    assert config.assumptions == (
        "no Node object n1 given: its zone and pod CIDR are unknown",
        "primary IPv4 address 10.0.0.1 assumed: the first on the node's interfaces",
        "primary IPv6 address fd00::1 assumed: the first on the node's interfaces",
    )
    assert unset == {"pod_cidrs", "zone", "readings"}


def test_with_nothing_given_everything_is_unset() -> None:
    config, unset = node_config(NodeEvidence(""), None)

    assert (
        "no node name given: no endpoint counts as local, zone and pod CIDR are unknown" in config.assumptions
    )
    assert "no interface addresses given: none are known" in config.assumptions
    assert unset == {field.name for field in attrs.fields(NodeConfig)} - {
        "name",
        "assumptions",
        "addresses_are_complete",
        "quirks",
    }


HINTED = EndpointSlice(
    ObjectName("shop", "web"),
    ObjectName("shop", "web"),
    "IPv4",
    (Endpoint(("10.244.0.9",), node_hints=("n1",)),),
    (EndpointPort("", "TCP", 80),),
)


@pytest.mark.parametrize(
    ("node", "slices", "expected"),
    [
        (attrs.evolve(NODE, kube_proxy_version="v1.30.5"), (HINTED,), (30, False, ())),
        (
            attrs.evolve(NODE, kube_proxy_version="", kubelet_version="v1.25.1"),
            (HINTED,),
            (25, True, ("kube-proxy's version is not given: the kubelet's is taken, 1.25",)),
        ),
        (attrs.evolve(NODE, kube_proxy_version="", kubelet_version="v1.25.1"), (), (25, True, ())),
        (attrs.evolve(NODE, kube_proxy_version=""), (HINTED,), (36, True, ())),
    ],
    ids=["given", "the kubelet's", "said only where it matters", "unknown"],
)
def test_version_of_kube_proxy(
    node: Node, slices: tuple[EndpointSlice, ...], expected: tuple[int, bool, tuple[str, ...]]
) -> None:
    """Kube-proxy's own version counts, else the kubelet's, which is said and may be corrected."""
    cluster = Cluster(slices=slices, nodes=(node,))

    config, unset = node_config(NodeEvidence("n1", (), proxy_file(), EVERY_ADDRESS), cluster)

    minor, is_unset, said = expected
    assert config.readings == (reading_of(minor),)
    assert ("readings" in unset, config.assumptions) == (is_unset, said)


def test_loopback_and_link_local_are_no_primary_address() -> None:
    addresses = ip_addr(
        ("lo", "127.0.0.1/8"), ("eth0", "169.254.1.1/16"), ("eth0", "fe80::1/64"), ("eth1", "192.0.2.1/24")
    )

    assert node_config(NodeEvidence("n1", (), None, addresses), None)[0].primary == (number("192.0.2.1"),)


def test_a_node_address_that_no_interface_has_is_not_primary() -> None:
    addresses = ip_addr(("eth0", "10.0.0.7/24"), ("eth0", "fd00::1/64"))

    config, _ = node_config(NodeEvidence("n1", (), proxy_file(), addresses), CLUSTER)

    assert config.primary == (number("10.0.0.7"), number("fd00::1"))
    assert config.assumptions == (
        "the Node object's address 10.0.0.1 is on none of the node's interfaces",
        "primary IPv4 address 10.0.0.7 assumed: the first on the node's interfaces",
    )


def test_a_family_that_the_node_object_leaves_out_has_no_primary_address() -> None:
    cluster = Cluster(nodes=(attrs.evolve(NODE, addresses=(("InternalIP", "10.0.0.1"),)),))

    assert config_of(cluster).primary == (number("10.0.0.1"),)


def test_a_specific_bind_address_is_primary_in_its_family() -> None:
    def primary(bind: str) -> tuple[tuple[Family, int], ...]:
        return config_of(bindAddress=bind).primary

    assert primary("192.0.2.9") == (number("192.0.2.9"), number("fd00::1"))
    assert primary("::") == primary("0.0.0.0") == (number("10.0.0.1"), number("fd00::1"))
    assert primary("127.0.0.1") == (number("fd00::1"),)


def test_hostname_override_names_the_node_only_where_the_evidence_does_not() -> None:
    def name_and_doubts(name: str, override: str) -> tuple[str, str | None, tuple[str, ...]]:
        evidence = NodeEvidence(name, (), proxy_file(hostnameOverride=override), EVERY_ADDRESS)
        config, _ = node_config(evidence, CLUSTER)
        return config.name, config.zone, config.assumptions

    assert name_and_doubts("n1", " N1 ") == ("n1", "z1", ())
    assert name_and_doubts("", "n1") == ("n1", "z1", ())
    assert name_and_doubts("host", "n1") == ("n1", "z1", ("hostnameOverride names the node n1, not host",))
    assert name_and_doubts("n1", "n2") == (
        "n1",
        "z1",
        ("hostnameOverride is n2; the node is taken to be n1",),
    )


def test_the_configuration_is_found_in_a_config_map_in_a_list_and_among_documents() -> None:
    text = proxy_file(mode="ipvs")[1].decode()
    config_map = {
        "kind": "ConfigMap",
        "metadata": {"name": "kube-proxy"},
        "data": {"kubeconfig.conf": "apiVersion: v1\nkind: Config\n", "config.conf": text},
    }
    written = [
        json.dumps(config_map),
        json.dumps({"kind": "List", "items": [{"kind": "ConfigMap"}, config_map]}),
        yaml.safe_dump_all([{"kind": "ClusterConfiguration"}, yaml.safe_load(text)]),
    ]

    found = [node_config(NodeEvidence("n1", (), ("p", text.encode())), None)[0].mode for text in written]

    assert found == [ProxyMode.IPVS] * 3


def test_ip_addr_entries_without_an_own_address_are_passed_over() -> None:
    links = [
        {},
        {"ifname": "dummy0"},
        {"ifname": "eth0", "addr_info": None},
        {"ifname": "eth1", "addr_info": [{}, {"family": "inet"}, {"family": "mpls", "local": "x"}]},
        {
            "ifname": "ppp0",
            "operstate": "UP",
            "addr_info": [{"family": "inet", "local": "10.0.0.1", "address": "10.0.0.2", "prefixlen": 32}],
        },
    ]
    evidence = NodeEvidence("n1", (), None, ("ip-addr.json", json.dumps(links).encode()))

    config, _ = node_config(evidence, None)

    assert config.addresses == (InterfaceAddress("ppp0", *number("10.0.0.1"), 32),)
    assert config.addresses_are_complete is True


def refusal(proxy: tuple[str, bytes] | None, addresses: bytes | None = None) -> str:
    with pytest.raises(InputError) as caught:
        node_config(
            NodeEvidence("n1", (), proxy, ("ip", addresses) if addresses is not None else None), CLUSTER
        )
    return str(caught.value)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"mode": "userspace"}, "mode: invalid enum value 'userspace'"),
        ({"detectLocalMode": "Guess"}, "detectLocalMode: invalid enum value 'Guess'"),
        ({"clusterCIDR": "10.0.0.0/8,x"}, "clusterCIDR: 'x' is not a CIDR"),
        ({"clusterCIDR": "10.0.0.1"}, "clusterCIDR: '10.0.0.1' is not a CIDR"),
        ({"nodePortAddresses": ["primary", "10.0.0.0/8"]}, "nodePortAddresses: 'primary' is not a CIDR"),
        ({"iptables": {"masqueradeBit": 32}}, "masqueradeBit: 32 is not between 0 and 31"),
        ({"iptables": {"masqueradeAll": "yes"}}, "iptables.masqueradeAll: expected bool | null, got str"),
        ({"bindAddress": "eth0"}, "bindAddress: 'eth0' is not an IP address"),
        (
            {"apiVersion": "kubeproxy.config.k8s.io/v9"},
            "apiVersion: kubeproxy.config.k8s.io/v9 is not read, only kubeproxy.config.k8s.io/v1alpha1",
        ),
    ],
)
def test_a_setting_that_kube_proxy_would_not_take_is_refused(fields: dict[str, Any], expected: str) -> None:
    assert refusal(proxy_file(**fields)) == f"proxy.yaml: KubeProxyConfiguration: {expected}"


def test_a_file_without_one_configuration_is_refused() -> None:
    two = proxy_file(mode="ipvs")[1] + b"---\n" + proxy_file(mode="nftables")[1]

    assert refusal(("p", b"kind: Pod\n")) == "p: holds no KubeProxyConfiguration, nor a ConfigMap with one"
    assert refusal(("p", two)) == "p: holds several KubeProxyConfigurations that differ"
    assert refusal(("p", b"")) == "p: is empty"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"1: lo: <LOOPBACK> mtu 65536\n", "ip: not the output of `ip -j addr`: expected array, got int"),
        (b'[{},\n{"a" 1}]', "ip:2: not the output of `ip -j addr`: JSON is malformed: "),
        (b"[{},\n", "ip:1: not the output of `ip -j addr`: JSON ends too early (column 5)"),
        (b'{"ifname": "lo"}', "ip: not the output of `ip -j addr`: expected array, got object"),
        (
            b'[{"addr_info": 5}]',
            "ip: not the output of `ip -j addr`: [0].addr_info: expected array | null, got int",
        ),
        (
            b'[{"ifname":"a","addr_info":[{"family":"inet","local":"x"}]}]',
            "ip: interface a: 'x' is not an IP",
        ),
        (
            b'[{"ifname":"a","addr_info":[{"family":"inet","local":"::1"}]}]',
            "ip: interface a: ::1/128 is not an inet address",
        ),
        (
            b'[{"ifname":"a","addr_info":[{"family":"inet","local":"1.2.3.4","prefixlen":33}]}]',
            "ip: interface a: 1.2.3.4/33 is not an inet address",
        ),
        (b"[" * 100_000, "ip: not the output of `ip -j addr`: [0]: expected object, got array"),
    ],
)
def test_what_is_not_the_json_of_ip_addr_is_refused(data: bytes, expected: str) -> None:
    assert refusal(None, data).startswith(expected)


def test_another_mode_is_started_with_the_same_file() -> None:
    """NP-02: the section and the node port addresses that hold are those of the mode asked for."""
    proxy = proxy_file(mode="iptables", iptables={"masqueradeAll": True, "localhostNodePorts": False})
    evidence = NodeEvidence("n1", (), proxy, EVERY_ADDRESS)

    def settings(mode: ProxyMode | None) -> tuple[ProxyMode, bool, tuple[str, ...]]:
        config, _ = node_config(evidence, CLUSTER, mode=mode)
        return config.mode, config.masquerade_all, config.node_port_addresses

    assert settings(None) == (ProxyMode.IPTABLES, True, ())
    assert settings(ProxyMode.IPVS) == (ProxyMode.IPVS, True, ())
    assert settings(ProxyMode.NFTABLES) == (ProxyMode.NFTABLES, False, ("primary",))


def test_a_mode_that_is_asked_for_is_not_assumed() -> None:
    """Without a configuration all else is."""
    evidence = NodeEvidence("n1", (), None, EVERY_ADDRESS)

    config, unset = node_config(evidence, CLUSTER, mode=ProxyMode.NFTABLES)

    assert config.mode is ProxyMode.NFTABLES
    assert "mode" not in unset
    assert "masquerade_all" in unset
    assert ASSUMED_WITHOUT_CONFIG["mode"] not in config.assumptions
    assert ASSUMED_WITHOUT_CONFIG["masquerade_all"] in config.assumptions


@pytest.mark.parametrize(
    ("version", "mode", "expected"),
    [
        ("v1.36.2", ProxyMode.NFTABLES, set()),
        ("v1.34.0", ProxyMode.NFTABLES, {Quirk.MARKS_PER_ENDPOINT, Quirk.EARLY_OUTPUT}),
        ("v1.33.0", ProxyMode.IPTABLES, set()),
        ("", ProxyMode.NFTABLES, set()),
    ],
)
def test_what_the_version_does_otherwise_is_known_from_the_node(
    version: str, mode: ProxyMode, expected: set[Quirk]
) -> None:
    """MODE-21: rules of iptables mode show it themselves."""
    cluster = Cluster(nodes=(Node("n1", kubelet_version=version),))

    config, _ = node_config(NodeEvidence("n1", (), None, EVERY_ADDRESS), cluster, mode=mode)

    assert config.quirks == expected
