"""What is not ipvsadm's own telling output is refused with its line, and told what to run instead."""

import time

import pytest

from model.errors import InputError
from oracle.dialects.ipvs import parse_ipvsadm

HEADING = """\
IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn
"""
TOP = HEADING.split("\n", 1)[0] + "\n"
SERVER = "TCP  10.96.0.1:443 rr\n"


def refusal(data: str | bytes) -> tuple[int, str]:
    """Line and words of the refusal."""
    with pytest.raises(InputError) as refused:
        parse_ipvsadm(data.encode() if isinstance(data, str) else data, "dump")
    assert "dump" == refused.value.file
    assert "\n" not in str(refused.value)
    return refused.value.line, refused.value.what


@pytest.mark.parametrize(
    ("columns", "option"),
    [
        ("Conns   InPkts  OutPkts  InBytes OutBytes", "--stats"),
        ("CPS    InPPS   OutPPS    InBPS   OutBPS", "--rate"),
        ("Uthreshold Lthreshold ActiveConn InActConn", "--thresholds"),
        ("Weight    PersistConn ActiveConn InActConn", "--persistent-conn"),
    ],
)
def test_listings_of_other_columns_are_named(columns: str, option: str) -> None:
    text = f"{TOP}Prot LocalAddress:Port               {columns}\n  -> RemoteAddress:Port\n"

    assert (
        2,
        f"this is the output of ipvsadm -L {option}, which lacks schedulers, methods or weights; "
        "give the output of ipvsadm -Ln",
    ) == refusal(text)


def test_connections_are_no_virtual_servers() -> None:
    text = (
        "IPVS connection entries\n"
        "pro expire state       source             virtual            destination\n"
        "TCP 14:58  ESTABLISHED 10.244.1.9:41000   10.96.0.1:443      192.168.49.2:8443\n"
    )
    line, what = refusal(text)

    assert 1 == line
    assert "ipvsadm -Lnc" in what
    assert "give the output of ipvsadm -Ln or ipvsadm -Sn" in what


@pytest.mark.parametrize(
    "line",
    [
        "TCP  node-a.example:https rr",
        "TCP  10.96.0.1:https rr",
        "TCP  ip-10-0-62-121.ec2.internal: rr",
        SERVER + "  -> 100.99.0.16:http             Masq    1      0          14",
        SERVER + "  -> ip-10-0-62-92.ec2.internal:9 Masq    1      0          0",
    ],
)
def test_names_instead_of_numbers_are_refused_with_the_option_that_helps(line: str) -> None:
    number, what = refusal(HEADING + line + "\n")

    assert 4 + line.count("\n") == number
    assert what.endswith("is not an address and port in numbers; run ipvsadm with -n")


def test_names_in_commands_are_refused_likewise() -> None:
    assert (
        1,
        "kubernetes.default:https is not an address and port in numbers; run ipvsadm with -n",
    ) == refusal("-A -t kubernetes.default:https -s rr\n")


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        (HEADING + "TCP  10.96.0.1:443", 4, "address, port and scheduler are expected"),
        (HEADING + SERVER + "  -> ", 5, "a real server is expected"),
        (
            HEADING + SERVER + "  -> 10.0.0.5:443  Masq  1  0",
            5,
            "active and inactive connections are expected",
        ),
        (HEADING + SERVER + "  -> 10.0.0.5:443", 5, "active and inactive connections are expected"),
        (HEADING + SERVER + "  -> 10.0.0.5:44 3 Masq 1 0 0", 5, "counts instead of a method"),
        (HEADING + SERVER + "  -> 10.0.0.5:443 Masq 1 0 x", 5, "x is not a number"),
        (HEADING + SERVER + "  -> 10.0.0.5:443 Mask 1 0 0", 5, "not a real server as ipvsadm lists it"),
        (HEADING + SERVER + "  -> 10.0.0.5:70000 Masq 1 0 0", 5, "70000 is not a number from 0 to 65535"),
        (HEADING + SERVER + "  -> 10.0.0.555:443 Masq 1 0 0", 5, "10.0.0.555 is not an IP address"),
        (HEADING + "  -> 10.0.0.5:443 Masq 1 0 0", 4, "a real server without its virtual server"),
        (HEADING + "TCP  10.96.0.1:443 rr persistent", 4, " is not a number"),
        (HEADING + "TCP  10.96.0.1:443 rr resistant 4", 4, "resistant is nothing that"),
        (HEADING + "TCP  10.96.0.1:443 mh (mh-part)", 4, "mh-part is no scheduler flag"),
        (HEADING + "TCP  10.96.0.1:443 14209 111769 74613", 4, "counts instead of a scheduler"),
        (HEADING + SERVER + SERVER, 5, "the same virtual server as in line 4"),
        (
            HEADING + SERVER + "  -> 10.0.0.5:443 Masq 1 0 0\n" * 2,
            6,
            "the same real server as in line 5",
        ),
        ("-A -t 10.0.0.1:80 -s", 1, "-s without a value"),
        ("-A -t 10.0.0.1:80 -s rr\n-a -t 10.0.0.1:80 -r 10.9.", 2, "10.9. is not an address and port"),
        ("-A -t 10.0.0.1:80 -s rr\n-a -t 10.0.0.1:80", 2, "-a without -r"),
        ("-a -t 10.0.0.1:80 -r 10.9.0.1:80 -m -w 1", 1, "a real server without its virtual server"),
        ("-A -t 10.0.0.1:80 -u 10.0.0.1:80 -s rr", 1, "one of -t, -u, --sctp-service and -f"),
        ("-A -t 10.0.0.1:80 -s rr -s rr", 1, "-s is given twice"),
        ("-A -t 10.0.0.1:80 -s rr -w 1", 1, "-w does not go with -A"),
        ("-A -t 10.0.0.1:80 -s rr -p 0", 1, "persistence of 0 seconds"),
        ("-A -t 10.0.0.1:80 rr", 1, "rr stands where an option should"),
        ("-A -t 10.0.0.1:80 -s rr\n-a -t 10.0.0.1:80 -r 10.9.0.1:80 -m -g", 2, "one method"),
        ("FWM  0000000A rr \n", 1, "does not say whether it is of IPv4 or IPv6"),
    ],
)
def test_a_line_that_the_tool_would_not_write_is_named(text: str, line: int, what: str) -> None:
    found = refusal(text)

    assert line == found[0]
    assert what in found[1]


@pytest.mark.parametrize(
    ("data", "line", "what"),
    [
        (b"", 0, "is empty"),
        (b" \n\n", 0, "is empty"),
        (b"# only a comment\n", 1, "nothing of ipvsadm's; give the output of ipvsadm -Ln or ipvsadm -Sn"),
        (b"TCP \0", 1, "binary"),
        (SERVER.encode() + b"\xff\n", 2, "not UTF-8"),
        (HEADING.encode("utf-16"), 1, "UTF-16"),
        (b"*nat\n:PREROUTING ACCEPT [0:0]\n", 1, "this looks like output of iptables;"),
        (b"-P PREROUTING ACCEPT\n", 1, "this looks like output of iptables;"),
        (b"-A INPUT -j KUBE-FIREWALL\n", 1, "this looks like output of iptables;"),
        (HEADING.encode() + b"-A INPUT -j ACCEPT\n", 4, "this looks like output of iptables;"),
        (b"table ip kube-proxy {\n", 1, "this looks like output of nft;"),
        (b"Name: KUBE-CLUSTER-IP\n", 1, "this looks like output of ipset;"),
        (b"create KUBE-CLUSTER-IP hash:ip,port\n", 1, "this looks like output of ipset;"),
        (b'{"items": []}\n', 1, "this looks like JSON;"),
        (b"apiVersion: v1\n", 1, "this looks like YAML;"),
        (b"-C\n-A -t 10.0.0.1:80 -s rr\n", 1, "a script of ipvsadm commands"),
        (b"Timeout (tcp tcpfin udp): 900 120 300\n", 1, "ipvsadm -L --timeout"),
        (b"Can't initialize ipvs: Protocol not available\n", 1, "ipvsadm failed: Can't initialize ipvs"),
        (b"bash: ipvsadm: command not found\n", 1, "ipvsadm failed: bash: ipvsadm"),
        (HEADING.encode() + b"and so on\n", 4, "not a line of ipvsadm: and so on"),
    ],
)
def test_text_of_another_kind_is_told_by_its_first_line(data: bytes, line: int, what: str) -> None:
    found = refusal(data)

    assert line == found[0]
    assert what in found[1]


def test_megabytes_of_junk_are_refused_at_once_and_briefly() -> None:
    begun = time.monotonic()
    _, what = refusal(b"x" * (8 << 20))

    assert time.monotonic() - begun < 2
    assert len(what) < 200
