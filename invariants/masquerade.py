"""Whose source address is replaced: just where the rules say, so that replies come back."""

from collections.abc import Iterator

from invariants.invariant import CONTRACT_MODES, Kind, Violation, invariant
from invariants.packets import SourceClass, place, source_class, unless_some_owner_allows
from invariants.places import Ownership
from model.frontends import FrontendKind, NodeView
from model.intervals import contains
from model.node_config import ProxyMode
from model.objects import TrafficPolicy
from model.outcome import Outcome, Target
from model.packet import Origin, Packet


@invariant(
    "INV-62",
    "A translated packet's source is replaced exactly by MASQ-01, -02, -04, -06 or -08; but never where "
    "the packet came by the wire and ends at an address of the node, which meets no postrouting.",
    kind=Kind.PACKET,
    source=("MASQ-01", "MASQ-02", "MASQ-04", "MASQ-06", "MASQ-08", "MASQ-09", "MODE-21"),
    modes=CONTRACT_MODES,
)
def the_source_is_replaced_just_by_the_rules(
    view: NodeView, packet: Packet, outcome: Outcome
) -> Violation | None:
    def wrong(owned: Ownership) -> str | None:
        for target, masquerade in _translations(outcome):
            if masquerade is not must_masquerade(view, packet, owned, target):
                how = "replaced" if masquerade else "kept"
                return f"has its source {how} on the way to {place(view, target)}"
        return None

    return unless_some_owner_allows(view, packet, wrong)


def must_masquerade(view: NodeView, packet: Packet, owned: Ownership, target: Target) -> bool:
    """Whether section 8 of the contract wants the source replaced."""
    if _ends_on_node(view, packet, target):
        return False
    if _is_hairpin(view, packet, owned, target):
        return True  # MASQ-08
    source = source_class(view, packet)
    if owned.kind is FrontendKind.CIP:
        outside = view.detector and source is not SourceClass.POD
        return view.config.masquerade_all or outside  # MASQ-01, MASQ-02
    if owned.service_port.external_policy is TrafficPolicy.CLUSTER:
        return True  # MASQ-04
    return source is SourceClass.HOST  # MASQ-06


@invariant(
    "INV-63",
    "By an external frontend, a packet that an endpoint elsewhere gets, from outside or under external "
    "policy Cluster, has its source replaced, so that the reply comes back through this node.",
    kind=Kind.PACKET,
    source=("MASQ-04", "MASQ-05", "MASQ-06", "MASQ-07"),
    modes=CONTRACT_MODES,
)
def replies_come_back_through_the_node(view: NodeView, packet: Packet, outcome: Outcome) -> Violation | None:
    def wrong(owned: Ownership) -> str | None:
        if owned.kind is FrontendKind.CIP:
            return None
        is_outside = source_class(view, packet) is SourceClass.OFF
        if not is_outside and owned.service_port.external_policy is TrafficPolicy.LOCAL:
            return None
        for target, masquerade in _translations(outcome):
            endpoint = owned.endpoints.get(target)
            if endpoint is None or endpoint.local or contains(view.local_addresses, target.address):
                continue  # of what is no endpoint INV-35 speaks
            if not masquerade:
                return f"goes to {place(view, target)} with its source kept, so the reply bypasses the node"
        return None

    return unless_some_owner_allows(view, packet, wrong)


@invariant(
    "INV-64",
    "A packet that comes back to its own sender, an endpoint on this node, has its source replaced; but "
    "for MASQ-09 where the sender has the node's own address.",
    kind=Kind.PACKET,
    source=("MASQ-08", "MASQ-09"),
    modes=CONTRACT_MODES,
)
def nobody_answers_itself_behind_the_node(
    view: NodeView, packet: Packet, outcome: Outcome
) -> Violation | None:
    def wrong(owned: Ownership) -> str | None:
        for target, masquerade in _translations(outcome):
            endpoint = owned.endpoints.get(target)
            comes_back = endpoint is not None and endpoint.local and target.address == packet.source
            if comes_back and not masquerade and not _ends_on_node(view, packet, target):
                return f"comes back to its sender {place(view, target)} with its source kept"
        return None

    return unless_some_owner_allows(view, packet, wrong)


@invariant(
    "INV-65",
    "Under external policy Local the endpoint sees the address of a client from outside, unless it is "
    "that client itself.",
    kind=Kind.PACKET,
    source=("MASQ-07", "MASQ-08"),
    modes=CONTRACT_MODES,
)
def outsiders_keep_their_address_under_policy_local(
    view: NodeView, packet: Packet, outcome: Outcome
) -> Violation | None:
    def wrong(owned: Ownership) -> str | None:
        is_local = owned.service_port.external_policy is TrafficPolicy.LOCAL
        if owned.kind is FrontendKind.CIP or not is_local:
            return None
        if source_class(view, packet) is not SourceClass.OFF:
            return None
        for target, masquerade in _translations(outcome):
            if masquerade and target.address != packet.source:
                return f"reaches {place(view, target)} under another address than its own"
        return None

    return unless_some_owner_allows(view, packet, wrong)


def _translations(outcome: Outcome) -> Iterator[tuple[Target, bool]]:
    """Each target by chance or by memory, and whether the source is replaced on the way there."""
    for leaf in outcome.leaves:
        if leaf.target is not None:
            yield leaf.target, leaf.masquerade
    for memory in outcome.affinity:
        yield memory.target, memory.masquerade


def _ends_on_node(view: NodeView, packet: Packet, target: Target) -> bool:
    return packet.origin is Origin.WIRE and contains(view.local_addresses, target.address)


def _is_hairpin(view: NodeView, packet: Packet, owned: Ownership, target: Target) -> bool:
    """In nftables mode only endpoints of this node are looked after (MODE-21)."""
    endpoint = owned.endpoints.get(target)
    is_here = endpoint is not None and endpoint.local
    return target.address == packet.source and (is_here or view.config.mode is not ProxyMode.NFTABLES)
