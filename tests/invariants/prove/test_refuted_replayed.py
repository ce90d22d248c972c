"""What a solver finds against a tempting claim happens: as objects of a cluster, asked by `expect`."""

import attrs
import pytest
import z3  # type: ignore[import-untyped]  # the package has no type information

from invariants.prove import claims_refuted
from invariants.prove.claims_refuted import MODE
from invariants.prove.endpoints import CHOSEN, Listed, members
from invariants.prove.query import Query
from invariants.prove.witness import HERE, Witness, read
from invariants.prove.world import World, any_world
from model.addresses import Family, parse_address
from model.expectation import expect
from model.forwarding import (
    DESTINATION_LOCAL,
    EXTERNAL_LOCAL,
    FROM_HOST,
    FROM_LOOPBACK,
    FROM_POD,
    HAIRPIN,
    INTERNAL_LOCAL,
    IS_CIP,
    IS_EXT,
    IS_LBV,
    IS_NP,
    MASQUERADE_ALL,
    OUTSIDE_RANGES,
    SENT_BY_NODE,
    TO_LOOPBACK,
)
from model.frontends import node_view
from model.node_config import DetectLocalMode, InterfaceAddress, NodeConfig
from model.objects import (
    Cluster,
    Endpoint,
    EndpointPort,
    EndpointSlice,
    Ingress,
    ObjectName,
    Service,
    ServicePort,
    ServiceType,
    TrafficPolicy,
)
from model.outcome import Outcome, Verdict
from model.packet import TCP, Origin, Packet
from model.predicate import Fact, Not
from model.proxy_endpoints import ProxyEndpoint

NODE_IP, POD_IP, OUTSIDE = "10.32.1.11", "10.244.0.77", "198.51.100.7"
PLACES: dict[Fact, tuple[str, int]] = {
    IS_CIP: ("10.96.0.10", 80),
    IS_EXT: ("203.0.113.10", 80),
    IS_LBV: ("192.0.2.10", 80),
    IS_NP: (NODE_IP, 30080),
}


def number(text: str) -> int:
    return parse_address(text)[1]


def address_of(one: ProxyEndpoint) -> str:
    return f"10.244.1.{one.address}"


def built(found: Witness) -> tuple[Cluster, NodeConfig, Packet]:
    """A Service with every kind of frontend, its endpoints, a node called HERE, and the packet."""
    facts = found.facts
    policy = {True: TrafficPolicy.LOCAL, False: TrafficPolicy.CLUSTER}
    name = ObjectName("shop", "web")
    service = Service(
        name,
        type=ServiceType.LOAD_BALANCER,
        ports=(ServicePort("", "TCP", 80, node_port=30080),),
        cluster_ips=(PLACES[IS_CIP][0],),
        external_ips=(PLACES[IS_EXT][0],),
        ingress=(Ingress(PLACES[IS_LBV][0], ip_mode="VIP"),),
        internal_traffic_policy=policy[facts[INTERNAL_LOCAL]],
        external_traffic_policy=policy[facts[EXTERNAL_LOCAL]],
        load_balancer_source_ranges=("100.64.0.0/24",) if facts[OUTSIDE_RANGES] else (),
    )
    entries = tuple(
        Endpoint(
            (address_of(one),),
            one.ready,
            one.serving,
            one.terminating,
            node_name=HERE if one.local else "elsewhere",
            zone_hints=one.zone_hints,
            node_hints=one.node_hints,
        )
        for one in found.endpoints
    )
    piece = EndpointSlice(name, name, "IPv4", entries, (EndpointPort("", "TCP", 8080),))
    source = POD_IP if facts[FROM_POD] else NODE_IP if facts[FROM_HOST] else OUTSIDE
    if facts[HAIRPIN]:
        source = address_of(found.endpoints[0])
    config = NodeConfig(
        HERE,
        detect_local=DetectLocalMode.CLUSTER_CIDR,
        cluster_cidrs=("10.244.0.0/16",) if facts[FROM_POD] else ("10.250.0.0/16",),
        masquerade_all=facts[MASQUERADE_ALL],
        addresses=(InterfaceAddress("eth0", Family.IPV4, number(NODE_IP), 24),),
        zone=HERE if found.zone_known else None,
        readings=(found.reading,),
    )
    place, port = next(PLACES[kind] for kind in PLACES if facts[kind])
    origin = Origin.NODE if facts[SENT_BY_NODE] else Origin.WIRE
    return (
        Cluster((service,), (piece,)),
        config,
        Packet(Family.IPV4, origin, number(source), number(place), TCP, port),
    )


BUILDABLE = (Not(FROM_LOOPBACK), Not(TO_LOOPBACK))
"""A witness is asked for among the worlds that `built` can build."""


def witness_of(id: str) -> Witness:
    """A witness of the claim, in a world of two endpoints of which the first is CHOSEN."""
    world = any_world(Listed((CHOSEN, *members(1))))
    query: Query = getattr(claims_refuted, CLAIMS[id])(world)
    solver = z3.Solver()
    solver.add(*query.premises, z3.Not(query.goal), *map(world.is_, BUILDABLE), *plain(world))
    assert solver.check() == z3.sat
    return read(solver.model(), world)


def plain(world: World) -> tuple[z3.BoolRef, ...]:
    """What `built` takes for granted: all frontends, ranges for real balancers, one role a source."""
    facts = world.facts
    return (
        world.external,
        world.endpoints.is_("listed", CHOSEN),
        z3.Not(z3.And(facts[FROM_POD], facts[FROM_HOST])),
        z3.Implies(facts[HAIRPIN], z3.Not(facts[FROM_HOST])),
        facts[DESTINATION_LOCAL] == facts[IS_NP],
    )


CLAIMS = {
    "NEG-01": "only_ready_endpoints_that_stay",
    "NEG-02": "external_policy_local_means_local",
    "NEG-03": "no_local_endpoint_means_refusal",
    "NEG-05": "source_ranges_protect_the_service",
    "NEG-07": "clients_keep_their_address_inside",
    "NEG-09": "hints_are_followed_one_by_one",
}


def is_broken(id: str, found: Witness, outcome: Outcome) -> bool:
    """Whether the claim, in words of targets and verdicts, is false of the outcome."""
    by_address = {number(address_of(one)): one for one in found.endpoints}
    used = [by_address[leaf.target.address] for leaf in outcome.leaves if leaf.target]
    match id:
        case "NEG-01":
            return any(not one.ready or one.terminating for one in used)
        case "NEG-02":
            return any(not one.local for one in used)
        case "NEG-03":
            return not any(one.local for one in found.endpoints) and outcome.verdict is not Verdict.REJECT
        case "NEG-05":
            return bool(used)
        case "NEG-07":
            return any(leaf.masquerade for leaf in outcome.leaves)
        case "NEG-09":
            return any(HERE not in one.zone_hints for one in used) and any(
                HERE in one.zone_hints for one in found.endpoints
            )
        case _:
            raise KeyError(id)


@pytest.mark.parametrize("id", CLAIMS)
def test_the_witness_breaks_the_claim_in_a_real_cluster(id: str) -> None:
    found = witness_of(id)
    cluster, config, packet = built(found)

    expectation = expect(node_view(cluster, config, Family.IPV4), packet)

    row = found.row(MODE)
    assert row is not None
    assert expectation.cites[0] == row.id
    assert len(expectation.allowed) == 1
    assert is_broken(id, found, expectation.allowed[0])


@pytest.mark.parametrize("id", CLAIMS)
def test_the_node_sends_the_packet_where_the_witness_says(id: str) -> None:
    found = witness_of(id)
    cluster, config, packet = built(found)

    (outcome,) = expect(node_view(cluster, config, Family.IPV4), packet).allowed

    wanted = sorted(number(address_of(one)) for one in found.targets(MODE))
    assert sorted(leaf.target.address for leaf in outcome.leaves if leaf.target) == wanted


def test_a_witness_changed_breaks_nothing() -> None:
    """NEG-01 of the same cluster with endpoints that are ready and stay: the check is not always true."""
    found = witness_of("NEG-01")
    healthy = tuple(attrs.evolve(one, ready=True, terminating=False, local=True) for one in found.endpoints)
    found = attrs.evolve(found, endpoints=healthy)
    cluster, config, packet = built(found)

    (outcome,) = expect(node_view(cluster, config, Family.IPV4), packet).allowed

    assert not is_broken("NEG-01", found, outcome)
