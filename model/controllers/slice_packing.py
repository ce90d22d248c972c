"""The endpoints of one port list put into slices with as few changes as the real controller makes.

Source: staging/src/k8s.io/endpointslice/reconciler.go reconcileByPortMapping. Where the
original takes any endpoint or any slice of several alike, the first is taken here.
"""

import itertools
from collections.abc import Container, Iterable, Iterator

import attrs

from model.controllers.slice_plan import Slices
from model.objects import Endpoint, EndpointPort, EndpointSlice, ObjectName, Service

SLICE_CONTROLLER = "endpointslice-controller.k8s.io"
RESERVED_LABELS = frozenset(
    (
        "kubernetes.io/service-name",
        "endpointslice.kubernetes.io/managed-by",
        "service.kubernetes.io/headless",
    )
)

_LONGEST_NAME_PREFIX = 58  # of generateName

PortKey = tuple[tuple[str, str, int, str], ...]
EndpointKey = tuple[tuple[str, ...], str, ObjectName | None]


@attrs.frozen
class Packing:
    """The slices of one port list after a pass; new ones have no name yet."""

    create: Slices = ()
    update: Slices = ()
    delete: Slices = ()


def port_key(ports: Iterable[EndpointPort]) -> PortKey:
    """The same for port lists that differ in order only (EPS-PORT-04)."""
    return tuple(
        sorted(
            (each.name, each.protocol, -1 if each.port is None else each.port, each.app_protocol or "")
            for each in ports
        )
    )


def endpoint_key(endpoint: Endpoint) -> EndpointKey:
    """What makes an endpoint the same one: addresses, hostname and pod."""
    return tuple(sorted(endpoint.addresses)), endpoint.hostname or "", endpoint.target


def fresh_names(
    of: ObjectName, existing: Iterable[EndpointSlice], taken: Container[ObjectName]
) -> Iterator[ObjectName]:
    """Names for new slices of a Service or Endpoints object: random in a cluster, counted up here."""
    held = {one.name for one in existing}
    prefix = f"{of.name}-"[:_LONGEST_NAME_PREFIX]
    for number in itertools.count():
        name = ObjectName(of.namespace, f"{prefix}{number:05}")
        if name not in held and name not in taken:
            yield name


def slice_labels(service: Service) -> tuple[tuple[str, str], ...]:
    """The Service's labels that its slices carry, without those the controller sets (EPS-SL-04)."""
    return tuple(pair for pair in service.labels if pair[0] not in RESERVED_LABELS)


def pack(existing: Slices, desired: Iterable[Endpoint], new: EndpointSlice, max_endpoints: int) -> Packing:
    """How to get from the slices of a port list to ones that hold the desired endpoints.

    First what is there is corrected, then corrected slices are filled up, then one slice
    that can take all the rest, and new slices take what is left (EPS-SL-01, EPS-SL-02).
    `new` is an empty slice with the labels that slices of the Service have.
    """
    wanted = {endpoint_key(endpoint): endpoint for endpoint in desired}
    update: list[EndpointSlice] = []
    unchanged: list[EndpointSlice] = []
    delete: list[EndpointSlice] = []
    for one in existing:
        kept = tuple(
            found for endpoint in one.endpoints if (found := wanted.pop(endpoint_key(endpoint), None))
        )
        is_same = len(kept) == len(one.endpoints) and all(map(_is_same, kept, one.endpoints))
        if not is_same and not kept:
            delete.append(one)
        elif not is_same:
            update.append(_relabelled(attrs.evolve(one, endpoints=kept), new))
        elif dict(one.labels) != dict(new.labels):
            update.append(_relabelled(one, new))
        else:
            unchanged.append(one)
    rest = list(wanted.values())
    if rest:
        update.sort(key=lambda one: -len(one.endpoints))
        update = [_filled(one, rest, max_endpoints) for one in update]
    create: list[EndpointSlice] = []
    while rest:
        to_fill = _with_room(unchanged, len(rest), max_endpoints)
        if to_fill is None:
            create.append(_filled(new, rest, max_endpoints))
        else:
            unchanged.remove(to_fill)
            update.append(_filled(to_fill, rest, max_endpoints))
    return Packing(tuple(create), tuple(update), tuple(delete))


def _is_same(wanted: Endpoint, found: Endpoint) -> bool:
    """Whether nothing needs writing; hints are dealt with later."""
    return attrs.evolve(wanted, zone_hints=found.zone_hints, node_hints=found.node_hints) == attrs.evolve(
        found, addresses=wanted.addresses
    )


def _relabelled(one: EndpointSlice, new: EndpointSlice) -> EndpointSlice:
    return attrs.evolve(
        one, service=new.service, headless=new.headless, managed_by=new.managed_by, labels=new.labels
    )


def _filled(one: EndpointSlice, rest: list[Endpoint], max_endpoints: int) -> EndpointSlice:
    """The slice with as many of the rest as it has room for; these are taken from the rest."""
    room = max(max_endpoints - len(one.endpoints), 0)
    taken = tuple(rest[:room])
    del rest[:room]
    return attrs.evolve(one, endpoints=(*one.endpoints, *taken))


def _with_room(slices: list[EndpointSlice], count: int, max_endpoints: int) -> EndpointSlice | None:
    """The slice that `count` more endpoints leave the least room in, None when they fit in none."""
    if count >= max_endpoints:
        return None
    fitting = [one for one in slices if 0 <= max_endpoints - count - len(one.endpoints) < max_endpoints]
    return min(fitting, key=lambda one: max_endpoints - count - len(one.endpoints), default=None)
