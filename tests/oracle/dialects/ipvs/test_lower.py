"""Virtual servers as chains: who is chosen with which chance, who is refused, what is not judged."""

from fractions import Fraction

import pytest

from model.addresses import Family, parse_address
from model.intervals import single
from model.packet import TCP
from model.predicate import ALWAYS, All, Fact, Field, Within
from oracle.dialects.ipvs import IpvsRules, ipvs_chains, lower_ipvs, parse_ipvsadm
from oracle.ruleset import Dnat, Goto, Reject, Rule, Unsupported

HEADING = """\
IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn
"""
NAME = "IPVS tcp 10.96.0.1:443"


def lowered(text: str, family: Family = Family.IPV4) -> IpvsRules:
    return lower_ipvs(parse_ipvsadm((HEADING + text).encode(), "ipvsadm"), family)


def number(text: str) -> int:
    return parse_address(text)[1]


def server(scheduler: str, *weights: int, method: str = "Masq") -> str:
    """A virtual server of 10.96.0.1:443 whose real servers are 10.0.0.1, 10.0.0.2 and so on."""
    reals = (f"  -> 10.0.0.{at}:6443 {method} {weight} 0 0\n" for at, weight in enumerate(weights, 1))
    return f"TCP  10.96.0.1:443 {scheduler}\n" + "".join(reals)


def shares(text: str) -> dict[int, Fraction]:
    """The last byte of each target's address with the share of connections it gets."""
    left = Fraction(1)
    found = {}
    for rule in lowered(text).chains[NAME].rules:
        assert isinstance(rule.then, Dnat)
        assert rule.then.address is not None
        chance = Fraction(1) if rule.odds is None else rule.odds
        found[rule.then.address & 0xFF] = left * chance
        left *= 1 - chance
    assert 0 == left
    return found


def test_a_packet_goes_to_the_chain_of_its_address_protocol_and_port() -> None:
    """IPVS-01; the rule is the virtual server's line of the dump."""
    chains = ipvs_chains(parse_ipvsadm((HEADING + server("rr", 1)).encode(), "ipvsadm"), Family.IPV4)

    when = All(
        (
            Within(Field.DESTINATION, single(number("10.96.0.1"))),
            Within(Field.PROTOCOL, single(TCP)),
            Within(Field.PORT, single(443)),
        )
    )
    assert ["IPVS", NAME] == list(chains)
    assert [Rule(when, Goto(NAME), 4, "TCP  10.96.0.1:443 rr")] == chains["IPVS"].rules
    assert [Rule(ALWAYS, Dnat(number("10.0.0.1"), 6443), 5, "-> 10.0.0.1:6443 Masq 1 0 0")] == chains[
        NAME
    ].rules


def test_the_seeds_two_node_port_addresses_have_the_same_halves() -> None:
    """SEED-05, IPVS-05."""
    reals = "  -> 10.244.140.80:80 Masq 1 0 0\n  -> 10.244.196.137:80 Masq 1 0 0\n"
    chains = lowered(f"TCP  172.17.0.1:30380 rr\n{reals}TCP  10.32.1.147:30380 rr\n{reals}").chains

    expected = [
        (Dnat(number("10.244.140.80"), 80), Fraction(1, 2)),
        (Dnat(number("10.244.196.137"), 80), None),
    ]
    for name in ("IPVS tcp 172.17.0.1:30380", "IPVS tcp 10.32.1.147:30380"):
        assert expected == [(rule.then, rule.odds) for rule in chains[name].rules]


@pytest.mark.parametrize(
    ("scheduler", "expected"),
    [
        ("rr", {1: Fraction(1, 3), 2: Fraction(1, 3), 3: Fraction(1, 3)}),
        ("lc", {1: Fraction(1, 3), 2: Fraction(1, 3), 3: Fraction(1, 3)}),
        ("wrr", {1: Fraction(1, 6), 2: Fraction(2, 6), 3: Fraction(3, 6)}),
        ("wlc", {1: Fraction(1, 6), 2: Fraction(2, 6), 3: Fraction(3, 6)}),
        ("sed", {1: Fraction(1, 6), 2: Fraction(2, 6), 3: Fraction(3, 6)}),
        ("nq", {1: Fraction(1, 6), 2: Fraction(2, 6), 3: Fraction(3, 6)}),
        ("fo", {3: Fraction(1)}),
    ],
)
def test_shares_in_the_long_run_are_those_of_the_scheduler(
    scheduler: str, expected: dict[int, Fraction]
) -> None:
    """MODE-17."""
    assert expected == shares(server(scheduler, 1, 2, 3))


def test_a_server_of_weight_0_gets_no_new_connections() -> None:
    """IPVS-02: it is draining."""
    assert {2: Fraction(1)} == shares(server("rr", 0, 1))


@pytest.mark.parametrize("scheduler", ["sh", "dh", "mh", "lblc", "lblcr", "ovf", "own"])
def test_what_chooses_in_a_way_nobody_can_tell_may_choose_any_and_that_is_said(scheduler: str) -> None:
    """MODE-17; one warning for all virtual servers with the scheduler."""
    text = server(scheduler, 1, 3)
    twice = text + text.replace("10.96.0.1", "10.96.0.2")

    assert {1: Fraction(1, 2), 2: Fraction(1, 2)} == shares(text)
    (warning,) = lowered(twice).warnings
    assert 4 == warning.line
    assert warning.what.startswith(f"scheduler {scheduler} chooses ")
    assert warning.what.endswith("any server is possible, equal shares are assumed")


@pytest.mark.parametrize(
    "text", [server("rr", 1, 1), server("wrr", 1, 2), server("sh", 1), server("fo", 1, 2)]
)
def test_nothing_is_assumed_where_shares_are_known(text: str) -> None:
    assert ((), ()) == (lowered(text).warnings, lowered(text).unsupported)


@pytest.mark.parametrize("weights", [(), (0,), (0, 0)])
def test_without_a_server_that_takes_connections_the_packet_is_refused(weights: tuple[int, ...]) -> None:
    """MODE-09, also for a virtual server that remembers clients."""
    plain = lowered(server("rr", *weights)).chains[NAME].rules
    lasting = lowered(server("rr persistent 60", *weights)).chains[NAME].rules

    assert [Rule(ALWAYS, Reject("icmp-port-unreachable"), 4, "TCP  10.96.0.1:443 rr")] == plain
    assert [Reject("icmp-port-unreachable")] == [rule.then for rule in lasting]


def test_ipv6_is_refused_by_its_own_message_and_has_chains_of_its_own() -> None:
    """MODE-09, MODE-34: one dump shows both families."""
    text = server("rr", 1) + "UDP  [fd00::1]:53 rr\n"
    six = lowered(text, Family.IPV6).chains

    assert ["IPVS", "IPVS udp [fd00::1]:53"] == list(six)
    assert [Reject("icmp6-port-unreachable")] == [rule.then for rule in six["IPVS udp [fd00::1]:53"].rules]
    assert ["IPVS", NAME] == list(lowered(text).chains)


def test_a_family_without_virtual_servers_has_an_empty_chain() -> None:
    chains = lowered(server("rr", 1), Family.IPV6).chains

    assert ({"IPVS"}, []) == (set(chains), chains["IPVS"].rules)


def test_clients_are_remembered_for_each_virtual_and_real_server() -> None:
    """IPVS-01, MODE-18: each frontend remembers separately."""
    chains = lowered(server("rr persistent 10800", 1, 1, 0)).chains
    first, second = f"{NAME} -> 10.0.0.1:6443", f"{NAME} -> 10.0.0.2:6443"

    assert [
        (All((Fact("recent", f"{first}/10800"),)), Goto(first), 5, None),
        (All((Fact("recent", f"{second}/10800"),)), Goto(second), 6, None),
        (ALWAYS, Goto(first), 5, Fraction(1, 2)),
        (ALWAYS, Goto(second), 6, None),
    ] == [(rule.when, rule.then, rule.line, rule.odds) for rule in chains[NAME].rules]
    assert [(ALWAYS, Dnat(number("10.0.0.1"), 6443), first)] == [
        (rule.when, rule.then, rule.remember) for rule in chains[first].rules
    ]
    assert ["IPVS", NAME, first, second] == list(chains)


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("rr persistent 60 mask 255.255.255.0", "persistence of whole networks of clients"),
        ("rr persistent 60 pe sip", "persistence by engine sip"),
    ],
)
def test_a_memory_that_is_not_by_client_address_is_not_judged(written: str, why: str) -> None:
    found = lowered(server(written, 1, 1))

    assert [(4, why)] == [(note.line, note.what) for note in found.unsupported]
    doubt = All((Fact("unsupported", why),))
    first, *others = found.chains[NAME].rules
    assert (doubt, [ALWAYS, ALWAYS]) == (first.when, [rule.when for rule in others])
    assert isinstance(first.then, Goto)
    assert [Unsupported(why)] == [rule.then for rule in found.chains[first.then.chain].rules]


def test_a_memory_in_ticks_is_not_judged() -> None:
    text = "TCP  0A600001:01BB rr persistent 2700000 FFFFFFFF\n  -> 0A000001:01BB Masq 1 0 0\n"

    assert ["persistence in ticks of unknown length"] == [n.what for n in lowered(text).unsupported]


@pytest.mark.parametrize("method", ["Route", "Tunnel", "Local", "Bypass"])
def test_only_masq_gives_a_new_destination(method: str) -> None:
    """IPVS-02: kube-proxy uses no other method."""
    found = lowered(server("rr", 1, method=method))
    why = f"IPVS sends by method {method}, without a new destination"

    assert [Unsupported(why)] == [rule.then for rule in found.chains[NAME].rules]
    assert [(5, why)] == [(note.line, note.what) for note in found.unsupported]


def test_marks_are_asked_before_ports_and_single_ports_before_all_ports() -> None:
    """The kernel's own order (ip_vs_service_find), whatever the dump's."""
    found = lowered(
        "TCP  10.96.0.1:0 rr persistent 60\n  -> 10.0.0.1:0 Masq 1 0 0\n" + server("rr") + "FWM  10 rr\n"
    )
    rules = found.chains["IPVS"].rules

    assert [Goto("IPVS fwmark 10 IPv4"), Goto(NAME), Goto("IPVS tcp 10.96.0.1:0")] == [
        rule.then for rule in rules
    ]
    assert (
        All((Within(Field.PROTOCOL, ((6, 6), (17, 17), (132, 132))), Fact("mark", "0xa/0xffffffff")))
        == rules[0].when
    )
    assert (
        All((Within(Field.DESTINATION, single(number("10.96.0.1"))), Within(Field.PROTOCOL, single(TCP))))
        == rules[2].when
    )


def test_a_server_of_all_ports_leaves_the_port_as_it_is() -> None:
    found = lowered("TCP  10.96.0.1:0 rr persistent 60\n  -> 10.0.0.1:0 Masq 1 0 0\n")

    assert [Dnat(number("10.0.0.1"), None)] == [
        rule.then for rule in found.chains["IPVS tcp 10.96.0.1:0 -> 10.0.0.1:0"].rules
    ]


def test_messages_of_the_dump_stay_with_the_rules() -> None:
    dump = parse_ipvsadm(server("rr", 1).encode(), "ipvsadm")

    assert dump.warnings == lower_ipvs(dump, Family.IPV4).warnings
    assert 1 == len(dump.warnings)
