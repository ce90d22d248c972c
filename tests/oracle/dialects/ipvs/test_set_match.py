"""A set and its directions hold exactly the packets that the kernel would find in it."""

import itertools

import attrs
import pytest
from hypothesis import given

from model.addresses import Family, format_address, parse_address
from model.packet import PROTOCOL_NAMES, TCP, UDP
from model.predicate import All, Fact, Field, Predicate, Within, holds
from oracle.dialects.ipvs import IpsetDump, members, non_members, parse_ipset
from tests.strategies.dumps import ENTRIES, HERE

V4 = Family.IPV4


@attrs.frozen
class Asked:
    """A packet that conditions may be asked about."""

    fields: dict[Field, int]
    facts: dict[Fact, bool]


def packet(
    source: str = "9.9.9.9",
    destination: str = "9.9.9.9",
    protocol: int = TCP,
    port: int = 80,
    source_port: int = 4000,
) -> Asked:
    fields = {
        Field.SOURCE: parse_address(source)[1],
        Field.DESTINATION: parse_address(destination)[1],
        Field.PROTOCOL: protocol,
        Field.PORT: port,
        Field.SOURCE_PORT: source_port,
    }
    return Asked(fields, {})


def dump(*lines: str) -> IpsetDump:
    return parse_ipset("".join(line + "\n" for line in lines).encode(), "ipset")


def saved(type_: str, *entries: str) -> IpsetDump:
    return dump(f"create s {type_}", *(f"add s {entry}" for entry in entries))


def count(conjunctions: tuple[Predicate, ...] | None, asked: Asked) -> int:
    """How many of the conjunctions hold."""
    assert conjunctions is not None
    return sum(holds(one, asked) for one in conjunctions)


def is_in(found: IpsetDump, directions: str, asked: Asked, family: Family = V4) -> bool:
    """Whether the set holds the packet, asked both ways: as a member and as none."""
    inside = count(members(found, "s", directions, family), asked)
    outside = count(non_members(found, "s", directions, family), asked)
    assert 1 == inside + outside
    return inside == 1


def test_a_cluster_ip_is_matched_by_destination_protocol_and_port() -> None:
    """`-m set --match-set KUBE-CLUSTER-IP dst,dst` (rules-ipvs 6)."""
    found = saved("hash:ip,port", "10.96.0.1,tcp:443", "10.96.0.10,udp:53")

    assert is_in(found, "dst,dst", packet(destination="10.96.0.1", port=443))
    assert not is_in(found, "dst,dst", packet(destination="10.96.0.1", port=443, protocol=UDP))
    assert not is_in(found, "dst,dst", packet(destination="10.96.0.1", port=53, protocol=UDP))
    assert not is_in(found, "dst,dst", packet(source="10.96.0.1", port=443))


def test_the_first_direction_may_be_the_source_while_the_port_is_the_destinations() -> None:
    """MODE-22: without a detector kube-proxy asks `src,dst`."""
    found = saved("hash:ip,port", "10.96.0.1,tcp:443")

    assert is_in(found, "src,dst", packet(source="10.96.0.1", port=443))
    assert not is_in(found, "src,src", packet(source="10.96.0.1", port=443))
    assert is_in(found, "src,src", packet(source="10.96.0.1", source_port=443))


def test_hairpin_is_an_endpoint_that_talks_to_itself() -> None:
    """MODE-21: KUBE-LOOP-BACK, `dst,dst,src`."""
    found = saved("hash:ip,port,ip", "10.0.0.5,tcp:80,10.0.0.5", "10.0.0.6,tcp:80,10.0.0.6")

    assert is_in(found, "dst,dst,src", packet("10.0.0.5", "10.0.0.5"))
    assert not is_in(found, "dst,dst,src", packet("10.0.0.6", "10.0.0.5"))


def test_source_ranges_belong_to_their_frontend() -> None:
    """FWD-LBSR-01: KUBE-LOAD-BALANCER-SOURCE-CIDR, `dst,dst,src`."""
    found = saved("hash:ip,port,net", "1.1.1.1,tcp:80,10.0.0.0/8", "2.2.2.2,tcp:80,11.0.0.0/8")

    assert is_in(found, "dst,dst,src", packet("10.3.0.1", "1.1.1.1"))
    assert not is_in(found, "dst,dst,src", packet("10.3.0.1", "2.2.2.2"))


@pytest.mark.parametrize(("protocol", "expected"), [(TCP, True), (UDP, True), (132, False), (1, False)])
def test_a_bitmap_of_ports_holds_those_of_tcp_and_udp(protocol: int, expected: bool) -> None:
    found = saved("bitmap:port range 0-65535", "30380")

    assert expected == is_in(found, "dst", packet(protocol=protocol, port=30380))


def test_ports_alone_are_of_either_family() -> None:
    found = saved("bitmap:port range 0-65535", "30380")

    assert members(found, "s", "dst", Family.IPV4) == members(found, "s", "dst", Family.IPV6)


@pytest.mark.parametrize(
    ("destination", "expected"),
    [("10.9.0.1", True), ("10.1.0.1", False), ("10.1.2.1", True), ("11.0.0.1", False)],
)
def test_the_smallest_network_that_holds_an_address_decides(destination: str, expected: bool) -> None:
    """nomatch takes a network out of a larger one, and a smaller one comes back in."""
    found = saved("hash:net", "10.1.2.0/24", "10.1.0.0/16 nomatch", "10.0.0.0/8")

    assert expected == is_in(found, "dst", packet(destination=destination))


def test_a_network_is_taken_out_for_its_own_port_only() -> None:
    found = saved("hash:net,port", "10.0.0.0/8,tcp:80", "10.0.0.0/8,tcp:81", "10.1.0.0/16,tcp:81 nomatch")

    assert is_in(found, "dst,dst", packet(destination="10.1.0.1", port=80))
    assert not is_in(found, "dst,dst", packet(destination="10.1.0.1", port=81))


def test_networks_of_both_ends_may_overlap() -> None:
    found = saved("hash:net,net", "10.0.0.0/8,10.0.0.0/8", "10.1.0.0/16,0.0.0.0/1")

    assert is_in(found, "src,dst", packet("10.1.0.1", "10.0.0.1"))
    assert is_in(found, "src,dst", packet("10.1.0.1", "9.0.0.1"))
    assert not is_in(found, "src,dst", packet("10.2.0.1", "9.0.0.1"))


def test_a_part_asked_twice_of_one_end_must_hold_twice() -> None:
    found = saved("hash:net,net", "10.0.0.0/8,10.1.0.0/16")

    assert is_in(found, "dst,dst", packet(destination="10.1.0.1"))
    assert not is_in(found, "dst,dst", packet(destination="10.2.0.1"))


@pytest.mark.parametrize("directions", ["dst", "src"])
def test_fewer_directions_than_parts_hold_nothing(directions: str) -> None:
    """ip_set_test of the kernel."""
    found = saved("hash:ip,port", "10.96.0.1,tcp:443")

    assert () == members(found, "s", directions, V4)


def test_more_directions_than_parts_mean_nothing() -> None:
    found = saved("hash:ip", "10.96.0.1")

    assert members(found, "s", "dst", V4) == members(found, "s", "dst,dst,src", V4)


def test_a_set_of_the_other_family_holds_nothing() -> None:
    found = saved("hash:ip family inet6", "fd00::1")

    assert () == members(found, "s", "dst", V4)
    assert (All((Within(Field.DESTINATION, ((0xFD << 120 | 1,) * 2,)),)),) == members(
        found, "s", "dst", Family.IPV6
    )


def test_an_empty_set_holds_nothing_and_its_complement_everything() -> None:
    found = saved("hash:ip,port")

    assert () == members(found, "s", "dst,dst", V4)
    assert (All(()),) == non_members(found, "s", "dst,dst", V4)


def test_one_field_gives_one_literal_either_way() -> None:
    found = saved("hash:ip", "10.0.0.1", "10.0.0.3", "10.0.0.2")
    low = HERE + 1

    assert (All((Within(Field.DESTINATION, ((low, low + 2),)),)),) == members(found, "s", "dst", V4)
    assert (All((Within(Field.DESTINATION, ((0, low - 1), (low + 3, 2**32 - 1))),)),) == non_members(
        found, "s", "dst", V4
    )


def test_frontends_that_share_a_port_are_one_conjunction() -> None:
    found = saved("hash:ip,port", *(f"10.0.0.{at},tcp:80" for at in range(1, 200, 2)))
    given_ = members(found, "s", "dst,dst", V4)

    assert given_ is not None
    assert 1 == len(given_)


def test_a_list_holds_what_any_of_its_sets_holds() -> None:
    found = dump(
        "create a hash:ip", "add a 10.0.0.1",
        "create b hash:ip,port", "add b 10.0.0.1,tcp:80", "add b 10.0.0.2,tcp:80",
        "create six hash:ip family inet6", "add six fd00::1",
        "create s list:set", "add s a", "add s b", "add s six",
    )  # fmt: skip

    assert is_in(found, "dst,dst", packet(destination="10.0.0.1", port=81))
    assert is_in(found, "dst,dst", packet(destination="10.0.0.2", port=80))
    assert not is_in(found, "dst,dst", packet(destination="10.0.0.2", port=81))


def test_types_of_icmp_are_not_judged_where_nothing_else_holds_the_packet() -> None:
    found = saved("hash:ip,port", "10.0.0.1,icmp:echo-request", "10.0.0.1,tcp:80")
    address = Within(Field.DESTINATION, ((HERE + 1, HERE + 1),))
    doubt = All(
        (
            address,
            Within(Field.PROTOCOL, ((1, 1),)),
            Fact("unsupported", "--match-set s dst,dst (types of ICMP)"),
        )
    )
    inside, outside = members(found, "s", "dst,dst", V4), non_members(found, "s", "dst,dst", V4)

    assert inside is not None
    assert outside is not None
    assert 2 == len(inside)
    assert doubt == inside[-1] == outside[-1]


@pytest.mark.parametrize(
    ("found", "name"),
    [
        (saved("hash:ip", "10.0.0.1"), "t"),
        (saved("hash:mac", "01:02:03:04:05:06"), "s"),
        (saved("hash:net,net", "10.0.0.0/8,10.0.0.0/8 nomatch"), "s"),
        (dump("create l list:set", "add l gone"), "l"),
        (dump("create m hash:mac", "create l list:set", "add l m"), "l"),
    ],
    ids=["missing", "opaque", "nomatch-of-two", "list-of-missing", "list-of-opaque"],
)
def test_what_cannot_be_judged_is_none(found: IpsetDump, name: str) -> None:
    """rules-ipvs 5: a set that rules name and the dump lacks is incomplete input."""
    assert None is members(found, name, "src,dst", V4)
    assert None is non_members(found, name, "src,dst", V4)


def in_kernel(given_: dict[tuple[tuple[int, int], tuple[int, int], int], bool], asked: Asked) -> bool:
    """The lookup of hash:net,port,ip: the first found, from the longest prefix on, decides."""
    for length in range(32, 0, -1):
        net = asked.fields[Field.SOURCE] >> (32 - length) << (32 - length)
        at = (asked.fields[Field.PROTOCOL], asked.fields[Field.PORT])
        excluded = given_.get(((net, length), at, asked.fields[Field.DESTINATION]))
        if excluded is not None:
            return not excluded
    return False


@given(ENTRIES)
def test_every_packet_is_held_as_the_kernel_finds_it(
    given_: dict[tuple[tuple[int, int], tuple[int, int], int], bool],
) -> None:
    """Over all packets of a small world, each in one conjunction of either answer."""
    texts = (
        f"{format_address(V4, net)}/{length},{PROTOCOL_NAMES[protocol]}:{port},{format_address(V4, other)}"
        + " nomatch" * excluded
        for ((net, length), (protocol, port), other), excluded in given_.items()
    )
    found = dump("create s hash:net,port,ip", *(f"add s {text}" for text in texts))
    inside, outside = (give(found, "s", "src,dst,dst", V4) for give in (members, non_members))

    for source, destination in itertools.product(range(8), range(8)):
        for protocol, port in ((TCP, 1), (TCP, 2), (UDP, 1), (UDP, 2)):
            fields = {
                Field.SOURCE: HERE + source,
                Field.DESTINATION: HERE + destination,
                Field.PROTOCOL: protocol,
                Field.PORT: port,
                Field.SOURCE_PORT: 4000,
            }
            asked = Asked(fields, {})
            expected = in_kernel(given_, asked)
            assert (int(expected), int(not expected)) == (count(inside, asked), count(outside, asked))
