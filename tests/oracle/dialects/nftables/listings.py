"""Small listings around what a test is about, and what they were read as."""

import json
from typing import Any

from model.addresses import Family, parse_address
from oracle.dialects.nftables import parse_json, parse_text
from oracle.dialects.nftables.expressions import Address, Element, Expression, Range
from oracle.dialects.nftables.statements import Match, Statement
from oracle.dialects.nftables.syntax import Chain, NamedSet, Rule, Table


def address(text: str) -> Address:
    return Address(*parse_address(text))


def addresses(low: str, high: str) -> Range:
    return Range(address(low), address(high))


def text_rule(rule: str, family: str = "ip") -> Rule:
    """The only rule of a chain, from text."""
    listing = f"table {family} t {{\n\tchain c {{\n\t\t{rule}\n\t}}\n}}\n"
    (found,) = parse_text(listing.encode(), "nft").tables[0].chains["c"].rules
    return found


def statements(rule: str, family: str = "ip") -> tuple[Statement, ...]:
    """A rule's statements, from text."""
    return text_rule(rule, family).statements


def statement(rule: str, family: str = "ip") -> Statement:
    """A rule's only statement, from text."""
    (found,) = statements(rule, family)
    return found


def right_of(rule: str, family: str = "ip") -> Expression:
    """What the rule's only match compares with."""
    found = statement(rule, family)
    assert isinstance(found, Match)
    return found.right


def text_table(body: str, family: str = "ip") -> Table:
    """The only table, from text."""
    (found,) = parse_text(f"table {family} t {{\n{body}\n}}\n".encode(), "nft").tables
    return found


def text_chain(body: str, family: str = "ip") -> Chain:
    return text_table(f"\tchain c {{\n\t\t{body}\n\t}}", family).chains["c"]


def text_set(body: str, kind: str = "set") -> NamedSet:
    return text_table(f"\t{kind} s {{\n{body}\n\t}}").sets["s"]


def json_listing(*objects: Any) -> bytes:
    """A listing of these objects, with what stands first in each."""
    metainfo = {"metainfo": {"version": "1.0.6", "release_name": "Lester Gooch #5", "json_schema_version": 1}}
    return json.dumps({"nftables": [metainfo, *objects]}).encode()


def json_table(*objects: tuple[str, dict[str, Any]], family: str = "ip") -> Table:
    """The only table, from JSON, of these kinds and bodies."""
    placed = [{kind: {"family": family, "table": "t", **body}} for kind, body in objects]
    listing = json_listing({"table": {"family": family, "name": "t"}}, *placed)
    (found,) = parse_json(listing, "nft.json").tables
    return found


def json_rule(*expr: Any, family: str = "ip", **beside: Any) -> Rule:
    """The only rule of a chain, from JSON."""
    rule = ("rule", {"chain": "c", "expr": list(expr), **beside})
    (found,) = json_table(("chain", {"name": "c"}), rule, family=family).chains["c"].rules
    return found


def json_statement(expr: Any, family: str = "ip") -> Statement:
    (found,) = json_rule(expr, family=family).statements
    return found


def json_set(kind: str = "set", **body: Any) -> NamedSet:
    return json_table((kind, {"name": "s", **body})).sets["s"]


def elements(*keys: Expression) -> tuple[Element, ...]:
    """Elements of a literal set."""
    return tuple(Element(key) for key in keys)


V4, V6 = Family.IPV4, Family.IPV6
