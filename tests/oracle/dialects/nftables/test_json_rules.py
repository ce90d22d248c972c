"""The JSON of rules: what each statement and expression is read as."""

from typing import Any

import pytest

from oracle.dialects.nftables.expressions import (
    Binary,
    BitOp,
    Ct,
    Fib,
    Flags,
    Jhash,
    Meta,
    Payload,
    Range,
    RawPayload,
    SetLiteral,
    SetReference,
    Symhash,
    Unknown,
    Verdict,
    VerdictKind,
)
from oracle.dialects.nftables.statements import (
    Match,
    MatchOp,
    Opaque,
)
from tests.oracle.dialects.nftables.listings import (
    address,
    elements,
    json_rule,
    json_statement,
)

MARK = Meta("mark")
SADDR = Payload("ip", "saddr")
FLAGS = Payload("tcp", "flags")

META_MARK = {"meta": {"key": "mark"}}
IP_SADDR = {"payload": {"protocol": "ip", "field": "saddr"}}
L4PROTO = {"meta": {"key": "l4proto"}}
TH_DPORT = {"payload": {"protocol": "th", "field": "dport"}}
TCP_FLAGS = {"payload": {"protocol": "tcp", "field": "flags"}}


def match(op: str, left: Any, right: Any) -> dict[str, Any]:
    return {"match": {"op": op, "left": left, "right": right}}


def test_a_rule_has_statements_a_comment_and_a_handle() -> None:
    """The comment stands beside the statements (rules-nftables 6); there is no text."""
    rule = json_rule({"accept": None}, comment="why", handle=7)

    assert ((Verdict(VerdictKind.ACCEPT),), "why", 7, "") == (
        rule.statements,
        rule.comment,
        rule.handle,
        rule.text,
    )


@pytest.mark.parametrize("kind", list(VerdictKind))
def test_verdicts_are_objects(kind: VerdictKind) -> None:
    """Jump and goto have a target."""
    to_chain = kind in (VerdictKind.JUMP, VerdictKind.GOTO)

    assert Verdict(kind, "x/y" if to_chain else "") == json_statement(
        {kind.value: {"target": "x/y"} if to_chain else None}
    )


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        (match("==", L4PROTO, "tcp"), Match(MatchOp.EQ, Meta("l4proto"), 6)),
        (match("!=", IP_SADDR, "@s"), Match(MatchOp.NE, SADDR, SetReference("s"))),
        (
            match("==", IP_SADDR, {"set": ["1.1.1.1"]}),
            Match(MatchOp.EQ, SADDR, SetLiteral(elements(address("1.1.1.1")))),
        ),
        (match("in", {"ct": {"key": "state"}}, "new"), Match(MatchOp.IN, Ct("state"), "new")),
        (
            match("in", {"ct": {"key": "state"}}, ["established", "related"]),
            Match(MatchOp.IN, Ct("state"), Flags(("established", "related"))),
        ),
        (match("!", {"ct": {"key": "status"}}, "dnat"), Match(MatchOp.NONE_OF, Ct("status"), "dnat")),
        (match("in", TCP_FLAGS, "syn"), Match(MatchOp.IN, FLAGS, 2)),
        (
            match("==", {"&": [TCP_FLAGS, ["fin", "syn", "rst", "ack"]]}, "syn"),
            Match(MatchOp.EQ, Binary(BitOp.AND, FLAGS, 0x17), 2),
        ),
        (
            match("==", {"&": [TCP_FLAGS, {"|": ["fin", "syn", "rst", "ack"]}]}, "syn"),
            Match(MatchOp.EQ, Binary(BitOp.AND, FLAGS, 0x17), 2),
        ),
        (match("!=", {"&": [META_MARK, 16384]}, 0), Match(MatchOp.NE, Binary(BitOp.AND, MARK, 0x4000), 0)),
        (
            match("==", {"ct": {"key": "ip saddr", "dir": "original"}}, "1.2.3.4"),
            Match(MatchOp.EQ, Ct("ip saddr", "original"), address("1.2.3.4")),
        ),
        (
            match("==", {"ct": {"key": "saddr", "family": "ip", "dir": "original"}}, "1.2.3.4"),
            Match(MatchOp.EQ, Ct("ip saddr", "original"), address("1.2.3.4")),
        ),
        (
            match("==", {"fib": {"result": "type", "flags": ["daddr"]}}, "local"),
            Match(MatchOp.EQ, Fib(("daddr",), "type"), "local"),
        ),
        (
            match("==", {"fib": {"result": "type", "flags": "daddr"}}, "local"),
            Match(MatchOp.EQ, Fib(("daddr",), "type"), "local"),
        ),
        (
            match("==", {"fib": {"result": "oif", "flags": ["saddr", "iif"]}}, False),
            Match(MatchOp.EQ, Fib(("saddr", "iif"), "oif"), "missing"),
        ),
        (
            match("==", {"payload": {"base": "nh", "offset": 0, "len": 8}}, 5),
            Match(MatchOp.EQ, RawPayload("nh", 0, 8), 5),
        ),
        (
            match("==", TH_DPORT, {"range": [80, 90]}),
            Match(MatchOp.EQ, Payload("th", "dport"), Range(80, 90)),
        ),
        (match("==", {"rt": {"key": "ipsec"}}, False), Match(MatchOp.EQ, Unknown("rt ipsec"), "missing")),
        (
            match("==", {"tcp option": {"name": "sack-perm"}}, True),
            Match(MatchOp.EQ, Unknown("tcp option sack-perm"), "exists"),
        ),
        (
            match("==", {"jhash": {"mod": 3, "expr": IP_SADDR}}, 0),
            Match(MatchOp.EQ, Jhash(SADDR, 3), 0),
        ),
        (match("==", {"symhash": {"mod": 2, "offset": 5}}, 6), Match(MatchOp.EQ, Symhash(2, 5), 6)),
        (match("==", {"novelty": 1}, 6), Match(MatchOp.EQ, Unknown('{"novelty":1}'), 6)),
        (match("==", L4PROTO, "tcpp"), Match(MatchOp.EQ, Meta("l4proto"), Unknown("tcpp"))),
    ],
)
def test_a_match_has_two_sides(expr: Any, expected: Match) -> None:
    """`@name` is membership; `in` a test of bits (rules-nftables 6)."""
    assert expected == json_statement(expr)


@pytest.mark.parametrize(
    ("name", "body", "kind"),
    [
        ("limit", {"rate": 5, "per": "second"}, "limit"),
        ("limit", "l1", "objref limit"),
        ("counter", "c1", "objref counter"),
        ("quota", "q1", "objref quota"),
        ("quota", {"val": 5, "val_unit": "mbytes"}, "quota"),
        ("log", None, "log"),
        ("queue", {"num": 3}, "queue"),
        ("ct count", {"val": 5, "inv": True}, "connlimit"),
        ("ct helper", "h", "ct helper"),
    ],
)
def test_some_statements_are_known_by_their_kind(name: str, body: Any, kind: str) -> None:
    """An object's name is a text."""
    found = json_statement({name: body})

    assert isinstance(found, Opaque)
    assert kind == found.kind


@pytest.mark.parametrize(
    "expr",
    [
        5,
        {},
        {"accept": None, "drop": None},
        {"teleport": 1},
        {"match": {}},
        {"match": {"op": "~", "left": META_MARK, "right": 1}},
        {"jump": {}},
        {"counter": {"packets": "many"}},
        {"dnat": {"family": "ipx", "addr": "1.2.3.4"}},
        {"reject": {"type": "telegram", "expr": 1}},
        {"set": {"op": "throw", "elem": IP_SADDR, "set": "@x"}},
        {"mangle": [1]},
    ],
)
def test_a_statement_that_cannot_be_read_is_unknown_alone(expr: Any) -> None:
    """Those beside it are read."""
    found = json_rule(expr, {"accept": None}).statements

    assert (True, Verdict(VerdictKind.ACCEPT)) == (isinstance(found[0], Unknown), found[1])
