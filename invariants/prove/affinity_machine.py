"""What affinity remembers of any number of clients over any sequence of connections, as relations.

A client is a source at one service port on one node (AFF-01, AFF-02). It is live on an endpoint
while its last new connection there is no older than the timeout, and is not live any more when
it was forgotten: by time, for want of room (MODE-18), or as the endpoint left (AFF-05, AFF-07).
Where `model.affinity` has seconds, time here only ever takes away; so what is proved holds for
every timeout and every clock. Tests hold `may_be_chosen` equal to what the model chooses.
"""

from collections.abc import Callable, Mapping

import attrs
import z3  # type: ignore[import-untyped]  # the package has no type information

from invariants.prove.endpoints import ENDPOINT

CLIENT = z3.DeclareSort("Client")
BEFORE = z3.Function("comes before in text order", ENDPOINT, ENDPOINT, z3.BoolSort())

c, d = z3.Consts("client other", CLIENT)
e, f = z3.Consts("e f", ENDPOINT)


@attrs.frozen
class Memories:
    """One moment: on which endpoints each client is live, and which it may be sent to now.

    `was_given` tells what was: that at some connection of the client chance could have chosen
    the endpoint. No packet asks it.
    """

    live: z3.FuncDeclRef
    goes: z3.FuncDeclRef
    was_given: z3.FuncDeclRef


def memories(moment: str) -> Memories:
    """The relations named after their moment."""

    def relation(name: str) -> z3.FuncDeclRef:
        return z3.Function(f"{moment}.{name}", CLIENT, ENDPOINT, z3.BoolSort())

    return Memories(relation("live"), relation("goes"), relation("was_given"))


@attrs.frozen
class Connection:
    """A new connection: of whom, and where it is sent."""

    client: z3.ExprRef
    chosen: z3.ExprRef


CONNECTION = Connection(z3.Const("connection.client", CLIENT), z3.Const("connection.chosen", ENDPOINT))


def is_remembered(now: Memories, client: z3.ExprRef) -> z3.BoolRef:
    """Whether an endpoint that the client may be sent to knows it (AFF-03)."""
    return z3.Exists(f, z3.And(now.live(client, f), now.goes(client, f)))


def may_be_chosen(now: Memories, client: z3.ExprRef, one: z3.ExprRef) -> z3.BoolRef:
    """The first endpoint of the set that knows the client, else any of the set (AFF-03, AFF-06)."""
    known = z3.And(now.live(client, one), now.goes(client, one))
    first = z3.ForAll(f, z3.Implies(z3.And(now.live(client, f), now.goes(client, f)), z3.Not(BEFORE(f, one))))
    return z3.If(is_remembered(now, client), z3.And(known, first), now.goes(client, one))


Event = Callable[[Memories, Memories, Connection], z3.BoolRef]


def connects(before: Memories, after: Memories, event: Connection) -> z3.BoolRef:
    """A client is sent to an endpoint, which knows it from now on (AFF-04)."""
    is_it = z3.And(c == event.client, e == event.chosen)
    given = z3.And(c == event.client, before.goes(c, e))
    return z3.And(
        may_be_chosen(before, event.client, event.chosen),
        z3.ForAll([c, e], after.live(c, e) == z3.Or(before.live(c, e), is_it)),
        z3.ForAll([c, e], after.was_given(c, e) == z3.Or(before.was_given(c, e), given)),
        _same_sets(before, after),
    )


def forgets(before: Memories, after: Memories, _: Connection) -> z3.BoolRef:
    """Time passes, or there is no room: any clients are forgotten by any endpoints."""
    return z3.And(_no_more_live(before, after), _same_sets(before, after), _given_stays(before, after))


def syncs(before: Memories, after: Memories, _: Connection) -> z3.BoolRef:
    """Other sets, whatever they are; memories of endpoints that left go (AFF-05, AFF-07)."""
    return z3.And(_no_more_live(before, after), _given_stays(before, after))


def _no_more_live(before: Memories, after: Memories) -> z3.BoolRef:
    return z3.ForAll([c, e], z3.Implies(after.live(c, e), before.live(c, e)))


def _same_sets(before: Memories, after: Memories) -> z3.BoolRef:
    return z3.ForAll([c, e], after.goes(c, e) == before.goes(c, e))


def _given_stays(before: Memories, after: Memories) -> z3.BoolRef:
    return z3.ForAll([c, e], after.was_given(c, e) == before.was_given(c, e))


EVENTS: Mapping[str, Event] = {"connects": connects, "forgets": forgets, "syncs": syncs}
STEADY: Mapping[str, Event] = {"connects": connects, "forgets": forgets}
"""While the sets stay as they are."""


def nobody_is_known(now: Memories) -> z3.BoolRef:
    """The first state: a proxy that has just begun remembers nobody."""
    return z3.ForAll([c, e], z3.And(z3.Not(now.live(c, e)), z3.Not(now.was_given(c, e))))
