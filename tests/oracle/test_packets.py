"""A packet is read exactly as it is written, and anything else is one line of error."""

import json

import pytest

from model.addresses import Family, parse_address
from model.errors import InputError
from model.node_config import InterfaceAddress, NodeConfig
from model.packet import Origin, Packet
from oracle.packets import ask_one, read_packets

NODE = NodeConfig(
    name="node-a", addresses=(InterfaceAddress("eth0", Family.IPV4, parse_address("192.168.99.11")[1], 24),)
)
BLIND = NodeConfig(name="node-a")


def address(text: str) -> int:
    return parse_address(text)[1]


def lines(*packets: object) -> list[bytes]:
    return [json.dumps(packet).encode() + b"\n" for packet in packets]


def test_every_key_of_a_line_is_read() -> None:
    """All six keys of a packet end in the packet."""
    line = {
        "from": "203.0.113.2",
        "to": "192.168.99.11",
        "port": 80,
        "protocol": "tcp",
        "origin": "wire",
        "in_interface": "eth0",
    }

    questions = read_packets(lines(line), "p.jsonl", NODE)

    wanted = Packet(
        Family.IPV4, Origin.WIRE, address("203.0.113.2"), address("192.168.99.11"), 6, 80, in_interface="eth0"
    )
    assert questions.packets == (wanted,)
    assert questions.notes == ()


@pytest.mark.parametrize(
    ("source", "origin"),
    [("192.168.99.11", Origin.NODE), ("127.0.0.1", Origin.NODE), ("192.168.99.12", Origin.WIRE)],
)
def test_left_out_origin_is_node_for_an_address_of_the_node(source: str, origin: Origin) -> None:
    """An address of the node, loopback included, means that the node sends the packet."""
    line = {"from": source, "to": "10.96.0.10", "port": 53, "protocol": "udp"}

    questions = read_packets(lines(line), "p.jsonl", NODE)

    assert questions.packets[0].origin is origin


def test_given_origin_beats_the_address() -> None:
    """A packet from the wire may bear an address of the node."""
    line = {"from": "192.168.99.11", "to": "10.96.0.10", "port": 53, "protocol": "udp", "origin": "wire"}

    questions = read_packets(lines(line), "p.jsonl", NODE)

    assert questions.packets[0].origin is Origin.WIRE


def test_guessed_origin_is_owned_up_to() -> None:
    """Without the node's addresses a left-out origin is an assumption, and is named."""
    line = {"from": "192.168.99.11", "to": "10.96.0.10", "port": 53, "protocol": "udp"}

    questions = read_packets(lines(line), "p.jsonl", BLIND)

    assert questions.packets[0].origin is Origin.WIRE
    assert ["--addresses" in note for note in questions.notes] == [True]


def test_key_that_is_not_read_is_named_once_with_its_line() -> None:
    """A misspelt key does not go by in silence."""
    good = {"from": "10.0.0.1", "to": "10.96.0.10", "port": 53, "protocol": "udp", "origin": "wire"}

    questions = read_packets(
        lines(good, {**good, "orgin": "node"}, {**good, "orgin": "node"}), "p.jsonl", NODE
    )

    assert questions.notes == ("p.jsonl:2: the key 'orgin' is not read",)


def test_blank_lines_are_skipped_but_counted() -> None:
    """The line of an error is the line of the file."""
    good = {"from": "10.0.0.1", "to": "10.96.0.10", "port": 53, "protocol": "udp"}

    with pytest.raises(InputError) as caught:
        read_packets([*lines(good), b"\n", b"{\n"], "p.jsonl", NODE)

    assert (caught.value.file, caught.value.line) == ("p.jsonl", 3)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"from": None}, "'from' is missing"),
        ({"from": "10.0.0.300"}, "'from' is '10.0.0.300', not an IP address"),
        ({"to": 7}, "'to' is 7, not an IP address"),
        ({"to": "fd00::1"}, "'from' is IPv4 and 'to' is IPv6"),
        ({"port": None}, "'port' is missing (write an IPv6 address with a port as [ADDR]:PORT)"),
        ({"port": 65536}, "'port' is 65536, not a number from 0 to 65535"),
        ({"port": "80"}, "'port' is '80', not a number from 0 to 65535"),
        ({"port": True}, "'port' is True, not a number from 0 to 65535"),
        ({"protocol": "icmp"}, "'port' is 80, but protocol icmp has none"),
        ({"protocol": None}, "'protocol' is missing"),
        ({"origin": "pod"}, "'origin' is 'pod', not wire or node"),
        ({"in_interface": 2}, "'in_interface' is 2, not the name of an interface"),
    ],
)
def test_wrong_value_is_named_with_its_line(change: dict[str, object], says: str) -> None:
    """The error names file, line, key and value."""
    good = {"from": "10.0.0.1", "to": "10.96.0.10", "port": 80, "protocol": "tcp"}

    with pytest.raises(InputError) as caught:
        read_packets(lines({**good, **change}), "p.jsonl", NODE)

    assert str(caught.value) == f"p.jsonl:1: {says}"


@pytest.mark.parametrize("line", [b"[1]\n", b"nonsense\n", b"\xff\n", b'{"from":\n'])
def test_line_that_is_no_object_is_an_input_error(line: bytes) -> None:
    """Whatever the bytes are, the answer is one line with the place."""
    with pytest.raises(InputError) as caught:
        read_packets([line], "p.jsonl", NODE)

    assert (caught.value.file, caught.value.line) == ("p.jsonl", 1)


@pytest.mark.parametrize(
    ("source", "to", "protocol", "port"),
    [
        ("10.0.0.1", "10.96.0.10:53/udp", 17, 53),
        ("10.0.0.1", "10.96.0.10:53/17", 17, 53),
        ("10.0.0.1", "10.96.0.10:80/TCP", 6, 80),
        ("10.0.0.1", "10.96.0.10/icmp", 1, 0),
        ("fd00::1", "[fd00::a]:80/sctp", 132, 80),
        ("fd00::1", "[fd00::a]/ipv6-icmp", 58, 0),
        ("fd00::1", "fd00::a/icmpv6", 58, 0),
        ("10.0.0.1", "10.96.0.10/47", 47, 0),
    ],
)
def test_destination_is_read_in_every_spelling(source: str, to: str, protocol: int, port: int) -> None:
    """`--to` takes names and numbers of protocols, both families, and no port where there is none."""
    questions = ask_one(source, to, "wire", None, NODE)

    packet = questions.packets[0]
    assert (packet.protocol, packet.port) == (protocol, port)


@pytest.mark.parametrize(
    "to",
    [
        "10.96.0.10:53",
        "10.96.0.10/udp",
        "10.96.0.10:http/tcp",
        "10.96.0.10:/tcp",
        "10.96.0.10:-1/tcp",
        "10.96.0.10:80/quic",
        "10.96.0.10:80/256",
        "10.96.0.10:80/icmp",
        "[10.96.0.10:80/tcp",
        "fd00::a:80/tcp",
        "web.shop:80/tcp",
        "",
    ],
)
def test_wrong_destination_is_an_input_error(to: str) -> None:
    """Nothing about a destination is guessed."""
    with pytest.raises(InputError):
        ask_one("10.0.0.1", to, None, None, NODE)


def test_icmp_is_not_read_as_icmpv6() -> None:
    """IPv6 packets of protocol 1 are not what a person means by icmp."""
    with pytest.raises(InputError, match="icmpv6"):
        ask_one("fd00::1", "fd00::a/icmp", None, None, NODE)


@pytest.mark.parametrize(
    ("source", "origin", "interface"),
    [("192.168.99.12", "wire", "eth0"), ("203.0.113.2", "wire", None), ("192.168.99.11", "node", None)],
)
def test_a_neighbour_comes_in_by_its_own_subnets_interface(
    source: str, origin: str, interface: str | None
) -> None:
    """Of a source that is in no subnet of the node nothing is assumed."""
    line = {"from": source, "to": "10.96.0.10", "port": 53, "protocol": "udp", "origin": origin}

    questions = read_packets(lines(line), "p.jsonl", NODE)

    assert questions.packets[0].in_interface == interface
