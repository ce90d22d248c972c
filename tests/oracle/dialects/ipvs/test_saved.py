"""The commands of ipvsadm -Sn become virtual servers, with ipvsadm's defaults for what is left out."""

import pytest

from model.addresses import Family, parse_address
from model.ipvs.records import Frontend
from model.packet import SCTP, TCP, UDP
from oracle.dialects.ipvs import parse_ipvsadm
from oracle.dialects.ipvs.records import Form, Method, RealServerEntry, SchedulerFlag, VirtualServerEntry


def read(text: str) -> tuple[VirtualServerEntry, ...]:
    dump = parse_ipvsadm(text.encode(), "ipvsadm")
    assert dump.form is Form.SAVE
    return dump.virtual_servers


def number(text: str) -> int:
    return parse_address(text)[1]


def test_commands_make_a_virtual_server_with_its_real_servers() -> None:
    """IPVS-01, IPVS-02; this form counts no connections."""
    (found,) = read(
        "-A -t 10.96.0.10:53 -s rr -p 10800\n"
        "-a -t 10.96.0.10:53 -r 10.244.0.2:53 -m -w 1\n"
        "-a -t 10.96.0.10:53 -r 10.244.0.3:53 -m -w 0\n"
    )

    assert (
        VirtualServerEntry(
            Family.IPV4,
            Frontend(number("10.96.0.10"), TCP, 53),
            scheduler="rr",
            timeout=10800,
            mask=0xFFFFFFFF,
            real_servers=(
                RealServerEntry(Family.IPV4, number("10.244.0.2"), 53, Method.MASQ, 1),
                RealServerEntry(Family.IPV4, number("10.244.0.3"), 53, Method.MASQ, 0),
            ),
        )
        == found
    )
    assert (1, [2, 3]) == (found.line, [real.line for real in found.real_servers])


@pytest.mark.parametrize(
    ("option", "family", "frontend", "mark"),
    [
        ("-t 10.0.0.1:80", Family.IPV4, Frontend(number("10.0.0.1"), TCP, 80), 0),
        ("-u [fd00::1]:53", Family.IPV6, Frontend(1 + (0xFD << 120), UDP, 53), 0),
        ("--sctp-service 10.0.0.1:9", Family.IPV4, Frontend(number("10.0.0.1"), SCTP, 9), 0),
        ("-f 4", Family.IPV4, None, 4),
        ("-f 4 -6", Family.IPV6, None, 4),
    ],
)
def test_a_virtual_server_is_of_a_protocol_or_a_mark(
    option: str, family: Family, frontend: Frontend | None, mark: int
) -> None:
    (found,) = read(f"-A {option} -s rr\n")

    assert (family, frontend, mark) == (found.family, found.frontend, found.mark)


def test_real_servers_find_their_virtual_server_in_any_order() -> None:
    first, second = read(
        "-A -t 10.0.0.1:80 -s rr\n-A -f 4 -6 -s rr\n"
        "-a -t 10.0.0.1:80 -r 10.9.0.1:80 -m -w 1\n"
        "-a -f 4 -6 -r [fd00::9]:0 -g -w 2\n"
    )

    assert [number("10.9.0.1")] == [real.address for real in first.real_servers]
    assert [(number("fd00::9"), Method.ROUTE, 2)] == [
        (real.address, real.method, real.weight) for real in second.real_servers
    ]


def test_every_option_of_a_virtual_server_is_read() -> None:
    (found,) = read("-A -u 10.0.0.1:5060 -s mh -p 60 -M 255.255.0.0 --pe sip -o -b mh-fallback,mh-port\n")

    assert ("mh", 60, 0xFFFF0000, "sip", True, SchedulerFlag.FLAG_1 | SchedulerFlag.FLAG_2) == (
        found.scheduler,
        found.timeout,
        found.mask,
        found.engine,
        found.one_packet,
        found.flags,
    )


def test_what_is_left_out_has_the_tools_defaults() -> None:
    """Scheduler wlc, persistence of 300 seconds where -p is bare, weight 1, direct routing."""
    (found,) = read("-A -t 10.0.0.1:80 -p\n-a -t 10.0.0.1:80 -r 10.9.0.1\n")

    assert ("wlc", 300) == (found.scheduler, found.timeout)
    assert (RealServerEntry(Family.IPV4, number("10.9.0.1"), 80, Method.ROUTE, 1),) == found.real_servers


def test_long_options_say_the_same_as_short_ones() -> None:
    assert read("-A -t 10.0.0.1:80 -s rr -p 60\n-a -t 10.0.0.1:80 -r 10.9.0.1:80 -m -w 2\n") == read(
        "--add-service --tcp-service 10.0.0.1:80 --scheduler=rr --persistent 60\n"
        "--add-server --tcp-service 10.0.0.1:80 --real-server 10.9.0.1:80 --masquerading --weight=2\n"
    )


def test_a_tunnel_is_one_whatever_carries_it() -> None:
    (found,) = read(
        "-A -t 10.0.0.1:80 -s rr\n"
        "-a -t 10.0.0.1:80 -r 10.9.0.1:80 -i -w 1 --tun-type gue --tun-port 6080 --tun-nocsum\n"
    )

    assert [Method.TUNNEL] == [real.method for real in found.real_servers]
