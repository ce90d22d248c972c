"""What happens in a judged history: moves that change a small cluster.

A history is a tuple of moves. Each aims at one of a few Services, pods and nodes, and says of it how
it is from now on, so any history can be cut anywhere and still be played. Between two moves the
controllers have published everything. What the API server refuses does not happen.
"""

from collections.abc import Iterator

import attrs

from model.addresses import Family
from model.api import objects as api
from model.api.refusal import Refused
from model.cluster import events
from model.cluster.events import Event, IllegalEvent
from model.cluster.settle import published
from model.cluster.state import ClusterState
from model.cluster.transition import step
from model.node_config import NodeConfig
from model.objects import ObjectName, Pod
from oracle.judge.setting import JUDGED, NODES, ZONE, node

SERVICES = ("web", "api")
NAMESPACE = "shop"
HOST_POD = 3  # the number of the pod on its node's network

CLUSTER_IPS = {"IPv4": "10.96.0.1{}", "IPv6": "fd00:10:96::1{}"}
EXTERNAL = {"IPv4": "192.0.2.8{}", "IPv6": "2001:db8:e::8{}"}
BALANCER = {"IPv4": "192.0.2.1{}", "IPv6": "2001:db8:b::1{}"}
RANGES = ("198.51.100.0/24", "10.244.1.0/24", "2001:db8:c::/64")
AFFINITY_SECONDS = 600

_LABELS = (("app", "web"),)
_HTTP = api.ServicePort("http", "TCP", port=80, target_port=8080, node_port=30080)
_DNS = api.ServicePort("dns", "UDP", port=53, target_port=5353, node_port=30053)


def pod_address(node: str, number: int, family: str) -> str:
    at = 1 + NODES.index(node)
    return f"10.244.{at}.{number + 1}" if family == "IPv4" else f"fd00:10:244:{at}::{number + 1}"


@attrs.frozen
class Wanted:
    """How a Service is to be; the defaults are the simplest one."""

    type: str = "ClusterIP"
    families: tuple[str, ...] = ("IPv4",)
    has_udp: bool = False
    external_policy: str = ""
    internal_policy: str | None = None
    has_external_ips: bool = False
    has_ranges: bool = False
    is_proxied: bool = False  # the balancer's address has ipMode Proxy
    has_affinity: bool = False
    publishes_not_ready: bool = False
    distribution: str | None = None

    def words(self) -> str:
        """`NodePort, IPv4, externalTrafficPolicy Local`: what is not the default."""
        parts = [self.type, " and ".join(self.families)]
        if self.has_udp:
            parts.append("ports 80/TCP and 53/UDP")
        if self.external_policy and self.is_external:
            parts.append(f"externalTrafficPolicy {self.external_policy}")
        if self.internal_policy:
            parts.append(f"internalTrafficPolicy {self.internal_policy}")
        if self.has_external_ips:
            parts.append("external IPs")
        if self.has_ranges and self.type == "LoadBalancer":
            parts.append("loadBalancerSourceRanges")
        if self.is_proxied and self.type == "LoadBalancer":
            parts.append("ipMode Proxy")
        if self.has_affinity:
            parts.append("ClientIP affinity")
        if self.publishes_not_ready:
            parts.append("publishNotReadyAddresses")
        if self.distribution:
            parts.append(f"trafficDistribution {self.distribution}")
        return ", ".join(parts)

    @property
    def is_external(self) -> bool:
        return self.type != "ClusterIP" or self.has_external_ips

    def spec(self, slot: int) -> api.ServiceSpec:
        """The spec of the Service in this slot, whose addresses and node ports are its own."""
        ports = tuple(
            attrs.evolve(port, node_port=port.node_port + slot if self.type != "ClusterIP" else 0)
            for port in ((_HTTP, _DNS) if self.has_udp else (_HTTP,))
        )
        ips = tuple(CLUSTER_IPS[family].format(slot) for family in self.families)
        ranged = self.has_ranges and self.type == "LoadBalancer"
        timeout = api.SessionAffinityConfig(api.ClientIPConfig(AFFINITY_SECONDS))
        return api.ServiceSpec(
            ports,
            _LABELS,
            ips[0],
            ips,
            self.type,
            external_ips=tuple(EXTERNAL[family].format(slot) for family in self.families)
            if self.has_external_ips
            else (),
            session_affinity="ClientIP" if self.has_affinity else "None",
            session_affinity_config=timeout if self.has_affinity else None,
            load_balancer_source_ranges=RANGES if ranged else (),
            external_traffic_policy=(self.external_policy or "Cluster") if self.is_external else "",
            internal_traffic_policy=self.internal_policy,
            publish_not_ready_addresses=self.publishes_not_ready,
            ip_families=self.families,
            ip_family_policy="RequireDualStack" if len(self.families) > 1 else "SingleStack",
            traffic_distribution=self.distribution,
        )


@attrs.frozen
class SetService:
    """A Service is created, or replaced where it exists; a balancer's addresses are reported."""

    slot: int
    wanted: Wanted

    def words(self, before: ClusterState) -> str:
        verb = "is changed to" if _service(self.slot) in before.registry.services else "is created"
        return f"Service {_service(self.slot)} {verb}: {self.wanted.words()}"

    def events(self, before: ClusterState) -> Iterator[Event]:
        name, spec = _service(self.slot), self.wanted.spec(self.slot)
        stored = before.registry.services.get(name)
        if stored is None:
            service = api.Service(api.Metadata(name=name.name, namespace=name.namespace), spec)
            yield events.CreateService(service)
        else:
            service = attrs.evolve(
                stored, spec=attrs.evolve(spec, health_check_node_port=_kept_health_port(stored, spec))
            )
            service = attrs.evolve(
                service, metadata=attrs.evolve(service.metadata, resource_version="", uid="")
            )
            yield events.UpdateService(service)
        if self.wanted.type == "LoadBalancer":
            ips = (BALANCER[family].format(self.slot) for family in self.wanted.families)
            ip_mode = "Proxy" if self.wanted.is_proxied else "VIP"
            ingress = tuple(api.Ingress(ip, ip_mode=ip_mode) for ip in ips)
            status = api.ServiceStatus(api.LoadBalancerStatus(ingress))
            bare = attrs.evolve(service.metadata, resource_version="", uid="")
            yield events.UpdateServiceStatus(attrs.evolve(service, metadata=bare, status=status))


def _kept_health_port(stored: api.Service, spec: api.ServiceSpec) -> int:
    """A health check node port may not change while the Service has one (HC-01)."""
    needs = spec.type == "LoadBalancer" and spec.external_traffic_policy == "Local"
    return stored.spec.health_check_node_port if needs else 0


@attrs.frozen
class DeleteService:
    """A Service is deleted, and its slices with it."""

    slot: int

    def words(self, _: ClusterState) -> str:
        return f"Service {_service(self.slot)} is deleted"

    def events(self, _: ClusterState) -> Iterator[Event]:
        yield events.DeleteService(_service(self.slot))


POD_STATES = ("ready", "not ready", "terminating and serving", "terminating and not serving", "gone")


@attrs.frozen
class SetPod:
    """A pod comes into a state; one that is not there joins its node first."""

    number: int
    node: str
    state: str = "ready"  # of POD_STATES

    def words(self, before: ClusterState) -> str:
        name, host = _pod(self.number), " (on the host's network)" if self.number == HOST_POD else ""
        if self.state == "gone":
            return f"pod {name} is gone"
        if name in before.pods.by_name:
            return f"pod {name} becomes {self.state}"
        return f"pod {name}{host} starts on {self.node}, {self.state}"

    def events(self, before: ClusterState) -> Iterator[Event]:
        name = _pod(self.number)
        pod = before.pods.by_name.get(name)
        if self.state == "gone":
            yield events.DeletePod(name)
            return
        if pod is None:
            is_host = self.number == HOST_POD
            yield events.CreatePod(Pod(name, labels=_LABELS, host_network=is_host, uid=str(name)))
            yield events.SchedulePod(name, self.node)
            ips = tuple(pod_address(self.node, self.number, family.value) for family in Family)
            yield events.StartPod(name, () if is_host else ips)
        yield events.SetPodReady(name, ready=self.state in ("ready", "terminating and serving"))
        if self.state.startswith("terminating") and not (pod and pod.terminating):
            yield events.TerminatePod(name)


@attrs.frozen
class SetNode:
    """A third node joins or leaves, or the judged node is moved to another zone."""

    change: str  # "joins", "leaves", or a zone

    def words(self, _: ClusterState) -> str:
        if self.change in ("joins", "leaves"):
            return f"node-c {self.change}"
        return f"{JUDGED} is moved to zone {self.change}"

    def events(self, before: ClusterState) -> Iterator[Event]:
        if self.change == "joins":
            yield events.AddNode(node("node-c", "zone-b", ""), NodeConfig("node-c"))
        elif self.change == "leaves":
            yield events.RemoveNode("node-c")
        else:
            labels = dict(before.nodes[JUDGED].labels) | {ZONE: self.change}
            yield events.RelabelNode(JUDGED, tuple(sorted(labels.items())))


Move = SetService | DeleteService | SetPod | SetNode


def moved(state: ClusterState, move: Move) -> ClusterState | None:
    """The state after the move and all that controllers make of it; None where it cannot happen."""
    after = state
    try:
        for event in move.events(state):
            after = step(after, event)
    except (IllegalEvent, Refused):
        return None
    return published(after)


def _service(slot: int) -> ObjectName:
    return ObjectName(NAMESPACE, SERVICES[slot])


def _pod(number: int) -> ObjectName:
    return ObjectName(NAMESPACE, f"web-{number}")
