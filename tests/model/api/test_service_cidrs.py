"""ServiceCIDRs that come and go, and the first Service."""

import pytest

from model.api.refusal import Reason
from model.api.requests import create, delete
from model.api.service_cidrs import (
    KUBERNETES_SERVICE,
    add_service_cidr,
    delete_service_cidr,
    ensure_kubernetes_service,
    finalize_service_cidrs,
    holders,
)
from model.objects import ObjectName
from tests.model.api.api_cases import holding, invalid, refused, registry, service, stored

WEB = ObjectName("shop", "web")


def test_an_added_cidr_gives_out_addresses() -> None:
    """ALLOC-IP-01."""
    state = add_service_cidr(registry(), "more", ("10.1.0.0/24",))

    assert create(state, service(cluster_ip="10.1.0.7")).registry.ip_owners["10.1.0.7"] == WEB


def test_what_is_no_cidr_or_has_a_taken_name_is_refused() -> None:
    assert refused(add_service_cidr, registry(), "more", ("10.1.0.1/24",)) == invalid("spec.cidrs[0]")
    assert refused(add_service_cidr, registry(), "kubernetes", ("10.1.0.0/24",)) == (
        Reason.ALREADY_EXISTS,
        frozenset(),
    )


def test_an_unused_cidr_goes_at_once() -> None:
    """ALLOC-IP-09."""
    state = add_service_cidr(registry(), "more", ("10.1.0.0/24",))

    assert delete_service_cidr(state, "more") == registry()


def test_a_cidr_in_use_stays_until_its_last_address_is_free_and_gives_out_no_more() -> None:
    """ALLOC-IP-09."""
    state = add_service_cidr(registry(), "more", ("10.1.0.0/24",))
    state = holding(state, service(cluster_ip="10.1.0.7"))

    marked = delete_service_cidr(state, "more")
    unused = delete(marked, WEB).registry

    assert stored(marked).spec.cluster_ip in marked.ip_owners
    assert refused(create, marked, service("other", cluster_ip="10.1.0.8")) == invalid("spec.clusterIPs")
    assert "more" in finalize_service_cidrs(marked).service_cidrs
    assert "more" not in finalize_service_cidrs(unused).service_cidrs


def test_deleting_twice_keeps_the_first_mark() -> None:
    state = holding(add_service_cidr(registry(), "more", ("10.1.0.0/24",)), service(cluster_ip="10.1.0.7"))

    once = delete_service_cidr(state, "more", now="2026-01-01T00:00:00Z")

    assert delete_service_cidr(once, "more", now="2026-02-02T00:00:00Z") == once


def test_a_cidr_of_another_family_holds_no_address_and_covers_no_cidr() -> None:
    """ALLOC-IP-09: ::a00:7 is 10.0.0.7 as a number."""
    state = add_service_cidr(registry("10.0.0.0/16"), "numeric", ("::/64",))

    assert holders(state, "10.0.0.7") == {"kubernetes"}
    assert holders(state, "::a00:7") == {"numeric"}
    used = holding(state, service())
    assert "kubernetes" in delete_service_cidr(used, "kubernetes").service_cidrs


def test_of_two_equal_cidrs_either_may_go() -> None:
    """ALLOC-IP-09."""
    state = add_service_cidr(registry("10.0.0.0/16"), "same", ("10.0.0.0/16",))

    assert "same" not in delete_service_cidr(holding(state, service()), "same").service_cidrs


def test_without_a_default_cidr_there_is_no_first_service() -> None:
    """ALLOC-IP-10."""
    state = delete_service_cidr(registry(), "kubernetes")

    assert refused(ensure_kubernetes_service, state) == (Reason.INTERNAL_ERROR, frozenset())


def test_a_cidr_within_another_goes_although_in_use() -> None:
    """ALLOC-IP-09: no address depends on it alone."""
    state = add_service_cidr(registry(), "inner", ("10.0.5.0/24",))
    state = holding(state, service(cluster_ip="10.0.5.7"))

    assert "inner" not in delete_service_cidr(state, "inner").service_cidrs


def test_what_does_not_exist_cannot_be_deleted() -> None:
    assert refused(delete_service_cidr, registry(), "more") == (Reason.NOT_FOUND, frozenset())


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("10.0.5.7", {"kubernetes", "inner"}),
        ("10.0.5.0", {"kubernetes"}),
        ("10.0.5.255", {"kubernetes"}),
        ("10.0.0.0", set()),
        ("10.9.0.1", set()),
        ("fd00::1", {"kubernetes"}),
    ],
)
def test_an_address_is_held_by_these(address: str, expected: set[str]) -> None:
    """ALLOC-IP-02: network and broadcast addresses belong to no CIDR."""
    state = add_service_cidr(registry(), "inner", ("10.0.5.0/24",))

    assert holders(state, address) == expected


@pytest.mark.parametrize(
    ("address", "expected"), [("fd00::", set()), ("fd00::1", {"kubernetes"}), ("fd00::ffff", {"kubernetes"})]
)
def test_of_ipv6_the_last_address_is_like_any(address: str, expected: set[str]) -> None:
    """ALLOC-IP-02: there is no broadcast."""
    assert holders(registry("fd00::/112"), address) == expected


@pytest.mark.parametrize(
    ("cidrs", "address"), [(("10.96.0.0/12",), "10.96.0.1"), (("fd00::/112", "10.0.0.0/16"), "fd00::1")]
)
def test_the_first_service_has_the_first_address_of_the_primary_range(
    cidrs: tuple[str, ...], address: str
) -> None:
    """ALLOC-IP-10."""
    accepted = ensure_kubernetes_service(registry(*cidrs))

    assert accepted.service.spec.cluster_ips == (address,)
    assert accepted.service.metadata.labels == (("component", "apiserver"), ("provider", "kubernetes"))
    assert accepted.registry.ip_owners[address] == KUBERNETES_SERVICE


def test_the_first_service_is_left_alone_while_it_exists_and_comes_back_after() -> None:
    """ALLOC-IP-10."""
    first = ensure_kubernetes_service(registry())
    without = delete(first.registry, KUBERNETES_SERVICE).registry

    assert ensure_kubernetes_service(first.registry) == first
    assert ensure_kubernetes_service(without).service.spec == first.service.spec
