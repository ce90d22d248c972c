"""What is drawn is written in few words, for whoever reads a failing test."""

from hypothesis import given

from model.cluster import events
from model.objects import ObjectName
from tests.invariants.playing import Written
from tests.strategies import aimed, cases, world_pairs
from tests.strategies.cases import FlowCase, PacketCase
from tests.strategies.pair import Pair
from tests.strategies.scenes import HTTP
from tests.strategies.scripts import a_service

LONG = 30_000
"""Characters; beyond so many Hypothesis warns that nobody reads them."""


@given(aimed.aimed_cases(), cases.flow_cases(), world_pairs.pairs())
def test_no_drawn_case_is_too_long_to_read(packet: PacketCase, flow: FlowCase, pair: Pair) -> None:
    assert [case for case in (packet, flow, pair) if len(repr(case)) > LONG] == []


@given(world_pairs.changed_by(world_pairs.other_ranges))
def test_a_pair_of_worlds_says_what_is_not_the_same(pair: Pair) -> None:
    """What follows the first world are ranges, and not the Services once more."""
    _, _, changes = repr(pair).rpartition(", and ")

    assert "Service(" not in changes
    before = {one.name: one.load_balancer_source_ranges for one in pair.before.cluster.services}
    changed = [
        one.name for one in pair.after.cluster.services if one.load_balancer_source_ranges != before[one.name]
    ]
    assert [name for name in before if f"{name} load_balancer_source_ranges=" in changes] == changed


@given(aimed.aimed_cases())
def test_a_packet_case_begins_with_the_packet_as_people_write_it(case: PacketCase) -> None:
    assert repr(case).startswith(f"PacketCase({case.packet}: Outcome(")


def test_a_history_is_written_with_what_its_events_say() -> None:
    service = a_service(ObjectName("shop", "web"), HTTP, type="ClusterIP", cluster_ip="10.96.0.9")

    written = repr(Written((events.CreateService(service), events.Tick(3))))

    assert written.startswith("[CreateService(service=Service(metadata=Metadata(name=web, namespace=shop")
    assert written.endswith("; Tick(seconds=3)]")
