"""A packet as the questions put it: the first of its connection, on one node.

Only conntrack state NEW is asked about (FWD-OBJ-06): later packets of a connection
follow the translation recorded for it.
"""

import enum

import attrs

from model.addresses import Family, format_address

TCP, UDP, SCTP = 6, 17, 132
ICMP = (1, 58)  # of IPv4 and of IPv6

PROTOCOL_NAMES = {1: "icmp", TCP: "tcp", UDP: "udp", 58: "icmpv6", SCTP: "sctp"}
PROTOCOL_NUMBERS = {name: number for number, name in PROTOCOL_NAMES.items()}


class Origin(enum.Enum):
    """Where the packet meets the node's rules."""

    WIRE = "wire"  # it enters by an interface and meets prerouting
    NODE = "node"  # a process on the node sends it and it meets output


@attrs.frozen
class Packet:
    """The first packet of a connection; addresses are numbers of `family`.

    `port` is the destination port and 0 for protocols without ports.
    `in_interface` is None when it is not known by which interface it came.
    """

    family: Family
    origin: Origin
    source: int
    destination: int
    protocol: int
    port: int
    in_interface: str | None = None

    def __str__(self) -> str:
        def host(address: int, port: str) -> str:
            text = format_address(self.family, address)
            return f"[{text}]{port}" if port and self.family is Family.IPV6 else text + port

        name = PROTOCOL_NAMES.get(self.protocol, str(self.protocol))
        port = f":{self.port}" if self.port else ""
        came = "from the node itself" if self.origin is Origin.NODE else "from the wire"
        via = f" by {self.in_interface}" if self.in_interface else ""
        return f"{host(self.source, '')} -> {host(self.destination, port)} {name} ({came}{via})"
