"""Drawn pairs of worlds that differ in one thing: a policy, ranges, a Service, a port, a node, a family."""

from collections.abc import Callable

import attrs
from hypothesis import strategies as st

from invariants.worlds import World
from model.addresses import Family, parse_address
from model.frontends import node_view
from model.node_config import DetectLocalMode, InterfaceAddress, NodeConfig
from model.objects import Cluster, EndpointSlice, ObjectName, Service, ServiceType, TrafficPolicy
from model.packet import Packet
from tests.strategies import aimed
from tests.strategies.clusters import clusters
from tests.strategies.nodes import NODES, ZONES, node_address, pod_cidrs
from tests.strategies.pair import Pair as Pair

Question = tuple[Cluster, NodeConfig, Packet]
Change = Callable[[Question], st.SearchStrategy[Question]]

RANGES = (
    "198.51.100.0/24",
    "198.51.100.7/32",
    "10.32.1.0/24",
    "10.244.0.0/16",
    "0.0.0.0/0",
    "2001:db8:c::/64",
    "fd00:10:32:1::/64",
)
"""Some hold clients, some the node; of either family."""


def pairs() -> st.SearchStrategy[Pair]:
    """Two worlds that differ in any of the ways below."""
    return st.sampled_from(CHANGES).flatmap(changed_by)


@st.composite
def changed_by(draw: st.DrawFn, change: Change) -> Pair:
    """Two worlds of which the second is the first after the change."""
    before = draw(aimed.questions())
    after = draw(change(before))
    return Pair(_world(before), _world(after))


def _world(question: Question) -> World:
    return World(*question, aimed.outcomes(*question))


@st.composite
def other_policies(draw: st.DrawFn, question: Question) -> Question:
    """One of the two policies of any Services turned over."""
    cluster, config, packet = question
    which = draw(st.sampled_from(("external_traffic_policy", "internal_traffic_policy")))
    policies = st.sampled_from(TrafficPolicy)
    services = tuple(attrs.evolve(one, **{which: draw(policies)}) for one in cluster.services)
    return attrs.evolve(cluster, services=services), config, packet


@st.composite
def other_ranges(draw: st.DrawFn, question: Question) -> Question:
    """Load balancers' source ranges replaced."""
    cluster, config, packet = question
    lists = st.lists(st.sampled_from(RANGES), max_size=3, unique=True)
    services = tuple(_with_ranges(one, tuple(draw(lists))) for one in cluster.services)
    return attrs.evolve(cluster, services=services), config, packet


@st.composite
def more_ranges(draw: st.DrawFn, question: Question) -> Question:
    """One more source range for every load balancer."""
    cluster, config, packet = question
    more = draw(st.sampled_from(RANGES))
    services = tuple(_with_ranges(one, (*one.load_balancer_source_ranges, more)) for one in cluster.services)
    return attrs.evolve(cluster, services=services), config, packet


def _with_ranges(service: Service, ranges: tuple[str, ...]) -> Service:
    if service.type is not ServiceType.LOAD_BALANCER:
        return service
    return attrs.evolve(service, load_balancer_source_ranges=ranges)


@st.composite
def other_frontends(draw: st.DrawFn, question: Question) -> Question:
    """The packet sent to a frontend of the same service port."""
    cluster, config, packet = question
    view = node_view(cluster, config, packet.family)
    owners = view.owners(packet.destination, packet.protocol, packet.port)
    return cluster, config, draw(aimed.aimed_at(view, owners[0][0], packet))


@st.composite
def other_services(draw: st.DrawFn, question: Question) -> Question:
    """Services of another drawn cluster in the place of some; places that meet are not avoided."""
    cluster, config, packet = question
    strange, _ = draw(clusters(clashes=draw(st.booleans())))
    strangers = {one.name: one for one in strange.services}
    names = sorted({one.name for one in (*cluster.services, *strange.services)})
    replaced = draw(st.sets(st.sampled_from(names), min_size=1))
    return (
        attrs.evolve(
            cluster,
            services=(
                *(one for one in cluster.services if one.name not in replaced),
                *(one for name, one in strangers.items() if name in replaced),
            ),
            slices=(
                *(one for one in cluster.slices if one.service not in replaced),
                *(one for one in strange.slices if one.service in replaced),
            ),
        ),
        config,
        packet,
    )


@st.composite
def a_thief(draw: st.DrawFn, question: Question) -> Question:
    """One more Service, which lists somebody's cluster IP as an external IP (FWD-OBJ-08)."""
    cluster, config, packet = question
    victim = draw(
        st.sampled_from([one for one in cluster.services if one.cluster_ips not in ((), ("None",))])
    )
    thief = attrs.evolve(
        victim,
        name=ObjectName("shop", "thief"),
        type=ServiceType.CLUSTER_IP,
        cluster_ips=("10.96.255.79", "fd00:10:96::ff79"),
        external_ips=victim.cluster_ips,
        ingress=(),
        labels=(),
    )
    return attrs.evolve(cluster, services=(*cluster.services, thief)), config, packet


@st.composite
def no_bystanders(draw: st.DrawFn, question: Question) -> Question:
    """The cluster without some Services that kube-proxy does not serve, or with more of them."""
    cluster, config, packet = question
    strange, _ = draw(clusters())
    names = {one.name for one in cluster.services}
    further = [one for one in strange.services if one.name not in names]
    headless = tuple(
        attrs.evolve(one, type=ServiceType.CLUSTER_IP, cluster_ips=("None",), external_ips=("203.0.113.10",))
        for one in further
    )
    gone = {
        one.name
        for one in cluster.services
        if one.type is ServiceType.EXTERNAL_NAME or one.labels or one.cluster_ips == ("None",)
    }
    left = tuple(one for one in cluster.services if one.name not in gone)
    slices = tuple(one for one in strange.slices if one.service in {each.name for each in headless})
    return (
        attrs.evolve(cluster, services=(*left, *headless), slices=(*cluster.slices, *slices)),
        config,
        packet,
    )


@st.composite
def other_ports(draw: st.DrawFn, question: Question) -> Question:
    """Of every Service's last port another number, another node port, or other endpoints."""
    cluster, config, packet = question
    shift = draw(st.sampled_from((0, 1, 1000)))
    node_shift = draw(st.sampled_from((0, 5)))
    loses_endpoints = draw(st.booleans())
    last = {one.name: one.ports[-1] for one in cluster.services if len(one.ports) > 1}
    services = tuple(
        attrs.evolve(
            one,
            ports=(
                *one.ports[:-1],
                attrs.evolve(
                    one.ports[-1],
                    port=one.ports[-1].port + shift,
                    node_port=one.ports[-1].node_port and one.ports[-1].node_port + node_shift,
                ),
            ),
        )
        if one.name in last
        else one
        for one in cluster.services
    )

    def moved(piece: EndpointSlice) -> EndpointSlice:
        port = last.get(piece.service) if piece.service else None
        if port is None:
            return piece
        key = (port.name, port.protocol)
        if loses_endpoints:
            return attrs.evolve(piece, ports=tuple(p for p in piece.ports if (p.name, p.protocol) != key))
        return attrs.evolve(
            piece,
            ports=tuple(
                attrs.evolve(p, port=p.port and p.port + 7) if (p.name, p.protocol) == key else p
                for p in piece.ports
            ),
        )

    slices = tuple(map(moved, cluster.slices))
    return attrs.evolve(cluster, services=services, slices=slices), config, packet


@st.composite
def other_nodes(draw: st.DrawFn, question: Question) -> Question:
    """The packet on node-b or node-c, whose kube-proxy has its own addresses, zone and detector."""
    cluster, config, packet = question
    at = draw(st.sampled_from((1, 2)))
    own = tuple(
        InterfaceAddress("eth0", *parse_address(node_address(at, family.value)), 24) for family in Family
    )
    other = attrs.evolve(
        config,
        name=NODES[at],
        zone=draw(st.sampled_from((ZONES[at], None))),
        addresses=own,
        primary=tuple((each.family, each.address) for each in own),
        pod_cidrs=pod_cidrs(at),
        detect_local=draw(st.sampled_from(DetectLocalMode)),
        masquerade_all=draw(st.booleans()),
    )
    return cluster, other, packet


@st.composite
def other_family(draw: st.DrawFn, question: Question) -> Question:
    """Everything of the other family gone from Services, from their slices, or from both."""
    cluster, config, packet = question
    family = Family.IPV4 if packet.family is Family.IPV6 else Family.IPV6
    services = tuple(_without(one, family) for one in cluster.services)
    slices = tuple(one for one in cluster.slices if one.address_type != family.value)
    which = draw(st.sampled_from(("services", "slices", "both")))
    return (
        attrs.evolve(
            cluster,
            services=cluster.services if which == "slices" else services,
            slices=cluster.slices if which == "services" else slices,
        ),
        config,
        packet,
    )


def _without(service: Service, family: Family) -> Service:
    def stays(text: str) -> bool:
        return (":" in text) is not (family is Family.IPV6)

    return attrs.evolve(
        service,
        cluster_ips=tuple(filter(stays, service.cluster_ips)),
        external_ips=tuple(filter(stays, service.external_ips)),
        ingress=tuple(one for one in service.ingress if not one.ip or stays(one.ip)),
        load_balancer_source_ranges=tuple(filter(stays, service.load_balancer_source_ranges)),
    )


CHANGES = (
    other_policies,
    other_ranges,
    more_ranges,
    other_frontends,
    other_services,
    a_thief,
    no_bystanders,
    other_ports,
    other_nodes,
    other_family,
)
