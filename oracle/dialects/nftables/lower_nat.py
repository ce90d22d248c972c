"""Statements that change or refuse a packet, as actions of the rule set.

A refusal is named as the iptables dialect names it (`icmp-port-unreachable`), so that one
contract fits both. A translation for the other family does nothing to this one's packets.

Sources: nft(8) NAT STATEMENTS, REJECT STATEMENT; nf_tables: nft_nat_inet_eval.
"""

from typing import Final

from model.addresses import Family
from model.packet import TCP
from model.predicate import Field
from oracle.dialects.nftables.expressions import (
    Address,
    Binary,
    BitOp,
    Concat,
    Expression,
    MapLookup,
    Meta,
    Range,
    Unknown,
)
from oracle.dialects.nftables.lower_maps import Choose, choice
from oracle.dialects.nftables.lower_scope import ALWAYS_TRUE, NEVER, Alternatives, NotJudgedError, Scope
from oracle.dialects.nftables.statements import Nat, NatKind, Redirect, Reject
from oracle.ruleset import Action, Dnat, Masquerade, SetMark
from oracle.ruleset import Redirect as RedirectAction
from oracle.ruleset import Reject as RejectAction

_BITS: Final = 0xFFFFFFFF
_NAMED: Final = {
    "icmp": {"prot-unreachable": "proto-unreachable"},
    "icmp6": {"admin-prohibited": "adm-prohibited"},
}
_OF_EITHER: Final = {
    "no-route": ("net-unreachable", "no-route"),
    "port-unreachable": ("port-unreachable", "port-unreachable"),
    "host-unreachable": ("host-unreachable", "addr-unreachable"),
    "admin-prohibited": ("admin-prohibited", "adm-prohibited"),
}


def reject_action(statement: Reject, scope: Scope) -> tuple[Action, Alternatives]:
    """The refusal, and the packets that it is of: those of TCP, or of one family."""
    is_ipv4 = scope.family is Family.IPV4
    match statement.kind:
        case "tcp reset":
            return RejectAction("tcp-reset"), scope.within(Field.PROTOCOL, ((TCP, TCP),))
        case "icmp":
            name = _NAMED["icmp"].get(statement.code, statement.code)
            return RejectAction(f"icmp-{name}"), ALWAYS_TRUE if is_ipv4 else NEVER
        case "icmpv6":
            name = _NAMED["icmp6"].get(statement.code, statement.code)
            return RejectAction(f"icmp6-{name}"), NEVER if is_ipv4 else ALWAYS_TRUE
        case "icmpx" if statement.code in _OF_EITHER:
            ipv4, ipv6 = _OF_EITHER[statement.code]
            return RejectAction(f"icmp-{ipv4}" if is_ipv4 else f"icmp6-{ipv6}"), ALWAYS_TRUE
    raise NotJudgedError(f"reject with {statement.kind} {statement.code}".strip())


def nat_effect(statement: Nat, scope: Scope) -> Action | Choose | None:
    """What a translation does; None when it is for the other family.

    Raises NotJudgedError for ranges, hashes and whole networks as the new destination.
    """
    family = statement.family
    if family is None and isinstance(statement.address, Address):
        family = statement.address.family
    if family not in (None, scope.family):
        return None
    address, port = statement.address, statement.port
    if statement.kind is NatKind.SNAT:
        if isinstance(address, MapLookup):
            return choice(address.key, address.data, lambda _: Masquerade(), scope)
        return Masquerade()
    if {"netmap", "prefix"} & set(statement.flags):
        raise NotJudgedError("dnat of a network to a network")
    match address, port:
        case MapLookup(key, data), MapLookup():
            raise NotJudgedError("dnat by two maps")
        case MapLookup(key, data), _:
            return choice(key, data, lambda value: _destination(value, port, scope), scope)
        case _, MapLookup(key, data):
            return choice(key, data, lambda value: _destination(address, value, scope), scope)
    return _destination(address, port, scope)


def redirect_effect(statement: Redirect, scope: Scope) -> Action | Choose:
    """What a redirection to the node does. Raises NotJudgedError for ranges of ports."""
    port = statement.port
    if isinstance(port, MapLookup):
        return choice(port.key, port.data, lambda value: RedirectAction(_port(value)), scope)
    return RedirectAction(None if port is None else _port(port))


def _destination(address: Expression | None, port: Expression | None, scope: Scope) -> Action:
    if isinstance(address, Concat) and len(address.parts) == 2 and port is None:
        address, port = address.parts
    number = None if address is None else _address(address, scope)
    return Dnat(number, None if port is None else _port(port))


def _address(value: Expression, scope: Scope) -> int:
    if isinstance(value, Range) and value.low == value.high:
        value = value.low
    if isinstance(value, Address) and value.family is scope.family:
        return value.value
    raise NotJudgedError(f"dnat to {_in_words(value)}")


def _port(value: Expression) -> int:
    if isinstance(value, Range) and value.low == value.high:
        value = value.low
    if isinstance(value, int) and value:
        return value
    raise NotJudgedError(f"a new port of {_in_words(value)}")


def _in_words(value: Expression) -> str:
    if isinstance(value, Range):
        return "a range"
    return value.text if isinstance(value, Unknown) else type(value).__name__.lower()


def mark_action(value: Expression) -> Action:
    """mark = (mark & ~clear) ^ flip, which every way of computing with bits comes down to.

    Raises NotJudgedError for a mark that is not computed from itself and numbers.

    >>> from oracle.dialects.nftables.expressions import Binary, BitOp, Meta
    >>> mark_action(Binary(BitOp.OR, Meta("mark"), 0x4000))
    SetMark(clear=16384, flip=16384)
    """
    clear, flip = _mark(value)
    return SetMark(clear, flip)


def _mark(value: Expression) -> tuple[int, int]:
    match value:
        case int():
            return _BITS, value & _BITS
        case Meta("mark"):
            return 0, 0
        case Binary(op, left, int() as bits) if op in (BitOp.AND, BitOp.OR, BitOp.XOR):
            clear, flip = _mark(left)
            if op is BitOp.AND:
                return clear | (~bits & _BITS), flip & bits
            if op is BitOp.OR:
                return clear | bits, (flip & ~bits) | bits
            return clear, flip ^ bits
    raise NotJudgedError("a mark that is not computed from the mark")
