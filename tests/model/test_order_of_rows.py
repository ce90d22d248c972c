"""Where two rows of the contract's tables hold at once, the earlier one decides."""

from collections import defaultdict
from collections.abc import Sequence

import attrs
import pytest

from model.forwarding import (
    DESTINATION_LOCAL,
    DETECTOR_PRESENT,
    EXTERNAL_LOCAL,
    FROM_HOST,
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
    SENT_BY_NODE,
    VERDICTS,
    Decision,
    MasqueradeRow,
    Row,
)
from model.modes import (
    IPTABLES_UNOWNED,
    IPTABLES_VERDICTS,
    masquerade_rows,
    verdict_rows,
)
from model.node_config import ProxyMode
from model.predicate import Fact, Field, holds


@attrs.frozen
class Case:
    facts: defaultdict[Fact, bool]
    fields: dict[Field, int] = attrs.field(factory=dict)


def decided(rows: Sequence[Row | MasqueradeRow], true: set[Fact]) -> tuple[str, Decision | bool]:
    """The id and decision of the first row that holds when just these facts are true."""
    case = Case(defaultdict(bool, dict.fromkeys(true, True)))
    return next((row.id, row.then) for row in rows if holds(row.when, case))


@pytest.mark.parametrize(
    ("true", "expected"),
    [
        # Nothing serves anywhere: refused, though policy Local would drop on a node without endpoints.
        ({IS_CIP, INTERNAL_LOCAL, LOCAL_SET_EMPTY}, ("FWD-REJ-01", Decision.REJECT)),
        ({IS_NP, EXTERNAL_LOCAL, LOCAL_SET_EMPTY}, ("FWD-REJ-01", Decision.REJECT)),
        # The node's own pods and processes are not held to it by policy Local, whatever it has.
        ({IS_NP, HAS_USABLE, EXTERNAL_LOCAL, FROM_POD}, ("FWD-ETP-02", Decision.TO_CLUSTER)),
        ({IS_NP, HAS_USABLE, EXTERNAL_LOCAL, FROM_HOST}, ("FWD-ETP-03", Decision.TO_CLUSTER)),
        ({IS_EXT, HAS_USABLE, EXTERNAL_LOCAL, FROM_POD, FROM_HOST}, ("FWD-ETP-02", Decision.TO_CLUSTER)),
        ({IS_LBV, HAS_USABLE, FROM_POD}, ("FWD-ETP-01", Decision.TO_CLUSTER)),
    ],
)
def test_the_contract_asks_in_its_order(true: set[Fact], expected: tuple[str, Decision]) -> None:
    assert decided(VERDICTS, true) == expected


ELSEWHERE = {IS_NP, DESTINATION_LOCAL}  # a node port on an address that serves none


@pytest.mark.parametrize(
    ("true", "expected"),
    [
        # MODE-11: refusals and drops of node ports; a refusal where both would do.
        (ELSEWHERE | {EXTERNAL_LOCAL, LOCAL_SET_EMPTY}, ("MODE-11", Decision.REJECT)),
        (ELSEWHERE | {HAS_USABLE, LOCAL_SET_EMPTY}, ("NP-01", Decision.PASS)),
        # On an address that serves them, the contract's own rows decide.
        (
            {IS_NP, DESTINATION_LOCAL, ON_NODE_PORT_ADDRESS, HAS_USABLE}
            | {EXTERNAL_LOCAL, LOCAL_SET_EMPTY, FROM_POD},
            ("FWD-ETP-02", Decision.TO_CLUSTER),
        ),
        # MODE-10 speaks of addresses without any endpoint, external IPs and balancers' alike.
        ({IS_EXT, LOCAL_SET_EMPTY, SENT_BY_NODE, FROM_HOST}, ("MODE-10", Decision.PASS)),
        ({IS_LBV, LOCAL_SET_EMPTY, SENT_BY_NODE, FROM_HOST}, ("MODE-10", Decision.PASS)),
        ({IS_LBV, HAS_USABLE, SENT_BY_NODE, FROM_HOST}, ("FWD-ETP-01", Decision.TO_CLUSTER)),
        ({IS_EXT, LOCAL_SET_EMPTY}, ("FWD-REJ-01", Decision.REJECT)),
    ],
)
def test_iptables_asks_in_its_order(true: set[Fact], expected: tuple[str, Decision]) -> None:
    assert decided(IPTABLES_VERDICTS, true) == expected


@pytest.mark.parametrize(
    ("true", "expected"),
    [
        ({IS_CIP, MASQUERADE_ALL, HAIRPIN}, ("MASQ-08", True)),
        ({IS_CIP, MASQUERADE_ALL, DETECTOR_PRESENT}, ("MASQ-01", True)),
        # The detector's rule is for cluster IPs: policy Local keeps the address of a client from outside.
        ({IS_NP, EXTERNAL_LOCAL, DETECTOR_PRESENT}, ("MASQ-07", False)),
        ({IS_LBV, EXTERNAL_LOCAL, DETECTOR_PRESENT, FROM_HOST}, ("MASQ-06", True)),
        ({IS_LBV, EXTERNAL_LOCAL, DETECTOR_PRESENT, FROM_HOST, FROM_POD}, ("MASQ-05", False)),
        ({IS_CIP, DETECTOR_PRESENT, FROM_POD, FROM_HOST}, ("MASQ-03", False)),
    ],
)
def test_the_source_translation_asks_in_its_order(true: set[Fact], expected: tuple[str, bool]) -> None:
    assert decided(MASQUERADE, true) == expected


def test_the_guard_of_loopback_concerns_loopback_alone() -> None:
    """MODE-02: where node ports are served on it, what goes elsewhere is left alone."""
    assert decided(IPTABLES_UNOWNED, {LOOPBACK_GUARDED}) == ("FWD-OBJ-05", Decision.PASS)


def test_iptables_has_each_row_of_the_contract_once() -> None:
    """Its own rows come first, then refusal (MODE-12), then the rest as the contract has it."""
    assert [row.id for row in IPTABLES_VERDICTS] == [
        *("MODE-11", "MODE-11", "NP-01", "MODE-10"),
        *("FWD-REJ-01", "FWD-LBSR-01", "FWD-ITP-01", "FWD-ITP-02", "FWD-CIP-01"),
        *("FWD-ETP-01", "FWD-ETP-02", "FWD-ETP-03", "FWD-ETP-04", "FWD-ETP-05"),
    ]


def test_iptables_has_its_verdicts_and_the_contracts_source_translation() -> None:
    assert verdict_rows(ProxyMode.IPTABLES) == IPTABLES_VERDICTS
    assert masquerade_rows(ProxyMode.IPTABLES) == MASQUERADE
