"""One packet asked of both walks through the rules, and outcomes in a form that compares."""

from collections.abc import Sequence
from fractions import Fraction

import attrs

from model.fate import outcome_at
from model.frontends import NodeView
from model.intervals import contains
from model.outcome import Outcome
from model.packet import Origin, Packet
from oracle.plain import trace
from oracle.ruleset import Ruleset
from oracle.space.cells import regions
from oracle.space.compare import Comparison, prepare


def of_the_node(view: NodeView, packet: Packet) -> Packet:
    """The packet; one that the node sends comes from an address of the node."""
    if packet.origin is Origin.WIRE or contains(view.local_addresses, packet.source):
        return packet
    own = view.config.primary_address(view.family)
    assert own is not None
    return attrs.evolve(packet, source=own)


def plainly(outcome: Outcome) -> tuple[object, ...]:
    """The outcome with equal leaves together and in one order."""
    odds: dict[tuple[object, ...], Fraction] = {}
    for leaf in outcome.leaves:
        key = (leaf.verdict.value, str(leaf.target), leaf.masquerade, leaf.reject_with)
        odds[key] = odds.get(key, Fraction(0)) + leaf.odds
    return (tuple(sorted(odds.items(), key=str)), outcome.affinity)


class Cells:
    """A comparison whose cells can be asked by packet."""

    def __init__(self, view: NodeView, rulesets: Sequence[Ruleset]) -> None:
        self.comparison: Comparison = prepare(view, rulesets)
        self.regions = list(regions(self.comparison.places, self.comparison.mentions, view))

    def worlds(self, packet: Packet) -> set[tuple[object, ...]] | None:
        """What the one cell that holds the packet gives at its source; None where it is not judged."""
        (region,) = [
            region
            for region in self.regions
            if contains(region.destinations, packet.destination)
            and contains(region.protocols, packet.protocol)
            and contains(region.ports, packet.port)
        ]
        fates = self.comparison.fates
        found = fates.found(region, packet.origin is Origin.WIRE, packet.in_interface)
        if found.stuck:
            return None
        return {plainly(one) for world in found.worlds if (one := outcome_at(world, packet.source))}


def assert_walks_agree(view: NodeView, rulesets: Sequence[Ruleset], asked: Sequence[Packet]) -> None:
    """The plain walk of each packet gives what its cell gives at its source.

    Where lines cannot be judged, the cell tells one outcome for each way to settle them:
    several exactly when the plain walk is unsure. A target that cannot be judged is told
    by neither.
    """
    cells = Cells(view, rulesets)
    for packet in asked:
        packet = of_the_node(view, packet)
        traced = trace(rulesets, view.config, packet)
        worlds = cells.worlds(packet)
        if worlds is None:
            continue
        assert plainly(traced.outcome) in worlds, packet
        assert bool(traced.unsure) == (len(worlds) > 1), packet
