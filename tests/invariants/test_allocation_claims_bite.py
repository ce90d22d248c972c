"""Claims about the pools of addresses and node ports: what they let pass, and what they catch."""

from collections.abc import Callable
from typing import Any

import pytest

from invariants.allocation import bands_divide_a_range
from invariants.catalogue import CATALOGUE
from model.api import objects as api
from model.api.registry import ApiConfig
from model.cluster.state import ClusterState
from model.objects import ObjectName
from tests.invariants.states import (
    WEB,
    a_balancer,
    a_cidr,
    a_service,
    an_external_name,
    at_node_port,
    holding,
    with_pools,
)

BY_ID = {claim.id: claim for claim in CATALOGUE}

NODE_PORT = {"type": "NodePort", "external_traffic_policy": "Cluster"}


def local_balancer(**spec: Any) -> api.Service:
    local: dict[str, Any] = {"external_traffic_policy": "Local", "health_check_node_port": 30081}
    return a_balancer(**(local | spec))


@pytest.mark.parametrize("owner", [None, ObjectName("shop", "elsewhere")])
def test_inv_18_catches_an_address_that_belongs_to_nobody_or_to_another(owner: ObjectName | None) -> None:
    state = with_pools(holding(a_service()), ips={} if owner is None else {"10.96.0.5": owner})

    violation = BY_ID["INV-18"].violation(state)
    assert violation is not None
    assert violation.what == f"shop/web has 10.96.0.5, which belongs to {owner}"


def test_inv_18_knows_an_address_in_other_words() -> None:
    stored = holding(a_service(cluster_ips=("fd00:10:96:0::5",), ip_families=("IPv6",)))

    assert BY_ID["INV-18"].violation(with_pools(stored, ips={"fd00:10:96::5": WEB})) is None


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        pytest.param(a_service("b", ports=(at_node_port(30080),), **NODE_PORT), True, id="two Services"),
        pytest.param(
            a_service("b", ports=(at_node_port(30080, protocol="UDP"),), **NODE_PORT),
            True,
            id="two protocols (ALLOC-NP-03)",
        ),
        pytest.param(
            local_balancer(name="b", ports=(at_node_port(30082),), health_check_node_port=30080),
            True,
            id="a health check",
        ),
        pytest.param(a_service("b", ports=(at_node_port(30082),), **NODE_PORT), False, id="another number"),
        pytest.param(a_service("b"), False, id="none allocated"),
    ],
)
def test_inv_19_forbids_two_services_with_one_number(others: api.Service, expected: bool) -> None:
    state = holding(a_service("a", ports=(at_node_port(30080),), **NODE_PORT), others)

    assert (BY_ID["INV-19"].violation(state) is not None) is expected


def test_inv_19_catches_a_number_in_use_that_counts_as_free() -> None:
    state = with_pools(holding(local_balancer()), ports={30080: WEB})

    violation = BY_ID["INV-19"].violation(state)
    assert violation is not None
    assert violation.what == "shop/web has node port 30081, which counts as free"


def test_inv_19_counterexample_without_its_assumption() -> None:
    """ALLOC-NP-09: an ExternalName Service keeps a number that was never allocated to it."""
    claim = BY_ID["INV-19"]
    state = holding(a_balancer(), an_external_name(ports=(at_node_port(30080),)))

    assert claim.assumes(state) is False
    assert claim.violation(state) is None
    bare = claim.check(state)
    assert bare is not None
    assert bare.what == "node port 30080 belongs to shop/elsewhere and to shop/web"


@pytest.mark.parametrize(
    ("number", "expected"), [(29999, True), (30000, False), (32767, False), (32768, True)]
)
def test_inv_20_holds_node_ports_and_health_checks_to_the_range(number: int, expected: bool) -> None:
    as_port = holding(a_balancer(ports=(at_node_port(number),)))
    as_health_check = holding(local_balancer(ports=(at_node_port(31000),), health_check_node_port=number))

    caught = [BY_ID["INV-20"].violation(state) is not None for state in (as_port, as_health_check)]
    assert [expected, expected] == caught


def test_inv_20_takes_the_range_that_the_api_server_was_given() -> None:
    within = holding(a_balancer(), config=ApiConfig(30000, 30080))
    beyond = holding(a_balancer(), config=ApiConfig(30081, 32767))

    assert [None, "shop/web has node port 30080, outside the range"] == [
        violation and violation.what for violation in map(BY_ID["INV-20"].violation, (within, beyond))
    ]


@pytest.mark.parametrize(
    ("address", "cidrs", "expected"),
    [
        ("10.96.0.1", ("10.96.0.0/25",), set()),
        ("10.96.0.126", ("10.96.0.0/25",), set()),
        ("10.96.0.0", ("10.96.0.0/25",), {"INV-20", "INV-21"}),
        ("10.96.0.127", ("10.96.0.0/25",), {"INV-20", "INV-21"}),
        ("10.97.0.1", ("10.96.0.0/25",), {"INV-20"}),
        ("10.96.0.127", ("10.96.0.0/25", "10.96.0.0/24"), set()),
        ("fd00:10:96::", ("fd00:10:96::/112",), {"INV-20", "INV-21"}),
        ("fd00:10:96::ffff", ("fd00:10:96::/112",), set()),
        ("10.97.0.1", (), set()),
    ],
)
def test_cluster_ips_are_usable_addresses_of_a_service_cidr(
    address: str, cidrs: tuple[str, ...], expected: set[str]
) -> None:
    """Of overlapping CIDRs one may give what is the other's edge; without any, nothing is known."""
    family = "IPv6" if ":" in address else "IPv4"
    named = tuple(a_cidr(cidr, name=f"cidr-{at}") for at, cidr in enumerate(cidrs))
    state = holding(a_service(cluster_ips=(address,), ip_families=(family,)), cidrs=named)

    assert expected == {id for id in ("INV-20", "INV-21") if BY_ID[id].violation(state)}


# --- Arithmetic


def without_bounds(size: int, *, step: int, most: int) -> int:  # noqa: ARG001  # twin of the right one
    return size // step


def never_empty(size: int, *, step: int, most: int) -> int:
    return min(max(16, size // step), most)


def without_most(size: int, *, step: int, most: int) -> int:  # noqa: ARG001  # twin of the right one
    return 0 if size <= 16 else max(16, size // step)


def empty_for_one_more(size: int, *, step: int, most: int) -> int:
    return 0 if size <= 17 else never_empty(size, step=step, most=most)


def all_of_a_cidr(size: int, *, step: int, most: int) -> int:
    return 32 if size >= 32 and most == 256 else never_empty(size, step=step, most=most) * (size > 16)


def not_steady(size: int, *, step: int, most: int) -> int:
    return 0 if size <= 16 else never_empty(size, step=step, most=most) - size % 2


@pytest.mark.bites("drawn")
@pytest.mark.parametrize(
    ("wrong", "size"),
    [
        (without_bounds, 16),
        (never_empty, 16),
        (without_most, 8192),
        (empty_for_one_more, 17),
        (not_steady, 18),
        (all_of_a_cidr, 32),
    ],
)
def test_inv_23_catches_other_arithmetic(
    monkeypatch: pytest.MonkeyPatch, wrong: Callable[..., int], size: int
) -> None:
    right = bands_divide_a_range.violation(size)
    monkeypatch.setattr("invariants.allocation.static_band_size", wrong)

    assert right is None
    assert bands_divide_a_range.violation(size) is not None


def test_inv_23_is_met_on_both_sides_of_its_bounds() -> None:
    sizes = [1, 2, 16, 17, 18, 255, 256, 511, 512, 4095, 4096, 4097, 2768, 1 << 20, 1 << 64]

    assert [None] * len(sizes) == [bands_divide_a_range.violation(size) for size in sizes]


def test_claims_about_states_say_nothing_of_an_empty_cluster() -> None:
    assert [None] == list({claim.violation(ClusterState()) for claim in CATALOGUE if claim.kind.value == "S"})
