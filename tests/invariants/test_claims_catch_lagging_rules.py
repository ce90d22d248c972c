"""Recorded nodes whose kube-proxy had stopped break the claims that speak of what changed, and no others."""

import pytest

from invariants.affinity import a_client_stays_with_its_endpoint
from invariants.catalogue import PACKET
from invariants.reachability import frontends_and_only_frontends_are_captured
from model.packet import TCP, Origin, Packet
from tests.invariants import recorded


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ("stale-pod-deleted", {"INV-35"}),
        ("stale-pod-unready", {"INV-35", "INV-36"}),
        ("stale-service-added", {"INV-38"}),
        ("stale-nodeport-changed", {"INV-38"}),
        ("stale-lb-source-ranges", {"INV-46"}),
    ],
)
def test_rules_that_lag_behind_break_just_the_claims_that_speak_of_it(case: str, expected: set[str]) -> None:
    """node-a's kube-proxy was stopped before the change; node-c kept up."""
    lagging = recorded.packet_cases(case, "node-a")
    in_step = recorded.packet_cases(case, "node-c")

    assert {claim.id for claim in PACKET for one in lagging if claim.violation(*one)} == expected
    assert {claim.id for claim in PACKET for one in in_step if claim.violation(*one)} == set()


def test_inv_38_catches_a_node_port_that_is_no_longer_one() -> None:
    """The node port moved from 30380 to 30999; the stopped node still serves the old one."""
    rules, view = next(recorded.nodes("stale-nodeport-changed", "node-a"))
    node = view.config.primary_address(view.family) or 0
    packet = Packet(view.family, Origin.WIRE, 0xC6336407, node, TCP, 30380)

    violation = frontends_and_only_frontends_are_captured.violation(
        view, packet, recorded.found(rules, packet)
    )

    assert violation is not None
    assert violation.what.endswith("is for no frontend and is sent to an endpoint")


@pytest.mark.bites("on dumps")
def test_inv_57_catches_rules_that_do_not_know_of_the_affinity_yet() -> None:
    """Affinity was switched on for shop/web when node-a's kube-proxy had stopped."""
    view, history = next(recorded.flow_cases("stale-affinity-on", "node-a"))

    violation = a_client_stays_with_its_endpoint.violation(view, history)

    assert violation is not None
    assert violation.what.startswith("a client of shop/web went to ")
    assert all(
        a_client_stays_with_its_endpoint.violation(*one) is None
        for one in recorded.flow_cases("stale-affinity-on", "node-c")
    )
