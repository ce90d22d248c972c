"""Every table answers every combination of facts as the rules do when they are asked one question at a time.

The trees say the documentation again, in another form: kind of frontend first, then one
question after the other, with nothing that an earlier row leaves to a later one.
"""

import pytest

from model.forwarding import (
    CLOSED_TO_NODE,
    DESTINATION_LOCAL,
    DETECTOR_PRESENT,
    ENDPOINT_ON_NODE,
    ENDS_ON_NODE,
    EXTERNAL_LOCAL,
    FROM_CLUSTER_IP,
    FROM_DESTINATION,
    FROM_HOST,
    FROM_LOOPBACK,
    FROM_POD,
    HAIRPIN,
    HAS_USABLE,
    INTERNAL_LOCAL,
    IS_CIP,
    IS_EXT,
    IS_ICMP,
    IS_LBV,
    LOCAL_SET_EMPTY,
    LOOPBACK_GUARDED,
    MASQUERADE,
    MASQUERADE_ALL,
    ON_NODE_PORT_ADDRESS,
    OUTSIDE_RANGES,
    SENT_BY_NODE,
    TO_BOUND,
    TO_CLUSTER_IP,
    TO_HEALTH_CHECK,
    TO_LOOPBACK,
    TO_SERVICE_RANGE,
    UNOWNED,
    USES_CLUSTER_SET,
    VERDICTS,
    Decision,
    MasqueradeRow,
    Row,
)
from model.modes import is_old, masquerade_rows, unowned_rows, verdict_rows
from model.node_config import ProxyMode
from model.proxy_version import Quirk
from tests.model.every_case import Ask, Tree, answers, differences

CLUSTER, LOCAL = Decision.TO_CLUSTER, Decision.TO_LOCAL
REJECT, DROP, PASS = Decision.REJECT, Decision.DROP, Decision.PASS
LATE, EARLY = is_old(Quirk.LATE_CHECKS), is_old(Quirk.EARLY_OUTPUT)
LATE_FIREWALL, NO_SHORT_CUT = is_old(Quirk.LATE_FIREWALL), is_old(Quirk.SHORT_CUT_LOST)
MARKS, NO_FALLBACK = is_old(Quirk.MARKS_PER_ENDPOINT), is_old(Quirk.NO_FALLBACK)


def by_kind(cip: Tree, ext: Tree, lbv: Tree, np: Tree) -> Tree:
    return Ask(IS_CIP, cip, Ask(IS_EXT, ext, Ask(IS_LBV, lbv, np)))


# What the contract says, FWD-*. In all of it an endpoint is usable somewhere.
FIREWALLED = ("FWD-LBSR-01", DROP)
REFUSED = ("FWD-REJ-01", REJECT)
INSIDE = Ask(
    INTERNAL_LOCAL,
    Ask(LOCAL_SET_EMPTY, ("FWD-ITP-01", DROP), ("FWD-ITP-02", LOCAL)),
    ("FWD-CIP-01", CLUSTER),
)
OFF_NODE = Ask(LOCAL_SET_EMPTY, ("FWD-ETP-05", DROP), ("FWD-ETP-04", LOCAL))
SHORT_CIRCUIT = Ask(FROM_POD, ("FWD-ETP-02", CLUSTER), Ask(FROM_HOST, ("FWD-ETP-03", CLUSTER), OFF_NODE))
OUTSIDE = Ask(EXTERNAL_LOCAL, SHORT_CIRCUIT, ("FWD-ETP-01", CLUSTER))


def if_served(tree: Tree) -> Tree:
    return Ask(HAS_USABLE, tree, REFUSED)


CONTRACT = by_kind(
    cip=if_served(INSIDE),
    ext=if_served(OUTSIDE),
    lbv=Ask(OUTSIDE_RANGES, FIREWALLED, if_served(OUTSIDE)),
    np=if_served(OUTSIDE),
)

# MODE-10: refusals of external addresses are not in OUTPUT. MODE-12: no firewall without endpoints.
NOT_IN_OUTPUT = Ask(SENT_BY_NODE, Ask(DESTINATION_LOCAL, REFUSED, ("MODE-10", PASS)), REFUSED)
ANY_LOCAL_ADDRESS = Ask(
    HAS_USABLE,
    Ask(EXTERNAL_LOCAL, Ask(LOCAL_SET_EMPTY, ("MODE-11", DROP), ("NP-01", PASS)), ("NP-01", PASS)),
    ("MODE-11", REJECT),
)
IPTABLES = by_kind(
    cip=if_served(INSIDE),
    ext=Ask(HAS_USABLE, OUTSIDE, NOT_IN_OUTPUT),
    lbv=Ask(HAS_USABLE, Ask(OUTSIDE_RANGES, FIREWALLED, OUTSIDE), NOT_IN_OUTPUT),
    np=Ask(ON_NODE_PORT_ADDRESS, if_served(OUTSIDE), ANY_LOCAL_ADDRESS),
)


def dropped_in_output_of(old: Tree, new: Tree) -> Tree:
    """BZ-44: under policy Local without a local endpoint, what the node sends meets `old`."""
    here = Ask(SENT_BY_NODE, old, new)
    return Ask(EXTERNAL_LOCAL, Ask(LOCAL_SET_EMPTY, here, new), new)


DROPPED = ("FWD-ETP-05", DROP)
EARLY_DROP = dropped_in_output_of(Ask(NO_SHORT_CUT, DROPPED, OUTSIDE), OUTSIDE)
LATE_DROP = dropped_in_output_of(Ask(NO_SHORT_CUT, Ask(LATE, DROPPED, OUTSIDE), OUTSIDE), OUTSIDE)


def firewall(tree: Tree) -> Tree:
    return Ask(OUTSIDE_RANGES, FIREWALLED, tree)


NFTABLES = by_kind(
    cip=if_served(INSIDE),
    ext=if_served(EARLY_DROP),
    # BZ-43: 1.29 finds balancer addresses in OUTPUT alone. MODE-12: the firewall precedes refusal.
    lbv=Ask(
        HAS_USABLE,
        Ask(LATE_FIREWALL, Ask(SENT_BY_NODE, firewall(EARLY_DROP), EARLY_DROP), firewall(EARLY_DROP)),
        Ask(
            LATE,
            REFUSED,
            Ask(
                SENT_BY_NODE,
                Ask(EARLY, REFUSED, firewall(REFUSED)),
                Ask(LATE_FIREWALL, REFUSED, firewall(REFUSED)),
            ),
        ),
    ),
    np=Ask(ON_NODE_PORT_ADDRESS, if_served(LATE_DROP), ("NP-01", PASS)),  # MODE-11
)

# MODE-14..16: policy Local restricts a virtual server, and without local endpoints does nothing.
IPVS_INSIDE = Ask(
    INTERNAL_LOCAL,
    Ask(
        LOCAL_SET_EMPTY,
        Ask(
            USES_CLUSTER_SET,
            Ask(NO_FALLBACK, ("MODE-14", REJECT), ("MODE-14", CLUSTER)),
            ("MODE-14", REJECT),
        ),
        ("FWD-ITP-02", LOCAL),
    ),
    ("FWD-CIP-01", CLUSTER),
)
ALL_OF_THEM = Ask(
    FROM_POD, ("FWD-ETP-02", CLUSTER), Ask(FROM_HOST, ("FWD-ETP-03", CLUSTER), ("MODE-15", CLUSTER))
)
NONE_BUT_LOCAL = Ask(FROM_POD, ("MODE-16", LOCAL), Ask(FROM_HOST, ("MODE-16", LOCAL), ("FWD-ETP-04", LOCAL)))


def ipvs_outside(output: Tree | None = None) -> Tree:
    """`output` is what stands between the choice of a server and its use, where something does."""

    def then(tree: Tree) -> Tree:
        if output is None:
            return tree
        guard = Ask(FROM_DESTINATION, Ask(is_old(Quirk.OPEN_OUTPUT), tree, output), tree)
        return Ask(SENT_BY_NODE, Ask(CLOSED_TO_NODE, guard, tree), tree)

    refuses = Ask(NO_FALLBACK, ("MODE-15", REJECT), then(ALL_OF_THEM))
    local = Ask(LOCAL_SET_EMPTY, refuses, then(NONE_BUT_LOCAL))
    return Ask(HAS_USABLE, Ask(EXTERNAL_LOCAL, local, then(("FWD-ETP-01", CLUSTER))), REFUSED)


GUARDED = ipvs_outside(("MODE-13", DROP))
UNFILTERED = Ask(is_old(Quirk.OPEN_ADDRESSES), ipvs_outside(), ("MODE-05", REJECT))
IPVS = by_kind(
    cip=if_served(IPVS_INSIDE),
    ext=ipvs_outside(),
    lbv=Ask(SENT_BY_NODE, GUARDED, firewall(GUARDED)),
    np=Ask(
        ON_NODE_PORT_ADDRESS,
        Ask(TO_BOUND, Ask(SENT_BY_NODE, ipvs_outside(), UNFILTERED), ipvs_outside()),
        ("NP-01", PASS),
    ),
)

VERDICT_TREES = [
    (VERDICTS, CONTRACT),
    (verdict_rows(ProxyMode.IPTABLES), IPTABLES),
    (verdict_rows(ProxyMode.NFTABLES), NFTABLES),
    (verdict_rows(ProxyMode.IPVS), IPVS),
]
NAMES = ["contract", "iptables", "nftables", "ipvs"]


@pytest.mark.parametrize(("rows", "tree"), VERDICT_TREES, ids=NAMES)
def test_what_becomes_of_a_packet_to_a_frontend(rows: tuple[Row, ...], tree: Tree) -> None:
    assert differences(rows, tree, of_frontends=True) == []


# The source translation, MASQ-*: what the mode asks first, then the contract.
AS_CIP = Ask(
    MASQUERADE_ALL,
    ("MASQ-01", True),
    Ask(DETECTOR_PRESENT, Ask(FROM_POD, ("MASQ-03", False), ("MASQ-02", True)), ("MASQ-03", False)),
)
POLICY_LOCAL = Ask(FROM_POD, ("MASQ-05", False), Ask(FROM_HOST, ("MASQ-06", True), ("MASQ-07", False)))
AS_EXTERNAL = Ask(EXTERNAL_LOCAL, POLICY_LOCAL, ("MASQ-04", True))


def translated(hairpin: Tree, other: Tree) -> Tree:
    """Nothing for the node itself meets postrouting (MASQ-09); hairpins come next (MASQ-08)."""
    return Ask(ENDS_ON_NODE, ("MASQ-09", False), Ask(HAIRPIN, hairpin, other))


BY_CONTRACT = Ask(IS_CIP, AS_CIP, AS_EXTERNAL)
CONTRACT_MASQUERADE = translated(("MASQ-08", True), BY_CONTRACT)

# One rule marks for every cluster IP, before it is known whose frontend the packet meets (FWD-OBJ-08).
MARKED_AS_CIP = Ask(
    MASQUERADE_ALL,
    ("MASQ-02", True),
    Ask(DETECTOR_PRESENT, Ask(FROM_POD, AS_EXTERNAL, ("MASQ-02", True)), AS_EXTERNAL),
)
NFT_OTHER = Ask(IS_CIP, AS_CIP, Ask(TO_CLUSTER_IP, Ask(MARKS, AS_EXTERNAL, MARKED_AS_CIP), AS_EXTERNAL))
NFT_HAIRPIN = Ask(ENDPOINT_ON_NODE, ("MASQ-08", True), Ask(MARKS, ("MASQ-08", True), NFT_OTHER))

IPVS_POLICY_LOCAL = Ask(FROM_POD, ("MASQ-05", False), Ask(FROM_HOST, ("MODE-16", False), ("MASQ-07", False)))
IPVS_BY_KIND = Ask(IS_CIP, AS_CIP, Ask(EXTERNAL_LOCAL, IPVS_POLICY_LOCAL, ("MASQ-04", True)))
OWN_ADDRESS = Ask(  # MODE-22
    FROM_CLUSTER_IP,
    Ask(DETECTOR_PRESENT, IPVS_BY_KIND, Ask(MASQUERADE_ALL, IPVS_BY_KIND, ("MODE-22", True))),
    IPVS_BY_KIND,
)
IPVS_OTHER = Ask(FROM_LOOPBACK, ("MODE-30", False), OWN_ADDRESS)

MASQUERADE_TREES = [
    (MASQUERADE, CONTRACT_MASQUERADE),
    (masquerade_rows(ProxyMode.IPTABLES), CONTRACT_MASQUERADE),
    (masquerade_rows(ProxyMode.NFTABLES), translated(NFT_HAIRPIN, NFT_OTHER)),
    (
        masquerade_rows(ProxyMode.IPVS),
        translated(Ask(ENDPOINT_ON_NODE, ("MASQ-08", True), IPVS_OTHER), IPVS_OTHER),
    ),
]


@pytest.mark.parametrize(("rows", "tree"), MASQUERADE_TREES, ids=NAMES)
def test_whether_the_source_is_translated(rows: tuple[MasqueradeRow, ...], tree: Tree) -> None:
    assert differences(rows, tree, of_frontends=True) == []


# Packets to no frontend.
LEFT_ALONE = ("FWD-OBJ-05", PASS)
GUARD = Ask(FROM_LOOPBACK, LEFT_ALONE, Ask(LOOPBACK_GUARDED, ("MODE-02", DROP), LEFT_ALONE))
UNUSED = Ask(TO_SERVICE_RANGE, Ask(is_old(Quirk.RANGES_UNKNOWN), LEFT_ALONE, ("MODE-06", DROP)), LEFT_ALONE)
CHECKED = Ask(TO_CLUSTER_IP, Ask(IS_ICMP, ("MODE-07", REJECT), ("MODE-05", REJECT)), UNUSED)
SINCE_1_30 = Ask(LATE, LEFT_ALONE, CHECKED)
FILTERED = Ask(TO_CLUSTER_IP, Ask(IS_ICMP, ("MODE-07", REJECT), ("MODE-05", REJECT)), ("MODE-08", REJECT))

UNOWNED_TREES: list[tuple[tuple[Row, ...], Tree]] = [
    (UNOWNED, LEFT_ALONE),
    (unowned_rows(ProxyMode.IPTABLES), Ask(TO_LOOPBACK, GUARD, LEFT_ALONE)),
    # FORWARD and OUTPUT are checked, INPUT is not.
    (
        unowned_rows(ProxyMode.NFTABLES),
        Ask(SENT_BY_NODE, SINCE_1_30, Ask(DESTINATION_LOCAL, LEFT_ALONE, SINCE_1_30)),
    ),
    (
        unowned_rows(ProxyMode.IPVS),
        Ask(
            TO_BOUND,
            Ask(TO_HEALTH_CHECK, ("HC-05", PASS), Ask(is_old(Quirk.OPEN_ADDRESSES), LEFT_ALONE, FILTERED)),
            LEFT_ALONE,
        ),
    ),
]


@pytest.mark.parametrize(("rows", "tree"), UNOWNED_TREES, ids=NAMES)
def test_what_becomes_of_a_packet_to_no_frontend(rows: tuple[Row, ...], tree: Tree) -> None:
    assert differences(rows, tree, of_frontends=False) == []


def test_a_table_that_answers_one_combination_otherwise_is_found() -> None:
    """What the ipvs table adds to the contract's, seen from the contract's tree."""
    found = differences(verdict_rows(ProxyMode.IPVS), CONTRACT, of_frontends=True)

    told = {answer for answer in answers(IPVS) ^ answers(CONTRACT) if any(repr(answer) in f for f in found)}
    assert told == answers(IPVS) ^ answers(CONTRACT)
