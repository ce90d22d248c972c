"""What an expression of a rule asks of a packet, as literals for the values it may have.

A `Key` says which packets have one of some values there, as alternatives of which at most
one holds.

Only the first packet of a connection is asked about: TCP flags are those of a SYN.

Sources: nft(8) EXPRESSIONS; FWD-OBJ-06; nft's dependencies between headers.
"""

from collections.abc import Sequence
from typing import Final, Protocol

import attrs

from model.addresses import Family
from model.packet import SCTP, TCP, UDP
from model.predicate import Field
from oracle.dialects.iptables.names import DCCP, UDPLITE
from oracle.dialects.nftables.expressions import (
    ANYTHING,
    Address,
    Binary,
    BitOp,
    Concat,
    Ct,
    Expression,
    Fib,
    Meta,
    Payload,
    Value,
)
from oracle.dialects.nftables.lower_facts import (
    ConstantKey,
    DoubtfulKey,
    FibTypeKey,
    FlagsKey,
    InterfaceKey,
    MarkKey,
    StateKey,
)
from oracle.dialects.nftables.lower_fields import FieldKey, TransportPortKey, has_ports
from oracle.dialects.nftables.lower_scope import (
    ALWAYS_TRUE,
    NEVER,
    Alternatives,
    NotJudgedError,
    Scope,
)

_PROTOCOLS: Final = {
    "tcp": TCP,
    "udp": UDP,
    "sctp": SCTP,
    "dccp": DCCP,
    "udplite": UDPLITE,
    "icmp": 1,
    "igmp": 2,
    "esp": 50,
    "ah": 51,
    "icmpv6": 58,
    "comp": 108,
    "gre": 47,
}
_FAMILIES: Final = {"ip": Family.IPV4, "ip6": Family.IPV6, "icmp": Family.IPV4, "icmpv6": Family.IPV6}


class Key(Protocol):
    """One side of a comparison, or what a map is asked for."""

    @property
    def is_mark(self) -> bool:
        """Whether rules can change what it reads."""

    def among(self, values: Sequence[Value]) -> Alternatives:
        """That the packet has one of the values."""

    def outside(self, values: Sequence[Value]) -> Alternatives | None:
        """That it has none of them; None where only their presence can be written down."""


@attrs.frozen(eq=False)
class ConcatKey:
    """Several keys together (`ip daddr . meta l4proto . th dport`)."""

    scope: Scope
    parts: tuple[Key, ...]

    @property
    def is_mark(self) -> bool:
        """Whether some part is one that rules can change."""
        return any(part.is_mark for part in self.parts)

    def among(self, values: Sequence[Value | Concat]) -> Alternatives:
        return tuple(one for value in values for one in self._one(value))

    def outside(self, values: Sequence[Value | Concat]) -> Alternatives | None:
        return None if values else ALWAYS_TRUE

    def _one(self, value: Value | Concat) -> Alternatives:
        if value is ANYTHING:
            return ALWAYS_TRUE
        if not isinstance(value, Concat) or len(value.parts) != len(self.parts):
            raise NotJudgedError(f"a key of {len(self.parts)} parts is {value}")
        found: Alternatives = ALWAYS_TRUE
        for part, given in zip(self.parts, value.parts, strict=True):
            plain: Key = part
            if type(part) is TransportPortKey and _has_ports(found):
                plain = part.port
            found = self.scope.product(found, plain.among((given,)))  # type: ignore[arg-type]  # a leaf
            if not found:
                return NEVER
        return found


def _has_ports(alternatives: Alternatives) -> bool:
    """Whether every packet meant is of a protocol with ports."""
    return all(has_ports(conjunction) for conjunction in alternatives)


def key_of(expression: Expression, scope: Scope) -> Key:
    """The key that an expression is. Raises NotJudgedError for one that cannot be judged."""
    match expression:
        case Payload(protocol, field):
            return _header_key(protocol, field, scope)
        case Meta("l4proto"):
            return FieldKey(scope, Field.PROTOCOL)
        case Meta("mark"):
            return MarkKey(scope)
        case Meta("iifname" | "iif"):
            return InterfaceKey(scope, "in-interface", may_end_open=expression.key == "iifname")
        case Meta("oifname" | "oif"):
            return InterfaceKey(scope, "out-interface", may_end_open=expression.key == "oifname")
        case Meta("nfproto"):
            return ConstantKey(scope, "ipv4" if scope.family is Family.IPV4 else "ipv6")
        case Meta("protocol"):
            return ConstantKey(scope, "ip" if scope.family is Family.IPV4 else "ip6")
        case Ct("state"):
            return StateKey(scope)
        case Ct("direction"):
            return ConstantKey(scope, "original")
        case Ct("status") if not scope.is_managed:
            return FlagsKey(scope, status=True)
        case Fib((("saddr" | "daddr"),) as flags, "type"):
            return FibTypeKey(scope, is_source=flags == ("saddr",))
        case Concat(parts):
            return ConcatKey(scope, tuple(_part(part, scope) for part in parts))
        case Binary(BitOp.AND, left, int() as mask):
            return _masked_key(key_of(left, scope), mask)
        case Binary(BitOp.AND, left, Address(_, mask)):
            return _masked_key(key_of(left, scope), mask)
    raise NotJudgedError(_in_words(expression))


def is_of_other_family(expression: Expression, scope: Scope) -> bool:
    """Whether it reads a header that packets of this family do not have."""
    match expression:
        case Payload(protocol, _):
            return _FAMILIES.get(protocol, scope.family) is not scope.family
        case Concat(parts):
            return any(is_of_other_family(part, scope) for part in parts)
        case Binary(_, left, _):
            return is_of_other_family(left, scope)
    return False


def _part(expression: Expression, scope: Scope) -> Key:
    """A part of a concatenation, which may be in doubt alone."""
    try:
        return key_of(expression, scope)
    except NotJudgedError as fault:
        return DoubtfulKey(scope, str(fault))


def _header_key(protocol: str, field: str, scope: Scope) -> Key:
    family = _FAMILIES.get(protocol)
    implied = NEVER if family not in (None, scope.family) else ALWAYS_TRUE
    number = _PROTOCOLS.get(protocol)
    if number is not None:
        implied = scope.product(implied, scope.within(Field.PROTOCOL, ((number, number),)))
    match protocol, field:
        case "ip" | "ip6", "saddr":
            return FieldKey(scope, Field.SOURCE, implied)
        case "ip" | "ip6", "daddr":
            return FieldKey(scope, Field.DESTINATION, implied)
        case ("ip", "protocol") | ("ip6", "nexthdr"):
            return FieldKey(scope, Field.PROTOCOL, implied)
        case "th", "dport":
            return TransportPortKey(scope, FieldKey(scope, Field.PORT), "th dport")
        case "th", "sport":
            return TransportPortKey(scope, FieldKey(scope, Field.SOURCE_PORT), "th sport")
        case "tcp" | "udp" | "sctp" | "dccp" | "udplite", "dport":
            return FieldKey(scope, Field.PORT, implied)
        case "tcp" | "udp" | "sctp" | "dccp" | "udplite", "sport":
            return FieldKey(scope, Field.SOURCE_PORT, implied)
        case "tcp", "flags":
            return FlagsKey(scope, implied=implied)
        case "ether", "type":
            return ConstantKey(scope, "ip" if scope.family is Family.IPV4 else "ip6")
    return DoubtfulKey(scope, f"{protocol} {field}", implied)


def _masked_key(key: Key, mask: int) -> Key:
    match key:
        case MarkKey():
            return attrs.evolve(key, mask=key.mask & mask)
        case FieldKey(mask=None) if key.field in (Field.SOURCE, Field.DESTINATION):
            return attrs.evolve(key, mask=mask)
        case FlagsKey():
            return attrs.evolve(key, mask=mask if key.mask is None else key.mask & mask)
        case DoubtfulKey():
            return key
    raise NotJudgedError("a mask of this")


def _in_words(expression: Expression) -> str:
    match expression:
        case Meta(key):
            return f"meta {key}"
        case Ct(key, direction):
            return " ".join(("ct", direction, key)).replace("  ", " ")
        case Fib(flags, result):
            return f"fib {' . '.join(flags)} {result}"
        case _:
            text = getattr(expression, "text", "")
            return text or type(expression).__name__.lower()
