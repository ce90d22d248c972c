"""Words of ipvsadm's and ipset's output as values; what they cannot be is a `Fault`.

A fault says in words what is wrong, without file and line: whoever reads the line adds them.
"""

import re
from collections.abc import Iterator
from typing import Final

from model.addresses import Family, parse_address
from model.load.text import check_text
from oracle.dialects.ipvs.records import SchedulerFlag

_NUMERIC: Final = re.compile(r"([\d.]+|\[[0-9a-fA-F:.]+\]):(\d{1,5})", re.ASCII)
_PROC: Final = re.compile(r"(?:([0-9A-F]{8})|\[([0-9a-f:.]+)\]):([0-9A-F]{4})", re.ASCII)

_MOST_SHOWN: Final = 60

_FLAGS: Final = {
    "flag-1": SchedulerFlag.FLAG_1,
    "flag-2": SchedulerFlag.FLAG_2,
    "flag-3": SchedulerFlag.FLAG_3,
    "sh-fallback": SchedulerFlag.FLAG_1,
    "sh-port": SchedulerFlag.FLAG_2,
    "mh-fallback": SchedulerFlag.FLAG_1,
    "mh-port": SchedulerFlag.FLAG_2,
}

At = tuple[Family, int, int]  # an address of a family, with a port


class Fault(ValueError):
    """A line that the tool would not have written; the text says why, without the place."""


def numbered_lines(data: bytes, file: str) -> Iterator[tuple[int, str]]:
    """Each line that is not blank, stripped, with its number.

    Raises InputError for what is empty, binary or no UTF-8.
    """
    text = check_text(data, file).decode()
    for number, line in enumerate(text.split("\n"), 1):
        stripped = line.strip()
        if stripped:
            yield number, stripped


def shown(text: str) -> str:
    """The text, shortened and free of control characters, for a message of one line."""
    cut = text if len(text) <= _MOST_SHOWN else text[:_MOST_SHOWN] + "..."
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in cut)


def whole_number(text: str, top: int, base: int = 10) -> int:
    """A number 0..top. Raises Fault."""
    try:
        number = int(text, base) if text.isascii() and text.isalnum() and len(text) < 12 else -1
    except ValueError:
        number = -1
    if not 0 <= number <= top:
        raise Fault(f"{shown(text)} is not a number from 0 to {top}")
    return number


def any_address(text: str) -> tuple[Family, int]:
    """An address of either family. Raises Fault."""
    try:
        return parse_address(text)
    except ValueError:
        raise Fault(f"{shown(text)} is not an IP address") from None


def address_and_port(text: str) -> At:
    """`10.96.0.1:443` or `[fd00::1]:443`. Raises Fault, also for names instead of numbers."""
    found = _NUMERIC.fullmatch(text)
    if found is None:
        raise Fault(f"{shown(text)} is not an address and port in numbers; run ipvsadm with -n")
    bracketed = found[1][0] == "["
    family, address = any_address(found[1].strip("[]"))
    if bracketed is not (family is Family.IPV6):
        raise Fault(f"{shown(text)} is not an address and port")
    return family, address, whole_number(found[2], 0xFFFF)


def hex_address_and_port(text: str) -> At:
    """`0A600001:01BB` or `[fd00:...:0001]:01BB`, as /proc has them. Raises Fault."""
    found = _PROC.fullmatch(text)
    if found is None:
        raise Fault(f"{shown(text)} is not an address and port as in /proc/net/ip_vs")
    port = int(found[3], 16)
    if found[1] is not None:
        return Family.IPV4, int(found[1], 16), port
    family, address = any_address(found[2])
    if family is not Family.IPV6:
        raise Fault(f"{shown(text)} is not an address and port")
    return family, address, port


def persistence_mask(text: str, family: Family) -> int:
    """Which bits of a client's address count: dotted for IPv4, a length for IPv6. Raises Fault."""
    if family is Family.IPV6:
        return prefix_mask(whole_number(text, family.bits), family)
    of, mask = any_address(text)
    if of is not family:
        raise Fault(f"{shown(text)} is not a mask of IPv4")
    return mask


def prefix_mask(length: int, family: Family) -> int:
    """The first `length` bits of an address."""
    return family.top >> (family.bits - length) << (family.bits - length)


def scheduler_flags(text: str) -> SchedulerFlag:
    """`mh-port`, `flag-1,flag-2`. Raises Fault for a flag that no ipvsadm prints."""
    flags = SchedulerFlag.NONE
    for name in text.split(","):
        if name not in _FLAGS:
            raise Fault(f"{shown(name)} is no scheduler flag")
        flags |= _FLAGS[name]
    return flags
