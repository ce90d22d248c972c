"""Which endpoints topology prefers, and that it never leaves a packet without any."""

import enum
from collections.abc import Collection

from invariants.invariant import CONTRACT_MODES, Kind, Violation, invariant
from invariants.packets import is_guarded, is_shut_out, unless_some_owner_allows
from invariants.places import Ownership, is_held_to_node
from model.frontends import NodeView
from model.node_config import NodeConfig
from model.outcome import Outcome, Target, Verdict
from model.packet import Packet
from model.proxy_endpoints import ProxyEndpoint


class TopologyMode(enum.Enum):
    """By which hints a node chooses among ready endpoints (FWD-TOPO-01)."""

    SAME_NODE = "endpoints hinted for this node"
    SAME_ZONE = "endpoints hinted for this zone"
    NONE = "all"


def topology_mode(endpoints: Collection[ProxyEndpoint], config: NodeConfig) -> TopologyMode:
    """All or nothing: one ready endpoint without a hint switches hints of its kind off."""
    ready = [each for each in endpoints if each.ready]
    if all(each.node_hints for each in ready) and any(config.name in each.node_hints for each in ready):
        return TopologyMode.SAME_NODE
    zone = config.zone
    if zone and all(each.zone_hints for each in ready) and any(zone in each.zone_hints for each in ready):
        return TopologyMode.SAME_ZONE
    return TopologyMode.NONE


def cluster_set(view: NodeView, owned: Ownership) -> frozenset[Target]:
    """Cl, by definition (FWD-EP-02, FWD-TOPO-02): where policy Cluster lets a packet go on this node."""
    config = view.config
    ready = {target: each for target, each in owned.endpoints.items() if each.ready}
    if not ready:
        return frozenset(target for target, each in owned.endpoints.items() if each.still_serving)
    match topology_mode(ready.values(), config):
        case TopologyMode.SAME_NODE:
            return frozenset(target for target, each in ready.items() if config.name in each.node_hints)
        case TopologyMode.SAME_ZONE:
            return frozenset(target for target, each in ready.items() if config.zone in each.zone_hints)
        case TopologyMode.NONE:
            return frozenset(ready)


@invariant(
    "INV-37",
    "While some endpoint is ready anywhere, no packet is refused or swallowed that neither policy Local "
    "nor source ranges hold back, whatever hints say.",
    kind=Kind.PACKET,
    source=("FWD-EP-02", "FWD-TOPO-02"),
    modes=CONTRACT_MODES,
)
def topology_leaves_somewhere_to_go(view: NodeView, packet: Packet, outcome: Outcome) -> Violation | None:
    def wrong(owned: Ownership) -> str | None:
        if is_held_to_node(view, packet, owned) or is_shut_out(packet, owned):
            return None
        if not any(each.ready for each in owned.endpoints.values()):
            return None
        # INV-38 speaks of what is left alone, which a guard may still swallow (MODE-02).
        turned_away = (Verdict.REJECT,) if is_guarded(view, packet) else (Verdict.REJECT, Verdict.DROP)
        lost = [leaf.verdict.value for leaf in outcome.leaves if leaf.verdict in turned_away]
        return f"gets {lost[0]}, though {owned.service_port.name} has a ready endpoint" if lost else None

    return unless_some_owner_allows(view, packet, wrong)
