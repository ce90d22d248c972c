"""What rules say of protocol and port, with the destinations and boxes they are reached by.

One walk over the chains, from the base chains down: every condition on protocol or port
is a box, clipped to the boxes on the way to it, and holds for packets that are in all the
destination sets on the way. A destination's boxes are then looked up, not walked for.
"""

from collections.abc import Iterator, Sequence

from model.frontends import NodeView
from model.intervals import Intervals, intersect, size
from oracle.hooks import base_of
from oracle.ruleset import Dnat, Goto, Hookpoint, Jump, Redirect
from oracle.space.places import Places, Signature
from oracle.space.program import Program
from oracle.space.programs import Programs

PROTOCOLS: Intervals = ((0, 255),)
PORTS: Intervals = ((0, 65535),)

Box = tuple[Intervals, Intervals]  # protocols, ports
_WHOLE: Box = (PROTOCOLS, PORTS)
_NOWHERE: Signature = frozenset()


class Mentions:
    """The boxes that the rules of a node tell apart, by destination."""

    def __init__(self, places: Places, programs: Sequence[Programs], view: NodeView) -> None:
        self._by_place: dict[int | None, dict[tuple[Signature, Box], None]] = {}
        self._seen: set[tuple[int, Signature, Box]] = set()
        self._moved: list[tuple[Signature, Box, Dnat | Redirect]] = []
        to_node = frozenset({places.register(view.local_addresses)})
        for one in programs:
            for table, chain in one.ruleset.base_chains:
                reached = to_node if base_of(table, chain).point is Hookpoint.INPUT else _NOWHERE
                self._follow(one, table, one.program(table, chain.name), reached, _WHOLE)
        primary = view.config.primary_address(view.family)
        own = [view.family.loopback[0][0] | 1, *([] if primary is None else [primary])]
        for reached, box, then in self._moved:
            # What is left of protocol and port is told apart at the new destination too.
            ports = box[1] if then.port is None else PORTS
            for address in own if isinstance(then, Redirect) else [then.address]:
                if address is not None:
                    for protocols, inside in list(self.at(places.signature(address))):
                        both = intersect(protocols, box[0]), intersect(inside, ports)
                        if both[0] and both[1]:
                            self._add(reached, both if then.port is None else (both[0], box[1]))

    def at(self, signature: Signature) -> Iterator[Box]:
        """The boxes that packets to a class of destinations can meet."""
        for place in (*signature, None):
            for reached, box in self._by_place.get(place, ()):
                if reached <= signature:
                    yield box

    def _add(self, reached: Signature, box: Box) -> None:
        key = max(reached) if reached else None
        self._by_place.setdefault(key, {})[reached, box] = None

    def _follow(self, programs: Programs, table: str, chain: Program, reached: Signature, box: Box) -> None:
        key = (id(chain), reached, box)
        if key in self._seen:
            return
        self._seen.add(key)
        one_protocol = box[0][0][0] == box[0][-1][1]
        # Below the others at most a protocol is asked for, and the box has settled that.
        for rule in programs.loud_rules(table, chain.name) if one_protocol else chain.rules:
            then = rule.then
            guard = programs.guard(rule)
            here, inside = reached, box
            if guard.places:
                here = reached.union(guard.places)
            if guard.protocols is not None or guard.ports is not None:
                protocols = box[0] if guard.protocols is None else intersect(box[0], guard.protocols)
                ports = box[1] if guard.ports is None else intersect(box[1], guard.ports)
                if not protocols or not ports:
                    continue
                inside = (protocols, ports)
                self._add(here, inside)
            if isinstance(then, Jump | Goto):
                self._follow(programs, table, programs.program(table, then.chain), here, inside)
            elif isinstance(then, Dnat | Redirect) and (then.port is None or size(inside[0]) > 1):
                self._moved.append((here, inside, then))
