"""Claims about flows, memories, health and syncs hold in histories that are about nothing else."""

from hypothesis import given

from invariants import convergence, flows, health, memory, replacement
from model.cluster.settle import settle
from tests.strategies.flows import Drawn, drawn

OF_STEPS = (
    memory.strangers_go_where_chance_falls,
    memory.a_client_moves_on_with_its_memory,
    memory.memories_are_independent,
    flows.established_flows_keep_their_endpoint,
    flows.udp_flows_lead_to_serving_endpoints,
    flows.clean_up_spares_what_is_served,
    convergence.a_sync_applies_all_of_a_watch_or_nothing,
    convergence.syncs_are_idempotent_and_know_no_order,
    replacement.what_is_always_usable_is_never_refused,
)
OF_STATES = (
    health.health_means_a_ready_endpoint_on_the_node,
    health.draining_nodes_fail_the_check_and_serve,
)


@given(history=drawn())
def test_every_step_keeps_the_claims(history: Drawn) -> None:
    broken = [(claim.id, claim.violation(step)) for step in history.steps() for claim in OF_STEPS]

    assert [] == [(id, violation.what) for id, violation in broken if violation]


@given(history=drawn())
def test_every_state_keeps_the_claims(history: Drawn) -> None:
    broken = [(claim.id, claim.violation(step.after)) for step in history.steps() for claim in OF_STATES]

    assert [] == [(id, violation.what) for id, violation in broken if violation]


@given(history=drawn())
def test_whatever_happened_nodes_come_to_the_same(history: Drawn) -> None:
    state = settle(history.steps()[-1].after)

    assert convergence.every_node_comes_to_what_the_api_says.violation(state) is None
