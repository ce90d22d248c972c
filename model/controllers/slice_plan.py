"""What one pass over a family's slices means to do, while hints may still change it."""

import attrs

from model.objects import Endpoint, EndpointSlice

Slices = tuple[EndpointSlice, ...]


@attrs.frozen
class SlicePlan:
    """The slices to write, new ones and changed ones, and those left as they are.

    New slices have no name yet.
    """

    create: Slices = ()
    update: Slices = ()
    unchanged: Slices = ()

    @property
    def slices(self) -> Slices:
        return (*self.create, *self.update, *self.unchanged)


def is_ready(endpoint: Endpoint) -> bool:
    """Whether the condition is set and true: to the controllers, unset is not ready."""
    return endpoint.ready is True


def with_endpoints(one: EndpointSlice, endpoints: tuple[Endpoint, ...]) -> EndpointSlice:
    """The slice with other endpoints."""
    return attrs.evolve(one, endpoints=endpoints)


def with_hints(endpoint: Endpoint, zones: tuple[str, ...], nodes: tuple[str, ...] = ()) -> Endpoint:
    """The endpoint with exactly these hints."""
    if (endpoint.zone_hints, endpoint.node_hints) == (zones, nodes):
        return endpoint
    return attrs.evolve(endpoint, zone_hints=zones, node_hints=nodes)
