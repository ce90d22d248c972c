"""The output of ipset, listed or saved, becomes sets whose members are exact."""

import pytest

from model.addresses import Family, parse_address
from model.errors import InputError
from model.packet import SCTP, TCP, UDP
from oracle.dialects.ipvs import parse_ipset
from oracle.dialects.ipvs.ipset_records import Dimension, IpSet, Ports

LIST = """\
Name: KUBE-CLUSTER-IP
Type: hash:ip,port
Revision: 6
Header: family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x4b08ea89
Size in memory: 456
References: 3
Number of entries: 3
Members:
10.96.0.10,tcp:53
10.96.0.10,udp:53
10.96.0.1,tcp:443

Name: KUBE-NODE-PORT-TCP
Type: bitmap:port
Revision: 3
Header: range 0-65535
Size in memory: 8264
References: 0
Number of entries: 1
Members:
30380

Name: KUBE-6-LOAD-BALANCER-SOURCE-CID
Type: hash:ip,port,net
Revision: 8
Header: family inet6 hashsize 1024 maxelem 65536
Size in memory: 464
References: 0
Number of entries: 1
Members:
fd00::9,tcp:80,fd00:1::/32
"""

SAVE = """\
create KUBE-CLUSTER-IP hash:ip,port family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x4b08ea89
add KUBE-CLUSTER-IP 10.96.0.10,tcp:53
add KUBE-CLUSTER-IP 10.96.0.10,udp:53
add KUBE-CLUSTER-IP 10.96.0.1,tcp:443
create KUBE-NODE-PORT-TCP bitmap:port range 0-65535
add KUBE-NODE-PORT-TCP 30380
create KUBE-6-LOAD-BALANCER-SOURCE-CID hash:ip,port,net family inet6 hashsize 1024 maxelem 65536
add KUBE-6-LOAD-BALANCER-SOURCE-CID fd00::9,tcp:80,fd00:1::/32
"""


def number(text: str) -> int:
    return parse_address(text)[1]


def one(text: str) -> tuple[int, int]:
    return number(text), number(text)


def sets(text: str) -> dict[str, IpSet]:
    return dict(parse_ipset(text.encode(), "ipset").sets)


def saved(type_: str, *members: str) -> IpSet:
    """A set of these members, read from the commands that make it."""
    return sets("".join([f"create s {type_}\n", *(f"add s {member}\n" for member in members)]))["s"]


def refusal(data: str | bytes) -> tuple[int, str]:
    with pytest.raises(InputError) as refused:
        parse_ipset(data.encode() if isinstance(data, str) else data, "dump")
    assert "\n" not in str(refused.value)
    return refused.value.line, refused.value.what


def test_a_listing_gives_each_set_its_members() -> None:
    """rules-ipvs 5."""
    found = sets(LIST)

    assert ["KUBE-CLUSTER-IP", "KUBE-NODE-PORT-TCP", "KUBE-6-LOAD-BALANCER-SOURCE-CID"] == list(found)
    cluster = found["KUBE-CLUSTER-IP"]
    assert ("hash:ip,port", Family.IPV4, (Dimension.IP, Dimension.PORT), 1) == (
        cluster.type,
        cluster.family,
        cluster.dimensions,
        cluster.line,
    )
    assert {"10.96.0.10,tcp:53", "10.96.0.10,udp:53", "10.96.0.1,tcp:443"} == cluster.entries
    assert [
        ((one("10.96.0.10"),), Ports(((TCP, TCP),), ((53, 53),))),
        ((one("10.96.0.10"),), Ports(((UDP, UDP),), ((53, 53),))),
        ((one("10.96.0.1"),), Ports(((TCP, TCP),), ((443, 443),))),
    ] == [member.parts for member in cluster.members]
    assert [9, 10, 11] == [member.line for member in cluster.members]


def test_ports_alone_are_of_tcp_and_udp_and_of_no_family() -> None:
    """A bitmap keeps no protocol, and looks at the ports of these two only."""
    found = sets(LIST)["KUBE-NODE-PORT-TCP"]

    assert None is found.family
    assert [(Ports(((TCP, TCP), (UDP, UDP)), ((30380, 30380),)),)] == [one.parts for one in found.members]


def test_sets_of_ipv6_hold_networks_of_ipv6() -> None:
    (member,) = sets(LIST)["KUBE-6-LOAD-BALANCER-SOURCE-CID"].members
    low = number("fd00:1::")

    assert (
        (one("fd00::9"),),
        Ports(((TCP, TCP),), ((80, 80),)),
        ((low, low + 2**96 - 1),),
    ) == member.parts


def test_saved_sets_are_the_same_as_listed_ones() -> None:
    listed, commands = sets(LIST), sets(SAVE)

    assert list(listed) == list(commands)
    for name, of in listed.items():
        other = commands[name]
        assert (of.type, of.family, of.dimensions, of.entries) == (
            other.type,
            other.family,
            other.dimensions,
            other.entries,
        )
        assert [member.parts for member in of.members] == [member.parts for member in other.members]


@pytest.mark.parametrize(
    "text",
    [
        "root@node:~# ipset list\n" + LIST,
        "# node-a\n" + LIST,
        LIST.replace("\n\n", "\n"),
        "\n".join("    " + line for line in LIST.split("\n")),
        LIST.replace("\n", "\r\n"),
        LIST.replace("Number of entries", "Number of entries").replace("Revision: 6\n", ""),
    ],
    ids=["prompt", "comment", "no-gaps", "indented", "crlf", "no-revision"],
)
def test_what_copying_does_to_a_listing_changes_nothing(text: str) -> None:
    assert {name: of.entries for name, of in sets(LIST).items()} == {
        name: of.entries for name, of in sets(text).items()
    }


def test_options_of_members_are_kept_apart_from_what_they_match() -> None:
    found = saved(
        "hash:net timeout 0 counters comment skbinfo",
        '10.0.0.0/8 timeout 30 packets 0 bytes 12 comment "no nomatch, here" skbmark 0x1/0xff',
        "10.1.0.0/16 timeout 0 nomatch",
    )

    assert [False, True] == [member.excluded for member in found.members]
    assert ["10.0.0.0/8", "10.1.0.0/16"] == [member.entry for member in found.members]
    assert found.members[0].options.startswith("timeout 30 packets 0")


@pytest.mark.parametrize(
    ("entry", "ports"),
    [
        ("10.0.0.1,80", Ports(((TCP, TCP),), ((80, 80),))),
        ("10.0.0.1,sctp:9", Ports(((SCTP, SCTP),), ((9, 9),))),
        ("10.0.0.1,udplite:9", Ports(((136, 136),), ((9, 9),))),
        ("10.0.0.1,6:80", Ports(((TCP, TCP),), ((80, 80),))),
        ("10.0.0.1,tcp:80-90", Ports(((TCP, TCP),), ((80, 90),))),
        ("10.0.0.1,gre:0", Ports(((47, 47),), ((0, 0),))),
        ("10.0.0.1,200:0", Ports(((200, 200),), ((0, 0),))),
        ("10.0.0.1,icmp:echo-request", Ports(((1, 1),), ((0, 0xFFFF),), "echo-request")),
    ],
)
def test_ports_are_of_a_protocol_which_is_tcp_when_left_out(entry: str, ports: Ports) -> None:
    """What has no ports has port 0; a type of ICMP is no port."""
    (member,) = saved("hash:ip,port family inet", entry).members

    assert ports == member.parts[1]


@pytest.mark.parametrize(
    ("type_", "entry", "span"),
    [
        ("hash:ip", "10.0.0.7", ("10.0.0.7", "10.0.0.7")),
        ("hash:ip", "10.0.0.7-10.0.0.9", ("10.0.0.7", "10.0.0.9")),
        ("hash:ip netmask 24", "10.0.0.0", ("10.0.0.0", "10.0.0.255")),
        ("bitmap:ip range 10.0.0.0-10.0.0.255 netmask 28", "10.0.0.16", ("10.0.0.16", "10.0.0.31")),
        ("hash:net", "10.0.0.7", ("10.0.0.7", "10.0.0.7")),
        ("hash:net", "0.0.0.0/1", ("0.0.0.0", "127.255.255.255")),
        ("hash:ip family inet6", "fd00::1", ("fd00::1", "fd00::1")),
    ],
)
def test_addresses_are_single_ones_networks_or_ranges(type_: str, entry: str, span: tuple[str, str]) -> None:
    """A set with a netmask holds whole networks by their first address."""
    (member,) = saved(type_, entry).members

    assert (((number(span[0]), number(span[1])),),) == member.parts


@pytest.mark.parametrize(
    ("type_", "entry", "opaque"),
    [
        ("hash:net,iface family inet", "10.0.0.0/8,eth0", "sets of iface are not judged"),
        ("hash:mac hashsize 1024", "01:02:03:04:05:06", "sets of mac are not judged"),
        ("hash:ip,mark family inet", "10.0.0.1,0x00000010", "sets of mark are not judged"),
        ("bitmap:ip,mac range 10.0.0.0-10.0.0.9", "10.0.0.1,01:02:03:04:05:06", "sets of mac are not judged"),
        ("tree:ip", "10.0.0.1", "sets of type tree:ip are not known"),
        ("iphash", "10.0.0.1", "sets of type iphash are not known"),
        (
            "hash:ip bitmask 255.0.255.0",
            "10.0.0.1",
            "sets under a mask of this kind are not judged",
        ),
        (
            "hash:net,net family inet",
            "10.0.0.0/8,10.0.0.0/8 nomatch",
            "nomatch in a hash:net,net is not judged",
        ),
    ],
)
def test_what_is_not_known_keeps_its_text_and_says_why(type_: str, entry: str, opaque: str) -> None:
    found = saved(type_, entry)

    assert (opaque, frozenset([entry.removesuffix(" nomatch")])) == (found.opaque, found.entries)


def test_a_list_of_sets_names_them() -> None:
    found = sets("create a hash:ip\ncreate l list:set size 8\nadd l a\n")["l"]

    assert {"a"} == found.entries
    assert ("list:set", "") == (found.type, found.opaque)


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        (
            LIST.replace("Number of entries: 3", "Number of entries: 4"),
            1,
            "tells of 4 members, but there are 3",
        ),
        (LIST[: LIST.index("Members")], 1, "comes without its members, as ipset list -t prints it"),
        (LIST[: LIST.index("Header")], 1, "comes without its members"),
        (LIST + "\nName: KUBE-CLUSTER-IP\n", 33, "set KUBE-CLUSTER-IP is there already, in line 1"),
        (LIST.replace("10.96.0.1,tcp:443", "10.96.0.1,tcp:"), 11, " is not a number from 0 to 65535"),
        (LIST.replace("10.96.0.1,tcp:443", "10.96.0.1"), 11, "10.96.0.1 is no member of a hash:ip,port"),
        (LIST.replace("10.96.0.1,tcp:443", "fd00::1,tcp:443"), 11, "fd00::1 is IPv6 in a set of IPv4"),
        (
            LIST.replace("10.96.0.1,tcp:443", "node-a,tcp:443"),
            11,
            "node-a is not an IP address in numbers; run ipset without -r",
        ),
        (LIST.replace("10.96.0.1,tcp:443", "10.96.0.1,tcq:443"), 11, "tcq is no protocol"),
        (LIST.replace("10.96.0.1,tcp:443", "10.96.0.1,gre:443"), 11, "gre has no ports"),
        (LIST.replace("10.96.0.1,tcp:443", "10.96.0.1,tcp:443 huh"), 11, "not a member of KUBE-CLUSTER-IP"),
        (LIST.replace("family inet ", "family inet5 "), 4, "inet5 is no family"),
        (LIST.replace("maxelem 65536 bucketsize", "maxelem 65536 colour"), 4, "colour is no option of a set"),
        ("create s\n", 1, "create without name or type: cut off"),
        ("create s hash:ip maxelem\n", 1, "maxelem without a value: cut off"),
        ("create s hash:ip\nadd s\n", 2, "add without a member: cut off"),
        ("add s 10.0.0.1\n", 1, "a member of s, which is not created"),
        ("create s hash:ip\nadd s 10.0.\n", 2, "10.0. is not an IP address"),
        ("Type: hash:ip\n", 1, "Type without the name of a set"),
    ],
)
def test_a_dump_that_is_not_whole_is_refused_with_its_line(text: str, line: int, what: str) -> None:
    found = refusal(text)

    assert line == found[0]
    assert what in found[1]


def test_members_that_age_may_be_fewer_than_told() -> None:
    """The kernel counts those whose time is over until it sweeps them."""
    text = (
        "Name: s\nType: hash:ip\nHeader: family inet timeout 60\nNumber of entries: 2\n"
        "Members:\n10.0.0.1 timeout 9\n"
    )

    assert {"10.0.0.1"} == sets(text)["s"].entries


@pytest.mark.parametrize(
    ("data", "line", "what"),
    [
        (b"", 0, "is empty"),
        (b"# nothing\n", 1, "nothing of ipset's; give the output of ipset list or ipset save"),
        (b"Name: s\0\n", 1, "binary"),
        (LIST.encode("utf-16"), 1, "UTF-16"),
        (b"\xff\n", 1, "not UTF-8"),
        (b'<ipsets>\n<ipset name="s">\n', 1, "this looks like XML, as ipset -o xml prints"),
        (b"[\n  {\n", 1, "this looks like JSON"),
        (b"TCP  10.96.0.1:443 rr\n", 1, "not a line of ipset"),
        (b"IP Virtual Server version 1.2.1 (size=4096)\n", 1, "this looks like output of ipvsadm"),
        (b"*filter\n", 1, "this looks like output of iptables"),
        (b"-A INPUT -j ACCEPT\n", 1, "this looks like output of iptables"),
        (b"create s hash:ip\nflush s\n", 2, "this looks like a script of ipset commands"),
        (b"KUBE-CLUSTER-IP\nKUBE-LOOP-BACK\n", 1, "not a line of ipset: KUBE-CLUSTER-IP; give the output"),
        (b"ipset v7.17: Kernel error received: Operation not permitted\n", 1, "ipset failed: ipset v7.17"),
    ],
)
def test_text_of_another_kind_is_told_by_its_first_line(data: bytes, line: int, what: str) -> None:
    found = refusal(data)

    assert line == found[0]
    assert what in found[1]
