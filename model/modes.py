"""Where a proxy mode departs from the contract: its own tables (MODE-*).

Each table is the contract's with rows moved, exchanged or put in front; a row that a mode
adds has the id of the rule that says so. What holds only for versions of kube-proxy before
the newest depends on the fact that `is_old` names.
"""

from model.forwarding import (
    CLOSED_TO_NODE,
    DESTINATION_LOCAL,
    DETECTOR_PRESENT,
    ENDPOINT_ON_NODE,
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
from model.node_config import ProxyMode
from model.predicate import All, Any, Fact, Not
from model.proxy_version import Quirk


def is_old(quirk: Quirk) -> Fact:
    """That kube-proxy is of a version that still has the quirk."""
    return Fact("kube-proxy is so old that", quirk.value)


VERSION_FACTS = {
    is_old(quirk): quirk
    for quirk in (
        *(Quirk.MARKS_PER_ENDPOINT, Quirk.EARLY_OUTPUT, Quirk.RANGES_UNKNOWN, Quirk.LATE_CHECKS),
        *(Quirk.LATE_FIREWALL, Quirk.SHORT_CUT_LOST),
        *(Quirk.OPEN_OUTPUT, Quirk.OPEN_ADDRESSES, Quirk.NO_FALLBACK),
    )
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
    # 1.29 looks for the balancer's address in INPUT and FORWARD, where it is translated already (BZ-43).
    Row(
        "FWD-LBSR-01",
        All((IS_LBV, OUTSIDE_RANGES, Any((SENT_BY_NODE, Not(is_old(Quirk.LATE_FIREWALL)))))),
        Decision.DROP,
    ),
    # Old proxies drop in OUTPUT what has no local endpoint before the short circuit can translate it
    # (BZ-44); 1.29 knows node ports there too.
    Row(
        "FWD-ETP-05",
        All(
            (
                *(HAS_USABLE, EXTERNAL_LOCAL, LOCAL_SET_EMPTY, SENT_BY_NODE),
                *(is_old(Quirk.SHORT_CUT_LOST), Any((IS_EXT, IS_LBV, All((IS_NP, _IS_LATE))))),
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


_FILTERED = All((TO_BOUND, Not(is_old(Quirk.OPEN_ADDRESSES))))
_LOCAL_INSIDE = All((IS_CIP, INTERNAL_LOCAL, LOCAL_SET_EMPTY))
_LOCAL_OUTSIDE = All((IS_EXTERNAL, EXTERNAL_LOCAL))

IPVS_VERDICTS: tuple[Row, ...] = (
    Row("NP-01", _OFF_NODE_PORT_ADDRESSES, Decision.PASS),
    # A virtual server of a node port on a bound address: the filter of INPUT knows only its address.
    Row("MODE-05", All((IS_NP, _FILTERED, Not(SENT_BY_NODE))), Decision.REJECT),
    # The firewall hangs in INPUT and FORWARD, which the node's own packets never meet (MODE-13).
    Row("FWD-LBSR-01", All((IS_LBV, OUTSIDE_RANGES, Not(SENT_BY_NODE))), Decision.DROP),
    # A virtual server without real servers refuses (MODE-09).
    *(row for row in VERDICTS if row.id == "FWD-REJ-01"),
    Row(
        "MODE-14",
        All((_LOCAL_INSIDE, Any((Not(USES_CLUSTER_SET), is_old(Quirk.NO_FALLBACK))))),
        Decision.REJECT,
    ),
    Row("MODE-15", All((_LOCAL_OUTSIDE, LOCAL_SET_EMPTY, is_old(Quirk.NO_FALLBACK))), Decision.REJECT),
    # What chose its endpoint is dropped in OUTPUT if the kernel gave it the balancer's address.
    Row(
        "MODE-13",
        All((IS_LBV, SENT_BY_NODE, CLOSED_TO_NODE, FROM_DESTINATION, Not(is_old(Quirk.OPEN_OUTPUT)))),
        Decision.DROP,
    ),
    # Without local endpoints all are used, whatever the source; with some none but they.
    Row("MODE-14", _LOCAL_INSIDE, Decision.TO_CLUSTER),
    Row(
        "MODE-16",
        All((_LOCAL_OUTSIDE, Not(LOCAL_SET_EMPTY), Any((FROM_POD, FROM_HOST)))),
        Decision.TO_LOCAL,
    ),
    Row(
        "MODE-15",
        All((_LOCAL_OUTSIDE, LOCAL_SET_EMPTY, Not(FROM_POD), Not(FROM_HOST))),
        Decision.TO_CLUSTER,
    ),
    *(row for row in VERDICTS if row.id not in ("FWD-LBSR-01", "FWD-REJ-01")),
)

IPVS_UNOWNED: tuple[Row, ...] = (
    # The filter lets a health check's port through, on whatever address (HC-05).
    Row("HC-05", All((TO_BOUND, TO_HEALTH_CHECK)), Decision.PASS),
    Row("MODE-07", All((_FILTERED, TO_CLUSTER_IP, IS_ICMP)), Decision.REJECT),
    Row("MODE-05", All((_FILTERED, TO_CLUSTER_IP, Not(IS_ICMP))), Decision.REJECT),
    Row("MODE-08", All((_FILTERED, Not(TO_CLUSTER_IP))), Decision.REJECT),
    *UNOWNED,
)

IPVS_MASQUERADE: tuple[MasqueradeRow, ...] = (
    *(row for row in MASQUERADE if row.id == "MASQ-09"),
    MasqueradeRow("MASQ-08", All((HAIRPIN, ENDPOINT_ON_NODE)), True),  # MODE-21: KUBE-LOOP-BACK
    MasqueradeRow("MODE-30", FROM_LOOPBACK, False),
    MasqueradeRow("MODE-22", All((FROM_CLUSTER_IP, Not(DETECTOR_PRESENT), Not(MASQUERADE_ALL))), True),
    # Without a short circuit nothing under policy Local is marked.
    MasqueradeRow("MODE-16", All((_LOCAL_OUTSIDE, FROM_HOST, Not(FROM_POD))), False),
    *(row for row in MASQUERADE if row.id not in ("MASQ-08", "MASQ-09")),
)


_VERDICTS = {
    ProxyMode.IPTABLES: IPTABLES_VERDICTS,
    ProxyMode.NFTABLES: NFTABLES_VERDICTS,
    ProxyMode.IPVS: IPVS_VERDICTS,
}
_UNOWNED = {
    ProxyMode.IPTABLES: IPTABLES_UNOWNED,
    ProxyMode.NFTABLES: NFTABLES_UNOWNED,
    ProxyMode.IPVS: IPVS_UNOWNED,
}
_MASQUERADE = {
    ProxyMode.IPTABLES: MASQUERADE,  # MODE-21: every hairpin, local endpoint or not
    ProxyMode.NFTABLES: NFTABLES_MASQUERADE,
    ProxyMode.IPVS: IPVS_MASQUERADE,
}


def verdict_rows(mode: ProxyMode) -> tuple[Row, ...]:
    """The verdict table of a mode: what becomes of a packet to a frontend."""
    return _VERDICTS[mode]


def unowned_rows(mode: ProxyMode) -> tuple[Row, ...]:
    """The table of a mode for packets to no frontend, which nothing translates."""
    return _UNOWNED[mode]


def masquerade_rows(mode: ProxyMode) -> tuple[MasqueradeRow, ...]:
    """The source translation table of a mode."""
    return _MASQUERADE[mode]
