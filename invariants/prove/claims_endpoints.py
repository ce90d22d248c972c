"""Which endpoints a packet may reach: ready ones first, topology never empties, affinity only ranks."""

import z3  # type: ignore[import-untyped]  # the package has no type information

from invariants.prove.claims_verdicts import ENDPOINTS
from invariants.prove.endpoints import CHOSEN, ENDPOINT, Property
from invariants.prove.query import Method, Proof, Query
from invariants.prove.tables import Tables
from invariants.prove.world import World, over, query
from model.forwarding import Decision


def terminating_endpoints_are_the_last_resort(tables: Tables, world: World) -> tuple[Query, ...]:
    """INV-36."""
    of = world.endpoints
    unready = z3.And(world.goes(tables, CHOSEN), z3.Not(of.is_("ready", CHOSEN)))

    def none_ready(one: z3.ExprRef) -> z3.BoolRef:
        return z3.Implies(of.is_("listed", one), z3.Not(of.is_("ready", one)))

    def none_ready_here(one: z3.ExprRef) -> z3.BoolRef:
        return z3.Implies(of.is_("local", one), none_ready(one))

    return (
        query(
            "of the cluster",
            tables,
            world,
            (unready, world.decides(tables, Decision.TO_CLUSTER)),
            of.domain.every(none_ready),
        ),
        query(
            "of the node",
            tables,
            world,
            (unready, world.decides(tables, Decision.TO_LOCAL)),
            of.domain.every(none_ready_here),
        ),
    )


def topology_never_empties_the_set(tables: Tables, world: World) -> tuple[Query, ...]:
    """INV-37: where something is ready, the cluster set has ready endpoints and no others."""
    of = world.endpoints
    some_ready = of.domain.some(lambda one: z3.And(of.is_("listed", one), of.is_("ready", one)))
    used = world.uses_cluster
    return (
        query(
            "the cluster set is not empty",
            tables,
            world,
            (used, some_ready),
            of.domain.some(lambda one: z3.And(world.sets.cluster(one), of.is_("ready", one))),
        ),
        query(
            "and holds ready ones only",
            tables,
            world,
            (used, some_ready, world.sets.cluster(CHOSEN)),
            of.is_("ready", CHOSEN),
        ),
    )


LIVE = z3.Function("has a live memory of the client", ENDPOINT, z3.BoolSort())
BEFORE = z3.Function("comes before in text order", ENDPOINT, ENDPOINT, z3.BoolSort())


def remembering(world: World, goes: Property) -> tuple[Property, tuple[z3.BoolRef, ...]]:
    """Who may be chosen with affinity, over the set that chance would choose from (AFF-03).

    The first endpoint of the set, in the order of text, with a live memory; chance where there is
    none. Also the definition of the name that the property uses.
    """
    domain = world.endpoints.domain
    some_live = z3.Bool("one of the set is remembered")

    def asked(one: z3.ExprRef) -> z3.BoolRef:
        return z3.And(goes(one), LIVE(one))

    def chosen(one: z3.ExprRef) -> z3.BoolRef:
        first = domain.every(lambda other: z3.Implies(asked(other), z3.Not(BEFORE(other, one))))
        return z3.If(some_live, z3.And(asked(one), first), goes(one))

    return chosen, (some_live == domain.some(asked),)


def affinity_only_ranks_the_eligible(tables: Tables, world: World) -> tuple[Query, ...]:
    """INV-59, for any memory, true or stale, and any order of endpoints."""
    chosen, definitions = remembering(world, lambda one: world.goes(tables, one))
    return (
        query(
            "remembered ones are eligible",
            tables,
            world,
            (*definitions, chosen(CHOSEN)),
            world.goes(tables, CHOSEN),
        ),
    )


PROOFS: tuple[Proof, ...] = (
    Proof(
        "INV-36",
        Method.UNBOUNDED,
        ENDPOINTS,
        over(terminating_endpoints_are_the_last_resort),
        sentence="An endpoint that is not ready is used only while none is ready where policy lets it go.",
    ),
    Proof(
        "INV-37",
        Method.UNBOUNDED,
        ENDPOINTS,
        over(topology_never_empties_the_set),
        sentence="Where some endpoint is ready, topology leaves a ready one, and only ready ones.",
    ),
    Proof(
        "INV-59",
        Method.UNBOUNDED,
        f"{ENDPOINTS}, any memory",
        over(affinity_only_ranks_the_eligible),
        sentence="Every endpoint that a memory leads to is one that chance could have chosen.",
        part="of one packet",
    ),
)
