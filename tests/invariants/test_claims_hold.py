"""Each claim holds of what the model allows, of recorded nodes' rules, and of a kernel's connections."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invariants.catalogue import EVENTUAL, FLOW, NUMBER, PACKET, STATE
from invariants.invariant import FlowCheck, Invariant, NumberCheck, PacketCheck, StateCheck
from tests.invariants import recorded
from tests.strategies import cases


def claims(catalogue: tuple[Invariant[Any], ...]) -> Callable[..., Any]:
    """One test for each claim, named by its id."""
    return pytest.mark.parametrize("claim", catalogue, ids=lambda claim: claim.id)


@claims(NUMBER)
@given(size=st.integers(1, 1 << 64) | st.integers(1, 5000) | st.integers(0, 64).map(lambda bits: 1 << bits))
def test_a_claim_about_ranges_holds_of_drawn_sizes(claim: Invariant[NumberCheck], size: int) -> None:
    assert claim.violation(size) is None


@claims(PACKET)
@given(case=cases.packet_cases())
def test_a_packet_claim_holds_of_what_the_model_allows(
    claim: Invariant[PacketCheck], case: cases.PacketCase
) -> None:
    assert claim.violation(*case) is None


@claims(FLOW)
@given(case=cases.flow_cases())
def test_a_flow_claim_holds_of_histories_under_the_models_memory(
    claim: Invariant[FlowCheck], case: cases.FlowCase
) -> None:
    assert claim.violation(*case) is None


@claims((*STATE, *EVENTUAL))
def test_a_claim_about_states_holds_of_what_an_api_server_stored(claim: Invariant[StateCheck]) -> None:
    """Recorded clusters had come to rest, and all that their Services hold was allocated."""
    stored = {case: recorded.state_in(case) for case in recorded.CASES}

    assert {case: claim.violation(state) for case, state in stored.items()} == dict.fromkeys(stored)
    assert all(claim.assumes(state) for state in stored.values())


@claims(PACKET)
@pytest.mark.parametrize("case", recorded.HEALTHY)
def test_a_packet_claim_holds_of_a_recorded_nodes_rules(claim: Invariant[PacketCheck], case: str) -> None:
    only = "node-a" if case.startswith("busy") else ""

    broken = [claim.violation(*one) for one in recorded.packet_cases(case, only)]

    assert broken
    assert [violation for violation in broken if violation] == []


@claims(FLOW)
@pytest.mark.parametrize("case", ["session-affinity", "probe-session-affinity"])
def test_a_flow_claim_holds_of_histories_under_recorded_rules(claim: Invariant[FlowCheck], case: str) -> None:
    assert [claim.violation(*one) for one in recorded.flow_cases(case) if claim.violation(*one)] == []


@claims(FLOW)
def test_a_flow_claim_holds_of_the_connections_that_a_kernel_made(claim: Invariant[FlowCheck]) -> None:
    flows = list(recorded.kernel_flows("probe-session-affinity"))

    assert any(len(history) > 1000 for _, history in flows)
    assert [claim.violation(*one) for one in flows if claim.violation(*one)] == []
