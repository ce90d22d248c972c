"""New connections as the refuted claims speak of them: packet, owner, Service and what became of it."""

from collections.abc import Iterator

import attrs

from invariants.invariant import Step
from invariants.places import Ownership, ownerships
from model.addresses import Family, format_address
from model.cluster import events
from model.cluster.state import ClusterState, Proxy, applied_view
from model.frontends import NodeView
from model.objects import Pod, Service
from model.packet import Packet
from model.proxy_endpoints import ProxyEndpoint
from model.traffic import Delivery


@attrs.frozen(eq=False)
class Arrival:
    """A packet that opened a connection at a node, seen as one owner's of its frontend.

    `service` is the owner as the node's proxy has applied it.
    """

    state: ClusterState
    node: str
    view: NodeView
    packet: Packet
    told: Delivery
    owned: Ownership
    service: Service

    @property
    def endpoint(self) -> ProxyEndpoint | None:
        """The endpoint that the connection went to."""
        return self.owned.endpoints.get(self.told.target) if self.told.target else None

    @property
    def source(self) -> str:
        return format_address(self.packet.family, self.packet.source)

    @property
    def target(self) -> str:
        """The address that the connection went to, "" where it went nowhere."""
        return format_address(self.packet.family, self.told.target.address) if self.told.target else ""


def arrivals(step: Step) -> Iterator[Arrival]:
    """The new connection of the step, once for each owner; nothing where it is for no frontend."""
    opened = opening(step)
    if opened is None:
        return
    node, proxy, packet, told = opened
    view = whole_view(proxy, packet.family)
    for owned in ownerships(view, packet):
        assert proxy.applied is not None
        service = proxy.applied.services.by_name[owned.service_port.name.service]
        yield Arrival(step.before, node, view, packet, told, owned, service)


def opening(step: Step) -> tuple[str, Proxy, Packet, Delivery] | None:
    """Node, proxy, packet and fate, where the step is the first packet of a connection."""
    if not isinstance(step.event, events.Send) or not isinstance(step.told, Delivery):
        return None
    if not step.told.is_new:
        return None
    node = step.event.node
    return node, step.before.proxies[node], step.event.packet, step.told


def whole_view(proxy: Proxy, family: Family) -> NodeView:
    """The view of all Services that the proxy has applied."""
    return applied_view(proxy, proxy.applied.services.by_name if proxy.applied else (), family)


def pod_at(state: ClusterState, address: str) -> Pod | None:
    """The pod that has the address for itself."""
    name = state.pods.holders.get(address)
    return None if name is None else state.pods.by_name[name]


def is_inside(state: ClusterState, address: str) -> bool:
    """Whether a pod or a node of the cluster has the address."""
    of_nodes = {text for node in state.nodes.values() for _, text in node.addresses}
    return address in state.pods.holders or address in of_nodes
