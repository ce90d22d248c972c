"""What the traffic policies bind, what they leave alone, and that a frontend's kind does not matter."""

import z3  # type: ignore[import-untyped]  # the package has no type information

from invariants.prove.claims_verdicts import ENDPOINTS
from invariants.prove.endpoints import CHOSEN
from invariants.prove.query import Method, Proof, Query
from invariants.prove.tables import KINDS, Tables, fact_symbols, rewrites
from invariants.prove.world import World, altered, over, query, same_fate
from model.forwarding import (
    DESTINATION_LOCAL,
    EXTERNAL_LOCAL,
    FROM_HOST,
    FROM_POD,
    INTERNAL_LOCAL,
    IS_CIP,
    IS_EXTERNAL,
    IS_LBV,
    ON_NODE_PORT_ADDRESS,
    OUTSIDE_RANGES,
)
from model.predicate import All, Any, Fact, Not

FROM_OUTSIDE = All((Not(FROM_POD), Not(FROM_HOST)))
NO, YES = z3.BoolVal(False), z3.BoolVal(True)


def internal_policy_local_stays_on_the_node(tables: Tables, world: World) -> tuple[Query, ...]:
    """INV-41."""
    given = (world.is_(All((IS_CIP, INTERNAL_LOCAL))), world.goes(tables, CHOSEN))
    return (query("local", tables, world, given, world.endpoints.is_("local", CHOSEN)),)


def external_policy_local_holds_outsiders_to_the_node(tables: Tables, world: World) -> tuple[Query, ...]:
    """INV-42."""
    given = (world.is_(All((IS_EXTERNAL, EXTERNAL_LOCAL, FROM_OUTSIDE))), world.goes(tables, CHOSEN))
    return (query("local", tables, world, given, world.endpoints.is_("local", CHOSEN)),)


def insiders_are_short_circuited(tables: Tables, world: World) -> tuple[Query, ...]:
    """INV-43."""
    insider = world.is_(All((IS_EXTERNAL, EXTERNAL_LOCAL, Any((FROM_POD, FROM_HOST)))))
    other = altered(world, {EXTERNAL_LOCAL: NO})
    given = (*other.premises, world.to_frontend, insider)
    return (query("as with policy Cluster", tables, world, given, same_fate(tables, world, other)),)


def each_policy_minds_its_own_frontends(tables: Tables, world: World) -> tuple[Query, ...]:
    """INV-44: verdict, support and source translation."""
    return (
        _unchanged("cluster IPs", tables, world, world.is_(IS_CIP), EXTERNAL_LOCAL),
        _unchanged("external frontends", tables, world, world.is_(IS_EXTERNAL), INTERNAL_LOCAL),
    )


def _unchanged(name: str, tables: Tables, world: World, when: z3.BoolRef, policy: Fact) -> Query:
    other = altered(world, {policy: z3.Not(world.facts[policy])})
    same = z3.And(
        same_fate(tables, world, other), world.rewrites(tables) == rewrites(tables.masquerade, other.facts)
    )
    return query(name, tables, world, (*other.premises, when), same)


def external_frontends_are_alike(tables: Tables, world: World) -> tuple[Query, ...]:
    """INV-45: any two external frontends of a service port, a balancer's only for sources that it allows."""
    own = fact_symbols(" (other)")
    elsewhere = (*KINDS, DESTINATION_LOCAL, ON_NODE_PORT_ADDRESS)
    other = altered(world, {fact: own[fact] for fact in elsewhere})
    admitted = Not(All((IS_LBV, OUTSIDE_RANGES)))
    given = (
        *other.premises,
        *(one.is_(All((IS_EXTERNAL, admitted))) for one in (world, other)),
        *(one.to_frontend for one in (world, other)),
        *(z3.Not(one.escapes_refusal(tables)) for one in (world, other)),
    )
    same = z3.And(
        same_fate(tables, world, other), world.rewrites(tables) == rewrites(tables.masquerade, other.facts)
    )
    return (query("one fate", tables, world, given, same),)


PROOFS: tuple[Proof, ...] = (
    Proof(
        "INV-41",
        Method.UNBOUNDED,
        ENDPOINTS,
        over(internal_policy_local_stays_on_the_node),
        sentence="Under internal policy Local a cluster IP leads every source to endpoints of this node.",
    ),
    Proof(
        "INV-42",
        Method.UNBOUNDED,
        ENDPOINTS,
        over(external_policy_local_holds_outsiders_to_the_node),
        sentence="Under external policy Local an external frontend leads sources from outside to endpoints "
        "of this node only.",
    ),
    Proof(
        "INV-43",
        Method.UNBOUNDED,
        ENDPOINTS,
        over(insiders_are_short_circuited),
        sentence="Under external policy Local pods and the node itself fare as under policy Cluster, source "
        "translation apart.",
    ),
    Proof(
        "INV-44",
        Method.UNBOUNDED,
        ENDPOINTS,
        over(each_policy_minds_its_own_frontends),
        sentence="The external policy never changes the fate of packets to cluster IPs, nor the internal one "
        "that of packets to external frontends.",
    ),
    Proof(
        "INV-45",
        Method.UNBOUNDED,
        ENDPOINTS,
        over(external_frontends_are_alike),
        sentence="External IPs, admitted balancer addresses and node ports of a service port treat a source "
        "alike, up to MODE-10.",
    ),
)
