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
from model.proxy_version import ZoneHints


class TopologyMode(enum.Enum):
    """By which hints a node chooses among ready endpoints (FWD-TOPO-01)."""

    SAME_NODE = "endpoints hinted for this node"
    SAME_ZONE = "endpoints hinted for this zone"
    NONE = "all"


def topology_modes(endpoints: Collection[ProxyEndpoint], config: NodeConfig) -> frozenset[TopologyMode]:
    """How the node may choose: several ways where that hangs on its version or on annotations.

    All or nothing: one ready endpoint without a hint switches hints of its kind off. Versions
    before 1.34 read no node hints, and before 1.31 zone hints only if an annotation asks.
    """
    ready = [each for each in endpoints if each.ready]
    by_node = all(each.node_hints for each in ready) and any(config.name in each.node_hints for each in ready)
    zone = config.zone
    by_zone = (
        bool(zone)
        and all(each.zone_hints for each in ready)
        and any(zone in each.zone_hints for each in ready)
    )
    found: set[TopologyMode] = set()
    for reading in config.readings:
        if by_node and reading.node_hints:
            found.add(TopologyMode.SAME_NODE)
            continue
        if by_zone and reading.zone_hints is not ZoneHints.NEVER:
            found.add(TopologyMode.SAME_ZONE)
        if not by_zone or reading.zone_hints is not ZoneHints.ALWAYS:
            found.add(TopologyMode.NONE)
    return frozenset(found)


def cluster_sets(view: NodeView, owned: Ownership) -> frozenset[frozenset[Target]]:
    """What Cl may be, by definition (FWD-EP-02, FWD-TOPO-02): where policy Cluster lets a packet go.

    One set, unless the version of kube-proxy leaves open whether hints count.
    """
    config = view.config
    ready = {target: each for target, each in owned.endpoints.items() if each.ready}
    if not ready:
        return frozenset(
            frozenset(
                target
                for target, each in owned.endpoints.items()
                if each.still_serving and reading.still_serving
            )
            for reading in config.readings
        )

    def is_chosen(each: ProxyEndpoint, mode: TopologyMode) -> bool:
        match mode:
            case TopologyMode.SAME_NODE:
                return config.name in each.node_hints
            case TopologyMode.SAME_ZONE:
                return config.zone in each.zone_hints
            case TopologyMode.NONE:
                return True

    return frozenset(
        frozenset(target for target, each in ready.items() if is_chosen(each, mode))
        for mode in topology_modes(ready.values(), config)
    )


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
