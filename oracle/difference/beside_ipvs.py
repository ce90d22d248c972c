"""What rules of ipvs mode do beside their contract is the mode's doing, and nobody's departure.

The contract neither demands nor forbids it (`model.ipvs.beside`), so it is no fate of the
contract's, yet a dump of another mode does not do it.
"""

from typing import Final

import attrs

from model.frontends import NodeView
from model.intervals import contains
from model.ipvs.beside import may_be_dropped, may_be_masqueraded
from model.outcome import Outcome, Verdict
from model.packet import Origin, Packet

BESIDE: Final = (
    "rules of ipvs mode ask for less than its virtual servers do, and so rewrite the source of, or drop,"
    " packets that they are not there for; the contract leaves it open"
)


def is_beside(
    view: NodeView, packet: Packet, outcomes: tuple[Outcome, ...], allowed: tuple[Outcome, ...]
) -> bool:
    """Whether the outcomes are allowed but for what ipvs mode may do beside; never in other modes.

    That is a source rewritten of a packet to no frontend, or a packet to a balancer dropped.
    """
    if _may_be_dropped(view, packet):
        return any({leaf.verdict for leaf in outcome.leaves} == {Verdict.DROP} for outcome in outcomes)
    if not _may_be_rewritten(view, packet):
        return False
    return bool({_kept(one) for one in outcomes} & {_kept(one) for one in allowed})


def beside_ids(view: NodeView, packet: Packet) -> tuple[str, ...]:
    """The rules that say why ipvs mode does it (model.ipvs.beside)."""
    if _may_be_dropped(view, packet):
        return ("MODE-13",)
    if packet.source == packet.destination and not contains(view.local_addresses, packet.destination):
        return ("MODE-21",)
    if packet.origin is Origin.NODE and contains(view.local_addresses, packet.destination):
        return ("MODE-01", "MODE-30")
    return ("MODE-22",)


def _may_be_rewritten(view: NodeView, packet: Packet) -> bool:
    place = (packet.destination, packet.protocol, packet.port)
    if view.owners(*place):
        return False
    return contains(may_be_masqueraded(view, *place, packet.origin), packet.source)


def _may_be_dropped(view: NodeView, packet: Packet) -> bool:
    place = (packet.destination, packet.protocol, packet.port)
    return contains(may_be_dropped(view, *place, packet.origin), packet.source)


def _kept(outcome: Outcome) -> Outcome:
    """The outcome as if no source of what passes were rewritten."""
    leaves = tuple(
        attrs.evolve(leaf, masquerade=False) if leaf.verdict is Verdict.PASS else leaf
        for leaf in outcome.leaves
    )
    return attrs.evolve(outcome, leaves=leaves)
