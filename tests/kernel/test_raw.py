"""What is made as bytes is read back as the same packet, and errors say which packet they are about."""

import pytest

from model.addresses import Family
from model.packet import SCTP, TCP, UDP, Origin, Packet
from tests.kernel.raw import Refusal, Seen, first_packet, read

V4 = Packet(Family.IPV4, Origin.WIRE, 0xC6336407, 0x0A600001, TCP, 80)
V6 = Packet(Family.IPV6, Origin.WIRE, 0x20010DB8 << 96 | 1, 0xFD00 << 112 | 1, TCP, 80)


def of_protocol(packet: Packet, protocol: int) -> Packet:
    port = 80 if protocol in (TCP, UDP, SCTP) else 0
    return Packet(packet.family, packet.origin, packet.source, packet.destination, protocol, port)


@pytest.mark.parametrize("protocol", [TCP, UDP, SCTP, 253])
@pytest.mark.parametrize("of", [V4, V6], ids=["IPv4", "IPv6"])
def test_a_packet_is_read_back(of: Packet, protocol: int) -> None:
    packet = of_protocol(of, protocol)

    data = first_packet(packet, 20000, 77)

    assert Seen(packet.source, packet.destination, packet.port, 77) == read(data)


def test_a_tcp_packet_is_the_syn_of_rfc_9293() -> None:
    """Worked out by hand: header of 20 bytes, flags SYN, both checksums right."""
    data = first_packet(V4, 0x4E21, 1)

    assert data.hex() == (
        "450000280001000040064634c63364070a600001"  # total length 40, TTL 64, protocol 6
        "4e210050000000010000000050027210"  # 20001 to 80, sequence 1, offset 5, SYN
        "bac40000"
    )


@pytest.mark.parametrize(
    ("of", "protocol", "kind", "code", "expected"),
    [
        (V4, 1, 3, 3, "icmp-port-unreachable"),
        (V4, 1, 3, 13, "icmp-admin-prohibited"),
        (V6, 58, 1, 4, "icmp6-port-unreachable"),
        (V6, 58, 1, 1, "icmp6-adm-prohibited"),
    ],
)
def test_an_error_names_the_packet_that_it_quotes(
    of: Packet, protocol: int, kind: int, code: int, expected: str
) -> None:
    error = bytearray(first_packet(of_protocol(of, protocol), 0, 5))
    header = 20 if of.family is Family.IPV4 else 40

    error[header:] = bytes([kind, code, 0, 0, 0, 0, 0, 0]) + first_packet(of, 20000, 77)

    assert Refusal(expected, 77) == read(bytes(error))


def test_an_answer_of_the_node_is_not_the_packet() -> None:
    """SYN and ACK together are an answer, not a first packet."""
    answer = bytearray(first_packet(V4, 20000, 77))

    answer[33] = 0x12

    assert read(bytes(answer)) is None
