"""A question's packets, as text on the command line or one JSON object a line.

A line reads `{"from":"203.0.113.2","to":"192.168.99.11","port":80,"protocol":"tcp",
"origin":"wire|node","in_interface":"eth0"}`. `origin` may be left out: a source that is
an address of the node means node, any other wire. Blank lines are skipped; a key that is
not read is named once; anything else wrong is an `InputError` with its line.
"""

import json
from collections.abc import Iterable

import attrs

from model.addresses import Family, parse_address
from model.errors import InputError
from model.intervals import contains
from model.node_config import NodeConfig
from model.packet import PROTOCOL_NAMES, PROTOCOL_NUMBERS, SCTP, TCP, UDP, Origin, Packet
from oracle.hooks import connected_interface

_KEYS = frozenset({"from", "to", "port", "protocol", "origin", "in_interface"})
_WITH_PORTS = frozenset({TCP, UDP, SCTP})
_SPELLINGS = {**PROTOCOL_NUMBERS, "ipv6-icmp": 58}


@attrs.frozen
class Questions:
    """The packets asked about, in the order given, and what had to be assumed to read them."""

    packets: tuple[Packet, ...]
    notes: tuple[str, ...] = ()


def read_packets(lines: Iterable[bytes], file: str, config: NodeConfig) -> Questions:
    """The packets of a file of JSON lines; `config` tells a node's own addresses.

    Raises InputError naming the first line that is not a packet.
    """
    packets: list[Packet] = []
    guessed = False
    unread: dict[str, int] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            fields = json.loads(line)
            if not isinstance(fields, dict):
                raise ValueError("not a JSON object")
            packets.append(_packet(fields, config))
        except json.JSONDecodeError as error:
            raise InputError(file, number, f"not JSON: {error.msg} at column {error.colno}") from None
        except ValueError as error:  # UnicodeDecodeError among them
            raise InputError(file, number, str(error)) from None
        guessed = guessed or fields.get("origin") is None
        if not _KEYS.issuperset(fields):
            for key in fields.keys() - _KEYS:
                unread.setdefault(key, number)
    notes = [f"{file}:{number}: the key {key!r} is not read" for key, number in sorted(unread.items())]
    return Questions(tuple(packets), (*notes, *(_origin_notes(config) if guessed else ())))


def ask_one(
    source: str, to: str, origin: str | None, in_interface: str | None, config: NodeConfig
) -> Questions:
    """The packet that `--from ADDR --to ADDR:PORT/PROTO` describes.

    Raises InputError naming the option that cannot be read.
    """
    try:
        host, port, protocol = split_destination(to)
    except ValueError as error:
        raise InputError("--to", 0, str(error)) from None
    fields = {"from": source, "to": host, "port": port, "protocol": protocol}
    try:
        packet = _packet({**fields, "origin": origin, "in_interface": in_interface}, config)
    except ValueError as error:
        raise InputError("--from/--to", 0, str(error)) from None
    return Questions((packet,), _origin_notes(config) if origin is None else ())


def split_destination(text: str) -> tuple[str, int | None, str]:
    """Address, port (None when not given) and protocol of `ADDR:PORT/PROTO`.

    >>> split_destination("[fd00::1]:53/udp")
    ('fd00::1', 53, 'udp')
    >>> split_destination("10.0.0.1/icmp")
    ('10.0.0.1', None, 'icmp')
    """
    wanted = f"{text!r} is not ADDR:PORT/PROTO, such as 10.96.0.10:53/udp or [fd00::a]:53/udp"
    place, slash, protocol = text.rpartition("/")
    if not slash or not protocol:
        raise ValueError(wanted)
    if place.startswith("["):
        host, bracket, rest = place[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise ValueError(wanted)
        colon, port = rest[:1], rest[1:]
    elif place.count(":") > 1:
        host, colon, port = place, "", ""  # IPv6 without brackets cannot carry a port
    else:
        host, colon, port = place.partition(":")
    if not colon:
        return host, None, protocol
    if not (port.isascii() and port.isdigit()):
        raise ValueError(wanted)
    return host, int(port), protocol


def _packet(fields: dict[str, object], config: NodeConfig) -> Packet:
    family, source = _address(fields, "from")
    to_family, destination = _address(fields, "to")
    if family is not to_family:
        raise ValueError(f"'from' is {family.value} and 'to' is {to_family.value}")
    protocol = _protocol(fields.get("protocol"), family)
    in_interface = fields.get("in_interface")
    if in_interface is not None and not isinstance(in_interface, str):
        raise ValueError(f"'in_interface' is {in_interface!r}, not the name of an interface")
    origin = _origin(fields.get("origin"), family, source, config)
    if in_interface is None and origin is Origin.WIRE:
        # A neighbour comes in by the interface whose subnet it is in; of others nothing is certain.
        in_interface = connected_interface(config, family, source)
    return Packet(
        family=family,
        origin=origin,
        source=source,
        destination=destination,
        protocol=protocol,
        port=_port(fields.get("port"), protocol),
        in_interface=in_interface,
    )


def _address(fields: dict[str, object], key: str) -> tuple[Family, int]:
    value = fields.get(key)
    if value is None:
        raise ValueError(f"{key!r} is missing")
    if not isinstance(value, str):
        raise ValueError(f"{key!r} is {value!r}, not an IP address")
    try:
        return parse_address(value)
    except ValueError:
        raise ValueError(f"{key!r} is {value!r}, not an IP address") from None


def _protocol(value: object, family: Family) -> int:
    if value is None:
        raise ValueError("'protocol' is missing")
    number: int | None = None
    if isinstance(value, str):
        name = value.lower()
        number = int(name) if name.isascii() and name.isdigit() else _SPELLINGS.get(name)
    elif isinstance(value, int) and not isinstance(value, bool):
        number = value
    if number is None or not 0 <= number <= 255:
        raise ValueError(f"'protocol' is {value!r}; give one of {', '.join(_SPELLINGS)}, or a number to 255")
    if value == "icmp" and family is Family.IPV6:
        raise ValueError("'protocol' is 'icmp', which is IPv4's; IPv6 has icmpv6")
    return number


def _port(value: object, protocol: int) -> int:
    """The destination port; 0 for protocols that have none, as `Packet` wants it."""
    if protocol not in _WITH_PORTS:
        if value in (None, 0):
            return 0
        raise ValueError(
            f"'port' is {value!r}, but protocol {PROTOCOL_NAMES.get(protocol, protocol)} has none"
        )
    if value is None:
        raise ValueError("'port' is missing (write an IPv6 address with a port as [ADDR]:PORT)")
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 65535:
        raise ValueError(f"'port' is {value!r}, not a number from 0 to 65535")
    return value


def _origin(value: object, family: Family, source: int, config: NodeConfig) -> Origin:
    if value is None:
        return Origin.NODE if contains(config.local_addresses(family), source) else Origin.WIRE
    for origin in Origin:
        if value == origin.value:
            return origin
    raise ValueError(f"'origin' is {value!r}, not wire or node")


def _origin_notes(config: NodeConfig) -> tuple[str, ...]:
    if config.addresses:
        return ()
    return (
        "the node's addresses are not given: a packet without an origin is taken to come from the wire"
        " (give --addresses, or the packet's origin)",
    )
