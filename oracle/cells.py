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
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from model.addresses import Family
from model.frontends import NodeView
from model.intervals import Intervals, contains, intersect, single, size
from model.packet import SCTP, TCP, UDP
from oracle.places import Place, Places, Signature
from oracle.program import Guard, Program, Programs
from oracle.ruleset import Dnat, Goto, Jump, Redirect
from oracle.walk import Cell

PROTOCOLS: Intervals = ((0, 255),)
PORTS: Intervals = ((0, 65535),)

Box = tuple[Intervals, Intervals]  # protocols, ports


class Region(NamedTuple):
    """A cell with all that it covers."""

    cell: Cell
    destinations: Intervals
    protocols: Intervals
    ports: Intervals

    @property
    def size(self) -> int:
        """How many (destination, protocol, port) it covers."""
        return size(self.destinations) * size(self.protocols) * size(self.ports)


def register_model(places: Places, view: NodeView) -> None:
    """Registers every set of destinations that the model tells apart."""
    places.register(view.local_addresses)
    places.register(view.node_port_addresses)
    places.register(view.family.loopback)
    for address, _, _ in view.by_address:
        places.register(single(address))


def regions(places: Places, programs: Sequence[Programs], view: NodeView) -> Iterator[Region]:
    """Every cell of the node, each with the packets that it stands for."""
    boxes_of = _ModelBoxes(view)
    mentions = _Mentions(places, programs, view)
    for place in places.classes():
        boxes = boxes_of(place)
        mentions.collect(place, boxes)
        destination = _typical_address(view, place)
        for protocols, ports in _partition(boxes):
            protocol = _typical(protocols, (1, 58, TCP, UDP, SCTP))
            port = _typical(ports, (0,) if protocol not in (TCP, UDP, SCTP) else (4321,))
            yield Region(
                Cell(place.signature, destination, protocol, port), place.addresses, protocols, ports
            )


class _ModelBoxes:
    """What the model tells apart at each class of destinations."""

    def __init__(self, view: NodeView) -> None:
        self._view = view
        self._at: dict[int, set[Box]] = {}
        for address, protocol, port in view.by_address:
            self._at.setdefault(address, set()).add((single(protocol), single(port)))
        self._local: set[Box] = {(single(protocol), single(port)) for protocol, port in view.by_node_port} | {
            (single(TCP), single(port)) for port in view.health_check_ports
        }

    def __call__(self, place: Place) -> set[Box]:
        first = place.addresses[0][0]
        boxes = set(self._at.get(first, ())) if place.addresses == single(first) else set()
        if contains(self._view.local_addresses, first):
            boxes |= self._local
        return boxes


class _Mentions:
    """Collects the boxes of every condition that packets of a class can meet."""

    def __init__(self, places: Places, programs: Sequence[Programs], view: NodeView) -> None:
        self._places = places
        self._local = places.register(view.local_addresses)
        self._bases = [
            (table, chain)
            for one in programs
            for table in one.tables.values()
            for chain in table.values()
            if chain.policy is not None
        ]
        primary = view.config.primary_address(view.family)
        self._own = [view.family.loopback[0][0] | 1, *([] if primary is None else [primary])]
        self._boxes: set[Box] = set()
        self._seen: set[tuple[int, Signature, Box]] = set()

    def collect(self, place: Place, boxes: set[Box]) -> None:
        """Adds the boxes of the class to `boxes`."""
        self._boxes = boxes
        self._seen = set()
        self._follow_all(place.signature, (PROTOCOLS, PORTS))

    def _follow_all(self, signature: Signature, reached: Box) -> None:
        """Every base chain that packets of a class can meet."""
        to_node = self._local in signature
        for table, chain in self._bases:
            if (chain.name == "INPUT" and not to_node) or (chain.name == "FORWARD" and to_node):
                continue
            self._follow(table, chain, signature, reached)

    def _follow(self, table: dict[str, Program], chain: Program, signature: Signature, reached: Box) -> None:
        key = (id(chain), signature, reached)
        if key in self._seen:
            return
        self._seen.add(key)
        for step in chain.at_class(signature):
            guard, then = step.guard, step.then
            here = reached
            if guard.protocols is not None or guard.ports is not None:
                clipped = _clip(guard, reached)
                if clipped is None:
                    continue
                here = clipped
                self._boxes.add(here)
            if isinstance(then, Jump | Goto):
                self._follow(table, table[then.chain], signature, here)
            elif isinstance(then, Dnat | Redirect) and not (size(here[0]) == 1 and then.port is not None):
                self._follow_translated(then, here)

    def _follow_translated(self, then: Dnat | Redirect, here: Box) -> None:
        """What is left of protocol and port is told apart at the new destination too."""
        addresses = self._own if isinstance(then, Redirect) else [then.address]
        ports = here[1] if then.port is None else PORTS
        for address in addresses:
            if address is None:
                continue
            self._follow_all(self._places.signature(address), (here[0], ports))


def _clip(guard: Guard, reached: Box) -> Box | None:
    """What is left of a box behind a condition, None when nothing is."""
    protocols = reached[0] if guard.protocols is None else intersect(reached[0], guard.protocols)
    ports = reached[1] if guard.ports is None else intersect(reached[1], guard.ports)
    return (protocols, ports) if protocols and ports else None


def _partition(boxes: set[Box]) -> Iterator[Box]:
    """The plane of protocol and port, cut by the boxes; equal treatment stays together."""
    listed = list(boxes)
    for protocols, inside in _classes([box[0] for box in listed], 255):
        for ports, _ in _classes([listed[at][1] for at in inside], 65535):
            yield protocols, ports


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


def _typical(values: Intervals, preferred: Iterable[int]) -> int:
    for one in preferred:
        if contains(values, one):
            return one
    return values[0][0]


_PUBLIC = {
    Family.IPV4: (0xC6336401, 0xCB007109),  # documentation addresses: 198.51.100.1, 203.0.113.9
    Family.IPV6: (0x20010DB8 << 96 | 1,),
}


def _typical_address(view: NodeView, place: Place) -> int:
    """An address of the class that a reader recognises, where there is one."""
    family = view.family
    primary = view.config.primary_address(family)
    preferred = [*_PUBLIC[family], family.loopback[0][0] | 1]
    if primary is not None:
        preferred.insert(0, primary)
    return _typical(place.addresses, preferred)
