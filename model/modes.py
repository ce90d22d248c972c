"""Where a proxy mode departs from the contract: its own tables (MODE-*).

Each table is the contract's with rows moved, exchanged or put in front; a row that a mode
adds has the id of the rule that says so. What holds only for versions of kube-proxy before
the newest depends on the fact that `is_old` names. Modes that are not modelled
yet raise, they are never answered by another's table.
"""

from model.forwarding import (
    DESTINATION_LOCAL,
    DETECTOR_PRESENT,
    ENDPOINT_ON_NODE,
    EXTERNAL_LOCAL,
    FROM_LOOPBACK,
    FROM_POD,
    HAIRPIN,
    HAS_USABLE,
    IS_EXT,
    IS_EXTERNAL,
    IS_ICMP,
    IS_LBV,
    IS_NP,
    LOCAL_SET_EMPTY,
    LOOPBACK_GUARDED,
    MASQUERADE,
    MASQUERADE_ALL,
    ON_NODE_PORT_ADDRESS,
    OUTSIDE_RANGES,
    SENT_BY_NODE,
    TO_CLUSTER_IP,
    TO_LOOPBACK,
    TO_SERVICE_RANGE,
    UNOWNED,
    VERDICTS,
    Decision,
    MasqueradeRow,
    Row,
)
from model.node_config import ProxyMode
from model.predicate import All, Any, Fact, Not
from model.proxy_version import Quirk


def is_old(quirk: Quirk) -> Fact:
    """That kube-proxy is of a version that still has the quirk."""
    return Fact("kube-proxy is so old that", quirk.value)


VERSION_FACTS = {
    is_old(quirk): quirk
    for quirk in (Quirk.MARKS_PER_ENDPOINT, Quirk.EARLY_OUTPUT, Quirk.RANGES_UNKNOWN, Quirk.LATE_CHECKS)
}
"""The facts about kube-proxy's version that tables ask, each with the quirk that makes it true."""

_IS_LATE = is_old(Quirk.LATE_CHECKS)
_OFF_NODE_PORT_ADDRESSES = All((IS_NP, Not(ON_NODE_PORT_ADDRESS)))

IPTABLES_VERDICTS: tuple[Row, ...] = (
    # Refusals of node ports match any local address, whatever addresses are served.
    Row("MODE-11", All((_OFF_NODE_PORT_ADDRESSES, Not(HAS_USABLE))), Decision.REJECT),
    Row("MODE-11", All((_OFF_NODE_PORT_ADDRESSES, EXTERNAL_LOCAL, LOCAL_SET_EMPTY)), Decision.DROP),
    Row("NP-01", _OFF_NODE_PORT_ADDRESSES, Decision.PASS),
    # External refusals hang in INPUT and FORWARD, not in OUTPUT.
    Row(
        "MODE-10",
        All((Not(HAS_USABLE), Any((IS_EXT, IS_LBV)), SENT_BY_NODE, Not(DESTINATION_LOCAL))),
        Decision.PASS,
    ),
    # The firewall chain exists only when there are endpoints, so refusal comes first (MODE-12).
    *(row for row in VERDICTS if row.id == "FWD-REJ-01"),
    *(row for row in VERDICTS if row.id != "FWD-REJ-01"),
)

IPTABLES_UNOWNED: tuple[Row, ...] = (
    # Serving node ports on loopback opens 127/8 to the wire; a guard closes it again (BZ-01).
    Row("MODE-02", All((TO_LOOPBACK, Not(FROM_LOOPBACK), LOOPBACK_GUARDED)), Decision.DROP),
    *UNOWNED,
)

NFTABLES_VERDICTS: tuple[Row, ...] = (
    # Refusals and translations match the same addresses (MODE-11).
    Row("NP-01", _OFF_NODE_PORT_ADDRESSES, Decision.PASS),
    # Old proxies refuse in OUTPUT, and 1.29 everywhere, before they ask for source ranges.
    Row(
        "FWD-REJ-01",
        All((Not(HAS_USABLE), Any((_IS_LATE, All((SENT_BY_NODE, is_old(Quirk.EARLY_OUTPUT))))))),
        Decision.REJECT,
    ),
    # 1.29 looks for the balancer's address in INPUT and FORWARD, where it is translated already.
    Row(
        "FWD-LBSR-01",
        All((IS_LBV, OUTSIDE_RANGES, Any((SENT_BY_NODE, Not(_IS_LATE))))),
        Decision.DROP,
    ),
    # Old proxies drop in OUTPUT what has no local endpoint before the short circuit can translate it.
    Row(
        "FWD-ETP-05",
        All(
            (
                *(HAS_USABLE, EXTERNAL_LOCAL, LOCAL_SET_EMPTY, SENT_BY_NODE),
                Any((All((Any((IS_EXT, IS_LBV)), is_old(Quirk.EARLY_OUTPUT))), All((IS_NP, _IS_LATE)))),
            )
        ),
        Decision.DROP,
    ),
    *(row for row in VERDICTS if row.id != "FWD-LBSR-01"),
)

# The checks of cluster IPs hang in FORWARD and OUTPUT, and know of no protocol.
_CHECKED = All((Any((SENT_BY_NODE, Not(DESTINATION_LOCAL))), Not(_IS_LATE)))

NFTABLES_UNOWNED: tuple[Row, ...] = (
    Row("MODE-07", All((TO_CLUSTER_IP, IS_ICMP, _CHECKED)), Decision.REJECT),
    Row("MODE-05", All((TO_CLUSTER_IP, Not(IS_ICMP), _CHECKED)), Decision.REJECT),
    Row("MODE-06", All((TO_SERVICE_RANGE, _CHECKED, Not(is_old(Quirk.RANGES_UNKNOWN)))), Decision.DROP),
    *UNOWNED,
)

NFTABLES_MASQUERADE: tuple[MasqueradeRow, ...] = (
    *(row for row in MASQUERADE if row.id == "MASQ-09"),
    # Hairpins are found by a set of this node's endpoints (MODE-21).
    MasqueradeRow("MASQ-08", All((HAIRPIN, Any((ENDPOINT_ON_NODE, is_old(Quirk.MARKS_PER_ENDPOINT))))), True),
    # One rule marks by destination address alone, before it is known whose frontend it is:
    # an address may be one Service's cluster IP and another's external IP (FWD-OBJ-08).
    MasqueradeRow(
        "MASQ-02",
        All(
            (
                TO_CLUSTER_IP,
                IS_EXTERNAL,
                Any((MASQUERADE_ALL, All((DETECTOR_PRESENT, Not(FROM_POD))))),
                Not(is_old(Quirk.MARKS_PER_ENDPOINT)),
            )
        ),
        True,
    ),
    *(row for row in MASQUERADE if row.id not in ("MASQ-08", "MASQ-09")),
)


def verdict_rows(mode: ProxyMode) -> tuple[Row, ...]:
    """The verdict table of a mode: what becomes of a packet to a frontend.

    Raises NotImplementedError for a mode that is not modelled.
    """
    match mode:
        case ProxyMode.IPTABLES:
            return IPTABLES_VERDICTS
        case ProxyMode.NFTABLES:
            return NFTABLES_VERDICTS
    raise NotImplementedError(f"proxy mode {mode.value} is not modelled yet")


def unowned_rows(mode: ProxyMode) -> tuple[Row, ...]:
    """The table of a mode for packets to no frontend, which nothing translates.

    Raises NotImplementedError for a mode that is not modelled.
    """
    match mode:
        case ProxyMode.IPTABLES:
            return IPTABLES_UNOWNED
        case ProxyMode.NFTABLES:
            return NFTABLES_UNOWNED
    raise NotImplementedError(f"proxy mode {mode.value} is not modelled yet")


def masquerade_rows(mode: ProxyMode) -> tuple[MasqueradeRow, ...]:
    """The source translation table of a mode.

    Raises NotImplementedError for a mode that is not modelled.
    """
    match mode:
        case ProxyMode.IPTABLES:
            return MASQUERADE  # MODE-21: every hairpin, local endpoint or not
        case ProxyMode.NFTABLES:
            return NFTABLES_MASQUERADE
    raise NotImplementedError(f"proxy mode {mode.value} is not modelled yet")
