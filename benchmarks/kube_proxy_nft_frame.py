"""What every table of kube-proxy 1.36 in nftables mode holds, whatever the Services are.

The base chains and the ordinary chains that they jump to, as nft 1.0.6 prints them.
Source: rules-nftables 1 and 5.
"""

from collections.abc import Iterable

from model.node_config import NodeConfig

BASES = """\
	chain filter-prerouting-pre-dnat {
		type filter hook prerouting priority dstnat - 10; policy accept;
		ct state new jump firewall-check
	}

	chain filter-output-pre-dnat {
		type filter hook output priority -110; policy accept;
		ct state new jump firewall-check
	}

	chain filter-input {
		type filter hook input priority filter; policy accept;
		ct state new jump nodeport-endpoints-check
		ct state new jump service-endpoints-check
	}

	chain filter-forward {
		type filter hook forward priority filter; policy accept;
		ct state new jump service-endpoints-check
		ct state new jump cluster-ips-check
	}

	chain filter-output {
		type filter hook output priority filter; policy accept;
		ct state new jump service-endpoints-check
		ct state new jump cluster-ips-check
	}

	chain nat-prerouting {
		type nat hook prerouting priority dstnat; policy accept;
		jump services
	}

	chain nat-output {
		type nat hook output priority -100; policy accept;
		jump services
	}

	chain nat-postrouting {
		type nat hook postrouting priority srcnat; policy accept;
		jump masquerading
	}
"""


MAPS = (
    *("no-endpoint-services", "no-endpoint-nodeports"),
    *("firewall-ips", "service-ips", "service-nodeports"),
)


def fixed_chains(
    config: NodeConfig, word: str, not_from_pod: str | None, of_node: str, service_cidrs: Iterable[str]
) -> Iterable[str]:
    """The ordinary chains that no Service adds to, as text.

    `word` is ip or ip6, `not_from_pod` the match of packets that no pod sends (None without a
    detector), `of_node` the match of destinations at which node ports are served.
    """
    mark = masquerade_mark(config)
    destination = f"{word} daddr . meta l4proto . th dport vmap"
    yield chain_text(
        "nodeport-endpoints-check", [f"{of_node} meta l4proto . th dport vmap @no-endpoint-nodeports"]
    )
    yield chain_text("service-endpoints-check", [f"{destination} @no-endpoint-services"])
    yield chain_text("firewall-check", [f"{destination} @firewall-ips"])
    marking = []
    if config.masquerade_all:
        marking = [f'{word} daddr @cluster-ips {mark} comment "masquerade all clusterIP traffic"']
    elif not_from_pod is not None:
        marking = [
            f"{word} daddr @cluster-ips {not_from_pod} {mark} comment"
            ' "masquerade clusterIP traffic from outside cluster"'
        ]
    yield chain_text(
        "services",
        [
            *marking,
            f"{destination} @service-ips",
            f"{of_node} meta l4proto . th dport vmap @service-nodeports",
        ],
    )
    bit = f"{1 << config.masquerade_bit:#010x}"
    yield chain_text(
        "masquerading",
        [
            f"meta mark & {bit} != 0x00000000 meta mark set meta mark ^ {bit} masquerade fully-random",
            f"ct status dnat {word} saddr . {word} daddr . meta l4proto . th dport"
            " @hairpin-connections masquerade fully-random",
        ],
    )
    dropped = [
        f'{word} daddr {text} drop comment "Drop traffic to unallocated ClusterIPs"' for text in service_cidrs
    ]
    rejected = f'{word} daddr @cluster-ips reject comment "Reject traffic to invalid ports of ClusterIPs"'
    yield chain_text("cluster-ips-check", [rejected, *dropped])
    yield chain_text("reject-chain", ["reject"])


def masquerade_mark(config: NodeConfig) -> str:
    """The statement that marks a packet for masquerade."""
    return f"meta mark set meta mark | {1 << config.masquerade_bit:#010x}"


def set_text(kind: str, name: str, key: str, elements: Iterable[str]) -> str:
    """A set or map of the table."""
    listed = ",\n\t\t\t     ".join(elements)
    body = f"\t\telements = {{ {listed} }}\n" if listed else ""
    return f"\t{kind} {name} {{\n\t\ttype {key}\n{body}\t}}\n"


def chain_text(name: str, rules: Iterable[str]) -> str:
    """A chain of the table."""
    return f"\tchain {name} {{\n" + "".join(f"\t\t{rule}\n" for rule in rules) + "\t}\n"
