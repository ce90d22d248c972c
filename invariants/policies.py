"""What internal and external traffic policy let a packet do, and what a refusal then means."""

from invariants.invariant import CONTRACT_MODES, Kind, Violation, invariant
from invariants.packets import (
    SourceClass,
    has_usable,
    is_guarded,
    is_shut_out,
    place,
    source_class,
    unless_some_owner_allows,
)
from invariants.places import Ownership, is_held_to_node, targets
from invariants.topology import cluster_sets
from model.frontends import FrontendKind, NodeView
from model.objects import TrafficPolicy
from model.outcome import Outcome, Target, Verdict
from model.packet import Packet


@invariant(
    "INV-39",
    "A frontend refuses only while no endpoint in the cluster is usable; it swallows only while one is, or "
    "by source ranges or the guard of loopback; and it translates only while one is.",
    kind=Kind.PACKET,
    source=("FWD-REJ-01", "FWD-REJ-02", "FWD-LBSR-01", "MODE-02"),
    modes=CONTRACT_MODES,
)
def a_verdict_tells_whether_endpoints_are_usable(
    view: NodeView, packet: Packet, outcome: Outcome
) -> Violation | None:
    def wrong(owned: Ownership) -> str | None:
        usable = has_usable(owned)
        right = {
            Verdict.REJECT: not usable,
            Verdict.DROP: usable or is_shut_out(packet, owned) or is_guarded(view, packet),
            Verdict.DNAT: usable,
            Verdict.PASS: True,  # INV-38 speaks of what is left alone
        }
        odd = [leaf.verdict.value for leaf in outcome.leaves if not right[leaf.verdict]]
        how = "a usable endpoint" if usable else "no usable endpoint"
        return f"gets {odd[0]}, while {owned.service_port.name} has {how}" if odd else None

    return unless_some_owner_allows(view, packet, wrong)


@invariant(
    "INV-41",
    "Under internal policy Local a packet to a cluster IP goes to endpoints of this node only, wherever it "
    "comes from.",
    kind=Kind.PACKET,
    source=("FWD-ITP-01", "FWD-ITP-02"),
    modes=CONTRACT_MODES,
)
def internal_policy_local_stays_on_the_node(
    view: NodeView, packet: Packet, outcome: Outcome
) -> Violation | None:
    def wrong(owned: Ownership) -> str | None:
        policy = owned.service_port.internal_policy
        if owned.kind is not FrontendKind.CIP or policy is not TrafficPolicy.LOCAL:
            return None
        return _leaves_the_node(view, owned, outcome)

    return unless_some_owner_allows(view, packet, wrong)


@invariant(
    "INV-42",
    "Under external policy Local a packet from outside to an external frontend goes to endpoints of this "
    "node only.",
    kind=Kind.PACKET,
    source=("FWD-ETP-04", "FWD-ETP-05"),
    modes=CONTRACT_MODES,
)
def external_policy_local_keeps_outsiders_on_the_node(
    view: NodeView, packet: Packet, outcome: Outcome
) -> Violation | None:
    def wrong(owned: Ownership) -> str | None:
        if owned.kind is FrontendKind.CIP or not is_held_to_node(view, packet, owned):
            return None
        return _leaves_the_node(view, owned, outcome)

    return unless_some_owner_allows(view, packet, wrong)


def _leaves_the_node(view: NodeView, owned: Ownership, outcome: Outcome) -> str | None:
    for target in targets(outcome):
        endpoint = owned.endpoints.get(target)
        if endpoint is None or not endpoint.local:
            return f"may go to {place(view, target)}, which is no endpoint on {view.config.name}"
    return None


@invariant(
    "INV-43",
    "Under external policy Local a pod or the node itself reaches by an external frontend just the "
    "endpoints that policy Cluster would give it.",
    kind=Kind.PACKET,
    source=("FWD-ETP-02", "FWD-ETP-03", "FWD-EP-02", "FWD-TOPO-03"),
    modes=CONTRACT_MODES,
)
def external_policy_local_does_not_bind_insiders(
    view: NodeView, packet: Packet, outcome: Outcome
) -> Violation | None:
    """Where nothing is usable INV-40 speaks, which knows no policy."""

    def wrong(owned: Ownership) -> str | None:
        if not is_short_circuited(view, packet, owned) or not has_usable(owned):
            return None
        # INV-38 speaks of what is left alone, which a guard may still swallow (MODE-02).
        turned_away = (Verdict.REJECT,) if is_guarded(view, packet) else (Verdict.REJECT, Verdict.DROP)
        lost = [leaf.verdict.value for leaf in outcome.leaves if leaf.verdict in turned_away]
        if lost:
            return f"gets {lost[0]}, though external policy does not bind its source"
        if not targets(outcome):
            return None
        got = set(targets(outcome))
        faults = [_unlike(wanted, got, view, owned) for wanted in cluster_sets(view, owned)]
        return None if None in faults else faults[0]

    return unless_some_owner_allows(view, packet, wrong)


def _unlike(wanted: frozenset[Target], got: set[Target], view: NodeView, owned: Ownership) -> str | None:
    """In what the endpoints that are used differ from those wanted; None where they do not.

    Of endpoints that are gone, not ready or not yet to be used INV-35 and INV-36 speak.
    """
    ready = {target for target, each in owned.endpoints.items() if each.ready}
    not_given = ready & got - wanted
    if not_given:
        return f"may go to {place(view, min(not_given))}, which policy Cluster would not give it"
    if wanted - got:
        return f"never goes to {place(view, min(wanted - got))}, which policy Cluster would give it"
    return None


def is_short_circuited(view: NodeView, packet: Packet, owned: Ownership) -> bool:
    """Whether external policy Local would bind the packet, came it from outside (FWD-ETP-02, -03)."""
    return (
        owned.kind is not FrontendKind.CIP
        and owned.service_port.external_policy is TrafficPolicy.LOCAL
        and source_class(view, packet) is not SourceClass.OFF
        and not is_shut_out(packet, owned)
    )
