"""Models made wrong on purpose, and the search for a case that shows it."""

from collections.abc import Callable
from fractions import Fraction
from typing import TypeVar

import attrs
import pytest

from model.eligibility import EndpointSets, endpoint_sets
from model.expectation import Expectation, expect
from model.forwarding import MasqueradeRow, Row
from model.frontends import NodeView
from model.modes import masquerade_rows, verdict_rows
from model.node_config import ProxyMode
from model.outcome import Outcome
from model.packet import Packet
from model.predicate import Predicate
from model.proxy_endpoints import EndpointList
from tests.strategies import aimed

T = TypeVar("T")
Mutant = Callable[[pytest.MonkeyPatch], None]


def with_sets(mutate: Callable[[EndpointList, EndpointSets, str | None], EndpointSets]) -> Mutant:
    """A model that makes other endpoint sets of the endpoints, the right sets and the node's zone."""

    def wrong(endpoints: EndpointList, *, zone: str | None, **how: object) -> EndpointSets:
        right = endpoint_sets(endpoints, zone=zone, **how)  # type: ignore[arg-type]  # passed on as given
        return mutate(endpoints, right, zone)

    return lambda patch: patch.setattr("model.frontends.endpoint_sets", wrong)


def with_row(id: str, change: Callable[[Row], Row | None]) -> Mutant:
    """A model with the rows of that id in its verdict table changed, or left out."""

    def wrong(mode: ProxyMode) -> tuple[Row, ...]:
        rows = (change(row) if row.id == id else row for row in verdict_rows(mode))
        return tuple(row for row in rows if row is not None)

    return lambda patch: patch.setattr("model.expectation.verdict_rows", wrong)


def without_rows(*ids: str) -> Mutant:
    """A model without some rows of its verdict table."""

    def wrong(mode: ProxyMode) -> tuple[Row, ...]:
        return tuple(row for row in verdict_rows(mode) if row.id not in ids)

    return lambda patch: patch.setattr("model.expectation.verdict_rows", wrong)


def when(condition: Predicate) -> Callable[[Row], Row]:
    """The row under another condition."""
    return lambda row: attrs.evolve(row, when=condition)


def with_masquerade_row(id: str, change: Callable[[MasqueradeRow], MasqueradeRow | None]) -> Mutant:
    """A model with one row of its table of source translation changed, or left out."""

    def wrong(mode: ProxyMode) -> tuple[MasqueradeRow, ...]:
        rows = (change(row) if row.id == id else row for row in masquerade_rows(mode))
        return tuple(row for row in rows if row is not None)

    return lambda patch: patch.setattr("model.expectation.masquerade_rows", wrong)


def turned(row: MasqueradeRow) -> MasqueradeRow:
    """The row with the other answer."""
    return attrs.evolve(row, then=not row.then)


def with_outcomes(mutate: Callable[[NodeView, Packet, Outcome], Outcome]) -> Mutant:
    """A model that makes something else of each outcome."""

    def wrong(view: NodeView, packet: Packet) -> Expectation:
        right = expect(view, packet)
        return attrs.evolve(right, allowed=tuple(mutate(view, packet, one) for one in right.allowed))

    return lambda patch: patch.setattr(aimed, "expect", wrong)


def with_odds(odds: Callable[[int], Fraction]) -> Mutant:
    """A model that chooses each of so many endpoints with other odds."""
    return lambda patch: patch.setattr("model.expectation.share", odds)
