"""Policy and families, derived from the request and the cluster."""

from typing import Any

import pytest

from model.addresses import Family
from model.api.families import init_ip_family_fields
from model.api.gates import FeatureGates
from model.api.objects import HEADLESS, Service
from model.api.read_defaults import default_on_read
from tests.model.api.api_cases import defaulted, invalid, refused, with_spec

DUAL, SINGLE = (Family.IPV4, Family.IPV6), (Family.IPV4,)
BOTH = ("IPv4", "IPv6")
HEADLESS_IPS: dict[str, Any] = {"cluster_ip": HEADLESS, "cluster_ips": (HEADLESS,)}
UNSELECTED: dict[str, Any] = {**HEADLESS_IPS, "selector": ()}
ONE = defaulted(
    cluster_ip="10.0.0.7",
    cluster_ips=("10.0.0.7",),
    ip_families=("IPv4",),
    ip_family_policy="SingleStack",
)
TWO = with_spec(
    ONE, cluster_ips=("10.0.0.7", "fd00::7"), ip_families=BOTH, ip_family_policy="PreferDualStack"
)


def init(one: Service, old: Service | None = None, cluster: tuple[Family, ...] = DUAL) -> Service:
    return init_ip_family_fields(one, old, cluster, FeatureGates())


def families(one: Service) -> tuple[str | None, tuple[str, ...]]:
    return one.spec.ip_family_policy, one.spec.ip_families


@pytest.mark.parametrize(
    ("fields", "cluster", "expected"),
    [
        ({}, DUAL, ("SingleStack", ("IPv4",))),
        ({}, (Family.IPV6, Family.IPV4), ("SingleStack", ("IPv6",))),
        ({"ip_family_policy": "PreferDualStack"}, DUAL, ("PreferDualStack", BOTH)),
        ({"ip_family_policy": "PreferDualStack"}, SINGLE, ("PreferDualStack", ("IPv4",))),
        ({"ip_family_policy": "RequireDualStack"}, DUAL, ("RequireDualStack", BOTH)),
        (
            {"ip_family_policy": "PreferDualStack", "ip_families": ("IPv6",)},
            DUAL,
            ("PreferDualStack", ("IPv6", "IPv4")),
        ),
        ({"cluster_ip": "fd00::7", "cluster_ips": ("fd00::7",)}, DUAL, ("SingleStack", ("IPv6",))),
        (HEADLESS_IPS, DUAL, ("SingleStack", ("IPv4",))),
        (UNSELECTED, DUAL, ("RequireDualStack", BOTH)),
        (UNSELECTED, SINGLE, ("RequireDualStack", BOTH)),
        ({**UNSELECTED, "ip_family_policy": "SingleStack"}, DUAL, ("SingleStack", ("IPv4",))),
        ({**UNSELECTED, "ip_families": ("IPv6",)}, SINGLE, ("RequireDualStack", ("IPv6", "IPv4"))),
    ],
)
def test_a_new_service_gets_policy_and_families(
    fields: dict[str, Any], cluster: tuple[Family, ...], expected: tuple[str, tuple[str, ...]]
) -> None:
    """API-DS-01, -02, -03, -04."""
    assert families(init(defaulted(**fields), cluster=cluster)) == expected


@pytest.mark.parametrize(
    ("fields", "cluster", "fields_at_fault"),
    [
        ({"ip_family_policy": "RequireDualStack"}, SINGLE, ("spec.ipFamilyPolicy",)),
        ({"ip_families": ("IPv6",)}, SINGLE, ("spec.ipFamilies[0]",)),
        ({"cluster_ip": "fd00::7", "cluster_ips": ("fd00::7",)}, SINGLE, ("spec.clusterIPs[0]",)),
        ({"ip_families": BOTH}, DUAL, ("spec.ipFamilyPolicy",)),
        ({"ip_families": BOTH, "ip_family_policy": "SingleStack"}, DUAL, ("spec.ipFamilyPolicy",)),
        (
            {"cluster_ip": "10.0.0.7", "cluster_ips": ("10.0.0.7", "fd00::7")},
            DUAL,
            ("spec.ipFamilyPolicy",),
        ),
    ],
)
def test_what_policy_families_and_cluster_contradict_is_refused(
    fields: dict[str, Any], cluster: tuple[Family, ...], fields_at_fault: tuple[str, ...]
) -> None:
    """API-DS-03, -04, -05."""
    assert refused(init, defaulted(**fields), cluster=cluster) == invalid(*fields_at_fault)


def test_external_name_gets_no_families() -> None:
    """API-DS-02."""
    one = defaulted(type="ExternalName", external_name="db.example")

    assert init(one) == one


def test_headless_says_nothing_of_the_family() -> None:
    """API-DS-02: "None" is no IPv4 address."""
    found = init(defaulted(**HEADLESS_IPS), cluster=(Family.IPV6, Family.IPV4))

    assert families(found) == ("SingleStack", ("IPv6",))


def test_families_left_out_of_an_update_are_found_again() -> None:
    """API-DS-06: leaving them out is no reduction."""
    assert families(init(with_spec(TWO, ip_families=()), TWO)) == ("PreferDualStack", BOTH)


def test_an_update_without_policy_inherits_it() -> None:
    """API-DS-01."""
    assert families(init(with_spec(TWO, ip_family_policy=None), TWO)) == ("PreferDualStack", BOTH)


def test_single_stack_with_all_else_unchanged_is_a_downgrade() -> None:
    """API-DS-05."""
    spec = init(with_spec(TWO, ip_family_policy="SingleStack"), TWO).spec

    assert (spec.cluster_ips, spec.ip_families) == (("10.0.0.7",), ("IPv4",))


@pytest.mark.parametrize(
    "fields", [{"cluster_ips": ("10.0.0.7",)}, {"ip_families": ("IPv4",)}], ids=["address", "family"]
)
def test_taking_the_second_away_needs_the_policy_to_say_so(fields: dict[str, Any]) -> None:
    """API-DS-06."""
    assert refused(init, with_spec(TWO, **fields), TWO) == invalid("spec.ipFamilyPolicy")


def test_a_preferring_service_is_not_upgraded_when_the_cluster_becomes_dual_stack() -> None:
    """API-DS-07."""
    old = with_spec(ONE, ip_family_policy="PreferDualStack")

    assert families(init(old, old)) == ("PreferDualStack", ("IPv4",))


def test_a_preferring_service_is_not_refused_when_the_cluster_becomes_single_stack() -> None:
    """API-DS-07."""
    assert init(TWO, TWO, SINGLE) == TWO


@pytest.mark.parametrize("policy", ["PreferDualStack", "RequireDualStack"])
def test_a_change_of_policy_upgrades(policy: str) -> None:
    """API-DS-07, API-DS-09: the address is for the allocator to add."""
    spec = init(with_spec(ONE, ip_family_policy=policy), ONE).spec

    assert (spec.cluster_ips, spec.ip_families) == (("10.0.0.7",), BOTH)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"cluster_ip": "fd00::7"}, ("SingleStack", ("IPv6",))),
        (
            {"cluster_ip": "fd00::7", "cluster_ips": ("fd00::7", "10.0.0.7")},
            ("RequireDualStack", ("IPv6", "IPv4")),
        ),
        ({"cluster_ip": HEADLESS}, ("SingleStack", ("IPv6",))),
        ({"cluster_ip": HEADLESS, "selector": ()}, ("RequireDualStack", ("IPv6", "IPv4"))),
        ({"type": "ExternalName"}, (None, ())),
    ],
)
def test_an_old_object_is_read_with_families(
    fields: dict[str, Any], expected: tuple[str | None, tuple[str, ...]]
) -> None:
    """API-DS-10."""
    assert families(default_on_read(defaulted(**fields), Family.IPV6)) == expected


def test_an_external_name_is_read_without_internal_traffic_policy() -> None:
    """API-F-24."""
    one = with_spec(defaulted(type="ExternalName"), internal_traffic_policy="Cluster")

    assert default_on_read(one, Family.IPV4).spec.internal_traffic_policy is None
