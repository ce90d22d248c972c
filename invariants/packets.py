"""What claims about one packet share: whose it is, where it comes from, and what may hold it back.

By definition, like `invariants.places`: the classes of sources are SRC-01..03.
"""

import enum
from collections.abc import Callable

from invariants.invariant import Violation
from invariants.places import Ownership, ownerships
from model.addresses import format_address
from model.frontends import FrontendKind, NodeView
from model.intervals import contains
from model.outcome import Target
from model.packet import Origin, Packet
from model.proxy_endpoints import endpoint_text


class SourceClass(enum.Enum):
    """Where a packet comes from, as a node tells it (SRC-01..03)."""

    POD = "a pod"
    HOST = "the node"
    OFF = "elsewhere"


def source_class(view: NodeView, packet: Packet) -> SourceClass:
    """Pods are asked for first, so a pod with an address of the node is a pod (SRC-03)."""
    if view.pod_sources is not None:
        is_pod = contains(view.pod_sources, packet.source)
    else:
        is_pod = packet.origin is Origin.WIRE and view.is_pod_interface(packet.in_interface)
    if is_pod:
        return SourceClass.POD
    return SourceClass.HOST if contains(view.local_addresses, packet.source) else SourceClass.OFF


def unless_some_owner_allows(
    view: NodeView, packet: Packet, wrong: Callable[[Ownership], str | None]
) -> Violation | None:
    """What is wrong by every right way to see the packet; None for a packet to no frontend.

    `wrong` says what contradicts one way to see it, None for nothing.
    """
    first = None
    for owned in ownerships(view, packet):
        what = wrong(owned)
        if what is None:
            return None
        first = first or what
    return Violation(f"{packet} {first}") if first is not None else None


def is_shut_out(packet: Packet, owned: Ownership) -> bool:
    """Whether loadBalancerSourceRanges close the frontend to the source (FWD-LBSR-01)."""
    allowed = owned.service_port.allowed_sources
    return owned.kind is FrontendKind.LBV and allowed is not None and not contains(allowed, packet.source)


def is_guarded(view: NodeView, packet: Packet) -> bool:
    """Whether a guard may keep the packet from a loopback address (MODE-02)."""
    loopback = view.family.loopback
    return contains(loopback, packet.destination) and not contains(loopback, packet.source)


def has_usable(owned: Ownership) -> bool:
    """Whether some endpoint is ready, or still serves while it terminates (FWD-EP-04)."""
    return any(each.ready or each.still_serving for each in owned.endpoints.values())


def place(view: NodeView, target: Target) -> str:
    """The target as `ip:port`, or its address alone without a port."""
    if target.port:
        return endpoint_text(view.family, target.address, target.port)
    return format_address(view.family, target.address)
