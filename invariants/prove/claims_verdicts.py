"""What the verdict tables come to, whoever asks: total, nothing in vain, refusals for want of endpoints."""

import z3  # type: ignore[import-untyped]  # the package has no type information

from invariants.prove.endpoints import CHOSEN
from invariants.prove.query import Method, Proof, Query
from invariants.prove.tables import Tables, decides, exactly_one, fact_symbols, possible, turns
from invariants.prove.world import World, over, query
from model.forwarding import HAS_USABLE, IS_LBV, OUTSIDE_RANGES, UNOWNED, Decision
from model.node_config import ProxyMode
from model.predicate import All

PACKETS = "every packet to every service port"
ENDPOINTS = f"{PACKETS}, any number of endpoints, every version's reading of slices"


def frontends_and_only_frontends_are_captured(tables: Tables, world: World) -> tuple[Query, ...]:
    """INV-38, and that no row stands in vain."""
    one_turn = exactly_one(turns(tables.verdicts, world.facts))
    is_left_alone = world.decides(tables, Decision.PASS)
    # A set that a row sends to is never empty, or chance would have nothing to choose from.
    some = world.endpoints.domain.some(lambda one: world.goes(tables, one))
    return (
        query("exactly one row decides", tables, world, (), one_turn),
        query(
            "a frontend is never left alone",
            tables,
            world,
            (world.to_frontend,),
            z3.Implies(is_left_alone, world.escapes_refusal(tables)),
        ),
        _nobody_is_captured(tables, world),
        query("who is sent on has somewhere to go", tables, world, (world.translates(tables),), some),
        *_each_row_has_its_turn(tables, world),
    )


def _nobody_is_captured(tables: Tables, world: World) -> Query:
    """The contract's table is asked about frontends only, a mode's about node ports elsewhere too."""
    if tables.mode is None:
        for_nobody = fact_symbols(" (no frontend)")
        translated = decides(UNOWNED, for_nobody, Decision.TO_CLUSTER, Decision.TO_LOCAL)
        return Query("a packet to no frontend is never sent to an endpoint", (), z3.Not(translated))
    beside = z3.Not(world.to_frontend)
    name = "beside the node port addresses nothing is sent to an endpoint"
    return query(name, tables, world, (beside,), z3.Not(world.translates(tables)))


def _each_row_has_its_turn(tables: Tables, world: World) -> tuple[Query, ...]:
    """One question a row, which is answered by its premises: they have a model."""
    rows = zip(tables.verdicts, turns(tables.verdicts, world.facts), strict=True)
    return tuple(
        Query(f"{row.id} has its turn ({tables.name})", (*possible(world.facts), turn), z3.BoolVal(True))
        for row, turn in rows
    )


def refusal_is_for_want_of_endpoints(tables: Tables, world: World) -> tuple[Query, ...]:
    """INV-39."""
    has = world.facts[HAS_USABLE]
    firewall = world.is_(All((IS_LBV, OUTSIDE_RANGES)))
    return (
        query(
            "refused: nothing usable", tables, world, (world.decides(tables, Decision.REJECT),), z3.Not(has)
        ),
        query(
            "dropped: something usable, or the firewall",
            tables,
            world,
            (world.decides(tables, Decision.DROP),),
            z3.Or(has, firewall),
        ),
        query("translated: something usable", tables, world, (world.translates(tables),), has),
    )


def without_usable_endpoints_every_frontend_refuses(tables: Tables, world: World) -> tuple[Query, ...]:
    """INV-40. Usable is said here of the conditions themselves."""
    of = world.endpoints
    none = of.domain.every(
        lambda one: z3.Implies(
            of.is_("listed", one),
            z3.And(
                z3.Not(of.is_("ready", one)),
                z3.Not(z3.And(of.is_("serving", one), of.is_("terminating", one))),
            ),
        )
    )
    # MODE-12: the firewall comes first, but not in iptables mode.
    is_first = tables.mode is not ProxyMode.IPTABLES
    firewall = world.is_(All((IS_LBV, OUTSIDE_RANGES))) if is_first else z3.BoolVal(False)
    right = z3.If(
        firewall,
        world.decides(tables, Decision.DROP),
        z3.If(
            world.escapes_refusal(tables),
            world.decides(tables, Decision.PASS),
            world.decides(tables, Decision.REJECT),
        ),
    )
    return (query("nothing usable", tables, world, (world.to_frontend, none), right),)


def ready_or_still_serving(tables: Tables, world: World) -> tuple[Query, ...]:
    """INV-35."""
    of, one = world.endpoints, CHOSEN
    draining = z3.And(of.is_("serving", one), of.is_("terminating", one))
    return (
        query(
            "usable",
            tables,
            world,
            (world.goes(tables, one),),
            z3.And(of.is_("listed", one), z3.Or(of.is_("ready", one), draining)),
        ),
    )


PROOFS: tuple[Proof, ...] = (
    Proof(
        "INV-35",
        Method.UNBOUNDED,
        ENDPOINTS,
        over(ready_or_still_serving),
        sentence="Only endpoints of the service port are used that are ready or still serve.",
        part="of one packet",
    ),
    Proof(
        "INV-38",
        Method.UNBOUNDED,
        ENDPOINTS,
        over(frontends_and_only_frontends_are_captured),
        sentence="Exactly one row decides each packet; frontends, and only they, are captured.",
    ),
    Proof(
        "INV-39",
        Method.UNBOUNDED,
        ENDPOINTS,
        over(refusal_is_for_want_of_endpoints),
        sentence="Refused only where nothing is usable, dropped only where something is or by the firewall, "
        "translated only where something is.",
    ),
    Proof(
        "INV-40",
        Method.UNBOUNDED,
        ENDPOINTS,
        over(without_usable_endpoints_every_frontend_refuses),
        sentence="While no endpoint is usable every frontend refuses, up to MODE-10 and MODE-12.",
    ),
)
