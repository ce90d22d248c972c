"""The slices that mirror an Endpoints object which somebody wrote by hand.

Source: pkg/controller/endpointslicemirroring. Subsets are repacked first, as those of the
Endpoints controller are: ports that the same addresses offer alike stand together, whatever
subsets they were written in. Left out is that addresses with one IP and different pods are
told apart by the pods' uids: here it is by their names.
"""

from collections.abc import Container, Iterable, Iterator

import attrs

from model.addresses import Family
from model.controllers.endpoints import Offer, repack
from model.controllers.ip_text import read_ip
from model.controllers.slice_packing import PortKey, endpoint_key, fresh_names, port_key
from model.controllers.slice_plan import Slices
from model.objects import (
    Endpoint,
    EndpointAddress,
    EndpointPort,
    Endpoints,
    EndpointSlice,
    EndpointSubset,
    ObjectName,
    Service,
)

MIRRORING_CONTROLLER = "endpointslicemirroring-controller.k8s.io"
MAX_ADDRESSES_PER_SUBSET = 1000  # EPS-MIR-03

_SKIP_MIRROR = "endpointslice.kubernetes.io/skip-mirror"
_LEADER = "control-plane.alpha.kubernetes.io/leader"
_HEADLESS = "service.kubernetes.io/headless"
_OVERWRITTEN = frozenset(("kubernetes.io/service-name", "endpointslice.kubernetes.io/managed-by"))

_Key = tuple[Family, PortKey]


@attrs.frozen
class _Wanted:
    """The slice of one family and port list."""

    ports: tuple[EndpointPort, ...]
    endpoints: tuple[Endpoint, ...]


def is_mirrored(service: Service | None, endpoints: Endpoints | None) -> bool:
    """Whether an Endpoints object is to have mirrored slices (EPS-MIR-01)."""
    return (
        endpoints is not None
        and service is not None
        and service.selector is None
        and dict(endpoints.labels).get(_SKIP_MIRROR) != "true"
        and _LEADER not in dict(endpoints.annotations)
    )


def mirror(
    service: Service | None,
    endpoints: Endpoints | None,
    existing: Iterable[EndpointSlice],
    *,
    taken: Container[ObjectName] = (),
) -> Slices:
    """The mirrored slices of a Service after one pass.

    `existing` are those with this Service's name and the mirroring controller's as labels;
    `taken` are names that new slices cannot have. None are left where the
    Endpoints are not to be mirrored (EPS-MIR-01, EPS-MIR-06).
    """
    if endpoints is None or not is_mirrored(service, endpoints):
        return ()
    left = list(existing)
    names = fresh_names(endpoints.name, left, taken)
    made: list[EndpointSlice] = []
    for (family, key), wanted in _wanted(endpoints).items():
        same = [one for one in left if one.address_type == family.value and port_key(one.ports) == key]
        name = same[0].name if same else ObjectName(endpoints.name.namespace, "")
        one = _slice(endpoints, family, wanted, name)
        made.append(same[0] if same and _says(same[0]) == _says(one) else one)
        left = [other for other in left if other not in same[:1]]
    return tuple(_named(made, left, names))


def _wanted(endpoints: Endpoints) -> dict[_Key, _Wanted]:
    """One slice for each family and list of ports that has an address (EPS-MIR-02)."""
    found: dict[_Key, dict[object, Endpoint]] = {}
    ports: dict[PortKey, tuple[EndpointPort, ...]] = {}
    for subset in repack(_offers(endpoints)):
        key = port_key(subset.ports)
        ports[key] = subset.ports
        for family, endpoint in _mirrored(subset):
            found.setdefault((family, key), {})[endpoint_key(endpoint)] = endpoint
    return {
        (family, key): _Wanted(ports[key], tuple(members.values()))
        for (family, key), members in found.items()
    }


def _offers(endpoints: Endpoints) -> Iterable[Offer]:
    """Every address at every port of its subset, and at None where the subset has no ports."""
    for subset in endpoints.subsets:
        for addresses, ready in ((subset.addresses, True), (subset.not_ready_addresses, False)):
            for address in addresses:
                for port in subset.ports or (None,):
                    yield Offer((address.ip, str(address.target or "")), address, ready, port)


def _mirrored(subset: EndpointSubset) -> Iterable[tuple[Family, Endpoint]]:
    """The subset's first 1000 addresses that can be read, ready ones first (EPS-MIR-03)."""
    readable = (
        (family, _endpoint(address, text, ready=ready))
        for addresses, ready in ((subset.addresses, True), (subset.not_ready_addresses, False))
        for address in addresses
        for family, text in filter(None, [read_ip(address.ip)])
    )
    for _, item in zip(range(MAX_ADDRESSES_PER_SUBSET), readable, strict=False):
        yield item


def _endpoint(address: EndpointAddress, text: str, *, ready: bool) -> Endpoint:
    """An address with `ready` as its only condition and without zone (EPS-MIR-04, EPS-MIR-05)."""
    return Endpoint(
        (text,),
        ready=ready,
        node_name=address.node_name,
        hostname=address.hostname or None,
        target=address.target,
    )


def _slice(endpoints: Endpoints, family: Family, wanted: _Wanted, name: ObjectName) -> EndpointSlice:
    labels = dict(endpoints.labels)
    return EndpointSlice(
        name=name,
        service=endpoints.name,
        address_type=family.value,
        endpoints=wanted.endpoints,
        ports=wanted.ports,
        headless=_HEADLESS in labels,
        managed_by=MIRRORING_CONTROLLER,
        labels=tuple(
            pair for pair in endpoints.labels if pair[0] not in _OVERWRITTEN and pair[0] != _HEADLESS
        ),
    )


def _says(one: EndpointSlice) -> object:
    """What a slice says, whatever the order it is written in."""
    return attrs.evolve(one, endpoints=(), ports=()), frozenset(one.endpoints), port_key(one.ports)


def _named(
    slices: Iterable[EndpointSlice], obsolete: list[EndpointSlice], names: Iterator[ObjectName]
) -> Iterable[EndpointSlice]:
    """The slices, new ones in place of obsolete ones of the family or under a new name."""
    for one in slices:
        place = next((old for old in obsolete if old.address_type == one.address_type), None)
        if one.name.name:
            yield one
        elif place is not None:
            obsolete.remove(place)
            yield attrs.evolve(one, name=place.name)
        else:
            yield attrs.evolve(one, name=next(names))
