"""What can be asked of a node without changing anything: the fate of a packet, and its health.

Answers are those of the moment, from what the node's proxy has applied and not from what
the API says by now. `node` is the name of a node of the state; KeyError otherwise.
"""

from model.addresses import Family
from model.cluster.state import Applied, ClusterState, Proxy, applied_view, concerned
from model.cluster.watched import Change
from model.expectation import Expectation, expect
from model.health import (
    Answer,
    ProxyHealth,
    health_check_ports,
    is_eligible,
    service_health,
)
from model.objects import ObjectName, ServicePortName
from model.packet import Packet
from model.proxy_changes import EndpointsMap, local_ready_addresses
from model.proxy_endpoints import merge_slices


def fate(state: ClusterState, node: str, packet: Packet) -> Expectation:
    """What the node's rules are to do with a first packet, by what they were made from."""
    proxy = state.proxies[node]
    names = concerned(proxy, ((packet.family, packet.destination), packet.port))
    return expect(applied_view(proxy, names, packet.family), packet)


def health(
    state: ClusterState, node: str, service: ObjectName, family: Family = Family.IPV4
) -> Answer | None:
    """The answer on the Service's health check node port; None where nobody listens (HC-01).

    Each family has its own proxy and listens on its own addresses. Endpoints count on every port
    of the Service's slices, whether the Service names that port or not (HC-03: `EndpointsMap` is
    made of slices alone).
    """
    proxy = state.proxies[node]
    if not proxy.running or proxy.applied is None:
        return None
    view = applied_view(proxy, (service,), family)
    if service not in health_check_ports(view):
        return None
    ready = local_ready_addresses(_endpoints(proxy, node, service, family)).get(service, frozenset())
    healthy = _proxy_health(state, proxy).is_healthy(state.now)
    return service_health(service, len(ready), proxy_healthy=healthy)


def _endpoints(proxy: Proxy, node: str, service: ObjectName, family: Family) -> EndpointsMap:
    """What the proxy holds of the Service's slices; where they tie, one of the ways (EPS-SL-08)."""
    applied = proxy.applied or Applied()
    slices = [one for one in applied.slices.of(service) if not one.headless]
    return {
        ServicePortName(service, name, protocol): choices[0]
        for (name, protocol), choices in merge_slices(slices, family, node).items()
    }


def healthz(state: ClusterState, node: str) -> Answer | None:
    """The answer on /healthz of the node's kube-proxy; None where it does not run (HC-04)."""
    proxy = state.proxies[node]
    if not proxy.running:
        return None
    eligible = is_eligible(exists=node in state.nodes)
    return _proxy_health(state, proxy).healthz(state.now, node_eligible=eligible)


def _families(proxy: Proxy) -> tuple[Family, ...]:
    """The families that the proxy serves: those in which its node has an address."""
    return tuple(family for family in Family if proxy.config.primary_address(family) is not None)


def _proxy_health(state: ClusterState, proxy: Proxy) -> ProxyHealth:
    """How far the rules of each family lag behind what the API has told by now."""
    health = ProxyHealth()
    applied = proxy.applied or Applied()
    for family in _families(proxy):
        health = health.updated(family, proxy.synced_at)
        waiting = [
            *state.services.changes.since(applied.services.changes.last),
            *(c for c in state.slices.changes.since(applied.slices.changes.last) if _is_of(c, family)),
        ]
        if waiting:
            health = health.queued(family, max(proxy.synced_at, min(change.at for change in waiting)))
    return health


def _is_of(change: Change, family: Family) -> bool:
    return change.address_type == family.value
