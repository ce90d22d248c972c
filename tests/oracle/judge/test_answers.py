"""Answers are read strictly, and compared as a client and an endpoint would see them."""

import json
from fractions import Fraction

import pytest

from model.addresses import Family, parse_address
from model.expectation import Expectation
from model.node_config import InterfaceAddress, NodeConfig
from model.outcome import Leaf, Outcome, Remembered, Target, Verdict
from model.packet import TCP, Origin, Packet
from oracle.judge.answers import Malformed, answer_text, answer_tree, is_allowed, read_answer

NODE = parse_address("10.32.1.11")[1]
OTHER = parse_address("172.20.0.11")[1]
CONFIG = NodeConfig(
    "node-a",
    addresses=tuple(InterfaceAddress("eth0", Family.IPV4, address, 24) for address in (NODE, OTHER)),
)
FROM_OUTSIDE = Packet(Family.IPV4, Origin.WIRE, parse_address("203.0.113.7")[1], NODE, TCP, 30080, "eth0")
FROM_NODE = Packet(Family.IPV4, Origin.NODE, NODE, NODE, TCP, 30080)
FIRST, SECOND = (Target(parse_address(text)[1], 8080) for text in ("10.244.1.1", "10.244.2.1"))
EXACT = Fraction(0)


def expectation(*leaves: Leaf, affinity: tuple[Remembered, ...] = ()) -> Expectation:
    return Expectation((Outcome(leaves, affinity),), ("FWD-ETP-01",), ("shop/web",))


def to(target: Target, odds: Fraction = Fraction(1), *, masquerade: bool = True) -> Leaf:
    return Leaf(Verdict.DNAT, odds, target, masquerade)


def deliver(target: str, source: str, odds: str = "1") -> dict[str, object]:
    return {"do": "deliver", "odds": odds, "to": target, "port": 8080, "source": source}


def allows(
    expected: Expectation, *fates: dict[str, object], packet: Packet = FROM_OUTSIDE, **more: object
) -> bool:
    tolerance = more.pop("tolerance", EXACT)
    assert isinstance(tolerance, Fraction)
    answer = read_answer({"fates": list(fates), "affinity_seconds": None, **more}, packet)
    return is_allowed(answer, expected, packet, CONFIG, tolerance)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("masqueraded", True),
        ("10.32.1.11", True),
        ("172.20.0.11", True),
        ("kept", False),
        ("10.9.9.9", False),
    ],
)
def test_a_source_is_masqueraded_as_any_address_of_the_node(source: str, expected: bool) -> None:
    """MASQ-04; which one is chosen is a matter of routes. The client's own address is "kept"."""
    assert expected is allows(expectation(to(FIRST)), deliver("10.244.1.1", source))


@pytest.mark.parametrize(
    ("source", "expected"),
    [("kept", True), ("203.0.113.7", True), ("masqueraded", False), ("10.32.1.11", False)],
)
def test_a_source_is_kept_where_the_contract_says_so(source: str, expected: bool) -> None:
    """MASQ-07."""
    assert expected is allows(expectation(to(FIRST, masquerade=False)), deliver("10.244.1.1", source))


@pytest.mark.parametrize("masquerade", [True, False])
@pytest.mark.parametrize("source", ["kept", "masqueraded", "10.32.1.11"])
def test_masquerading_the_nodes_own_address_is_not_seen(source: str, masquerade: bool) -> None:
    expected = expectation(to(FIRST, masquerade=masquerade))

    assert allows(expected, deliver("10.244.1.1", source), packet=FROM_NODE)


def test_odds_may_be_off_by_the_tolerance_and_no_more() -> None:
    """FWD-LB-01."""
    expected = expectation(to(FIRST, Fraction(1, 2)), to(SECOND, Fraction(1, 2)))
    fates = (deliver("10.244.1.1", "masqueraded", "0.51"), deliver("10.244.2.1", "masqueraded", "0.49"))

    assert allows(expected, *fates, tolerance=Fraction(1, 100))
    assert not allows(expected, *fates, tolerance=Fraction(1, 200))


def test_no_tolerance_lets_a_wrong_endpoint_in() -> None:
    expected = expectation(to(FIRST))
    fates = (deliver("10.244.1.1", "masqueraded", "0.9999"), deliver("10.244.2.1", "masqueraded", "0.0001"))

    assert not allows(expected, *fates, tolerance=Fraction(1, 2))


def test_what_goes_where_it_was_sent_to_is_untouched() -> None:
    """FWD-OBJ-05."""
    expected = expectation(Leaf(Verdict.PASS, Fraction(1)))
    arrived = {"do": "deliver", "to": "10.32.1.11", "port": 30080, "source": "kept"}

    assert allows(expected, {"do": "pass"})
    assert allows(expected, arrived)
    assert not allows(expected, arrived | {"port": 30081})


@pytest.mark.parametrize(
    ("fate", "expected"),
    [
        ({"do": "reject"}, True),
        ({"do": "reject", "with": "icmp-port-unreachable"}, True),
        ({"do": "reject", "with": "tcp-reset"}, False),
        ({"do": "drop"}, False),
        ({"do": "pass"}, False),
    ],
)
def test_an_error_counts_where_it_is_told(fate: dict[str, object], expected: bool) -> None:
    """FWD-REJ-01."""
    refused = expectation(Leaf(Verdict.REJECT, Fraction(1), reject_with="icmp-port-unreachable"))

    assert expected is allows(refused, fate)


def test_affinity_counts_where_it_is_told() -> None:
    """AFF-03."""
    expected = expectation(to(FIRST), affinity=(Remembered(FIRST, 600, True),))
    fate = deliver("10.244.1.1", "masqueraded")
    untold = read_answer({"fates": [fate]}, FROM_OUTSIDE)

    assert allows(expected, fate, affinity_seconds=600)
    assert not allows(expected, fate, affinity_seconds=10800)
    assert not allows(expected, fate)
    assert is_allowed(untold, expected, FROM_OUTSIDE, CONFIG, EXACT)


def test_any_allowed_outcome_will_do_and_no_mixture_of_them() -> None:
    """FWD-OBJ-08: where Services clash, either may be served."""
    one, other = expectation(to(FIRST)), expectation(to(SECOND))
    either = Expectation((*one.allowed, *other.allowed), (), ())
    half = (deliver("10.244.1.1", "masqueraded", "1/2"), deliver("10.244.2.1", "masqueraded", "1/2"))

    assert allows(either, deliver("10.244.2.1", "masqueraded"))
    assert not allows(either, *half)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[]", "an outcome is not a JSON object"),
        ("{}", "'fates' is not a list of at least one fate"),
        ('{"fates": [{"do": "vanish"}]}', "'do' is 'vanish', not one of deliver, reject, drop, pass"),
        ('{"fates": [{"do": "drop", "odds": 0.5}]}', "the odds of the fates sum to 1/2, not to 1"),
        (
            '{"fates": [{"do": "drop", "odds": "1/0"}]}',
            "'odds' is '1/0', not a number above 0 and up to 1 such as 0.5 or \"1/3\"",
        ),
        (
            '{"fates": [{"do": "drop", "odds": "1e-999999999"}]}',
            "'odds' is '1e-999999999', not a number above 0 and up to 1 such as 0.5 or \"1/3\"",
        ),
        ('{"fates": [{"do": "drop", "to": "10.0.0.1"}]}', "'to' does not belong to 'drop'"),
        (
            '{"fates": [{"do": "deliver", "to": "x", "port": 1, "source": "kept"}]}',
            "'to' is 'x', not an IP address",
        ),
        (
            '{"fates": [{"do": "deliver", "to": "::1", "port": 1, "source": "kept"}]}',
            "'to' is ::1, but the packet is IPv4",
        ),
        (
            '{"fates": [{"do": "deliver", "to": "10.0.0.1", "source": "kept"}]}',
            "'port' is None, not a number from 0 to 65535",
        ),
        (
            '{"fates": [{"do": "deliver", "to": "10.0.0.1", "port": 1}]}',
            "'source' is None, not an IP address, 'kept' or 'masqueraded'",
        ),
        (
            '{"fates": [{"do": "drop"}], "affinity_seconds": 0}',
            "'affinity_seconds' is 0, neither null nor a number of seconds",
        ),
        (
            '{"fates": [{"do": "drop"}], "affinity": 3}',
            "an outcome has the key 'affinity'; known are affinity_seconds, fates",
        ),
    ],
)
def test_what_is_not_of_the_protocol_is_named(text: str, expected: str) -> None:
    with pytest.raises(Malformed) as fault:
        read_answer(json.loads(text), FROM_OUTSIDE)

    assert expected == str(fault.value)


def test_an_answer_is_written_as_it_was_read() -> None:
    tree = {
        "fates": [
            deliver("10.244.1.1", "10.32.1.11", "1/4"),
            {"do": "reject", "odds": "1/4", "with": "tcp-reset"},
            {"do": "pass", "odds": "1/2"},
        ],
        "affinity_seconds": 600,
    }

    answer = read_answer(tree, FROM_OUTSIDE)

    assert tree == answer_tree(answer, FROM_OUTSIDE)
    assert (
        "delivered to 10.244.1.1:8080 (1/4, source seen 10.32.1.11); REJECT (1/4, tcp-reset);"
        " untouched (1/2); affinity 600 s"
    ) == answer_text(answer, FROM_OUTSIDE)
