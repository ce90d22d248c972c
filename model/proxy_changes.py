"""Which endpoint slices a proxy acts on, which it has only heard of, and what a sync makes of them.

Law: an event about a slice waits until a sync applies all that wait, slice by slice, the
latest word on each (SYNC-01). Whether an event matters is asked of what waits, else of what
is applied. This is the slice cache of kube-proxy 1.36; it holds slices whole, so that any
difference matters, one of order included.
"""

from collections.abc import Iterator, Mapping

import attrs
from rpds import HashTrieMap

from model.addresses import Family
from model.objects import EndpointSlice, ObjectName, ServicePortName
from model.proxy_endpoints import EndpointList, merge_slices

EndpointsMap = Mapping[ServicePortName, EndpointList]
"""The endpoints of every service port that has any entry, ready or not, in order of text."""


@attrs.frozen
class _Told:
    """The latest word on a slice; `removed` says that it is gone."""

    slice: EndpointSlice
    removed: bool


@attrs.frozen
class _Slices:
    """The slices of one Service by their names."""

    applied: "HashTrieMap[str, EndpointSlice]" = HashTrieMap()
    waiting: "HashTrieMap[str, _Told]" = HashTrieMap()


@attrs.frozen
class Change:
    """What a sync did to the endpoints of one Service; `before` and `after` are of it alone."""

    service: ObjectName
    before: EndpointsMap
    after: EndpointsMap


@attrs.frozen
class SliceCache:
    """The slices that the proxy of one family on one node knows.

    `choice` says which endpoint list it holds where slices tie (EPS-SL-08).
    """

    family: Family
    node_name: str
    services: "HashTrieMap[ObjectName, _Slices]" = HashTrieMap()
    choice: int = 0

    def updated(self, one: EndpointSlice) -> "SliceCache":
        """A slice was added, or is now as given."""
        return self._told(_Told(one, removed=False))

    def removed(self, one: EndpointSlice) -> "SliceCache":
        """A slice is gone; `one` is how it last was."""
        return self._told(_Told(one, removed=True))

    @property
    def needs_sync(self) -> bool:
        """Whether anything waits for a sync."""
        return any(slices.waiting for slices in self.services.values())

    def synced(self) -> tuple["SliceCache", tuple[Change, ...]]:
        """Everything that waited applied, and each Service of which something did.

        Such a Service is listed even where its endpoints come out as they were.
        """
        services, changes = self.services, []
        for name, slices in self.services.items():
            if not slices.waiting:
                continue
            applied = slices.applied
            for slice_name, told in slices.waiting.items():
                if told.removed:
                    applied = applied.discard(slice_name)
                else:
                    applied = applied.insert(slice_name, told.slice)
            changes.append(
                Change(name, self._endpoints(name, slices.applied), self._endpoints(name, applied))
            )
            services = services.insert(name, _Slices(applied)) if applied else services.remove(name)
        ordered = tuple(sorted(changes, key=lambda change: change.service))
        return attrs.evolve(self, services=services), ordered

    def endpoints(self) -> EndpointsMap:
        """The endpoints that the proxy acts on."""
        found: dict[ServicePortName, EndpointList] = {}
        for name, slices in self.services.items():
            found |= self._endpoints(name, slices.applied)
        return found

    def _told(self, told: _Told) -> "SliceCache":
        """The cache after the word on a slice, the same object where it does not matter.

        A slice of another family, of no Service or marked headless is none of the proxy's
        business (EPS-SL-05, FWD-OBJ-02).
        """
        one = told.slice
        if one.service is None or one.headless or one.address_type != self.family.value:
            return self
        slices = self.services.get(one.service, _Slices())
        name = one.name.name
        held = slices.waiting.get(name)
        if held is None and name in slices.applied:
            held = _Told(slices.applied[name], removed=False)
        if told == held or (held is None and told.removed):
            return self
        slices = _Slices(slices.applied, slices.waiting.insert(name, told))
        return attrs.evolve(self, services=self.services.insert(one.service, slices))

    def _endpoints(self, service: ObjectName, applied: "HashTrieMap[str, EndpointSlice]") -> EndpointsMap:
        ordered = [applied[name] for name in sorted(applied)]
        return {
            ServicePortName(service, name, protocol): lists[self.choice % len(lists)]
            for (name, protocol), lists in merge_slices(ordered, self.family, self.node_name).items()
        }


def changed_udp_service_ports(changes: tuple[Change, ...]) -> tuple[ServicePortName, ...]:
    """UDP service ports of the changed Services, those that had endpoints and those that have some.

    Unless there are none, the sync is followed by a clean-up of UDP flows (CT-02). A port
    counts with its Service, whether or not its own endpoints are the ones that changed.
    """
    return tuple(dict.fromkeys(name for change in changes for name in _udp(change)))


def _udp(change: Change) -> Iterator[ServicePortName]:
    for name in (*change.before, *change.after):
        if name.protocol == "UDP":
            yield name


def local_ready_addresses(endpoints: EndpointsMap) -> Mapping[ObjectName, frozenset[int]]:
    """The addresses of each Service's ready endpoints on the node, where it has any (HC-03)."""
    found: dict[ObjectName, set[int]] = {}
    for name, listed in endpoints.items():
        for endpoint in listed:
            if endpoint.ready and endpoint.local:
                found.setdefault(name.service, set()).add(endpoint.address)
    return {service: frozenset(addresses) for service, addresses in found.items()}
