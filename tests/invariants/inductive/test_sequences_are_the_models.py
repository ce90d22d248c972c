"""The relations that proofs about sequences rest on say what the model does, connection by connection."""

import itertools

import pytest
import z3  # type: ignore[import-untyped]  # the package has no type information
from hypothesis import given

from invariants.places import targets
from invariants.prove import publishing_machine
from invariants.prove.affinity_machine import BEFORE, CLIENT, may_be_chosen, memories
from invariants.prove.endpoints import ENDPOINT
from model.affinity import Client, Connection
from model.controllers.pod_endpoints import pod_endpoint
from model.objects import ObjectName, Pod, Service
from model.outcome import Target
from model.proxy_endpoints import endpoint_text
from tests.strategies import cases
from tests.strategies.cases import FlowCase


def live(history: list[Connection], client: Client, now: int, seconds: int) -> set[Target]:
    """Where the client's last new connection is no older than the timeout (AFF-04), by definition."""
    last = {one.target: one.now for one in history if one.client == client and one.target is not None}
    return {target for target, at in last.items() if now - at <= seconds}


@given(cases.flow_cases())
def test_whom_the_model_chooses_is_whom_the_relation_lets_be_chosen(case: FlowCase) -> None:
    """AFF-03: and where somebody is remembered, it lets nobody else."""
    view, history = case
    seconds = {one.name: one.affinity_seconds or 0 for one in view.service_ports}
    for at, connection in enumerate(history):
        goes = set(targets(connection.outcome))
        known = live(history[:at], connection.client, connection.now, seconds[connection.client.service_port])
        everybody = sorted(goes | known, key=lambda one: endpoint_text(view.family, one.address, one.port))
        allowed = {one for one in everybody if _is_allowed(one, everybody, goes, known)}

        if connection.target is None:
            assert not goes
        else:
            assert connection.target in allowed
            assert allowed == ({connection.target} if known & goes else goes)


def _is_allowed(one: Target, everybody: list[Target], goes: set[Target], known: set[Target]) -> bool:
    """Whether `may_be_chosen` holds of the endpoint where these are all there are."""
    now, client = memories("now"), z3.Const("the client", CLIENT)
    names = {target: z3.Const(f"endpoint {at}", ENDPOINT) for at, target in enumerate(everybody)}
    other = z3.Const("x", ENDPOINT)
    solver = z3.Solver()
    solver.add(z3.Distinct(*names.values()), z3.ForAll(other, z3.Or([other == x for x in names.values()])))
    for at, (target, name) in enumerate(names.items()):
        solver.add(now.goes(client, name) == (target in goes), now.live(client, name) == (target in known))
        for then, later in enumerate(names.values()):
            solver.add(BEFORE(name, later) == (at < then))
    solver.add(may_be_chosen(now, client, names[one]))
    return str(solver.check()) == "sat"


@pytest.mark.parametrize(
    ("publishes", "ready", "terminating"), list(itertools.product((False, True), repeat=3))
)
def test_the_relation_says_of_a_pod_what_the_controller_says(
    publishes: bool, ready: bool, terminating: bool
) -> None:
    """EPS-COND-01, EPS-COND-02, in every combination."""
    service = Service(ObjectName("shop", "web"), publish_not_ready_addresses=publishes)
    pod = Pod(ObjectName("shop", "a"), ips=("10.244.0.5",), ready=ready, terminating=terminating)

    said = publishing_machine.conditions(*map(z3.BoolVal, (publishes, ready, terminating)))
    endpoint = pod_endpoint(service, pod, None, "IPv4")

    assert {name: z3.is_true(z3.simplify(value)) for name, value in said.items()} == {
        "ready": endpoint.ready,
        "serving": endpoint.serving,
        "terminating": endpoint.terminating,
    }
