"""Topology mode Auto: when hints are given, how many each zone gets, and when they are withdrawn."""

from collections import Counter
from fractions import Fraction

import pytest

from model.controllers.endpoint_slices import reconcile_slices
from model.controllers.slice_plan import SlicePlan
from model.controllers.topology_hints import Allocation, add_hints, allocate, cpu_ratios, transfers
from model.objects import Endpoint, Node
from tests.model.controllers.building import a_node, a_pod, a_service, a_slice, an_endpoint

HALVES = {"zone-a": 0.5, "zone-b": 0.5}
CONTROL_PLANE = (("node-role.kubernetes.io/control-plane", ""), ("topology.kubernetes.io/zone", "z"))


def endpoints(*zones: str | None, hinted: bool = False) -> tuple[Endpoint, ...]:
    return tuple(
        an_endpoint(number, zone=zone, zone_hints=(zone,) if hinted and zone else ())
        for number, zone in enumerate(zones, 1)
    )


def hinted_zones(plan: SlicePlan) -> Counter[str]:
    return Counter(zone for one in plan.slices for each in one.endpoints for zone in each.zone_hints)


def test_a_zones_share_is_that_of_its_cpus() -> None:
    """EPS-HINT-04: a node of 4 and one of 2 CPUs beside one of 2 make 3/4 and 1/4."""
    nodes = [a_node("1", "zone-a", 4), a_node("2", "zone-a", 2), a_node("3", "zone-b", 2)]

    assert {"zone-a": 0.75, "zone-b": 0.25} == cpu_ratios(nodes)


@pytest.mark.parametrize(
    "other",
    [a_node("3", "zone-c", ready=False), a_node("3", labels=CONTROL_PLANE), a_node("3", None, ready=False)],
)
def test_nodes_that_are_not_ready_or_of_the_control_plane_do_not_count(other: Node) -> None:
    """EPS-HINT-04: not even as nodes without a zone."""
    assert cpu_ratios([a_node("1", "zone-a"), a_node("2", "zone-b"), other]) == HALVES


@pytest.mark.parametrize(
    "nodes",
    [
        [],
        [a_node("1", "zone-a"), a_node("2", "zone-a")],
        [a_node("1", "zone-a"), a_node("2", "zone-b"), a_node("3", None)],
        [a_node("1", "zone-a"), a_node("2", "zone-b"), a_node("3", "zone-b", 0)],
    ],
)
def test_shares_need_two_zones_and_every_nodes_zone_and_cpus(nodes: list[Node]) -> None:
    """EPS-HINT-04"""
    assert cpu_ratios(nodes) is None


def test_cpus_are_counted_in_thousandths_rounded_up() -> None:
    nodes = [a_node("1", "zone-a"), a_node("2", "zone-b", allocatable_cpu=Fraction(1, 100000))]

    assert {"zone-a": 4000 / 4001, "zone-b": 1 / 4001} == cpu_ratios(nodes)


def test_each_zone_may_have_a_fifth_less_than_its_share_and_takes_what_is_spare() -> None:
    """EPS-HINT-04: of 10 endpoints halves are 5; at least ceil(5 / 1.2) = 5, so none are spare."""
    assert {zone: Allocation(5, 5, 5.0) for zone in HALVES} == allocate(HALVES, 10)


def test_the_least_of_a_zone_is_rounded_up_and_with_it_its_target() -> None:
    """9 in thirds of 1/3 and 2/3: shares 3 and 6, least ceil(2.5) = 3 and ceil(5) = 5, spare 1."""
    found = allocate({"zone-a": 1 / 3, "zone-b": 2 / 3}, 9)

    assert {"zone-a": Allocation(3, 4, 3.0), "zone-b": Allocation(5, 6, 6.0)} == found


@pytest.mark.parametrize(("ratios", "count"), [(None, 9), ({"zone-a": 1.0}, 9), (HALVES, 1)])
def test_no_allocation_without_shares_or_with_fewer_endpoints_than_zones(
    ratios: dict[str, float] | None, count: int
) -> None:
    """EPS-HINT-04"""
    assert allocate(ratios, count) is None


def test_no_allocation_where_some_endpoint_would_be_overloaded() -> None:
    """EPS-HINT-04: 4 in thirds need ceil(4/3 / 1.2) = 2 each, which makes 6."""
    assert allocate({"zone-a": 1 / 3, "zone-b": 1 / 3, "zone-c": 1 / 3}, 4) is None


def test_the_zone_with_most_to_give_gives_to_the_one_that_lacks_most() -> None:
    """Targets 2, 2, 2 and hints 5, 1, 0: a gives two to c, then one to b."""
    allocations = {zone: Allocation(2, 2, 2.0) for zone in ("a", "b", "c")}

    assert ({"a": 3}, {"c": 2, "b": 1}) == transfers(allocations, {"a": 5, "b": 1})


@pytest.mark.parametrize(
    ("surplus", "lack", "moved"), [(0.6, 0.6, 0), (1.0, 1.0, 1), (1.25, 0.5, 1), (1.25, 0.25, 0)]
)
def test_an_endpoint_moves_where_one_side_has_a_whole_and_the_other_at_least_half(
    surplus: float, lack: float, moved: int
) -> None:
    allocations = {"a": Allocation(1, 9, 3 - surplus), "b": Allocation(1, 9, 1 + lack)}

    giving, _ = transfers(allocations, {"a": 3, "b": 1})

    assert moved == giving.get("a", 0)


def test_endpoints_are_for_their_own_zone_where_that_is_fair() -> None:
    """EPS-HINT-04"""
    plan = SlicePlan(create=(a_slice("", endpoints=endpoints("zone-a", "zone-b")),))

    (one,) = add_hints(plan, HALVES).create

    assert [("zone-a",), ("zone-b",)] == [each.zone_hints for each in one.endpoints]


def test_a_crowded_zone_lends_endpoints_to_others() -> None:
    """EPS-HINT-04: three and one of four endpoints become two and two."""
    plan = SlicePlan(create=(a_slice("", endpoints=endpoints("zone-a", "zone-a", "zone-a", "zone-b")),))

    assert {"zone-a": 2, "zone-b": 2} == hinted_zones(add_hints(plan, HALVES))


@pytest.mark.parametrize(
    ("zones", "ratios"),
    [
        (("zone-a", None), HALVES),
        (("zone-a",), HALVES),
        (("zone-a", "zone-b"), None),
    ],
)
def test_hints_are_withdrawn_from_all_slices_where_they_cannot_be_fair(
    zones: tuple[str | None, ...], ratios: dict[str, float] | None
) -> None:
    """EPS-HINT-04: an endpoint without zone, too few endpoints, nodes that do not tell."""
    hinted = a_slice("web-y", endpoints=(an_endpoint(9, ready=False, zone_hints=("zone-b",)),))
    plan = SlicePlan(
        update=(a_slice("web-x", endpoints=endpoints(*zones, hinted=True)),), unchanged=(hinted,)
    )

    found = add_hints(plan, ratios)

    assert (Counter(), ()) == (hinted_zones(found), found.unchanged)


def test_endpoints_that_are_not_ready_neither_count_nor_get_hints() -> None:
    """EPS-HINT-04: two endpoints for two zones, one of them unready: too few."""
    unready = an_endpoint(2, zone="zone-b", ready=False)
    plan = SlicePlan(create=(a_slice("", endpoints=(*endpoints("zone-a"), unready)),))

    assert not hinted_zones(add_hints(plan, HALVES))


def test_slices_whose_hints_fit_are_not_written() -> None:
    kept = a_slice("web-x", endpoints=endpoints("zone-a", "zone-b", hinted=True))

    assert SlicePlan(unchanged=(kept,)) == add_hints(SlicePlan(unchanged=(kept,)), HALVES)


@pytest.mark.parametrize("hint", ["zone-z", "zone-a"])
def test_slices_whose_hints_no_longer_fit_are_rewritten(hint: str) -> None:
    """A hint for a zone without nodes, and one too many for a zone that may have one."""
    both = (
        an_endpoint(1, zone="zone-a", zone_hints=("zone-a",)),
        an_endpoint(2, zone="zone-b", zone_hints=(hint,)),
    )

    found = add_hints(SlicePlan(unchanged=(a_slice("web-x", endpoints=both),)), HALVES)

    assert ((), {"zone-a": 1, "zone-b": 1}) == (found.unchanged, hinted_zones(found))


def test_a_pass_gives_hints_by_the_cpus_of_all_nodes() -> None:
    """EPS-HINT-04: both pods on node a, and b with as many CPUs: one of them serves zone b."""
    service = a_service(annotations=(("service.kubernetes.io/topology-mode", "Auto"),))
    nodes = {"a": a_node("a", "zone-a"), "b": a_node("b", "zone-b")}

    (found,) = reconcile_slices(service, [a_pod(1), a_pod(2)], nodes, ())

    assert {"zone-a", "zone-b"} == {zone for each in found.endpoints for zone in each.zone_hints}
