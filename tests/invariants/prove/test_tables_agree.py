"""What a solver is told of facts and tables is what the model makes of drawn packets."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any as Anything

import attrs
import pytest
import z3  # type: ignore[import-untyped]  # the package has no type information
from hypothesis import given, settings
from hypothesis import strategies as st

import model.expectation
from invariants.prove.tables import (
    CONSTRAINTS,
    CONTRACT,
    IPTABLES,
    Tables,
    decides,
    exactly_one,
    fact_symbols,
    rewrites,
    some_of,
    turns,
)
from model.expectation import expect
from model.forwarding import ENDS_ON_NODE, HAIRPIN, Decision
from model.frontends import node_view
from model.packet import Origin
from model.predicate import Fact, holds
from tests.asking import of_the_node
from tests.strategies.clusters import clusters
from tests.strategies.packets import packets

FACTS = fact_symbols()
Case = Mapping[Fact, bool]


class Known:
    """A case of facts alone."""

    fields: Mapping[Anything, int] = {}

    def __init__(self, facts: Case) -> None:
        self.facts = facts


@contextmanager
def recorded_facts() -> Iterator[list[Case]]:
    """The facts of every case to a frontend that the model asks its tables about."""
    seen: list[Case] = []

    def asking(predicate: Anything, case: Anything) -> bool:
        if HAS_ALL <= case.facts.keys():
            seen.append(dict(case.facts))
        return holds(predicate, case)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(model.expectation, "holds", asking)
        yield seen


HAS_ALL = set(FACTS) - {HAIRPIN, ENDS_ON_NODE}
"""What the model knows of a packet to a frontend before it has chosen an endpoint."""


def drawn_facts(data: st.DataObject) -> list[Case]:
    """The facts of some packets to frontends of a drawn cluster."""
    cluster, config = data.draw(clusters(clashes=True))
    asked = data.draw(st.lists(packets(cluster, config), min_size=1, max_size=8))
    with recorded_facts() as seen:
        for packet in asked:
            view = node_view(cluster, config, packet.family)
            expect(view, of_the_node(view, packet))
            # Once more from an endpoint of the frontend, for hairpins.
            owners = view.owners(packet.destination, packet.protocol, packet.port)
            own = [each.address for one, _ in owners for each in one.endpoint_choices[0]]
            if own:
                packet = attrs.evolve(packet, source=data.draw(st.sampled_from(own)), origin=Origin.WIRE)
                expect(view, packet)
    return [{HAIRPIN: False, ENDS_ON_NODE: False} | dict(case) for case in seen]


@given(st.data())
def test_every_constraint_is_true_of_every_packet_to_a_frontend(data: st.DataObject) -> None:
    """FWD-OBJ-03, FWD-EP-04, NP-01, SRC-01, SRC-02, MASQ-09: none is stronger than the world."""
    for case in drawn_facts(data):
        broken = [one.source for one in CONSTRAINTS if not holds(one.always, Known(case))]

        assert broken == [], case


def test_the_facts_of_packets_to_frontends_are_seen() -> None:
    """The test above has something to look at: every fact is true of some packet and false of another."""
    seen: set[tuple[Fact, bool]] = set()

    @settings(max_examples=300, derandomize=True, database=None)
    @given(st.data())
    def look(data: st.DataObject) -> None:
        for case in drawn_facts(data):
            seen.update(case.items())

    look()

    assert {(fact, truth) for fact in FACTS for truth in (False, True)} - seen == set()


def value(term: z3.BoolRef, case: Case) -> bool:
    """The term at a case, which must settle it."""
    settled = z3.simplify(z3.substitute(term, *((FACTS[fact], z3.BoolVal(case[fact])) for fact in FACTS)))
    assert z3.is_true(settled) or z3.is_false(settled)
    return bool(z3.is_true(settled))


@pytest.mark.parametrize("tables", [CONTRACT, IPTABLES], ids=["contract", "iptables"])
@given(case=st.fixed_dictionaries({fact: st.booleans() for fact in FACTS}))
def test_the_first_row_that_holds_has_its_turn(tables: Tables, case: Case) -> None:
    """Rows and decisions as `holds` picks them, source translation included, at any combination."""
    row = next((row for row in tables.verdicts if holds(row.when, Known(case))), None)
    rewrite = next((row for row in tables.masquerade if holds(row.when, Known(case))), None)

    found = [value(turn, case) for turn in turns(tables.verdicts, FACTS)]

    assert found == [each is row for each in tables.verdicts]
    for decision in Decision:
        wanted = row is not None and row.then is decision
        assert value(decides(tables.verdicts, FACTS, decision), case) is wanted
    assert value(rewrites(tables.masquerade, FACTS), case) is (rewrite is not None and rewrite.then)


@given(st.lists(st.booleans(), max_size=4))
def test_exactly_one_counts(truths: list[bool]) -> None:
    terms = [z3.BoolVal(truth) for truth in truths]

    assert z3.is_true(z3.simplify(exactly_one(terms))) is (sum(truths) == 1)
    assert z3.is_true(z3.simplify(some_of(terms))) is any(truths)
