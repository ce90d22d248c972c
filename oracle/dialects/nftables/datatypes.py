"""Which type an expression has, and what a word of a listing means in that type.

A type is nft's name of it (`ipv4_addr`), a concatenation's a tuple of names. The empty name
stands for a type that is not known; a word is then read by its looks alone.
"""

import re
from typing import Final, TypeAlias

from model.addresses import Family, parse_address
from oracle.dialects.nftables.expressions import (
    Address,
    Binary,
    BitOp,
    Concat,
    Ct,
    Expression,
    Fib,
    Jhash,
    Meta,
    Numgen,
    Payload,
    RawPayload,
    Scalar,
    Symhash,
    Unknown,
)
from oracle.dialects.nftables.symbols import BITMASKS, NAMES, NUMBERS, SYNONYMS

Types: TypeAlias = tuple[str, ...]

UNTYPED: Final[Types] = ("",)
INTEGER: Final[Types] = ("integer",)
SERVICE: Final[Types] = ("inet_service",)

_NUMBER: Final = re.compile(r"\d+|0[xX][0-9a-fA-F]+", re.ASCII)
_DURATION: Final = re.compile(r"(?:\d+(?:ms|[wdhms]))+", re.ASCII)
_DURATION_PART: Final = re.compile(r"(\d+)(ms|w|d|h|m|s)", re.ASCII)
_UNITS: Final = {"w": 604800, "d": 86400, "h": 3600, "m": 60, "s": 1, "ms": 0.001}
_WORD_TYPES: Final = frozenset(
    {"ifname", "iface_index", "ether_addr", "string", "devgroup", "uid", "gid", "hour", "ct_label"}
)

_META_TYPES: Final = {
    "l4proto": "inet_proto",
    "nfproto": "nf_proto",
    "protocol": "ether_type",
    "ibrvproto": "ether_type",
    "mark": "mark",
    "iif": "iface_index",
    "oif": "iface_index",
    "sdif": "iface_index",
    "iifname": "ifname",
    "oifname": "ifname",
    "sdifname": "ifname",
    "ibrname": "ifname",
    "obrname": "ifname",
    "ibriport": "ifname",
    "obriport": "ifname",
    "iifkind": "ifname",
    "oifkind": "ifname",
    "iiftype": "iface_type",
    "oiftype": "iface_type",
    "skuid": "uid",
    "skgid": "gid",
    "pkttype": "pkt_type",
    "cpu": "integer",
    "random": "integer",
    "length": "integer",
    "nftrace": "integer",
    "cgroup": "integer",
    "rtclassid": "realm",
    "iifgroup": "devgroup",
    "oifgroup": "devgroup",
    "priority": "tc_handle",
    "ibrpvid": "integer",
    "time": "time",
    "hour": "hour",
    "day": "day",
    "ipsec": "existence",
    "secmark": "string",
    "secpath": "existence",
}
META_KEYS: Final = frozenset(_META_TYPES)
UNQUALIFIED_META: Final = META_KEYS - {
    "l4proto",
    "nfproto",
    "protocol",
    "length",
    "priority",
    "random",
    "ipsec",
    "secmark",
}

_CT_TYPES: Final = {
    "state": "ct_state",
    "status": "ct_status",
    "direction": "ct_dir",
    "mark": "mark",
    "zone": "integer",
    "id": "integer",
    "protocol": "inet_proto",
    "l3proto": "nf_proto",
    "proto-src": "inet_service",
    "proto-dst": "inet_service",
    "saddr": "",
    "daddr": "",
    "ip saddr": "ipv4_addr",
    "ip daddr": "ipv4_addr",
    "ip6 saddr": "ipv6_addr",
    "ip6 daddr": "ipv6_addr",
    "expiration": "time",
    "helper": "string",
    "label": "ct_label",
    "event": "ct_event",
    "bytes": "integer",
    "packets": "integer",
    "avgpkt": "integer",
    "secmark": "string",
}
CT_KEYS: Final = frozenset(_CT_TYPES)

_PORTS: Final = {"sport": "inet_service", "dport": "inet_service"}
_PAYLOAD_TYPES: Final[dict[str, dict[str, str]]] = {
    "ip": {
        "saddr": "ipv4_addr",
        "daddr": "ipv4_addr",
        "protocol": "inet_proto",
        "dscp": "dscp",
        **dict.fromkeys(("version", "hdrlength", "ecn", "length", "id", "frag-off", "ttl", "checksum"), ""),
    },
    "ip6": {
        "saddr": "ipv6_addr",
        "daddr": "ipv6_addr",
        "nexthdr": "inet_proto",
        "dscp": "dscp",
        **dict.fromkeys(("version", "ecn", "flowlabel", "length", "hoplimit"), ""),
    },
    "th": _PORTS,
    "tcp": {
        **_PORTS,
        "flags": "tcp_flag",
        **dict.fromkeys(("sequence", "ackseq", "doff", "reserved", "window", "checksum", "urgptr"), ""),
    },
    "udp": {**_PORTS, "length": "", "checksum": ""},
    "udplite": {**_PORTS, "csumcov": "", "checksum": ""},
    "sctp": {**_PORTS, "vtag": "", "checksum": ""},
    "dccp": {**_PORTS, "type": "dccp_pkttype"},
    "icmp": {
        "type": "icmp_type",
        "code": "icmp_code",
        **dict.fromkeys(("checksum", "id", "sequence", "gateway", "mtu"), ""),
    },
    "icmpv6": {
        "type": "icmpv6_type",
        "code": "icmpv6_code",
        "taddr": "ipv6_addr",
        "daddr": "ipv6_addr",
        **dict.fromkeys(("checksum", "parameter-problem", "packet-too-big", "id", "sequence"), ""),
        "max-delay": "",
    },
    "igmp": {"type": "igmp_type", "checksum": "", "mrt": "", "group": "ipv4_addr"},
    "ah": {"nexthdr": "inet_proto", "hdrlength": "", "reserved": "", "spi": "", "sequence": ""},
    "esp": {"spi": "", "sequence": ""},
    "comp": {"nexthdr": "inet_proto", "flags": "", "cpi": ""},
    "gre": {"version": "", "flags": "", "protocol": "ether_type"},
    "ether": {"saddr": "ether_addr", "daddr": "ether_addr", "type": "ether_type"},
    "vlan": {"id": "", "cfi": "", "dei": "", "pcp": "", "type": "ether_type"},
    "arp": {
        "operation": "arp_op",
        "ptype": "ether_type",
        "saddr ip": "ipv4_addr",
        "daddr ip": "ipv4_addr",
        "saddr ether": "ether_addr",
        "daddr ether": "ether_addr",
        **dict.fromkeys(("htype", "hlen", "plen"), ""),
    },
}
PAYLOAD_FIELDS: Final = {protocol: frozenset(fields) for protocol, fields in _PAYLOAD_TYPES.items()}

_FIB_TYPES: Final = {"type": "fib_addrtype", "oif": "fib_oif", "oifname": "fib_oif", "check": "existence"}


def types_of(expression: Expression) -> Types:
    """The type of an expression, one name for each part of a concatenation."""
    match expression:
        case Payload(protocol, field):
            return (_PAYLOAD_TYPES.get(protocol, {}).get(field, "") or "integer",)
        case Meta(key):
            return (_META_TYPES.get(key, ""),)
        case Ct(key, _):
            return (_CT_TYPES.get(key, ""),)
        case Fib(_, result):
            return (_FIB_TYPES.get(result, ""),)
        case Numgen() | Jhash() | Symhash() | RawPayload():
            return INTEGER
        case Binary(op, left, _):
            return types_of(left) if op not in (BitOp.LSHIFT, BitOp.RSHIFT) else INTEGER
        case Concat(parts):
            return tuple(name for part in parts for name in types_of(part))
        case _:
            return UNTYPED


def is_bitmask(types: Types) -> bool:
    """Whether a match without operator on this type is a test of bits."""
    return types[0] in BITMASKS and len(types) == 1


def seconds(text: str) -> float | None:
    """The seconds of `1h2m3s`, `500ms` or a bare number of seconds; None for anything else.

    >>> seconds("1h2m3s")
    3723
    >>> seconds("19m59s984ms")
    1199.984
    """
    if text.isascii() and text.isdigit():
        return int(text) if len(text) < 20 else None
    if not _DURATION.fullmatch(text):
        return None
    return sum(int(count[:20]) * _UNITS[unit] for count, unit in _DURATION_PART.findall(text))


def scalar(word: str, type_name: str) -> Scalar | Unknown:
    """One value: what the word means in the type, Unknown when it means nothing certain.

    >>> scalar("tcp", "inet_proto"), scalar("tcp", "ifname"), scalar("0x4000", "mark")
    (6, 'tcp', 16384)
    """
    if type_name in _WORD_TYPES:
        return word
    if _NUMBER.fullmatch(word) and len(word) < 40:
        return of_number(int(word, 16 if word[:2] in ("0x", "0X") else 10), type_name)
    if type_name in NUMBERS:
        number = NUMBERS[type_name].get(word)
        return Unknown(word) if number is None else number
    if type_name in NAMES:
        return SYNONYMS.get((type_name, word), word)
    if type_name == "time" and (duration := seconds(word)) is not None:
        return int(duration)
    if type_name in ("ipv4_addr", "ipv6_addr") or (not type_name and ("." in word or ":" in word)):
        return _address(word, type_name)
    return word


def of_number(number: int, type_name: str) -> Scalar | Unknown:
    """What a bare number means in the type."""
    if type_name in NAMES:
        return NAMES[type_name].get(number, number)
    if type_name in ("ipv4_addr", "ipv6_addr"):
        family = Family.IPV4 if type_name == "ipv4_addr" else Family.IPV6
        return Address(family, number) if 0 <= number <= family.top else Unknown(str(number))
    return str(number) if type_name in _WORD_TYPES else number


def _address(word: str, type_name: str) -> Scalar | Unknown:
    try:
        family, number = parse_address(word)
    except ValueError:
        return Unknown(word) if type_name else word
    if type_name == ("ipv6_addr" if family is Family.IPV4 else "ipv4_addr"):
        return Unknown(word)
    return Address(family, number)
