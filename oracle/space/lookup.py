"""What a node does with one packet, from an index: the same answer as the plain walk.

A packet is looked up by the class of its destination, its protocol and its port; what
happens to such packets is worked out once for all sources and then only read. The cost
does not grow with the number of Services. A test holds it equal to `oracle.plain`.
"""

from collections.abc import Sequence

from model.fate import Fate, outcome_at
from model.frontends import NodeView
from model.intervals import contains
from model.outcome import Outcome
from model.packet import Origin, Packet
from oracle.plain import trace
from oracle.ruleset import Ruleset
from oracle.space.compare import Comparison, prepare
from oracle.space.ends import Cell

MAX_REMEMBERED = 1 << 20  # cells kept; a caller asking about more starts afresh


class _Ready:
    """A fate whose outcomes are kept: one for each set of targets that is masqueraded."""

    __slots__ = ("_fate", "_masks", "_outcomes", "sources")

    def __init__(self, fate: Fate) -> None:
        self.sources = fate.sources
        self._fate = fate
        self._masks = list(dict.fromkeys(leaf.masquerade for leaf in fate.leaves))
        self._outcomes: dict[tuple[bool, ...], Outcome] = {}

    def outcome(self, source: int) -> Outcome:
        """What happens to a packet from one of the fate's sources."""
        pattern = tuple([contains(mask, source) for mask in self._masks])
        found = self._outcomes.get(pattern)
        if found is None:
            found = outcome_at((self._fate,), source)
            assert found is not None
            self._outcomes[pattern] = found
        return found


class Lookup:
    """Rule sets of one family on one node, indexed for questions about single packets."""

    def __init__(self, view: NodeView, rulesets: Sequence[Ruleset]) -> None:
        self._rulesets = rulesets
        self._comparison: Comparison = prepare(view, rulesets)
        self._known: dict[tuple[object, ...], tuple[_Ready, ...]] = {}

    def outcome(self, packet: Packet) -> Outcome:
        """What the rules do with the packet, where no line that cannot be judged decides.

        Where one does, it is taken as not matching, as in `oracle.findings.Trace`.
        """
        signature = self._comparison.places.signature(packet.destination)
        key = (signature, packet.protocol, packet.port, packet.origin, packet.in_interface)
        if key in self._known:
            fates = self._known[key]
        else:
            if len(self._known) >= MAX_REMEMBERED:
                self._known.clear()
            cell = Cell(signature, packet.destination, packet.protocol, packet.port)
            found = self._comparison.fates.walked(cell, packet.origin is Origin.WIRE, packet.in_interface)
            # What is unsure is left to the plain walk.
            settled = len(found.worlds) == 1 and not found.stuck
            fates = tuple(map(_Ready, found.worlds[0])) if settled else ()
            self._known[key] = fates
        for fate in fates:
            if contains(fate.sources, packet.source):
                return fate.outcome(packet.source)
        return trace(self._rulesets, self._comparison.view.config, packet).outcome
