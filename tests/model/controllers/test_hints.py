"""Hints for trafficDistribution, and which wish for hints counts."""

import attrs
import pytest

from model.controllers.endpoint_slices import reconcile_slices
from model.controllers.hints import (
    asks_for_topology_hints,
    distribute,
    remove_hints,
    traffic_distribution,
)
from model.controllers.slice_plan import SlicePlan
from model.objects import Endpoint
from tests.model.controllers.building import NODES, a_node, a_pod, a_service, a_slice, an_endpoint

MODE = "service.kubernetes.io/topology-mode"
DEPRECATED = "service.kubernetes.io/topology-aware-hints"
HINTED = an_endpoint(1, zone_hints=("zone-a",))


def hints_of(plan: SlicePlan) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    return [(each.zone_hints, each.node_hints) for one in plan.slices for each in one.endpoints]


@pytest.mark.parametrize(
    ("annotations", "asks"),
    [
        ((), False),
        (((MODE, "Auto"),), True),
        (((MODE, "auto"),), True),
        (((MODE, "AUTO"),), False),
        (((DEPRECATED, "auto"),), True),
        (((MODE, "Auto"), (DEPRECATED, "Disabled")), False),
        (((MODE, "Disabled"), (DEPRECATED, "Auto")), True),
    ],
)
def test_the_annotation_asks_for_hints_and_its_deprecated_key_is_read_first(
    annotations: tuple[tuple[str, str], ...], asks: bool
) -> None:
    """EPS-HINT-01"""
    assert asks == asks_for_topology_hints(a_service(annotations=annotations))


@pytest.mark.parametrize(
    ("wish", "annotations", "acts"),
    [
        (None, (), None),
        ("PreferClose", (), "PreferClose"),
        ("PreferSameNode", (), "PreferSameNode"),
        ("example.com/other", (), None),
        ("PreferClose", ((MODE, "Auto"),), None),
        ("PreferClose", ((MODE, "Disabled"),), "PreferClose"),
    ],
)
def test_a_distribution_acts_unless_it_is_unknown_or_the_annotation_beats_it(
    wish: str | None, annotations: tuple[tuple[str, str], ...], acts: str | None
) -> None:
    """EPS-HINT-01"""
    service = a_service(traffic_distribution=wish, annotations=annotations)

    assert acts == traffic_distribution(service)


def test_without_its_feature_gate_only_prefer_close_is_known() -> None:
    wishes = ("PreferClose", "PreferSameZone", "PreferSameNode")

    acts = [traffic_distribution(a_service(traffic_distribution=wish), prefer_same=False) for wish in wishes]
    assert ["PreferClose", None, None] == acts


@pytest.mark.parametrize(
    ("distribution", "hints"),
    [
        ("PreferClose", (("zone-a",), ())),
        ("PreferSameZone", (("zone-a",), ())),
        ("PreferSameNode", (("zone-a",), ("a",))),
    ],
)
def test_a_ready_endpoint_is_for_its_own_zone_and_its_own_node_where_that_is_wished(
    distribution: str, hints: tuple[tuple[str, ...], tuple[str, ...]]
) -> None:
    """EPS-HINT-02"""
    assert [hints] == hints_of(distribute(distribution, SlicePlan(create=(a_slice("", 1),))))


@pytest.mark.parametrize(
    ("endpoint", "distribution", "hints"),
    [
        (an_endpoint(1, zone=None), "PreferClose", ((), ())),
        (an_endpoint(1, zone=None), "PreferSameNode", ((), ("a",))),
        (an_endpoint(1, node_name=None), "PreferSameNode", (("zone-a",), ())),
        (an_endpoint(1, ready=False), "PreferSameNode", ((), ())),
        (an_endpoint(1, ready=None), "PreferSameNode", ((), ())),
        (an_endpoint(1, ready=False, zone_hints=("old",)), "PreferClose", (("old",), ())),
        (an_endpoint(1, zone_hints=("zone-a",), node_hints=("a",)), "PreferClose", (("zone-a",), ())),
    ],
)
def test_hints_say_no_more_than_is_known_and_wished(
    endpoint: Endpoint, distribution: str, hints: tuple[tuple[str, ...], tuple[str, ...]]
) -> None:
    """EPS-HINT-02: an endpoint that is not ready is not looked at."""
    plan = SlicePlan(update=(a_slice("web-x", endpoints=(endpoint,)),))

    assert [hints] == hints_of(distribute(distribution, plan))


def test_slices_with_right_hints_are_not_written() -> None:
    right = a_slice("web-x", endpoints=(HINTED,))
    wrong = a_slice("web-y", endpoints=(an_endpoint(2, zone_hints=("zone-b",)),))

    found = distribute("PreferClose", SlicePlan(unchanged=(right, wrong)))

    corrected = a_slice("web-y", endpoints=(an_endpoint(2, zone_hints=("zone-a",)),))
    assert found == SlicePlan(update=(corrected,), unchanged=(right,))


def test_hints_are_withdrawn_everywhere_and_slices_without_any_not_written() -> None:
    """EPS-HINT-01"""
    hinted, plain = a_slice("web-x", endpoints=(HINTED,)), a_slice("web-y", 2)

    found = remove_hints(
        SlicePlan(create=(attrs.evolve(hinted, name=plain.name),), unchanged=(hinted, plain))
    )

    assert found == SlicePlan(
        create=(a_slice("web-y", 1),), update=(a_slice("web-x", 1),), unchanged=(plain,)
    )


def test_hints_are_each_familys_own() -> None:
    """EPS-HINT-03: three zones need three endpoints; there are three of IPv4, and one of IPv6."""
    service = a_service(annotations=((MODE, "Auto"),), ip_families=("IPv4", "IPv6"))
    pods = [a_pod(number, node_name=node) for number, node in enumerate("abc", 1)]
    pods[0] = attrs.evolve(pods[0], ips=("10.244.0.1", "fd00::1"))

    found = reconcile_slices(service, pods, NODES, ())

    hinted = {one.address_type: sum(bool(each.zone_hints) for each in one.endpoints) for one in found}
    assert {"IPv4": 3, "IPv6": 0} == hinted


def test_a_service_that_wishes_for_nothing_loses_the_hints_it_had() -> None:
    """EPS-HINT-01"""
    found = reconcile_slices(a_service(), [a_pod(1)], NODES, [a_slice("web-x", endpoints=(HINTED,))])

    assert found == (a_slice("web-x", 1),)


def test_hints_of_a_pass_are_those_of_the_services_distribution() -> None:
    """EPS-HINT-02"""
    service = a_service(traffic_distribution="PreferSameNode")

    (found,) = reconcile_slices(service, [a_pod(1)], {"a": a_node("a", "zone-a")}, ())

    assert (an_endpoint(1, zone_hints=("zone-a",), node_hints=("a",)),) == found.endpoints
