"""The JSON of what rules do: choices, translations, refusals, marks, memories."""

from typing import Any

import pytest

from oracle.dialects.nftables.expressions import (
    ANYTHING,
    Binary,
    BitOp,
    Concat,
    Element,
    MapLookup,
    Meta,
    Numgen,
    Payload,
    Range,
    SetLiteral,
    SetReference,
    Verdict,
    VerdictKind,
)
from oracle.dialects.nftables.statements import (
    Counter,
    Mangle,
    Masquerade,
    Nat,
    NatKind,
    Notrack,
    Redirect,
    Reject,
    SetOp,
    SetUpdate,
    Tproxy,
    VerdictMap,
    Xt,
)
from tests.oracle.dialects.nftables.listings import (
    V4,
    V6,
    address,
    addresses,
    json_statement,
)

MARK = Meta("mark")
SADDR = Payload("ip", "saddr")

META_MARK = {"meta": {"key": "mark"}}
IP_SADDR = {"payload": {"protocol": "ip", "field": "saddr"}}
IP_DADDR = {"payload": {"protocol": "ip", "field": "daddr"}}
L4PROTO = {"meta": {"key": "l4proto"}}
TH_DPORT = {"payload": {"protocol": "th", "field": "dport"}}


def test_dispatch_looks_up_a_verdict() -> None:
    """By a concatenation, in a named map or a literal."""
    key = {"concat": [IP_DADDR, L4PROTO, TH_DPORT]}
    parts = Concat((Payload("ip", "daddr"), Meta("l4proto"), Payload("th", "dport")))
    pairs = [[{"concat": ["1.1.1.1", "udp", 53]}, {"jump": {"target": "x"}}], ["*", {"drop": None}]]
    branches = (
        Element(Concat((address("1.1.1.1"), 17, 53)), Verdict(VerdictKind.JUMP, "x")),
        Element(ANYTHING, Verdict(VerdictKind.DROP)),
    )

    assert VerdictMap(parts, SetReference("service-ips")) == json_statement(
        {"vmap": {"key": key, "data": "@service-ips"}}
    )
    assert VerdictMap(parts, SetLiteral(branches)) == json_statement(
        {"vmap": {"key": key, "data": {"set": pairs}}}
    )


def test_a_choice_among_endpoints_is_drawn() -> None:
    """A map under `addr` gives address and port (rules-nftables 6)."""
    draw = {"numgen": {"mode": "random", "mod": 1, "offset": 0}}
    addr = {"map": {"key": draw, "data": {"set": [[0, {"concat": ["10.180.0.1", 80]}]]}}}
    branches = SetLiteral((Element(0, Concat((address("10.180.0.1"), 80))),))

    assert Nat(NatKind.DNAT, V4, MapLookup(Numgen("random", 1), branches)) == json_statement(
        {"dnat": {"family": "ip", "addr": addr}}
    )


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        ({"dnat": {"addr": "1.2.3.4", "port": 80}}, Nat(NatKind.DNAT, V4, address("1.2.3.4"), 80)),
        ({"dnat": {"port": 80}}, Nat(NatKind.DNAT, V4, None, 80)),
        ({"dnat": {"family": "ip6", "addr": "fd00::1"}}, Nat(NatKind.DNAT, V6, address("fd00::1"))),
        (
            {
                "snat": {
                    "addr": {"range": ["1.2.3.4", "1.2.3.9"]},
                    "port": {"range": [80, 90]},
                    "flags": "persistent",
                }
            },
            Nat(NatKind.SNAT, V4, addresses("1.2.3.4", "1.2.3.9"), Range(80, 90), ("persistent",)),
        ),
        ({"redirect": None}, Redirect()),
        (
            {"redirect": {"port": 80, "flags": ["random", "persistent"]}},
            Redirect(80, ("persistent", "random")),
        ),
        ({"masquerade": None}, Masquerade()),
        ({"masquerade": {"flags": "fully-random"}}, Masquerade(None, ("fully-random",))),
        ({"tproxy": {"family": "ip", "addr": "127.0.0.1", "port": 5}}, Tproxy(V4, address("127.0.0.1"), 5)),
        ({"notrack": None}, Notrack()),
        ({"reject": None}, Reject("icmp", "port-unreachable")),
        ({"reject": {"type": "icmpx", "expr": "admin-prohibited"}}, Reject("icmpx", "admin-prohibited")),
        ({"reject": {"type": "tcp reset"}}, Reject("tcp reset")),
        ({"reject": {"type": "icmp", "expr": 3}}, Reject("icmp", "port-unreachable")),
        (
            {"mangle": {"key": META_MARK, "value": {"|": [{"&": [META_MARK, 4294901765]}, 5]}}},
            Mangle(MARK, Binary(BitOp.OR, Binary(BitOp.AND, MARK, 0xFFFF0005), 5)),
        ),
        (
            {"mangle": {"key": META_MARK, "value": {"^": [META_MARK, 16384]}}},
            Mangle(MARK, Binary(BitOp.XOR, MARK, 0x4000)),
        ),
        ({"counter": {"packets": 7, "bytes": 420}}, Counter(7, 420)),
        ({"counter": None}, Counter()),
        (
            {"set": {"op": "update", "elem": IP_SADDR, "set": "@clients"}},
            SetUpdate(SetOp.UPDATE, "clients", SADDR),
        ),
        (
            {
                "set": {
                    "op": "add",
                    "elem": {"elem": {"val": IP_SADDR, "timeout": 30}},
                    "set": "@c",
                    "stmt": [{"counter": None}],
                }
            },
            SetUpdate(SetOp.ADD, "c", SADDR, timeout=30, statements=(Counter(),)),
        ),
        (
            {"map": {"op": "update", "elem": IP_SADDR, "data": META_MARK, "map": "@m"}},
            SetUpdate(SetOp.UPDATE, "m", SADDR, MARK),
        ),
        ({"xt": {"type": "match", "name": "recent"}}, Xt("match", "recent")),
        ({"xt": None}, Xt("", "")),
    ],
)
def test_actions_have_their_own_records(expr: Any, expected: object) -> None:
    """What is not said is the table's: here `ip`."""
    assert expected == json_statement(expr)
