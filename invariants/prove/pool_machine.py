"""What ServiceCIDRs, repair and everybody else do to the pools, and the classes of all events.

The other half of `invariants.prove.allocation_machine`. A pass over several ServiceCIDRs is
several steps here, one for each that goes.
"""

from collections.abc import Mapping

import z3  # type: ignore[import-untyped]  # the package has no type information

from invariants.prove.allocation_machine import (
    Transition,
    create,
    delete,
    finish,
    mark,
    request_for,
    unchanged,
    update,
)
from invariants.prove.machine_state import (
    IN_RANGE,
    Request,
    State,
    a,
    addresses,
    c,
    d,
    is_held,
    is_owned,
    is_pooled,
    n,
    numbers,
    s,
    t,
    u,
    usable,
)


def nothing(before: State, after: State, _: Request) -> z3.BoolRef:
    """Pods, nodes, controllers, proxies, packets and time; status writes; what puts back what is there."""
    return unchanged(before, after)


def add_cidr(before: State, after: State, event: Request) -> z3.BoolRef:
    """A ServiceCIDR that is ready at once (ALLOC-IP-01)."""
    return z3.And(
        z3.Not(before.present(event.cidr)),
        z3.ForAll(c, after.present(c) == z3.Or(before.present(c), c == event.cidr)),
        z3.ForAll(c, after.ready(c) == z3.Or(before.ready(c), c == event.cidr)),
        unchanged(before, after, "present", "ready"),
    )


def mark_cidr(before: State, after: State, event: Request) -> z3.BoolRef:
    """A ServiceCIDR that is to be deleted gives out nothing more (ALLOC-IP-09)."""
    return z3.And(
        before.present(event.cidr),
        z3.ForAll(c, after.ready(c) == z3.And(before.ready(c), c != event.cidr)),
        unchanged(before, after, "ready"),
    )


def drop_cidr(before: State, after: State, event: Request) -> z3.BoolRef:
    """A marked ServiceCIDR is gone when no address that is in use depends on it alone (ALLOC-IP-09)."""
    elsewhere = z3.Exists(d, z3.And(before.present(d), d != event.cidr, usable(d, a)))
    depends = z3.And(usable(event.cidr, a), is_owned(before, a), z3.Not(elsewhere))
    return z3.And(
        before.present(event.cidr),
        z3.Not(before.ready(event.cidr)),
        z3.Not(z3.Exists(a, depends)),
        z3.ForAll(c, after.present(c) == z3.And(before.present(c), c != event.cidr)),
        unchanged(before, after, "present"),
    )


def repair_numbers(before: State, after: State, _: Request) -> z3.BoolRef:
    """The pool is rebuilt from what Services carry; a leak goes at its third sighting (ALLOC-NP-10).

    Numbers out of range stay out; of several Services with one number an owner that still
    names it stays the owner.
    """
    used = z3.And(IN_RANGE(n), z3.Exists(s, numbers(before, s, n)))
    leaked = is_pooled(before, n)
    return z3.And(
        z3.ForAll(n, z3.Implies(used, is_pooled(after, n))),
        z3.ForAll([n, s, t], z3.Implies(z3.And(used, after.pooled(n, s), after.pooled(n, t)), s == t)),
        z3.ForAll([n, t], z3.Implies(z3.And(used, after.pooled(n, t)), numbers(before, t, n))),
        z3.ForAll(
            [n, t],
            z3.Implies(z3.And(used, before.pooled(n, t), numbers(before, t, n)), after.pooled(n, t)),
        ),
        z3.ForAll(
            [n, t],
            z3.Implies(
                z3.Not(used),
                after.pooled(n, t) == z3.And(before.pooled(n, t), z3.Not(before.seen_twice(n))),
            ),
        ),
        z3.ForAll(n, after.seen(n) == z3.And(z3.Not(used), z3.Or(before.seen(n), leaked))),
        z3.ForAll(
            n,
            after.seen_twice(n)
            == z3.And(z3.Not(used), z3.Or(before.seen_twice(n), z3.And(before.seen(n), leaked))),
        ),
        unchanged(before, after, "pooled", "seen", "seen_twice"),
    )


def repair_addresses(before: State, after: State, _: Request) -> z3.BoolRef:
    """An address in range without a living owner goes to one that has it; orphans go (ALLOC-IP-08)."""
    has_living_owner = z3.Exists(u, z3.And(before.owned(a, u), before.exists(u)))
    free = z3.And(is_held(before, a), z3.Not(has_living_owner))
    has, owns = addresses(before, t, a), before.owned(a, t)
    return z3.And(
        z3.ForAll([a, t], z3.Implies(after.owned(a, t), has)),
        z3.ForAll([a, t], z3.Implies(z3.And(after.owned(a, t), z3.Not(owns)), is_held(before, a))),
        z3.ForAll([a, t], z3.Implies(z3.And(after.owned(a, t), z3.Not(owns)), z3.Not(has_living_owner))),
        z3.ForAll([a, t], z3.Implies(z3.And(has, owns), after.owned(a, t))),
        z3.ForAll([a, t], z3.Implies(z3.And(has, free), z3.Exists(u, after.owned(a, u)))),
        z3.ForAll([a, s, t], z3.Implies(z3.And(after.owned(a, s), after.owned(a, t)), s == t)),
        unchanged(before, after, "owned"),
    )


def unasked(effect: Transition) -> Transition:
    """What happens by itself is neither refused nor tried."""

    def happens(before: State, after: State, event: Request) -> z3.BoolRef:
        return z3.And(z3.Not(event.refused), z3.Not(event.dry), effect(before, after, event))

    return happens


EVENTS: Mapping[str, Transition] = {
    "create": request_for(create),
    "update": request_for(update),
    "delete": request_for(delete),
    "finish": request_for(finish),
    "mark": request_for(mark),
    "add ServiceCIDR": request_for(add_cidr),
    "mark ServiceCIDR": request_for(mark_cidr),
    "drop ServiceCIDR": unasked(drop_cidr),
    "repair node ports": unasked(repair_numbers),
    "repair cluster IPs": unasked(repair_addresses),
    "anything else": request_for(nothing),
}
"""What an event can be."""
