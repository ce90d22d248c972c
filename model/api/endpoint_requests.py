"""What the API server makes of requests that write Endpoints and EndpointSlices.

Each function returns the object as it is stored, or raises Refused: 422 Invalid with
every field error, 409 Conflict when the request names another resource version or uid
than the stored one. Subsets are stored as they came: it is the controller that repacks
(EPS-EP-04). Left out is `generateName`: a new object comes with its name.
Source: apiserver pkg/registry/rest BeforeCreate, BeforeUpdate; the strategies of both kinds.
"""

from collections.abc import Iterable

import attrs

from model.api.gates import FeatureGates
from model.api.objects import Endpoint, EndpointPort, Endpoints, EndpointSlice, EndpointSubset, Metadata
from model.api.refusal import FieldError, Reason, Refused
from model.api.validation.endpoint_slice import (
    validate_endpoint_slice_create,
    validate_endpoint_slice_update,
)
from model.api.validation.endpoints import validate_endpoints_create, validate_endpoints_update
from model.api.validation.metadata import metadata_update_errors
from model.api.validation.names import dns_1123_subdomain

_DEFAULT_PROTOCOL = "TCP"
_HOSTNAME_LABEL = "kubernetes.io/hostname"
_NO_VERSION = ("", "0")
_SOME_VERSION = "1"


def create_endpoints(endpoints: Endpoints, gates: FeatureGates) -> Endpoints:
    """A new Endpoints object, with the protocol of its ports defaulted to TCP."""
    new = attrs.evolve(_defaulted_endpoints(endpoints), metadata=_of_new_object(endpoints.metadata))
    _refuse_if_any("Endpoints", validate_endpoints_create(new, gates))
    _refuse_version(new.metadata)
    return new


def update_endpoints(endpoints: Endpoints, old: Endpoints, gates: FeatureGates) -> Endpoints:
    """The Endpoints object after a PUT; a patch is applied to `old` by the caller."""
    defaulted = _defaulted_endpoints(endpoints)
    changed = attrs.evolve(defaulted, metadata=_carried_over(defaulted.metadata, old.metadata))
    versioned = attrs.evolve(changed, metadata=_versioned(changed.metadata))
    _refuse_if_any(
        "Endpoints",
        (
            # Asked of every kind, and once more among the checks of this one.
            *metadata_update_errors(versioned.metadata, old.metadata),
            *validate_endpoints_update(versioned, old, gates),
        ),
    )
    return changed


def create_endpoint_slice(endpoint_slice: EndpointSlice, gates: FeatureGates) -> EndpointSlice:
    """A new EndpointSlice of generation 1, defaulted by EPS-PORT-06, without deprecated topology."""
    metadata = attrs.evolve(_of_new_object(endpoint_slice.metadata), generation=1)
    new = _without_topology(attrs.evolve(_defaulted_slice(endpoint_slice), metadata=metadata), ())
    _refuse_if_any("EndpointSlice", validate_endpoint_slice_create(new, gates))
    _refuse_version(new.metadata)
    return new


def update_endpoint_slice(
    endpoint_slice: EndpointSlice, old: EndpointSlice, gates: FeatureGates
) -> EndpointSlice:
    """The EndpointSlice after a PUT; its generation counts changes of labels and of content."""
    defaulted = _defaulted_slice(endpoint_slice)
    metadata = _carried_over(defaulted.metadata, old.metadata)
    # Compared as written: topology counts as a change even where it is dropped next.
    is_same = metadata.labels == old.metadata.labels and attrs.evolve(defaulted, metadata=old.metadata) == old
    generation = old.metadata.generation + (0 if is_same else 1)
    changed = attrs.evolve(defaulted, metadata=attrs.evolve(metadata, generation=generation))
    if changed.endpoints != old.endpoints:
        changed = _without_topology(changed, old.endpoints)
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


def _without_topology(endpoint_slice: EndpointSlice, old: tuple[Endpoint, ...]) -> EndpointSlice:
    """Without deprecated topology; a host name in it that `old` has too becomes the node name."""
    hosts = frozenset(dict(one.deprecated_topology).get(_HOSTNAME_LABEL) for one in old)
    endpoints = tuple(
        attrs.evolve(one, deprecated_topology=(), node_name=_node_name(one, hosts))
        for one in endpoint_slice.endpoints
    )
    return attrs.evolve(endpoint_slice, endpoints=endpoints)


def _node_name(endpoint: Endpoint, hosts: frozenset[str | None]) -> str | None:
    host = dict(endpoint.deprecated_topology).get(_HOSTNAME_LABEL)
    if endpoint.node_name is not None or host is None or host not in hosts or dns_1123_subdomain(host):
        return endpoint.node_name
    return host


def _of_new_object(metadata: Metadata) -> Metadata:
    """Metadata that is not marked for deletion, which a new object cannot be."""
    return attrs.evolve(metadata, deletion_timestamp=None, deletion_grace_period_seconds=None)


def _refuse_version(metadata: Metadata) -> None:
    if metadata.resource_version not in _NO_VERSION:
        raise Refused(Reason.UNKNOWN, "resourceVersion should not be set on objects to be created")


def _carried_over(metadata: Metadata, old: Metadata) -> Metadata:
    """Metadata with what a client may leave out, or cannot change, taken from the stored object.

    A mark for deletion that the stored object lacks is left in, and is no legal change.
    """
    if old.uid and metadata.uid not in ("", old.uid):
        raise Refused(Reason.CONFLICT, f"{old.name} has the uid {old.uid} and not {metadata.uid}")
    if old.resource_version and metadata.resource_version not in (*_NO_VERSION, old.resource_version):
        raise Refused(Reason.CONFLICT, f"{old.name} has resource version {old.resource_version} by now")
    grace = metadata.deletion_grace_period_seconds
    is_versioned = metadata.resource_version not in _NO_VERSION
    return attrs.evolve(
        metadata,
        uid=metadata.uid or old.uid,
        resource_version=metadata.resource_version if is_versioned else old.resource_version,
        creation_timestamp=old.creation_timestamp or metadata.creation_timestamp,
        deletion_timestamp=old.deletion_timestamp or metadata.deletion_timestamp,
        deletion_grace_period_seconds=old.deletion_grace_period_seconds if grace is None else grace,
        generation=old.generation,
    )


def _versioned(metadata: Metadata) -> Metadata:
    """For validation alone: objects of a model without resource versions are not at fault."""
    return attrs.evolve(metadata, resource_version=metadata.resource_version or _SOME_VERSION)
