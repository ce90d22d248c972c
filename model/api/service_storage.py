"""What the storage of Services does with decoded objects: allocate, validate, write.

Pure: each operation returns the registry after, or raises Refused and has changed
nothing; allocation is undone by not keeping the registry it led to (API-PIPE-01, -02).
Metadata that the server makes up is as far as any rule needs it: the resource version
counts writes, the uid is drawn.

The order is the real server's: allocate, then wipe, then validate, then look whether the
name is taken; so a request with two faults is refused for the first of them. Deleting
the Endpoints object of a deleted Service (API-TC-11) is for the holder of endpoints.
Source: `apiserver/pkg/registry/generic/registry/store.go`,
`pkg/registry/core/service/storage/storage.go`.
"""

from random import Random
from uuid import UUID

import attrs

from model.api.allocation.port_operation import PortOperation
from model.api.allocation.service_ips import (
    release_addresses,
    release_ips,
    take_ips_for_new,
    take_ips_for_update,
)
from model.api.allocation.service_ports import release_ports, take_ports_for_new, take_ports_for_update
from model.api.carry_over import normalize_cluster_ips, patch_allocated_values
from model.api.families import init_ip_family_fields
from model.api.objects import Metadata, Service, ServiceStatus
from model.api.read_defaults import default_on_read
from model.api.refusal import FieldError, Reason, Refused
from model.api.registry import Registry, written
from model.api.type_changes import drop_type_dependent_fields
from model.api.validation.service import (
    validate_service_create,
    validate_service_update,
    validate_status_update,
)
from model.api.warnings import ip_warnings, service_warnings
from model.objects import ObjectName

_NO_VERSION = ("", "0")
_LONGEST_GENERATED_BASE = 58
_GENERATED_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
_GENERATE_ATTEMPTS = 8


@attrs.frozen
class Accepted:
    """What a request led to: the registry, the object as the answer shows it, and warnings.

    `registry` is the one before when nothing was written, as in a dry run. A deleted
    Service is shown as it was last.
    """

    registry: Registry
    service: Service
    warnings: tuple[str, ...] = ()


def store_new(registry: Registry, service: Service, *, dry_run: bool, seed: int) -> Accepted:
    """A new Service (API-PIPE-01, -06). Raises Refused."""
    draw = Random(seed)
    service = attrs.evolve(service, metadata=_new_metadata(registry, service.metadata, draw))
    service = normalize_cluster_ips(service, None)
    service = init_ip_family_fields(service, None, registry.families, registry.config.gates)
    after, service = take_ips_for_new(registry, service, draw, dry_run=dry_run)
    ports = PortOperation.begin(registry, service.object_name, dry_run=dry_run)
    ports, service = take_ports_for_new(service, ports, draw)
    service = attrs.evolve(service, status=ServiceStatus())
    _refuse_invalid(service, validate_service_create(service, registry.config.gates))
    if service.metadata.resource_version not in _NO_VERSION and not dry_run:
        raise Refused(Reason.UNKNOWN, "resourceVersion should not be set on objects to be created")
    if service.object_name in registry.services:
        raise Refused(Reason.ALREADY_EXISTS, f"services {service.metadata.name!r} already exists")
    warnings = service_warnings(service)
    service = default_on_read(service, registry.families[0])
    if dry_run:
        return Accepted(registry, service, warnings)
    after, service = written(attrs.evolve(after, node_ports=ports.commit()), service)
    return Accepted(after, service, warnings)


def store_changed(registry: Registry, service: Service, *, dry_run: bool, seed: int) -> Accepted:
    """A Service in place of the stored one, or a new one if there is none (API-PIPE-02, -06).

    A marked Service that loses its last finalizer is removed. Raises Refused.
    """
    stored = registry.services.get(service.object_name)
    _refuse_stale(service.metadata, stored)
    if stored is None:
        # Only a create looks at the resource version; this write drops it.
        unversioned = attrs.evolve(service.metadata, resource_version="")
        unversioned_service = attrs.evolve(service, metadata=unversioned)
        return store_new(registry, unversioned_service, dry_run=dry_run, seed=seed)
    draw = Random(seed)
    old = default_on_read(stored, registry.families[0])
    new = patch_allocated_values(service, old)
    new = normalize_cluster_ips(new, old)
    new = init_ip_family_fields(new, old, registry.families, registry.config.gates)
    after, new, no_longer_used = take_ips_for_update(registry, new, old, draw, dry_run=dry_run)
    ports = PortOperation.begin(registry, new.object_name, dry_run=dry_run)
    ports, new = take_ports_for_update(new, old, ports, draw)
    new = attrs.evolve(new, metadata=_kept_metadata(new.metadata, old.metadata), status=old.status)
    # Wiping comes after allocation: what the old type needed is released by then.
    new = drop_type_dependent_fields(new, old)
    _refuse_invalid(new, validate_service_update(new, old, registry.config.gates))
    warnings = service_warnings(new, old)
    new = default_on_read(new, registry.families[0])
    if dry_run or new == stored:
        return Accepted(registry, new, warnings)
    if _is_finished(new, old):
        return Accepted(_without(registry, old), new, warnings)
    after = release_addresses(after, no_longer_used)
    after, new = written(attrs.evolve(after, node_ports=ports.commit()), new)
    return Accepted(after, new, warnings)


def store_status(registry: Registry, service: Service, *, dry_run: bool = False) -> Accepted:
    """The stored Service with another status and other metadata (API-PIPE-03). Raises Refused.

    Finalizers are metadata: a marked Service that loses its last one here is removed, too.
    """
    old = _stored(registry, service.object_name)
    _refuse_stale(service.metadata, old)
    new = Service(_kept_metadata(service.metadata, old.metadata), old.spec, service.status)
    _refuse_invalid(new, validate_status_update(new, old, registry.config.gates))
    ingress = new.status.load_balancer.ingress
    fields = ((f"status.loadBalancer.ingress[{index}]", one.ip) for index, one in enumerate(ingress))
    warnings = tuple(text for field, ip in fields if ip for text in ip_warnings(field, ip))
    if dry_run or new == old:
        return Accepted(registry, new, warnings)
    if _is_finished(new, old):
        return Accepted(_without(registry, old), new, warnings)
    after, new = written(registry, new)
    return Accepted(after, new, warnings)


def remove(registry: Registry, name: ObjectName, *, dry_run: bool, now: str) -> Accepted:
    """Without the Service, or with it marked at `now` as long as it has finalizers (API-TC-11).

    Raises Refused (404) when there is no such Service.
    """
    service = _stored(registry, name)
    if dry_run:
        return Accepted(registry, service)
    if not service.metadata.finalizers:
        return Accepted(_without(registry, service), service)
    if service.metadata.deletion_timestamp is not None:
        return Accepted(registry, service)
    metadata = attrs.evolve(service.metadata, deletion_timestamp=now, deletion_grace_period_seconds=0)
    after, service = written(registry, attrs.evolve(service, metadata=metadata))
    return Accepted(after, service)


def _new_metadata(registry: Registry, metadata: Metadata, draw: Random) -> Metadata:
    uid = str(UUID(int=draw.getrandbits(128), version=4))
    metadata = attrs.evolve(
        metadata,
        uid=uid,
        creation_timestamp=None,  # the server's clock is no part of a registry
        deletion_timestamp=None,
        deletion_grace_period_seconds=None,
    )
    if metadata.name or not metadata.generate_name:
        return metadata
    for _ in range(_GENERATE_ATTEMPTS):
        letters = "".join(draw.choice(_GENERATED_LETTERS) for _ in range(5))
        name = metadata.generate_name[:_LONGEST_GENERATED_BASE] + letters
        if ObjectName(metadata.namespace, name) not in registry.services:
            break
    return attrs.evolve(metadata, name=name)


def _kept_metadata(new: Metadata, old: Metadata) -> Metadata:
    """What a client leaves out of metadata, or cannot change, stays.

    A deletion may not be taken back; one that nobody asked for stays in, for validation
    to refuse (`apiserver/pkg/registry/rest/update.go BeforeUpdate`).
    """
    grace = new.deletion_grace_period_seconds
    return attrs.evolve(
        new,
        uid=old.uid,
        resource_version=old.resource_version,
        generation=old.generation,
        deletion_timestamp=old.deletion_timestamp or new.deletion_timestamp,
        creation_timestamp=old.creation_timestamp,
        deletion_grace_period_seconds=old.deletion_grace_period_seconds if grace is None else grace,
    )


def _is_finished(new: Service, old: Service) -> bool:
    """Whether the object was marked for deletion and nobody has to finish anything for it any more."""
    return old.metadata.deletion_timestamp is not None and not new.metadata.finalizers


def _refuse_stale(metadata: Metadata, stored: Service | None) -> None:
    if metadata.uid and (stored is None or metadata.uid != stored.metadata.uid):
        raise Refused(Reason.CONFLICT, f"the uid {metadata.uid} is not that of the stored Service")
    if stored is None or metadata.resource_version in (*_NO_VERSION, stored.metadata.resource_version):
        return
    what = "the object has been modified; please apply your changes to the latest version and try again"
    raise Refused(Reason.CONFLICT, what)


def _refuse_invalid(service: Service, errors: tuple[FieldError, ...]) -> None:
    if errors:
        raise Refused(Reason.INVALID, f"Service {service.object_name} is invalid", errors)


def _stored(registry: Registry, name: ObjectName) -> Service:
    service = registry.services.get(name)
    if service is None:
        raise Refused(Reason.NOT_FOUND, f"services {name.name!r} not found")
    return default_on_read(service, registry.families[0])


def _without(registry: Registry, service: Service) -> Registry:
    """The registry without the Service, and without anything it carries the number of."""
    registry = release_ips(registry, service)
    ports = release_ports(service, PortOperation.begin(registry, service.object_name, dry_run=False))
    return attrs.evolve(
        registry,
        services=registry.services.remove(service.object_name),
        node_ports=ports.commit(),
        revision=registry.revision + 1,
    )
