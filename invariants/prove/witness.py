"""A solver's witness as things that one can look at: facts and a list of endpoints.

The list is judged again by `holds` and `endpoint_sets`, which know nothing of solvers: a
witness counts only if both readings come to the same row, the same sets and the same
source translation.
"""

from collections import Counter
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

import attrs
import z3  # type: ignore[import-untyped]  # the package has no type information

from invariants.prove.endpoints import CHOSEN, ENDPOINT, Listed
from model.eligibility import EndpointSets, endpoint_sets
from model.forwarding import EXTERNAL_LOCAL, INTERNAL_LOCAL, Decision, Row
from model.predicate import Fact, Field, holds
from model.proxy_endpoints import ProxyEndpoint
from model.proxy_version import Reading, ZoneHints

if TYPE_CHECKING:
    from invariants.prove.tables import Tables
    from invariants.prove.world import World

HERE, ELSEWHERE = "here", "elsewhere"
"""The names of this node and its zone, and of any other."""


@attrs.frozen
class Witness:
    """One packet by its facts, and the endpoints of its service port; the first is CHOSEN."""

    facts: Mapping[Fact, bool]
    endpoints: tuple[ProxyEndpoint, ...]
    external: bool
    zone_known: bool
    reading: Reading

    @property
    def fields(self) -> Mapping[Field, int]:
        return {}

    def row(self, tables: "Tables") -> Row | None:
        """The row of the verdicts that decides, by `holds`; None where the table has a hole."""
        return next((row for row in tables.verdicts if holds(row.when, self)), None)

    def rewrites(self, tables: "Tables") -> bool:
        """Whether the first row of the source translation that holds replaces the source."""
        return next((row.then for row in tables.masquerade if holds(row.when, self)), False)

    def sets(self) -> EndpointSets:
        """The sets by `endpoint_sets`."""
        internal, outside = self.facts[INTERNAL_LOCAL], self.facts[EXTERNAL_LOCAL]
        return endpoint_sets(
            self.endpoints,
            uses_cluster=not internal or self.external,
            uses_local=internal or (outside and self.external),
            node_name=HERE,
            zone=HERE if self.zone_known else None,
            reading=self.reading,
        )

    def targets(self, tables: "Tables") -> tuple[ProxyEndpoint, ...]:
        """The endpoints that the packet may be sent to."""
        found, row = self.sets(), self.row(tables)
        match row.then if row else None:
            case Decision.TO_CLUSTER:
                return found.cluster or ()
            case Decision.TO_LOCAL:
                return found.local or ()
            case _:
                return ()


def is_true(found: z3.ModelRef, term: z3.BoolRef) -> bool:
    """Whether the term is true where the solver found it; what it left open is false."""
    return bool(z3.is_true(found.eval(term, model_completion=True)))


def read(found: z3.ModelRef, world: "World") -> Witness:
    """What the solver chose; what it left open is false."""
    true = partial(is_true, found)
    of = world.endpoints
    elements = dict.fromkeys(
        found.eval(one, model_completion=True) for one in (CHOSEN, *_named(found, world))
    )

    def endpoint(at: int, one: z3.ExprRef) -> ProxyEndpoint:
        has = {name: true(of.is_(name, one)) for name in of.properties}

        def hints(any_hint: str, here: str) -> tuple[str, ...]:
            return (HERE,) if has[here] else (ELSEWHERE,) if has[any_hint] else ()

        return ProxyEndpoint(
            at,
            8080,
            has["ready"],
            has["serving"],
            has["terminating"],
            has["local"],
            hints("zone hint", "hints this zone"),
            hints("node hint", "hints this node"),
        )

    reading = Reading(
        node_hints=true(of.reads_node_hints),
        zone_hints=ZoneHints.ALWAYS if true(of.reads_zone_hints) else ZoneHints.NEVER,
        still_serving=true(of.reads_still_serving),
    )
    return Witness(
        {fact: true(symbol) for fact, symbol in world.facts.items()},
        tuple(endpoint(at, one) for at, one in enumerate(elements, 1) if true(of.is_("listed", one))),
        true(world.external),
        true(of.zone_known),
        reading,
    )


def _named(found: z3.ModelRef, world: "World") -> tuple[z3.ExprRef, ...]:
    if isinstance(world.endpoints.domain, Listed):
        return world.endpoints.domain.members
    return tuple(found.get_universe(ENDPOINT) or ())


def agrees(found: z3.ModelRef, world: "World", tables: "Tables") -> bool:
    """Whether Python's reading comes to the same decision, targets and source translation."""
    witness = read(found, world)
    true = partial(is_true, found)
    chosen = found.eval(CHOSEN, model_completion=True)
    targets = {one.address for one in witness.targets(tables)}
    is_target = 1 in targets and true(world.endpoints.is_("listed", chosen))
    row = witness.row(tables)
    decided = [decision for decision in Decision if true(world.decides(tables, decision))]
    return (
        decided == ([row.then] if row else [])
        and true(world.goes(tables, CHOSEN)) is is_target
        and true(world.rewrites(tables)) is witness.rewrites(tables)
    )


def in_words(found: z3.ModelRef, world: "World", tables: "Tables") -> str:
    """The row that decides, the facts that hold, and each endpoint."""
    witness = read(found, world)
    facts = [fact.argument or fact.name for fact, true in witness.facts.items() if true]
    alike = Counter(_endpoint_words(one) for one in witness.endpoints)
    endpoints = "; ".join(f"{count} {words}" for words, count in alike.items()) or "none"
    rewritten = ", source replaced" if witness.targets(tables) and witness.rewrites(tables) else ""
    row = witness.row(tables)
    decision = f"{row.id} {row.then.value}" if row else "no row decides"
    return f"{decision}{rewritten}: {', '.join(facts)}; endpoints: {endpoints}"


def _endpoint_words(one: ProxyEndpoint) -> str:
    words = [
        "ready" if one.ready else "not ready",
        *(["serving"] if one.serving else []),
        *(["terminating"] if one.terminating else []),
        "on this node" if one.local else "on another node",
        *(["hinted to this node"] if HERE in one.node_hints else []),
        *(["hinted to this zone"] if HERE in one.zone_hints else []),
    ]
    return " ".join(words)
