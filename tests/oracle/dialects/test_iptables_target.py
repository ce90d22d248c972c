"""What each target does, and that what cannot be judged says so."""

import pytest

from model.addresses import Family
from oracle.dialects.iptables.targets import parse_goto, parse_target
from oracle.dialects.iptables.tokens import MalformedError, WrongFamilyError
from oracle.ruleset import (
    Accept,
    Action,
    Continue,
    Dnat,
    Drop,
    Goto,
    Jump,
    Masquerade,
    Redirect,
    Reject,
    Return,
    SetMark,
    Unsupported,
    Untrack,
)

V4, V6 = Family.IPV4, Family.IPV6
ONE = 0x0A000001  # 10.0.0.1


@pytest.mark.parametrize(
    ("text", "action"),
    [
        ("ACCEPT", Accept()),
        ("DROP", Drop()),
        ("RETURN", Return()),
        ("KUBE-SVC-A", Jump("KUBE-SVC-A")),
        ("REJECT", Reject("icmp-port-unreachable")),
        ("REJECT --reject-with tcp-reset", Reject("tcp-reset")),
        ("REJECT --reject-with icmp-admin-prohibited", Reject("icmp-admin-prohibited")),
        ("DNAT --to-destination 10.0.0.1", Dnat(ONE, None)),
        ("DNAT --to-destination 10.0.0.1:8080", Dnat(ONE, 8080)),
        ("DNAT --to-destination :8080", Dnat(None, 8080)),
        ("DNAT --to-destination 10.0.0.1:8080 --random --persistent", Dnat(ONE, 8080)),
        ("DNAT --to-destination 10.0.0.1-10.0.0.1:80-80", Dnat(ONE, 80)),
        (
            "DNAT --to-destination 10.0.0.1:80-90",
            Unsupported("DNAT to a range of ports, 10.0.0.1:80-90"),
        ),
        (
            "DNAT --to-destination 10.0.0.1-10.0.0.5",
            Unsupported("DNAT to a range of addresses, 10.0.0.1-10.0.0.5"),
        ),
        (
            "DNAT --to-destination 10.0.0.1 --to-destination 10.0.0.2",
            Unsupported("DNAT without a single --to-destination"),
        ),
        (
            "DNAT [unsupported revision]",
            Unsupported(
                "the dump was taken with an iptables older than the host's and does not show where the rule "
                "sends packets; use the host's own iptables-save"
            ),
        ),
        ("MARK [unsupported revision]", Unsupported("MARK [unsupported revision]")),
        ("REDIRECT", Redirect(None)),
        ("REDIRECT --to-ports 8080 --random", Redirect(8080)),
        ("REDIRECT --to-ports 80-81", Unsupported("REDIRECT to a range of ports, 80-81")),
        ("MASQUERADE --random-fully", Masquerade()),
        ("SNAT --to-source 10.0.0.1", Masquerade()),
        ("CONNMARK --save-mark --nfmask 0x220 --ctmask 0x220", Continue()),
        ("CONNMARK --set-xmark 0x80/0x80", Continue()),
        ("CONNMARK --restore-mark --nfmask 0xff --ctmask 0xff", Unsupported("CONNMARK --restore-mark")),
        ('LOG --log-prefix "a -j b "', Continue()),
        ("NFLOG --nflog-group 1", Continue()),
        ("TRACE", Continue()),
        ("CHECKSUM --checksum-fill", Continue()),
        ("TCPMSS --clamp-mss-to-pmtu", Continue()),
        ("SET --add-set seen src", Continue()),
        ("CT --helper ftp", Continue()),
        ("CT --notrack", Untrack()),
        ("NOTRACK", Untrack()),
        (
            "TPROXY --on-port 80 --on-ip 0.0.0.0 --tproxy-mark 0x1/0x1",
            Unsupported("target TPROXY is not judged"),
        ),
        ("NFQUEUE --queue-num 1", Unsupported("target NFQUEUE is not judged")),
        ("TTL --ttl-set 64", Unsupported("target TTL is not judged")),
        ("SHINY --new", Unsupported("unknown target SHINY")),
    ],
)
def test_targets(text: str, action: Action) -> None:
    """Each target has one action; none that is not known is guessed."""
    assert parse_target(text, V4) == action


@pytest.mark.parametrize(
    ("text", "before", "after"),
    [
        ("--set-xmark 0x4000/0x4000", 0x8000, 0xC000),
        ("--set-xmark 0x4000/0x4000", 0x4000, 0x4000),
        ("--set-xmark 0x4000/0x0", 0x4001, 0x0001),
        ("--set-xmark 0x220/0xffffffff", 0xFF, 0x220),
        ("--set-mark 0x1", 0xFF00, 0x1),
        ("--set-mark 0x1/0x3", 0xFF02, 0xFF01),
        ("--set-mark 0x4/0x3", 0x7, 0x4),
        ("--or-mark 0x4000", 0x4001, 0x4001),
        ("--and-mark 0xffffbfff", 0x4001, 0x0001),
        ("--xor-mark 0x4000", 0x4001, 0x0001),
    ],
)
def test_a_mark_is_cleared_then_flipped(text: str, before: int, after: int) -> None:
    """All ways of writing a mark come down to (mark & ~clear) ^ flip."""
    action = parse_target(f"MARK {text}", V4)

    assert isinstance(action, SetMark)
    assert (before & ~action.clear) ^ action.flip == after


@pytest.mark.parametrize(
    ("text", "action"),
    [
        ("DNAT --to-destination [fd00::1]:8080", Dnat((0xFD << 120) | 1, 8080)),
        ("DNAT --to-destination fd00::1", Dnat((0xFD << 120) | 1, None)),
        ("DNAT --to-destination [fd00::1]", Dnat((0xFD << 120) | 1, None)),
        ("REJECT", Reject("icmp6-port-unreachable")),
    ],
)
def test_targets_of_ipv6(text: str, action: Action) -> None:
    """An address with a port stands in brackets."""
    assert parse_target(text, V6) == action


def test_a_declared_chain_goes_before_an_extension_of_its_name() -> None:
    """iptables calls the chain, too."""
    assert parse_target("LOG", V4, {"LOG"}) == Jump("LOG")


def test_a_goto_names_a_chain() -> None:
    """The chain's end is then the end of the caller."""
    assert parse_goto("KUBE-SVC-A") == Goto("KUBE-SVC-A")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("ACCEPT --now", "--now after the target ACCEPT, which takes no options"),
        ("DNAT --to-destination 10.0.0.1:0", "0 is not a port"),
        ("DNAT --to-destination [fd00::1:80", "[fd00::1:80 is not a destination"),
        ("DNAT --to-destination 10.0.0:80", "'10.0.0' is not an IP address"),
        ("MARK --set-xmark 0x4000/mask", "mask is not a number from 0 to 4294967295"),
        ("MARK", "MARK takes one option"),
    ],
)
def test_what_iptables_would_refuse_is_refused(text: str, what: str) -> None:
    """The message names the fault."""
    with pytest.raises(MalformedError) as refused:
        parse_target(text, V4)

    assert str(refused.value) == what


@pytest.mark.parametrize(
    ("text", "family"),
    [
        ("DNAT --to-destination [fd00::1]:80", V4),
        ("DNAT --to-destination 10.0.0.1:80", V6),
        ("REJECT --reject-with icmp6-port-unreachable", V4),
        ("REJECT --reject-with icmp-port-unreachable", V6),
    ],
)
def test_a_target_of_the_other_family_is_refused(text: str, family: Family) -> None:
    """It shows that the dump is not what it is said to be."""
    with pytest.raises(WrongFamilyError):
        parse_target(text, family)
