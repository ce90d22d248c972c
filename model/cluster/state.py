"""The state of a cluster: what the API holds, what each proxy has applied, what packets have left.

API time, controller time and each node's applied view are separate: a controller or a
proxy acts only by its own event, so it may be late by any number of steps. Maps are
persistent; nothing is ever copied whole.
"""

from collections.abc import Iterable
from typing import Any, TypeVar

import attrs
from rpds import HashTrieMap, HashTrieSet

from model.addresses import Family
from model.api.registry import Registry
from model.cluster.watched import Claim, Services, Slices
from model.conntrack import Cleanup
from model.frontends import NodeView, node_view
from model.node_config import NodeConfig
from model.objects import Cluster, Endpoints, Node, ObjectName, Pod, Service
from model.traffic import Traffic

Label = tuple[str, str, str]
"""A namespace with a label's key and value."""


@attrs.frozen
class Pods:
    """Pods by name, by label for selectors, and by the address that each running one holds."""

    by_name: "HashTrieMap[ObjectName, Pod]" = HashTrieMap()
    by_label: "HashTrieMap[Label, HashTrieSet[ObjectName]]" = HashTrieMap()
    holders: "HashTrieMap[str, ObjectName]" = HashTrieMap()

    def put(self, pod: Pod) -> "Pods":
        cleared = self.remove(pod.name) if pod.name in self.by_name else self
        by_label, holders = cleared.by_label, cleared.holders
        for label in _labels(pod):
            by_label = by_label.insert(label, by_label.get(label, _NO_PODS).insert(pod.name))
        for ip in _own_addresses(pod):
            holders = holders.insert(ip, pod.name)
        return Pods(cleared.by_name.insert(pod.name, pod), by_label, holders)

    def remove(self, name: ObjectName) -> "Pods":
        pod = self.by_name[name]
        by_label, holders = self.by_label, self.holders
        for label in _labels(pod):
            left = by_label[label].remove(name)
            by_label = by_label.insert(label, left) if len(left) else by_label.remove(label)
        for ip in _own_addresses(pod):
            holders = holders.remove(ip)
        return Pods(self.by_name.remove(name), by_label, holders)

    def selected(self, service: Service) -> tuple[Pod, ...]:
        """The pods that the Service's selector matches, by name (EPS-SEL-02)."""
        if not service.selector:
            return ()
        sets = [
            self.by_label.get((service.name.namespace, key, value), _NO_PODS)
            for key, value in service.selector
        ]
        smallest, *others = sorted(sets, key=len)
        names = (name for name in smallest if all(name in other for other in others))
        return tuple(self.by_name[name] for name in sorted(names))


_NO_PODS: "HashTrieSet[ObjectName]" = HashTrieSet()


def _labels(pod: Pod) -> Iterable[Label]:
    return ((pod.name.namespace, key, value) for key, value in pod.labels)


def _own_addresses(pod: Pod) -> tuple[str, ...]:
    """The addresses that no other pod may have meanwhile: an ended pod gives them back."""
    return () if pod.host_network or pod.phase in ENDED else pod.ips


ENDED = ("Succeeded", "Failed")
"""The phases in which no container runs any more."""


@attrs.frozen
class Applied:
    """What a proxy's rules were last made from."""

    services: Services = Services()
    slices: Slices = Slices()


@attrs.frozen
class Proxy:
    """The kube-proxy of one node, and what its node's kernel remembers.

    `applied` is None until the first sync: a node without rules passes every packet.
    """

    config: NodeConfig
    cleanup: Cleanup = Cleanup.SKIPS_UNSERVED
    running: bool = True
    applied: Applied | None = None
    synced_at: int = 0
    traffic: Traffic = Traffic()


@attrs.frozen
class ClusterState:
    """One moment of a cluster. `now` counts seconds from an arbitrary start."""

    now: int = 0
    registry: Registry = Registry()
    services: Services = Services()
    slices: Slices = Slices()
    endpoints: "HashTrieMap[ObjectName, Endpoints]" = HashTrieMap()
    pods: Pods = Pods()
    nodes: "HashTrieMap[str, Node]" = HashTrieMap()
    proxies: "HashTrieMap[str, Proxy]" = HashTrieMap()

    def objects(self) -> Cluster:
        """All objects of the moment, in the order of their names."""
        return Cluster(
            services=tuple(_in_order(self.services.by_name)),
            slices=tuple(_in_order(self.slices.by_name)),
            endpoints=tuple(_in_order(self.endpoints)),
            pods=tuple(_in_order(self.pods.by_name)),
            nodes=tuple(_in_order(self.nodes)),
            service_cidrs=tuple(
                cidr for one in _in_order(self.registry.service_cidrs) for cidr in one.spec.cidrs
            ),
        )


V = TypeVar("V")


def _in_order(objects: "HashTrieMap[Any, V]") -> Iterable[V]:
    return (objects[name] for name in sorted(objects))


def applied_view(proxy: Proxy, names: Iterable[ObjectName], family: Family) -> NodeView:
    """The node's view of these Services alone, as its proxy has applied them.

    Rules of other Services change nothing for a packet that they do not claim (INV-50),
    so a view of those that claim it answers like the view of all; a test holds them equal.
    """
    applied = proxy.applied or Applied()
    there = [name for name in sorted(names) if name in applied.services.by_name]
    return node_view(
        Cluster(
            services=tuple(applied.services.by_name[name] for name in there),
            slices=tuple(one for name in there for one in applied.slices.of(name)),
        ),
        proxy.config,
        family,
    )


def concerned(proxy: Proxy, claims: Iterable[Claim]) -> frozenset[ObjectName]:
    """The Services that have something to say about these addresses and node ports on the node."""
    return proxy.applied.services.claiming(claims) if proxy.applied else frozenset()
