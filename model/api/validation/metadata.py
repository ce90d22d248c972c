"""Checks of an object's metadata on creation and on change.

Source: apimachinery pkg/api/validation/objectmeta.go. `managedFields` are no part of the
model.
"""

from collections.abc import Iterator

from model.api.objects import Metadata, OwnerReference, Pairs
from model.api.refusal import FieldError
from model.api.validation.field_errors import forbidden, invalid, invalid_each, required, too_long
from model.api.validation.names import (
    NameForm,
    as_generate_name,
    dns_1123_label,
    label_value,
    qualified_name,
)

ANNOTATIONS_MAX_BYTES = 256 * 1024

_IMMUTABLE = {
    "name": "name",
    "namespace": "namespace",
    "uid": "uid",
    "creation_timestamp": "creationTimestamp",
    "deletion_timestamp": "deletionTimestamp",
    "deletion_grace_period_seconds": "deletionGracePeriodSeconds",
}
_ORPHAN, _FOREGROUND = "orphan", "foregroundDeletion"


def metadata_errors(
    metadata: Metadata, form: NameForm, *, namespaced: bool, field: str = "metadata"
) -> tuple[FieldError, ...]:
    """Errors of the metadata of a new object, whose name must have the form its kind asks for."""
    return tuple(_creation_errors(metadata, form, field, namespaced=namespaced))


def metadata_update_errors(
    metadata: Metadata, old: Metadata, field: str = "metadata"
) -> tuple[FieldError, ...]:
    """Errors of a change of metadata: identity stays, and the form of a name is not asked again."""
    return tuple(_update_errors(metadata, old, field))


def label_errors(labels: Pairs, field: str) -> tuple[FieldError, ...]:
    """Errors of a map of labels or of a selector; all of them name the map, not the key."""
    return tuple(
        error
        for key, value in labels
        for error in (
            *invalid_each(field, key, qualified_name(key)),
            *invalid_each(field, value, label_value(value)),
        )
    )


def annotation_errors(annotations: Pairs, field: str) -> tuple[FieldError, ...]:
    """Errors of annotations: keys are qualified names in any case, keys and values at most 256 KiB."""
    keys = [
        error for key, _ in annotations for error in invalid_each(field, key, qualified_name(key.lower()))
    ]
    size = sum(len(text.encode()) for pair in annotations for text in pair)
    return (*keys, too_long(field, ANNOTATIONS_MAX_BYTES)) if size > ANNOTATIONS_MAX_BYTES else tuple(keys)


def _creation_errors(
    metadata: Metadata, form: NameForm, field: str, *, namespaced: bool
) -> Iterator[FieldError]:
    if metadata.generate_name:
        faults = form(as_generate_name(metadata.generate_name))
        yield from invalid_each(f"{field}.generateName", metadata.generate_name, faults)
    if metadata.name:
        yield from invalid_each(f"{field}.name", metadata.name, form(metadata.name))
    else:
        yield required(f"{field}.name", "name or generateName must be set")
    if not namespaced:
        if metadata.namespace:
            yield forbidden(f"{field}.namespace", "not allowed on this type")
    elif metadata.namespace:
        yield from invalid_each(f"{field}.namespace", metadata.namespace, dns_1123_label(metadata.namespace))
    else:
        yield required(f"{field}.namespace")
    if metadata.generation < 0:
        yield invalid(f"{field}.generation", metadata.generation, "must not be negative")
    yield from _content_errors(metadata, field)
    yield from _finalizer_errors(metadata.finalizers, f"{field}.finalizers")


def _content_errors(metadata: Metadata, field: str) -> Iterator[FieldError]:
    yield from label_errors(metadata.labels, f"{field}.labels")
    yield from annotation_errors(metadata.annotations, f"{field}.annotations")
    yield from _owner_errors(metadata.owner_references, f"{field}.ownerReferences")


def _owner_errors(owners: tuple[OwnerReference, ...], field: str) -> Iterator[FieldError]:
    """Every owner is named in full, none is an Event, and at most one is the controller."""
    for owner in owners:
        group, _, version = owner.api_version.rpartition("/")
        parts = {"apiVersion": version, "kind": owner.kind, "name": owner.name, "uid": owner.uid}
        for name, value in parts.items():
            if not value or (name == "apiVersion" and "/" in group):
                yield invalid(f"{field}.{name}", value, "must not be empty")
        if (group, version, owner.kind) == ("", "v1", "Event"):
            yield invalid(field, "v1 Event", "cannot be an owner")
    # The API server reports each controller after the first.
    for owner in [one for one in owners if one.controller][1:]:
        yield invalid(field, owner.name, "only one owner can be the controller")


def _finalizer_errors(finalizers: tuple[str, ...], field: str) -> Iterator[FieldError]:
    for finalizer in finalizers:
        yield from invalid_each(field, finalizer, qualified_name(finalizer))
    if _ORPHAN in finalizers and _FOREGROUND in finalizers:
        yield invalid(field, finalizers, f"{_ORPHAN} and {_FOREGROUND} cannot both be set")


def _update_errors(metadata: Metadata, old: Metadata, field: str) -> Iterator[FieldError]:
    added = set(metadata.finalizers) - set(old.finalizers)
    if old.deletion_timestamp is not None and added:
        yield forbidden(f"{field}.finalizers", f"{sorted(added)} cannot be added while the object is deleted")
    if not metadata.resource_version:
        yield invalid(f"{field}.resourceVersion", "", "must be set in an update")
    if metadata.generation < old.generation:
        yield invalid(f"{field}.generation", metadata.generation, "must not be decremented")
    for name, path in _IMMUTABLE.items():
        if getattr(metadata, name) != getattr(old, name):
            yield invalid(f"{field}.{path}", getattr(metadata, name), "must not change")
    yield from _content_errors(metadata, field)
