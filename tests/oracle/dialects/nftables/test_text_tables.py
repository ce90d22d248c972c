"""The text of a listing: tables, base chains, and what stands around them."""

import pytest

from oracle.dialects.nftables import parse_nftables, parse_text
from oracle.dialects.nftables.expressions import Concat, Element, Verdict, VerdictKind
from oracle.dialects.nftables.syntax import ChainType, Form, Hook, NamedObject, TableFamily
from tests.oracle.dialects.nftables.listings import address, text_chain, text_table

LISTING = b"""table ip kube-proxy {
\tcomment "rules for kube-proxy"
\tset cluster-ips {
\t\ttype ipv4_addr
\t\tcomment "Active ClusterIPs"
\t\telements = { 10.96.0.1, 10.96.46.9,
\t\t\t     10.96.252.30 }
\t}

\tmap service-ips {
\t\ttype ipv4_addr . inet_proto . inet_service : verdict
\t\telements = { 10.96.0.1 . tcp . 443 : goto service-2QRHZV4L-default/kubernetes/tcp/https,
\t\t\t     10.96.0.10 . udp . 53 comment "kube-system/kube-dns:dns" : drop }
\t}

\tchain nat-prerouting {
\t\ttype nat hook prerouting priority dstnat; policy accept;
\t\tjump services
\t}

\tchain services {
\t\tcomment "helper"
\t}
}
table ip6 kube-proxy {
}
"""


def test_tables_come_in_the_order_of_the_listing() -> None:
    """Both forms of address have a table of their own (rules-nftables 1)."""
    dump = parse_text(LISTING, "nft")

    assert [(TableFamily.IP, "kube-proxy", 1), (TableFamily.IP6, "kube-proxy", 25)] == [
        (table.family, table.name, table.line) for table in dump.tables
    ]
    assert Form.TEXT is dump.form


def test_wrapped_elements_know_their_lines() -> None:
    """A list of elements goes on after a comma in the next line (rules-nftables 5)."""
    found = parse_text(LISTING, "nft").tables[0].sets["cluster-ips"]

    assert (
        Element(address("10.96.0.1"), line=6),
        Element(address("10.96.46.9"), line=6),
        Element(address("10.96.252.30"), line=7),
    ) == found.elements


def test_a_map_of_verdicts_has_keys_of_parts() -> None:
    """`key [comment] : verdict`, parts joined by dots (rules-nftables 5)."""
    found = parse_text(LISTING, "nft").tables[0].sets["service-ips"]

    assert (("ipv4_addr", "inet_proto", "inet_service"), ("verdict",)) == (found.key_types, found.value_types)
    assert (
        Element(
            Concat((address("10.96.0.1"), 6, 443)),
            Verdict(VerdictKind.GOTO, "service-2QRHZV4L-default/kubernetes/tcp/https"),
            line=12,
        ),
        Element(
            Concat((address("10.96.0.10"), 17, 53)),
            Verdict(VerdictKind.DROP),
            comment="kube-system/kube-dns:dns",
            line=13,
        ),
    ) == found.elements


def test_a_comment_is_no_rule() -> None:
    """Tables and chains may have a comment of their own."""
    chain = parse_text(LISTING, "nft").tables[0].chains["services"]

    assert () == chain.rules
    assert None is chain.hook


def test_the_first_character_tells_the_form() -> None:
    """Text begins with a word, JSON with a brace."""
    assert Form.TEXT is parse_nftables(LISTING, "nft").form
    assert (
        Form.JSON is parse_nftables(b' {"nftables": [{"table": {"family": "ip", "name": "t"}}]}', "nft").form
    )


@pytest.mark.parametrize(
    ("family", "said", "priority"),
    [
        ("ip", "dstnat", -100),
        ("ip", "dstnat - 10", -110),
        ("ip", "filter", 0),
        ("inet", "filter + 5", 5),
        ("ip", "raw", -300),
        ("ip6", "mangle", -150),
        ("ip", "security", 50),
        ("ip", "srcnat", 100),
        ("ip", "-110", -110),
        ("ip", "7", 7),
        ("bridge", "dstnat", -300),
        ("bridge", "filter", -200),
        ("bridge", "out", 100),
        ("bridge", "srcnat + 1", 301),
    ],
)
def test_priorities_are_numbers(family: str, said: str, priority: int) -> None:
    """Names mean other numbers in the bridge family; an offset is added."""
    chain = text_chain(f"type filter hook prerouting priority {said}; policy accept;", family)

    assert priority == chain.priority


def test_a_base_chain_has_a_type_a_hook_and_a_policy() -> None:
    """The head of a base chain is no rule."""
    chain = text_chain("type filter hook forward priority filter; policy drop;\n\t\taccept")

    assert (ChainType.FILTER, Hook.FORWARD, VerdictKind.DROP, 1) == (
        chain.type,
        chain.hook,
        chain.policy,
        len(chain.rules),
    )


def test_a_base_chain_without_policy_accepts() -> None:
    """As the kernel does."""
    chain = text_chain("type nat hook postrouting priority srcnat;")

    assert VerdictKind.ACCEPT is chain.policy


@pytest.mark.parametrize("said", ['device "eth0"', 'devices = { "eth0" }', "devices = { eth0 }"])
def test_an_ingress_chain_names_its_devices(said: str) -> None:
    """One device, or a list."""
    chain = text_chain(f"type filter hook ingress {said} priority -500; policy accept;", "netdev")

    assert (Hook.INGRESS, ("eth0",), -500) == (chain.hook, chain.devices, chain.priority)


def test_other_objects_are_named() -> None:
    """That they are there matters; what they count does not."""
    table = text_table(
        '\tcounter c1 {\n\t\tpackets 0 bytes 0\n\t}\n\tct helper h {\n\t\ttype "ftp" protocol tcp\n\t}\n'
        "\tflowtable f {\n\t\thook ingress priority filter\n\t\tdevices = { lo }\n\t}"
    )

    assert (
        NamedObject("counter", "c1", 2),
        NamedObject("ct helper", "h", 5),
        NamedObject("flowtable", "f", 8),
    ) == table.objects


def test_a_dormant_table_says_so() -> None:
    """Its chains are hooked nowhere."""
    assert ("dormant", "owner") == text_table("\tflags owner,dormant").flags


def test_handles_and_warnings_are_no_content() -> None:
    """`nft -a` adds handles; `iptables-nft` makes nft warn."""
    listing = b"""# Warning: table ip nat is managed by iptables-nft, do not touch!
table ip nat { # handle 10
\tset s { # handle 2
\t\ttype ipv4_addr
\t}
\tchain c { # handle 1
\t\ttcp dport 80 accept # handle 4
\t\tdrop comment "why # handle 7" # handle 5
\t}
}
"""

    dump = parse_text(listing, "nft")
    rules = dump.tables[0].chains["c"].rules

    assert ((TableFamily.IP, "nat"),) == dump.managed_by_iptables
    assert [("tcp dport 80 accept", "", 4), ("drop", "why # handle 7", 5)] == [
        (rule.text, rule.comment, rule.handle) for rule in rules
    ]


def test_a_block_may_stand_on_one_line() -> None:
    """Tokens count, not lines."""
    (table,) = parse_text(
        b"table ip t { chain c { type filter hook input priority 0; policy drop; accept; drop; } }", "nft"
    ).tables
    chain = table.chains["c"]

    assert (Hook.INPUT, VerdictKind.DROP) == (chain.hook, chain.policy)
    assert ["accept", "drop"] == [rule.text for rule in chain.rules]


def test_lines_may_end_as_on_windows() -> None:
    """Some viewers change them."""
    dump = parse_text(LISTING.replace(b"\n", b"\r\n"), "nft")

    assert parse_text(LISTING, "nft").tables == dump.tables


def test_a_table_listed_twice_alike_is_one() -> None:
    """Two listings of one moment in one file."""
    dump = parse_text(LISTING + LISTING, "nft")

    assert 2 == len(dump.tables)
