"""A rule as nft would print it, for listings in JSON, which have no text.

Made for readers, not for nft: where wording differs between its versions, it is one of them.

Source: rules-nftables 5.
"""

from typing import Final

from model.addresses import format_address
from oracle.dialects.nftables.expressions import (
    ANYTHING,
    Address,
    Binary,
    Concat,
    Ct,
    Element,
    Expression,
    Fib,
    Flags,
    Jhash,
    MapLookup,
    Meta,
    Numgen,
    Payload,
    Range,
    RawPayload,
    SetLiteral,
    SetReference,
    Symhash,
    Unknown,
    Verdict,
)
from oracle.dialects.nftables.statements import (
    Counter,
    Mangle,
    Masquerade,
    Match,
    MatchOp,
    Nat,
    Notrack,
    Opaque,
    Redirect,
    Reject,
    SetUpdate,
    Statement,
    Tproxy,
    VerdictMap,
    Xt,
)
from oracle.dialects.nftables.syntax import Rule

_NAMES: Final = {1: "icmp", 6: "tcp", 17: "udp", 58: "icmpv6", 132: "sctp"}
_BARE: Final = frozenset({"iif", "iifname", "oif", "oifname", "skuid", "skgid"})
_L4: Final = Meta("l4proto")


def rendered(rule: Rule) -> str:
    """The rule's statements as text, without comment and handle.

    >>> rendered(Rule((Match(MatchOp.EQ, Meta("l4proto"), 6), Notrack()), 1))
    'meta l4proto tcp notrack'
    """
    return " ".join(text for statement in rule.statements if (text := shown_statement(statement)))


def shown_statement(statement: Statement) -> str:
    """One statement as text."""
    match statement:
        case Match(op, left, right):
            is_bare = op is MatchOp.IN or (op is MatchOp.EQ and not isinstance(left, Binary))
            sign = "" if is_bare else f"{op.value} "
            return f"{shown(left)} {sign}{shown(right, left)}"
        case VerdictMap(key, data):
            return f"{shown(key)} vmap {shown(data, key)}"
        case Verdict():
            return shown(statement)
        case Reject(kind, code):
            return f"reject with {kind} {code}".strip()
        case Nat(kind, _, address, port, flags):
            return " ".join((kind.value, "to", _place(address, port), *flags))
        case Redirect(port, flags):
            return " ".join(("redirect", *(() if port is None else (f"to :{shown(port)}",)), *flags))
        case Masquerade(port, flags):
            return " ".join(("masquerade", *(() if port is None else (f"to :{shown(port)}",)), *flags))
        case Tproxy(_, address, port):
            return f"tproxy to {_place(address, port)}"
        case Notrack():
            return "notrack"
        case Mangle(key, value):
            return f"{shown(key)} set {shown(value, key)}"
        case SetUpdate(op, name, key, value):
            entry = shown(key) if value is None else f"{shown(key)} : {shown(value)}"
            return f"{op.value} @{name} {{ {entry} }}"
        case Counter():
            return "counter"
        case Opaque(kind, text):
            return text or kind
        case Xt(kind, name):
            return f'xt {kind} "{name}"' if name else "xt"
        case Unknown(text):
            return text


def _place(address: Expression | None, port: Expression | None) -> str:
    host = "" if address is None else shown(address)
    if port is None:
        return host
    return f"[{host}]:{shown(port)}" if ":" in host else f"{host}:{shown(port)}"


def shown(one: Expression, of: Expression | None = None) -> str:
    """An expression; `of` is what it is compared with, which says how to write numbers."""
    match one:
        case Address(family, value):
            return format_address(family, value)
        case Range(low, high):
            return f"{shown(low, of)}-{shown(high, of)}"
        case Flags(names):
            return ",".join(names)
        case Concat(parts):
            ofs = of.parts if isinstance(of, Concat) and len(of.parts) == len(parts) else (None,) * len(parts)
            return " . ".join(shown(part, left) for part, left in zip(parts, ofs, strict=True))
        case Verdict(kind, chain):
            return f"{kind.value} {chain}".strip()
        case SetLiteral(elements):
            return "{ " + ", ".join(_element(element, of) for element in elements) + " }"
        case SetReference(name):
            return f"@{name}"
        case Payload(protocol, field):
            return f"{protocol} {field}"
        case RawPayload(base, offset, length):
            return f"@{base},{offset},{length}"
        case Meta(key):
            return key if key in _BARE else f"meta {key}"
        case Ct(key, direction):
            return " ".join(("ct", *((direction,) if direction else ()), key))
        case Fib(flags, result):
            return f"fib {' . '.join(flags)} {result}"
        case Numgen() | Jhash() | Symhash():
            return _number(one)
        case Binary(op, left, right):
            return f"{shown(left)} {op.value} {shown(right, left)}"
        case MapLookup(key, data):
            return f"{shown(key)} map {shown(data, key)}"
        case Unknown(text):
            return text
        case str():
            return one if of is None or not isinstance(of, Meta) or "name" not in of.key else f'"{one}"'
        case int():
            if of == _L4 or (isinstance(of, Payload) and of.field in ("protocol", "nexthdr")):
                return _NAMES.get(one, str(one))
            is_mark = of == Meta("mark") or (isinstance(of, Binary) and of.left == Meta("mark"))
            return f"0x{one:08x}" if is_mark else str(one)
        case _:
            return "*" if one is ANYTHING else str(one)


def _element(element: Element, of: Expression | None) -> str:
    key = shown(element.key, of)
    return key if element.value is None else f"{key} : {shown(element.value)}"


def _number(one: Numgen | Jhash | Symhash) -> str:
    offset = f" offset {one.offset}" if one.offset else ""
    match one:
        case Numgen(mode, modulus):
            return f"numgen {mode} mod {modulus}{offset}"
        case Jhash(of, modulus):
            return f"jhash {shown(of)} mod {modulus}{offset}"
        case Symhash(modulus):
            return f"symhash mod {modulus}{offset}"
