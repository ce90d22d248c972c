"""Who answers at all: every frontend is served or refused, and nothing else is translated."""

from collections.abc import Iterable

from invariants.invariant import CONTRACT_MODES, Kind, Violation, invariant
from invariants.places import escapes_refusal, ownerships
from model.frontends import FrontendKind, NodeView
from model.intervals import contains
from model.node_config import ProxyMode
from model.outcome import Outcome, Verdict
from model.packet import Packet
from model.proxy_endpoints import ProxyEndpoint


@invariant(
    "INV-38",
    "A packet to a frontend is never left alone, except by MODE-10; a packet to no frontend is never "
    "sent to an endpoint.",
    kind=Kind.PACKET,
    source=("FWD-OBJ-03", "FWD-OBJ-05", "MODE-10"),
    modes=CONTRACT_MODES,
)
def frontends_and_only_frontends_are_captured(
    view: NodeView, packet: Packet, outcome: Outcome
) -> Violation | None:
    verdicts = {leaf.verdict for leaf in outcome.leaves}
    seen = list(ownerships(view, packet))
    if not seen and Verdict.DNAT in verdicts:
        return Violation(f"{packet} is for no frontend and is sent to an endpoint")
    may_pass = any(
        escapes_refusal(view, packet, owned) and not _has_usable(owned.endpoints.values()) for owned in seen
    )
    if seen and Verdict.PASS in verdicts and not may_pass:
        return Violation(f"{packet} is for {seen[0].service_port.name} and is left alone")
    return None


@invariant(
    "INV-40",
    "While no endpoint in the cluster is usable, every frontend on every node refuses, up to MODE-10, "
    "MODE-12 and the guard of loopback.",
    kind=Kind.PACKET,
    source=("FWD-REJ-01", "MODE-02", "MODE-10", "MODE-12"),
    modes=CONTRACT_MODES,
)
def without_usable_endpoints_every_frontend_refuses(
    view: NodeView, packet: Packet, outcome: Outcome
) -> Violation | None:
    seen = list(ownerships(view, packet))
    if not seen or any(_has_usable(owned.endpoints.values()) for owned in seen):
        return None
    right = {Verdict.REJECT}
    if any(escapes_refusal(view, packet, owned) for owned in seen):
        right.add(Verdict.PASS)
    # MODE-12: the firewall precedes refusal, but not in iptables mode, where it needs endpoints to exist.
    if view.config.mode is not ProxyMode.IPTABLES and any(
        owned.kind is FrontendKind.LBV
        and owned.service_port.allowed_sources is not None
        and not contains(owned.service_port.allowed_sources, packet.source)
        for owned in seen
    ):
        right.add(Verdict.DROP)
    # MODE-02: a guard may keep loopback addresses closed to others before anything refuses.
    loopback = view.family.loopback
    if contains(loopback, packet.destination) and not contains(loopback, packet.source):
        right.add(Verdict.DROP)
    wrong = [leaf.verdict.value for leaf in outcome.leaves if leaf.verdict not in right]
    if wrong:
        name = seen[0].service_port.name
        return Violation(f"{packet} gets {wrong[0]}, though no endpoint of {name} is usable")
    return None


def _has_usable(endpoints: Iterable[ProxyEndpoint]) -> bool:
    """Whether some endpoint is ready, or still serves while it terminates (FWD-EP-04)."""
    return any(endpoint.ready or endpoint.still_serving for endpoint in endpoints)
