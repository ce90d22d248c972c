"""Settings of kube-proxy are read off its nftables rules where these agree."""

import attrs
import pytest

from model.node_config import DetectLocalMode
from oracle.dialects.nftables.settings import Settings, settings
from oracle.dialects.nftables.text import parse_text

CLUSTER_IPS = "set cluster-ips {\ntype ipv4_addr\n}\nset hairpin-connections {\ntype ipv4_addr\n}"
NODE_PORTS = (
    "set nodeport-ips {\ntype ipv4_addr\nelements = { 10.32.1.11, 10.33.0.11 }\n}\n"
    "map service-nodeports {\ntype inet_proto . inet_service : verdict\n}"
)
MARK = "meta mark set meta mark | 0x00004000"
TEXT = "read off the rules: "


def read(services: str, objects: str = "", family: str = "ip") -> Settings:
    """What a table says whose chain `services` has these rules."""
    listing = f"table {family} kube-proxy {{\n{objects}\nchain services {{\n{services}\n}}\n}}\n"
    return settings(parse_text(listing.encode(), "nft"))


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (
            "ip saddr != 10.244.0.0/16 ",
            Settings(
                DetectLocalMode.CLUSTER_CIDR,
                ("10.244.0.0/16",),
                masquerade_all=False,
                said=(f"{TEXT}sources in 10.244.0.0/16 are pods (IPv4)",),
            ),
        ),
        (
            'iifname != "cni0" ',
            Settings(
                DetectLocalMode.BRIDGE_INTERFACE,
                bridge_interface="cni0",
                masquerade_all=False,
                said=(f"{TEXT}what comes in by cni0 is from pods (IPv4)",),
            ),
        ),
        (
            'iifname != "veth*" ',
            Settings(
                DetectLocalMode.INTERFACE_NAME_PREFIX,
                interface_name_prefix="veth",
                masquerade_all=False,
                said=(f"{TEXT}what comes in by veth* is from pods (IPv4)",),
            ),
        ),
        (
            "",
            Settings(DetectLocalMode.NONE, masquerade_all=True, said=(f"{TEXT}masqueradeAll is on (IPv4)",)),
        ),
    ],
)
def test_the_condition_of_cluster_ips_tells_the_detector(condition: str, expected: Settings) -> None:
    """MASQ-01, MASQ-02: one rule for all cluster IPs (1.36)."""
    found = read(f"ip daddr @cluster-ips {condition}{MARK}", CLUSTER_IPS)

    assert attrs.evolve(expected, masquerade_bit=14) == found


def test_a_layout_without_that_rule_has_no_detector() -> None:
    """MASQ-03."""
    found = read("ip daddr . meta l4proto . th dport vmap @service-ips", f"{CLUSTER_IPS}\n{DISPATCH}")

    assert (found.detect_local, found.masquerade_all) == (DetectLocalMode.NONE, False)


DISPATCH = "map service-ips {\ntype ipv4_addr . inet_proto . inet_service : verdict\n}"


def old(*conditions: str) -> Settings:
    """What per-service rules say (up to 1.35), one service for each condition."""
    elements, chains = [], []
    for at, condition in enumerate(conditions):
        name = f"service-AAAAAAA{'ABC'[at]}-shop/web{at}/tcp/"
        elements.append(f"10.96.0.{at} . tcp . 80 : goto {name}")
        if condition != "no rule":
            condition = f"ip daddr 10.96.0.{at} tcp dport 80 {condition} jump mark-for-masquerade"
        else:
            condition = ""
        chains.append(f"chain {name} {{\n{condition}\n}}")
    objects = (
        f"{DISPATCH[:-2]}\nelements = {{ {', '.join(elements)} }}\n}}\n"
        f"chain mark-for-masquerade {{\n{MARK}\n}}\nchain service-endpoints-check {{\n}}\n"
        + "\n".join(chains)
    )
    return read("", objects)


def test_older_rules_say_it_with_each_service_and_the_most_count() -> None:
    """One fault among three does not pass for a setting."""
    pods = "ip saddr != 10.244.0.0/16"

    assert old(pods, pods, "ip saddr != 10.9.0.0/16").cluster_cidrs == ("10.244.0.0/16",)
    assert old(pods, "ip saddr != 10.9.0.0/16").detect_local is None
    assert old("no rule").detect_local is DetectLocalMode.NONE
    assert old().detect_local is None


def test_under_masquerade_all_external_chains_tell_pods_apart() -> None:
    """Only policy Local asks for pods then."""
    external = "chain external-AAAAAAAA-shop/web/tcp/ {\nip saddr 10.244.0.0/16 goto services\n}"
    found = read(f"ip daddr @cluster-ips {MARK}", f"{CLUSTER_IPS}\n{external}")

    assert (found.masquerade_all, found.cluster_cidrs) == (True, ("10.244.0.0/16",))


def test_node_ports_are_served_on_the_addresses_of_the_set() -> None:
    """MODE-01."""
    found = read("ip daddr @nodeport-ips meta l4proto . th dport vmap @service-nodeports", NODE_PORTS)

    assert found.node_port_addresses == ("10.32.1.11/32", "10.33.0.11/32")
    assert found.said == (f"{TEXT}node ports are served on 10.32.1.11/32, 10.33.0.11/32",)


def test_node_ports_may_be_served_on_every_local_address() -> None:
    """--nodeport-addresses of all."""
    rule = "fib daddr type local ip daddr != 127.0.0.0/8 meta l4proto . th dport vmap @service-nodeports"

    assert read(rule, NODE_PORTS).node_port_addresses == ()
    assert read("", NODE_PORTS).node_port_addresses is None


def test_the_bit_of_the_mark() -> None:
    """MASQ-09: said where it is not the default."""
    objects = (
        "chain masquerading {\nmeta mark & 0x00008000 != 0 meta mark set meta mark ^ 0x00008000 masquerade\n}"
    )
    found = read("", objects)

    assert found.masquerade_bit == 15
    assert found.said == (f"{TEXT}masqueradeBit is 15",)


@pytest.mark.parametrize(
    ("ranges", "expected"),
    [
        ("10.96.0.0/16", ("10.96.0.0/16",)),
        ("{ 10.96.0.0/16, 10.98.0.0/20 }", ("10.96.0.0/16", "10.98.0.0/20")),
    ],
)
def test_the_service_ranges_are_those_whose_rest_is_dropped(ranges: str, expected: tuple[str, ...]) -> None:
    """MODE-06."""
    objects = (
        f"{CLUSTER_IPS}\nchain cluster-ips-check {{\nip daddr @cluster-ips reject\nip daddr {ranges} drop\n}}"
    )

    assert read("", objects).service_cidrs == expected


def test_both_families_speak_for_themselves() -> None:
    """One CIDR of each."""
    both = "".join(
        f"table {family} kube-proxy {{\nset cluster-ips {{\ntype {kind}\n}}\n"
        f"chain services {{\n{family} daddr @cluster-ips {family} saddr != {cidr} {MARK}\n}}\n}}\n"
        for family, kind, cidr in (
            ("ip", "ipv4_addr", "10.244.0.0/16"),
            ("ip6", "ipv6_addr", "fd00:10:244::/56"),
        )
    )

    assert settings(parse_text(both.encode(), "nft")).cluster_cidrs == ("10.244.0.0/16", "fd00:10:244::/56")


def test_other_tables_say_nothing() -> None:
    """Not even with the same chains."""
    listing = f"table ip other {{\nchain services {{\n{MARK}\n}}\n}}\n"

    assert settings(parse_text(listing.encode(), "nft")) == Settings()
