"""Claims about packets hold of every version that they speak of, and say from which one on."""

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from invariants.catalogue import PACKET
from invariants.invariant import Invariant, PacketCheck
from invariants.tried import BASELINE, SINCE
from model.expectation import expect
from model.frontends import node_view
from model.node_config import NodeConfig
from model.objects import Cluster
from model.packet import Packet
from model.proxy_version import LATEST, reading_of, readings
from tests.strategies import aimed
from tests.strategies.search import found

Question = tuple[Cluster, NodeConfig, Packet]


def broken_by(claim: Invariant[PacketCheck], question: Question, config: NodeConfig) -> list[str]:
    """How a node so configured breaks the claim by what the model allows it."""
    cluster, _, packet = question
    view = node_view(cluster, config, packet.family)
    violations = [claim.violation(view, packet, outcome) for outcome in expect(view, packet).allowed]
    return [violation.what for violation in violations if violation is not None]


@pytest.mark.parametrize("claim", PACKET, ids=lambda claim: claim.id)
@given(question=aimed.questions(), minor=st.integers(SINCE, BASELINE))
def test_a_packet_claim_holds_of_each_version(
    claim: Invariant[PacketCheck], question: Question, minor: int
) -> None:
    config = attrs.evolve(question[1], readings=(reading_of(minor),))

    assert broken_by(claim, question, config) == []


@pytest.mark.parametrize("claim", PACKET, ids=lambda claim: claim.id)
@given(question=aimed.questions())
def test_a_packet_claim_holds_where_the_version_is_not_known(
    claim: Invariant[PacketCheck], question: Question
) -> None:
    config = attrs.evolve(question[1], readings=readings(SINCE, BASELINE))

    assert broken_by(claim, question, config) == []


def test_an_older_version_breaks_what_is_claimed_of_newer_ones() -> None:
    """INV-39: kube-proxy 1.25 refuses while an endpoint still serves, which FWD-EP-03 makes usable."""
    claim = next(one for one in PACKET if one.id == "INV-39")
    older = (reading_of(SINCE - 1),)

    def is_broken(question: Question) -> bool:
        return bool(broken_by(claim, question, attrs.evolve(question[1], readings=older)))

    assert is_broken(found(aimed.questions(), is_broken))


def test_claims_go_up_to_the_latest_version_that_is_told_apart() -> None:
    assert BASELINE == LATEST
