"""What an old layout does otherwise depends on where the packet comes from and goes to."""

import attrs

from model.addresses import parse_address
from model.fate import Fates, settled
from model.frontends import FrontendKind
from model.intervals import EMPTY, contains
from model.node_config import ProxyMode
from model.older_layouts import older_fates
from model.outcome import Verdict
from model.packet import Origin
from model.proxy_version import Quirk
from tests.model.mode_cases import NODE, OUTSIDE, WEB, a_node, view

EVERYWHERE = ((0, 2**32 - 1),)
REFUSED = (settled(EVERYWHERE, Verdict.REJECT),)
DROPPED = (settled(EVERYWHERE, Verdict.DROP),)


def others(
    quirk: Quirk, fates: Fates, destination: str, origin: Origin
) -> list[tuple[str, bool, bool, bool]]:
    """(verdict, masqueraded, for a source from outside, for the node's own) of each further fate."""
    node = attrs.evolve(a_node(ProxyMode.IPTABLES), quirks=frozenset({quirk}))
    of = view(node, WEB)
    found = older_fates(of, FrontendKind.EXT, fates, parse_address(destination)[1], origin, "error")
    own, outside = parse_address(NODE)[1], parse_address(OUTSIDE)[1]
    return [
        (
            leaf.verdict,
            leaf.masquerade != EMPTY,
            contains(fate.sources, outside),
            contains(fate.sources, own),
        )
        for each in found
        for fate in each
        for leaf in fate.leaves
    ]


def test_a_refusal_in_input_alone_lets_pass_what_is_forwarded() -> None:
    """Up to 1.19, whatever the source; what is for the node itself meets INPUT."""
    passed = [("pass", False, False, True), ("pass", False, True, False)]

    assert others(Quirk.EARLY_REFUSALS, REFUSED, "203.0.113.10", Origin.WIRE) == passed
    assert others(Quirk.EARLY_REFUSALS, REFUSED, NODE, Origin.WIRE) == []
    assert others(Quirk.EARLY_REFUSALS, REFUSED, "203.0.113.10", Origin.NODE) == []


def test_a_drop_by_a_mark_may_pass_with_the_mark_to_masquerade() -> None:
    """Up to 1.24: the mark may have been set before."""
    assert others(Quirk.MARKED_DROPS, DROPPED, "203.0.113.10", Origin.WIRE) == [
        ("pass", False, False, True),
        ("pass", True, False, True),
        ("pass", False, True, False),
        ("pass", True, True, False),
    ]
