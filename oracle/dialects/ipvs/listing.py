"""The listing of `ipvsadm -Ln`, and /proc/net/ip_vs which says the same in hexadecimal.

A virtual server's line is `TCP  10.96.0.1:443 rr persistent 10800`, each of its real
servers' `-> 10.0.0.5:6443  Masq  1  0  0`: method, weight, active and inactive connections,
with the tunnel between method and weight where it was asked for. Columns overflow with long
IPv6 addresses, so blanks part words and columns mean nothing. Lines that were joined where
somebody copied them are taken apart again.

In /proc the time of persistence is in ticks of the kernel, whose length nothing tells.

Source: rules-ipvs 3; ipvsadm.c (print_service_entry), ip_vs_ctl.c (ip_vs_info_seq_show).
"""

import re
from typing import Final

from model.addresses import Family
from model.ipvs.records import Frontend
from model.packet import SCTP, TCP, UDP
from oracle.dialects.ipvs.records import Form, Method, RealServerEntry, SchedulerFlag, VirtualServerEntry
from oracle.dialects.ipvs.table import Key, Table
from oracle.dialects.ipvs.words import (
    At,
    Fault,
    address_and_port,
    hex_address_and_port,
    persistence_mask,
    prefix_mask,
    scheduler_flags,
    shown,
    whole_number,
)

PROTOCOLS: Final = {"TCP": TCP, "UDP": UDP, "SCTP": SCTP}

_METHODS: Final = {method.value: method for method in Method}
_JOINED: Final = re.compile(r"\s+(?=->\s|(?:TCP|UDP|SCTP|FWM)\s+\S|Prot LocalAddress:Port)")
_SCHEDULER: Final = re.compile(r"[a-z]\w{0,15}", re.ASCII)
_HEADING: Final = re.compile(r"IP Virtual Server version|Prot LocalAddress:Port|-> RemoteAddress:Port")
_COLUMNS: Final = (
    ("PersistConn", "--persistent-conn"),
    ("Conns", "--stats"),
    ("CPS", "--rate"),
    ("Uthreshold", "--thresholds"),
)
_PROC: Final = re.compile(
    r"^\s*(?:(?:TCP|UDP|SCTP) +|-> +)"
    r"(?:[0-9A-F]{8}|\[(?=[0-9a-f:]*\b0[0-9a-f]{3}\b)[0-9a-f:]{39}\]):[0-9A-F]{4}\b"
    r"|^\s*FWM +0[0-9A-F]{7}\b",
    re.ASCII | re.MULTILINE,
)

_LONGEST_TIMEOUT: Final = 0xFFFFFFFF
_MOST: Final = 0x7FFFFFFF  # of weights and counts
_ALL_MARKS: Final = 0xFFFFFFFF


def is_proc(text: str) -> bool:
    """Whether the listing is the kernel's own, with hexadecimal addresses and ports."""
    return _PROC.search(text) is not None


def is_listing_line(line: str) -> bool:
    """Whether the line is one of a listing, heading included."""
    return _HEADING.match(line) is not None or line.partition(" ")[0] in (*PROTOCOLS, "FWM", "->")


class Listing:
    """One listing while it is being read, line by line, into a table."""

    def __init__(self, table: Table, form: Form) -> None:
        self._table = table
        self._form = form
        self._current: Key | None = None
        self.has_heading = False

    def read(self, line: str, number: int) -> None:
        """Add what the line says. Raises Fault for what no listing with -n has."""
        for segment in _JOINED.split(line):
            if _HEADING.match(segment):
                self._heading(segment)
            elif segment.startswith("->"):
                self._table.add(self._current, self._real_server(segment, number))
            else:
                self._current = self._begin(segment, number)

    def _heading(self, segment: str) -> None:
        self.has_heading = True
        for column, option in _COLUMNS:
            if column in segment.split():
                raise Fault(f"this is the output of ipvsadm -L {option}, which {_LACKS}; {_INSTEAD}")

    def _begin(self, segment: str, number: int) -> Key:
        words = segment.split()
        kind = words[0]
        if kind != "FWM" and kind not in PROTOCOLS:
            raise Fault(f"not a line of ipvsadm: {shown(segment)}")
        if len(words) < 3:
            raise Fault(f"{shown(segment)}: cut off; address, port and scheduler are expected")
        if words[2].isdigit():
            raise Fault(f"{shown(segment)}: counts instead of a scheduler, as --stats prints; {_INSTEAD}")
        if kind == "FWM":
            return self._begin_mark(words, segment, number)
        family, address, port = self._at(words[1])
        frontend = Frontend(address, PROTOCOLS[kind], port)
        return self._table.begin(self._virtual_server(family, frontend, 0, words[2:], segment, number))

    def _begin_mark(self, words: list[str], segment: str, number: int) -> Key:
        mark = whole_number(words[1], _ALL_MARKS, 16 if self._form is Form.PROC else 10)
        is_v6 = words[2] == "IPv6"
        rest = words[3:] if is_v6 else words[2:]
        family = Family.IPV6 if is_v6 else Family.IPV4
        one = self._virtual_server(family, None, mark, rest, segment, number)
        key = self._table.begin(one)
        if self._form is Form.PROC:
            self._table.unknown_family.add(key)
        return key

    def _at(self, text: str) -> At:
        if self._form is Form.PROC:
            return hex_address_and_port(text)
        return address_and_port(text)

    def _virtual_server(
        self, family: Family, frontend: Frontend | None, mark: int, words: list[str], text: str, line: int
    ) -> VirtualServerEntry:
        """The scheduler and what may follow it: flags, persistence with its mask, engine, ops."""
        if not words or not _SCHEDULER.fullmatch(words[0]):
            raise Fault(f"{shown(text)}: no scheduler")
        flags, engine, one_packet = SchedulerFlag.NONE, "", False
        timeout: int | None = 0
        mask = family.top
        left = iter(words[1:])
        for word in left:
            if word.startswith("(") and word.endswith(")"):
                flags = scheduler_flags(word[1:-1])
            elif word == "ops":
                one_packet = True
            elif word == "persistent" and self._form is Form.PROC:
                whole_number(next(left, ""), _LONGEST_TIMEOUT)
                timeout, mask = None, _proc_mask(next(left, ""), family)
            elif word == "persistent":
                timeout = whole_number(next(left, ""), _LONGEST_TIMEOUT)
            elif word == "mask":
                mask = persistence_mask(next(left, ""), family)
            elif word == "pe":
                engine = next(left, "")
            else:
                raise Fault(f"{shown(word)} is nothing that a virtual server can have")
        return VirtualServerEntry(
            family,
            frontend,
            mark,
            words[0],
            flags,
            timeout,
            mask,
            engine,
            one_packet,
            line=line,
            text=text,
        )

    def _real_server(self, segment: str, number: int) -> RealServerEntry:
        words = segment.split()
        if len(words) < 2:
            raise Fault("cut off; a real server is expected")
        family, address, port = self._at(words[1])
        if len(words) > 2 and words[2].isdigit():
            raise Fault(f"{shown(segment)}: counts instead of a method, as --stats prints; {_INSTEAD}")
        if len(words) == 7 and not words[3].isdigit():  # the tunnel, where --tun-info was given
            del words[3]
        if len(words) < 6:
            what = "cut off; method, weight, active and inactive connections are expected"
            raise Fault(f"{shown(segment)}: {what}")
        if words[2] not in _METHODS or len(words) > 6:
            raise Fault(f"not a real server as ipvsadm lists it: {shown(segment)}")
        weight, active, inactive = (whole_number(word, _MOST) for word in words[3:])
        return RealServerEntry(
            family, address, port, _METHODS[words[2]], weight, active, inactive, number, segment
        )


_LACKS: Final = "lacks schedulers, methods or weights"
_INSTEAD: Final = "give the output of ipvsadm -Ln"


def _proc_mask(text: str, family: Family) -> int:
    """The mask of IPv4; of IPv6 a length, its bytes turned round on little-endian machines."""
    value = whole_number(text, 0xFFFFFFFF, 16)
    if family is Family.IPV4:
        return value
    length = value if value <= family.bits else int.from_bytes(value.to_bytes(4), "little")
    if length > family.bits:
        raise Fault(f"{shown(text)} is no mask of IPv6")
    return prefix_mask(length, family)
