"""Each claim about a packet catches damaged rules of a recorded node, and `svcproof check` cites it there."""

from collections.abc import Iterator

import pytest

from invariants.catalogue import PACKET
from invariants.isolation import external_frontends_are_alike
from invariants.worlds import World
from model.frontends import FrontendKind, node_view
from oracle.check import check_node
from oracle.node_rules import read_node
from tests.invariants import recorded
from tests.invariants.damages import DAMAGES, OPEN, Damage
from tests.strategies.cases import PacketCase

BY_ID = {claim.id: claim for claim in PACKET}
EACH_DAMAGE = pytest.mark.parametrize("damage", DAMAGES, ids=str)


def cases(damage: Damage) -> Iterator[PacketCase]:
    """Every frontend of the damaged node in IPv4, asked from each side."""
    evidence, cluster = damage.node()
    rules = read_node(evidence, cluster)
    for family in rules.by_family:
        yield from recorded.cases_of(rules, node_view(cluster, rules.config, family))


@pytest.mark.bites("on dumps")
@EACH_DAMAGE
def test_a_claim_catches_a_damaged_node(damage: Damage) -> None:
    assert any(BY_ID[damage.id].violation(*case) for case in cases(damage))


@EACH_DAMAGE
def test_check_cites_the_claim_at_a_damaged_node(damage: Damage) -> None:
    """With the contract's rows; the claim is one of those that the difference's packet breaks."""
    differences = check_node(*damage.node()).differences

    assert damage.id in {id for one in differences for id in one.cites}


def test_every_claim_about_a_packet_has_a_damage() -> None:
    assert sorted(BY_ID) == [damage.id for damage in DAMAGES]


@pytest.mark.parametrize(
    "case", sorted({damage.case for damage in DAMAGES if damage.case in recorded.HEALTHY})
)
def test_the_nodes_break_nothing_before_they_are_damaged(case: str) -> None:
    """Those whose proxies had stopped were recorded as damaged."""
    undamaged = list(cases(Damage("", "nothing", case)))

    assert [claim.id for claim in PACKET for one in undamaged if claim.violation(*one)] == []


@pytest.mark.bites("on dumps")
def test_inv_45_catches_a_node_port_that_alone_ignores_the_policy() -> None:
    damage = Damage(
        "INV-45",
        "a node port leads elsewhere than the balancer's address",
        "etp-local-lb",
        ((rf"(-m tcp --dport 30656) -j KUBE-EXT-{OPEN}$", rf"\1 -j KUBE-SVC-{OPEN}"),),
    )
    evidence, cluster = damage.node()
    config = read_node(evidence, cluster).config
    worlds = [
        world
        for view, packet, outcome in cases(damage)
        if (world := World(cluster, config, packet, frozenset((outcome,)))).kinds
        and FrontendKind.CIP not in world.kinds
    ]

    assert any(external_frontends_are_alike.violation(one, other) for one in worlds for other in worlds)
