"""Which claims about packets a difference breaks, beside the contract's rows.

Asked only of differences that are reported, for a claim looks at every Service of the node.
"""

from collections.abc import Sequence

import attrs

from model.frontends import NodeView
from model.outcome import Outcome
from model.packet import Packet
from oracle.findings import Difference
from oracle.hooks import is_attached
from oracle.plain import Walk, traced
from oracle.ruleset import Ruleset
from oracle.verdict.blame import is_egress_of_others


def with_broken_claims(view: NodeView, rulesets: tuple[Ruleset, ...], difference: Difference) -> Difference:
    """The difference, citing also each claim that its packet's fate breaks and that no allowed fate does.

    What is allowed may break a claim only where an old kube-proxy is let (`model.older_layouts`).
    """
    from invariants.catalogue import PACKET  # late, so that nodes that conform do not wait for it

    packet = difference.packet
    found = as_the_proxy_left_it(view, rulesets, packet, difference.found, difference.cites)
    broken = [
        claim.id
        for claim in PACKET
        if view.config.mode in claim.modes
        and claim.violation(view, packet, found) is not None
        and not any(claim.violation(view, packet, allowed) for allowed in difference.expected)
    ]
    return attrs.evolve(difference, cites=tuple(dict.fromkeys((*difference.cites, *broken))))


def as_the_proxy_left_it(
    view: NodeView, rulesets: tuple[Ruleset, ...], packet: Packet, found: Outcome, cites: Sequence[str]
) -> Outcome:
    """The fate without a source that others replace on the way out of their network, as they may.

    `cites` are the contract's rows that decide the packet.
    """
    if not any(leaf.masquerade for leaf in found.leaves):
        return found
    walk = Walk(rulesets, view.config, packet)
    traced(walk)
    attached = is_attached(view.config, view.family, packet.source)
    if not is_egress_of_others(cites, walk.ends, from_attached=attached):
        return found
    return attrs.evolve(
        found,
        leaves=tuple(attrs.evolve(leaf, masquerade=False) for leaf in found.leaves),
        affinity=tuple(attrs.evolve(memory, masquerade=False) for memory in found.affinity),
    )
