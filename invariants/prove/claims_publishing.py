"""What is published and what is applied of it, by induction over passes and syncs."""

from collections.abc import Iterator

import z3  # type: ignore[import-untyped]  # the package has no type information

import invariants.prove.tables as tables_module
from invariants.prove import publishing_machine as machine
from invariants.prove.endpoints import CHOSEN
from invariants.prove.publishing_machine import (
    CONDITIONS,
    FACTS,
    WRITTEN,
    Applied,
    Published,
    applied,
    e,
    n,
    p,
    published,
    q,
    w,
)
from invariants.prove.query import Method, Proof, Query
from invariants.prove.relations import show
from invariants.prove.tables import Tables
from invariants.prove.world import World, any_world, query

WAS, IS = published("before"), published("after")
HAD, HAS = applied("before"), applied("after")
PASSES = "every sequence of controller passes, late or interrupted, over any number of pods and slices"
SYNCS = "every sequence of syncs and changes of slices, any nodes, service ports and endpoints"


def _said(now: Published) -> dict[str, z3.BoolRef]:
    return {name: now.says[name](w, p) for name in CONDITIONS}


def ready_is_serving_and_not_terminating(now: Published) -> z3.BoolRef:
    """Of every entry of the controller's, by what the Service said when it was written."""
    said = _said(now)
    right = z3.Or(now.for_unready(w), z3.And(said["serving"], z3.Not(said["terminating"])))
    return z3.ForAll([w, p], z3.Implies(now.lists(w, p), said["ready"] == right))


def _of_entries(now: Published) -> z3.BoolRef:
    return z3.ForAll([w, p], z3.Not(now.lists(w, p)))


_SHOW = show(
    ("before", (WAS.pod_ready, WAS.pod_terminating, WAS.lists, *WAS.says.values())),
    ("written", (WRITTEN,)),
    ("after", (IS.lists, *IS.says.values())),
)


def _entries_are_right() -> Iterator[Query]:
    """The first state has no slice, and every pass and change keeps the lemma."""
    lemma = ready_is_serving_and_not_terminating
    yield Query("without slices", (_of_entries(IS),), lemma(IS), _SHOW)
    for name, happens in machine.PASSES.items():
        yield Query(f"after {name}", (lemma(WAS), happens(WAS, IS)), lemma(IS), _SHOW)


def what_is_written_is_ready_by_its_conditions() -> tuple[Query, ...]:
    """INV-26."""
    said = _said(IS)
    right = z3.Or(WAS.publishes_unready, z3.And(said["serving"], z3.Not(said["terminating"])))
    premises = (machine.controller_passes(WAS, IS), WRITTEN(w), IS.lists(w, p))
    return (*_entries_are_right(), Query("of what a pass writes", premises, said["ready"] == right, _SHOW))


def no_terminating_endpoint_is_ready() -> tuple[Query, ...]:
    """INV-27: of what is written, and of whatever stands in a slice that was not written for unready ones."""
    said = _said(IS)
    wrong = z3.And(said["ready"], said["terminating"])
    a_pass = (machine.controller_passes(WAS, IS), WRITTEN(w), IS.lists(w, p), z3.Not(WAS.publishes_unready))
    stands = (ready_is_serving_and_not_terminating(IS), IS.lists(w, p), z3.Not(IS.for_unready(w)))
    return (
        *_entries_are_right(),
        Query("of what a pass writes", a_pass, z3.Not(wrong), _SHOW),
        Query("of what stands there", stands, z3.Not(wrong), _SHOW),
    )


def what_is_applied_was_listed(now: Applied) -> z3.BoolRef:
    """What a node has applied as usable, the API listed so when it synced last."""
    facts = {name: now.applied[name](n, q, e) for name in FACTS}
    return z3.ForAll([n, q, e], z3.Implies(machine.usable(facts), now.was_usable(n, q, e)))


def _nothing_is_applied(now: Applied) -> z3.BoolRef:
    return z3.ForAll([n, q, e], z3.Not(now.applied["listed"](n, q, e)))


def _sent_to_what_was_listed(tables: Tables, world: World) -> Query:
    """A packet on node `n` to the service port `q`, whose endpoints there are those applied."""
    of = world.endpoints
    same = z3.And([of.is_(name, e) == HAS.applied[name](n, q, e) for name in FACTS])
    given = (what_is_applied_was_listed(HAS), z3.ForAll(e, same), world.goes(tables, CHOSEN))
    return query("of a packet", tables, world, given, HAS.was_usable(n, q, CHOSEN))


def only_usable_endpoints_of_applied_views_are_used() -> tuple[Query, ...]:
    """INV-35, over applied views: late a node may be, but what it uses was usable when it synced."""
    lemma = what_is_applied_was_listed
    told = show(
        ("before", tuple(HAD.applied.values())),
        ("after", (*HAS.applied.values(), HAS.was_usable)),
    )
    return (
        Query("before any sync", (_nothing_is_applied(HAS),), lemma(HAS), told),
        *(
            Query(f"after {name}", (lemma(HAD), happens(HAD, HAS)), lemma(HAS), told)
            for name, happens in machine.SYNCS.items()
        ),
        *(_sent_to_what_was_listed(tables, any_world()) for tables in tables_module.ALL_TABLES),
    )


PROOFS: tuple[Proof, ...] = (
    Proof("INV-26", Method.INDUCTIVE, PASSES, what_is_written_is_ready_by_its_conditions),
    Proof("INV-27", Method.INDUCTIVE, PASSES, no_terminating_endpoint_is_ready),
    Proof(
        "INV-35",
        Method.INDUCTIVE,
        SYNCS,
        only_usable_endpoints_of_applied_views_are_used,
        sentence="Every endpoint that a node uses was listed for the service port, ready or still serving, "
        "when the node last synced.",
        part="over applied views",
    ),
)
