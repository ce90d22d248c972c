"""Who is remembered where: ClientIP affinity of one node and family, one connection at a time.

Law: a memory only ever grows by a new connection and is asked before chance (AFF-03); it
ranks the endpoints that an outcome lists and adds none (AFF-06). Times are whole seconds
of one clock. The memory is as large as it needs to be: that xt_recent forgets the oldest
of many sources (MODE-18) is not modelled here.
"""

from collections.abc import Mapping
from fractions import Fraction

import attrs

from model.frontends import NodeView
from model.objects import ServicePortName
from model.outcome import Leaf, Outcome, Target


@attrs.frozen
class Client:
    """Who is remembered: a source at a service port, by whichever frontend it came (AFF-01)."""

    source: int  # as this node sees it, before it rewrites it
    service_port: ServicePortName


Memory = Mapping[tuple[Client, Target], int]
"""When each client last made a new connection to each endpoint (AFF-04, AFF-07)."""


@attrs.frozen
class Connection:
    """A new connection: who asked when, what awaited a stranger, and where it went.

    `target` is None when it was not translated.
    """

    client: Client
    now: int
    outcome: Outcome
    target: Target | None


def remembered(outcome: Outcome, memory: Memory, client: Client, now: int) -> Target | None:
    """The endpoint that affinity holds the client to, None when chance is free to choose.

    The first live entry in the order of the outcome wins (AFF-03, AFF-07). An entry lives
    until more than the timeout has passed since its last new connection (AFF-04).
    """
    for asked in outcome.affinity:
        last = memory.get((client, asked.target))
        if last is not None and now - last <= asked.seconds:
            return asked.target
    return None


def connect(
    memory: Memory, client: Client, now: int, outcome: Outcome, chance: Fraction
) -> tuple[Connection, Memory]:
    """One new connection, and the memory after it; `chance` in [0, 1) decides where memory does not.

    The endpoint that was taken has its entry set anew (AFF-03), if the outcome asks for it at all.
    """
    target = remembered(outcome, memory, client, now) or _drawn(outcome, chance).target
    if target is not None and any(asked.target == target for asked in outcome.affinity):
        memory = {**memory, (client, target): now}
    return Connection(client, now, outcome, target), memory


def _drawn(outcome: Outcome, chance: Fraction) -> Leaf:
    """The fate at that place of the distribution."""
    for leaf in outcome.leaves:
        chance -= leaf.odds
        if chance < 0:
            return leaf
    return outcome.leaves[-1]


def forgetting(memory: Memory, view: NodeView) -> Memory:
    """What is still remembered once the node has applied `view`.

    An endpoint in no set that the node uses loses its memory, for good (AFF-05); so does
    every endpoint of a service port whose affinity is off (AFF-09).
    """
    kept = {
        (one.name, Target(endpoint.address, endpoint.port))
        for one in view.service_ports
        if one.affinity_seconds is not None
        for sets in one.choices
        for endpoint in (*(sets.cluster or ()), *(sets.local or ()))
    }
    return {
        (client, target): last
        for (client, target), last in memory.items()
        if (client.service_port, target) in kept
    }
