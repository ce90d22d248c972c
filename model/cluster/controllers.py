"""Passes of the controllers: each looks at the present objects of one Service and writes what it lacks.

Level-triggered: a pass depends on what is there and not on how it came about, so passes
may be late, repeated and in any order. A pass that is interrupted has made its first
writes only, in the order in which the real controllers make them: creations, updates,
deletions (EPS-SL-02).
"""

from collections.abc import Iterable

import attrs

from model.cluster import events
from model.cluster.events import IllegalEvent
from model.cluster.state import ClusterState
from model.controllers.endpoint_slices import reconcile_slices
from model.controllers.endpoints import reconcile_endpoints
from model.controllers.mirroring import MIRRORING_CONTROLLER, mirror
from model.controllers.slice_packing import SLICE_CONTROLLER
from model.objects import EndpointSlice, ObjectName


def sync_slices(state: ClusterState, event: events.SyncSlices) -> ClusterState:
    """Nothing happens where the Service is not there, or not managed (EPS-SEL-01)."""
    service = state.services.by_name.get(event.service)
    if service is None:
        return state
    existing = _managed(state, event.service, SLICE_CONTROLLER)
    wanted = reconcile_slices(
        service,
        state.pods.selected(service),
        state.nodes,
        existing,
        taken=state.slices.by_name,
    )
    return _write(state, event, existing, wanted)


def mirror_endpoints(state: ClusterState, event: events.MirrorEndpoints) -> ClusterState:
    existing = _managed(state, event.service, MIRRORING_CONTROLLER)
    wanted = mirror(
        state.services.by_name.get(event.service),
        state.endpoints.get(event.service),
        existing,
        taken=state.slices.by_name,
    )
    return _write(state, event, existing, wanted)


def _managed(state: ClusterState, service: ObjectName, by: str) -> tuple[EndpointSlice, ...]:
    """The Service's slices that this controller made; it looks at no others."""
    return tuple(one for one in state.slices.of(service) if one.managed_by == by)


def sync_endpoints(state: ClusterState, event: events.SyncEndpoints) -> ClusterState:
    """Nothing happens where the Service is not there, or not managed (EPS-SEL-01)."""
    service = state.services.by_name.get(event.service)
    if service is None:
        return state
    current = state.endpoints.get(event.service)
    wanted = reconcile_endpoints(service, state.pods.selected(service), current)
    if wanted is None or wanted == current:
        return state
    return attrs.evolve(state, endpoints=state.endpoints.insert(wanted.name, wanted))


def collect_garbage(state: ClusterState, event: events.CollectGarbage) -> ClusterState:
    """Slices whose owner is gone: the Service for its controller's, the Endpoints for mirrored ones.

    A Service of the same name that came later is not the owner.
    """
    slices = state.slices
    service = state.services.by_name.get(event.service)
    for one in _managed(state, event.service, SLICE_CONTROLLER):
        if one.service_owners and (service is None or service.uid not in one.service_owners):
            slices = slices.remove(one.name, state.now)
    for one in _managed(state, event.service, MIRRORING_CONTROLLER):
        if event.service not in state.endpoints:
            slices = slices.remove(one.name, state.now)
    return attrs.evolve(state, slices=slices)


def _write(
    state: ClusterState,
    event: events.SyncSlices | events.MirrorEndpoints,
    existing: Iterable[EndpointSlice],
    wanted: Iterable[EndpointSlice],
) -> ClusterState:
    """The first `event.writes` of the writes that lead from what exists to what is wanted."""
    if event.writes is not None and event.writes < 0:
        raise IllegalEvent(event, "writes", event.writes, "is negative")
    before = {one.name: one for one in existing}
    after = {one.name: one for one in wanted}
    created = [one for name, one in after.items() if name not in before]
    updated = [one for name, one in after.items() if name in before and before[name] != one]
    deleted = [name for name in before if name not in after]
    slices = state.slices
    done = len(created) + len(updated) + len(deleted) if event.writes is None else event.writes
    for one in [*created, *updated][:done]:
        slices = slices.put(one, state.now)
    for name in deleted[: max(0, done - len(created) - len(updated))]:
        slices = slices.remove(name, state.now)
    return attrs.evolve(state, slices=slices)
