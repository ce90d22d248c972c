"""What each node's proxy applies, and what its kernel does with packets meanwhile.

Law: a sync changes one node only, and all of what its proxy has seen at once (SYNC-01,
SYNC-02); between syncs the node goes by what was applied last, whatever the API says. A
stopped proxy leaves its rules, flows and memory in place.
"""

from collections.abc import Iterator

import attrs

from model.addresses import Family
from model.cluster import events
from model.cluster.events import IllegalEvent, Sees
from model.cluster.state import Applied, ClusterState, Proxy, applied_view, concerned
from model.cluster.watched import Claim, Slices
from model.node_config import ProxyMode
from model.objects import EndpointSlice, ObjectName, ServicePortName
from model.packet import UDP
from model.proxy_changes import Change, EndpointsMap, changed_udp_service_ports
from model.proxy_endpoints import merge_slices
from model.traffic import Delivery, NotClosable, Traffic, close, elapsed, flow_key, synced
from model.traffic import send as send_packet


def start_proxy(state: ClusterState, event: events.StartProxy) -> ClusterState:
    """It runs again, and acts when it next syncs."""
    proxy = _proxy(state, event)
    if proxy.running:
        raise IllegalEvent(event, "node", event.node, "its proxy runs already")
    return _put(state, event.node, attrs.evolve(proxy, running=True))


def stop_proxy(state: ClusterState, event: events.StopProxy) -> ClusterState:
    return _put(state, event.node, attrs.evolve(_running(state, event), running=False))


def sync_proxy(state: ClusterState, event: events.SyncProxy) -> ClusterState:
    """The rules are those of what has been seen; flows and memory follow (CT-02, AFF-05, AFF-09)."""
    proxy = _running(state, event)
    before = proxy.applied
    if before is None:
        if event.sees is not Sees.ALL:
            raise IllegalEvent(event, "sees", event.sees.value, "the first sync waits for both watches")
        before = Applied()
    after = Applied(
        before.services if event.sees is Sees.SLICES else state.services,
        before.slices if event.sees is Sees.SERVICES else state.slices,
    )
    config = attrs.evolve(proxy.config, zone=state.nodes[event.node].zone)
    proxy = attrs.evolve(proxy, config=config, applied=after, synced_at=state.now)
    traffic = elapsed(proxy.traffic, state.now)
    for family in Family:
        changes = _endpoint_changes(before.slices, after.slices, family, event.node)
        udp = changed_udp_service_ports(changes)
        names = {client.service_port.service for client, _ in traffic.memory(family)}
        if udp:
            names |= concerned(proxy, _udp_claims(traffic, family))
        if names:
            traffic = synced(traffic, applied_view(proxy, names, family), udp, proxy.cleanup)
    return _put(state, event.node, attrs.evolve(proxy, traffic=traffic))


def _udp_claims(traffic: Traffic, family: Family) -> Iterator[Claim]:
    """What makes a UDP flow a Service's: the address it went to, or no more than its port (CT-02)."""
    for key in traffic.flows:
        if key.protocol == UDP and key.family is family:
            yield family, key.destination
            yield key.port


def _endpoint_changes(before: Slices, after: Slices, family: Family, node: str) -> tuple[Change, ...]:
    """The Services of which a slice of the family was written since, in the order of their names."""
    touched = {
        change.service
        for change in after.changes.since(before.changes.last)
        if change.address_type == family.value
    }
    return tuple(
        Change(
            name,
            _endpoints(name, before.of(name), family, node),
            _endpoints(name, after.of(name), family, node),
        )
        for name in sorted(touched)
    )


def _endpoints(
    service: ObjectName, slices: tuple[EndpointSlice, ...], family: Family, node: str
) -> EndpointsMap:
    of_proxies = [one for one in slices if not one.headless]
    return {
        ServicePortName(service, name, protocol): lists[0]
        for (name, protocol), lists in merge_slices(of_proxies, family, node).items()
    }


def send(state: ClusterState, event: events.Send) -> tuple[ClusterState, Delivery]:
    """The packet follows its flow, else meets the rules that its node has applied."""
    proxy = _proxy(state, event)
    packet = event.packet
    if proxy.config.mode is not ProxyMode.IPTABLES:
        raise IllegalEvent(event, "node", event.node, f"{proxy.config.mode.value} mode is not modelled yet")
    if not 0 <= event.chance < 1:
        raise IllegalEvent(event, "chance", event.chance, "is not within [0, 1)")
    claims: tuple[Claim, ...] = ((packet.family, packet.destination), packet.port)
    view = applied_view(proxy, concerned(proxy, claims), packet.family)
    delivery, traffic = send_packet(
        proxy.traffic,
        view,
        packet,
        event.source_port,
        state.now,
        event.chance,
        choice=event.choice,
        answered=event.answered,
    )
    return _put(state, event.node, attrs.evolve(proxy, traffic=traffic)), delivery


def close_connection(state: ClusterState, event: events.CloseConnection) -> ClusterState:
    proxy = _proxy(state, event)
    key = flow_key(event.packet, event.source_port)
    try:
        traffic = close(proxy.traffic, key, state.now, event.how)
    except NotClosable:
        raise IllegalEvent(event, "packet", event.packet, "there is no such connection to close") from None
    return _put(state, event.node, attrs.evolve(proxy, traffic=traffic))


def _running(state: ClusterState, event: events.SyncProxy | events.StopProxy) -> Proxy:
    proxy = _proxy(state, event)
    if not proxy.running:
        raise IllegalEvent(event, "node", event.node, "its proxy does not run")
    return proxy


def _proxy(
    state: ClusterState,
    event: events.SyncProxy | events.StopProxy | events.StartProxy | events.Send | events.CloseConnection,
) -> Proxy:
    proxy = state.proxies.get(event.node)
    if proxy is None:
        raise IllegalEvent(event, "node", event.node, "does not exist")
    return proxy


def _put(state: ClusterState, node: str, proxy: Proxy) -> ClusterState:
    return attrs.evolve(state, proxies=state.proxies.insert(node, proxy))
