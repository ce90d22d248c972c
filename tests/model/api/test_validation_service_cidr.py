"""ServiceCIDRs: one range, or one of each family, that stays what it is."""

from typing import Any

import attrs
import pytest

from model.api.objects import Metadata, ServiceCIDR, ServiceCIDRSpec
from model.api.validation.service_cidr import (
    validate_service_cidr_create,
    validate_service_cidr_status_update,
    validate_service_cidr_update,
)
from tests.model.api.validation_cases import found

V4, V6 = "10.96.0.0/16", "fd00:10:96::/112"


def ranges(*cidrs: str, **metadata: Any) -> ServiceCIDR:
    return ServiceCIDR(
        attrs.evolve(Metadata(name="more", resource_version="1"), **metadata), ServiceCIDRSpec(cidrs)
    )


@pytest.mark.parametrize(
    ("cidrs", "errors"),
    [
        ((V4,), []),
        ((V6, V4), []),
        ((), ["spec.cidrs REQUIRED"]),
        ((V4, V6, "10.97.0.0/16"), ["spec.cidrs INVALID"]),
        ((V4, "10.97.0.0/16"), ["spec.cidrs INVALID"]),
        (("10.96.0.1/16",), ["spec.cidrs[0] INVALID"]),
        (("10.96.0.0",), ["spec.cidrs[0] INVALID"]),
        ((V4, "FD00:10:96::/112"), ["spec.cidrs[1] INVALID"]),
        (("x", "y"), ["spec.cidrs[0] INVALID", "spec.cidrs[1] INVALID"]),
        ((V4, "010.97.0.0/16"), ["spec.cidrs INVALID", "spec.cidrs[1] INVALID"]),
    ],
)
def test_a_range_is_one_cidr_of_each_family_in_canonical_text(
    cidrs: tuple[str, ...], errors: list[str]
) -> None:
    assert errors == found(validate_service_cidr_create(ranges(*cidrs)))


def test_a_range_belongs_to_no_namespace() -> None:
    errors = validate_service_cidr_create(ranges(V4, name="A", namespace="shop"))

    assert ["metadata.name INVALID", "metadata.namespace FORBIDDEN"] == found(errors)


@pytest.mark.parametrize(
    ("old", "new", "errors"),
    [
        ((V4,), (V4,), []),
        ((V4,), (V4, V6), []),
        ((V4,), (V6, V4), ["spec.cidrs[0] INVALID"]),
        ((V4,), (V4, "10.97.0.0/16"), ["spec.cidrs INVALID"]),
        ((V4,), (V4, "x"), ["spec.cidrs[1] INVALID"]),
        ((V4,), (V6,), ["spec.cidrs[0] INVALID"]),
        ((V4, V6), (V6, V4), ["spec.cidrs[0] INVALID", "spec.cidrs[1] INVALID"]),
        ((V4, V6), (V4,), ["spec.cidrs INVALID"]),
        ((V4,), (), ["spec.cidrs INVALID"]),
        (("10.96.0.1/16",), ("10.96.0.1/16",), []),
    ],
)
def test_a_range_changes_only_by_a_second_family(
    old: tuple[str, ...], new: tuple[str, ...], errors: list[str]
) -> None:
    """What is stored and stays is not asked again (API-F-31)."""
    assert errors == found(validate_service_cidr_update(ranges(*new), ranges(*old)))


def test_metadata_is_checked_on_every_change() -> None:
    old, new = ranges(V4, uid="u1"), ranges(V4, uid="u2")

    error = ["metadata.uid INVALID"]
    assert error == found(validate_service_cidr_update(new, old))
    assert error == found(validate_service_cidr_status_update(new, old))
