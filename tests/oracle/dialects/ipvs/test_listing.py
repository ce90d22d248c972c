"""A listing of ipvsadm -Ln, or of the kernel's own file, becomes virtual servers with real ones."""

import pytest

from model.addresses import Family, parse_address
from model.ipvs.records import Frontend
from model.packet import SCTP, TCP, UDP
from oracle.dialects.ipvs import parse_ipvsadm
from oracle.dialects.ipvs.records import (
    Form,
    Method,
    RealServerEntry,
    SchedulerFlag,
    VirtualServerEntry,
)

HEADING = """\
IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn
"""

PROC_HEADING = HEADING.replace("Port           Forward", "Port Forward")

# Two node ports' virtual servers of one Service, as in SEED-05.
SEED = HEADING + (
    "TCP  172.17.0.1:30380 rr\n"
    "  -> 10.244.140.80:80             Masq    1      0          0         \n"
    "  -> 10.244.196.137:80            Masq    1      0          0         \n"
    "TCP  10.32.1.147:30380 rr\n"
    "  -> 10.244.140.80:80             Masq    1      0          0         \n"
    "  -> 10.244.196.137:80            Masq    1      0          0         \n"
)


def number(text: str) -> int:
    return parse_address(text)[1]


def real(
    address: str,
    port: int,
    method: Method = Method.MASQ,
    weight: int = 1,
    active: int | None = 0,
    inactive: int | None = 0,
) -> RealServerEntry:
    family, value = parse_address(address)
    return RealServerEntry(family, value, port, method, weight, active, inactive)


def read(text: str) -> tuple[VirtualServerEntry, ...]:
    return parse_ipvsadm(text.encode(), "ipvsadm").virtual_servers


def only(text: str) -> VirtualServerEntry:
    (found,) = read(HEADING + text)
    return found


def virtual(
    address: str, protocol: int, port: int, *reals: RealServerEntry, scheduler: str = "rr"
) -> VirtualServerEntry:
    family, value = parse_address(address)
    frontend = Frontend(value, protocol, port)
    return VirtualServerEntry(
        family, frontend, scheduler=scheduler, mask=family.top, real_servers=tuple(reals)
    )


def test_each_address_of_a_node_port_is_a_virtual_server_with_the_same_real_servers() -> None:
    """IPVS-01, IPVS-02, IPVS-05 on the seed's own dump."""
    reals = (real("10.244.140.80", 80), real("10.244.196.137", 80))

    assert (
        virtual("172.17.0.1", TCP, 30380, *reals),
        virtual("10.32.1.147", TCP, 30380, *reals),
    ) == read(SEED)


def test_every_entry_knows_its_line_and_text() -> None:
    first, second = read(SEED)

    assert (4, 7) == (first.line, second.line)
    assert "TCP  172.17.0.1:30380 rr" == first.text
    assert [(8, "-> 10.244.140.80:80             Masq    1      0          0"), 9] == [
        (second.real_servers[0].line, second.real_servers[0].text),
        second.real_servers[1].line,
    ]


def test_weights_and_connections_are_those_of_the_columns() -> None:
    """A draining server has weight 0 and connections (IPVS-02, MODE-23)."""
    found = only("TCP  10.96.0.1:443 wrr\n  -> 10.0.0.5:6443                Masq    0      3          14\n")

    assert (real("10.0.0.5", 6443, weight=0, active=3, inactive=14),) == found.real_servers


@pytest.mark.parametrize(
    ("written", "protocol"), [("TCP ", TCP), ("UDP ", UDP), ("SCTP", SCTP)], ids=lambda value: str(value)
)
def test_protocols_are_numbers(written: str, protocol: int) -> None:
    assert virtual("10.96.0.10", protocol, 53) == only(f"{written} 10.96.0.10:53 rr\n")


def test_an_ipv6_line_that_overflows_its_column_is_read_by_its_blanks() -> None:
    """rules-ipvs 3: long addresses lose the padding."""
    found = only(
        "TCP  [fd00:10:96::1]:443 rr\n"
        "  -> [fd00:aaaa:bbbb:cccc:dddd:eeee:ffff:1234]:65535 Masq    1      10         1000000000\n"
    )

    assert (
        virtual(
            "fd00:10:96::1",
            TCP,
            443,
            real("fd00:aaaa:bbbb:cccc:dddd:eeee:ffff:1234", 65535, active=10, inactive=1_000_000_000),
        )
        == found
    )


def test_a_bare_persistent_server_keeps_clients_by_their_whole_address() -> None:
    """IPVS-01: the number is sessionAffinity's timeout in seconds."""
    found = only("TCP  10.96.0.1:443 rr persistent 10800\n")

    assert (10800, 0xFFFFFFFF) == (found.timeout, found.mask)


@pytest.mark.parametrize(
    ("line", "mask"),
    [
        ("TCP  10.96.0.1:443 rr persistent 60 mask 255.255.255.0", 0xFFFFFF00),
        ("TCP  [fd00::1]:443 rr persistent 60 mask 64", (2**64 - 1) << 64),
        ("TCP  [fd00::1]:443 rr persistent 60 mask 0", 0),
    ],
)
def test_a_mask_is_dotted_for_ipv4_and_a_length_for_ipv6(line: str, mask: int) -> None:
    assert mask == only(line).mask


@pytest.mark.parametrize(
    ("written", "flags"),
    [
        ("mh (mh-port)", SchedulerFlag.FLAG_2),
        ("mh (mh-fallback,mh-port)", SchedulerFlag.FLAG_1 | SchedulerFlag.FLAG_2),
        ("sh (sh-fallback)", SchedulerFlag.FLAG_1),
        ("mh (flag-2)", SchedulerFlag.FLAG_2),
        ("xy (flag-1,flag-3)", SchedulerFlag.FLAG_1 | SchedulerFlag.FLAG_3),
    ],
)
def test_scheduler_flags_are_read_by_old_and_new_names(written: str, flags: SchedulerFlag) -> None:
    """kube-proxy sets the second one for mh, 0x10 of the kernel."""
    found = only(f"UDP  10.96.0.1:443 {written} persistent 9\n")

    assert (written.split()[0], flags, 9) == (found.scheduler, found.flags, found.timeout)


def test_engine_and_single_packets_are_read() -> None:
    found = only("UDP  10.96.0.1:5060 rr persistent 60 pe sip ops\n")

    assert (60, "sip", True) == (found.timeout, found.engine, found.one_packet)


@pytest.mark.parametrize(
    ("line", "family"), [("FWM  7 rr", Family.IPV4), ("FWM  7 IPv6 rr", Family.IPV6)], ids=str
)
def test_a_firewall_mark_stands_for_a_frontend(line: str, family: Family) -> None:
    expected = VirtualServerEntry(family, None, 7, "rr", mask=family.top)

    assert expected == only(line)


@pytest.mark.parametrize("method", list(Method))
def test_every_method_is_known(method: Method) -> None:
    found = only(f"TCP  10.96.0.1:443 rr\n  -> 10.0.0.5:443   {method.value}   1  0  0\n")

    assert method == found.real_servers[0].method


def test_a_tunnel_column_is_passed_over() -> None:
    """rules-ipvs 3: newer tools print it when asked; blank for what is no tunnel."""
    text = (
        "IP Virtual Server version 1.2.1 (size=4096)\n"
        "Prot LocalAddress:Port Scheduler Flags\n"
        "  -> RemoteAddress:Port           Forward TunnelInfo    Weight ActiveConn InActConn\n"
        "TCP  10.96.0.1:443 rr\n"
        "  -> 10.0.0.5:443                 Tunnel  gue:6080:csum 3      1          2         \n"
        "  -> 10.0.0.6:443                 Masq                  4      0          0         \n"
    )

    assert (
        real("10.0.0.5", 443, Method.TUNNEL, 3, 1, 2),
        real("10.0.0.6", 443, Method.MASQ, 4),
    ) == read(text)[0].real_servers


@pytest.mark.parametrize(
    "text",
    [
        SEED.replace("\n", "\n        ").replace("  -> ", " -> "),
        "\n".join(" ".join(line.split()) for line in SEED.split("\n")),
        SEED.replace("rr\n", "rr "),
        SEED.replace("\n", " ", 2),
        SEED.replace("\n", "\r\n"),
        SEED.replace("\n", "\n\n"),
        "root@node:~# ipvsadm -Ln\n" + SEED,
        "# node-a\n" + SEED,
        "\ufeff" + SEED,
    ],
    ids=[
        "indented",
        "single-blanks",
        "joined",
        "headings-joined",
        "crlf",
        "gaps",
        "prompt",
        "comment",
        "bom",
    ],
)
def test_what_copying_does_to_a_listing_changes_nothing(text: str) -> None:
    assert read(SEED) == read(text)


def test_a_listing_without_servers_is_a_node_without_them() -> None:
    dump = parse_ipvsadm(HEADING.encode(), "ipvsadm")

    assert ((), ()) == (dump.virtual_servers, dump.warnings)


def test_a_listing_without_heading_may_be_a_part_and_that_is_said() -> None:
    dump = parse_ipvsadm(SEED.removeprefix(HEADING).encode(), "ipvsadm")

    assert 2 == len(dump.virtual_servers)
    assert ["no heading of ipvsadm: this may be a part of its output"] == [n.what for n in dump.warnings]


def test_a_last_line_without_end_is_noted() -> None:
    dump = parse_ipvsadm(SEED.rstrip("\n").encode(), "ipvsadm")

    assert [(9, "the last line has no end: it may be cut off")] == [(n.line, n.what) for n in dump.warnings]


def test_a_message_of_the_shell_around_it_is_noted() -> None:
    dump = parse_ipvsadm(b'Defaulted container "proxy" out of: proxy\n' + SEED.encode(), "ipvsadm")

    assert [1] == [note.line for note in dump.warnings]
    assert read(SEED) == dump.virtual_servers


PROC = PROC_HEADING + (
    "TCP  0A600001:01BB rr persistent 2700000 FFFFFF00\n"
    "  -> C0A83102:20FB      Masq    1      2          3         \n"
    "UDP  0A60000A:0035 rr ops \n"
    "TCP  [fd00:0010:0096:0000:0000:0000:0000:0001]:01BB rr persistent 90000 80000000\n"
    "  -> [fd00:0000:0000:0000:0000:0000:0000:0007]:0035      Masq    0      0          0         \n"
    "FWM  0000000A rr \n"
    "  -> 0A000005:0000      Route   1      0          0         \n"
)


def test_the_kernels_own_file_says_the_same_in_hexadecimal() -> None:
    tcp, udp, six, mark = read(PROC)

    assert real("192.168.49.2", 8443, active=2, inactive=3) == tcp.real_servers[0]
    assert (Frontend(number("10.96.0.10"), UDP, 53), True) == (udp.frontend, udp.one_packet)
    assert (Family.IPV6, Frontend(number("fd00:10:96::1"), TCP, 443)) == (six.family, six.frontend)
    assert (real("fd00::7", 53, weight=0),) == six.real_servers
    assert (None, 10, Family.IPV4) == (mark.frontend, mark.mark, mark.family)


def test_persistence_in_ticks_is_of_unknown_length() -> None:
    """The kernel prints jiffies there, whose length depends on how it was built."""
    tcp, udp, six, _ = read(PROC)

    assert [None, 0, None] == [tcp.timeout, udp.timeout, six.timeout]
    assert [0xFFFFFF00, 0xFFFFFFFF, 2**128 - 1] == [tcp.mask, udp.mask, six.mask]


def test_the_kernels_file_of_ipv6_alone_is_known_by_its_full_groups() -> None:
    """A port 0080 read as decimal would be 80, not 128."""
    text = PROC_HEADING + "TCP  [fd00:0010:0096:0000:0000:0000:0000:0001]:0080 rr \n"
    dump = parse_ipvsadm(text.encode(), "ip_vs")

    assert Form.PROC == dump.form
    assert Frontend(number("fd00:10:96::1"), TCP, 128) == dump.virtual_servers[0].frontend
