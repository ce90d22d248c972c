"""A rule set as a listing of nft: text that `nft -f` loads and `parse_nftables` reads.

Law: reading what is written gives the conditions, actions, odds and memories back. A rule's `text`
becomes its comment. Only rules that do nothing else may remember a source, since nft enters it and
goes on. A memory becomes a set that forgets after the seconds for which rules ask it.

What nft has no words for raises `NotWritableError`; nothing is left out.
Source: nft(8); rules-nftables 1 and 7; MODE-18, MODE-19.
"""

from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from typing import assert_never

from model.addresses import Family, format_address
from model.packet import PROTOCOL_NAMES, TCP
from model.predicate import All, Fact, Field, Not, Within
from oracle.dialects.nftables.lower_memory import KUBE_PROXY
from oracle.ruleset import (
    Accept,
    Action,
    Chain,
    Continue,
    Dnat,
    Drop,
    Goto,
    Jump,
    Masquerade,
    Redirect,
    Reject,
    Return,
    Rule,
    Ruleset,
    SetMark,
    Unsupported,
    Untrack,
)
from oracle.writing.files import Line
from oracle.writing.literals import (
    PORT_NAMES,
    Literal,
    NotWritableError,
    literals,
    mark_of,
    memory_of,
    place_text,
    prefix,
    protocol_of,
    range_text,
    said,
    split_not,
    states,
)

_WORD = {Family.IPV4: "ip", Family.IPV6: "ip6"}
_TYPE = {Family.IPV4: "ipv4_addr", Family.IPV6: "ipv6_addr"}
_NAMES = {**PROTOCOL_NAMES, **PORT_NAMES}
_LONGEST_COMMENT = 120  # of 128 bytes
_BITS = 0xFFFFFFFF
_STATUSES = {"DNAT", "SNAT"}


def write_nft(rulesets: Iterable[Ruleset]) -> str:
    """The tables of the rule sets, as nft lists them.

    Raises NotWritableError, with the chain, for a rule that nft cannot hold.
    """
    return "".join(f"{line.text}\n" for line in nft_lines(rulesets))


def nft_lines(rulesets: Iterable[Ruleset]) -> Iterator[Line]:
    """The lines of `write_nft`, each with the whole comment of the rule that it is.

    A set has the comment of a rule that enters sources in it.
    """
    for ruleset in rulesets:
        for name, chains in ruleset.tables.items():
            yield from _table(name, chains, ruleset.family)


def _table(name: str, chains: Mapping[str, Chain], family: Family) -> Iterator[Line]:
    if name.partition(" ")[0] != _WORD[family]:
        raise NotWritableError(f"table {name} is not of {family.value} alone")
    memories = _memories(name, chains)
    entered = {rule.remember: rule.text for chain in chains.values() for rule in chain.rules}
    yield Line(f"table {name} {{")
    for memory, seconds in memories.items():
        flags = f"flags dynamic,timeout; timeout {seconds}s;" if seconds else "flags dynamic;"
        set_ = f"\tset {_set_name(name, memory)} {{ type {_TYPE[family]}; {flags} }}"
        yield Line(set_, entered.get(memory, ""))
    for chain in chains.values():
        yield Line(f"\tchain {chain.name} {{")
        if chain.base is not None:
            kind = "nat" if chain.base.is_nat else "filter"
            policy = "drop" if chain.policy == Drop() else "accept"
            hook = f"hook {chain.base.point.value} priority {chain.base.priority}"
            yield Line(f"\t\ttype {kind} {hook}; policy {policy};", "")
        for rule in chain.rules:
            try:
                text = f"\t\t{_rule(rule, family, name, memories)}"
            except NotWritableError as fault:
                raise NotWritableError(f"{name} {chain.name}: {fault}") from None
            yield Line(text, rule.text)
        yield Line("\t}")
    yield Line("}")


def _memories(table: str, chains: Mapping[str, Chain]) -> dict[str, int]:
    """The seconds that each memory of a table lasts. Raises NotWritableError where rules disagree."""
    found: dict[str, int] = {}
    entered: dict[str, None] = {}
    for chain in chains.values():
        for rule in chain.rules:
            if rule.remember:
                entered[rule.remember] = None
            for part in rule.when.parts if isinstance(rule.when, All) else (rule.when,):
                inner = part.part if isinstance(part, Not) else part
                if isinstance(inner, Fact) and inner.name == "recent":
                    name, seconds = memory_of(inner.argument)
                    if found.setdefault(name, seconds) != seconds:
                        raise NotWritableError(f"{table}: {name} is asked for two ages")
    return {name: found.get(name, 0) for name in (*entered, *found)}


def _set_name(table: str, memory: str) -> str:
    """The set's own name: memories of other tables than kube-proxy's bear the table's."""
    if table.partition(" ")[2] == KUBE_PROXY:
        return memory
    if not memory.startswith(f"{table} "):
        raise NotWritableError(f"{memory} is not a set of table {table}")
    return memory.removeprefix(f"{table} ")


def _rule(rule: Rule, family: Family, table: str, memories: Mapping[str, int]) -> str:
    parts = literals(rule.when)
    protocol = protocol_of(parts)
    words: list[str] = []
    with_ports = {Field.PORT, Field.SOURCE_PORT}
    names_port = any(isinstance(part, Within) and part.field in with_ports for part in parts)
    for part in parts:
        if names_port and isinstance(part, Within) and part.field is Field.PROTOCOL:
            continue  # `tcp dport` asks for it
        words.append(_match(part, family, table, protocol))
    if rule.odds is not None:
        words.append(_odds(rule.odds))
    if rule.remember:
        if rule.then != Continue():
            raise NotWritableError("remembers a source and does something else")
        op = "update" if memories[rule.remember] else "add"
        words.append(f"{op} @{_set_name(table, rule.remember)} {{ {_WORD[family]} saddr }}")
    elif rule.then == Continue():
        words.append("counter")
    else:
        words.append(_statement(rule.then, family, parts))
    if rule.text:
        words.append('comment "{}"'.format(rule.text[:_LONGEST_COMMENT].replace('"', "'")))
    return " ".join(words)


def _match(part: Literal, family: Family, table: str, protocol: str) -> str:
    if isinstance(part, Within):
        return _within(part, family, protocol)
    inner, is_negated = split_not(part)
    no = "!= " if is_negated else ""
    if names := states(inner):
        return _state(names, is_negated=is_negated)
    if not isinstance(inner, Fact):
        raise NotWritableError("alternatives")
    match inner.name:
        case "in-interface" | "out-interface":
            key = "iifname" if inner.name == "in-interface" else "oifname"
            name = inner.argument[:-1] + "*" if inner.argument.endswith("+") else inner.argument
            return f'{key} {no}"{name}"'
        case "source-local" | "destination-local":
            return f"fib {'saddr' if inner.name == 'source-local' else 'daddr'} type {no}local"
        case "mark":
            value, mask = mark_of(inner.argument)
            if value & ~mask or not mask:
                raise NotWritableError(f"a mark that is {inner.argument}")
            masked = "meta mark" if mask == _BITS else f"meta mark & {mask:#x}"
            return f"{masked} {'!=' if is_negated else '=='} {value:#x}"
        case "recent":
            return f"{_WORD[family]} saddr {no}@{_set_name(table, memory_of(inner.argument)[0])}"
        case other:
            raise NotWritableError(f"the fact {other}")


def _state(names: tuple[str, ...], *, is_negated: bool) -> str:
    """Conntrack's state, or its status, which are two things to nft."""
    lower = [name.lower() for name in names]
    if _STATUSES.isdisjoint(names):
        if is_negated:
            return f"ct state != {{ {', '.join(lower)} }}"
        return f"ct state {','.join(lower)}"
    if not _STATUSES.issuperset(names):
        raise NotWritableError("a conntrack state or a status")
    return f"ct status {'! ' if is_negated else ''}{','.join(lower)}"


def _within(part: Within, family: Family, protocol: str) -> str:
    how = said(part, family)
    no = "!= " if how.is_negated else ""
    match part.field:
        case Field.SOURCE | Field.DESTINATION:
            key = f"{_WORD[family]} {'saddr' if part.field is Field.SOURCE else 'daddr'}"
            texts = [_addresses(family, low, high) for low, high in how.spans]
        case Field.PROTOCOL:
            key = "meta l4proto"
            texts = [_numbers(low, high) for low, high in how.spans]
            if len(how.spans) == 1 and how.spans[0][0] == how.spans[0][1]:
                texts = [str(_NAMES.get(how.spans[0][0], how.spans[0][0]))]
        case Field.PORT | Field.SOURCE_PORT:
            if not protocol:
                raise NotWritableError("ports without a protocol that has them")
            key = f"{protocol} {'dport' if part.field is Field.PORT else 'sport'}"
            texts = [_numbers(low, high) for low, high in how.spans]
        case _:
            assert_never(part.field)
    return f"{key} {no}{texts[0]}" if len(texts) == 1 else f"{key} {no}{{ {', '.join(texts)} }}"


def _addresses(family: Family, low: int, high: int) -> str:
    if low == high:
        return format_address(family, low)
    return prefix(family, low, high) or range_text(family, low, high)


def _numbers(low: int, high: int) -> str:
    return str(low) if low == high else f"{low}-{high}"


def _odds(odds: Fraction) -> str:
    return f"numgen random mod {odds.denominator} < {odds.numerator}"


def _statement(then: Action, family: Family, parts: tuple[Literal, ...]) -> str:
    match then:
        case Jump(chain):
            return f"jump {chain}"
        case Goto(chain):
            return f"goto {chain}"
        case Accept():
            return "accept"
        case Drop():
            return "drop"
        case Return():
            return "return"
        case Reject(kind):
            return _reject(kind, family, parts)
        case Dnat(address, port):
            return f"dnat to {place_text(family, address, port)}"
        case Redirect(port):
            return "redirect" if port is None else f"redirect to :{port}"
        case Masquerade():
            return "masquerade fully-random"
        case SetMark(clear, flip):
            return f"meta mark set {_mark(clear, flip)}"
        case Untrack():
            return "notrack"
        case Unsupported(why):
            raise NotWritableError(why)
        case Continue():
            return "counter"
        case _:
            assert_never(then)


def _mark(clear: int, flip: int) -> str:
    """(mark & ~clear) ^ flip in nft's operators."""
    if clear == _BITS:
        return f"{flip:#x}"
    if clear == flip and clear:
        return f"meta mark or {flip:#x}"
    kept = f"meta mark and {~clear & _BITS:#x}" if clear or not flip else "meta mark"
    return f"{kept} xor {flip:#x}" if flip else kept


def _reject(kind: str, family: Family, parts: tuple[Literal, ...]) -> str:
    """The refusal that iptables calls `kind`."""
    if kind == "tcp-reset":
        if protocol_of(parts) != PORT_NAMES[TCP]:
            raise NotWritableError("a TCP reset for what may not be TCP")
        return "reject with tcp reset"
    word, prefix_ = ("icmp", "icmp-") if family is Family.IPV4 else ("icmpv6", "icmp6-")
    if not kind.startswith(prefix_):
        raise NotWritableError(f"refusing with {kind}")
    code = kind.removeprefix(prefix_)
    code = {"proto-unreachable": "prot-unreachable", "adm-prohibited": "admin-prohibited"}.get(code, code)
    return f"reject with {word} {code}"
