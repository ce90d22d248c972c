"""The addresses of kube-ipvs0 are read from `ip addr`, as text or as JSON."""

import pytest

from model.addresses import Family, parse_address
from model.errors import InputError
from model.node_config import InterfaceAddress
from oracle.dialects.ipvs import kube_ipvs0, read_ip_addr

TEXT = """\
1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN group default qlen 1000
    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00
    inet 127.0.0.1/8 scope host lo
       valid_lft forever preferred_lft forever
    inet6 ::1/128 scope host noprefixroute
       valid_lft forever preferred_lft forever
2: eth0@if7: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP group default
    link/ether 02:42:c0:a8:31:02 brd ff:ff:ff:ff:ff:ff link-netnsid 0
    altname enp0s3
    inet 192.168.49.2/24 brd 192.168.49.255 scope global eth0
       valid_lft forever preferred_lft forever
3: tun0: <POINTOPOINT,NOARP,UP> mtu 1500 qdisc noqueue state UNKNOWN group default
    link/none
    inet 10.8.0.6 peer 10.8.0.5/32 scope global tun0
       valid_lft forever preferred_lft forever
30: kube-ipvs0: <BROADCAST,NOARP> mtu 1500 qdisc noop state DOWN group default
    link/ether 12:37:cc:2c:0a:cc brd ff:ff:ff:ff:ff:ff
    inet 10.96.0.10/32 scope global kube-ipvs0
       valid_lft forever preferred_lft forever
    inet 10.96.0.1/32 scope global kube-ipvs0
       valid_lft forever preferred_lft forever
    inet6 fd00:10:96::1/128 scope global
       valid_lft forever preferred_lft forever
"""

ONE_LINE = (
    "30: kube-ipvs0    inet 10.96.0.10/32 scope global kube-ipvs0\\       valid_lft forever\n"
    "30: kube-ipvs0    inet6 fd00:10:96::1/128 scope global \\       valid_lft forever\n"
)


def at(interface: str, address: str, length: int) -> InterfaceAddress:
    family, number = parse_address(address)
    return InterfaceAddress(interface, family, number, length)


EXPECTED = (
    at("lo", "127.0.0.1", 8),
    at("lo", "::1", 128),
    at("eth0", "192.168.49.2", 24),
    at("tun0", "10.8.0.6", 32),
    at("kube-ipvs0", "10.96.0.10", 32),
    at("kube-ipvs0", "10.96.0.1", 32),
    at("kube-ipvs0", "fd00:10:96::1", 128),
)


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        "\n".join(line.strip() for line in TEXT.split("\n")),
        "$ ip addr\n" + TEXT,
        TEXT.replace("\n", "\r\n"),
    ],
    ids=["plain", "no-indentation", "prompt", "crlf"],
)
def test_each_address_is_of_the_device_above_it(text: str) -> None:
    """A peer's address is not the device's own."""
    assert EXPECTED == read_ip_addr(text.encode(), "ip-addr")


def test_one_line_for_each_address_is_read() -> None:
    assert (EXPECTED[4], EXPECTED[6]) == read_ip_addr(ONE_LINE.encode(), "ip-addr")


def test_details_of_a_device_are_passed_over() -> None:
    text = TEXT.replace("    altname enp0s3", "    veth numtxqueues 2 gso_max_size 65536")

    assert EXPECTED == read_ip_addr(text.encode(), "ip-addr")


def test_json_is_read_as_well() -> None:
    data = (
        b'[{"ifname": "kube-ipvs0", "addr_info":'
        b' [{"family": "inet", "local": "10.96.0.1", "prefixlen": 32}]}]'
    )

    assert (at("kube-ipvs0", "10.96.0.1", 32),) == read_ip_addr(data, "ip-addr.json")


def test_the_dummy_device_has_its_addresses_by_family() -> None:
    """MODE-04."""
    found = {family: kube_ipvs0(EXPECTED, family) for family in Family}

    assert {
        Family.IPV4: {parse_address("10.96.0.10")[1], parse_address("10.96.0.1")[1]},
        Family.IPV6: {parse_address("fd00:10:96::1")[1]},
    } == found


@pytest.mark.parametrize(
    ("data", "line", "what"),
    [
        (b"", 0, "is empty"),
        (b"# nothing\n", 1, "no device"),
        (TEXT.encode() + b"    inet", 24, "cut off; an address is expected"),
        (TEXT.encode() + b"    inet 10.96", 24, "10.96 is not an IP address"),
        (TEXT.encode() + b"    inet 10.96.0.9/99 scope", 24, "99 is not a number from 0 to 32"),
        (TEXT.encode() + b"    inet6 10.96.0.9/32 scope", 24, "is not an inet6 address"),
        (b"    inet 10.96.0.9/32 scope global kube-ipvs0\n", 1, "an address without its device"),
        (b"lo    UNKNOWN    127.0.0.1/8 ::1/128\n", 1, "this looks like the output of ip -br addr"),
        (b"lo: flags=73<UP,LOOPBACK>  mtu 65536\n", 1, "this looks like the output of ifconfig"),
        (b'Device "kube-ipvs0" does not exist.\n', 1, "ip failed"),
        (b"TCP  10.96.0.1:443 rr\n", 1, "not a line of ip addr"),
    ],
)
def test_anything_else_is_refused_with_its_line(data: bytes, line: int, what: str) -> None:
    with pytest.raises(InputError) as refused:
        read_ip_addr(data, "ip-addr")

    assert ("ip-addr", line) == (refused.value.file, refused.value.line)
    assert what in refused.value.what
