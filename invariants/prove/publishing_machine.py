"""What the EndpointSlice controller publishes of one Service and what nodes apply, as relations.

Pods, slices, service ports and nodes are sorts without size. A pass of the controller writes
any of the slices, late, repeated or interrupted as it may be, and packs pods as it likes; what
it says of a pod is `conditions`, held equal to the model's by a test. Slices that somebody else
writes are not spoken of. A sync copies what the API says for one node (SYNC-01, SYNC-02).
"""

from collections.abc import Callable, Mapping

import attrs
import z3  # type: ignore[import-untyped]  # the package has no type information

from invariants.prove.endpoints import ENDPOINT

POD, SLICE = z3.DeclareSort("Pod"), z3.DeclareSort("Slice")
NODE, PORT = z3.DeclareSort("Node"), z3.DeclareSort("ServicePort")
CONDITIONS = ("ready", "serving", "terminating")

p, w, n, q, e = (
    z3.Const(name, sort)
    for name, sort in (("p", POD), ("w", SLICE), ("n", NODE), ("q", PORT), ("e", ENDPOINT))
)


def _relation(name: str, *sorts: z3.SortRef) -> z3.FuncDeclRef:
    return z3.Function(name, *sorts, z3.BoolSort())


# --- The controller


@attrs.frozen
class Published:
    """One moment of a Service: its pods, and its slices with what they say of each pod that they list.

    `for_unready` tells what was: whether the Service published unready addresses when the slice
    was last written. Nobody reads it.
    """

    pod_ready: z3.FuncDeclRef
    pod_terminating: z3.FuncDeclRef
    publishes_unready: z3.BoolRef
    lists: z3.FuncDeclRef
    says: Mapping[str, z3.FuncDeclRef]
    for_unready: z3.FuncDeclRef


def published(moment: str) -> Published:
    """The relations named after their moment."""
    return Published(
        _relation(f"{moment}.pod_ready", POD),
        _relation(f"{moment}.pod_terminating", POD),
        z3.Bool(f"{moment}.publishes_unready"),
        _relation(f"{moment}.lists", SLICE, POD),
        {name: _relation(f"{moment}.says {name}", SLICE, POD) for name in CONDITIONS},
        _relation(f"{moment}.for_unready", SLICE),
    )


WRITTEN = _relation("written", SLICE)
"""The slices that a pass writes."""


def conditions(
    publishes_unready: z3.BoolRef, ready: z3.BoolRef, terminating: z3.BoolRef
) -> dict[str, z3.BoolRef]:
    """What the controller says of a pod (EPS-COND-01, EPS-COND-02)."""
    is_ready = z3.Or(publishes_unready, z3.And(ready, z3.Not(terminating)))
    return {"ready": is_ready, "serving": ready, "terminating": terminating}


Pass = Callable[[Published, Published], z3.BoolRef]


def controller_passes(before: Published, after: Published) -> z3.BoolRef:
    """Some slices are written, each whole; the others stay as they are."""
    said = conditions(before.publishes_unready, before.pod_ready(p), before.pod_terminating(p))
    is_said = z3.And([after.says[name](w, p) == said[name] for name in CONDITIONS])
    kept = z3.And(
        after.lists(w, p) == before.lists(w, p),
        *(after.says[name](w, p) == before.says[name](w, p) for name in CONDITIONS),
    )
    return z3.And(
        z3.ForAll([w, p], z3.If(WRITTEN(w), z3.Implies(after.lists(w, p), is_said), kept)),
        z3.ForAll(
            w, after.for_unready(w) == z3.If(WRITTEN(w), before.publishes_unready, before.for_unready(w))
        ),
        after.publishes_unready == before.publishes_unready,
        z3.ForAll(
            p,
            z3.And(
                after.pod_ready(p) == before.pod_ready(p),
                after.pod_terminating(p) == before.pod_terminating(p),
            ),
        ),
    )


def cluster_changes(before: Published, after: Published) -> z3.BoolRef:
    """Pods and the Service become anything, slices go; nothing is written."""
    kept = z3.And(
        before.lists(w, p), *(after.says[name](w, p) == before.says[name](w, p) for name in CONDITIONS)
    )
    return z3.And(
        z3.ForAll([w, p], z3.Implies(after.lists(w, p), kept)),
        z3.ForAll(w, after.for_unready(w) == before.for_unready(w)),
    )


PASSES: Mapping[str, Pass] = {"a pass": controller_passes, "anything else": cluster_changes}


# --- The proxies


@attrs.frozen
class Applied:
    """One moment: what the API lists of each service port, and what each node has applied of it.

    `was_usable` tells what was: that the API listed the endpoint as ready, or as serving while
    it terminates, when the node last synced.
    """

    listed: Mapping[str, z3.FuncDeclRef]
    applied: Mapping[str, z3.FuncDeclRef]
    was_usable: z3.FuncDeclRef


FACTS = ("listed", *CONDITIONS)


def applied(moment: str) -> Applied:
    """The relations named after their moment."""
    return Applied(
        {name: _relation(f"{moment}.api {name}", PORT, ENDPOINT) for name in FACTS},
        {name: _relation(f"{moment}.applied {name}", NODE, PORT, ENDPOINT) for name in FACTS},
        _relation(f"{moment}.was_usable", NODE, PORT, ENDPOINT),
    )


SYNCED = z3.Const("the node that syncs", NODE)
Sync = Callable[[Applied, Applied], z3.BoolRef]


def usable(facts: Mapping[str, z3.BoolRef]) -> z3.BoolRef:
    """FWD-EP-05."""
    draining = z3.And(facts["serving"], facts["terminating"])
    return z3.And(facts["listed"], z3.Or(facts["ready"], draining))


def a_node_syncs(before: Applied, after: Applied) -> z3.BoolRef:
    """One node applies all that the API lists; the others stay as they are."""
    live = {name: before.listed[name](q, e) for name in FACTS}
    here = n == SYNCED
    return z3.And(
        *(
            z3.ForAll(
                [n, q, e],
                after.applied[name](n, q, e) == z3.If(here, live[name], before.applied[name](n, q, e)),
            )
            for name in FACTS
        ),
        z3.ForAll(
            [n, q, e], after.was_usable(n, q, e) == z3.If(here, usable(live), before.was_usable(n, q, e))
        ),
    )


def the_api_changes(before: Applied, after: Applied) -> z3.BoolRef:
    """Slices become anything; no node knows yet."""
    return z3.And(
        *(
            z3.ForAll([n, q, e], after.applied[name](n, q, e) == before.applied[name](n, q, e))
            for name in FACTS
        ),
        z3.ForAll([n, q, e], after.was_usable(n, q, e) == before.was_usable(n, q, e)),
    )


SYNCS: Mapping[str, Sync] = {"a sync": a_node_syncs, "a change of the API": the_api_changes}
