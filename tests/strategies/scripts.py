"""Histories for claims that no plain scene can try: requests, moves, deletions, and many clients."""

from collections.abc import Iterator
from fractions import Fraction

import attrs
from hypothesis import strategies as st

from model.addresses import Family, format_address, parse_address
from model.api import objects as api
from model.cluster import events
from model.cluster.events import Event
from model.objects import ContainerPort, ObjectName
from model.packet import TCP, UDP, Origin, Packet
from model.traffic import Delivery
from tests.invariants.playing import History, played
from tests.strategies.api_services import services
from tests.strategies.scenes import (
    CLUSTER_IPS,
    DNS,
    HTTP,
    NODES,
    OUTSIDE,
    SELECTED,
    WEB,
    created,
    everybody_knows,
    node_address,
    opening,
    pod_events,
)

_EITHER = st.sampled_from((Fraction(0), Fraction(1, 2)))


def a_service(name: ObjectName = WEB, *ports: api.ServicePort, **spec: object) -> api.Service:
    fields = {"ports": ports or (HTTP,), "selector": SELECTED, "type": "NodePort"} | spec
    metadata = api.Metadata(name=name.name, namespace=name.namespace)
    return api.Service(metadata, api.ServiceSpec(**fields))  # type: ignore[arg-type]  # fields by name


def a_packet(source: str, destination: str, port: int, protocol: int = TCP) -> Packet:
    family, address = parse_address(destination)
    return Packet(family, Origin.WIRE, parse_address(source)[1], address, protocol, port, "eth0")


# --- Requests


@st.composite
def requests(draw: st.DrawFn) -> History:
    """A Service of any kind is created."""
    cidr = events.AddServiceCIDR("kubernetes", ("10.96.0.0/24", "fd00:10:96::/112"))
    return cidr, events.CreateService(draw(services()), seed=1)


@st.composite
def numbered(draw: st.DrawFn, most: int = 2) -> History:
    """Services that ask for node ports, or leave them open, in TCP and UDP."""
    cidr = events.AddServiceCIDR("kubernetes", ("10.96.0.0/24",))
    tcp, udp = api.ServicePort("tcp", "TCP", port=80), api.ServicePort("udp", "UDP", port=80)
    drawn = st.tuples(
        st.sampled_from(("NodePort", "ExternalName")),
        st.sampled_from(((tcp,), (udp,), (tcp, udp))),
        st.sampled_from((0, 30080, 30081)),
    )
    wanted = draw(st.lists(drawn, min_size=1, max_size=most))
    return cidr, *(
        events.CreateService(
            a_service(
                ObjectName("shop", f"web-{at}"),
                *(attrs.evolve(port, node_port=number) for port in ports),
                type=type,
                external_name="db.example" if type == "ExternalName" else "",
            ),
            seed=at,
        )
        for at, (type, ports, number) in enumerate(wanted, 1)
    )


@st.composite
def manifests(draw: st.DrawFn) -> History:
    """One manifest, by which a Service is created and to which another one is updated."""
    port = api.ServicePort("http", "TCP", port=80)
    second = draw(st.sampled_from((None, {"port": 443}, {"protocol": "UDP"}, {"node_port": 30443})))
    ports = (port,) if second is None else (port, attrs.evolve(port, name="other", **second))
    type = draw(st.sampled_from(("NodePort", "LoadBalancer")))
    before = draw(st.sampled_from(("ClusterIP", "NodePort")))
    first, other = ObjectName("shop", "created"), ObjectName("shop", "updated")
    return (
        events.AddServiceCIDR("kubernetes", ("10.96.0.0/24",)),
        events.CreateService(a_service(first, *ports, type=type), seed=1),
        events.CreateService(a_service(other, port, type=before), seed=2),
        events.UpdateService(a_service(other, *ports, type=type), seed=3),
    )


# --- Endpoints


@st.composite
def slices_by_hand(draw: st.DrawFn) -> History:
    """A Service without a selector, with a slice that somebody wrote, and one packet."""
    name, number = draw(st.sampled_from(("http", "other"))), draw(st.sampled_from((8080, 8081)))
    labels = (("kubernetes.io/service-name", WEB.name),)
    by_hand = api.EndpointSlice(
        api.Metadata(name="by-hand", namespace=WEB.namespace, labels=labels),
        "IPv4",
        (api.Endpoint(("10.244.1.1",)),),
        (api.EndpointPort(name, "TCP", number),),
    )
    port = attrs.evolve(HTTP, target_port=draw(st.sampled_from((8080, 8081))))
    service = a_service(WEB, port, selector=(), cluster_ip=CLUSTER_IPS["IPv4"])
    send = events.Send("node-a", a_packet(OUTSIDE["IPv4"], CLUSTER_IPS["IPv4"], 80), 40000)
    return *opening(), *created(service), events.WriteSlice(by_hand), events.SyncProxy("node-a"), send


@st.composite
def moves(draw: st.DrawFn) -> History:
    """Pods whose port of one name has two numbers; some are replaced, and a pass may be interrupted."""
    numbers = draw(st.lists(st.sampled_from((8080, 8081)), min_size=1, max_size=3))
    passes = st.builds(events.SyncSlices, st.just(WEB), st.sampled_from((None, 1, 2)))
    replaced = st.tuples(st.integers(0, len(numbers) - 1), st.sampled_from((8081, 8080)))
    drawn = draw(st.lists(replaced, min_size=1, max_size=2))
    return (
        *opening(),
        *created(a_service(WEB, attrs.evolve(HTTP, target_port="web"))),
        *(event for at, number in enumerate(numbers) for event in _pod(at, number)),
        events.SyncSlices(WEB),
        *(event for each in drawn for event in _again(*each)),
        draw(passes),
    )


def _pod(at: int, number: int) -> Iterator[Event]:
    return pod_events(at, "node-a", "ready", (ContainerPort("web", "TCP", number),))


def _again(at: int, number: int) -> Iterator[Event]:
    """The pod is replaced by one of the same name and address, as a stateful set may do."""
    yield events.DeletePod(ObjectName("shop", f"web-{at}"))
    yield from _pod(at, number)


@st.composite
def deletions(draw: st.DrawFn) -> History:
    """A UDP Service whose clients have flows; pods are deleted, everybody knows, clients go on."""
    pods = draw(st.integers(1, 2))
    service = a_service(WEB, DNS, type="ClusterIP", cluster_ip=CLUSTER_IPS["IPv4"])
    service = attrs.evolve(service, spec=attrs.evolve(service.spec, ports=(attrs.evolve(DNS, node_port=0),)))
    packet = a_packet(OUTSIDE["IPv4"], CLUSTER_IPS["IPv4"], 53, UDP)
    ports = st.sampled_from((40000, 40001))
    before = draw(
        st.lists(st.builds(events.Send, st.just("node-a"), st.just(packet), ports, _EITHER), max_size=2)
    )
    gone = draw(st.lists(st.integers(0, pods - 1), max_size=2, unique=True))
    return (
        *opening(),
        *created(service),
        *(event for at in range(pods) for event in pod_events(at, "node-a", "ready")),
        *everybody_knows(),
        *before,
        *(events.DeletePod(ObjectName("shop", f"web-{at}")) for at in gone),
        *everybody_knows(),
        events.Send("node-a", packet, draw(ports), draw(_EITHER)),
    )


# --- Clients that are remembered


def _sticky(*ports: api.ServicePort) -> api.Service:
    return a_service(WEB, *ports, cluster_ip=CLUSTER_IPS["IPv4"], session_affinity="ClientIP")


@st.composite
def crowds(draw: st.DrawFn) -> History:
    """A client comes, then many others, then the client again, all within the timeout."""
    packet = a_packet(OUTSIDE["IPv4"], CLUSTER_IPS["IPv4"], 80)
    others = draw(st.integers(0, 120))
    sends = [
        *(
            events.Send("node-a", attrs.evolve(packet, source=packet.source + at), 40000)
            for at in range(others + 1)
        ),
        events.Send("node-a", packet, 40001, draw(_EITHER)),
    ]
    return (
        *opening(),
        *created(_sticky(HTTP)),
        *(event for at in range(2) for event in pod_events(at, "node-a", "ready")),
        *everybody_knows(),
        *sends,
    )


@st.composite
def by_way_of_nodes(draw: st.DrawFn) -> History:
    """A client's connections to a Service whose only endpoint is the node port of another one.

    Each comes by a node that passes it on to node-c, which is carried out to know how it looks there.
    """
    front = ObjectName("shop", "front")
    labels = (("kubernetes.io/service-name", front.name),)
    by_hand = api.EndpointSlice(
        api.Metadata(name="front", namespace=front.namespace, labels=labels),
        "IPv4",
        (api.Endpoint((node_address("node-c"),)),),
        (api.EndpointPort("http", "TCP", HTTP.node_port),),
    )
    port = attrs.evolve(HTTP, node_port=0)
    before = (
        *opening(dict.fromkeys(NODES)),
        *created(_sticky(HTTP)),
        *created(a_service(front, port, selector=(), type="ClusterIP", cluster_ip="10.96.0.20")),
        events.WriteSlice(by_hand),
        *(event for at in range(2) for event in pod_events(at, "node-c", "ready")),
        *everybody_knows(NODES),
    )
    entries = draw(st.lists(st.tuples(st.sampled_from(NODES[:2]), _EITHER), min_size=1, max_size=3))
    history: History = before
    for at, (node, chance) in enumerate(entries):
        first = events.Send(node, a_packet(OUTSIDE["IPv4"], "10.96.0.20", 80), 40000 + at)
        told = played((*history, first))[-1].told
        history = (*history, first)
        if isinstance(told, Delivery) and told.target is not None and told.masquerade:
            target = format_address(Family.IPV4, told.target.address)
            onward = a_packet(node_address(node), target, told.target.port)
            history = (*history, events.Send("node-c", onward, 50000 + at, chance))
    return history
