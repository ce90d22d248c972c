"""What session affinity promises a client, and what it must not do."""

from collections.abc import Sequence

from invariants.invariant import CONTRACT_MODES, Kind, Violation, invariant
from invariants.places import targets
from model.affinity import Client, Connection
from model.frontends import NodeView
from model.node_config import ProxyMode
from model.objects import ServicePortName
from model.outcome import Outcome
from model.packet import Packet
from model.proxy_endpoints import endpoint_text

MOST_SOURCES = 100  # that xt_recent remembers by default for one endpoint (MODE-18)


@invariant(
    "INV-57",
    "New connections of one source to one service port with affinity all go to one endpoint, by any "
    "frontends, as long as they may go to the same set and no gap exceeds the timeout; in iptables mode "
    "only while at most 100 sources use the service port.",
    kind=Kind.FLOW,
    source=("AFF-01", "AFF-03", "AFF-04", "AFF-07", "MODE-18"),
    modes=CONTRACT_MODES,
)
def a_client_stays_with_its_endpoint(view: NodeView, history: Sequence[Connection]) -> Violation | None:
    """`history` is of one node, in the order of time."""
    timeouts = {one.name: one.affinity_seconds for one in view.service_ports}
    sources: dict[ServicePortName, set[int]] = {}
    before: dict[Client, Connection] = {}
    for each in history:
        of = each.client.service_port
        sources.setdefault(of, set()).add(each.client.source)
        last = before.get(each.client)
        before[each.client] = each
        timeout = timeouts.get(of)
        crowded = view.config.mode is ProxyMode.IPTABLES and len(sources[of]) > MOST_SOURCES
        # A connection to another set may leave a memory that is asked first (AFF-07).
        if timeout is None or last is None or crowded or _support(last) != _support(each):
            continue
        if each.now - last.now <= timeout and each.target != last.target:
            return Violation(
                f"a client of {of} went to {_text(view, last)}, and {each.now - last.now} s later, within "
                f"the timeout of {timeout} s, to {_text(view, each)}"
            )
    return None


@invariant(
    "INV-59",
    "Affinity never widens the choice: every endpoint that a memory leads to is one that chance could "
    "have chosen.",
    kind=Kind.PACKET,
    source=("AFF-06",),
    modes=CONTRACT_MODES,
)
def affinity_only_ranks_the_eligible(view: NodeView, packet: Packet, outcome: Outcome) -> Violation | None:
    eligible = targets(outcome)
    for asked in outcome.affinity:
        if asked.target not in eligible:
            place = endpoint_text(view.family, asked.target.address, asked.target.port)
            return Violation(f"affinity may hold {packet} to {place}, which chance never chooses")
    return None


def _support(connection: Connection) -> frozenset[object]:
    """The endpoints that a stranger's connection could have gone to."""
    return frozenset(targets(connection.outcome))


def _text(view: NodeView, connection: Connection) -> str:
    target = connection.target
    return endpoint_text(view.family, target.address, target.port) if target else "no endpoint"
