"""How long an entry lasts, by protocol and what its connection has come to."""

import attrs
import pytest

from model.addresses import Family
from model.conntrack import KUBE_PROXY_TIMEOUTS, Flow, FlowKey, FlowState, is_expired, timeout
from model.packet import PROTOCOL_NUMBERS

OPENING, ESTABLISHED = FlowState.OPENING, FlowState.ESTABLISHED


def flow(protocol: str, state: FlowState, *, opened: int = 0, seen: int = 0) -> Flow:
    key = FlowKey(Family.IPV4, PROTOCOL_NUMBERS[protocol], 1, 40000, 2, 80)
    return Flow(key, None, False, None, opened=opened, seen=seen, state=state)


@pytest.mark.parametrize(
    ("protocol", "state", "expected"),
    [
        # nf_conntrack_tcp_timeout_*, of which kube-proxy sets established and close_wait.
        ("tcp", OPENING, 120),
        ("tcp", ESTABLISHED, 86_400),
        ("tcp", FlowState.HALF_CLOSED, 3_600),
        ("tcp", FlowState.CLOSED, 120),
        ("tcp", FlowState.RESET, 10),
        ("sctp", OPENING, 3),
        ("sctp", ESTABLISHED, 210),
        ("sctp", FlowState.HALF_CLOSED, 3),
        ("sctp", FlowState.CLOSED, 10),
        ("udp", OPENING, 30),
        ("udp", ESTABLISHED, 30),
        ("icmp", ESTABLISHED, 30),
    ],
)
def test_an_entry_lasts_as_the_kernel_has_it(protocol: str, state: FlowState, expected: int) -> None:
    """CT-01"""
    assert timeout(flow(protocol, state), KUBE_PROXY_TIMEOUTS) == expected


@pytest.mark.parametrize(
    ("state", "seen", "expected"),
    [(ESTABLISHED, 2, 30), (ESTABLISHED, 3, 120), (OPENING, 3, 30), (OPENING, 300, 30)],
)
def test_udp_that_is_answered_for_more_than_two_seconds_is_a_stream(
    state: FlowState, seen: int, expected: int
) -> None:
    """nf_conntrack_udp_timeout_stream; packets one way alone never make one."""
    assert timeout(flow("udp", state, seen=seen), KUBE_PROXY_TIMEOUTS) == expected


def test_an_entry_is_gone_when_its_time_is_over_not_before() -> None:
    udp = flow("udp", OPENING, opened=5, seen=5)

    assert (is_expired(udp, 34), is_expired(udp, 35)) == (False, True)


def test_a_flow_is_opening_until_something_comes_back() -> None:
    by_default = {field.name: field.default for field in attrs.fields(Flow)}

    assert by_default["state"] is OPENING
