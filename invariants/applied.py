"""What nodes have applied, and what the slices that they applied say, by definition.

Said here once more, beside the proxies' part of the model, so that a claim does not
believe what it is meant to check.
"""

from collections.abc import Iterable, Iterator

from invariants.invariant import Step
from invariants.places import owners
from model.addresses import Family, parse_address
from model.cluster.state import Proxy
from model.controllers.ip_text import read_ip
from model.frontends import FrontendKind, NodeView, ServicePortView
from model.intervals import contains
from model.objects import Endpoint, EndpointSlice
from model.outcome import Target
from model.packet import Origin, Packet

Entries = dict[Target, list[Endpoint]]
"""What the slices of a Service list for one of its ports, several times for one place perhaps."""

OUTSIDE = {Family.IPV4: "203.0.113.200", Family.IPV6: "2001:db8:c::200"}
"""A client that is neither pod nor node."""


def kept_proxies(step: Step) -> Iterator[tuple[str, Proxy, Proxy]]:
    """Each node that is there before and after the step, with its proxy as it was and as it is."""
    before, after = step.before.proxies, step.after.proxies
    if before is after:
        return
    for node, was in before.items():
        proxy = after.get(node)
        if proxy is not None and proxy is not was:
            yield node, was, proxy


def entries(slices: Iterable[EndpointSlice], family: Family, name: str, protocol: str) -> Entries:
    """Every entry of the slices for a port, by its place (EPS-PORT-05, EPS-SEL-06, EPS-SL-05)."""
    found: Entries = {}
    for one in slices:
        if one.headless or one.address_type != family.value:
            continue
        numbers = [port.port for port in one.ports if (port.name, port.protocol) == (name, protocol)]
        for endpoint in one.endpoints:
            read = read_ip(next(iter(endpoint.addresses), ""))
            if read is None or read[0] is not family:
                continue
            for number in filter(None, numbers):
                place = Target(parse_address(read[1])[1], number)
                found.setdefault(place, []).append(endpoint)
    return found


def is_ready(endpoint: Endpoint) -> bool:
    """EPS-COND-03"""
    return endpoint.ready is not False


def is_serving(endpoint: Endpoint) -> bool:
    """EPS-COND-03"""
    return endpoint.serving is not False


def is_draining(endpoint: Endpoint) -> bool:
    """Serves while it terminates, and is not ready."""
    return not is_ready(endpoint) and is_serving(endpoint) and endpoint.terminating is True


def has_usable(found: Entries) -> bool:
    """Whether some place may be used, whichever of its entries a proxy goes by (EPS-SL-08, FWD-EP-04)."""
    for listed in found.values():
        staying = [each for each in listed if not each.terminating] or listed
        if all(is_ready(each) or is_draining(each) for each in staying):
            return True
    return False


def only_owner(view: NodeView, packet: Packet) -> ServicePortView | None:
    """The service port that a frontend is of; None where it is none, or Services clash (FWD-OBJ-08)."""
    found = {one.name: one for one, _ in owners(view, packet)}
    return next(iter(found.values())) if len(found) == 1 else None


def from_outside(view: NodeView, protocol: int, destination: int, port: int) -> Packet:
    """A packet from a client that is neither pod nor node."""
    source = parse_address(OUTSIDE[view.family])[1]
    return Packet(view.family, Origin.WIRE, source, destination, protocol, port)


def open_frontends(view: NodeView, one: ServicePortView) -> Iterator[tuple[int, int]]:
    """Address and port of each external frontend that no source range closes; loopback left out."""
    for kind, address in one.addresses:
        if kind is FrontendKind.EXT:
            yield address, one.port
    for low, _ in view.node_port_addresses if one.node_port else ():
        if not contains(view.family.loopback, low):
            yield low, one.node_port
