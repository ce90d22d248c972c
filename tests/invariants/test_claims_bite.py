"""Each claim can fail: its premise is met, and it catches a model made wrong on purpose."""

import itertools
from collections.abc import Callable
from typing import TypeVar

import attrs
import pytest

import model.affinity
from invariants.affinity import a_client_stays_with_its_endpoint
from invariants.catalogue import CATALOGUE
from invariants.places import ownerships, targets
from model.addresses import Family
from model.affinity import Client, Connection, Memory
from model.eligibility import EndpointSets, endpoint_sets
from model.expectation import Expectation, expect
from model.forwarding import HAS_USABLE, IS_EXT, IS_LBV, Decision, Row
from model.frontends import NodeView, node_view
from model.modes import verdict_rows
from model.node_config import NodeConfig, ProxyMode
from model.objects import (
    Cluster,
    Endpoint,
    EndpointPort,
    EndpointSlice,
    ObjectName,
    Service,
    ServicePort,
    TrafficPolicy,
)
from model.outcome import Outcome, Remembered, Target, Verdict
from model.packet import TCP, Origin, Packet
from model.predicate import All, Any, Not
from model.proxy_endpoints import EndpointList
from tests.strategies import cases
from tests.strategies.cases import FlowCase, PacketCase
from tests.strategies.search import found

T = TypeVar("T")
BY_ID = {claim.id: claim for claim in CATALOGUE}


READY, DRAINING = (True, True, False), (False, True, True)  # ready, serving, terminating


def held_to_the_node(*endpoints: tuple[tuple[bool, bool, bool], str]) -> PacketCase:
    """A cluster IP under internal policy Local, asked on node-a; conditions and node of each endpoint."""
    name = ObjectName("shop", "web")
    service = Service(
        name,
        ports=(ServicePort("", "TCP", 80),),
        cluster_ips=("10.96.0.10",),
        internal_traffic_policy=TrafficPolicy.LOCAL,
    )
    entries = (
        Endpoint((f"10.244.0.{number}",), *conditions, node_name=node)
        for number, (conditions, node) in enumerate(endpoints, 5)
    )
    piece = EndpointSlice(name, name, "IPv4", tuple(entries), (EndpointPort("", "TCP", 8080),))
    view = node_view(Cluster((service,), (piece,)), NodeConfig("node-a"), Family.IPV4)
    packet = Packet(Family.IPV4, Origin.WIRE, 0x0AF40105, 0x0A60000A, TCP, 80)
    return PacketCase(view, packet, expect(view, packet).allowed[0])


# --- The premises


def uses_an_unready_endpoint(view: NodeView, packet: Packet, outcome: Outcome) -> bool:
    return any(
        not owned.endpoints[target].ready
        for owned in ownerships(view, packet)
        for target in targets(outcome)
        if target in owned.endpoints
    )


def is_for_a_frontend(view: NodeView, packet: Packet, _: Outcome) -> bool:
    return any(True for _ in ownerships(view, packet))


def is_for_no_frontend(view: NodeView, packet: Packet, _: Outcome) -> bool:
    return not is_for_a_frontend(view, packet, _)


def has_nothing_usable(view: NodeView, packet: Packet, _: Outcome) -> bool:
    seen = list(ownerships(view, packet))
    return bool(seen) and not any(each.usable for owned in seen for each in owned.endpoints.values())


def is_a_frontend_left_alone(view: NodeView, packet: Packet, outcome: Outcome) -> bool:
    return is_for_a_frontend(view, packet, outcome) and outcome.verdict is Verdict.PASS


@pytest.mark.parametrize(
    "premise",
    [
        pytest.param(lambda *case: bool(targets(case[2])), id="INV-35: some endpoint is used"),
        pytest.param(uses_an_unready_endpoint, id="INV-36: an endpoint is used that is not ready"),
        pytest.param(is_for_a_frontend, id="INV-38: for a frontend"),
        pytest.param(is_for_no_frontend, id="INV-38: for no frontend"),
        pytest.param(is_a_frontend_left_alone, id="INV-38: the exception of MODE-10"),
        pytest.param(has_nothing_usable, id="INV-40: nothing is usable"),
        pytest.param(lambda *case: bool(case[2].affinity), id="INV-59: a memory is asked"),
    ],
)
def test_the_premise_of_a_packet_claim_is_met(premise: Callable[[NodeView, Packet, Outcome], bool]) -> None:
    case = found(cases.packet_cases(), lambda case: premise(*case))

    assert premise(*case)


def test_inv_36_is_met_by_a_node_with_draining_endpoints_while_others_are_ready_elsewhere() -> None:
    """FWD-EP-03: the fallback on the node does not ask what is ready on other nodes."""
    view, packet, outcome = held_to_the_node((DRAINING, "node-a"), (READY, "node-b"))

    assert targets(outcome) == [Target(0x0AF40005, 8080)]
    assert BY_ID["INV-36"].violation(view, packet, outcome) is None


def comes_back_to_a_choice(case: FlowCase) -> bool:
    """A client comes back within the timeout to two endpoints or more, after another client did."""
    view, history = case
    seconds = {one.name: one.affinity_seconds for one in view.service_ports}
    return any(
        before.client == after.client
        and before.outcome == after.outcome
        and len(set(targets(after.outcome))) > 1
        and 0 < after.now - before.now <= (seconds[after.client.service_port] or 0)
        for before, after in itertools.pairwise(history)
    )


def test_the_premise_of_a_flow_claim_is_met() -> None:
    """INV-57"""
    case = found(cases.flow_cases(), comes_back_to_a_choice)

    assert comes_back_to_a_choice(case)


# --- Wrong models

Mutant = Callable[[pytest.MonkeyPatch], None]


def with_sets(mutate: Callable[[EndpointList, EndpointSets], EndpointSets]) -> Mutant:
    """A model that makes other endpoint sets."""

    def wrong(endpoints: EndpointList, **how: object) -> EndpointSets:
        return mutate(endpoints, endpoint_sets(endpoints, **how))  # type: ignore[arg-type]  # passed on as given

    return lambda patch: patch.setattr("model.frontends.endpoint_sets", wrong)


def with_rows(mutate: Callable[[Row], Row | None]) -> Mutant:
    """A model with rows of its verdict table changed or left out."""

    def wrong(mode: ProxyMode) -> tuple[Row, ...]:
        return tuple(row for row in map(mutate, verdict_rows(mode)) if row is not None)

    return lambda patch: patch.setattr("model.expectation.verdict_rows", wrong)


def every_endpoint(endpoints: EndpointList, sets: EndpointSets) -> EndpointSets:
    return attrs.evolve(sets, cluster=endpoints if sets.cluster else sets.cluster)


def draining_ones_too(endpoints: EndpointList, sets: EndpointSets) -> EndpointSets:
    usable = tuple(each for each in endpoints if each.usable)
    return attrs.evolve(sets, cluster=usable if sets.cluster else sets.cluster)


def local_draining_ones_too(endpoints: EndpointList, sets: EndpointSets) -> EndpointSets:
    usable = tuple(each for each in endpoints if each.usable and each.local)
    return attrs.evolve(sets, local=usable if sets.local else sets.local)


def local_drops_left_alone(row: Row) -> Row:
    return attrs.evolve(row, then=Decision.PASS) if row.id == "FWD-ETP-05" else row


def served_on_every_address(row: Row) -> Row | None:
    return None if row.id == "NP-01" else row


def refusals_dropped(row: Row) -> Row:
    return attrs.evolve(row, then=Decision.DROP) if row.id == "FWD-REJ-01" else row


def external_refusals_missing_everywhere(row: Row) -> Row:
    """MODE-10 without its condition that the node itself sends the packet."""
    when = All((Not(HAS_USABLE), Any((IS_EXT, IS_LBV))))
    return attrs.evolve(row, when=when) if row.id == "MODE-10" else row


def memories_of_unready_endpoints(patch: pytest.MonkeyPatch) -> None:
    """Affinity is asked for every endpoint, whatever its conditions (BZ-07)."""

    def wrong(view: NodeView, packet: Packet) -> Expectation:
        expected = expect(view, packet)
        every = [target for owned in ownerships(view, packet) for target in owned.endpoints]
        return attrs.evolve(
            expected,
            allowed=tuple(
                attrs.evolve(
                    outcome,
                    affinity=tuple(Remembered(target, outcome.affinity[0].seconds) for target in every),
                )
                if outcome.affinity
                else outcome
                for outcome in expected.allowed
            ),
        )

    patch.setattr(cases, "expect", wrong)


@pytest.mark.bites("drawn")
@pytest.mark.parametrize(
    ("id", "mutant"),
    [
        pytest.param("INV-35", with_sets(every_endpoint), id="INV-35: conditions ignored"),
        pytest.param("INV-36", with_sets(draining_ones_too), id="INV-36: no preference for ready"),
        pytest.param("INV-38", with_rows(local_drops_left_alone), id="INV-38: a frontend left alone"),
        pytest.param("INV-38", with_rows(served_on_every_address), id="INV-38: node ports everywhere"),
        pytest.param("INV-38", with_rows(external_refusals_missing_everywhere), id="INV-38: no refusal"),
        pytest.param("INV-40", with_rows(refusals_dropped), id="INV-40: dropped instead"),
        pytest.param("INV-40", with_rows(external_refusals_missing_everywhere), id="INV-40: no refusal"),
        pytest.param("INV-59", memories_of_unready_endpoints, id="INV-59: unready ones remembered"),
    ],
)
def test_a_packet_claim_catches_a_wrong_model(
    monkeypatch: pytest.MonkeyPatch, id: str, mutant: Mutant
) -> None:
    mutant(monkeypatch)

    def is_caught(case: PacketCase) -> bool:
        return BY_ID[id].violation(*case) is not None

    case = found(cases.packet_cases(), is_caught)
    assert is_caught(case)


def test_inv_36_catches_a_model_without_preference_on_the_node(monkeypatch: pytest.MonkeyPatch) -> None:
    endpoints = ((READY, "node-a"), (DRAINING, "node-a"))
    right = held_to_the_node(*endpoints)
    with_sets(local_draining_ones_too)(monkeypatch)
    wrong = held_to_the_node(*endpoints)

    assert BY_ID["INV-36"].violation(*right) is None
    violation = BY_ID["INV-36"].violation(*wrong)
    assert violation is not None
    assert violation.what.endswith("may go to an endpoint that is not ready, while 10.244.0.5:8080 is")


def forgets_everything(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(model.affinity, "remembered", lambda *_: None)


def expires_a_moment_early(patch: pytest.MonkeyPatch) -> None:
    right = model.affinity.remembered

    def wrong(outcome: Outcome, memory: Memory, client: Client, now: int) -> Target | None:
        return right(outcome, memory, client, now + 1)

    patch.setattr(model.affinity, "remembered", wrong)


def counts_from_the_first_connection(patch: pytest.MonkeyPatch) -> None:
    right = model.affinity.connect

    def wrong(memory: Memory, *step: object) -> tuple[Connection, Memory]:
        connection, after = right(memory, *step)  # type: ignore[arg-type]  # passed on as given
        return connection, {**after, **memory}

    patch.setattr(cases, "connect", wrong)


@pytest.mark.bites("drawn")
@pytest.mark.parametrize(
    "mutant", [forgets_everything, expires_a_moment_early, counts_from_the_first_connection]
)
def test_inv_57_catches_a_wrong_memory(monkeypatch: pytest.MonkeyPatch, mutant: Mutant) -> None:
    mutant(monkeypatch)

    def is_caught(case: FlowCase) -> bool:
        return a_client_stays_with_its_endpoint.violation(*case) is not None

    case = found(cases.flow_cases(), is_caught)
    assert is_caught(case)
