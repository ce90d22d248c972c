"""Scenes: a Service, some pods, everybody up to date, and packets; simplest first, so they shrink to little.

A scene is a history from an empty cluster. `Options` says what each part is drawn from, so
that a search can be held to one part of a claim.
"""

from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from types import MappingProxyType
from typing import Any

import attrs
from hypothesis import strategies as st

from model.addresses import Family, format_address, parse_address
from model.api import objects as api
from model.cluster import events
from model.cluster.events import Event
from model.node_config import InterfaceAddress, NodeConfig
from model.objects import ContainerPort, Node, ObjectName, Pod
from model.packet import PROTOCOL_NUMBERS, Origin, Packet
from tests.invariants.playing import History

NODES = ("node-a", "node-b", "node-c")
WEB = ObjectName("shop", "web")
CLIENT = ObjectName("shop", "client")
ASKS = 99  # the last number of its address
SELECTED = (("app", "web"),)

HTTP = api.ServicePort("http", "TCP", port=80, target_port=8080, node_port=30080)
HTTPS = api.ServicePort("https", "TCP", port=443, target_port=8443, node_port=30443)
DNS = api.ServicePort("dns", "UDP", port=53, target_port=5353, node_port=30053)

CLUSTER_IPS = {"IPv4": "10.96.0.10", "IPv6": "fd00:10:96::10"}
BALANCER = {"IPv4": "192.0.2.9", "IPv6": "2001:db8:b::9"}
EXTERNAL = {"IPv4": "192.0.2.80", "IPv6": "2001:db8:e::80"}
OUTSIDE = {"IPv4": "198.51.100.7", "IPv6": "2001:db8:c::7"}


def node_address(node: str, family: str = "IPv4") -> str:
    number = NODES.index(node) + 1
    return f"10.32.1.1{number}" if family == "IPv4" else f"fd00:10:32::1{number}"


def pod_address(node: str, number: int, family: str = "IPv4") -> str:
    at = NODES.index(node) + 1
    return f"10.244.{at}.{number}" if family == "IPv4" else f"fd00:10:244:{at}::{number}"


@attrs.frozen(kw_only=True)
class Options:
    """What a scene may hold, the simplest first."""

    types: tuple[str, ...] = ("ClusterIP", "NodePort", "LoadBalancer")
    ports: tuple[tuple[api.ServicePort, ...], ...] = ((HTTP,),)
    families: tuple[tuple[str, ...], ...] = (("IPv4",),)
    external: tuple[str, ...] = ("", "Local")
    internal: tuple[str | None, ...] = (None, "Local")
    external_ips: tuple[bool, ...] = (False, True)
    publish: tuple[bool, ...] = (False,)
    distribution: tuple[str | None, ...] = (None,)
    ranges: tuple[tuple[str, ...], ...] = ((),)
    affinity: tuple[str, ...] = ("",)
    pod_states: tuple[str, ...] = ("ready",)
    zones: tuple[str | None, ...] = (None,)
    masquerade_all: tuple[bool, ...] = (False,)
    clients: tuple[str, ...] = ("outside", "pod", "node", "endpoint")
    frontends: tuple[str, ...] = ("CIP", "NP", "EXT", "LBV")
    beside: tuple[str, ...] = ("",)
    most_pods: int = 2
    sends: tuple[int, int] = (1, 1)
    nodes: tuple[str, ...] = NODES
    strays: bool = False  # whether a pod's packets may meet another node than its own


@st.composite
def scenes(draw: st.DrawFn, options: Options) -> History:
    """A Service that everybody knows, and packets to its frontends."""
    service = draw(_services(options))
    pod = st.tuples(st.sampled_from(options.nodes), st.sampled_from(options.pod_states))
    pods = draw(st.lists(pod, max_size=options.most_pods))
    least, most = options.sends
    sends = draw(st.lists(_sends(service, pods, options), min_size=least, max_size=most))
    zones = dict(zip(NODES, draw(st.tuples(*[st.sampled_from(options.zones)] * 3)), strict=True))
    masquerade_all = draw(st.sampled_from(options.masquerade_all))
    homes = [home for send in sends if (home := _home(send.packet)) is not None]
    used = sorted({*homes, *(node for node, _ in pods), *(send.node for send in sends)})
    return (
        *opening({node: zones[node] for node in used}, masquerade_all=masquerade_all),
        *created(service),
        *(event for at, (node, state) in enumerate(pods) for event in pod_events(at, node, state)),
        *(event for home in homes[:1] for event in client_events(home)),
        *everybody_knows(used),
        *sends,
    )


def opening(
    zones: Mapping[str, str | None] = MappingProxyType({"node-a": None}), *, masquerade_all: bool = False
) -> Iterator[Event]:
    """Addresses to give out, and nodes, each with its zone, whose kube-proxies know pods by address."""
    yield events.AddServiceCIDR("kubernetes", ("10.96.0.0/24", "fd00:10:96::/112"))
    for name, zone in zones.items():
        texts = tuple(node_address(name, family) for family in ("IPv4", "IPv6"))
        primary = tuple(map(parse_address, texts))
        lengths = {Family.IPV4: 24, Family.IPV6: 64}
        config = NodeConfig(
            name,
            cluster_cidrs=("10.244.0.0/16", "fd00:10:244::/48"),
            addresses=tuple(InterfaceAddress("eth0", of, at, lengths[of]) for of, at in primary),
            primary=primary,
            masquerade_all=masquerade_all,
        )
        labels = (("topology.kubernetes.io/zone", zone),) if zone else ()
        yield events.AddNode(Node(name, tuple(("InternalIP", text) for text in texts), labels=labels), config)


@st.composite
def _services(draw: st.DrawFn, options: Options) -> api.Service:
    type, families = draw(st.sampled_from(options.types)), draw(st.sampled_from(options.families))
    ports = draw(st.sampled_from(options.ports))
    has_external = draw(st.sampled_from(options.external_ips))
    is_balancer = type == "LoadBalancer"
    spec: dict[str, Any] = {
        "type": type,
        "ports": ports if type != "ClusterIP" else tuple(attrs.evolve(port, node_port=0) for port in ports),
        "selector": SELECTED,
        "cluster_ip": CLUSTER_IPS[families[0]],
        "cluster_ips": tuple(CLUSTER_IPS[family] for family in families),
        "ip_families": families,
        "ip_family_policy": "RequireDualStack" if len(families) > 1 else "SingleStack",
        "internal_traffic_policy": draw(st.sampled_from(options.internal)),
        "publish_not_ready_addresses": draw(st.sampled_from(options.publish)),
        "traffic_distribution": draw(st.sampled_from(options.distribution)),
        "session_affinity": draw(st.sampled_from(options.affinity)),
        "external_ips": tuple(EXTERNAL[family] for family in families) if has_external else (),
    }
    # Drawn whether or not they are used, so that simpler values elsewhere leave these as they are.
    external, ranges = draw(st.sampled_from(options.external)), draw(st.sampled_from(options.ranges))
    if type != "ClusterIP" or has_external:
        spec["external_traffic_policy"] = external
    if is_balancer:
        spec["load_balancer_source_ranges"] = ranges
    ingress = tuple(api.Ingress(BALANCER[family]) for family in families) if is_balancer else ()
    return api.Service(
        api.Metadata(name=WEB.name, namespace=WEB.namespace),
        api.ServiceSpec(**spec),
        api.ServiceStatus(api.LoadBalancerStatus(ingress)),
    )


def created(service: api.Service) -> Iterator[Event]:
    """The Service is created, and a balancer's address is reported."""
    yield events.CreateService(attrs.evolve(service, status=api.ServiceStatus()), seed=1)
    if service.status.load_balancer.ingress:
        yield events.UpdateServiceStatus(service)


def pod_events(at: int, node: str, state: str, ports: tuple[ContainerPort, ...] = ()) -> Iterator[Event]:
    """The pod's life up to `state`: pending, unready, ready or terminating."""
    name = ObjectName("shop", f"web-{at}")
    yield events.CreatePod(Pod(name, labels=SELECTED, ports=ports))
    yield events.SchedulePod(name, node)
    yield events.StartPod(name, tuple(pod_address(node, at + 1, family) for family in ("IPv4", "IPv6")))
    if state != "unready":
        yield events.SetPodReady(name, ready=True)
    if state == "terminating":
        yield events.TerminatePod(name)


def client_events(home: str) -> Iterator[Event]:
    """A pod that only asks."""
    yield events.CreatePod(Pod(CLIENT))
    yield events.SchedulePod(CLIENT, home)
    yield events.StartPod(CLIENT, tuple(pod_address(home, ASKS, family) for family in ("IPv4", "IPv6")))


def everybody_knows(nodes: Iterable[str] = ("node-a",)) -> Iterator[Event]:
    """The slices are written, and the nodes' proxies apply all there is."""
    yield events.SyncSlices(WEB)
    yield from (events.SyncProxy(node) for node in nodes)


def _home(packet: Packet) -> str | None:
    """The node of the pod that only asks, where the packet comes from it."""
    source = format_address(packet.family, packet.source)
    homes = (node for node in NODES if pod_address(node, ASKS, packet.family.value) == source)
    return next(homes, None)


@st.composite
def _sends(
    draw: st.DrawFn, service: api.Service, pods: list[tuple[str, str]], options: Options
) -> events.Send:
    """A packet from a client to a frontend of the Service, or beside it."""
    spec = service.spec
    node, family = draw(st.sampled_from(options.nodes)), draw(st.sampled_from(spec.ip_families))
    places = {"CIP": CLUSTER_IPS[family]}
    if spec.type != "ClusterIP":
        places["NP"] = node_address(node, family)
    if spec.external_ips:
        places["EXT"] = EXTERNAL[family]
    if spec.type == "LoadBalancer":
        places["LBV"] = BALANCER[family]
    kinds = [kind for kind in options.frontends if kind in places] or ["CIP"]
    kind, port = draw(st.sampled_from(kinds)), draw(st.sampled_from(spec.ports))
    client = draw(st.sampled_from(options.clients))
    home = draw(st.sampled_from(options.nodes)) if options.strays else node
    sources = {
        "outside": OUTSIDE[family],
        "node": node_address(node, family),
        "pod": pod_address(home, ASKS, family),
    }
    sources["endpoint"] = pod_address(pods[0][0], 1, family) if pods else sources["outside"]
    if client == "endpoint" and pods:
        node = pods[0][0]
    beside = draw(st.sampled_from(options.beside))
    packet = Packet(
        Family(family),
        Origin.NODE if client == "node" else Origin.WIRE,
        parse_address(sources[client])[1],
        parse_address(places[kind])[1],
        1 if beside == "ping" else PROTOCOL_NUMBERS[port.protocol.lower()],
        0 if beside == "ping" else (port.node_port if kind == "NP" else port.port) + (beside == "port"),
        "eth0" if client != "node" else None,
    )
    return events.Send(node, packet, 40000, draw(st.sampled_from((Fraction(0), Fraction(1, 2)))))
