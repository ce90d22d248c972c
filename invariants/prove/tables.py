"""The contract's decision tables as a solver's terms, and which combinations of facts there are.

A row has its turn when it holds and none before it does; the first row that holds wins. The
rows themselves are read with `model.symbolic.formula`: nothing is said again here. What a
case of facts can be is said by `CONSTRAINTS`, each with the rule that it follows from; a
test holds every constraint against drawn packets, so that none is stronger than the world.
"""

import itertools
from collections.abc import Iterable, Mapping, Sequence

import attrs
import z3  # type: ignore[import-untyped]  # the package has no type information

from model.forwarding import (
    DESTINATION_LOCAL,
    DETECTOR_PRESENT,
    ENDS_ON_NODE,
    EXTERNAL_LOCAL,
    FROM_HOST,
    FROM_LOOPBACK,
    FROM_POD,
    HAIRPIN,
    HAS_USABLE,
    INTERNAL_LOCAL,
    IS_CIP,
    IS_EXT,
    IS_LBV,
    IS_NP,
    LOCAL_SET_EMPTY,
    LOOPBACK_GUARDED,
    MASQUERADE,
    MASQUERADE_ALL,
    ON_NODE_PORT_ADDRESS,
    OUTSIDE_RANGES,
    SENT_BY_NODE,
    TO_LOOPBACK,
    VERDICTS,
    Decision,
    MasqueradeRow,
    Row,
)
from model.modes import masquerade_rows, verdict_rows
from model.node_config import ProxyMode
from model.predicate import All, Any, Fact, Not, Predicate
from model.symbolic import Symbols, formula

KINDS = (IS_CIP, IS_EXT, IS_LBV, IS_NP)
FACTS = (
    *KINDS,
    ON_NODE_PORT_ADDRESS,
    DESTINATION_LOCAL,
    INTERNAL_LOCAL,
    EXTERNAL_LOCAL,
    HAS_USABLE,
    LOCAL_SET_EMPTY,
    FROM_POD,
    FROM_HOST,
    OUTSIDE_RANGES,
    SENT_BY_NODE,
    DETECTOR_PRESENT,
    MASQUERADE_ALL,
    HAIRPIN,
    ENDS_ON_NODE,
    TO_LOOPBACK,
    FROM_LOOPBACK,
    LOOPBACK_GUARDED,
)

Facts = Mapping[Fact, z3.BoolRef]


@attrs.frozen
class Tables:
    """The verdicts and the source translation of one mode; the contract's own where `mode` is None."""

    name: str
    verdicts: tuple[Row, ...]
    masquerade: tuple[MasqueradeRow, ...]
    mode: ProxyMode | None = None


CONTRACT = Tables("contract", VERDICTS, MASQUERADE)
IPTABLES = Tables(
    "iptables",
    verdict_rows(ProxyMode.IPTABLES),
    masquerade_rows(ProxyMode.IPTABLES),
    ProxyMode.IPTABLES,
)
ALL_TABLES = (CONTRACT, IPTABLES)
"""The tables that every claim about verdicts is put to."""


@attrs.frozen
class Constraint:
    """What is true of the facts of every packet to a frontend, by the rule `source`."""

    source: str
    always: Predicate


def _implies(one: Predicate, other: Predicate) -> Predicate:
    return Any((Not(one), other))


CONSTRAINTS: tuple[Constraint, ...] = (
    Constraint("FWD-OBJ-03", Any(KINDS)),
    *(
        Constraint("FWD-OBJ-03", Not(All((one, other))))
        for at, one in enumerate(KINDS)
        for other in KINDS[:at]
    ),
    Constraint("FWD-EP-04", _implies(Not(HAS_USABLE), LOCAL_SET_EMPTY)),
    Constraint("NP-01", _implies(ON_NODE_PORT_ADDRESS, DESTINATION_LOCAL)),
    Constraint("NP-01", _implies(IS_NP, DESTINATION_LOCAL)),
    Constraint("SRC-01", _implies(SENT_BY_NODE, FROM_HOST)),
    Constraint("SRC-01", _implies(FROM_LOOPBACK, FROM_HOST)),
    Constraint("SRC-01", _implies(TO_LOOPBACK, DESTINATION_LOCAL)),
    Constraint("SRC-02", _implies(FROM_POD, DETECTOR_PRESENT)),
    Constraint("MASQ-09", _implies(ENDS_ON_NODE, Not(SENT_BY_NODE))),
    Constraint("MASQ-09", _implies(All((ENDS_ON_NODE, HAIRPIN)), FROM_HOST)),
)

IS_FRONTEND = _implies(IS_NP, ON_NODE_PORT_ADDRESS)
"""A node port is a frontend on node port addresses only (NP-01); elsewhere rules may still see it."""


def fact_symbols(suffix: str = "") -> dict[Fact, z3.BoolRef]:
    """A truth for every fact; the suffix tells a second world from the first."""
    return {fact: z3.Bool(f"{fact.argument or fact.name}{suffix}") for fact in FACTS}


def term(predicate: Predicate, facts: Facts) -> z3.BoolRef:
    """The predicate over these truths. Raises KeyError for a fact without one."""
    return formula(predicate, Symbols({}, facts))


def possible(facts: Facts) -> tuple[z3.BoolRef, ...]:
    """Every constraint, as a premise."""
    return tuple(term(one.always, facts) for one in CONSTRAINTS)


def some_of(terms: Iterable[z3.BoolRef]) -> z3.BoolRef:
    """That one of the terms holds; an `or` of nothing has no SMT-LIB text."""
    found = tuple(terms)
    return z3.Or(found) if found else z3.BoolVal(False)


def exactly_one(terms: Iterable[z3.BoolRef]) -> z3.BoolRef:
    """That one of the terms holds and no other, in words that every solver reads."""
    found = tuple(terms)
    pairs = itertools.combinations(found, 2)
    return z3.And(some_of(found), *(z3.Not(z3.And(one, other)) for one, other in pairs))


def turns(rows: Sequence[Row | MasqueradeRow], facts: Facts) -> tuple[z3.BoolRef, ...]:
    """For each row, that it is the first that holds."""
    conditions = [term(row.when, facts) for row in rows]
    return tuple(z3.And(condition, *map(z3.Not, conditions[:at])) for at, condition in enumerate(conditions))


def decides(rows: Sequence[Row], facts: Facts, *decisions: Decision) -> z3.BoolRef:
    """That the table comes to one of these decisions."""
    turn = turns(rows, facts)
    return some_of(turn[at] for at, row in enumerate(rows) if row.then in decisions)


def rewrites(rows: Sequence[MasqueradeRow], facts: Facts) -> z3.BoolRef:
    """That the table replaces the source address of a connection that is translated."""
    turn = turns(rows, facts)
    return some_of(turn[at] for at, row in enumerate(rows) if row.then)
