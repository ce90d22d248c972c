"""IPAddresses: the name is the address, and the parent is named and stays."""

import attrs
import pytest

from model.api.objects import IPAddress, IPAddressSpec, Metadata, ParentReference
from model.api.validation.ip_address import validate_ip_address_create, validate_ip_address_update
from tests.model.api.validation_cases import found

PARENT = ParentReference("", "services", "shop", "web")


def address(name: str = "10.96.0.10", parent: ParentReference | None = PARENT) -> IPAddress:
    return IPAddress(Metadata(name=name, resource_version="1"), IPAddressSpec(parent))


@pytest.mark.parametrize(
    ("name", "errors"),
    [
        ("10.96.0.10", []),
        ("fd00::10", []),
        ("FD00::10", ["metadata.name INVALID"]),
        ("010.96.0.10", ["metadata.name INVALID"]),
        ("::ffff:10.96.0.10", ["metadata.name INVALID"]),
        ("web", ["metadata.name INVALID"]),
        ("", ["metadata.name REQUIRED"]),
    ],
)
def test_the_name_is_an_address_in_canonical_text(name: str, errors: list[str]) -> None:
    """ALLOC-IP-01."""
    assert errors == found(validate_ip_address_create(address(name)))


@pytest.mark.parametrize(
    ("parent", "errors"),
    [
        (None, ["spec.parentRef REQUIRED"]),
        (ParentReference(), ["spec.parentRef.name REQUIRED", "spec.parentRef.resource REQUIRED"]),
        (attrs.evolve(PARENT, group="gateway.networking.k8s.io"), []),
        (attrs.evolve(PARENT, group="Gateway"), ["spec.parentRef.group INVALID"]),
        (attrs.evolve(PARENT, resource="a/b"), ["spec.parentRef.resource INVALID"]),
        (attrs.evolve(PARENT, name=".."), ["spec.parentRef.name INVALID"]),
        (attrs.evolve(PARENT, namespace="a%b/c"), ["spec.parentRef.namespace INVALID"] * 2),
        (attrs.evolve(PARENT, namespace=""), []),
    ],
)
def test_the_parent_can_be_part_of_a_path(parent: ParentReference | None, errors: list[str]) -> None:
    assert errors == found(validate_ip_address_create(address(parent=parent)))


def test_the_parent_does_not_change() -> None:
    kept = validate_ip_address_update(address(), address())
    changed = validate_ip_address_update(address(parent=attrs.evolve(PARENT, name="db")), address())
    removed = validate_ip_address_update(address(parent=None), address())

    assert ([], ["spec.parentRef INVALID"], ["spec.parentRef INVALID"]) == (
        found(kept),
        found(changed),
        found(removed),
    )


def test_the_address_does_not_change() -> None:
    errors = validate_ip_address_update(address("10.96.0.11"), address())

    assert ["metadata.name INVALID"] == found(errors)
