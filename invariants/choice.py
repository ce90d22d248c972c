"""How an endpoint is chosen and what a packet is rewritten to: once, evenly, at the right port."""

from collections import defaultdict
from fractions import Fraction

from invariants.invariant import CONTRACT_MODES, Kind, Violation, invariant
from invariants.packets import place, unless_some_owner_allows
from invariants.places import Ownership, ownerships, targets
from model.frontends import NodeView
from model.outcome import Outcome, Target, Verdict
from model.packet import Origin, Packet

PRINTED = Fraction(1, 10**9)
"""How far one printed probability may be off, ten decimals and their rounding (FWD-LB-01)."""


@invariant(
    "INV-54",
    "A packet that is sent to an endpoint's address arrives at the port that a slice gives there for the "
    "name of the service port.",
    kind=Kind.PACKET,
    source=("FWD-LB-03", "EPS-PORT-05", "NP-05"),
    modes=CONTRACT_MODES,
)
def the_port_is_the_endpoints_own(view: NodeView, packet: Packet, outcome: Outcome) -> Violation | None:
    def wrong(owned: Ownership) -> str | None:
        addresses = {target.address for target in owned.endpoints}
        for target in targets(outcome):
            # Of an address that is no endpoint's INV-35 speaks.
            if target.address in addresses and target not in owned.endpoints:
                name = owned.service_port.name
                return f"arrives at {place(view, target)}, where {name} has another port"
        return None

    return unless_some_owner_allows(view, packet, wrong)


@invariant(
    "INV-55",
    "The place that a packet is rewritten to is not looked up again, even where it is a frontend itself.",
    kind=Kind.PACKET,
    source=("FWD-LB-04", "EPS-SL-06"),
    modes=CONTRACT_MODES,
)
def nothing_is_translated_twice(view: NodeView, packet: Packet, outcome: Outcome) -> Violation | None:
    def wrong(owned: Ownership) -> str | None:
        strangers = [target for target in targets(outcome) if target not in owned.endpoints]
        for first in owned.endpoints if strangers else ():
            for target in strangers:
                if target in _further(view, packet, first):
                    return f"goes to {place(view, target)} by way of {place(view, first)}"
        return None

    return unless_some_owner_allows(view, packet, wrong)


def _further(view: NodeView, packet: Packet, place: Target) -> set[Target]:
    """The endpoints behind the place, where it is a frontend itself."""
    onward = Packet(
        view.family,
        Origin.WIRE,
        packet.source,
        place.address,
        packet.protocol,
        place.port,
        packet.in_interface,
    )
    return {target for owned in ownerships(view, onward) for target in owned.endpoints}


@invariant(
    "INV-56",
    "A client that no memory knows is sent to each endpoint that it may be sent to with equal odds, up to "
    "the decimals that rules are printed with.",
    kind=Kind.PACKET,
    source=("FWD-LB-01", "AFF-03"),
    modes=CONTRACT_MODES,
)
def chance_is_even(view: NodeView, packet: Packet, outcome: Outcome) -> Violation | None:
    """A translated packet is always translated: what is left alone or refused lacks in the sum."""
    odds: defaultdict[Target, Fraction] = defaultdict(Fraction)
    for leaf in outcome.leaves:
        if leaf.verdict is Verdict.DNAT and leaf.target is not None:
            odds[leaf.target] += leaf.odds  # one target may be reached with its source kept and replaced
    for target, each in odds.items():
        if abs(each - Fraction(1, len(odds))) > len(odds) * PRINTED:
            return Violation(f"{packet} goes to {place(view, target)} with odds {each} among {len(odds)}")
    return None
