"""Claims about packets hold of packets that are always for a frontend, claims about worlds of drawn pairs."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given

from invariants.catalogue import PACKET, WORLDS
from invariants.choice import chance_is_even
from invariants.invariant import Invariant, PacketCheck
from invariants.isolation import external_frontends_are_alike
from invariants.worlds import World, WorldsCheck
from model.frontends import FrontendKind
from model.outcome import Verdict
from model.packet import Packet
from oracle.bundle import read_bundle
from oracle.node_rules import read_node
from tests.invariants import recorded
from tests.strategies import aimed, world_pairs
from tests.strategies.cases import PacketCase
from tests.strategies.world_pairs import Pair


def claims(catalogue: tuple[Invariant[Any], ...]) -> Callable[..., Any]:
    """One test for each claim, named by its id."""
    return pytest.mark.parametrize("claim", catalogue, ids=lambda claim: claim.id)


@claims(PACKET)
@given(case=aimed.aimed_cases())
def test_a_packet_claim_holds_at_frontends(claim: Invariant[PacketCheck], case: PacketCase) -> None:
    assert claim.violation(*case) is None


@claims(WORLDS)
@given(pair=world_pairs.pairs())
def test_a_claim_about_worlds_holds_of_worlds_that_differ_in_one_thing(
    claim: Invariant[WorldsCheck], pair: Pair
) -> None:
    assert claim.violation(*pair) is None


def external_worlds(case: str) -> Iterator[World]:
    """Every external frontend of a recorded cluster's nodes, asked from each side; the rules answer."""
    bundle = read_bundle(recorded.DUMPS / f"{case}.iptables")
    assert bundle.cluster is not None
    rules = {one.name: read_node(one, bundle.cluster) for one in bundle.nodes}
    for view, packet, outcome in recorded.packet_cases(case):
        world = World(bundle.cluster, rules[view.config.name].config, packet, frozenset((outcome,)))
        if world.kinds and FrontendKind.CIP not in world.kinds:
            yield world


def asked_by(packet: Packet) -> tuple[object, ...]:
    return packet.family, packet.source, packet.origin, packet.protocol


@pytest.mark.parametrize("case", ["etp-local-lb", "etp-cluster-lb", "externalips", "nodeport"])
def test_external_frontends_of_recorded_nodes_are_alike(case: str) -> None:
    """INV-45"""
    worlds = list(external_worlds(case))
    pairs = [
        (one, other)
        for one in worlds
        for other in worlds
        if one.config == other.config
        and one.owners[0][0].name == other.owners[0][0].name
        and asked_by(one.packet) == asked_by(other.packet)
        and one.packet != other.packet
    ]

    translated = [one for one, _ in pairs if any(each.verdict is Verdict.DNAT for each in one.outcomes)]
    assert translated
    assert {external_frontends_are_alike.violation(*pair) for pair in pairs} == {None}


def test_inv_56_catches_a_chain_that_was_emptied_by_hand() -> None:
    """One of three endpoints' chains lost its rules on node-a; the others keep a third each."""
    broken = [chance_is_even.violation(*one) for one in recorded.packet_cases("broken-sep-flushed", "node-a")]

    texts = [violation.what for violation in broken if violation is not None]
    assert texts
    assert all(text.endswith("with odds 1/3 among 2") for text in texts)
