"""What scripts read of an answer: every promised key, and no others."""

import json
from fractions import Fraction

import attrs
import pytest

from model.addresses import Family, parse_address
from model.expectation import Expectation
from model.node_config import NodeConfig
from model.objects import ObjectName, ServicePortName
from model.outcome import Leaf, Outcome, Remembered, Target, Verdict
from model.packet import Origin, Packet
from oracle.findings import Difference, Judged, Kind, Line, NodeReport, NotJudged, Trace
from oracle.packets import read_packets
from oracle.report.as_json import check_json, expectation_json, outcome_json, packet_json, trace_json

HALF, THIRD = Fraction(1, 2), Fraction(1, 3)
V4 = Family.IPV4


def target(text: str, port: int) -> Target:
    return Target(parse_address(text)[1], port)


def dnat(text: str, port: int, odds: Fraction, masquerade: bool = False) -> Leaf:
    return Leaf(Verdict.DNAT, odds, target(text, port), masquerade)


def settled(verdict: Verdict, reject_with: str = "") -> Outcome:
    return Outcome((Leaf(verdict, Fraction(1), reject_with=reject_with),))


TWO = Outcome(
    (dnat("10.0.0.1", 80, HALF), dnat("10.0.0.2", 80, HALF, masquerade=True)),
    (Remembered(target("10.0.0.1", 80), 10800), Remembered(target("10.0.0.2", 80), 10800)),
)
ONE = Outcome((dnat("10.0.0.1", 80, Fraction(1)),))
LEAK = Outcome((dnat("10.0.0.1", 80, 2 * THIRD), Leaf(Verdict.PASS, THIRD)))
PACKET = Packet(
    V4,
    Origin.WIRE,
    parse_address("10.244.1.9")[1],
    parse_address("10.96.0.10")[1],
    6,
    80,
    in_interface="eth0",
)
WEB = ServicePortName(ObjectName("shop", "web"), "http", "TCP")
STALE = Difference(
    kind=Kind.STALE_TARGET,
    family=V4,
    service_port=WEB,
    port=80,
    protocol="TCP",
    frontend="10.96.0.10:80",
    packet=PACKET,
    expected=(ONE,),
    found=TWO,
    lines=(Line("iptables-save", 41, "-A KUBE-SEP-B -j DNAT --to-destination 10.0.0.2:80"),),
    cites=("FWD-CIP-01",),
    explanation="10.0.0.2:80 is no endpoint of the Service.",
)
SEEN = Judged(frontends=12, cells=431, rules=310)


def report(*differences: Difference, not_judged: tuple[NotJudged, ...] = ()) -> NodeReport:
    return NodeReport("node-a", "iptables (nft)", (V4,), SEEN, differences, not_judged)


TWO_JSON = {
    "verdict": "dnat",
    "targets": [
        {"address": "10.0.0.1", "port": 80, "probability": "1/2", "masquerade": False},
        {"address": "10.0.0.2", "port": 80, "probability": "1/2", "masquerade": True},
    ],
    "affinity_seconds": 10800,
}
ONE_JSON = {
    "verdict": "dnat",
    "targets": [{"address": "10.0.0.1", "port": 80, "probability": "1", "masquerade": False}],
    "affinity_seconds": None,
}
REJECT_JSON: dict[str, object] = {
    "verdict": "reject",
    "targets": [],
    "affinity_seconds": None,
    "reject_with": "icmp-port-unreachable",
}


@pytest.mark.parametrize(
    ("outcome", "value"),
    [
        (TWO, TWO_JSON),
        (ONE, ONE_JSON),
        (settled(Verdict.REJECT, "icmp-port-unreachable"), REJECT_JSON),
        (settled(Verdict.DROP), {"verdict": "drop", "targets": [], "affinity_seconds": None}),
        (
            Outcome((Leaf(Verdict.PASS, Fraction(1), masquerade=True),)),
            {"verdict": "pass", "targets": [], "affinity_seconds": None, "masquerade": True},
        ),
        (
            LEAK,
            {
                "verdict": "dnat",
                "targets": [{"address": "10.0.0.1", "port": 80, "probability": "2/3", "masquerade": False}],
                "affinity_seconds": None,
                "otherwise": [{"verdict": "pass", "probability": "1/3"}],
            },
        ),
        (
            Outcome((Leaf(Verdict.DROP, THIRD), Leaf(Verdict.REJECT, 2 * THIRD))),
            {
                "verdict": "reject",
                "targets": [],
                "affinity_seconds": None,
                "otherwise": [{"verdict": "drop", "probability": "1/3"}],
            },
        ),
    ],
)
def test_outcome_as_json(outcome: Outcome, value: dict[str, object]) -> None:
    """Promised keys always, the others only where they have something to say."""
    assert outcome_json(outcome, V4) == value


def test_equal_outcomes_are_equal_json() -> None:
    """The order of leaves and their splitting leave no trace."""
    halves = Outcome(
        (dnat("10.0.0.2", 80, HALF), dnat("10.0.0.1", 80, HALF / 2), dnat("10.0.0.1", 80, HALF / 2))
    )
    whole = Outcome((dnat("10.0.0.1", 80, HALF), dnat("10.0.0.2", 80, HALF)))

    assert outcome_json(halves, V4) == outcome_json(whole, V4)


def test_packet_as_json_can_be_asked_again() -> None:
    """The packet of a difference is in the form that --packets reads."""
    again = read_packets([json.dumps(packet_json(PACKET)).encode()], "p.jsonl", NodeConfig("node-a"))

    assert again.packets == (PACKET,)


def test_check_as_json_has_the_promised_keys_and_no_others() -> None:
    """The whole value, key by key: scripts depend on it."""
    choice = attrs.evolve(
        STALE,
        expected=(ONE, settled(Verdict.REJECT, "icmp-port-unreachable")),
        lines=STALE.lines[:1],
        also=(WEB,),
    )
    node = attrs.evolve(
        report(
            choice, not_judged=(NotJudged("iptables-save", 7, "-A X -m bpf", "match bpf", matters=False),)
        ),
        warnings=("a warning",),
        assumptions=("an assumption",),
    )

    assert check_json([("bundle", node)]) == {
        "version": 1,
        "nodes": [
            {
                "node": "node-a",
                "bundle": "bundle",
                "dialect": "iptables",
                "backend": "nft",
                "families": ["IPv4"],
                "verdict": "differs",
                "judged": {"frontends": 12, "cells": 431, "rules": 310},
                "differences": [
                    {
                        "kind": "stale-target",
                        "family": "IPv4",
                        "service": "shop/web",
                        "port": {"name": "http", "number": 80},
                        "protocol": "TCP",
                        "frontend": "10.96.0.10:80",
                        "packet": {
                            "from": "10.244.1.9",
                            "to": "10.96.0.10",
                            "port": 80,
                            "protocol": "tcp",
                            "origin": "wire",
                            "in_interface": "eth0",
                        },
                        "expected": ONE_JSON,
                        "allowed": [ONE_JSON, REJECT_JSON],
                        "found": TWO_JSON,
                        "rules": [
                            {
                                "file": "iptables-save",
                                "line": 41,
                                "text": "-A KUBE-SEP-B -j DNAT --to-destination 10.0.0.2:80",
                            }
                        ],
                        "cites": ["FWD-CIP-01"],
                        "explanation": "10.0.0.2:80 is no endpoint of the Service.",
                        "frontends": 1,
                        "also": [{"service": "shop/web", "port": "http", "protocol": "TCP"}],
                    }
                ],
                "unsupported": [
                    {
                        "file": "iptables-save",
                        "line": 7,
                        "text": "-A X -m bpf",
                        "why": "match bpf",
                        "matters": False,
                    }
                ],
                "warnings": ["a warning"],
                "assumptions": ["an assumption"],
            }
        ],
    }


def test_difference_of_no_service_has_null_in_its_place() -> None:
    """The keys stay where no Service is concerned."""
    foreign = attrs.evolve(STALE, service_port=None, port=None, kind=Kind.UNREACHABLE_RULE)

    value = json.loads(json.dumps(check_json([("bundle", report(foreign))])))
    difference = value["nodes"][0]["differences"][0]

    assert (difference["service"], difference["port"]) == (None, None)


def test_trace_and_expectation_as_json_add_their_evidence() -> None:
    """`path` and `unsupported` for trace; `cites`, `owners` and `allowed` for expect."""
    unsure = NotJudged("iptables-save", 7, "-m bpf", "match bpf", matters=True)
    trace = Trace(ONE, (Line("iptables-save", 5, "-A X"),), (unsure,))
    expectation = Expectation((ONE, TWO), ("FWD-OBJ-08",), ("shop/web:http", "shop/b"))

    assert trace_json(trace, V4) == {
        **ONE_JSON,
        "path": [{"file": "iptables-save", "line": 5, "text": "-A X"}],
        "unsupported": [
            {"file": "iptables-save", "line": 7, "text": "-m bpf", "why": "match bpf", "matters": True}
        ],
    }
    assert expectation_json(expectation, V4) == {
        **ONE_JSON,
        "cites": ["FWD-OBJ-08"],
        "owners": ["shop/web:http", "shop/b"],
        "allowed": [ONE_JSON, TWO_JSON],
    }
