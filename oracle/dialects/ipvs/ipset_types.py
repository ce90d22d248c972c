"""A set's type and options say how its members are read; a type that is not known is opaque.

Known are sets of addresses, networks and ports, whatever their number and order, and lists
of sets. Opaque are those of interfaces, MAC addresses or marks, and addresses under a mask
with holes.

Source: ipset(8); kernel net/netfilter/ipset.
"""

import re
from typing import Final

import attrs

from model.addresses import Family
from model.intervals import Intervals
from model.packet import ICMP, SCTP, TCP, UDP
from oracle.dialects.iptables.names import PROTOCOLS, UDPLITE
from oracle.dialects.ipvs.ipset_records import Dimension, Part, Ports
from oracle.dialects.ipvs.words import Fault, any_address, shown, whole_number

_WITH_PORTS: Final = (TCP, UDP, SCTP, UDPLITE)
_BITMAP_PROTOCOLS: Final = ((TCP, TCP), (UDP, UDP))  # the only ones whose ports it looks at
_ALL_PORTS: Final = ((0, 0xFFFF),)
_METHODS: Final = ("hash", "bitmap", "list")
_WITH_VALUE: Final = {
    "family",
    "hashsize",
    "maxelem",
    "range",
    "netmask",
    "bitmask",
    "timeout",
    "size",
    "markmask",
    "probes",
    "resize",
    "gc",
    "bucketsize",
    "initval",
    "probability",
}
_BARE: Final = {"counters", "comment", "skbinfo", "forceadd", "nomatch"}
_NUMERIC: Final = re.compile(r"[\da-fA-F.:/-]+", re.ASCII)
_FAMILIES: Final = {"inet": Family.IPV4, "inet6": Family.IPV6, "ipv4": Family.IPV4, "ipv6": Family.IPV6}


@attrs.frozen
class SetKind:
    """How the members of one set are read. `prefix` is that of `netmask`, None without it."""

    type: str
    family: Family | None
    dimensions: tuple[Dimension, ...] = ()
    prefix: int | None = None
    opaque: str = ""
    ages: bool = False

    def parts(self, entry: str) -> tuple[Part, ...]:
        """The values of a member's text. Raises Fault when it is none of this type."""
        if self.opaque or Dimension.SET in self.dimensions:
            return ()
        texts = entry.split(",")
        if len(texts) != len(self.dimensions):
            raise Fault(f"{shown(entry)} is no member of a {self.type}")
        return tuple(self._part(of, text) for of, text in zip(self.dimensions, texts, strict=True))

    def _part(self, of: Dimension, text: str) -> Part:
        if of is Dimension.PORT:
            return _bitmap_ports(text) if self.type.startswith("bitmap") else _ports(text)
        assert self.family is not None  # only ports and lists are of none
        values = _addresses(text, self.family)
        if self.prefix is None:
            return values
        host = (1 << (self.family.bits - self.prefix)) - 1
        return ((values[0][0] & ~host, values[0][1] | host),)


def set_kind(type_: str, options: list[str]) -> SetKind:
    """How the members of a set of this type are read, by the options it was made with.

    Raises Fault for options that ipset would not print.
    """
    given = dict(_options(options))
    ages = "timeout" in given
    method, _, parts = type_.partition(":")
    names = parts.split(",")
    if method not in _METHODS or not all(names):
        return SetKind(type_, None, opaque=f"sets of type {shown(type_)} are not known", ages=ages)
    known = {one.value: one for one in Dimension}
    strange = next((name for name in names if name not in known), None)
    if strange is not None:
        return SetKind(type_, None, opaque=f"sets of {shown(strange)} are not judged", ages=ages)
    dimensions = tuple(known[name] for name in names)
    if Dimension.SET in dimensions or dimensions == (Dimension.PORT,):
        return SetKind(type_, None, dimensions, ages=ages)
    text = given.get("family", "inet")
    if text not in _FAMILIES:
        raise Fault(f"{shown(text)} is no family")
    family = _FAMILIES[text]
    opaque, prefix = "", None
    if "bitmask" in given or ("netmask" in given and Dimension.NET in dimensions):
        opaque = "sets under a mask of this kind are not judged"
    elif "netmask" in given:
        prefix = whole_number(given["netmask"], family.bits)
    return SetKind(type_, family, dimensions, prefix, opaque, ages)


def _options(words: list[str]) -> list[tuple[str, str]]:
    found = []
    left = iter(words)
    for word in left:
        if word in _WITH_VALUE:
            value = next(left, "")
            if not value:
                raise Fault(f"{word} without a value: cut off")
            found.append((word, value))
        elif word not in _BARE:
            raise Fault(f"{shown(word)} is no option of a set")
    return found


def _addresses(text: str, family: Family) -> Intervals:
    """The addresses of one, of a network, or of `first-last`."""
    if not _NUMERIC.fullmatch(text):
        raise Fault(f"{shown(text)} is not an IP address in numbers; run ipset without -r")
    base, slash, length = text.partition("/")
    first, dash, last = base.partition("-")
    low = _address(first, family)
    if dash:
        high = _address(last, family)
        if low > high or slash:
            raise Fault(f"{shown(text)} is no range of addresses")
        return ((low, high),)
    if not slash:
        return ((low, low),)
    bits = family.bits - whole_number(length, family.bits)
    low = low >> bits << bits
    return ((low, low | (1 << bits) - 1),)


def _address(text: str, family: Family) -> int:
    of, value = any_address(text)
    if of is not family:
        raise Fault(f"{shown(text)} is {of.value} in a set of {family.value}")
    return value


def _ports(text: str) -> Ports:
    """`tcp:80`, `sctp:1-9`, `6:80`, `vrrp:0`, `icmp:echo-request`; a bare port is TCP's.

    A protocol without ports has port 0, in the set as in a packet here.
    """
    name, colon, ports = text.partition(":")
    if not colon:
        name, ports = "tcp", text
    number = PROTOCOLS.get(name) if not name.isdigit() else whole_number(name, 0xFF)
    if number is None:
        raise Fault(f"{shown(name)} is no protocol")
    protocols = ((number, number),)
    if number in ICMP:
        if not ports:
            raise Fault(f"{shown(text)}: cut off; a type of ICMP is expected")
        return Ports(protocols, _ALL_PORTS, ports)
    span = _span(ports)
    if number not in _WITH_PORTS and span != ((0, 0),):
        raise Fault(f"{shown(name)} has no ports")
    return Ports(protocols, span)


def _bitmap_ports(text: str) -> Ports:
    """`80` or `80-90`, of TCP and UDP alike: a bitmap keeps no protocol."""
    return Ports(_BITMAP_PROTOCOLS, _span(text.rpartition(":")[2]))


def _span(text: str) -> Intervals:
    first, dash, last = text.partition("-")
    low = whole_number(first, 0xFFFF)
    high = whole_number(last, 0xFFFF) if dash else low
    if low > high:
        raise Fault(f"the range {shown(text)} ends before it begins")
    return ((low, high),)
