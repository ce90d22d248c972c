"""The node that drawn rules are loaded into, and who asks whom there: few places, so that rules meet packets.

Every address but one is on a link of the node, so that the way out of each is certain.
"""

import attrs

from model.addresses import Family, parse_address
from model.node_config import InterfaceAddress, NodeConfig
from model.packet import SCTP, TCP, UDP, Origin, Packet
from tests.kernel.node import Device


@attrs.frozen
class Places:
    """Addresses of a family, as text; `far` is behind the first device's gateway."""

    own: tuple[str, ...]
    outside: tuple[str, ...]
    pods: tuple[str, ...]
    far: str
    loopback: str
    networks: tuple[str, ...]

    @property
    def everywhere(self) -> tuple[str, ...]:
        return (*self.own, *self.outside, *self.pods, self.far, self.loopback)


PLACES = {
    Family.IPV4: Places(
        ("192.0.2.1", "10.244.1.1"),
        ("192.0.2.50", "192.0.2.77"),
        ("10.244.1.10", "10.244.1.11"),
        "203.0.113.5",
        "127.0.0.1",
        ("192.0.2.0/24", "192.0.2.0/26", "10.244.1.0/24", "10.244.1.10/31", "127.0.0.0/8", "0.0.0.0/1"),
    ),
    Family.IPV6: Places(
        ("2001:db8:1::1", "fd00:244:1::1"),
        ("2001:db8:1::50", "2001:db8:1::77"),
        ("fd00:244:1::10", "fd00:244:1::11"),
        "2001:db8:ffff::5",
        "::1",
        ("2001:db8:1::/64", "2001:db8:1::40/122", "fd00:244:1::/64", "fd00:244:1::10/127", "8000::/1"),
    ),
}
OUTSIDE_DEVICE, POD_DEVICE = "eth0", "pods0"
PORTS = (53, 80, 443, 8080)
_LENGTH = {Family.IPV4: 24, Family.IPV6: 64}

DEVICES = tuple(
    Device(
        name,
        tuple(
            InterfaceAddress(name, *parse_address(places.own[at]), _LENGTH[family])
            for family, places in PLACES.items()
        ),
    )
    for at, name in enumerate((OUTSIDE_DEVICE, POD_DEVICE))
)
_LOOPBACK = (
    InterfaceAddress("lo", Family.IPV4, 0x7F000001, 8),
    InterfaceAddress("lo", Family.IPV6, 1, 128),
)
CONFIG = NodeConfig(
    "node",
    addresses=(*(one for device in DEVICES for one in device.addresses), *_LOOPBACK),
    addresses_are_complete=True,
    primary=tuple((one.family, one.address) for one in DEVICES[0].addresses),
)


def every_packet(family: Family) -> tuple[Packet, ...]:
    """One packet from each source to each destination, of each protocol and port.

    IPv6 takes no packet from the wire to its loopback address (RFC 4291 2.5.3), before any rule.
    """
    places = PLACES[family]
    sources = [
        *((text, Origin.WIRE, OUTSIDE_DEVICE) for text in (*places.outside, places.far)),
        *((text, Origin.WIRE, POD_DEVICE) for text in places.pods),
        *((text, Origin.NODE, None) for text in (*places.own, places.loopback)),
    ]
    kinds = [(protocol, port) for protocol in (TCP, UDP, SCTP) for port in PORTS]
    # Of protocols without ports ICMP alone: its identifiers tell flows apart when sources are replaced.
    kinds.append((1 if family is Family.IPV4 else 58, 0))
    return tuple(
        Packet(family, origin, parse_address(source)[1], parse_address(to)[1], protocol, port, device)
        for source, origin, device in sources
        for to in places.everywhere
        for protocol, port in kinds
        if origin is Origin.NODE or family is Family.IPV4 or to != places.loopback
    )
