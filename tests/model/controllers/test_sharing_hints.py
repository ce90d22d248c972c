"""Which endpoint is hinted at which zone, one after the other."""

import attrs

from model.controllers.pod_endpoints import has_cluster_ip
from model.controllers.slice_plan import SlicePlan
from model.controllers.topology_hints import add_hints
from tests.model.controllers.building import a_service, a_slice, an_endpoint

THIRDS = {"zone-a": 1 / 3, "zone-b": 1 / 3, "zone-c": 1 / 3}


def zoned(*zones: str) -> SlicePlan:
    """A new slice of endpoints in these zones."""
    found = tuple(an_endpoint(number, zone=zone) for number, zone in enumerate(zones, 1))
    return SlicePlan(create=(a_slice("new", endpoints=found),))


def hints(plan: SlicePlan) -> list[str]:
    return [zone for one in plan.slices for each in one.endpoints for zone in each.zone_hints]


def test_each_zone_with_too_many_gives_only_what_it_has_too_many() -> None:
    """EPS-HINT-05: of 3, 3 and 0 for equal zones, a and b give one each to c, their first."""
    plan = add_hints(zoned(*["zone-a"] * 3, *["zone-b"] * 3), THIRDS)

    assert hints(plan) == ["zone-c", "zone-a", "zone-a", "zone-c", "zone-b", "zone-b"]


def test_a_zone_that_has_received_its_share_gets_no_more() -> None:
    """EPS-HINT-05: of 6, 0 and 0 for equal zones, a gives two to each of the others."""
    plan = add_hints(zoned(*["zone-a"] * 6), THIRDS)

    assert hints(plan) == ["zone-b", "zone-b", "zone-c", "zone-c", "zone-a", "zone-a"]


def test_hints_that_still_fit_are_kept_and_counted() -> None:
    """An unchanged slice with one hint for each zone, and a new endpoint in each zone beside it."""
    old = tuple(
        an_endpoint(number, zone=zone, zone_hints=(zone,)) for number, zone in enumerate(sorted(THIRDS), 11)
    )
    kept = a_slice("kept", endpoints=old)

    plan = add_hints(attrs.evolve(zoned(*sorted(THIRDS)), unchanged=(kept,)), THIRDS)

    assert plan.unchanged == (kept,)
    assert hints(plan) == [*sorted(THIRDS), *sorted(THIRDS)]


def test_a_hint_for_a_zone_without_need_makes_the_slice_one_to_write() -> None:
    gone = a_slice("gone", endpoints=(an_endpoint(11, zone="zone-a", zone_hints=("zone-x",)),))

    plan = add_hints(attrs.evolve(zoned("zone-b", "zone-c"), unchanged=(gone,)), THIRDS)

    assert [one.name.name for one in plan.update] == ["gone"]
    assert sorted(hints(plan)) == sorted(THIRDS)


def test_a_service_without_an_address_of_its_own_is_headless() -> None:
    """Before allocation clusterIP is empty, which is no address either."""
    ips = [(), ("",), ("None",), ("10.96.0.9",)]

    assert [has_cluster_ip(a_service(cluster_ips=each)) for each in ips] == [False, False, False, True]
