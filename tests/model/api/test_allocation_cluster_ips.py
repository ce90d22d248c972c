"""Addresses given out, asked for and released."""

from random import Random

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.addresses import Family, parse_address
from model.api.allocation.bands import address_range
from model.api.allocation.cluster_ips import (
    NoAddress,
    check_address_dry,
    is_ready,
    placeholder_address,
    release_address,
    take_address,
    take_next_address,
)
from model.api.objects import Condition, Metadata, ServiceCIDR, ServiceCIDRSpec, ServiceCIDRStatus
from model.api.registry import Registry
from model.objects import ObjectName
from tests.model.api.api_cases import IPV4_CIDR, registry

WEB, OTHER = ObjectName("shop", "web"), ObjectName("shop", "other")


def with_cidr(
    state: Registry, name: str, cidr: str, *, ready: str = "True", deleted: str | None = None
) -> Registry:
    one = ServiceCIDR(
        Metadata(name, deletion_timestamp=deleted),
        ServiceCIDRSpec((cidr,)),
        ServiceCIDRStatus((Condition("Ready", ready),)),
    )
    return attrs.evolve(state, service_cidrs=state.service_cidrs.insert(name, one))


def take_all(state: Registry, count: int, family: Family = Family.IPV4) -> list[str]:
    """Addresses taken one after the other, each with another seed."""
    taken = []
    for seed in range(count):
        state, address = take_next_address(state, WEB, family, Random(seed))
        taken.append(address)
    return taken


@given(seed=st.integers())
def test_a_dynamic_address_comes_from_the_upper_band(seed: int) -> None:
    """ALLOC-IP-04."""
    after, address = take_next_address(registry(), WEB, Family.IPV4, Random(seed))

    assert parse_address(address)[1] >= address_range(IPV4_CIDR).usable.middle
    assert dict(after.ip_owners.items()) == {address: WEB}


def test_the_lower_band_is_used_when_the_upper_one_is_full() -> None:
    """ALLOC-IP-04: of a /27, sixteen addresses are static and fourteen dynamic."""
    taken = take_all(registry("10.0.0.0/27"), 30)

    upper, lower = {f"10.0.0.{n}" for n in range(17, 31)}, {f"10.0.0.{n}" for n in range(1, 17)}
    assert ({*taken[:14]}, {*taken[14:]}) == (upper, lower)


def test_a_full_cidr_gives_nothing() -> None:
    """ALLOC-IP-04."""
    state = registry("10.0.0.0/30")
    for address in ("10.0.0.1", "10.0.0.2"):
        state = take_address(state, WEB, address)

    with pytest.raises(NoAddress, match=r"^range is full$"):
        take_next_address(state, WEB, Family.IPV4, Random(0))


def test_a_second_ready_cidr_serves_when_the_first_is_full() -> None:
    """ALLOC-IP-01, ALLOC-IP-04."""
    state = with_cidr(registry("10.0.0.0/30"), "more", "10.1.0.0/30")

    assert {*take_all(state, 4)} == {"10.0.0.1", "10.0.0.2", "10.1.0.1", "10.1.0.2"}


@pytest.mark.parametrize(("ready", "deleted"), [("False", None), ("True", "2026-01-01T00:00:00Z")])
def test_a_cidr_that_is_not_ready_or_goes_away_gives_nothing(ready: str, deleted: str | None) -> None:
    """ALLOC-IP-01, ALLOC-IP-09."""
    state = with_cidr(registry("10.0.0.0/30"), "more", "10.1.0.0/30", ready=ready, deleted=deleted)

    assert {*take_all(state, 2)} == {"10.0.0.1", "10.0.0.2"}
    with pytest.raises(NoAddress, match=r"^the provided IP is not in the valid range$"):
        take_address(state, WEB, "10.1.0.1")


@pytest.mark.parametrize("address", ["10.0.0.1", "10.0.200.9", "10.0.255.254", "fd00::1", "fd00::ffff"])
def test_any_usable_address_of_either_band_may_be_asked_for(address: str) -> None:
    """ALLOC-IP-05."""
    assert take_address(registry(), WEB, address).ip_owners[address] == WEB


@pytest.mark.parametrize("address", ["10.0.0.0", "10.0.255.255", "10.1.0.1", "fd00::", "fd01::1"])
def test_an_address_that_no_cidr_can_give_is_refused(address: str) -> None:
    """ALLOC-IP-02, ALLOC-IP-05."""
    with pytest.raises(NoAddress, match=r"^the provided IP is not in the valid range$"):
        take_address(registry(), WEB, address)


def test_an_address_has_one_owner_however_it_is_written_and_whatever_cidrs_overlap() -> None:
    """ALLOC-IP-01, ALLOC-IP-05: first come wins."""
    state = with_cidr(registry(), "inner", "10.0.5.0/24")
    state = take_address(state, WEB, "10.0.5.7")

    with pytest.raises(NoAddress, match=r"^provided IP is already allocated$"):
        take_address(state, OTHER, "10.0.05.7")


def test_a_released_address_is_free_and_releasing_it_again_does_nothing() -> None:
    """ALLOC-IP-06."""
    state = release_address(take_address(registry(), WEB, "10.0.0.7"), "10.0.0.7")

    assert state == registry()
    assert release_address(state, "10.0.0.7") == state


def test_an_address_outside_every_cidr_keeps_its_owner() -> None:
    """ALLOC-IP-08."""
    state = attrs.evolve(registry(), ip_owners=registry().ip_owners.insert("10.9.0.7", WEB))

    assert release_address(state, "10.9.0.7") == state


def test_a_dry_run_shows_the_network_address() -> None:
    """API-PIPE-06."""
    assert placeholder_address(registry(), Family.IPV6, Random(0)) == "fd00::"


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ((), True),
        ((Condition("Ready", "True"),), True),
        ((Condition("Ready", "False"),), False),
        ((Condition("Ready", "Unknown"),), False),
        ((Condition("Other", "False"), Condition("Ready", "True")), True),
        ((Condition("Other", "True"), Condition("Ready", "False")), False),
        ((Condition("Other", "False"),), True),
    ],
)
def test_a_cidr_is_ready_unless_its_ready_condition_says_otherwise(
    conditions: tuple[Condition, ...], expected: bool
) -> None:
    """ALLOC-IP-01: without that condition it counts as ready; other conditions say nothing of it."""
    one = ServiceCIDR(Metadata("more"), ServiceCIDRSpec(("10.1.0.0/24",)), ServiceCIDRStatus(conditions))

    assert expected is is_ready(one)


def test_a_dry_run_asks_only_whether_the_cidr_holds_the_address() -> None:
    """API-PIPE-06: taken or not."""
    state = take_address(registry(), WEB, "10.0.0.7")

    check_address_dry(state, "10.0.0.7", Random(0))
    with pytest.raises(NoAddress, match=r"^the provided IP is not in the valid range$"):
        check_address_dry(state, "10.1.0.7", Random(0))


def test_a_dry_run_has_no_answer_without_a_ready_cidr_of_the_family() -> None:
    """API-PIPE-06"""
    going = with_cidr(registry("fd00::/112"), "more", "10.1.0.0/30", ready="False")

    for state in (going, registry("fd00::/112")):
        with pytest.raises(NoAddress, match=r"^allocator not ready$"):
            placeholder_address(state, Family.IPV4, Random(0))
        with pytest.raises(NoAddress, match=r"^allocator not ready$"):
            check_address_dry(state, "10.1.0.1", Random(0))
