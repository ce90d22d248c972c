"""Old layouts of kube-proxy's rules fall short of the contract in places, and are let.

Which of these hold on a node is `NodeConfig.quirks`. Each allows an outcome beside the
contract's, it never forbids the contract's own.
"""

from collections.abc import Iterator, Set

from model.fate import Fate, Fates, LeafFate
from model.frontends import FrontendKind, NodeView
from model.intervals import EMPTY, contains, intersect, subtract
from model.odds import ONE
from model.outcome import Verdict
from model.packet import Origin
from model.proxy_version import Quirk


def instead(
    quirks: Set[Quirk],
    kind: FrontendKind,
    verdict: Verdict,
    origin: Origin,
    *,
    source_local: bool,
    destination_local: bool,
) -> tuple[tuple[Verdict, bool], ...]:
    """What an old layout may do where the contract gives `verdict`: (verdict, masquerade) each.

    A destination of the node itself is always treated as the contract says: INPUT and
    OUTPUT act on marks and refusals.
    """
    if destination_local or kind not in (FrontendKind.EXT, FrontendKind.LBV):
        return ()
    from_wire = origin is Origin.WIRE
    untouched = (Verdict.PASS, False), (Verdict.PASS, True)  # masqueraded: the mark was set before
    if Quirk.MARKED_DROPS in quirks and verdict is Verdict.DROP and from_wire:
        return untouched  # FWD-LBSR-01, FWD-ETP-05
    if Quirk.EARLY_REFUSALS in quirks:
        if verdict is Verdict.REJECT and from_wire and kind is FrontendKind.EXT:
            return ((Verdict.PASS, False),)
        if verdict is Verdict.PASS and not from_wire and kind is FrontendKind.LBV:  # MODE-10
            return ((Verdict.REJECT, False),)
    served_elsewhere = Quirk.EXTERNAL_FROM_ELSEWHERE in quirks and kind is FrontendKind.EXT
    return untouched if served_elsewhere and source_local and verdict is Verdict.DNAT else ()


def older_fates(
    view: NodeView, kind: FrontendKind, fates: Fates, destination: int, origin: Origin, reject_with: str
) -> Iterator[Fates]:
    """What the node's old layout may do in place of the contract's fates, for their sources.

    `reject_with` names the error of a refusal.
    """
    own = view.local_addresses
    at_home = contains(own, destination)
    for fate in fates:
        verdict = Verdict(fate.leaves[0].verdict)
        inside, outside = intersect(fate.sources, own), subtract(fate.sources, own)
        for sources, is_local in ((inside, True), (outside, False)):
            others = instead(
                view.config.quirks,
                kind,
                verdict,
                origin,
                source_local=is_local,
                destination_local=at_home,
            )
            for other, masquerade in others if sources else ():
                error = reject_with if other is Verdict.REJECT else ""
                leaf = LeafFate(0, 0, other.value, ONE, sources if masquerade else EMPTY, error)
                yield (Fate(sources, (leaf,)),)
