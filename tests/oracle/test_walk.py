"""The walk of all sources at once gives at each source what the plain walk gives there.

Every cell of each dump is asked, from the wire and from the node, at sources on both sides
of each edge. The dumps have the shapes that the faster walk treats in ways of its own.
"""

import pytest

from model.addresses import Family, parse_address
from model.fate import outcome_at
from model.frontends import NodeView, node_view
from model.intervals import contains
from model.objects import Cluster
from model.packet import Origin, Packet
from oracle.dialects.iptables import parse_iptables
from oracle.plain import trace
from oracle.ruleset import Base, Ruleset
from oracle.space.cells import regions
from oracle.space.compare import prepare
from tests.asking import plainly
from tests.handmade import CONFIG, tables
from tests.hooked import OUT, POST, PRE, hooked, ipvs

V4 = Family.IPV4
TO_A, TO_B, TO_C = (f"-j DNAT --to-destination 10.244.0.{n}:8080" for n in (1, 2, 3))
REMEMBER = "-m recent --{} --name {} --mask 255.255.255.255 --rsource"
SOURCES = [
    parse_address(text)[1]
    for text in (
        *("0.0.0.0", "10.243.255.255", "10.244.0.0", "10.244.0.1", "10.244.0.2", "10.244.0.127"),
        *("10.244.0.128", "10.244.255.255", "10.245.0.0", "10.32.1.11", "127.0.0.1", "203.0.113.2"),
    )
]

LADDER = f"""
    -A PREROUTING -d 10.96.0.1/32 -p tcp -m tcp --dport 80 -j SVC
    -A OUTPUT -d 10.96.0.1/32 -p tcp -m tcp --dport 80 -j SVC
    -A POSTROUTING -m mark --mark 0x4000/0x4000 -j MASQUERADE
    -A MARK-MASQ -j MARK --set-xmark 0x4000/0x4000
    -A SVC ! -s 10.244.0.0/16 -j MARK-MASQ
    -A SVC -m statistic --mode random --probability 0.33333333349 -j SEP-1
    -A SVC -m statistic --mode random --probability 0.50000000000 -j SEP-2
    -A SVC -j SEP-3
    -A SEP-1 -s 10.244.0.1/32 -j MARK-MASQ
    -A SEP-1 -p tcp -m tcp {TO_A}
    -A SEP-2 -s 10.244.0.2/32 -j MARK-MASQ
    -A SEP-2 -p tcp -m tcp {TO_B}
    -A SEP-3 -s 10.244.0.3/32 -j MARK-MASQ
    -A SEP-3 -p tcp -m tcp {TO_C}"""

STICKY = f"""
    -A PREROUTING -j SVC
    -A SVC {REMEMBER.format("rcheck --seconds 60 --reap", "ONE")} -j ONE
    -A SVC {REMEMBER.format("rcheck --seconds 60 --reap", "TWO")} -j TWO
    -A SVC -m statistic --mode random --probability 0.50000000000 -j ONE
    -A SVC -j TWO
    -A ONE -p tcp {REMEMBER.format("set", "ONE")} -m tcp {TO_A}
    -A TWO -p tcp {REMEMBER.format("set", "TWO")} -m tcp {TO_B}"""

MANY = "\n".join(
    f"-A PREROUTING -d 10.96.0.{n}/32 -p {'udp' if n % 3 else 'tcp'} -m {'udp' if n % 3 else 'tcp'}"
    f" --dport {80 + n % 2} -j DNAT --to-destination 10.244.0.{n}:8080"
    for n in range(1, 25)
)

DUMPS = {
    "endpoints in a ladder": tables(nat=LADDER),
    "a ladder that asks a protocol nobody sends": tables(
        nat=LADDER.replace("-p tcp -m tcp --dport 80", "-p udp -m udp --dport 80")
    ),
    "a ladder that translates by itself": tables(
        nat=f"""
    -A PREROUTING -g SVC
    -A SVC ! -s 10.244.0.0/16 -j MARK --set-xmark 0x4000/0x4000
    -A SVC -p tcp -m statistic --mode random --probability 0.50000000000 {TO_A}
    -A SVC -p tcp {TO_B}
    -A POSTROUTING -m mark --mark 0x4000/0x4000 -j MASQUERADE"""
    ),
    "a ladder of gotos": tables(
        nat=LADDER.replace("-j SEP", "-g SEP").replace("-j SVC", "-g SVC"),
        filter="-A FORWARD -p udp -j DROP",
    ),
    "some sources masqueraded whatever their mark": tables(
        nat=LADDER
        + """
    -A POSTROUTING -s 10.244.0.2/32 -d 10.244.0.2/32 -p tcp -m tcp --dport 8080 -j MASQUERADE
    -A POSTROUTING -s 10.244.0.0/25 -d 10.244.0.3/32 -j MASQUERADE"""
    ),
    "some sources never masqueraded": tables(
        nat=LADDER.replace(
            "-A POSTROUTING -m", "-A POSTROUTING -s 10.244.0.0/30 -j ACCEPT\n-A POSTROUTING -m"
        )
    ),
    "the first endpoint emptied": tables(
        nat=LADDER.replace(f"-A SEP-1 -p tcp -m tcp {TO_A}\n", "").replace(
            "-A SEP-1 -s 10.244.0.1", "-A SEP-1 -s 10.9.9.9"
        )
    ),
    "the last endpoint gone": tables(nat=LADDER.replace("-A SVC -j SEP-3\n", "")),
    "one endpoint chosen twice": tables(
        nat=LADDER.replace("0.50000000000 -j SEP-2", "0.50000000000 -j SEP-1")
    ),
    "chance only for some sources": tables(
        nat=LADDER.replace("-A SVC -m statistic", "-A SVC -s 10.244.0.0/25 -m statistic")
    ),
    "two marks of overlapping sources": tables(
        mangle="""
    -A PREROUTING -s 10.244.0.0/16 -j MARK --set-xmark 0x1/0x1
    -A PREROUTING -s 10.244.0.0/25 -j MARK --set-xmark 0x2/0x3
    -A PREROUTING ! -s 10.244.0.0/24 -m mark ! --mark 0x1/0x1 -j MARK --set-xmark 0x4/0x0""",
        filter="""
    -A FORWARD -m mark --mark 0x1/0xf -j DROP
    -A FORWARD -m mark --mark 0x2/0xf -j REJECT --reject-with icmp-port-unreachable
    -A INPUT -m mark --mark 0x4/0x4 -j DROP""",
    ),
    "one chain met with two marks": tables(
        filter="""
    -A FORWARD -s 10.244.0.0/16 -j OWN
    -A FORWARD -j MARK --set-xmark 0x1/0x1
    -A FORWARD -j OWN
    -A OWN -m mark --mark 0x1/0x1 -p udp -j DROP
    -A OWN -p tcp -m tcp --dport 22 -j REJECT --reject-with icmp-port-unreachable"""
    ),
    "goto and return": tables(
        nat=f"""
    -A PREROUTING -j OUTER
    -A PREROUTING {TO_B}
    -A OUTER -s 10.244.0.0/25 -g INNER
    -A OUTER -p tcp {TO_A}
    -A INNER -d 10.96.0.2/32 -j RETURN
    -A INNER -p udp {TO_C}"""
    ),
    "policies and early ends": tables(
        nat=f"-A PREROUTING -s 10.244.0.0/24 -j ACCEPT\n-A PREROUTING -p tcp {TO_A}",
        filter=""":FORWARD DROP
    :INPUT DROP
    -A FORWARD -d 10.244.0.1/32 -j ACCEPT
    -A FORWARD -m conntrack --ctstate DNAT -j ACCEPT
    -A INPUT -i lo -j ACCEPT""",
    ),
    "memories": tables(nat=STICKY),
    "memories crossed": tables(nat=STICKY.replace("--set --name TWO", "--set --name ONE")),
    "memories of any age": tables(nat=STICKY.replace(" --seconds 60 --reap", "")),
    "memories denied": tables(nat=STICKY.replace("-m recent --rcheck", "-m recent ! --rcheck")),
    "memories of some sources": tables(
        nat=STICKY.replace("-A SVC -m recent", "-A SVC -s 10.244.0.0/25 -m recent")
    ),
    "memories that lead to nothing": tables(
        nat=STICKY.replace("--rsource -j TWO", "--rsource -j GONE\n    -A GONE -p 99 -j DROP")
    ),
    "memories of what is dropped later": tables(nat=STICKY, filter="-A FORWARD -p tcp -j DROP"),
    "a memory beside a match that is not judged": tables(
        nat=STICKY.replace(
            "--name TWO --mask 255.255.255.255 --rsource -j", "--name TWO --rsource -m unheard --of -j"
        )
    ),
    "a match that is not judged": tables(
        nat=LADDER.replace("-A SVC -j SEP-3", "-A SVC -m unheard --of -j SEP-3"),
        filter="-A FORWARD -p udp -m unheard --of -j DROP",
    ),
    "matches not judged that come to the same": tables(
        filter="""
    -A FORWARD -m unheard --of 1 -j DROP
    -A FORWARD -m unheard --of 2 -j DROP
    -A FORWARD -j DROP"""
    ),
    "some sources untracked": tables(
        raw="-A PREROUTING -s 10.244.0.0/25 -j NOTRACK",
        nat=LADDER,
        filter="""
    -A FORWARD -m conntrack --ctstate UNTRACKED -p udp -j DROP
    -A FORWARD -m conntrack ! --ctstate NEW -j REJECT""",
    ),
    "redirected to the node itself": tables(
        nat="""
    -A PREROUTING -p tcp -j REDIRECT --to-ports 8000
    -A OUTPUT -p tcp -j REDIRECT --to-ports 8000""",
        filter="""
    -A INPUT -s 10.244.0.0/24 -p tcp -m tcp --dport 8000 -j DROP
    -A INPUT -p tcp -m tcp --dport 80 -j DROP""",
    ),
    "an address kept or a port kept": tables(
        nat="""
    -A PREROUTING -d 10.96.0.1/32 -p tcp -m tcp --dport 80:90 -j DNAT --to-destination 10.244.0.1
    -A PREROUTING -d 10.96.0.2/32 -p tcp -j DNAT --to-destination :8080
    -A POSTROUTING -d 10.244.0.1/32 -p tcp -m tcp --dport 85:86 -j MASQUERADE""",
        filter="-A FORWARD -d 10.244.0.1/32 -p tcp -m tcp --dport 88 -j DROP",
    ),
    "to the node's own address": tables(
        nat="-A PREROUTING -p tcp -j DNAT --to-destination 10.32.1.11:6443\n-A POSTROUTING -j MASQUERADE",
        filter="-A INPUT -p tcp -m tcp --dport 6443 -s 10.244.0.0/16 -j DROP",
    ),
    "interfaces": tables(
        nat=f"-A PREROUTING -i cali+ -p tcp {TO_A}\n-A PREROUTING ! -i eth0 -p udp {TO_B}",
        filter="-A FORWARD -o eth0 -p udp -j DROP\n-A OUTPUT -o lo -p udp -j DROP",
    ),
    "a long chain": tables(nat=MANY + f"\n-A PREROUTING -d 10.96.0.0/28 -p tcp {TO_C}"),
    "destinations denied": tables(
        nat=f"-A PREROUTING ! -d 10.96.0.0/16 -p tcp -m tcp --dport 80 {TO_A}",
        filter="""
    -A FORWARD -m addrtype ! --dst-type LOCAL -p udp -j DROP
    -A FORWARD -m addrtype --src-type LOCAL -j DROP""",
    ),
}


@pytest.fixture(scope="module")
def view() -> NodeView:
    """A node without Services: nothing but the rules cuts its packets."""
    return node_view(Cluster(), CONFIG, V4)


TO_NODE = "-d 10.32.1.11/32 -p tcp -m tcp --dport 80"
VIRTUAL = "\n".join(
    f"-A {chain} {TO_NODE} -g WEB\n-A {chain} {TO_NODE}80 {TO_B}" for chain in ("IPVS", "IPVS-OUT")
)
SERVERS = f"""
    {VIRTUAL}
    -A WEB -p tcp -m statistic --mode random --probability 0.50000000000 {TO_A}
    -A WEB -p tcp {TO_C}"""
MARKS = """
    -A PREROUTING -s 10.244.0.0/25 -j MARK --set-xmark 0x4000/0x4000
    -A OUTPUT -j MARK --set-xmark 0x4000/0x4000
    -A POSTROUTING -m mark --mark 0x4000/0x4000 -j MASQUERADE"""

HOOKED = {
    "filters around nat": (
        hooked(
            f"""
    -A early -s 10.244.0.0/25 -d 10.96.0.1/32 -j DROP
    -A dnat -d 10.96.0.1/32 {TO_A.replace("-j", "-p tcp -j")}
    -A late -s 10.244.0.128/25 -d 10.244.0.1/32 -p tcp -m tcp --dport 8080 -j REJECT
    -A late -d 10.96.0.0/16 -j DROP""",
            {"early": Base(PRE, -110), "dnat": Base(PRE, -100, is_nat=True), "late": Base(PRE, -50)},
        ),
    ),
    "two nats and a filter between": (
        hooked(
            f"""
    -A dnat -s 10.244.0.0/16 -p tcp {TO_A}
    -A between -d 10.244.0.1/32 -s 10.244.0.2/32 -j DROP
    -A between -d 10.244.0.2/32 -s 203.0.113.2/32 -j DROP
    -A again -p tcp {TO_B}""",
            {
                "dnat": Base(PRE, -100, is_nat=True),
                "between": Base(PRE, -95),
                "again": Base(PRE, -90, is_nat=True),
            },
        ),
    ),
    "the same for wire and node": (
        hooked(
            LADDER.replace("PREROUTING", "pre").replace("OUTPUT", "out").replace("POSTROUTING", "post"),
            {
                "pre": Base(PRE, -100, is_nat=True),
                "out": Base(OUT, -100, is_nat=True),
                "post": Base(POST, 100, is_nat=True),
            },
        ),
    ),
    "virtual servers": (*parse_iptables(tables(nat=MARKS).encode(), "iptables-save", V4), ipvs(SERVERS)),
    "virtual servers among filters": (
        *parse_iptables(
            tables(
                nat=MARKS,
                filter="""
    -A INPUT -s 10.244.0.2/32 -p tcp -m tcp --dport 80 -j DROP
    -A OUTPUT -d 10.244.0.1/32 -s 203.0.113.2/32 -j REJECT
    -A FORWARD -j DROP""",
            ).encode(),
            "iptables-save",
            V4,
        ),
        ipvs(SERVERS),
    ),
    "a virtual server of the node's own": (
        *parse_iptables(tables(nat=MARKS, filter="-A OUTPUT -j DROP").encode(), "iptables-save", V4),
        ipvs(SERVERS.replace("10.244.0.1:8080", "10.32.1.11:8080")),
    ),
}


@pytest.mark.parametrize("dump", DUMPS.values(), ids=DUMPS.keys())
def test_every_cell_fares_at_each_source_as_the_plain_walk_says(view: NodeView, dump: str) -> None:
    """One outcome where nothing is unsure, several where the plain walk is unsure too."""
    assert_alike(view, parse_iptables(dump.encode(), "dump", V4))


@pytest.mark.parametrize("rulesets", HOOKED.values(), ids=HOOKED.keys())
def test_every_cell_fares_so_wherever_base_chains_hang(view: NodeView, rulesets: tuple[Ruleset, ...]) -> None:
    """Other dialects' base chains, and virtual servers."""
    assert_alike(view, rulesets)


def assert_alike(view: NodeView, rulesets: tuple[Ruleset, ...]) -> None:
    comparison = prepare(view, rulesets)
    asked = 0
    for region in regions(comparison.places, comparison.mentions, view):
        cell = region.cell
        for entry in comparison.entries:
            found = comparison.fates.found(region, entry.origin is Origin.WIRE, entry.in_interface)
            assert not found.stuck
            for source in SOURCES:
                if entry.origin is Origin.NODE and not contains(view.local_addresses, source):
                    continue
                packet = Packet(
                    *(V4, entry.origin, source, cell.destination, cell.protocol, cell.port),
                    entry.in_interface,
                )
                traced = trace(rulesets, CONFIG, packet)
                worlds = {plainly(one) for fates in found.worlds if (one := outcome_at(fates, source))}
                assert plainly(traced.outcome) in worlds, packet
                assert bool(traced.unsure) == (len(worlds) > 1), packet
                asked += 1

    assert asked > 20


def test_a_target_that_is_not_judged_leaves_its_cells_open(view: NodeView) -> None:
    """No fate is told of them, only the line; of other cells it is."""
    rulesets = parse_iptables(
        tables(filter="-A FORWARD -p tcp -m tcp --dport 80 -j NFQUEUE --queue-num 1").encode(), "dump", V4
    )
    comparison = prepare(view, rulesets)
    outside = parse_address("203.0.113.9")[1]

    open_ = [
        (region.protocols, region.ports, found.unsure)
        for region in regions(comparison.places, comparison.mentions, view)
        if contains(region.destinations, outside)
        and (found := comparison.fates.found(region, True, None)).stuck
    ]

    assert open_ == [(((6, 6),), ((80, 80),), (("dump", 5),))]
