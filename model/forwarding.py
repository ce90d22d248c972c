"""THE contract: what a node does with a new packet to a frontend, as decision tables.

Two tables, read top to bottom, first row that holds wins. `VERDICTS` is sections 4-5 of
the forwarding contract, `MASQUERADE` is section 8; both speak only of the facts defined
here, so a row can be checked against the documentation without running it. A mode
changes them by the rows of `model.modes`. Everything else (concrete answers,
regions of sources, solver terms) reads these rows; nothing says them again.
"""

import enum

import attrs

from model.predicate import All, Any, Fact, Not, Predicate

# The frontend (FWD-OBJ-03).
IS_CIP = Fact("frontend", "CIP")
IS_EXT = Fact("frontend", "EXT")
IS_LBV = Fact("frontend", "LBV")
IS_NP = Fact("frontend", "NP")
IS_EXTERNAL = Any((IS_EXT, IS_LBV, IS_NP))
ON_NODE_PORT_ADDRESS = Fact("destination is a node port address")  # NP-01..03
DESTINATION_LOCAL = Fact("destination is an address of the node")

# The service port and its endpoints on this node.
INTERNAL_LOCAL = Fact("internalTrafficPolicy is Local")
EXTERNAL_LOCAL = Fact("externalTrafficPolicy is Local")
HAS_USABLE = Fact("some endpoint in the cluster is usable")
LOCAL_SET_EMPTY = Fact("no usable endpoint on this node")
USES_CLUSTER_SET = Fact("some frontend of the service port uses the cluster set")  # FWD-EP-01
CLOSED_TO_NODE = Fact("loadBalancerSourceRanges leave the node's own address out")

# The packet's source (SRC-01..03).
FROM_POD = Fact("source is a pod by the local detector")
FROM_HOST = Fact("source is an address of the node")
OUTSIDE_RANGES = Fact("source is outside loadBalancerSourceRanges")
SENT_BY_NODE = Fact("a process of the node sends it")
FROM_DESTINATION = Fact("source is the destination itself")
FROM_CLUSTER_IP = Fact("source, with the packet's port, is a frontend that is a cluster IP")

# For the source translation.
DETECTOR_PRESENT = Fact("a local detector is configured")
MASQUERADE_ALL = Fact("masqueradeAll")
HAIRPIN = Fact("source is the chosen endpoint itself")
ENDS_ON_NODE = Fact("it came by the wire and the chosen endpoint is an address of the node")
ENDPOINT_ON_NODE = Fact("the chosen endpoint is on this node")


class Decision(enum.Enum):
    """What a row of `VERDICTS` decides."""

    TO_CLUSTER = "DNAT to one of the cluster set"
    TO_LOCAL = "DNAT to one of the local set"
    REJECT = "REJECT"
    DROP = "DROP"
    PASS = "left alone"


@attrs.frozen
class Row:
    """One row of the contract: under `when`, `then`; `id` is its name in docs/rules."""

    id: str
    when: Predicate
    then: Decision


@attrs.frozen
class MasqueradeRow:
    """One row of the source translation of a DNATed connection."""

    id: str
    when: Predicate
    then: bool


VERDICTS: tuple[Row, ...] = (
    Row("FWD-LBSR-01", All((IS_LBV, OUTSIDE_RANGES)), Decision.DROP),
    Row("FWD-REJ-01", Not(HAS_USABLE), Decision.REJECT),
    Row("FWD-ITP-01", All((IS_CIP, INTERNAL_LOCAL, LOCAL_SET_EMPTY)), Decision.DROP),
    Row("FWD-ITP-02", All((IS_CIP, INTERNAL_LOCAL)), Decision.TO_LOCAL),
    Row("FWD-CIP-01", IS_CIP, Decision.TO_CLUSTER),
    Row("FWD-ETP-01", All((IS_EXTERNAL, Not(EXTERNAL_LOCAL))), Decision.TO_CLUSTER),
    Row("FWD-ETP-02", All((IS_EXTERNAL, EXTERNAL_LOCAL, FROM_POD)), Decision.TO_CLUSTER),
    Row("FWD-ETP-03", All((IS_EXTERNAL, EXTERNAL_LOCAL, FROM_HOST)), Decision.TO_CLUSTER),
    Row("FWD-ETP-04", All((IS_EXTERNAL, EXTERNAL_LOCAL, Not(LOCAL_SET_EMPTY))), Decision.TO_LOCAL),
    Row("FWD-ETP-05", All((IS_EXTERNAL, EXTERNAL_LOCAL)), Decision.DROP),
)

MASQUERADE: tuple[MasqueradeRow, ...] = (
    # Translation happens in postrouting, which a packet for the node itself never meets.
    MasqueradeRow("MASQ-09", ENDS_ON_NODE, False),
    MasqueradeRow("MASQ-08", HAIRPIN, True),
    MasqueradeRow("MASQ-01", All((IS_CIP, MASQUERADE_ALL)), True),
    MasqueradeRow("MASQ-02", All((IS_CIP, DETECTOR_PRESENT, Not(FROM_POD))), True),
    MasqueradeRow("MASQ-03", IS_CIP, False),
    MasqueradeRow("MASQ-04", All((IS_EXTERNAL, Not(EXTERNAL_LOCAL))), True),
    MasqueradeRow("MASQ-05", All((IS_EXTERNAL, FROM_POD)), False),
    MasqueradeRow("MASQ-06", All((IS_EXTERNAL, FROM_HOST)), True),
    MasqueradeRow("MASQ-07", IS_EXTERNAL, False),
)

# Packets that belong to no frontend. What a mode does with some of them is in `model.modes`.
TO_LOOPBACK = Fact("destination is loopback")
FROM_LOOPBACK = Fact("source is loopback")
LOOPBACK_GUARDED = Fact("node ports are served on loopback, so it has a guard")
TO_CLUSTER_IP = Fact("destination is a cluster IP")
TO_SERVICE_RANGE = Fact("destination is in a ServiceCIDR")
IS_ICMP = Fact("protocol is ICMP")
TO_BOUND = Fact("destination is on the dummy device of ipvs mode")
TO_HEALTH_CHECK = Fact("port is a health check node port")

UNOWNED: tuple[Row, ...] = (Row("FWD-OBJ-05", All(), Decision.PASS),)
