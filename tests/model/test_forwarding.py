"""Each row of the contract's tables decides the cases that its rule in the documentation names."""

from collections.abc import Iterable, Mapping, Sequence

import attrs
import pytest

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
from model.modes import IPTABLES_UNOWNED, IPTABLES_VERDICTS
from model.predicate import Fact, Field, holds

FACTS = (
    *(IS_CIP, IS_EXT, IS_LBV, IS_NP, ON_NODE_PORT_ADDRESS, DESTINATION_LOCAL),
    *(INTERNAL_LOCAL, EXTERNAL_LOCAL, HAS_USABLE, LOCAL_SET_EMPTY),
    *(FROM_POD, FROM_HOST, OUTSIDE_RANGES, SENT_BY_NODE),
    *(DETECTOR_PRESENT, MASQUERADE_ALL, HAIRPIN, ENDS_ON_NODE),
    *(TO_LOOPBACK, FROM_LOOPBACK, LOOPBACK_GUARDED),
)


@attrs.frozen
class Case:
    facts: Mapping[Fact, bool]
    fields: Mapping[Field, int] = attrs.field(factory=dict)


def decided(rows: Sequence[Row | MasqueradeRow], true: Iterable[Fact]) -> tuple[str, Decision | bool]:
    """The id and decision of the first row that holds when just these facts are true."""
    case = Case({fact: fact in true for fact in FACTS})
    row = next(row for row in rows if holds(row.when, case))
    return row.id, row.then


CLUSTER, LOCAL, REJECT, DROP, PASS = (
    Decision.TO_CLUSTER,
    Decision.TO_LOCAL,
    Decision.REJECT,
    Decision.DROP,
    Decision.PASS,
)

# Sections 4 and 5 of the forwarding contract, in words of its own: what is true -> who decides what.
CONTRACT = [
    ({IS_CIP, HAS_USABLE}, ("FWD-CIP-01", CLUSTER)),
    ({IS_CIP, HAS_USABLE, LOCAL_SET_EMPTY}, ("FWD-CIP-01", CLUSTER)),
    ({IS_CIP, LOCAL_SET_EMPTY}, ("FWD-REJ-01", REJECT)),
    ({IS_CIP, HAS_USABLE, INTERNAL_LOCAL}, ("FWD-ITP-02", LOCAL)),
    ({IS_CIP, HAS_USABLE, INTERNAL_LOCAL, LOCAL_SET_EMPTY}, ("FWD-ITP-01", DROP)),
    ({IS_CIP, HAS_USABLE, EXTERNAL_LOCAL, LOCAL_SET_EMPTY}, ("FWD-CIP-01", CLUSTER)),
    ({IS_EXT, HAS_USABLE}, ("FWD-ETP-01", CLUSTER)),
    ({IS_EXT, HAS_USABLE, INTERNAL_LOCAL, LOCAL_SET_EMPTY}, ("FWD-ETP-01", CLUSTER)),
    ({IS_NP, HAS_USABLE, EXTERNAL_LOCAL}, ("FWD-ETP-04", LOCAL)),
    ({IS_NP, HAS_USABLE, EXTERNAL_LOCAL, LOCAL_SET_EMPTY}, ("FWD-ETP-05", DROP)),
    ({IS_LBV, HAS_USABLE, EXTERNAL_LOCAL, LOCAL_SET_EMPTY, FROM_POD}, ("FWD-ETP-02", CLUSTER)),
    ({IS_LBV, HAS_USABLE, EXTERNAL_LOCAL, LOCAL_SET_EMPTY, FROM_HOST}, ("FWD-ETP-03", CLUSTER)),
    ({IS_LBV, HAS_USABLE, OUTSIDE_RANGES}, ("FWD-LBSR-01", DROP)),
    ({IS_LBV, HAS_USABLE, OUTSIDE_RANGES, FROM_POD}, ("FWD-LBSR-01", DROP)),
    ({IS_LBV, OUTSIDE_RANGES, LOCAL_SET_EMPTY}, ("FWD-LBSR-01", DROP)),
    ({IS_EXT, HAS_USABLE, OUTSIDE_RANGES}, ("FWD-ETP-01", CLUSTER)),  # ranges are the balancer's alone
]


@pytest.mark.parametrize(("true", "expected"), CONTRACT)
def test_the_contract_decides_by_its_first_row(true: set[Fact], expected: tuple[str, Decision]) -> None:
    """Who owns the frontend, who asks, and whether anything serves."""
    assert decided(VERDICTS, true) == expected


# Where iptables departs from it.
SERVED = {IS_NP, DESTINATION_LOCAL, ON_NODE_PORT_ADDRESS}
IPTABLES = [
    ({IS_LBV, OUTSIDE_RANGES, LOCAL_SET_EMPTY}, ("FWD-REJ-01", REJECT)),  # MODE-12
    ({IS_LBV, LOCAL_SET_EMPTY, SENT_BY_NODE, FROM_HOST}, ("MODE-10", PASS)),
    ({IS_LBV, LOCAL_SET_EMPTY, SENT_BY_NODE, FROM_HOST, DESTINATION_LOCAL}, ("FWD-REJ-01", REJECT)),
    ({IS_CIP, LOCAL_SET_EMPTY, SENT_BY_NODE, FROM_HOST}, ("FWD-REJ-01", REJECT)),
    (SERVED | {HAS_USABLE}, ("FWD-ETP-01", CLUSTER)),
    (SERVED - {ON_NODE_PORT_ADDRESS} | {HAS_USABLE}, ("NP-01", PASS)),
    (SERVED - {ON_NODE_PORT_ADDRESS} | {LOCAL_SET_EMPTY}, ("MODE-11", REJECT)),
    (SERVED - {ON_NODE_PORT_ADDRESS} | {HAS_USABLE, EXTERNAL_LOCAL, LOCAL_SET_EMPTY}, ("MODE-11", DROP)),
    (SERVED - {ON_NODE_PORT_ADDRESS} | {HAS_USABLE, EXTERNAL_LOCAL}, ("NP-01", PASS)),
]


@pytest.mark.parametrize(("true", "expected"), IPTABLES)
def test_iptables_departs_from_the_contract_where_its_rows_say(
    true: set[Fact], expected: tuple[str, Decision]
) -> None:
    """Refusal before source ranges, and node ports held to addresses only while something serves."""
    assert decided(IPTABLES_VERDICTS, true) == expected


SOURCES = [
    ({IS_CIP, DETECTOR_PRESENT, FROM_POD}, ("MASQ-03", False)),
    ({IS_CIP, DETECTOR_PRESENT}, ("MASQ-02", True)),
    ({IS_CIP, DETECTOR_PRESENT, FROM_HOST}, ("MASQ-02", True)),
    ({IS_CIP}, ("MASQ-03", False)),
    ({IS_CIP, MASQUERADE_ALL, DETECTOR_PRESENT, FROM_POD}, ("MASQ-01", True)),
    ({IS_CIP, DETECTOR_PRESENT, FROM_POD, HAIRPIN}, ("MASQ-08", True)),
    ({IS_NP}, ("MASQ-04", True)),
    ({IS_NP, FROM_POD}, ("MASQ-04", True)),
    ({IS_LBV, EXTERNAL_LOCAL}, ("MASQ-07", False)),  # the client's address is kept
    ({IS_LBV, EXTERNAL_LOCAL, FROM_POD}, ("MASQ-05", False)),
    ({IS_LBV, EXTERNAL_LOCAL, FROM_HOST}, ("MASQ-06", True)),
    ({IS_EXT, EXTERNAL_LOCAL, FROM_POD, FROM_HOST}, ("MASQ-05", False)),
    ({IS_EXT, MASQUERADE_ALL, EXTERNAL_LOCAL}, ("MASQ-07", False)),
    ({IS_NP, ENDS_ON_NODE}, ("MASQ-09", False)),
    ({IS_NP, ENDS_ON_NODE, HAIRPIN}, ("MASQ-09", False)),
]


@pytest.mark.parametrize(("true", "expected"), SOURCES)
def test_the_source_is_rewritten_by_the_first_row(true: set[Fact], expected: tuple[str, bool]) -> None:
    """Section 8: which clients the endpoint sees, and which it sees as the node."""
    assert decided(MASQUERADE, true) == expected


@pytest.mark.parametrize(
    ("true", "expected"),
    [
        (set(), ("FWD-OBJ-05", PASS)),
        ({TO_LOOPBACK, LOOPBACK_GUARDED}, ("MODE-02", DROP)),
        ({TO_LOOPBACK, LOOPBACK_GUARDED, FROM_LOOPBACK}, ("FWD-OBJ-05", PASS)),
        ({TO_LOOPBACK}, ("FWD-OBJ-05", PASS)),
    ],
)
def test_what_no_service_owns_is_left_alone(true: set[Fact], expected: tuple[str, Decision]) -> None:
    """But for loopback traffic from elsewhere while node ports are served on loopback."""
    assert decided(IPTABLES_UNOWNED, true) == expected


def test_every_row_of_the_tables_has_a_case_here() -> None:
    """A row without one would be nobody's promise."""
    named = {expected[0] for _, expected in (*CONTRACT, *IPTABLES, *SOURCES)}

    assert {row.id for row in VERDICTS} | {row.id for row in MASQUERADE} <= named
    assert {row.id for row in IPTABLES_VERDICTS if row.id.startswith(("MODE-", "NP-"))} <= named
