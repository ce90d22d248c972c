"""Names that nft prints for numbers, by data type, and numbers that it prints for names.

Where the meaning is a number to this project's readers (protocols, ports, ICMP, TCP flags,
DSCP), the name becomes the number. Where it is a name to them (conntrack state and status,
address types, packet types, families), a number of `nft -n` becomes the name.

Source: nft 1.0.6, `nft describe TYPE`; names of ports: /etc/services (`nft -S`), only such
as mean the same in every protocol.
"""

from collections.abc import Mapping
from typing import Final

from oracle.dialects.iptables.names import PROTOCOLS

_PROTOCOLS: Final = PROTOCOLS | {"ip": 0, "hopopt": 0, "comp": 108}

_PORTS: Final = {
    "ftp-data": 20,
    "ftp": 21,
    "ssh": 22,
    "telnet": 23,
    "smtp": 25,
    "domain": 53,
    "bootps": 67,
    "bootpc": 68,
    "tftp": 69,
    "http": 80,
    "kerberos": 88,
    "pop3": 110,
    "sunrpc": 111,
    "ntp": 123,
    "netbios-ns": 137,
    "netbios-dgm": 138,
    "netbios-ssn": 139,
    "imap2": 143,
    "snmp": 161,
    "bgp": 179,
    "ldap": 389,
    "https": 443,
    "microsoft-ds": 445,
    "submission": 587,
    "ipp": 631,
    "ldaps": 636,
    "domain-s": 853,
    "imaps": 993,
    "pop3s": 995,
    "nfs": 2049,
    "mysql": 3306,
    "mdns": 5353,
    "postgresql": 5432,
}

_ICMP_TYPES: Final = {
    "echo-reply": 0,
    "destination-unreachable": 3,
    "source-quench": 4,
    "redirect": 5,
    "echo-request": 8,
    "router-advertisement": 9,
    "router-solicitation": 10,
    "time-exceeded": 11,
    "parameter-problem": 12,
    "timestamp-request": 13,
    "timestamp-reply": 14,
    "info-request": 15,
    "info-reply": 16,
    "address-mask-request": 17,
    "address-mask-reply": 18,
}

_ICMPV6_TYPES: Final = {
    "destination-unreachable": 1,
    "packet-too-big": 2,
    "time-exceeded": 3,
    "parameter-problem": 4,
    "echo-request": 128,
    "echo-reply": 129,
    "mld-listener-query": 130,
    "mld-listener-report": 131,
    "mld-listener-done": 132,
    "mld-listener-reduction": 132,
    "nd-router-solicit": 133,
    "nd-router-advert": 134,
    "nd-neighbor-solicit": 135,
    "nd-neighbor-advert": 136,
    "nd-redirect": 137,
    "router-renumbering": 138,
    "ind-neighbor-solicit": 141,
    "ind-neighbor-advert": 142,
    "mld2-listener-report": 143,
}

_ICMP_CODES: Final = {
    "net-unreachable": 0,
    "host-unreachable": 1,
    "prot-unreachable": 2,
    "port-unreachable": 3,
    "frag-needed": 4,
    "net-prohibited": 9,
    "host-prohibited": 10,
    "admin-prohibited": 13,
}

_ICMPV6_CODES: Final = {
    "no-route": 0,
    "admin-prohibited": 1,
    "addr-unreachable": 3,
    "port-unreachable": 4,
    "policy-fail": 5,
    "reject-route": 6,
}

_ICMPX_CODES: Final = {"no-route": 0, "port-unreachable": 1, "host-unreachable": 2, "admin-prohibited": 3}

_IGMP_TYPES: Final = {
    "membership-query": 17,
    "membership-report-v1": 18,
    "membership-report-v2": 22,
    "leave-group": 23,
    "membership-report-v3": 34,
}

_DSCP: Final = (
    {f"cs{number}": number * 8 for number in range(8)}
    | {f"af{high}{low}": high * 8 + low * 2 for high in range(1, 5) for low in range(1, 4)}
    | {"df": 0, "be": 0, "lephb": 1, "va": 0x2C, "ef": 0x2E}
)

_TCP_FLAGS: Final = {
    "fin": 0x01,
    "syn": 0x02,
    "rst": 0x04,
    "psh": 0x08,
    "ack": 0x10,
    "urg": 0x20,
    "ecn": 0x40,
    "cwr": 0x80,
}

NUMBERS: Final[Mapping[str, Mapping[str, int]]] = {
    "inet_proto": _PROTOCOLS,
    "inet_service": _PORTS,
    "icmp_type": _ICMP_TYPES,
    "icmpv6_type": _ICMPV6_TYPES,
    "icmp_code": _ICMP_CODES,
    "icmpv6_code": _ICMPV6_CODES,
    "icmpx_code": _ICMPX_CODES,
    "igmp_type": _IGMP_TYPES,
    "dscp": _DSCP,
    "tcp_flag": _TCP_FLAGS,
    "mark": {},
    "integer": {},
}
"""For each type whose values are numbers: what its names mean."""

NAMES: Final[Mapping[str, Mapping[int, str]]] = {
    "ct_state": {1: "invalid", 2: "established", 4: "related", 8: "new", 0x40: "untracked"},
    "ct_status": {
        1: "expected",
        2: "seen-reply",
        4: "assured",
        8: "confirmed",
        0x10: "snat",
        0x20: "dnat",
        0x200: "dying",
    },
    "ct_dir": {0: "original", 1: "reply"},
    "fib_addrtype": {
        0: "unspec",
        1: "unicast",
        2: "local",
        3: "broadcast",
        4: "anycast",
        5: "multicast",
        6: "blackhole",
        7: "unreachable",
        8: "prohibit",
    },
    "fib_oif": {0: "missing"},
    "existence": {0: "missing", 1: "exists"},
    "day": {
        0: "Sunday",
        1: "Monday",
        2: "Tuesday",
        3: "Wednesday",
        4: "Thursday",
        5: "Friday",
        6: "Saturday",
    },
    "pkt_type": {0: "host", 1: "broadcast", 2: "multicast", 3: "other"},
    "nf_proto": {2: "ipv4", 10: "ipv6"},
    "ether_type": {0x0800: "ip", 0x0806: "arp", 0x86DD: "ip6", 0x8100: "8021q", 0x88A8: "8021ad"},
}
"""For each type whose values are names: what its numbers mean."""

SYNONYMS: Final = {("pkt_type", "unicast"): "host", ("ether_type", "vlan"): "8021q"}
"""Second names, and the first."""

BITMASKS: Final = frozenset({"ct_state", "ct_status", "ct_event", "ct_label", "tcp_flag"})
"""Types whose values are sets of bits: a match without operator asks for any of them."""

REJECT_CODES: Final[Mapping[str, Mapping[int, str]]] = {
    "icmp": {number: name for name, number in _ICMP_CODES.items()},
    "icmpv6": {number: name for name, number in _ICMPV6_CODES.items()},
    "icmpx": {number: name for name, number in _ICMPX_CODES.items()},
}
"""The codes that `reject with` prints, by number."""

PRIORITIES: Final = {
    "raw": -300,
    "mangle": -150,
    "dstnat": -100,
    "filter": 0,
    "security": 50,
    "srcnat": 100,
}
BRIDGE_PRIORITIES: Final = {"dstnat": -300, "filter": -200, "out": 100, "srcnat": 300}
