"""What affinity promises over sequences of connections, by induction over their number."""

from collections.abc import Callable, Iterator, Mapping

import z3  # type: ignore[import-untyped]  # the package has no type information

from invariants.prove import affinity_machine as machine
from invariants.prove.affinity_machine import BEFORE, CONNECTION, Event, Memories, c, d, e, f, memories
from invariants.prove.query import Method, Proof, Query
from invariants.prove.relations import show

WAS, IS, EVENT = memories("before"), memories("after"), CONNECTION
SCOPE = "every sequence of connections, any number of clients, any endpoints and timeout"

g = z3.Const("g", e.sort())
ORDER = (
    z3.ForAll(e, z3.Not(BEFORE(e, e))),
    z3.ForAll([e, f], z3.Or(e == f, BEFORE(e, f), BEFORE(f, e))),
    z3.ForAll([e, f, g], z3.Implies(z3.And(BEFORE(e, f), BEFORE(f, g)), BEFORE(e, g))),
)
"""Of any two endpoints one comes first in the order of text."""

TOLD = show(("before", (WAS.live, WAS.goes)), ("after", (IS.live, IS.goes)))
Lemma = Callable[[Memories], z3.BoolRef]


def _induction(lemma: Lemma, events: Mapping[str, Event]) -> Iterator[Query]:
    yield Query("in the first state", (*ORDER, machine.nobody_is_known(IS)), lemma(IS), TOLD)
    for name, event in events.items():
        yield Query(f"after {name}", (*ORDER, lemma(WAS), event(WAS, IS, EVENT)), lemma(IS), TOLD)


def known_by_one_endpoint_of_the_set(now: Memories) -> z3.BoolRef:
    """While the sets do not change, a client is live on one endpoint at most, and may be sent to it."""
    both = z3.And(now.live(c, e), now.live(c, f))
    return z3.And(
        z3.ForAll([c, e, f], z3.Implies(both, e == f)),
        z3.ForAll([c, e], z3.Implies(now.live(c, e), now.goes(c, e))),
    )


def a_client_stays_with_its_endpoint() -> tuple[Query, ...]:
    """INV-57."""
    lemma = known_by_one_endpoint_of_the_set
    premises = (*ORDER, lemma(WAS), WAS.live(EVENT.client, e), machine.connects(WAS, IS, EVENT))
    return (
        *_induction(lemma, machine.STEADY),
        Query("who is live goes where it was", premises, EVENT.chosen == e, TOLD),
        Query("and is live there again", premises, IS.live(EVENT.client, e), TOLD),
    )


def strangers_go_where_chance_falls() -> tuple[Query, ...]:
    """INV-58."""
    stranger = z3.Not(machine.is_remembered(WAS, c))
    some = z3.Exists(f, WAS.goes(c, f))
    return (
        Query(
            "all of the set may be chosen, and nobody else",
            (*ORDER, stranger, some),
            machine.may_be_chosen(WAS, c, e) == WAS.goes(c, e),
            TOLD,
        ),
    )


def memories_name_what_chance_could_have_chosen(now: Memories) -> z3.BoolRef:
    return z3.ForAll([c, e], z3.Implies(now.live(c, e), now.was_given(c, e)))


def affinity_only_ranks_the_eligible() -> tuple[Query, ...]:
    """INV-59."""
    premises = (*ORDER, machine.connects(WAS, IS, EVENT))
    return (
        *_induction(memories_name_what_chance_could_have_chosen, machine.EVENTS),
        Query(
            "whoever is chosen could be so by chance", premises, WAS.goes(EVENT.client, EVENT.chosen), TOLD
        ),
    )


def a_client_moves_on_with_its_memory() -> tuple[Query, ...]:
    """INV-60: the endpoint that the client is live on left the set, and no other knows it."""
    client, chosen = EVENT.client, EVENT.chosen
    gone = (WAS.live(client, e), z3.Not(WAS.goes(client, e)), z3.Not(machine.is_remembered(WAS, client)))
    premises = (*ORDER, *gone, machine.connects(WAS, IS, EVENT))
    another = z3.Exists(f, z3.And(f != e, WAS.goes(client, f)))
    return (
        Query("it is sent elsewhere", premises, z3.And(chosen != e, WAS.goes(client, chosen)), TOLD),
        Query("and is known there", premises, IS.live(client, chosen), TOLD),
        Query(
            "somebody can be chosen",
            (*ORDER, *gone, another),
            z3.Exists(f, machine.may_be_chosen(WAS, client, f)),
            TOLD,
        ),
    )


def memories_are_independent() -> tuple[Query, ...]:
    """INV-61: of another source, service port or node, which are other clients."""
    other = memories("other")
    alike = z3.ForAll(e, z3.And(WAS.live(c, e) == other.live(c, e), WAS.goes(c, e) == other.goes(c, e)))
    untouched = z3.ForAll(e, IS.live(d, e) == WAS.live(d, e))
    return (
        Query(
            "no other client's memory is asked",
            (*ORDER, alike),
            machine.may_be_chosen(WAS, c, e) == machine.may_be_chosen(other, c, e),
            TOLD,
        ),
        Query("nor changed", (*ORDER, machine.connects(WAS, IS, EVENT), d != EVENT.client), untouched, TOLD),
    )


PROOFS: tuple[Proof, ...] = (
    Proof(
        "INV-57",
        Method.INDUCTIVE,
        SCOPE,
        a_client_stays_with_its_endpoint,
        "a lemma of all states while the sets stay: a client is live on one endpoint at most",
        sentence="While the endpoints stay and it is not forgotten, a client goes where it went before.",
    ),
    Proof(
        "INV-58",
        Method.UNBOUNDED,
        SCOPE,
        strangers_go_where_chance_falls,
        sentence="A client that is not known any more may be sent to every endpoint of the set and no other.",
    ),
    Proof(
        "INV-59",
        Method.INDUCTIVE,
        SCOPE,
        affinity_only_ranks_the_eligible,
        sentence="Whatever was remembered, nobody is sent where chance could not send it; memory holds "
        "nothing else.",
        part="over connections",
    ),
    Proof(
        "INV-60",
        Method.UNBOUNDED,
        SCOPE,
        a_client_moves_on_with_its_memory,
        sentence="Whose endpoint left the set goes to another one, and is known there from then on.",
    ),
    Proof(
        "INV-61",
        Method.UNBOUNDED,
        SCOPE,
        memories_are_independent,
        sentence="Where a client goes hangs on its own memory alone, and touches no other's.",
    ),
)
