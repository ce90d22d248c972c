"""The commands of `ipvsadm -Sn` and ipvsadm-save: `-A` for a virtual server, `-a` for a real one.

What is left out has ipvsadm's defaults, so that files written by hand for ipvsadm-restore
are read as well. Connections are not counted in this form.

Source: rules-ipvs 3; ipvsadm(8), ipvsadm.c.
"""

import re
from collections.abc import Iterator
from typing import Final

import attrs

from model.addresses import Family
from model.ipvs.records import Frontend
from model.packet import SCTP, TCP, UDP
from oracle.dialects.ipvs.records import Method, RealServerEntry, VirtualServerEntry
from oracle.dialects.ipvs.table import Table, key_of
from oracle.dialects.ipvs.words import (
    Fault,
    address_and_port,
    any_address,
    persistence_mask,
    scheduler_flags,
    shown,
    whole_number,
)

_DEFAULT_TIMEOUT: Final = 300  # seconds, of a bare -p
_LONGEST_TIMEOUT: Final = 0xFFFFFFFF
_MOST_WEIGHT: Final = 0x7FFFFFFF
_ALL_MARKS: Final = 0xFFFFFFFF

_COMMANDS: Final = {"-A": "-A", "--add-service": "-A", "-a": "-a", "--add-server": "-a"}
_COMMAND: Final = re.compile(r"(?:-A|-a|--add-service|--add-server)(?:\s+-|\s*$)")
_PROTOCOLS: Final = {
    "-t": TCP,
    "--tcp-service": TCP,
    "-u": UDP,
    "--udp-service": UDP,
    "--sctp-service": SCTP,
}
_METHODS: Final = {
    "-m": Method.MASQ,
    "--masquerading": Method.MASQ,
    "-g": Method.ROUTE,
    "--gatewaying": Method.ROUTE,
    "-i": Method.TUNNEL,
    "--ipip": Method.TUNNEL,
}
_SHORT: Final = {
    "--fwmark-service": "-f",
    "--ipv6": "-6",
    "--scheduler": "-s",
    "--persistent": "-p",
    "--netmask": "-M",
    "--ops": "-o",
    "--sched-flags": "-b",
    "--real-server": "-r",
    "--weight": "-w",
    "--u-threshold": "-x",
    "--l-threshold": "-y",
}
_WITHOUT_VALUE: Final = {"-6", "-o", "--tun-nocsum", "--tun-csum", "--tun-remcsum", *_METHODS}
# Thresholds take a server out while it is busy, and tunnels are not followed.
_PASSED_OVER: Final = {"-x", "-y", "--tun-type", "--tun-port", "--tun-nocsum", "--tun-csum", "--tun-remcsum"}


def is_saved_line(line: str) -> bool:
    """Whether the line is a command that adds something."""
    return _COMMAND.match(line) is not None


def read_saved(table: Table, line: str, number: int) -> None:
    """Add what the command adds. Raises Fault for what ipvsadm-restore would not take."""
    words = line.split()
    given = dict(_options(words[1:]))
    one = _virtual_server(given, line, number)
    if _COMMANDS[words[0]] == "-A":
        left = given.keys() - {"-p", "-M", "--pe", "-o", "-b", "-s"}
        table.begin(one)
    else:
        left = given.keys() - {"-r", "-w", *_METHODS, *_PASSED_OVER}
        table.add(key_of(one), _real_server(given, one, line, number))
    if left - {"-f", "-6", *_PROTOCOLS}:
        raise Fault(f"{min(left - {'-f', '-6', *_PROTOCOLS})} does not go with {words[0]}")


def _options(words: list[str]) -> Iterator[tuple[str, str]]:
    """Each option, by its short name where it has one, with its value or "" without."""
    at = 0
    seen: set[str] = set()
    while at < len(words):
        flag, equals, value = words[at].partition("=") if words[at].startswith("--") else (words[at], "", "")
        flag = _SHORT.get(flag, flag)
        at += 1
        if not flag.startswith("-"):
            raise Fault(f"{shown(flag)} stands where an option should")
        if flag in seen:
            raise Fault(f"{flag} is given twice")
        seen.add(flag)
        if flag not in _WITHOUT_VALUE and not equals:
            if at < len(words) and not words[at].startswith("-"):
                value = words[at]
                at += 1
            elif flag != "-p":  # its value may be left out
                raise Fault(f"{shown(flag)} without a value: cut off, or not from ipvsadm")
        yield flag, value


def _virtual_server(given: dict[str, str], text: str, line: int) -> VirtualServerEntry:
    family, mark, frontend = _which(given)
    timeout = 0
    if "-p" in given:
        timeout = whole_number(given["-p"], _LONGEST_TIMEOUT) if given["-p"] else _DEFAULT_TIMEOUT
        if not timeout:
            raise Fault("persistence of 0 seconds")
    one = VirtualServerEntry(
        family,
        frontend,
        mark,
        timeout=timeout,
        mask=persistence_mask(given["-M"], family) if "-M" in given else family.top,
        engine=given.get("--pe", ""),
        one_packet="-o" in given,
        line=line,
        text=text,
    )
    if "-b" in given:
        one = attrs.evolve(one, flags=scheduler_flags(given["-b"]))
    return attrs.evolve(one, scheduler=given["-s"]) if "-s" in given else one


def _which(given: dict[str, str]) -> tuple[Family, int, Frontend | None]:
    found = [flag for flag in given if flag in _PROTOCOLS or flag == "-f"]
    if len(found) != 1:
        raise Fault("one of -t, -u, --sctp-service and -f is expected")
    if found[0] == "-f":
        mark = whole_number(given["-f"], _ALL_MARKS)
        return (Family.IPV6 if "-6" in given else Family.IPV4), mark, None
    family, address, port = address_and_port(given[found[0]])
    return family, 0, Frontend(address, _PROTOCOLS[found[0]], port)


def _real_server(given: dict[str, str], one: VirtualServerEntry, text: str, line: int) -> RealServerEntry:
    """The real server; without a port it has that of the virtual one."""
    if "-r" not in given:
        raise Fault("-a without -r: cut off, or not from ipvsadm")
    try:
        family, address = any_address(given["-r"])
        port = one.frontend.port if one.frontend else 0
    except Fault:
        family, address, port = address_and_port(given["-r"])
    methods = [_METHODS[flag] for flag in given if flag in _METHODS]
    if len(methods) > 1:
        raise Fault("a real server has one method")
    weight = whole_number(given["-w"], _MOST_WEIGHT) if "-w" in given else 1
    method = methods[0] if methods else Method.ROUTE
    return RealServerEntry(family, address, port, method, weight, line=line, text=text)
