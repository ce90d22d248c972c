"""What proxies watch: Services and EndpointSlices, each with the index that a look-up needs.

Persistent maps, so a proxy that lags keeps the very value it has seen at no cost, and a
change costs the size of the object that changed. Law: `claimants` names exactly the
Services of `by_name` that claim an address or a node port, `of_service` exactly the slices
with that Service's label; a test rebuilds both from scratch.
"""

from collections.abc import Iterable, Iterator

import attrs
from rpds import HashTrieMap, List

from model.addresses import Family, parse_address
from model.objects import EndpointSlice, ObjectName, Service

Claim = tuple[Family, int] | int
"""An address, or the number of a node port, that a Service claims."""

_NOBODY: frozenset[ObjectName] = frozenset()


@attrs.frozen
class Change:
    """One write that a watcher is told of: the Service it concerns, and when it was made.

    `address_type` is the slice's, "" where a Service was written.
    """

    number: int  # counts the writes from 1
    at: int  # seconds
    service: ObjectName
    address_type: str = ""


@attrs.frozen
class Changes:
    """Every write so far, the newest first."""

    last: int = 0
    log: "List[Change]" = List()

    def add(self, at: int, service: ObjectName, address_type: str = "") -> "Changes":
        change = Change(self.last + 1, at, service, address_type)
        return Changes(change.number, self.log.push_front(change))

    def since(self, number: int) -> Iterator[Change]:
        """The writes after that number, the newest first."""
        for change in self.log:
            if change.number <= number:
                return
            yield change


@attrs.frozen
class Services:
    """Services as their consumers read them."""

    by_name: "HashTrieMap[ObjectName, Service]" = HashTrieMap()
    claimants: "HashTrieMap[Claim, frozenset[ObjectName]]" = HashTrieMap()
    changes: Changes = Changes()

    def put(self, service: Service, at: int) -> "Services":
        """With the Service written, new or in place of the one of its name."""
        if self.by_name.get(service.name) == service:
            return self  # nobody is told of a write that changes nothing
        claimants = self._without_claims(service.name)
        for claim in claims(service):
            claimants = claimants.insert(claim, claimants.get(claim, _NOBODY) | {service.name})
        return Services(
            self.by_name.insert(service.name, service), claimants, self.changes.add(at, service.name)
        )

    def remove(self, name: ObjectName, at: int) -> "Services":
        return Services(self.by_name.remove(name), self._without_claims(name), self.changes.add(at, name))

    def _without_claims(self, name: ObjectName) -> "HashTrieMap[Claim, frozenset[ObjectName]]":
        claimants = self.claimants
        old = self.by_name.get(name)
        for claim in claims(old) if old is not None else ():
            left = claimants[claim] - {name}
            claimants = claimants.insert(claim, left) if left else claimants.remove(claim)
        return claimants

    def claiming(self, claims: Iterable[Claim]) -> frozenset[ObjectName]:
        """The Services that claim any of them."""
        return _NOBODY.union(*(self.claimants.get(claim, _NOBODY) for claim in claims))


def claims(service: Service) -> frozenset[Claim]:
    """The addresses and node ports that a Service claims; text that is no address claims nothing."""
    addresses = (*service.cluster_ips, *service.external_ips, *(item.ip for item in service.ingress))
    found: set[Claim] = {port.node_port for port in service.ports if port.node_port}
    for text in addresses:
        try:
            found.add(parse_address(text))
        except ValueError:
            continue
    return frozenset(found)


@attrs.frozen
class Slices:
    """EndpointSlices, by name and by the Service of their label."""

    by_name: "HashTrieMap[ObjectName, EndpointSlice]" = HashTrieMap()
    of_service: "HashTrieMap[ObjectName, frozenset[ObjectName]]" = HashTrieMap()
    changes: Changes = Changes()

    def put(self, one: EndpointSlice, at: int) -> "Slices":
        """With the slice written, new or in place of the one of its name."""
        if self.by_name.get(one.name) == one:
            return self  # nobody is told of a write that changes nothing
        cleared = self.remove(one.name, at) if one.name in self.by_name else self
        of_service, changes = cleared.of_service, cleared.changes
        if one.service is not None:
            of_service = of_service.insert(one.service, of_service.get(one.service, _NOBODY) | {one.name})
            changes = changes.add(at, one.service, one.address_type)
        return Slices(cleared.by_name.insert(one.name, one), of_service, changes)

    def remove(self, name: ObjectName, at: int) -> "Slices":
        old = self.by_name[name]
        of_service, changes = self.of_service, self.changes
        if old.service is not None:
            left = of_service[old.service] - {name}
            of_service = of_service.insert(old.service, left) if left else of_service.remove(old.service)
            changes = changes.add(at, old.service, old.address_type)
        return Slices(self.by_name.remove(name), of_service, changes)

    def of(self, service: ObjectName) -> tuple[EndpointSlice, ...]:
        """The slices with the Service's label, in the order of their names."""
        return tuple(self.by_name[name] for name in sorted(self.of_service.get(service, _NOBODY)))
