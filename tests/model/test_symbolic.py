"""Z3 proves of the contract's tables what a reader assumes: total, no row in vain."""

from collections.abc import Iterator, Sequence

import attrs
import pytest
import z3  # type: ignore[import-untyped]  # the package has no type information

from model.forwarding import (
    DESTINATION_LOCAL,
    DETECTOR_PRESENT,
    ENDS_ON_NODE,
    FROM_HOST,
    FROM_LOOPBACK,
    FROM_POD,
    HAIRPIN,
    HAS_USABLE,
    IS_CIP,
    IS_EXT,
    IS_LBV,
    IS_NP,
    LOCAL_SET_EMPTY,
    MASQUERADE,
    ON_NODE_PORT_ADDRESS,
    OUTSIDE_RANGES,
    SENT_BY_NODE,
    UNOWNED,
    VERDICTS,
    MasqueradeRow,
    Row,
)
from model.modes import IPTABLES_VERDICTS
from model.predicate import ALWAYS, All, Any, Fact, Field, Not, Predicate, Within, holds
from model.symbolic import case_of, formula, symbols_of

Rows = Sequence[Row | MasqueradeRow]

KINDS = (IS_CIP, IS_EXT, IS_LBV, IS_NP)
ONE_KIND = All(
    (Any(KINDS), *(Not(All((one, other))) for at, one in enumerate(KINDS) for other in KINDS[:at]))
)


def implies(one: Predicate, other: Predicate) -> Predicate:
    return Any((Not(one), other))


# What cases there are: a frontend has one kind, and facts that mean the same do not contradict.
POSSIBLE = All(
    (
        ONE_KIND,
        implies(Not(HAS_USABLE), LOCAL_SET_EMPTY),  # nothing usable anywhere, so nothing here
        implies(ON_NODE_PORT_ADDRESS, DESTINATION_LOCAL),
        implies(IS_NP, DESTINATION_LOCAL),
        implies(SENT_BY_NODE, FROM_HOST),
        implies(FROM_POD, DETECTOR_PRESENT),
        implies(SENT_BY_NODE, Not(ENDS_ON_NODE)),
    )
)

TABLES: list[tuple[str, Rows, Predicate]] = [
    ("VERDICTS", VERDICTS, POSSIBLE),
    ("IPTABLES_VERDICTS", IPTABLES_VERDICTS, POSSIBLE),
    ("MASQUERADE", MASQUERADE, POSSIBLE),
    ("UNOWNED", UNOWNED, ALWAYS),
]
EACH_TABLE = pytest.mark.parametrize(
    ("rows", "possible"), [t[1:] for t in TABLES], ids=[t[0] for t in TABLES]
)


def example(predicate: Predicate) -> Predicate | None:
    """The facts of a case of which the predicate holds, confirmed by `holds`; None when there is none."""
    symbols = symbols_of([predicate])
    solver = z3.Solver()
    solver.add(formula(predicate, symbols))
    answer = solver.check()
    if answer == z3.unsat:
        return None
    assert answer == z3.sat
    case = case_of(solver.model(), symbols)
    assert holds(predicate, case)
    return All(tuple(fact if true else Not(fact) for fact, true in case.facts.items()))


def uncovered(rows: Rows, possible: Predicate) -> Predicate | None:
    """A possible case that no row decides."""
    return example(All((possible, *(Not(row.when) for row in rows))))


def dead_rows(rows: Rows, possible: Predicate) -> Iterator[str]:
    """The rows that are the first to hold in no possible case."""
    for at, row in enumerate(rows):
        if example(All((possible, row.when, *(Not(before.when) for before in rows[:at])))) is None:
            yield row.id


@EACH_TABLE
def test_some_row_decides_every_case(rows: Rows, possible: Predicate) -> None:
    """A packet to a frontend is never left without an answer."""
    assert uncovered(rows, possible) is None


@EACH_TABLE
def test_every_row_decides_some_case(rows: Rows, possible: Predicate) -> None:
    """No row stands in the table for nothing."""
    assert list(dead_rows(rows, possible)) == []


def test_the_kinds_of_frontend_are_exhaustive_only_together() -> None:
    """The proof of totality rests on there being one kind: without that, a case escapes."""
    assert uncovered(VERDICTS, ALWAYS) is not None


def test_a_table_with_a_hole_is_refuted() -> None:
    """Without its last row, external traffic under policy Local has no answer on an empty node."""
    found = uncovered(VERDICTS[:-1], POSSIBLE)

    assert isinstance(found, All)
    assert {LOCAL_SET_EMPTY, Not(IS_CIP), Not(FROM_POD), Not(FROM_HOST)} <= set(found.parts)


def test_a_row_behind_a_wider_one_is_found_dead() -> None:
    """Rows in the wrong order: the narrow one never gets its turn."""
    narrow = Row("narrow", All((IS_CIP, FROM_POD)), VERDICTS[0].then)
    wide = Row("wide", IS_CIP, VERDICTS[0].then)

    assert list(dead_rows([wide, narrow], ALWAYS)) == ["narrow"]
    assert list(dead_rows([narrow, wide], ALWAYS)) == []


def test_iptables_refuses_before_it_asks_for_source_ranges() -> None:
    """MODE-12: the one swap of rows is a change, for balancer addresses without endpoints."""
    order = [row.id for row in IPTABLES_VERDICTS]

    assert order.index("FWD-REJ-01") < order.index("FWD-LBSR-01")
    assert [row.id for row in VERDICTS[:2]] == ["FWD-LBSR-01", "FWD-REJ-01"]
    assert example(All((POSSIBLE, IS_LBV, OUTSIDE_RANGES, Not(HAS_USABLE)))) is not None


def test_hairpin_is_rewritten_unless_it_ends_on_the_node() -> None:
    """MASQ-08 and MASQ-09 alone decide of a packet whose source is the chosen endpoint."""
    rows = [row.id for row in MASQUERADE[:2]]

    assert rows == ["MASQ-09", "MASQ-08"]
    assert uncovered(MASQUERADE[:2], HAIRPIN) is None
    assert uncovered(MASQUERADE[1:2], ENDS_ON_NODE) is not None


def test_a_name_without_a_symbol_is_an_error() -> None:
    """An unknown is never taken for false, by the solver no more than by `holds`."""
    symbols = symbols_of([FROM_POD])

    with pytest.raises(KeyError):
        formula(All((FROM_POD, FROM_LOOPBACK)), symbols)
    with pytest.raises(KeyError):
        formula(Within(Field.PORT, ((80, 80),)), symbols)


def test_bit_vectors_are_compared_as_unsigned() -> None:
    """The upper half of the addresses is above the lower half, not below zero."""
    everything = Within(Field.SOURCE, ((0, 2**32 - 1),))
    upper = Within(Field.SOURCE, ((2**31, 2**32 - 1),))
    symbols = attrs.evolve(symbols_of([upper]), fields={Field.SOURCE: z3.BitVec("source", 32)})
    solver = z3.Solver()

    assert solver.check(z3.Not(formula(everything, symbols))) == z3.unsat
    assert solver.check(formula(upper, symbols), symbols.fields[Field.SOURCE] == 2**31) == z3.sat


def test_facts_of_one_name_are_told_apart_by_their_argument() -> None:
    """Two interfaces are two truths."""
    one, other = Fact("in-interface", "eth0"), Fact("in-interface", "cali+")

    assert example(All((one, Not(other)))) == All((one, Not(other)))


@pytest.mark.parametrize(("number", "is_inside"), [(79, False), (80, True), (90, True), (91, False)])
def test_a_span_holds_both_of_its_ends(number: int, is_inside: bool) -> None:
    """Of integers and of bit vectors alike; a span may be a single number."""
    span = Within(Field.PORT, ((7, 7), (80, 90)))
    of_integers = symbols_of([span])
    of_bits = attrs.evolve(of_integers, fields={Field.PORT: z3.BitVec("port", 16)})
    expected = z3.sat if is_inside else z3.unsat

    for symbols in (of_integers, of_bits):
        solver = z3.Solver()
        assert expected == solver.check(formula(span, symbols), symbols.fields[Field.PORT] == number)
        assert z3.sat == solver.check(formula(span, symbols), symbols.fields[Field.PORT] == 7)


def test_a_witness_is_told_with_a_number_and_a_truth_for_every_name() -> None:
    """What the solver leaves open is told too, as nought and false."""
    symbols = symbols_of(
        [Within(Field.PORT, ((80, 80),)), Within(Field.SOURCE, ((5, 9),)), FROM_POD, HAIRPIN]
    )
    solver = z3.Solver()
    solver.add(symbols.fields[Field.PORT] == 80, symbols.facts[FROM_POD])
    assert z3.sat == solver.check()

    case = case_of(solver.model(), symbols)

    assert ({Field.PORT: 80, Field.SOURCE: 0}, {FROM_POD: True, HAIRPIN: False}) == (case.fields, case.facts)
