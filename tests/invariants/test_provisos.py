"""Without its proviso a claim is false: a small history that shows it is found, and played again."""

import attrs
import pytest

from invariants import flows, health
from invariants.refuted.provisos import (
    PROVISOS,
    flows_of_others_are_spared,
    no_udp_flow_outlives_its_endpoint,
    served_flows_are_spared,
    whoever_serves_is_healthy,
)
from model.cluster import events
from model.cluster.events import Event
from model.conntrack import Cleanup
from tests.invariants.playing import broken
from tests.strategies.flows import Drawn, drawn
from tests.strategies.search import SMALLEST, found

WRITE, SYNC, SEND = events.WriteSlice, events.SyncProxy, events.Send

SHORTEST = [
    pytest.param(whoever_serves_is_healthy, [WRITE, SYNC, SEND], id="INV-67: serves, and is not healthy"),
    pytest.param(no_udp_flow_outlives_its_endpoint, [SEND, WRITE, SYNC], id="INV-69: the last endpoint"),
    pytest.param(served_flows_are_spared, [SEND, WRITE, SYNC], id="INV-70: another one's node port"),
    pytest.param(flows_of_others_are_spared, [SEND, WRITE, SYNC], id="INV-70: an address outside"),
]
"""A counterexample has these events and no others, after all endpoints were ready and known."""


@pytest.mark.parametrize(("claim", "expected"), SHORTEST)
def test_a_small_counterexample_is_found_and_breaks_the_claim_again(
    claim: object, expected: list[type[Event]]
) -> None:
    tempting = next(one for one in PROVISOS if one is claim)

    case = found(drawn(), lambda case: broken(tempting, case.steps()) is not None, SMALLEST)

    assert expected == [type(event) for event in case.happening]
    violation = broken(tempting, case.steps())
    assert violation is not None
    assert violation == broken(tempting, case.steps())


@pytest.mark.parametrize(("claim", "_"), SHORTEST)
def test_the_counterexample_keeps_within_the_claim_with_its_proviso(claim: object, _: object) -> None:
    tempting = next(one for one in PROVISOS if one is claim)
    case = found(drawn(), lambda case: broken(tempting, case.steps()) is not None, SMALLEST)

    steps = case.steps()
    assert [] == [
        violation
        for step in steps
        for violation in (
            flows.udp_flows_lead_to_serving_endpoints.violation(step),
            flows.clean_up_spares_what_is_served.violation(step),
            health.draining_nodes_fail_the_check_and_serve.violation(step.after),
        )
        if violation
    ]


def test_a_flow_leads_nowhere_only_until_kube_proxy_is_newer() -> None:
    """CT-04: what breaks the claim up to 1.36.2 does not after it."""
    case = found(
        drawn(), lambda case: broken(no_udp_flow_outlives_its_endpoint, case.steps()) is not None, SMALLEST
    )
    newer: Drawn = attrs.evolve(case, cleanup=Cleanup.COMPLETE)

    assert case.cleanup is Cleanup.SKIPS_UNSERVED
    assert broken(no_udp_flow_outlives_its_endpoint, newer.steps()) is None
