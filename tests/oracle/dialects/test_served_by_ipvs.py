"""Rules that ask which virtual server sent a packet on are told by the virtual servers (MODE-13)."""

import pytest

from model.addresses import parse_address
from model.packet import TCP, Origin, Packet
from oracle.bundle import EvidenceFile
from oracle.node_rules import rulesets_of
from oracle.plain import trace
from tests.handmade import CONFIG, V4, tables

SERVERS = """\
-A -t 192.0.2.9:80 -s rr
-a -t 192.0.2.9:80 -r 10.244.1.5:8080 -m -w 1
-A -t 192.0.2.9:81 -s rr -p 60
-a -t 192.0.2.9:81 -r 10.244.1.5:8080 -m -w 1
-A -u 192.0.2.9:80 -s rr
-a -u 192.0.2.9:80 -r 10.244.1.5:8080 -m -w 1
"""


def dropped(match: str, port: int, to: str = "192.0.2.9") -> bool | None:
    """Whether a rule of OUTPUT with that match drops the node's packet; None where nobody can tell."""
    rules = tables(filter=f"-A OUTPUT {match} -j DROP")
    files = (EvidenceFile("iptables-save", rules.encode()), EvidenceFile("ipvsadm", SERVERS.encode()))
    sent = Packet(V4, Origin.NODE, parse_address("10.32.1.11")[1], parse_address(to)[1], TCP, port)
    found = trace(rulesets_of(files)[V4], CONFIG, sent)
    return None if found.unsure else found.outcome.verdict.value == "drop"


@pytest.mark.parametrize(
    ("match", "expected"),
    [
        ("-m ipvs --vproto 6 --vaddr 192.0.2.9 --vport 80", (True, False)),
        ("-m ipvs --proto 6 --vaddr 192.0.2.9 --vport 80", (True, False)),  # as some versions print it
        ("-m ipvs --vproto 17 --vaddr 192.0.2.9 --vport 80", (False, False)),
        ("-m ipvs --vaddr 192.0.2.0/24", (True, True)),
        ("-m ipvs --vaddr 192.0.3.0/24", (False, False)),
        ("-m ipvs ! --vport 80", (False, True)),
        ("-m ipvs --ipvs", (True, True)),
        ("-m ipvs ! --ipvs", (False, False)),
        ("-s 10.32.1.12/32 -m ipvs --vport 80", (False, False)),
    ],
)
def test_a_match_means_its_virtual_servers(match: str, expected: tuple[bool, bool]) -> None:
    """Of packets to ports 80 and 81 of 192.0.2.9; the second server remembers its clients."""
    assert (dropped(match, 80), dropped(match, 81)) == expected


def test_what_no_virtual_server_sent_on_is_not_meant() -> None:
    """The module is about packets that IPVS took, whatever their address."""
    assert dropped("-m ipvs --vaddr 192.0.2.9", 82) is False
    assert dropped("-m ipvs ! --ipvs", 82) is True


@pytest.mark.parametrize("option", ["--vmethod MASQ", "--vportctl 21", "--vdir ORIGINAL"])
def test_other_options_are_not_judged(option: str) -> None:
    """Such a rule may hold or not, and says so."""
    assert dropped(f"-m ipvs {option}", 80) is None


def test_without_virtual_servers_the_match_is_not_judged() -> None:
    """Nothing was given that tells what the kernel serves."""
    rules = tables(filter="-A OUTPUT -m ipvs --vaddr 192.0.2.9 -j DROP")

    (found,) = rulesets_of((EvidenceFile("iptables-save", rules.encode()),))[V4]

    assert [note.what for note in found.unsupported] == ["match not judged: -m ipvs --vaddr 192.0.2.9"]
