"""What the API server asks of every object's metadata."""

from typing import Any

import attrs
import pytest

from model.api.objects import Metadata, OwnerReference
from model.api.validation.metadata import metadata_errors, metadata_update_errors
from model.api.validation.names import dns_1123_label
from tests.model.api.validation_cases import METADATA, found

OWNER = OwnerReference("v1", "Service", "web", "u1")


@pytest.mark.parametrize(
    ("change", "errors"),
    [
        ({}, []),
        ({"name": ""}, ["metadata.name REQUIRED"]),
        ({"name": "Web"}, ["metadata.name INVALID"]),
        ({"namespace": ""}, ["metadata.namespace REQUIRED"]),
        ({"namespace": "a.b"}, ["metadata.namespace INVALID"]),
        ({"generate_name": "web-"}, []),
        ({"generate_name": "-web"}, ["metadata.generateName INVALID"]),
        ({"name": "", "generate_name": "web-"}, ["metadata.name REQUIRED"]),
        ({"generation": -1}, ["metadata.generation INVALID"]),
        ({"labels": (("app", "web"),)}, []),
        ({"labels": (("app/", "a b"),)}, ["metadata.labels INVALID"] * 3),
        ({"annotations": (("Example.COM/Key", "any text"),)}, []),
        ({"annotations": (("a=b", ""),)}, ["metadata.annotations INVALID"]),
        ({"annotations": (("a", "x" * (256 * 1024 - 1)),)}, []),
        ({"annotations": (("a", "x" * 256 * 1024),)}, ["metadata.annotations TOO_LONG"]),
        ({"finalizers": ("service.kubernetes.io/load-balancer-cleanup", "orphan")}, []),
        ({"finalizers": ("a b",)}, ["metadata.finalizers INVALID"]),
        ({"finalizers": ("orphan", "foregroundDeletion")}, ["metadata.finalizers INVALID"]),
        ({"owner_references": (OWNER,)}, []),
        ({"owner_references": (attrs.evolve(OWNER, uid=""),)}, ["metadata.ownerReferences.uid INVALID"]),
        (
            {"owner_references": (OwnerReference(),)},
            [f"metadata.ownerReferences.{name} INVALID" for name in ("apiVersion", "kind", "name", "uid")],
        ),
        ({"owner_references": (attrs.evolve(OWNER, kind="Event"),)}, ["metadata.ownerReferences INVALID"]),
        (
            # The group before the slash is the empty one, which v1 alone means too.
            {"owner_references": (attrs.evolve(OWNER, api_version="/v1", kind="Event"),)},
            ["metadata.ownerReferences INVALID"],
        ),
        (
            {"owner_references": (attrs.evolve(OWNER, api_version="events.k8s.io/v1", kind="Event"),)},
            [],
        ),
        ({"owner_references": (attrs.evolve(OWNER, controller=True),)}, []),
        (
            {"owner_references": (attrs.evolve(OWNER, controller=True),) * 3},
            ["metadata.ownerReferences INVALID"] * 2,
        ),
    ],
)
def test_metadata_of_a_new_object(change: dict[str, Any], errors: list[str]) -> None:
    metadata = attrs.evolve(METADATA, **change)

    assert errors == found(metadata_errors(metadata, dns_1123_label, namespaced=True))


def test_an_object_of_the_cluster_belongs_to_no_namespace() -> None:
    errors = metadata_errors(Metadata(name="a", namespace="shop"), dns_1123_label, namespaced=False)

    assert ["metadata.namespace FORBIDDEN"] == found(errors)


@pytest.mark.parametrize(
    ("change", "errors"),
    [
        ({}, []),
        ({"name": "Other"}, ["metadata.name INVALID"]),
        ({"namespace": "other"}, ["metadata.namespace INVALID"]),
        ({"uid": "u2"}, ["metadata.uid INVALID"]),
        ({"creation_timestamp": "2026-01-01T00:00:00Z"}, ["metadata.creationTimestamp INVALID"]),
        ({"deletion_timestamp": "2026-01-01T00:00:00Z"}, ["metadata.deletionTimestamp INVALID"]),
        ({"deletion_grace_period_seconds": 5}, ["metadata.deletionGracePeriodSeconds INVALID"]),
        ({"generation": 1}, ["metadata.generation INVALID"]),
        ({"generation": 3}, []),
        ({"resource_version": ""}, ["metadata.resourceVersion INVALID"]),
        ({"resource_version": "8"}, []),
        ({"labels": (("a b", ""),)}, ["metadata.labels INVALID"]),
        ({"annotations": (("a b", ""),)}, ["metadata.annotations INVALID"]),
        ({"owner_references": (attrs.evolve(OWNER, name=""),)}, ["metadata.ownerReferences.name INVALID"]),
        ({"finalizers": ("new",)}, []),
    ],
)
def test_identity_does_not_change(change: dict[str, Any], errors: list[str]) -> None:
    old = attrs.evolve(METADATA, uid="u1", generation=2)

    assert errors == found(metadata_update_errors(attrs.evolve(old, **change), old))


def test_no_finalizer_is_added_to_an_object_that_is_being_deleted() -> None:
    old = attrs.evolve(METADATA, deletion_timestamp="2026-01-01T00:00:00Z", finalizers=("a", "b"))
    added, removed = (attrs.evolve(old, finalizers=names) for names in (("a", "b", "c"), ("a",)))

    actual = [found(metadata_update_errors(new, old)) for new in (added, removed)]
    assert [["metadata.finalizers FORBIDDEN"], []] == actual


def test_a_name_that_no_longer_has_the_form_may_stay() -> None:
    """API-F-01: the form of a name is asked for when the object is created only."""
    old = attrs.evolve(METADATA, name="Old_Name")

    assert metadata_update_errors(old, old) == ()
