"""The packet space of one node and family, cut into cells that nothing tells apart.

A cell is a class of destinations times sets of protocols and ports. For each class of
destinations the rules that its packets can meet are followed, and each condition on
protocol and port met on the way is a box, clipped to the boxes it was reached through;
what the model says of that destination adds more. The boxes cut the plane of protocol
and port; what no box touches stays one cell. Sources are not cut here: the walk
holds them as regions.

Law: the cells of a node cover every (destination, protocol, port) exactly once, so
their sizes sum to 2^(address bits + 8 + 16).
"""

import itertools
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from model.frontends import NodeView
from model.intervals import Intervals, complement, contains, single, size
from model.node_config import ProxyMode
from model.packet import SCTP, TCP, UDP
from oracle.space.ends import Cell
from oracle.space.mentions import PORTS, Box, Mentions
from oracle.space.places import Place, Places
from oracle.space.typical import typical, typical_address


class Region(NamedTuple):
    """A cell with all that it covers; `met` says whether any box holds it."""

    cell: Cell
    destinations: Intervals
    protocols: Intervals
    ports: Intervals
    met: bool

    @property
    def size(self) -> int:
        """How many (destination, protocol, port) it covers."""
        return size(self.destinations) * size(self.protocols) * size(self.ports)


def register_model(places: Places, view: NodeView) -> None:
    """Registers every set of destinations that the model tells apart."""
    places.register(view.local_addresses)
    places.register(view.node_port_addresses)
    places.register(view.family.loopback)
    if view.config.mode is ProxyMode.NFTABLES:  # MODE-06
        places.register(view.service_ranges)
    for address, _, _ in view.by_address:
        places.register(single(address))


def regions(
    places: Places, mentions: Mentions, view: NodeView, *beside: tuple[Mentions, NodeView]
) -> Iterator[Region]:
    """Every cell of the node, each with the packets that it stands for.

    What others say that are to be held `beside` it cuts the cells too.
    """
    boxes_of = _ModelBoxes(view)
    others = [(said, _ModelBoxes(other)) for said, other in beside]
    for place in places.classes():
        boxes = boxes_of(place)
        boxes.update(mentions.at(place.signature))
        for said, boxes_of_other in others:
            boxes |= boxes_of_other(place)
            boxes.update(said.at(place.signature))
        destination = typical_address(view, place)
        for protocols, ports, met in _partition(boxes):
            protocol = typical(protocols, (1, 58, TCP, UDP, SCTP))
            port = typical(ports, (0,) if protocol not in (TCP, UDP, SCTP) else (4321,))
            cell = Cell(place.signature, destination, protocol, port)
            yield Region(cell, place.addresses, protocols, ports, met)


class _ModelBoxes:
    """What the model tells apart at each class of destinations."""

    def __init__(self, view: NodeView) -> None:
        self._view = view
        self._at: dict[int, set[Box]] = {}
        for address, protocol, port in view.by_address:
            self._at.setdefault(address, set()).add((single(protocol), single(port)))
        self._node_ports = {(single(protocol), single(port)) for protocol, port in view.by_node_port}
        # Refusals of iptables mode match every address of the node (MODE-11); elsewhere those on
        # which node ports are served say all, and ipvs mode has many others (MODE-04).
        is_iptables = view.config.mode is ProxyMode.IPTABLES
        self._served = view.local_addresses if is_iptables else view.node_port_addresses
        # The filter of ipvs mode lets them through without a look at the protocol.
        checked = (TCP, UDP) if view.config.mode is ProxyMode.IPVS else (TCP,)
        self._health = {(single(one), single(port)) for one in checked for port in view.health_check_ports}

    def __call__(self, place: Place) -> set[Box]:
        first = place.addresses[0][0]
        boxes = set(self._at.get(first, ())) if place.addresses == single(first) else set()
        if contains(self._view.local_addresses, first):
            boxes |= self._health
        if contains(self._served, first):
            boxes |= self._node_ports
        return boxes


def _partition(boxes: set[Box]) -> Iterator[tuple[Intervals, Intervals, bool]]:
    """The plane of protocol and port, cut by the boxes; equal treatment stays together.

    Yields (protocols, ports, whether some box holds them).
    """
    listed = list(boxes)
    if len(listed) == 1:
        protocols, ports = listed[0]
        yield protocols, ports, True
        if others := complement(ports, 65535):
            yield protocols, others, False
        if rest := complement(protocols, 255):
            yield rest, PORTS, False
        return
    for protocols, inside in _classes([box[0] for box in listed], 255):
        for ports, holding in _classes([listed[at][1] for at in inside], 65535):
            yield protocols, ports, bool(holding)


def _classes(sets: Sequence[Intervals], top: int) -> Iterator[tuple[Intervals, tuple[int, ...]]]:
    """Numbers 0..top grouped by which of the sets hold them, with those sets' positions."""
    enters: dict[int, list[int]] = {}
    leaves: dict[int, list[int]] = {}
    for at, values in enumerate(sets):
        for low, high in values:
            enters.setdefault(low, []).append(at)
            leaves.setdefault(high + 1, []).append(at)
    cuts = sorted({0, *enters, *leaves, top + 1})
    active: set[int] = set()
    groups: dict[tuple[int, ...], list[tuple[int, int]]] = {}
    for low, following in itertools.pairwise(cuts):
        active.difference_update(leaves.get(low, ()))
        active.update(enters.get(low, ()))
        if low > top:
            break
        spans = groups.setdefault(tuple(sorted(active)), [])
        if spans and spans[-1][1] == low - 1:
            spans[-1] = (spans[-1][0], following - 1)
        else:
            spans.append((low, following - 1))
    for inside, found in groups.items():
        yield tuple(found), inside
