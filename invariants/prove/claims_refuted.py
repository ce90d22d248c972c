"""Tempting claims that a solver refutes: each has a witness, which Python's reading confirms."""

from collections.abc import Callable

import z3  # type: ignore[import-untyped]  # the package has no type information

from invariants.prove.endpoints import CHOSEN, Listed, members
from invariants.prove.query import Method, Proof, Query
from invariants.prove.service_fields import Fields, any_fields, fields_in_words, stored_as_said
from invariants.prove.tables import IPTABLES
from invariants.prove.world import World, any_world, query
from model.forwarding import (
    EXTERNAL_LOCAL,
    FROM_HOST,
    FROM_POD,
    INTERNAL_LOCAL,
    IS_CIP,
    IS_EXTERNAL,
    OUTSIDE_RANGES,
    Decision,
)
from model.predicate import All, Any

MODE = IPTABLES
"""Whose tables refute these claims."""


def only_ready_endpoints_that_stay(world: World) -> Query:
    """NEG-01: the fallback to terminating ones, or publishNotReadyAddresses."""
    of = world.endpoints
    goal = z3.And(of.is_("ready", CHOSEN), z3.Not(of.is_("terminating", CHOSEN)))
    return query("only ready ones that stay", MODE, world, (world.goes(MODE, CHOSEN),), goal)


def external_policy_local_means_local(world: World) -> Query:
    """NEG-02: pods and the node itself are short-circuited."""
    given = (world.is_(All((IS_EXTERNAL, EXTERNAL_LOCAL))), world.goes(MODE, CHOSEN))
    return query("local", MODE, world, given, world.endpoints.is_("local", CHOSEN))


def no_local_endpoint_means_refusal(world: World) -> Query:
    """NEG-03: it is dropped."""
    of = world.endpoints
    none_here = of.domain.every(lambda one: z3.Implies(of.is_("listed", one), z3.Not(of.is_("local", one))))
    bound = Any((All((IS_EXTERNAL, EXTERNAL_LOCAL)), All((IS_CIP, INTERNAL_LOCAL))))
    outside = z3.Not(world.is_(Any((FROM_POD, FROM_HOST, OUTSIDE_RANGES))))
    given = (world.to_frontend, world.is_(bound), none_here, outside)
    return query("refused", MODE, world, given, world.decides(MODE, Decision.REJECT))


def source_ranges_protect_the_service(world: World) -> Query:
    """NEG-05: its other frontends stay open."""
    given = (world.to_frontend, world.is_(OUTSIDE_RANGES))
    return query("kept out", MODE, world, given, z3.Not(world.translates(MODE)))


def clients_keep_their_address_inside(world: World) -> Query:
    """NEG-07: masqueradeAll, policy Cluster at external frontends, hairpins."""
    given = (world.is_(FROM_POD), world.goes(MODE, CHOSEN))
    return query("address kept", MODE, world, given, z3.Not(world.rewrites(MODE)))


def hints_are_followed_one_by_one(world: World) -> Query:
    """NEG-09: one ready endpoint without a hint switches all hints off."""
    of = world.endpoints
    mine = of.domain.some(lambda one: z3.And(of.ready(one), of.is_("hints this zone", one)))
    given = (
        of.reads_zone_hints,
        of.zone_known,
        mine,
        of.domain.every(lambda one: z3.Not(of.is_("node hint", one))),
        world.decides(MODE, Decision.TO_CLUSTER),
        world.goes(MODE, CHOSEN),
    )
    return query("of the zone", MODE, world, given, of.is_("hints this zone", CHOSEN))


def balancers_have_node_ports(fields: Fields) -> Query:
    """NEG-12: unless they are told not to allocate any."""
    return _of_fields("node port", fields, fields.types["LoadBalancer"], fields.node_port)


def cluster_ip_services_have_no_external_policy(fields: Fields) -> Query:
    """NEG-13: those with external IPs have one."""
    return _of_fields("no policy", fields, fields.types["ClusterIP"], z3.Not(fields.external_policy))


def _small_world() -> World:
    """Two endpoints: to refute a claim a small world is as good as any, and easier to look at."""
    return any_world(Listed((CHOSEN, *members(1))))


def _of_fields(name: str, fields: Fields, given: z3.BoolRef, goal: z3.BoolRef) -> Query:
    return Query(
        name,
        (*fields.axioms, given),
        goal,
        show=lambda found: fields_in_words(found, fields),
        confirm=lambda found: stored_as_said(found, fields),
    )


def _refuted(id: str, sentence: str, claim: Callable[[World], Query]) -> Proof:
    return Proof(
        id,
        Method.BOUNDED,
        "a packet in iptables mode, at most two endpoints",
        lambda: (claim(_small_world()),),
        why="one witness refutes a claim",
        refuted=True,
        sentence=sentence,
    )


def _refuted_by_fields(id: str, sentence: str, claim: Callable[[Fields], Query]) -> Proof:
    scope = "a Service that the API server stores"
    return Proof(
        id, Method.EXHAUSTIVE, scope, lambda: (claim(any_fields()),), refuted=True, sentence=sentence
    )


PROOFS: tuple[Proof, ...] = (
    _refuted(
        "NEG-01",
        "Traffic goes only to ready endpoints that do not terminate.",
        only_ready_endpoints_that_stay,
    ),
    _refuted(
        "NEG-02",
        "Under external policy Local only local endpoints are used.",
        external_policy_local_means_local,
    ),
    _refuted(
        "NEG-03", "Where policy Local finds no local endpoint, it refuses.", no_local_endpoint_means_refusal
    ),
    _refuted(
        "NEG-05",
        "A source outside loadBalancerSourceRanges does not reach the Service.",
        source_ranges_protect_the_service,
    ),
    _refuted("NEG-07", "Pods keep their address inside the cluster.", clients_keep_their_address_inside),
    _refuted(
        "NEG-09",
        "Where an endpoint is hinted to the zone, only endpoints hinted to it are used there.",
        hints_are_followed_one_by_one,
    ),
    _refuted_by_fields("NEG-12", "A Service of type LoadBalancer has node ports.", balancers_have_node_ports),
    _refuted_by_fields(
        "NEG-13",
        "A Service of type ClusterIP has no externalTrafficPolicy.",
        cluster_ip_services_have_no_external_policy,
    ),
)
