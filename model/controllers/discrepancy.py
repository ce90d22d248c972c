"""Where the slices and Endpoints that a cluster holds are not what its controllers publish.

Names, order and how endpoints are spread over slices mean nothing and are not compared, nor
are labels other than the headless one. A cluster that holds no slice at all (or no Endpoints)
was written down without them, and has none to compare.
"""

import enum
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import assert_never

import attrs

from model.controllers.publish import Published
from model.objects import Cluster, Endpoint, EndpointPort, Endpoints, EndpointSlice, ObjectName


class Publication(enum.Enum):
    """The two kinds of object that say what a Service's endpoints are."""

    SLICES = "EndpointSlice"
    ENDPOINTS = "Endpoints"


class Change(enum.Enum):
    """An entry is not there, should not be there, or says something else."""

    MISSING = "missing"
    STALE = "stale"
    CHANGED = "changed"


@attrs.frozen
class Entry:
    """An endpoint, with the family and ports of its slice or subset.

    Of an empty slice, and of Endpoints without subsets, the endpoint is None. A subset has
    no family.
    """

    address_type: str
    ports: tuple[EndpointPort, ...]
    headless: bool
    endpoint: Endpoint | None


@attrs.frozen
class Discrepancy:
    """An entry that is published and not held, held and not published, or held otherwise."""

    service: ObjectName
    publication: Publication
    expected: Entry | None
    found: Entry | None

    @property
    def change(self) -> Change:
        if self.found is None:
            return Change.MISSING
        return Change.STALE if self.expected is None else Change.CHANGED


def compared(cluster: Cluster) -> tuple[Publication, ...]:
    """What the cluster holds any of, and so can be compared."""
    held = ((Publication.SLICES, cluster.slices), (Publication.ENDPOINTS, cluster.endpoints))
    return tuple(publication for publication, objects in held if objects)


def discrepancies(cluster: Cluster, published: Published) -> tuple[Discrepancy, ...]:
    """Every difference between what the cluster holds and what is published, Service by Service."""
    held = Published(cluster.slices, cluster.endpoints)
    found: list[Discrepancy] = []
    tables = [(each, _entries(each, published), _entries(each, held)) for each in compared(cluster)]
    for name in sorted(service.name for service in cluster.services):
        for publication, wanted, there in tables:
            missing = wanted.get(name, Counter()) - there.get(name, Counter())
            stale = there.get(name, Counter()) - wanted.get(name, Counter())
            found += (Discrepancy(name, publication, *pair) for pair in _pairs(missing, stale))
    return tuple(found)


def _pairs(missing: Counter[Entry], stale: Counter[Entry]) -> Iterable[tuple[Entry | None, Entry | None]]:
    """Missing beside stale where they are about the same address and pod, each other alone."""
    left = list(stale.elements())
    for entry in missing.elements():
        twin = next((other for other in left if _subject(other) == _subject(entry)), None)
        if twin is not None:
            left.remove(twin)
        yield entry, twin
    for entry in left:
        yield None, entry


def _subject(entry: Entry) -> object:
    endpoint = entry.endpoint
    return entry.address_type, endpoint and (sorted(endpoint.addresses), endpoint.target)


def _entries(publication: Publication, objects: Published) -> Mapping[ObjectName, Counter[Entry]]:
    """The entries of each Service's objects."""
    found: dict[ObjectName, Counter[Entry]] = {}
    match publication:
        case Publication.SLICES:
            for one in objects.slices:
                if one.service is not None:
                    found.setdefault(one.service, Counter()).update(_of_slice(one))
        case Publication.ENDPOINTS:
            for each in objects.endpoints:
                found.setdefault(each.name, Counter()).update(_of_endpoints(each))
        case never:
            assert_never(never)
    return found


def _of_slice(one: EndpointSlice) -> Iterable[Entry]:
    ports = _in_order(one.ports)
    for endpoint in one.endpoints or (None,):
        yield Entry(one.address_type, ports, one.headless, endpoint)


def _of_endpoints(endpoints: Endpoints) -> Iterable[Entry]:
    if not endpoints.subsets:
        yield Entry("", (), False, None)
    for subset in endpoints.subsets:
        ports = _in_order(subset.ports)
        for addresses, ready in ((subset.addresses, True), (subset.not_ready_addresses, False)):
            for each in addresses:
                hostname = each.hostname or None
                endpoint = Endpoint(
                    (each.ip,),
                    ready,
                    node_name=each.node_name or None,
                    hostname=hostname,
                    target=each.target,
                )
                yield Entry("", ports, False, endpoint)


def _in_order(ports: Iterable[EndpointPort]) -> tuple[EndpointPort, ...]:
    return tuple(sorted(ports, key=lambda port: (port.name, port.protocol, port.port or 0)))
