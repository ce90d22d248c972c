"""Requests to the API server, and what of them the watchers are told.

Law: a refused or dry-run request changes nothing (INV-16). The Services that watchers see
are always those of the registry, read as consumers read them.
"""

import attrs

from model.api import objects as api
from model.api.as_read import read_endpoints, read_service, read_slice
from model.api.as_written import written_endpoints, written_slice
from model.api.endpoint_requests import (
    create_endpoint_slice,
    create_endpoints,
    update_endpoint_slice,
    update_endpoints,
)
from model.api.registry import Registry
from model.api.requests import create, delete, update, update_status
from model.api.service_storage import Accepted
from model.cluster import events
from model.cluster.events import IllegalEvent
from model.cluster.state import ClusterState
from model.objects import ObjectName


def create_service(state: ClusterState, event: events.CreateService) -> tuple[ClusterState, Accepted]:
    """Raises Refused."""
    accepted = create(state.registry, event.service, dry_run=event.dry_run, seed=event.seed)
    return stored(state, accepted, dry_run=event.dry_run)


def update_service(state: ClusterState, event: events.UpdateService) -> tuple[ClusterState, Accepted]:
    """Raises Refused."""
    accepted = update(state.registry, event.service, dry_run=event.dry_run, seed=event.seed)
    return stored(state, accepted, dry_run=event.dry_run)


def update_service_status(
    state: ClusterState, event: events.UpdateServiceStatus
) -> tuple[ClusterState, Accepted]:
    """Raises Refused."""
    return stored(state, update_status(state.registry, event.service), dry_run=False)


def stored(state: ClusterState, accepted: Accepted, *, dry_run: bool) -> tuple[ClusterState, Accepted]:
    if dry_run:
        return state, accepted
    name = accepted.service.object_name
    if name not in accepted.registry.services:
        return _gone(state, accepted.registry, name), accepted
    services = state.services.put(read_service(accepted.service), state.now)
    return attrs.evolve(state, registry=accepted.registry, services=services), accepted


def delete_service(state: ClusterState, event: events.DeleteService) -> tuple[ClusterState, Accepted]:
    """Its Endpoints go with it, its slices by garbage collection (EPS-EP-06). Raises Refused."""
    accepted = delete(state.registry, event.name, dry_run=event.dry_run)
    return stored(state, accepted, dry_run=event.dry_run)


def _gone(state: ClusterState, registry: Registry, name: ObjectName) -> ClusterState:
    return attrs.evolve(
        state,
        registry=registry,
        services=state.services.remove(name, state.now),
        endpoints=state.endpoints.discard(name),
    )


def write_endpoints(state: ClusterState, event: events.WriteEndpoints) -> ClusterState:
    """Raises Refused."""
    gates = state.registry.config.gates
    old = state.endpoints.get(event.endpoints.metadata.object_name)
    written: api.Endpoints = (
        create_endpoints(event.endpoints, gates)
        if old is None
        else update_endpoints(event.endpoints, written_endpoints(old), gates)
    )
    read = read_endpoints(written)
    return attrs.evolve(state, endpoints=state.endpoints.insert(read.name, read))


def delete_endpoints(state: ClusterState, event: events.DeleteEndpoints) -> ClusterState:
    if event.name not in state.endpoints:
        raise IllegalEvent(event, "name", event.name, "does not exist")
    return attrs.evolve(state, endpoints=state.endpoints.remove(event.name))


def write_slice(state: ClusterState, event: events.WriteSlice) -> ClusterState:
    """Raises Refused."""
    gates = state.registry.config.gates
    old = state.slices.by_name.get(event.slice.metadata.object_name)
    written: api.EndpointSlice = (
        create_endpoint_slice(event.slice, gates)
        if old is None
        else update_endpoint_slice(event.slice, written_slice(old), gates)
    )
    return attrs.evolve(state, slices=state.slices.put(read_slice(written), state.now))


def delete_slice(state: ClusterState, event: events.DeleteSlice) -> ClusterState:
    if event.name not in state.slices.by_name:
        raise IllegalEvent(event, "name", event.name, "does not exist")
    return attrs.evolve(state, slices=state.slices.remove(event.name, state.now))
