"""First packets of connections as bytes, and what is to be read off bytes that come back.

Every packet made carries a number of its own, `ident`, in a field that neither nat nor an
error that quotes the packet changes: TCP's sequence number, SCTP's initiation tag, the
payload elsewhere. By it what is seen later is told from answers of the node itself.

Source: RFC 791, 8200, 9293, 768, 9260 (CRC32c), 792, 4443.
"""

import struct
from typing import NamedTuple

from model.addresses import Family
from model.packet import ICMP, SCTP, TCP, UDP, Packet

_SYN, _RST = 0x02, 0x04
_INIT = 1  # SCTP's first chunk
_ECHO = {1: 8, 58: 128}

UNREACHABLE = {
    1: {
        0: "icmp-net-unreachable",
        1: "icmp-host-unreachable",
        2: "icmp-proto-unreachable",
        3: "icmp-port-unreachable",
        9: "icmp-net-prohibited",
        10: "icmp-host-prohibited",
        13: "icmp-admin-prohibited",
    },
    58: {
        0: "icmp6-no-route",
        1: "icmp6-adm-prohibited",
        3: "icmp6-addr-unreachable",
        4: "icmp6-port-unreachable",
        5: "icmp6-policy-fail",
        6: "icmp6-reject-route",
    },
}
_UNREACHABLE_TYPE = {1: 3, 58: 1}


class Seen(NamedTuple):
    """A packet as it was seen: addresses are numbers, `port` the destination's, 0 without ports."""

    source: int
    destination: int
    port: int
    ident: int


class Refusal(NamedTuple):
    """An error to a sender: which, as iptables names it, and the packet it is about."""

    reject_with: str
    ident: int


def first_packet(packet: Packet, source_port: int, ident: int) -> bytes:
    """The packet with its IP header: a SYN, a datagram, an INIT, an echo request, or a payload alone."""
    body = _body(packet, source_port, ident)
    if packet.family is Family.IPV4:
        header = struct.pack(
            "!BBHHHBBHII",
            *(0x45, 0, 20 + len(body), ident & 0xFFFF, 0, 64, packet.protocol, 0),
            *(packet.source, packet.destination),
        )
        return header[:10] + struct.pack("!H", _checksum(header)) + header[12:] + body
    return (
        struct.pack("!IHBB", 6 << 28, len(body), packet.protocol, 64)
        + packet.source.to_bytes(16)
        + packet.destination.to_bytes(16)
        + body
    )


def _body(packet: Packet, source_port: int, ident: int) -> bytes:
    protocol, port = packet.protocol, packet.port
    if protocol == TCP:
        body = struct.pack("!HHIIBBHHH", source_port, port, ident, 0, 5 << 4, _SYN, 0x7210, 0, 0)
        return body[:16] + struct.pack("!H", _checksum(_pseudo(packet, 20) + body)) + body[18:]
    if protocol == UDP:
        body = struct.pack("!HHHHI", source_port, port, 12, 0, ident)
        sum_ = _checksum(_pseudo(packet, 12) + body) or 0xFFFF
        return body[:6] + struct.pack("!H", sum_) + body[8:]
    if protocol == SCTP:
        chunk = struct.pack("!BBHIIHHI", _INIT, 0, 20, ident, 0x10000, 1, 1, ident)
        head = struct.pack("!HHI", source_port, port, 0)
        return head + struct.pack("<I", crc32c(head + b"\0\0\0\0" + chunk)) + chunk
    if protocol in ICMP:
        body = struct.pack("!BBHHHI", _ECHO[protocol], 0, 0, source_port, 1, ident)
        pseudo = _pseudo(packet, 12) if protocol == 58 else b""
        return body[:2] + struct.pack("!H", _checksum(pseudo + body)) + body[4:]
    return struct.pack("!I", ident)


def _pseudo(packet: Packet, length: int) -> bytes:
    size = packet.family.bits // 8
    addresses = packet.source.to_bytes(size) + packet.destination.to_bytes(size)
    return addresses + struct.pack("!HH", packet.protocol, length)


def _checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071) of an even number of bytes."""
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def _crc_table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return tuple(table)


_CRC = _crc_table()


def crc32c(data: bytes) -> int:
    """SCTP's checksum.

    >>> hex(crc32c(b"123456789"))
    '0xe3069283'
    """
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ _CRC[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def read(data: bytes) -> Seen | Refusal | None:
    """A first packet as it was made here, an error about one, or None for anything else."""
    if data[0] >> 4 == 4:
        source, destination = struct.unpack_from("!II", data, 12)
        protocol, body = data[9], data[(data[0] & 15) * 4 :]
    else:
        source, destination = int.from_bytes(data[8:24]), int.from_bytes(data[24:40])
        protocol, body = data[6], data[40:]
    return read_body(protocol, source, destination, body)


def read_body(protocol: int, source: int, destination: int, body: bytes) -> Seen | Refusal | None:
    """As `read`, of what follows the IP header."""
    if protocol == TCP:
        port, ident, answered, flags = struct.unpack_from("!2xHIIxB", body)
        if flags == _SYN:
            return Seen(source, destination, port, ident)
        return Refusal("tcp-reset", answered - 1 & 0xFFFFFFFF) if flags & _RST else None
    if protocol == UDP:
        port, ident = struct.unpack_from("!2xH4xI", body)
        return Seen(source, destination, port, ident)
    if protocol == SCTP:
        port, kind, ident = struct.unpack_from("!2xH8xB3xI", body)
        return Seen(source, destination, port, ident) if kind == _INIT else None
    if protocol in ICMP:
        return _read_icmp(protocol, source, destination, body)
    return Seen(source, destination, 0, struct.unpack_from("!I", body)[0])


def _read_icmp(protocol: int, source: int, destination: int, body: bytes) -> Seen | Refusal | None:
    kind, code = body[0], body[1]
    if kind == _ECHO[protocol]:
        return Seen(source, destination, 0, struct.unpack_from("!8xI", body)[0])
    if kind != _UNREACHABLE_TYPE[protocol]:
        return None
    quoted = read(body[8:])
    name = UNREACHABLE[protocol].get(code, f"code {code}")
    return Refusal(name, quoted.ident) if isinstance(quoted, Seen) else None
