"""Each claim about a packet can fail: its premise is met, and it catches a model made wrong on purpose."""

from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple

import attrs
import pytest

from invariants.catalogue import PACKET
from invariants.packets import SourceClass, has_usable, is_shut_out, source_class
from invariants.places import Ownership, is_held_to_node, ownerships, targets
from invariants.policies import is_short_circuited
from invariants.topology import TopologyMode, cluster_sets, topology_modes
from model.eligibility import EndpointSets
from model.expectation import expect
from model.forwarding import Decision, Row
from model.frontends import FrontendKind, NodeView
from model.intervals import contains
from model.objects import TrafficPolicy
from model.outcome import Outcome, Verdict
from model.packet import Packet
from model.proxy_endpoints import EndpointList
from tests.invariants.wrong_models import (
    Mutant,
    turned,
    with_masquerade_row,
    with_odds,
    with_outcomes,
    with_row,
    with_sets,
    without_rows,
)
from tests.strategies import aimed
from tests.strategies.cases import PacketCase
from tests.strategies.search import found

BY_ID = {claim.id: claim for claim in PACKET}

# --- The premises, each of a packet with one owner


class Seen(NamedTuple):
    """A packet to a frontend of one owner, and one of its outcomes."""

    view: NodeView
    packet: Packet
    outcome: Outcome
    owned: Ownership


Premise = Callable[[Seen], bool]


def hints_are_all_for_elsewhere(seen: Seen) -> bool:
    """Every ready endpoint has hints, and none is meant for this node or zone."""
    ready = [each for each in seen.owned.endpoints.values() if each.ready]
    hinted = bool(ready) and all(each.zone_hints for each in ready)
    none = (
        topology_modes(ready, seen.view.config) == {TopologyMode.NONE} and seen.view.config.zone is not None
    )
    return hinted and none and not is_held_to_node(seen.view, seen.packet, seen.owned)


def is_swallowed_by_policy(seen: Seen) -> bool:
    return (
        seen.outcome.verdict is Verdict.DROP
        and has_usable(seen.owned)
        and not is_shut_out(seen.packet, seen.owned)
    )


def is_refused(seen: Seen) -> bool:
    return seen.outcome.verdict is Verdict.REJECT


def is_held_by_internal_policy(seen: Seen) -> bool:
    return (
        seen.owned.kind is FrontendKind.CIP
        and is_held_to_node(seen.view, seen.packet, seen.owned)
        and bool(targets(seen.outcome))
        and any(each.ready and not each.local for each in seen.owned.endpoints.values())
    )


def is_held_by_external_policy(seen: Seen) -> bool:
    return (
        seen.owned.kind is not FrontendKind.CIP
        and is_held_to_node(seen.view, seen.packet, seen.owned)
        and bool(targets(seen.outcome))
        and any(each.ready and not each.local for each in seen.owned.endpoints.values())
    )


def is_led_past_the_policy(seen: Seen) -> bool:
    """By short circuit, to endpoints of other nodes."""
    (given,) = cluster_sets(seen.view, seen.owned)
    elsewhere = any(not seen.owned.endpoints[target].local for target in given)
    return is_short_circuited(seen.view, seen.packet, seen.owned) and elsewhere


def comes_from_outside_the_ranges(seen: Seen) -> bool:
    return is_shut_out(seen.packet, seen.owned) and has_usable(seen.owned)


def changes_its_port(seen: Seen) -> bool:
    return any(target.port != seen.packet.port for target in targets(seen.outcome))


def goes_to_a_frontend(seen: Seen) -> bool:
    return any(
        other.endpoints and seen.owned.service_port.name != other.service_port.name
        for target in targets(seen.outcome)
        for other in ownerships(
            seen.view, attrs.evolve(seen.packet, destination=target.address, port=target.port)
        )
    )


def has_a_choice(seen: Seen) -> bool:
    return len(set(targets(seen.outcome))) > 2


def keeps_one_source_and_replaces_another(seen: Seen) -> bool:
    return {leaf.masquerade for leaf in seen.outcome.leaves if leaf.target is not None} == {True, False}


def goes_elsewhere(seen: Seen) -> bool:
    return seen.owned.kind is not FrontendKind.CIP and any(
        not seen.owned.endpoints[target].local and not contains(seen.view.local_addresses, target.address)
        for target in targets(seen.outcome)
    )


def comes_back_to_its_sender(seen: Seen) -> bool:
    return any(
        target.address == seen.packet.source and seen.owned.endpoints[target].local
        for target in targets(seen.outcome)
    )


def is_from_outside_under_policy_local(seen: Seen) -> bool:
    return (
        seen.owned.kind is not FrontendKind.CIP
        and seen.owned.service_port.external_policy is TrafficPolicy.LOCAL
        and source_class(seen.view, seen.packet) is SourceClass.OFF
        and bool(targets(seen.outcome))
    )


@pytest.mark.parametrize(
    ("id", "premise"),
    [
        ("INV-37", hints_are_all_for_elsewhere),
        ("INV-39", is_swallowed_by_policy),
        ("INV-39", is_refused),
        ("INV-41", is_held_by_internal_policy),
        ("INV-42", is_held_by_external_policy),
        ("INV-43", is_led_past_the_policy),
        ("INV-46", comes_from_outside_the_ranges),
        ("INV-54", changes_its_port),
        ("INV-55", goes_to_a_frontend),
        ("INV-56", has_a_choice),
        ("INV-62", keeps_one_source_and_replaces_another),
        ("INV-63", goes_elsewhere),
        ("INV-64", comes_back_to_its_sender),
        ("INV-65", is_from_outside_under_policy_local),
    ],
)
def test_a_claim_is_tried_where_its_premise_is_met(id: str, premise: Premise) -> None:
    def is_met(case: PacketCase) -> bool:
        owned = list(ownerships(case[0], case[1]))
        return len(owned) == 1 and premise(Seen(*case, owned[0]))

    case = found(aimed.aimed_cases(), is_met)

    assert is_met(case)
    assert BY_ID[id].violation(*case) is None


# --- Wrong models


def only_hinted_ones(_endpoints: EndpointList, sets: EndpointSets, zone: str | None) -> EndpointSets:
    """Hints are obeyed one by one, so a zone without any is left with nothing (not FWD-TOPO-01)."""
    meant = tuple(each for each in sets.cluster or () if not each.zone_hints or zone in each.zone_hints)
    return attrs.evolve(sets, cluster=meant, has=bool(meant or sets.local))


def hints_ignored(endpoints: EndpointList, sets: EndpointSets, _zone: str | None) -> EndpointSets:
    ready = tuple(each for each in endpoints if each.ready)
    return attrs.evolve(sets, cluster=ready) if sets.cluster and ready else sets


def not_held_to_the_node(endpoints: EndpointList, sets: EndpointSets, _zone: str | None) -> EndpointSets:
    return attrs.evolve(sets, local=tuple(each for each in endpoints if each.usable))


def held_if_it_can_be(endpoints: EndpointList, sets: EndpointSets, _zone: str | None) -> EndpointSets:
    return attrs.evolve(sets, local=sets.local or tuple(each for each in endpoints if each.usable))


def to_cluster(row: Row) -> Row:
    return attrs.evolve(row, then=Decision.TO_CLUSTER)


def refused(row: Row) -> Row:
    return attrs.evolve(row, then=Decision.REJECT)


def dropped(row: Row) -> Row:
    return attrs.evolve(row, then=Decision.DROP)


def port_kept(_view: NodeView, packet: Packet, outcome: Outcome) -> Outcome:
    """Only the address is rewritten."""
    return attrs.evolve(
        outcome,
        leaves=tuple(
            attrs.evolve(leaf, target=leaf.target and attrs.evolve(leaf.target, port=packet.port))
            for leaf in outcome.leaves
        ),
    )


def looked_up_again(view: NodeView, packet: Packet, outcome: Outcome) -> Outcome:
    """A rewritten packet is translated once more where it now is for a frontend."""
    used = targets(outcome)
    onward = [attrs.evolve(packet, destination=one.address, port=one.port) for one in used]
    further = [expect(view, one).allowed[0] for one in onward if list(ownerships(view, one))]
    return further[0] if further else outcome


@pytest.mark.bites("drawn")
@pytest.mark.parametrize(
    ("id", "mutant"),
    [
        pytest.param("INV-37", with_sets(only_hinted_ones), id="INV-37: hints one by one"),
        pytest.param("INV-37", with_row("FWD-CIP-01", dropped), id="INV-37: cluster IPs swallowed"),
        pytest.param("INV-39", with_row("FWD-ITP-01", refused), id="INV-39: refused by internal policy"),
        pytest.param("INV-39", with_row("FWD-ETP-05", refused), id="INV-39: refused by external policy"),
        pytest.param("INV-39", with_row("FWD-REJ-01", dropped), id="INV-39: swallowed without endpoints"),
        pytest.param("INV-41", with_sets(not_held_to_the_node), id="INV-41: internal policy ignored"),
        pytest.param("INV-41", with_sets(held_if_it_can_be), id="INV-41: falls back to all (MODE-14)"),
        pytest.param("INV-42", with_row("FWD-ETP-04", to_cluster), id="INV-42: external policy ignored"),
        pytest.param("INV-42", with_row("FWD-ETP-05", to_cluster), id="INV-42: falls back to all (MODE-15)"),
        pytest.param("INV-43", without_rows("FWD-ETP-02"), id="INV-43: pods are held"),
        pytest.param("INV-43", without_rows("FWD-ETP-03"), id="INV-43: the node is held (MODE-16)"),
        pytest.param("INV-43", with_sets(hints_ignored), id="INV-43: no topology (FWD-TOPO-03)"),
        pytest.param("INV-46", without_rows("FWD-LBSR-01"), id="INV-46: no firewall"),
        pytest.param("INV-54", with_outcomes(port_kept), id="INV-54: the port stays"),
        pytest.param("INV-55", with_outcomes(looked_up_again), id="INV-55: looked up again"),
        pytest.param("INV-56", with_odds(lambda n: Fraction(1, n + 1)), id="INV-56: some are lost"),
        pytest.param("INV-62", with_masquerade_row("MASQ-01", turned), id="INV-62: MASQ-01"),
        pytest.param("INV-62", with_masquerade_row("MASQ-02", turned), id="INV-62: MASQ-02"),
        pytest.param("INV-62", with_masquerade_row("MASQ-03", turned), id="INV-62: MASQ-03"),
        pytest.param("INV-62", with_masquerade_row("MASQ-04", turned), id="INV-62: MASQ-04"),
        pytest.param("INV-62", with_masquerade_row("MASQ-05", turned), id="INV-62: MASQ-05"),
        pytest.param("INV-62", with_masquerade_row("MASQ-06", turned), id="INV-62: MASQ-06"),
        pytest.param("INV-62", with_masquerade_row("MASQ-07", turned), id="INV-62: MASQ-07"),
        pytest.param("INV-62", with_masquerade_row("MASQ-08", turned), id="INV-62: MASQ-08"),
        pytest.param("INV-62", with_masquerade_row("MASQ-09", turned), id="INV-62: MASQ-09"),
        pytest.param("INV-63", with_masquerade_row("MASQ-04", turned), id="INV-63: replies bypass the node"),
        pytest.param("INV-64", with_masquerade_row("MASQ-08", turned), id="INV-64: answers itself"),
        pytest.param("INV-65", with_masquerade_row("MASQ-07", turned), id="INV-65: client hidden"),
    ],
)
def test_a_packet_claim_catches_a_wrong_model(
    monkeypatch: pytest.MonkeyPatch, id: str, mutant: Mutant
) -> None:
    mutant(monkeypatch)

    def is_caught(case: PacketCase) -> bool:
        return BY_ID[id].violation(*case) is not None

    case = found(aimed.aimed_cases(), is_caught)
    assert is_caught(case)
