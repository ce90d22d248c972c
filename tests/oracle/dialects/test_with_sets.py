"""Rules that ask for an ipset are told by the set's members."""

import pytest

from model.addresses import parse_address
from model.packet import TCP, UDP, Origin, Packet
from oracle.bundle import EvidenceFile
from oracle.node_rules import rulesets_of
from oracle.plain import trace
from oracle.ruleset import Ruleset
from tests.handmade import CONFIG, V4, tables

SETS = """\
create PORTAL hash:ip,port family inet hashsize 1024 maxelem 65536
add PORTAL 10.96.0.10,tcp:80
add PORTAL 10.96.0.11,udp:53
create RANGE hash:ip,port,net family inet hashsize 1024 maxelem 65536
add RANGE 10.96.0.10,tcp:80,203.0.113.0/24
create NUMBER bitmap:port range 0-65535
add NUMBER 30080
create EMPTY hash:ip family inet hashsize 1024 maxelem 65536
"""


def read(match: str) -> Ruleset:
    rules = tables(filter=f"-A FORWARD {match} -j DROP")
    files = (EvidenceFile("iptables-save", rules.encode()), EvidenceFile("ipset", SETS.encode()))
    (found,) = rulesets_of(files)[V4]
    return found


def dropped(match: str, to: str, source: str = "203.0.113.2", protocol: int = TCP) -> bool | None:
    """Whether a rule with that match drops a packet on its way through; None where nobody can tell."""
    host, _, port = to.partition(":")
    one = Packet(V4, Origin.WIRE, parse_address(source)[1], parse_address(host)[1], protocol, int(port))
    found = trace((read(match),), CONFIG, one)
    return None if found.unsure else found.outcome.verdict.value == "drop"


@pytest.mark.parametrize(
    ("to", "protocol", "expected"),
    [
        ("10.96.0.10:80", TCP, True),
        ("10.96.0.10:80", UDP, False),
        ("10.96.0.10:53", UDP, False),
        ("10.96.0.11:53", UDP, True),
        ("10.96.0.12:80", TCP, False),
    ],
)
def test_a_member_is_met_in_all_its_parts(to: str, protocol: int, expected: bool) -> None:
    """Address, protocol and port belong together; with `!` it is all the others."""
    assert dropped("-m set --match-set PORTAL dst,dst", to, protocol=protocol) is expected
    assert dropped("-m set ! --match-set PORTAL dst,dst", to, protocol=protocol) is not expected


@pytest.mark.parametrize(("source", "expected"), [("203.0.113.9", True), ("198.51.100.9", False)])
def test_directions_say_whose_part_it_is(source: str, expected: bool) -> None:
    """`dst,dst,src`: the network is the source's."""
    assert dropped("-m set --match-set RANGE dst,dst,src", "10.96.0.10:80", source) is expected


def test_other_matches_of_the_rule_still_count() -> None:
    """A set beside a source and a protocol, and two sets in one rule."""
    both = "-m set --match-set PORTAL dst,dst -m set --match-set RANGE dst,dst,src"

    assert dropped("-s 198.51.100.0/24 -m set --match-set PORTAL dst,dst", "10.96.0.10:80") is False
    assert dropped("-p udp -m set --match-set NUMBER dst", "10.96.0.10:30080") is False
    assert dropped("-p tcp -m set --match-set NUMBER dst", "10.96.0.10:30080") is True
    assert dropped(both, "10.96.0.10:80", "203.0.113.9") is True
    assert dropped(both, "10.96.0.10:80", "198.51.100.9") is False


def test_an_empty_set_holds_nothing() -> None:
    """And everything is outside of it."""
    assert dropped("-m set --match-set EMPTY dst", "10.96.0.10:80") is False
    assert dropped("-m set ! --match-set EMPTY dst", "10.96.0.10:80") is True


def test_a_missing_set_is_not_judged() -> None:
    """Named in a rule and in no dump: incomplete input, told with its line."""
    match = "-m set --match-set ELSEWHERE dst"

    assert dropped(match, "10.96.0.10:80") is None
    assert [note.what for note in read(match).unsupported] == [f"match not judged: {match}"]
    assert read("-m set --match-set PORTAL dst,dst").unsupported == ()
