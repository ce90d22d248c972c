"""What the API server makes of requests that write Endpoints and EndpointSlices.

Each function returns the object as it is stored, or raises Refused: 422 Invalid with
every field error, 409 Conflict when the request names another resource version than the
stored one. Subsets are stored as they came: it is the controller that repacks (EPS-EP-04).
"""

from collections.abc import Iterable

import attrs

from model.api.gates import FeatureGates
from model.api.objects import EndpointPort, Endpoints, EndpointSlice, EndpointSubset, Metadata
from model.api.refusal import FieldError, Reason, Refused
from model.api.validation.endpoint_slice import (
    validate_endpoint_slice_create,
    validate_endpoint_slice_update,
)
from model.api.validation.endpoints import validate_endpoints_create, validate_endpoints_update
from model.api.validation.metadata import metadata_update_errors

_DEFAULT_PROTOCOL = "TCP"
_SOME_VERSION = "1"


def create_endpoints(endpoints: Endpoints, gates: FeatureGates) -> Endpoints:
    """A new Endpoints object, with the protocol of its ports defaulted to TCP."""
    defaulted = _defaulted_endpoints(endpoints)
    _refuse_if_any("Endpoints", validate_endpoints_create(defaulted, gates))
    return defaulted


def update_endpoints(endpoints: Endpoints, old: Endpoints, gates: FeatureGates) -> Endpoints:
    """The Endpoints object after a PUT; a patch is applied to `old` by the caller."""
    defaulted = _defaulted_endpoints(endpoints)
    changed = attrs.evolve(defaulted, metadata=_carried_over(defaulted.metadata, old.metadata))
    errors = validate_endpoints_update(
        attrs.evolve(changed, metadata=_versioned(changed.metadata)), old, gates
    )
    _refuse_if_any("Endpoints", errors)
    return changed


def create_endpoint_slice(endpoint_slice: EndpointSlice, gates: FeatureGates) -> EndpointSlice:
    """A new EndpointSlice of generation 1, defaulted by EPS-PORT-06, without deprecated topology."""
    metadata = attrs.evolve(endpoint_slice.metadata, generation=1)
    defaulted = _without_topology(attrs.evolve(_defaulted_slice(endpoint_slice), metadata=metadata))
    _refuse_if_any("EndpointSlice", validate_endpoint_slice_create(defaulted, gates))
    return defaulted


def update_endpoint_slice(
    endpoint_slice: EndpointSlice, old: EndpointSlice, gates: FeatureGates
) -> EndpointSlice:
    """The EndpointSlice after a PUT; its generation counts changes of labels and of content."""
    defaulted = _defaulted_slice(endpoint_slice)
    if defaulted.endpoints != old.endpoints:
        defaulted = _without_topology(defaulted)
    metadata = _carried_over(defaulted.metadata, old.metadata)
    is_same = metadata.labels == old.metadata.labels and attrs.evolve(defaulted, metadata=old.metadata) == old
    generation = old.metadata.generation + (0 if is_same else 1)
    changed = attrs.evolve(defaulted, metadata=attrs.evolve(metadata, generation=generation))
    _refuse_if_any(
        "EndpointSlice",
        (
            *metadata_update_errors(_versioned(changed.metadata), old.metadata),
            *validate_endpoint_slice_update(changed, old, gates),
        ),
    )
    return changed


def _refuse_if_any(kind: str, errors: Iterable[FieldError]) -> None:
    causes = tuple(errors)
    if causes:
        raise Refused(Reason.INVALID, f"{kind} is invalid", causes)


def _defaulted_endpoints(endpoints: Endpoints) -> Endpoints:
    return attrs.evolve(endpoints, subsets=tuple(map(_defaulted_subset, endpoints.subsets)))


def _defaulted_subset(subset: EndpointSubset) -> EndpointSubset:
    ports = tuple(attrs.evolve(port, protocol=port.protocol or _DEFAULT_PROTOCOL) for port in subset.ports)
    return attrs.evolve(subset, ports=ports)


def _defaulted_slice(endpoint_slice: EndpointSlice) -> EndpointSlice:
    return attrs.evolve(endpoint_slice, ports=tuple(map(_defaulted_port, endpoint_slice.ports)))


def _defaulted_port(port: EndpointPort) -> EndpointPort:
    return attrs.evolve(
        port,
        name="" if port.name is None else port.name,
        protocol=_DEFAULT_PROTOCOL if port.protocol is None else port.protocol,
    )


def _without_topology(endpoint_slice: EndpointSlice) -> EndpointSlice:
    endpoints = tuple(attrs.evolve(one, deprecated_topology=()) for one in endpoint_slice.endpoints)
    return attrs.evolve(endpoint_slice, endpoints=endpoints)


def _carried_over(metadata: Metadata, old: Metadata) -> Metadata:
    """Metadata with what a client may leave out taken from the stored object."""
    if old.resource_version and metadata.resource_version not in ("", old.resource_version):
        raise Refused(Reason.CONFLICT, f"{old.name} has resource version {old.resource_version} by now")
    return attrs.evolve(
        metadata,
        uid=metadata.uid or old.uid,
        resource_version=metadata.resource_version or old.resource_version,
        creation_timestamp=metadata.creation_timestamp or old.creation_timestamp,
        deletion_timestamp=old.deletion_timestamp,
        deletion_grace_period_seconds=old.deletion_grace_period_seconds,
        generation=old.generation,
    )


def _versioned(metadata: Metadata) -> Metadata:
    """For validation alone: objects of a model without resource versions are not at fault."""
    return attrs.evolve(metadata, resource_version=metadata.resource_version or _SOME_VERSION)
