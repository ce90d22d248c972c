"""Each claim about two worlds can fail: its premise is met, and it catches wrong models; provisos matter."""

from collections.abc import Iterator, Mapping

import attrs
import pytest

import model.frontends
from invariants import isolation, source_ranges
from invariants.catalogue import WORLDS
from invariants.invariant import Violation
from invariants.isolation import others_change_nothing, services_mind_their_own_frontends
from invariants.source_ranges import (
    has_wider_ranges,
    keeps_those_inside,
    ranges,
    wider_ranges_let_no_fewer_in,
)
from invariants.worlds import World
from model.addresses import Family
from model.eligibility import EndpointSets
from model.forwarding import (
    EXTERNAL_LOCAL,
    INTERNAL_LOCAL,
    IS_CIP,
    IS_NP,
    LOCAL_SET_EMPTY,
    OUTSIDE_RANGES,
)
from model.frontends import NodeView, Owner
from model.intervals import EMPTY, Intervals
from model.node_config import NodeConfig
from model.objects import EndpointSlice
from model.outcome import Outcome, Target, Verdict
from model.packet import Packet
from model.predicate import All, Any
from model.proxy_endpoints import EndpointList, merge_slices
from model.written_addresses import allowed_sources
from tests.invariants.wrong_models import (
    Mutant,
    when,
    with_masquerade_row,
    with_outcomes,
    with_row,
    with_sets,
)
from tests.strategies import world_pairs
from tests.strategies.search import found
from tests.strategies.world_pairs import Change, Pair

BY_ID = {claim.id: claim for claim in WORLDS}

CHANGE: dict[str, Change] = {
    "INV-44": world_pairs.other_policies,
    "INV-45": world_pairs.other_frontends,
    "INV-47": world_pairs.other_ranges,
    "INV-48": world_pairs.more_ranges,
    "INV-49": world_pairs.other_family,
    "INV-50": world_pairs.other_services,
    "INV-51": world_pairs.other_ports,
    "INV-52": world_pairs.other_nodes,
    "INV-53": world_pairs.no_bystanders,
}
"""In what the worlds differ that the claim speaks of."""


@pytest.mark.parametrize("id", CHANGE)
def test_a_claim_compares_worlds_that_do_differ(monkeypatch: pytest.MonkeyPatch, id: str) -> None:
    """Shown by claiming that whatever is compared differs."""

    def always(*_: World) -> Violation:
        return Violation("was compared")

    for module in (isolation, source_ranges):
        monkeypatch.setattr(module, "difference", always)
    monkeypatch.setattr(isolation, "_odds", lambda world: {frozenset((id, world))})

    def is_compared(pair: Pair) -> bool:
        before, after = pair
        same = (before.cluster, before.config, before.packet) == (after.cluster, after.config, after.packet)
        return not same and BY_ID[id].violation(before, after) is not None

    pair = found(world_pairs.changed_by(CHANGE[id]), is_compared)
    assert is_compared(pair)


# --- Wrong models


def last_range_only(patch: pytest.MonkeyPatch) -> None:
    """Each range takes the place of the one before."""
    right = allowed_sources

    def wrong(texts: tuple[str, ...], *further: object) -> Intervals | None:
        return right(texts[-1:], *further)  # type: ignore[arg-type]  # passed on as given

    patch.setattr("model.frontends.allowed_sources", wrong)


def ranges_of_either_family(patch: pytest.MonkeyPatch) -> None:
    """Ranges of one family close the frontends of the other (not FWD-LBSR-02)."""
    right = allowed_sources

    def wrong(
        texts: tuple[str, ...], vips: tuple[int, ...], config: NodeConfig, family: Family
    ) -> Intervals | None:
        found = right(texts, vips, config, family)
        return EMPTY if found is None and texts and not any("/0" in text for text in texts) else found

    patch.setattr("model.frontends.allowed_sources", wrong)


def in_the_other_family(view: NodeView, _packet: Packet, outcome: Outcome) -> Outcome:
    """Endpoints are those of the other family."""
    other = [0x0AF40005, 0xFD00_0010_0244 << 80 | 5][view.family is Family.IPV4]
    return attrs.evolve(
        outcome,
        leaves=tuple(
            attrs.evolve(leaf, target=leaf.target and Target(other, leaf.target.port))
            for leaf in outcome.leaves
        ),
    )


def owned_by_port(patch: pytest.MonkeyPatch) -> None:
    """Whoever has the port has the frontend, whatever the address."""
    right = NodeView.owners

    def wrong(view: NodeView, destination: int, protocol: int, port: int) -> tuple[Owner, ...]:
        found = right(view, destination, protocol, port)
        others = (
            owners[0]
            for (_, of, number), owners in view.by_address.items()
            if (of, number) == (protocol, port)
        )
        return (*found, *others) if found else ()

    patch.setattr(NodeView, "owners", wrong)


def joined_by_place(patch: pytest.MonkeyPatch) -> None:
    """All ports of a Service get the endpoints of its last one."""

    def wrong(
        slices: Iterator[EndpointSlice], family: Family, node_name: str
    ) -> Mapping[tuple[str, str], tuple[EndpointList, ...]]:
        merged = merge_slices(slices, family, node_name)
        return dict.fromkeys(merged, list(merged.values())[-1]) if merged else merged

    patch.setattr("model.frontends.merge_slices", wrong)


def nearest_only(_endpoints: EndpointList, sets: EndpointSets, _zone: str | None) -> EndpointSets:
    """Endpoints of this node are preferred, though nobody asked for it."""
    near = tuple(each for each in sets.cluster or () if each.local)
    return attrs.evolve(sets, cluster=near or sets.cluster)


def foreign_services_served(patch: pytest.MonkeyPatch) -> None:
    """The label of other proxies' Services is not known."""
    patch.setattr(model.frontends, "PROXY_NAME_LABEL", "example.com/no-such-label")


@pytest.mark.bites("drawn")
@pytest.mark.parametrize(
    ("id", "mutant"),
    [
        pytest.param(
            "INV-44",
            with_row(
                "FWD-ITP-01", when(All((IS_CIP, Any((INTERNAL_LOCAL, EXTERNAL_LOCAL)), LOCAL_SET_EMPTY)))
            ),
            id="INV-44: external policy for cluster IPs",
        ),
        pytest.param(
            "INV-44",
            with_row("FWD-ITP-01", when(All((INTERNAL_LOCAL, LOCAL_SET_EMPTY)))),
            id="INV-44: internal policy for all",
        ),
        pytest.param(
            "INV-45",
            with_masquerade_row("MASQ-04", lambda row: attrs.evolve(row, when=All((row.when, IS_NP)))),
            id="INV-45: only node ports replace sources",
        ),
        pytest.param("INV-47", with_row("FWD-LBSR-01", when(OUTSIDE_RANGES)), id="INV-47: ranges for all"),
        pytest.param("INV-48", last_range_only, id="INV-48: the last range counts"),
        pytest.param("INV-49", ranges_of_either_family, id="INV-49: ranges of the other family"),
        pytest.param(
            "INV-49", with_outcomes(in_the_other_family), id="INV-49: endpoints of the other family"
        ),
        pytest.param("INV-50", owned_by_port, id="INV-50: known by the port alone"),
        pytest.param("INV-51", joined_by_place, id="INV-51: ports joined by place"),
        pytest.param("INV-52", with_sets(nearest_only), id="INV-52: near endpoints first"),
        pytest.param("INV-53", foreign_services_served, id="INV-53: others' Services served"),
    ],
)
def test_a_claim_about_worlds_catches_a_wrong_model(
    monkeypatch: pytest.MonkeyPatch, id: str, mutant: Mutant
) -> None:
    mutant(monkeypatch)

    def is_caught(pair: Pair) -> bool:
        return BY_ID[id].violation(*pair) is not None

    pair = found(world_pairs.changed_by(CHANGE[id]), is_caught)
    assert is_caught(pair)


# --- What is not true without the proviso


def test_the_first_range_shuts_out_who_was_let_in() -> None:
    """INV-48 does not hold from no range at all, which lets everybody in (FWD-LBSR-02)."""

    def is_shut_out(pair: Pair) -> bool:
        return has_wider_ranges(*pair) and keeps_those_inside(*pair) is not None

    before, after = found(world_pairs.changed_by(world_pairs.more_ranges), is_shut_out)

    (name,) = before.service_names
    first, then = (
        ranges(next(one for one in world.cluster.services if one.name == name), world.family)
        for world in (before, after)
    )
    assert (first, bool(then)) == (EMPTY, True)
    assert {one.verdict for one in before.outcomes} == {Verdict.DNAT}
    assert {one.verdict for one in after.outcomes} == {Verdict.DROP}
    assert wider_ranges_let_no_fewer_in.violation(before, after) is None


def test_a_service_that_lists_anothers_cluster_ip_may_take_its_packets() -> None:
    """INV-50 does not hold where two Services claim one place (FWD-OBJ-08)."""

    def is_taken(pair: Pair) -> bool:
        return others_change_nothing(*pair) is not None

    before, after = found(world_pairs.changed_by(world_pairs.a_thief), is_taken)

    assert {str(name) for name in after.service_names - before.service_names} == {"shop/thief"}
    assert before.outcomes < after.outcomes
    assert services_mind_their_own_frontends.violation(before, after) is None
