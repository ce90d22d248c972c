"""A packet is told in one line, and each protocol has one name and one number."""

import pytest

from model.addresses import parse_address
from model.packet import PROTOCOL_NAMES, PROTOCOL_NUMBERS, Origin, Packet


def a_packet(source: str, to: str, protocol: int, port: int, origin: Origin = Origin.WIRE) -> Packet:
    family, address = parse_address(source)
    return Packet(family, origin, address, parse_address(to)[1], protocol, port)


@pytest.mark.parametrize(
    ("packet", "expected"),
    [
        (a_packet("192.0.2.1", "10.96.0.10", 6, 80), "192.0.2.1 -> 10.96.0.10:80 tcp (from the wire)"),
        (
            a_packet("2001:db8::1", "fd00::10", 17, 53, Origin.NODE),
            "2001:db8::1 -> [fd00::10]:53 udp (from the node itself)",
        ),
        (a_packet("192.0.2.1", "10.96.0.10", 1, 0), "192.0.2.1 -> 10.96.0.10 icmp (from the wire)"),
        (a_packet("2001:db8::1", "fd00::10", 47, 0), "2001:db8::1 -> fd00::10 47 (from the wire)"),
    ],
)
def test_a_packet_reads_as_one_would_say_it(packet: Packet, expected: str) -> None:
    assert str(packet) == expected


def test_protocols_have_the_numbers_of_iana() -> None:
    assert {name: PROTOCOL_NUMBERS[name] for name in ("tcp", "udp", "sctp", "icmp")} == {
        "tcp": 6,
        "udp": 17,
        "sctp": 132,
        "icmp": 1,
    }
    assert [PROTOCOL_NAMES[number] for number in (6, 17, 132)] == ["tcp", "udp", "sctp"]
