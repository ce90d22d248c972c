"""Any packet to any service port on any node: facts, endpoints and sets, and what the tables make of them.

A `World` is one such case with nothing fixed; its facts HAIRPIN and ENDS_ON_NODE
speak of the endpoint CHOSEN. A claim about it that a solver proves holds of
every packet and every set of endpoints. A claim about a change compares a world with
`altered`, which shares everything with it but the facts that are given anew.
"""

from collections.abc import Callable, Mapping

import attrs
import z3  # type: ignore[import-untyped]  # the package has no type information

import invariants.prove.tables as tables_module
from invariants.prove.endpoints import (
    CHOSEN,
    Domain,
    Endpoints,
    Sets,
    Unbounded,
    any_endpoints,
    hints_make_sense,
    sets,
)
from invariants.prove.query import Query
from invariants.prove.tables import (
    IS_FRONTEND,
    Facts,
    Tables,
    decides,
    fact_symbols,
    possible,
    rewrites,
    term,
)
from invariants.prove.witness import agrees, in_words
from model.forwarding import (
    DESTINATION_LOCAL,
    EXTERNAL_LOCAL,
    HAS_USABLE,
    INTERNAL_LOCAL,
    IS_EXT,
    IS_EXTERNAL,
    IS_LBV,
    LOCAL_SET_EMPTY,
    SENT_BY_NODE,
    Decision,
)
from model.node_config import ProxyMode
from model.predicate import All, Any, Fact, Not, Predicate

SETTLED = (Decision.REJECT, Decision.DROP, Decision.PASS)


@attrs.frozen
class World:
    """`external` says that the service port has a frontend other than its cluster IP (FWD-EP-01)."""

    facts: Facts
    endpoints: Endpoints
    external: z3.BoolRef
    sets: Sets

    def is_(self, predicate: Predicate) -> z3.BoolRef:
        return term(predicate, self.facts)

    @property
    def premises(self) -> tuple[z3.BoolRef, ...]:
        """What is so in every world."""
        return (
            *possible(self.facts),
            *self.sets.definitions,
            hints_make_sense(self.endpoints),
            self.facts[HAS_USABLE] == self.sets.has,
            self.facts[LOCAL_SET_EMPTY] == self.sets.local_is_empty,
            z3.Implies(self.is_(IS_EXTERNAL), self.external),
        )

    @property
    def uses_cluster(self) -> z3.BoolRef:
        """FWD-EP-01."""
        return z3.Or(z3.Not(self.facts[INTERNAL_LOCAL]), self.external)

    @property
    def to_frontend(self) -> z3.BoolRef:
        return self.is_(IS_FRONTEND)

    def decides(self, tables: Tables, *decisions: Decision) -> z3.BoolRef:
        return decides(tables.verdicts, self.facts, *decisions)

    def goes(self, tables: Tables, one: z3.ExprRef) -> z3.BoolRef:
        """That the packet may be sent to the endpoint."""
        return z3.Or(
            z3.And(self.decides(tables, Decision.TO_CLUSTER), self.sets.cluster(one)),
            z3.And(self.decides(tables, Decision.TO_LOCAL), self.sets.local(one)),
        )

    def translates(self, tables: Tables) -> z3.BoolRef:
        return self.decides(tables, Decision.TO_CLUSTER, Decision.TO_LOCAL)

    def rewrites(self, tables: Tables) -> z3.BoolRef:
        """That the source address is replaced on the way to the endpoint CHOSEN."""
        return rewrites(tables.masquerade, self.facts)

    def escapes_refusal(self, tables: Tables) -> z3.BoolRef:
        """MODE-10: the node's own packet to a foreign address, which nothing refuses in iptables mode."""
        if tables.mode is not ProxyMode.IPTABLES:
            return z3.BoolVal(False)
        return self.is_(All((Any((IS_EXT, IS_LBV)), SENT_BY_NODE, Not(DESTINATION_LOCAL), Not(HAS_USABLE))))


def any_world(domain: Domain | None = None) -> World:
    """A world of which nothing is known; over any number of endpoints unless a domain is given."""
    facts = fact_symbols()
    external = z3.Bool("the service port has an external frontend")
    return _world(facts, any_endpoints(domain or Unbounded()), external, "")


def altered(world: World, change: Mapping[Fact, z3.BoolRef]) -> World:
    """The world with some facts anew, and all that follows from them."""
    own = fact_symbols(" (other)")
    follows = {fact: own[fact] for fact in (HAS_USABLE, LOCAL_SET_EMPTY)}
    return _world({**world.facts, **follows, **change}, world.endpoints, world.external, " (other)")


def with_endpoints(world: World, endpoints: Endpoints, suffix: str = " (other)") -> World:
    """The world with other endpoints, and all that follows from them."""
    own = fact_symbols(suffix)
    follows = {fact: own[fact] for fact in (HAS_USABLE, LOCAL_SET_EMPTY)}
    return _world({**world.facts, **follows}, endpoints, world.external, suffix)


def _world(facts: Facts, endpoints: Endpoints, external: z3.BoolRef, suffix: str) -> World:
    """FWD-EP-01 says which sets are used."""
    internal, outside = facts[INTERNAL_LOCAL], facts[EXTERNAL_LOCAL]
    uses_cluster = z3.Or(z3.Not(internal), external)
    uses_local = z3.Or(internal, z3.And(outside, external))
    return World(facts, endpoints, external, sets(endpoints, uses_cluster, uses_local, suffix))


def same_fate(tables: Tables, one: World, other: World) -> z3.BoolRef:
    """Equal verdicts, and equal support at the endpoint CHOSEN; the source translation apart."""
    return z3.And(
        *(one.decides(tables, verdict) == other.decides(tables, verdict) for verdict in SETTLED),
        one.goes(tables, CHOSEN) == other.goes(tables, CHOSEN),
    )


def query(name: str, tables: Tables, world: World, given: tuple[z3.BoolRef, ...], goal: z3.BoolRef) -> Query:
    """What follows in the world; a witness is told in words, and replayed through Python's reading."""
    return Query(
        f"{name} ({tables.name})",
        (*world.premises, *given),
        goal,
        show=lambda found: in_words(found, world, tables),
        confirm=lambda found: agrees(found, world, tables),
    )


Ask = Callable[[Tables, World], tuple[Query, ...]]
"""The queries of a claim in a world under some tables."""


def over(ask: Ask) -> Callable[[], tuple[Query, ...]]:
    """The claim put to every table, in a world of which nothing is known."""
    return lambda: tuple(one for tables in tables_module.ALL_TABLES for one in ask(tables, any_world()))
