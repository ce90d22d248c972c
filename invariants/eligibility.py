"""Which endpoints may be used: usable ones of this very service port, ready ones first."""

from invariants.invariant import CONTRACT_MODES, Kind, Violation, invariant
from invariants.places import is_held_to_node, ownerships, targets
from model.frontends import NodeView
from model.outcome import Outcome
from model.packet import Packet
from model.proxy_endpoints import endpoint_text


@invariant(
    "INV-35",
    "Every endpoint that a packet may be sent to belongs to the service port that owns the frontend, and "
    "is ready or still serves while it terminates.",
    kind=Kind.PACKET,
    source=("FWD-EP-05",),
    modes=CONTRACT_MODES,
)
def only_usable_endpoints_of_the_service_port_are_used(
    view: NodeView, packet: Packet, outcome: Outcome
) -> Violation | None:
    used = targets(outcome)
    seen = list(ownerships(view, packet))
    for owned in seen:
        listed = [owned.endpoints.get(target) for target in used]
        if all(each is not None and (each.ready or each.still_serving) for each in listed):
            return None
    if not used:
        return None
    places = ", ".join(endpoint_text(view.family, target.address, target.port) for target in used)
    owner = seen[0].service_port.name if seen else "no service port"
    return Violation(f"{packet} goes to {places}: not all of them are usable endpoints of {owner}")


@invariant(
    "INV-36",
    "An endpoint that is not ready is used only while no endpoint is ready among those that policy lets "
    "the packet use: all of the cluster's, or this node's where policy Local binds it.",
    kind=Kind.PACKET,
    source=("FWD-EP-02", "FWD-EP-03", "FWD-ITP-02", "FWD-ETP-04"),
    modes=CONTRACT_MODES,
)
def terminating_endpoints_are_the_last_resort(
    view: NodeView, packet: Packet, outcome: Outcome
) -> Violation | None:
    used = targets(outcome)
    passed_over = None
    for owned in ownerships(view, packet):
        if any(target not in owned.endpoints for target in used):
            continue  # not this owner's endpoints: INV-35 speaks of that
        all_ready = all(owned.endpoints[target].ready for target in used)
        bound = is_held_to_node(view, packet, owned)
        better = [
            target
            for target, endpoint in owned.endpoints.items()
            if endpoint.ready and (endpoint.local or not bound)
        ]
        if all_ready or not better:
            return None
        passed_over = better[0]
    if passed_over is None:
        return None
    place = endpoint_text(view.family, passed_over.address, passed_over.port)
    return Violation(f"{packet} may go to an endpoint that is not ready, while {place} is")
