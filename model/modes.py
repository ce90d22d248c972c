"""Where a proxy mode departs from the contract: its own verdict table (MODE-*).

Each table is the contract's with rows moved or put in front; a row that a mode adds has
the MODE id. Modes that are not modelled yet raise, they are never answered by another's
table.
"""

from model.forwarding import (
    DESTINATION_LOCAL,
    EXTERNAL_LOCAL,
    HAS_USABLE,
    IS_EXT,
    IS_LBV,
    IS_NP,
    LOCAL_SET_EMPTY,
    MASQUERADE,
    ON_NODE_PORT_ADDRESS,
    SENT_BY_NODE,
    VERDICTS,
    Decision,
    MasqueradeRow,
    Row,
)
from model.node_config import ProxyMode
from model.predicate import All, Any, Not

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


def verdict_rows(mode: ProxyMode) -> tuple[Row, ...]:
    """The verdict table of a mode.

    Raises NotImplementedError for a mode that is not modelled.
    """
    if mode is ProxyMode.IPTABLES:
        return IPTABLES_VERDICTS
    raise NotImplementedError(f"proxy mode {mode.value} is not modelled yet")


def masquerade_rows(mode: ProxyMode) -> tuple[MasqueradeRow, ...]:
    """The source translation table of a mode.

    Raises NotImplementedError for a mode that is not modelled.
    """
    if mode is ProxyMode.IPTABLES:
        return MASQUERADE  # MODE-21: every hairpin, local endpoint or not
    raise NotImplementedError(f"proxy mode {mode.value} is not modelled yet")
