"""Whose frontend a packet is for, where an address and a node port meet at one number (FWD-OBJ-07)."""

from collections.abc import Sequence

import pytest

from invariants.catalogue import PACKET
from invariants.places import owners
from model.addresses import Family
from model.expectation import expect
from model.frontends import FrontendKind, NodeView, node_view
from model.node_config import InterfaceAddress, NodeConfig
from model.objects import (
    Cluster,
    Endpoint,
    EndpointPort,
    EndpointSlice,
    ObjectName,
    Service,
    ServicePort,
    ServiceType,
)
from model.outcome import Outcome, Target, Verdict
from model.packet import TCP, Origin, Packet

NODE, OUTSIDE = 0x0A20010B, 0xC6336407  # 10.32.1.11, 198.51.100.7
ASKED = Packet(Family.IPV4, Origin.WIRE, OUTSIDE, NODE, TCP, 30080)
BY_ADDRESS, BY_NUMBER = ObjectName("shop", "by-address"), ObjectName("shop", "by-number")


def view(of_address: Sequence[str], of_number: Sequence[str]) -> NodeView:
    """A Service with the node's address as its external IP, one with a node port of the same number."""
    services = (
        Service(
            BY_ADDRESS,
            ports=(ServicePort("", "TCP", 30080),),
            cluster_ips=("10.96.0.10",),
            external_ips=("10.32.1.11",),
        ),
        Service(
            BY_NUMBER,
            type=ServiceType.NODE_PORT,
            ports=(ServicePort("", "TCP", 80, 30080),),
            cluster_ips=("10.96.0.11",),
        ),
    )
    slices = tuple(
        EndpointSlice(
            name,
            name,
            "IPv4",
            tuple(Endpoint((one,), True, True, False, node_name="node-a") for one in addresses),
            (EndpointPort("", "TCP", 8080),),
        )
        for name, addresses in ((BY_ADDRESS, of_address), (BY_NUMBER, of_number))
    )
    config = NodeConfig("node-a", addresses=(InterfaceAddress("eth0", Family.IPV4, NODE, 24),))
    return node_view(Cluster(services, slices), config, Family.IPV4)


def by_number(seen: NodeView) -> Outcome:
    """What the model allows that translates; it allows a refusal beside it, as where Services clash."""
    (translated,) = (one for one in expect(seen, ASKED).allowed if one.verdict is Verdict.DNAT)
    return translated


@pytest.mark.parametrize(
    ("of_address", "of_number", "expected"),
    [
        (("10.244.0.5",), ("10.244.0.6",), [(BY_ADDRESS, FrontendKind.EXT)]),
        ((), ("10.244.0.6",), [(BY_ADDRESS, FrontendKind.EXT), (BY_NUMBER, FrontendKind.NP)]),
    ],
    ids=["the address has an endpoint", "the address has none"],
)
def test_a_node_port_answers_only_where_the_address_has_nothing_to_answer_with(
    of_address: Sequence[str], of_number: Sequence[str], expected: list[tuple[ObjectName, FrontendKind]]
) -> None:
    seen = view(of_address, of_number)

    assert [(one.name.service, kind) for one, kind in owners(seen, ASKED)] == expected


def test_what_a_node_port_answers_in_place_of_an_address_breaks_no_claim() -> None:
    """INV-35: the endpoint is the node port's, which is an owner of the place too."""
    seen = view((), ("10.244.0.6",))

    outcome = by_number(seen)

    assert [leaf.target for leaf in outcome.leaves] == [Target(0x0AF40006, 8080)]
    assert [claim.id for claim in PACKET if claim.violation(seen, ASKED, outcome)] == []


def test_what_the_address_answers_is_not_the_node_ports_to_answer() -> None:
    """INV-35 catches a node that goes by the number while the address has an endpoint."""
    wrong = by_number(view((), ("10.244.0.6",)))

    broken = {
        claim.id for claim in PACKET if claim.violation(view(("10.244.0.5",), ("10.244.0.6",)), ASKED, wrong)
    }

    assert "INV-35" in broken
