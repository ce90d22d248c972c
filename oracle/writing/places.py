"""What the contract demands, place by place, in the form that rules are written from.

A `Place` is a set of destinations with a protocol and a port (None: any port, and a set of
protocols), and for each `Way` that packets come by, their fates over all sources. Everything is
asked of `model.expected.Contract`; no row of the contract is said again here.

Where the contract allows several outcomes (FWD-OBJ-08, EPS-SL-08) the first owner's first choice
is taken, everywhere the same.
"""

from collections.abc import Iterable, Iterator

import attrs

from model.expectation import expect
from model.expected import Contract
from model.fate import Fates, LeafFate, outcome_at
from model.frontends import NodeView, Owner
from model.intervals import Intervals, apart, contains, intersect, normalise, single, subtract, union
from model.node_config import DetectLocalMode, ProxyMode
from model.outcome import Verdict
from model.packet import ICMP, TCP, Origin, Packet

_Alike = tuple[Intervals, int, dict["Way", Fates]]

_PROTOCOLS = ((0, 0xFF),)
_ICMP = normalise((number, number) for number in ICMP)


@attrs.frozen
class Way:
    """How packets come: from where, and whether by an interface that is taken for a pod's."""

    name: str
    origin: Origin
    from_pod_interface: bool = False


WIRE = Way("wire", Origin.WIRE)
POD_INTERFACE = Way("pod", Origin.WIRE, from_pod_interface=True)
NODE = Way("node", Origin.NODE)


@attrs.frozen(eq=False)
class Place:
    """Destinations that are treated alike, and how, by way.

    `owner` is None for destinations of no Service. `sample` is one of the destinations.
    """

    owner: Owner | None
    destinations: Intervals
    protocols: Intervals
    port: int | None
    sample: int
    fates: dict[Way, Fates]


def ways(view: NodeView) -> tuple[Way, ...]:
    """The ways that the node can tell apart."""
    return (WIRE, NODE) if view.pod_sources is not None else (POD_INTERFACE, WIRE, NODE)


def owned_places(view: NodeView, contract: Contract) -> Iterator[Place]:
    """Every frontend: addresses first, which win over node ports (FWD-OBJ-07)."""
    for (address, protocol, port), owners in view.by_address.items():
        fates = _fates(view, contract, address, protocol, port)
        yield Place(owners[0], single(address), single(protocol), port, address, fates)
    is_iptables = view.config.mode is ProxyMode.IPTABLES
    served = view.local_addresses if is_iptables else view.node_port_addresses
    for (protocol, port), owners in view.by_node_port.items():
        alike: list[_Alike] = []
        taken = normalise((a, a) for a, of, at in view.by_address if (of, at) == (protocol, port))
        for atom in _atoms(view, served):
            left = subtract(atom, taken)
            if left:
                sample = left[0][0]
                _gather(alike, left, sample, _fates(view, contract, sample, protocol, port))
        for destinations, sample, fates in alike:
            yield Place(owners[0], destinations, single(protocol), port, sample, fates)


def unowned_places(view: NodeView, contract: Contract) -> Iterator[Place]:
    """Destinations of no Service with which the mode does something (MODE-02, MODE-05 to MODE-07)."""
    for protocols in (_ICMP, subtract(_PROTOCOLS, _ICMP)):
        alike: list[_Alike] = []
        protocol = ICMP[0] if protocols is _ICMP else TCP
        for atom in _atoms(view, view.family.everything):
            fates = _fates(view, contract, atom[0][0], protocol, 0)
            if any(is_refusal(leaf) for of in fates.values() for fate in of for leaf in fate.leaves):
                _gather(alike, atom, atom[0][0], fates)
        for destinations, sample, fates in alike:
            yield Place(None, destinations, protocols, None, sample, fates)


def merged(places: Iterable[Place]) -> tuple[Place, ...]:
    """The places of no Service, with those of all protocols as one."""
    found: list[Place] = []
    for place in places:
        for at, other in enumerate(found):
            if (other.destinations, other.fates) == (place.destinations, place.fates):
                found[at] = attrs.evolve(other, protocols=union(other.protocols, place.protocols))
                break
        else:
            found.append(place)
    return tuple(found)


def is_refusal(leaf: LeafFate) -> bool:
    """Whether the packet is refused or dropped."""
    return leaf.verdict in (Verdict.REJECT.value, Verdict.DROP.value)


def rows(view: NodeView, place: Place, way: Way, source: int) -> tuple[str, ...]:
    """The rows of the contract that decide for a packet from the source to the place, in order."""
    config = view.config
    interface = None
    if way.from_pod_interface:
        is_bridge = config.detect_local is DetectLocalMode.BRIDGE_INTERFACE
        interface = config.bridge_interface if is_bridge else config.interface_name_prefix + "0"
    packet = Packet(
        view.family, way.origin, source, place.sample, place.protocols[0][0], place.port or 0, interface
    )
    return expect(view, packet).cites


def _atoms(view: NodeView, within: Intervals) -> Iterator[Intervals]:
    """Destinations of which the tables know the same, within a set of them."""
    regions = (
        *(view.local_addresses, view.node_port_addresses, view.family.loopback, view.service_ranges),
        normalise((address, address) for address in view.cluster_ips),
        normalise((address, address) for address in view.bound),
        view.family.everything,
    )
    for atom in apart(region for region in regions if region):
        if inside := intersect(atom, within):
            yield inside


def _gather(alike: list[_Alike], more: Intervals, sample: int, fates: dict[Way, Fates]) -> None:
    """Adds destinations to those with the same fates."""
    for at, (destinations, first, same) in enumerate(alike):
        if same == fates:
            alike[at] = (union(destinations, more), first, same)
            return
    alike.append((more, sample, fates))


def _fates(
    view: NodeView, contract: Contract, destination: int, protocol: int, port: int
) -> dict[Way, Fates]:
    """What becomes of packets to a place, by way; the node's like those from elsewhere where they may be."""
    found: dict[Way, Fates] = {}
    for way in ways(view):
        _, allowed = contract.allowed(
            destination, protocol, port, way.origin, from_pod_interface=way.from_pod_interface
        )
        found[way] = allowed[0]
    wire = _without_ends(view, found[WIRE], found[NODE])
    is_same = _narrowed(wire, view.local_addresses) == _narrowed(found[NODE], view.local_addresses)
    return found | ({WIRE: wire, NODE: wire} if is_same else {})


def _without_ends(view: NodeView, wire: Fates, node: Fates) -> Fates:
    """Fates from the wire with the node's masquerade of what ends on the node.

    Such a packet never meets postrouting (MASQ-09), so it may bear the mark or not.
    """
    by_target: dict[tuple[int, int], Intervals] = {}
    for fate in node:
        for leaf in fate.leaves:
            key = leaf.address, leaf.port
            by_target[key] = union(by_target.get(key, ()), intersect(leaf.masquerade, fate.sources))

    def rewritten(address: int, port: int, masquerade: Intervals) -> Intervals:
        if not contains(view.local_addresses, address):
            return masquerade
        return by_target.get((address, port), masquerade)

    return tuple(
        fate._replace(
            leaves=tuple(
                leaf._replace(masquerade=rewritten(leaf.address, leaf.port, leaf.masquerade))
                for leaf in fate.leaves
            ),
            memories=tuple(
                one._replace(masquerade=rewritten(one.address, one.port, one.masquerade))
                for one in fate.memories
            ),
        )
        for fate in wire
    )


def _narrowed(fates: Fates, sources: Intervals) -> frozenset[object]:
    """What the fates say of some sources, for comparison: one entry for each outcome."""
    out: dict[object, Intervals] = {}
    for fate in fates:
        inside = intersect(fate.sources, sources)
        marks = [intersect(leaf.masquerade, inside) for leaf in fate.leaves]
        for part in apart(one for one in (inside, *marks) if one):
            told = outcome_at((fate,), part[0][0])
            out[told] = union(out.get(told, ()), part)
    return frozenset(out.items())
