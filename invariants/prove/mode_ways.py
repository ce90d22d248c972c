"""What each proxy mode makes of one and the same circumstance, so that modes can be compared.

A circumstance is a packet, the node it meets, the service port it is for and the endpoint
that is chosen, told by facts that are the same in every mode. What a mode makes of them on
the way (on which addresses node ports answer, which addresses are the node's) is `derived`;
its tables are the model's own, with or without any of the rules by which it departs from the
contract. Versions are the newest.
"""

import itertools
from collections.abc import Mapping, Sequence
from typing import TypeVar

import attrs

from invariants.prove.tables import KINDS
from model.forwarding import (
    DESTINATION_LOCAL,
    DETECTOR_PRESENT,
    ENDPOINT_ON_NODE,
    ENDS_ON_NODE,
    FROM_CLUSTER_IP,
    FROM_HOST,
    FROM_LOOPBACK,
    FROM_POD,
    HAIRPIN,
    HAS_USABLE,
    IS_CIP,
    IS_EXT,
    IS_ICMP,
    IS_LBV,
    IS_NP,
    LOCAL_SET_EMPTY,
    LOOPBACK_GUARDED,
    MASQUERADE,
    ON_NODE_PORT_ADDRESS,
    SENT_BY_NODE,
    TO_BOUND,
    TO_CLUSTER_IP,
    TO_HEALTH_CHECK,
    TO_LOOPBACK,
    TO_SERVICE_RANGE,
    UNOWNED,
    VERDICTS,
    Decision,
    MasqueradeRow,
    Row,
)
from model.modes import VERSION_FACTS, masquerade_rows, unowned_rows, verdict_rows
from model.node_config import ProxyMode
from model.predicate import NEVER, All, Any, Fact, Not, Predicate, resolve

ON_INTERFACE = Fact("destination is an address of an interface of the node")
ON_PRIMARY = Fact("destination is the node's primary address")
ADDRESSES_UNSET = Fact("nodePortAddresses is unset")
ADDRESS_LISTED = Fact("nodePortAddresses lists the destination, or nothing of its family")
ON_DUMMY = Fact("destination is an address of a Service that no interface of the node has")
LINK_LOCAL = Fact("destination is an IPv6 link-local address")
LOOPBACK_ASKED = Fact("localhostNodePorts, in IPv4, and nodePortAddresses leaves loopback in")

Ids = frozenset[str]
NONE: Ids = frozenset()

Rules = tuple[str, ...]

R = TypeVar("R", Row, MasqueradeRow)


def _if(one: Predicate, then: Predicate) -> Predicate:
    return Any((Not(one), then))


CIRCUMSTANCES: tuple[Predicate, ...] = (
    *(Not(All(pair)) for pair in itertools.combinations(KINDS, 2)),  # FWD-OBJ-03, or nobody's
    _if(IS_ICMP, Not(Any(KINDS))),  # FWD-OBJ-05
    Not(All((IS_ICMP, TO_HEALTH_CHECK))),
    _if(IS_CIP, TO_CLUSTER_IP),
    _if(IS_NP, ON_INTERFACE),  # NP-01
    _if(Any((TO_LOOPBACK, ON_PRIMARY)), ON_INTERFACE),
    Not(All((TO_LOOPBACK, ON_PRIMARY))),
    _if(LINK_LOCAL, All((ON_INTERFACE, Not(TO_LOOPBACK), Not(ON_PRIMARY)))),
    Not(All((ON_INTERFACE, ON_DUMMY))),  # MODE-04
    _if(Any((TO_CLUSTER_IP, All((Any((IS_EXT, IS_LBV)), Not(ON_INTERFACE))))), ON_DUMMY),
    Not(All((ON_INTERFACE, Any((TO_CLUSTER_IP, TO_SERVICE_RANGE))))),  # ranges and nodes lie apart
    _if(Not(HAS_USABLE), LOCAL_SET_EMPTY),  # FWD-EP-04
    _if(Any((SENT_BY_NODE, FROM_LOOPBACK)), FROM_HOST),  # SRC-01
    _if(FROM_POD, DETECTOR_PRESENT),  # SRC-02
    _if(ENDS_ON_NODE, Not(SENT_BY_NODE)),  # MASQ-09
    _if(All((ENDS_ON_NODE, HAIRPIN)), FROM_HOST),
    Not(All((HAIRPIN, Any((FROM_LOOPBACK, FROM_CLUSTER_IP))))),  # no endpoint has such an address
)
"""What is so in every circumstance, whatever the mode."""


FATES: Mapping[Decision, str] = {
    Decision.PASS: "left alone",
    Decision.REJECT: "refused",
    Decision.DROP: "dropped",
    Decision.TO_CLUSTER: "cluster set",
    Decision.TO_LOCAL: "local set",
}
SOURCES: Mapping[bool, str] = {False: "source kept", True: "source replaced"}


@attrs.frozen
class Ways:
    """What one mode does, as tables that ask nothing but circumstances.

    `rows` decide every packet, `masquerade` every one that is sent to an endpoint.
    """

    rows: tuple[Row, ...]
    masquerade: tuple[MasqueradeRow, ...]


RULES: Mapping[ProxyMode, tuple[str, ...]] = {
    ProxyMode.IPTABLES: ("MODE-02", "MODE-10", "MODE-11", "MODE-12"),
    ProxyMode.NFTABLES: ("MASQ-02", "MODE-01", "MODE-05", "MODE-06", "MODE-07", "MODE-21"),
    ProxyMode.IPVS: (
        *("MODE-01", "MODE-05", "MODE-07", "MODE-08", "MODE-13", "MODE-14", "MODE-15", "MODE-16"),
        *("MODE-21", "MODE-22", "MODE-30"),
    ),
}
"""The rules by which each mode departs from the contract; MASQ-02 where it marks by address (FWD-OBJ-08)."""

_EXCHANGED: Mapping[tuple[ProxyMode, str], str] = {
    (ProxyMode.IPTABLES, "MODE-12"): "FWD-REJ-01",
    (ProxyMode.NFTABLES, "MODE-21"): "MASQ-08",
    (ProxyMode.IPVS, "MODE-21"): "MASQ-08",
    (ProxyMode.IPVS, "MODE-13"): "FWD-LBSR-01",
}
"""The row of the contract that a rule moves or exchanges; other rules add rows of their own id."""


def derived(mode: ProxyMode, without: Ids = NONE) -> Mapping[Fact, Predicate]:
    """What the mode's facts are in terms of circumstances, but for the rules in `without`."""
    default: Predicate = All()
    if "MODE-01" not in without and mode is ProxyMode.NFTABLES:
        default = ON_PRIMARY
    if "MODE-01" not in without and mode is ProxyMode.IPVS:
        default = Not(LINK_LOCAL)
    loopback = LOOPBACK_ASKED if mode is ProxyMode.IPTABLES and "MODE-02" not in without else NEVER
    listed = All((Not(ADDRESSES_UNSET), ADDRESS_LISTED))
    by_default = All((ADDRESSES_UNSET, default))
    return {
        ON_NODE_PORT_ADDRESS: All(
            (ON_INTERFACE, Any((by_default, listed)), Any((Not(TO_LOOPBACK), loopback)))
        ),
        DESTINATION_LOCAL: Any((ON_INTERFACE, ON_DUMMY)) if mode is ProxyMode.IPVS else ON_INTERFACE,
        TO_BOUND: ON_DUMMY,
        LOOPBACK_GUARDED: loopback,
    }


def ways(mode: ProxyMode, without: Ids = NONE) -> Ways:
    """The mode's tables, as the contract has them where a rule in `without` departs from it."""
    known: dict[Fact, bool | Predicate] = {**dict.fromkeys(VERSION_FACTS, False), **derived(mode, without)}
    # In iptables mode refusals of node ports match every address of the node (MODE-11).
    node_port = IS_NP if mode is ProxyMode.IPTABLES else All((IS_NP, ON_NODE_PORT_ADDRESS))
    owned = Any((*(kind for kind in KINDS if kind != IS_NP), node_port))
    rows = (
        *(_under(owned, row) for row in _restored(mode, verdict_rows(mode), VERDICTS, without)),
        *(_under(Not(owned), row) for row in _restored(mode, unowned_rows(mode), UNOWNED, without)),
    )
    masquerade = _restored(mode, masquerade_rows(mode), MASQUERADE, without)
    return Ways(
        tuple(attrs.evolve(row, when=resolve(row.when, known)) for row in rows),
        tuple(attrs.evolve(row, when=resolve(row.when, known)) for row in masquerade),
    )


def _under(condition: Predicate, row: Row) -> Row:
    return attrs.evolve(row, when=All((condition, row.when)))


def _restored(mode: ProxyMode, rows: Sequence[R], contract: Sequence[R], without: Ids) -> tuple[R, ...]:
    """The table without the rows that these rules add, the contract's put back where one was exchanged."""
    original = {row.id: row for row in contract}
    exchanged = {row for (of, id), row in _EXCHANGED.items() if of is mode and id in without}
    out: list[R] = []
    for row in rows:
        if row.id in exchanged & original.keys() and row not in contract:
            row = original[row.id]
        if row.id not in without or row in contract:
            out.append(row)
    if mode is ProxyMode.IPTABLES and exchanged & original.keys():  # moved back as well
        out.sort(key=lambda row: contract.index(row) if row in contract else -1)
    return tuple(out)


Outcomes = Mapping[str, Predicate]
"""When each outcome is the mode's; one of them is in every circumstance."""


def fates(of: Ways) -> Outcomes:
    """What becomes of the packet."""
    return {text: _comes_to(of.rows, decision) for decision, text in FATES.items()}


def sources(of: Ways) -> Outcomes:
    """Whether the chosen endpoint sees the packet's own source."""
    return {text: _comes_to(of.masquerade, is_replaced) for is_replaced, text in SOURCES.items()}


def _comes_to(rows: Sequence[Row | MasqueradeRow], then: Decision | bool) -> Predicate:
    """That the first row that holds says so: it, or no row so far and one of the rest."""
    found: Predicate = NEVER
    for row in reversed(rows):
        found = Any((row.when, found)) if row.then is then else All((Not(row.when), found))
    return found


def circumstances(first: Ways, second: Ways) -> Predicate:
    """What is so in every circumstance that both modes are asked about."""
    return All((*CIRCUMSTANCES, *(_if(fates(of)["local set"], ENDPOINT_ON_NODE) for of in (first, second))))


def sent(first: Ways, second: Ways) -> Predicate:
    """That both modes send the packet to an endpoint."""
    return All(tuple(Any((fates(of)["cluster set"], fates(of)["local set"])) for of in (first, second)))
