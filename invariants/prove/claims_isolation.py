"""What never touches a packet: objects of the other family, and Services that no proxy serves."""

from collections.abc import Callable

import attrs
import z3  # type: ignore[import-untyped]  # the package has no type information

from invariants.prove.claims_verdicts import ENDPOINTS
from invariants.prove.endpoints import CHOSEN, ENDPOINT, Endpoints, any_endpoints
from invariants.prove.query import Method, Proof, Query
from invariants.prove.tables import Tables
from invariants.prove.world import World, over, query, same_fate, with_endpoints

OF_FAMILY = z3.Function("its slice and address are of the packet's family", ENDPOINT, z3.BoolSort())


def of_one_family(of: Endpoints) -> Endpoints:
    """The endpoints as a proxy of one family merges them: others are not listed (EPS-SL-05)."""
    listed = of.properties["listed"]
    kept = {**of.properties, "listed": lambda one: z3.And(listed(one), OF_FAMILY(one))}
    return attrs.evolve(of, properties=kept)


def families_are_apart(tables: Tables, world: World) -> tuple[Query, ...]:
    """INV-49: of the other family nothing is reached, and everything may change."""
    own = world.endpoints
    changed = any_endpoints(own.domain, " (other)")
    changed = attrs.evolve(
        changed,
        zone_known=own.zone_known,
        reads_node_hints=own.reads_node_hints,
        reads_zone_hints=own.reads_zone_hints,
        reads_still_serving=own.reads_still_serving,
    )
    agree = own.domain.every(
        lambda one: z3.Implies(
            OF_FAMILY(one), z3.And([own.is_(name, one) == changed.is_(name, one) for name in own.properties])
        )
    )
    here = with_endpoints(world, of_one_family(own))
    there = with_endpoints(world, of_one_family(changed), suffix=" (third)")
    return (
        query("of the family", tables, here, (here.goes(tables, CHOSEN),), OF_FAMILY(CHOSEN)),
        query("unchanged", tables, here, (*there.premises, agree), same_fate(tables, here, there)),
    )


SERVICE = z3.DeclareSort("Service")


@attrs.frozen
class Services:
    """What is known of each Service, for one family and one packet.

    `frontend` says that one of the Service's addresses or node ports, of the family and with
    the protocol and number, is where the packet goes.
    """

    exists: Callable[[z3.ExprRef], z3.BoolRef]
    external_name: Callable[[z3.ExprRef], z3.BoolRef]
    has_cluster_ip: Callable[[z3.ExprRef], z3.BoolRef]  # of the family; never where it is "None" or empty
    other_proxy: Callable[[z3.ExprRef], z3.BoolRef]
    frontend: Callable[[z3.ExprRef], z3.BoolRef]


def serves(of: Services, one: z3.ExprRef) -> z3.BoolRef:
    """That the Service has service ports here at all (FWD-OBJ-02)."""
    return z3.And(
        of.exists(one), z3.Not(of.external_name(one)), of.has_cluster_ip(one), z3.Not(of.other_proxy(one))
    )


def owns(of: Services, one: z3.ExprRef) -> z3.BoolRef:
    """That the Service is an owner of the packet's frontend."""
    return z3.And(serves(of, one), of.frontend(one))


def unserved_services_change_nothing() -> tuple[Query, ...]:
    """INV-53: with one Service more, or one less, that no proxy serves, the owners are the same."""
    names = ("there is", "is ExternalName", "has a cluster IP", "has another proxy", "has the frontend")
    before = Services(*(z3.Function(name, SERVICE, z3.BoolSort()) for name in names))
    added, one = z3.Consts("added any", SERVICE)
    after = attrs.evolve(before, exists=lambda each: z3.Or(before.exists(each), each == added))
    unserved = z3.Or(
        before.external_name(added), z3.Not(before.has_cluster_ip(added)), before.other_proxy(added)
    )
    same = owns(before, one) == owns(after, one)
    return (Query("owners unchanged", (z3.Not(before.exists(added)), unserved), same),)


PROOFS: tuple[Proof, ...] = (
    Proof(
        "INV-49",
        Method.UNBOUNDED,
        ENDPOINTS,
        over(families_are_apart),
        sentence="No packet reaches an endpoint of the other family, and what changes there changes nothing.",
    ),
    Proof(
        "INV-53",
        Method.UNBOUNDED,
        "any number of Services, one packet's frontend",
        unserved_services_change_nothing,
        sentence="Headless, ExternalName and foreign-proxy Services own no frontend: one more is nothing.",
    ),
)
