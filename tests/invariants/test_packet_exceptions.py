"""The exceptions of claims about packets are as wide as the rules make them, and no wider."""

from fractions import Fraction

import attrs
import pytest

from invariants.masquerade import (
    nobody_answers_itself_behind_the_node,
    the_source_is_replaced_just_by_the_rules,
)
from invariants.policies import a_verdict_tells_whether_endpoints_are_usable
from invariants.source_ranges import strangers_never_pass_source_ranges
from model.addresses import Family, parse_address
from model.frontends import NodeView, node_view
from model.node_config import InterfaceAddress, NodeConfig, ProxyMode
from model.objects import Cluster, Endpoint, EndpointPort, EndpointSlice
from model.outcome import Leaf, Outcome, Target, Verdict
from model.packet import Origin, Packet
from tests.invariants.test_exceptions import (
    BALANCED,
    FROM_NODE,
    OUTSIDE,
    TO_LOOPBACK,
    a_packet,
    a_view,
    outcome,
)

INSIDE = a_packet("203.0.113.5", "192.0.2.10")


def served_view(mode: ProxyMode = ProxyMode.IPTABLES) -> NodeView:
    """The balanced Service with 10.244.0.5 on this node, 10.244.1.5 on another, and this node itself."""
    places = (("10.244.0.5", "node-a"), ("10.244.1.5", "node-b"), ("10.32.1.11", "node-a"))
    piece = EndpointSlice(
        BALANCED.name,
        BALANCED.name,
        "IPv4",
        tuple(Endpoint((address,), node_name=node) for address, node in places),
        (EndpointPort("", "TCP", 8080),),
    )
    config = NodeConfig(
        "node-a",
        mode,
        cluster_cidrs=("10.244.0.0/16",),
        addresses=(InterfaceAddress("eth0", *parse_address("10.32.1.11"), 24),),
    )
    return node_view(Cluster((BALANCED,), (piece,)), config, Family.IPV4)


@pytest.mark.parametrize(
    ("packet", "expected"),
    [
        pytest.param(INSIDE, {Verdict.REJECT, Verdict.PASS}, id="refused; INV-38 speaks of what passes"),
        pytest.param(OUTSIDE, {Verdict.REJECT, Verdict.DROP, Verdict.PASS}, id="outside the ranges"),
        pytest.param(TO_LOOPBACK, {Verdict.REJECT, Verdict.DROP, Verdict.PASS}, id="guard of loopback"),
    ],
)
def test_inv_39_lets_only_ranges_and_the_guard_swallow_without_endpoints(
    packet: Packet, expected: set[Verdict]
) -> None:
    claim, view = a_verdict_tells_whether_endpoints_are_usable, a_view()

    assert {v for v in Verdict if claim.violation(view, packet, outcome(v)) is None} == expected


def test_inv_39_lets_nothing_refuse_while_an_endpoint_is_usable() -> None:
    claim, view = a_verdict_tells_whether_endpoints_are_usable, served_view()

    assert {v for v in Verdict if claim.violation(view, INSIDE, outcome(v)) is not None} == {Verdict.REJECT}


@pytest.mark.parametrize(
    ("view", "packet", "expected"),
    [
        pytest.param(a_view(), OUTSIDE, {Verdict.DROP, Verdict.REJECT}, id="from outside"),
        pytest.param(a_view(), FROM_NODE, {Verdict.DROP, Verdict.REJECT, Verdict.PASS}, id="MODE-10"),
        pytest.param(
            a_view(ProxyMode.NFTABLES), FROM_NODE, {Verdict.DROP, Verdict.REJECT}, id="no MODE-10 there"
        ),
        pytest.param(
            served_view(), FROM_NODE, {Verdict.DROP, Verdict.REJECT}, id="no MODE-10 with endpoints"
        ),
        pytest.param(served_view(), INSIDE, set(Verdict), id="in the ranges"),
    ],
)
def test_inv_46_lets_strangers_past_only_by_mode_10(
    view: NodeView, packet: Packet, expected: set[Verdict]
) -> None:
    claim = strangers_never_pass_source_ranges

    assert {v for v in Verdict if claim.violation(view, packet, outcome(v)) is None} == expected


def back(packet: Packet, *, masquerade: bool) -> Outcome:
    """The packet goes to its own sender at port 8080."""
    return Outcome((Leaf(Verdict.DNAT, Fraction(1), Target(packet.source, 8080), masquerade),))


POD_HERE = a_packet("10.244.0.5", "10.96.0.10")
POD_ELSEWHERE = a_packet("10.244.1.5", "10.96.0.10")
AS_THE_NODE = a_packet("10.32.1.11", "10.96.0.10")
THE_NODE = attrs.evolve(AS_THE_NODE, origin=Origin.NODE)


@pytest.mark.parametrize(
    ("mode", "packet", "expected"),
    [
        pytest.param(ProxyMode.IPTABLES, POD_HERE, True, id="on this node"),
        pytest.param(ProxyMode.IPTABLES, POD_ELSEWHERE, True, id="on another node"),
        pytest.param(ProxyMode.NFTABLES, POD_HERE, True, id="nftables, on this node"),
        pytest.param(ProxyMode.NFTABLES, POD_ELSEWHERE, False, id="nftables, on another node (MODE-21)"),
        pytest.param(ProxyMode.IPTABLES, THE_NODE, True, id="the node itself"),
        pytest.param(ProxyMode.IPTABLES, AS_THE_NODE, False, id="ends on the node (MASQ-09)"),
    ],
)
def test_inv_62_replaces_the_source_of_what_comes_back_but_for_the_stated_exceptions(
    mode: ProxyMode, packet: Packet, expected: bool
) -> None:
    claim, view = the_source_is_replaced_just_by_the_rules, served_view(mode)

    allowed = {
        each for each in (True, False) if claim.violation(view, packet, back(packet, masquerade=each)) is None
    }
    assert allowed == {expected}


def test_inv_64_speaks_of_endpoints_on_this_node_that_postrouting_sees() -> None:
    claim, view = nobody_answers_itself_behind_the_node, served_view()
    packets = (POD_HERE, POD_ELSEWHERE, AS_THE_NODE, THE_NODE)

    broken = [one for one in packets if claim.violation(view, one, back(one, masquerade=False)) is not None]
    assert broken == [POD_HERE, THE_NODE]
