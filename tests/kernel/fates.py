"""Whether what the kernel was seen to do is something that a reading of the rules says it may do."""

from collections.abc import Iterable
from fractions import Fraction
from math import ceil, log

import attrs

from model.intervals import contains
from model.node_config import NodeConfig
from model.outcome import Leaf, Outcome, Target, Verdict
from model.packet import Packet

NO_ODDS = Fraction(0)


def sights(packet: Packet, leaf: Leaf, config: NodeConfig) -> tuple[Leaf, ...]:
    """What may be seen of a fate: one thing, or two where the node may put its own source in place of itself.

    A destination replaced by itself is seen as PASS. Odds are 0.
    """
    seen = attrs.evolve(leaf, odds=NO_ODDS)
    if leaf.target == Target(packet.destination, packet.port):
        seen = attrs.evolve(seen, verdict=Verdict.PASS, target=None)
    if seen.masquerade and contains(config.local_addresses(packet.family), packet.source):
        return seen, attrs.evolve(seen, masquerade=False)
    return (seen,)


def may_see(packet: Packet, outcomes: Iterable[Outcome], config: NodeConfig) -> dict[Leaf, Fraction]:
    """Everything that may be seen of a packet of a client that any memory may know, with its odds.

    The odds of a thing are the least that some outcome gives it, 0 for what only memories lead to.
    """
    found: dict[Leaf, Fraction] = {}
    for outcome in outcomes:
        here: dict[Leaf, Fraction] = {}
        for leaf in outcome.leaves:
            for seen in sights(packet, leaf, config):
                here[seen] = here.get(seen, NO_ODDS) + leaf.odds
        for memory in outcome.affinity:
            leaf = Leaf(Verdict.DNAT, NO_ODDS, memory.target, memory.masquerade)
            for seen in sights(packet, leaf, config):
                here.setdefault(seen, NO_ODDS)
        for seen, odds in here.items():
            found[seen] = min(found.get(seen, odds), odds)
    return found


def tries(odds: Fraction, miss: float) -> int:
    """How many independent packets leave what has these odds unseen with a chance below `miss`.

    >>> tries(Fraction(1, 3), 1e-9), tries(Fraction(1), 1e-9)
    (52, 1)
    """
    return 1 if odds >= 1 else ceil(log(miss) / log(1 - odds))
