"""The addresses that `ip addr` shows as text, of kube-ipvs0 or of every device.

`ip -j addr` says the same as JSON and is read by the bundle's reader; either will do. A peer's
address is not the device's own.

Source: rules-ipvs 4; ip-address(8).
"""

import re
from collections.abc import Iterable
from typing import Final

from model.addresses import Family
from model.errors import InputError
from model.ipvs.records import DUMMY_DEVICE
from model.load.text import check_text
from model.node_config import InterfaceAddress
from oracle.bundle.interfaces import parse_ip_addr
from oracle.dialects.ipvs.words import Fault, any_address, numbered_lines, shown, whole_number

_INSTEAD: Final = "give the output of ip -j addr, or of ip addr"
_DEVICE: Final = re.compile(r"\d+: ([^\s:@]+)(?:@\S+)?:(?: <|$)")
_ONE_LINE: Final = re.compile(r"\d+: ([^\s:@]+)(?:@\S+)?\s+(inet6? .*)")
_ADDRESS: Final = re.compile(r"(inet6?) ([^\s/]+)(?: peer \S+?)?(?:/(\d+))?(?: |$)")
_OTHER_LINES: Final = re.compile(r"link/|valid_lft |altname |alias |vf \d|RX:|TX:|\d+(?: |$)")
_PROMPT: Final = re.compile(r"#|(?:\S+@\S+.*)?[#$%>] ?(?:sudo )?(?:\S*/)?ip ")
_FOREIGN: Final = (
    (re.compile(r"\S+\s+(?:UP|DOWN|UNKNOWN)\s"), "this looks like the output of ip -br addr"),
    (re.compile(r"\S+: flags=|\S+\s+Link encap:"), "this looks like the output of ifconfig"),
    (re.compile(r"Device .* does not exist"), "ip failed"),
)


def read_ip_addr(data: bytes, file: str) -> tuple[InterfaceAddress, ...]:
    """Each address of each interface in the output of `ip addr`, as JSON or as text.

    Raises InputError, with the line, for anything else.
    """
    if data.lstrip().startswith((b"[", b"\xef\xbb\xbf[")):
        return parse_ip_addr(data, file)
    found: list[InterfaceAddress] = []
    device = ""
    raw = check_text(data, file).decode().split("\n")
    for number, line in numbered_lines(data, file):
        is_detail = raw[number - 1][0].isspace()
        try:
            named, text = _of_device(line)
            device = named or device
            if text:
                found.append(_address(device, text))
            elif not (named or is_detail or _OTHER_LINES.match(line) or _PROMPT.match(line)):
                raise _refused(line)
        except Fault as fault:
            raise InputError(file, number, str(fault)) from None
    if not device:
        raise InputError(file, 1, f"no device; {_INSTEAD}")
    return tuple(found)


def kube_ipvs0(addresses: Iterable[InterfaceAddress], family: Family) -> frozenset[int]:
    """The addresses of a family that kube-proxy's dummy device has (MODE-04)."""
    return frozenset(
        one.address for one in addresses if one.interface == DUMMY_DEVICE and one.family is family
    )


def _of_device(line: str) -> tuple[str, str]:
    """The device that the line names, and the address on it as text; "" for what it has not."""
    one_line = _ONE_LINE.match(line)
    if one_line is not None:
        return one_line[1], one_line[2]
    device = _DEVICE.match(line)
    if device is not None:
        return device[1], ""
    return "", line if line.startswith(("inet ", "inet6 ")) or line in ("inet", "inet6") else ""


def _address(device: str, text: str) -> InterfaceAddress:
    found = _ADDRESS.match(text)
    if found is None:
        raise Fault(f"{shown(text)}: cut off; an address is expected")
    if not device:
        raise Fault(f"{shown(text)}: an address without its device")
    family, address = any_address(found[2])
    if (found[1] == "inet") is not (family is Family.IPV4):
        raise Fault(f"{shown(text)} is not an {found[1]} address")
    length = whole_number(found[3], family.bits) if found[3] else family.bits
    return InterfaceAddress(device, family, address, length)


def _refused(line: str) -> Fault:
    for pattern, looks in _FOREIGN:
        if pattern.match(line):
            return Fault(f"{looks}: {shown(line)}; {_INSTEAD}")
    return Fault(f"not a line of ip addr: {shown(line)}; {_INSTEAD}")
