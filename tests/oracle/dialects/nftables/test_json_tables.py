"""The JSON of a listing: tables, sets, maps, chains, and data that is no whole listing."""

import json
from typing import Any

import pytest

from model.errors import InputError
from oracle.dialects.nftables import parse_json
from oracle.dialects.nftables.expressions import (
    ANYTHING,
    Concat,
    Element,
    Range,
    Unknown,
    Verdict,
    VerdictKind,
)
from oracle.dialects.nftables.syntax import ChainType, Form, Hook, NamedObject, TableFamily
from tests.oracle.dialects.nftables.listings import address, addresses, json_listing, json_set, json_table

TABLE = {"table": {"family": "ip", "name": "t"}}
CHAIN = {"chain": {"family": "ip", "table": "t", "name": "c"}}


def test_a_listing_tells_the_version_of_its_tool() -> None:
    """In `metainfo`, which stands first."""
    dump = parse_json(json_listing(TABLE), "nft.json")

    assert ("1.0.6", Form.JSON) == (dump.tool_version, dump.form)


def test_places_are_indexes_in_the_array() -> None:
    """Counted from 0, where `metainfo` stands."""
    rule = {"rule": {"family": "ip", "table": "t", "chain": "c", "handle": 7, "expr": [{"accept": None}]}}
    (table,) = parse_json(json_listing(TABLE, CHAIN, rule), "nft.json").tables
    chain = table.chains["c"]

    assert (1, 2, 3, 7) == (table.line, chain.line, chain.rules[0].line, chain.rules[0].handle)


def test_tables_of_one_name_differ_by_family() -> None:
    """As kube-proxy's two (rules-nftables 1)."""
    second = {"table": {"family": "ip6", "name": "t", "flags": "dormant"}}
    dump = parse_json(json_listing(TABLE, second), "nft.json")

    assert [(TableFamily.IP, ()), (TableFamily.IP6, ("dormant",))] == [
        (table.family, table.flags) for table in dump.tables
    ]


def test_a_base_chain_has_a_number_for_priority() -> None:
    """`prio`, and a device where the hook is one's."""
    body = {"name": "c", "type": "filter", "hook": "ingress", "prio": -500, "policy": "drop", "dev": "eth0"}
    chain = json_table(("chain", body), family="netdev").chains["c"]

    assert (ChainType.FILTER, Hook.INGRESS, -500, VerdictKind.DROP, ("eth0",)) == (
        chain.type,
        chain.hook,
        chain.priority,
        chain.policy,
        chain.devices,
    )


@pytest.mark.parametrize("flags", ["timeout", ["timeout"]])
def test_flags_are_a_text_or_a_list(flags: Any) -> None:
    """By version (rules-nftables 6)."""
    found = json_set(type="ipv4_addr", flags=flags, timeout=10800, size=65535)

    assert (("timeout",), 10800, 65535, ()) == (found.flags, found.timeout, found.size, found.elements)


def test_a_map_of_verdicts_has_pairs() -> None:
    """`[key, verdict]`; a commented key is wrapped (rules-nftables 6)."""
    plain = [{"concat": ["10.96.0.1", "tcp", 443]}, {"goto": {"target": "service-a/b/tcp/"}}]
    wrapped = [{"elem": {"val": {"concat": ["10.96.0.2", "udp", 53]}, "comment": "ns/svc:p"}}, {"drop": None}]
    found = json_set(
        "map", type=["ipv4_addr", "inet_proto", "inet_service"], map="verdict", elem=[plain, wrapped]
    )

    assert (("ipv4_addr", "inet_proto", "inet_service"), ("verdict",)) == (found.key_types, found.value_types)
    assert (
        Element(
            Concat((address("10.96.0.1"), 6, 443)), Verdict(VerdictKind.GOTO, "service-a/b/tcp/"), line=2
        ),
        Element(
            Concat((address("10.96.0.2"), 17, 53)), Verdict(VerdictKind.DROP), comment="ns/svc:p", line=2
        ),
    ) == found.elements


def test_types_of_a_map_s_values_are_joined_by_dots() -> None:
    """A concatenation's types come as one text there."""
    pair = ["1.1.1.1", {"concat": ["2.2.2.2", 80]}]
    found = json_set("map", type="ipv4_addr", map="ipv4_addr . inet_service", elem=[pair])

    assert ("ipv4_addr", "inet_service") == found.value_types
    assert Concat((address("2.2.2.2"), 80)) == found.elements[0].value


def test_types_may_be_those_of_expressions() -> None:
    """`typeof`, as later versions print it."""
    fields = [{"payload": {"protocol": "ip", "field": "saddr"}}, {"meta": {"key": "mark"}}]

    assert ("ipv4_addr", "mark") == json_set(type={"typeof": {"concat": fields}}).key_types


def test_elements_tell_their_times() -> None:
    """In seconds; what is counted says nothing of membership."""
    body = {
        "val": "1.2.3.4",
        "timeout": 1800,
        "expires": 1199,
        "comment": "a",
        "counter": {"packets": 5, "bytes": 6},
    }
    found = json_set(type="ipv4_addr", elem=[{"elem": body}])

    assert (Element(address("1.2.3.4"), None, 1800, 1199, "a", 2),) == found.elements


def test_intervals_are_ranges() -> None:
    """Prefixes and ranges, in parts of a key too; `*` is any key."""
    prefix = {"prefix": {"addr": "10.0.0.0", "len": 8}}
    elem = [prefix, {"range": ["1.1.1.1", "1.1.1.3"]}, {"prefix": {"addr": "2.2.2.2", "len": 32}}, "*"]
    found = json_set(type="ipv4_addr", elem=elem)
    joined = json_set(type=["ipv4_addr", "inet_service"], elem=[{"concat": [prefix, {"range": [1, 80]}]}])

    net = addresses("10.0.0.0", "10.255.255.255")
    assert [net, addresses("1.1.1.1", "1.1.1.3"), address("2.2.2.2"), ANYTHING] == [
        element.key for element in found.elements
    ]
    assert Concat((net, Range(1, 80))) == joined.elements[0].key


@pytest.mark.parametrize(
    "key", [{"prefix": {"addr": "10.0.0.0", "len": 33}}, "fd00::1", {"new": 1}, [], None, 1.5]
)
def test_a_key_that_cannot_be_read_is_unknown(key: Any) -> None:
    """And kept as its JSON, never left out."""
    found = json_set(type="ipv4_addr", elem=[key])

    assert (True, 1) == (isinstance(found.elements[0].key, Unknown), len(found.elements))


def test_objects_of_other_kinds_are_named() -> None:
    """A counter, a ct helper, and kinds of tomorrow."""
    table = json_table(
        ("counter", {"name": "c1", "packets": 0}), ("ct helper", {"name": "h"}), ("novelty", {"name": "n"})
    )

    assert (
        NamedObject("counter", "c1", 2),
        NamedObject("ct helper", "h", 3),
        NamedObject("novelty", "n", 4),
    ) == table.objects


def test_a_file_may_hold_several_listings() -> None:
    """`nft -j list table` for each table, one line each."""
    second = json_listing({"table": {"family": "ip6", "name": "t"}})
    dump = parse_json(json_listing(TABLE) + b"\n" + second + b"\n", "nft.json")

    assert [TableFamily.IP, TableFamily.IP6] == [table.family for table in dump.tables]


def fault(data: bytes) -> InputError:
    with pytest.raises(InputError) as raised:
        parse_json(data, "nft.json")
    assert "\n" not in str(raised.value)
    return raised.value


def test_a_listing_cut_off_anywhere_is_called_truncated() -> None:
    """Also within a number."""
    body = {"name": "c", "type": "nat", "hook": "input", "prio": -100, "policy": "accept"}
    whole = json_listing(TABLE, {"chain": {"family": "ip", "table": "t", **body}})
    faults = {fault(whole[:end]).what for end in range(1, len(whole))}

    assert {"truncated: the JSON ends before it is complete"} == faults


@pytest.mark.parametrize(
    ("data", "line", "what"),
    [
        (b"", 1, "the file is empty"),
        (b'{"nftables": [\n\n nope]}', 3, "not JSON: JSON is malformed"),
        (b'{"a": 1}', 1, "this is JSON, but not a listing of nft"),
        (b"[1, 2]", 1, "this is JSON, but not a listing of nft"),
        (b'{"nftables": {}}', 1, "this is JSON, but not a listing of nft"),
        (b'{"apiVersion": "v1", "kind": "List", "items": []}', 1, "this looks like JSON of kubectl"),
        (b'{"nftables": ' + b"[" * 100_000, 1, "JSON nested too deeply"),
        (b'{"nftables": ["\xff"]}', 1, "not JSON: a text is not UTF-8"),
        (b'{"nftables": []}', 0, "no table in the listing"),
        (b'{"nftables": [{"table": {"family": "ip", "name": "t"}}]}\n{"nftables": [\n', 2, "truncated"),
    ],
)
def test_what_is_no_listing_is_refused(data: bytes, line: int, what: str) -> None:
    """With its line, as far as it is JSON at all."""
    refusal = fault(data)

    assert ("nft.json", line) == (refusal.file, refusal.line)
    assert refusal.what.startswith(what)


RULE = {"family": "ip", "table": "t", "chain": "c"}


@pytest.mark.parametrize(
    ("objects", "index", "what"),
    [
        ([5], 1, "not an object with one key"),
        ([{"table": 5}], 1, "table without a body"),
        ([{"table": {"family": "ip"}}], 1, "'name' is missing"),
        ([{"table": {"family": "ipx", "name": "t"}}], 1, "'ipx' is not a valid TableFamily"),
        ([TABLE, TABLE], 2, "table ip 't' comes twice"),
        ([{"add": {"table": {"family": "ip", "name": "t"}}}], 1, "add is a command"),
        ([CHAIN], 1, "it belongs to table 'ip t'"),
        ([TABLE, CHAIN, CHAIN], 3, "chain 'c' comes twice"),
        ([TABLE, {"rule": {**RULE, "expr": []}}], 2, "a rule of chain 'c'"),
        ([TABLE, CHAIN, {"rule": RULE}], 3, "'expr' is missing"),
        ([TABLE, CHAIN, {"rule": {**RULE, "expr": 5}}], 3, "a rule without expr"),
        ([TABLE, {"set": {**RULE, "name": "s", "type": 5}}], 2, "5 is no type"),
        ([TABLE, {"set": {**RULE, "name": "s", "type": []}}], 2, "[] is no type"),
        (
            [TABLE, {"map": {**RULE, "name": "s", "type": "mark", "map": "mark", "elem": [5]}}],
            2,
            "5 is no element",
        ),
        ([TABLE, {"chain": {**RULE, "name": "d", "hook": "nowhere"}}], 2, "'nowhere' is not a valid Hook"),
        ([TABLE, {"element": {**RULE, "name": "s", "elem": []}}], 2, "an element on its own"),
    ],
)
def test_an_object_at_fault_is_named_by_its_index(objects: list[Any], index: int, what: str) -> None:
    """JSON of nft stands on one line, so a line would say nothing."""
    refusal = fault(json_listing(*objects))

    assert 0 == refusal.line
    assert refusal.what.startswith(f"object {index} of nftables: {what}")


def test_a_byte_order_mark_is_passed_over() -> None:
    """Some editors put one first."""
    plain = json.dumps({"nftables": [TABLE]}).encode()

    assert parse_json(plain, "nft.json") == parse_json(b"\xef\xbb\xbf" + plain, "nft.json")
