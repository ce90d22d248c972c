"""What events do to Services, node ports and cluster IPs, one formula a class of events.

Each formula relates the state before, the state after and the request, and is true of
exactly those that the rules of 02 allow; chance is whatever they leave open. The order of
the API server is kept: take, wipe, validate, then release and write. The hole ALLOC-NP-09
is in it, as in the server. Of a request only what concerns allocation is said; whether one
is refused is open, but where the allocators or validation must refuse it.
"""

from collections.abc import Callable

import z3  # type: ignore[import-untyped]  # the package has no type information

from invariants.prove.machine_state import (
    IN_RANGE,
    IS_V4,
    OF_A_SERVICE,
    SORTS,
    STATIC,
    STATIC_OF,
    Request,
    State,
    a,
    addresses,
    b,
    d,
    is_held,
    is_owned,
    is_pooled,
    k,
    m,
    n,
    t,
    usable,
    variables,
)

Transition = Callable[[State, State, Request], z3.BoolRef]


def request_for(effect: Transition) -> Transition:
    """What a request took is kept where it is written, and thrown away where it is not (API-PIPE-01, -06)."""

    def carried_out(before: State, after: State, event: Request) -> z3.BoolRef:
        dropped = z3.Or(event.refused, event.dry)
        return z3.If(dropped, unchanged(before, after), effect(before, after, event))

    return carried_out


def unchanged(before: State, after: State, *but: str) -> z3.BoolRef:
    """Every relation is as it was, but for those named."""
    return z3.And([_same(before, after, name) for name in SORTS if name not in but])


def _same(before: State, after: State, name: str) -> z3.BoolRef:
    places = list(variables(SORTS[name]))
    return z3.ForAll(places, getattr(after, name)(*places) == getattr(before, name)(*places))


def _others_stay(before: State, after: State, target: z3.ExprRef, *but: str) -> z3.BoolRef:
    """Every relation of Services is as it was for all but one of them."""
    parts = []
    for name in OF_A_SERVICE:
        if name not in but:
            places = list(variables(SORTS[name]))
            same = getattr(after, name)(*places) == getattr(before, name)(*places)
            parts.append(z3.ForAll(places, z3.Implies(places[0] != target, same)))
    return z3.And(parts)


# --- Requests that write a Service


def create(before: State, after: State, event: Request) -> z3.BoolRef:
    """A POST, or a PUT of what is not there (API-PIPE-01, -06)."""
    return z3.And(z3.Not(before.exists(event.target)), stored(before, after, event))


def update(before: State, after: State, event: Request) -> z3.BoolRef:
    """A PUT of what is there (API-PIPE-02, -06)."""
    return z3.And(
        before.exists(event.target),
        after.marked(event.target) == before.marked(event.target),
        change_is_valid(before, after, event.target),
        stored(before, after, event),
    )


def stored(before: State, after: State, event: Request) -> z3.BoolRef:
    """The target is written, with the numbers and addresses that it needs.

    Of a Service that is not there before every fact is false, so that all is taken afresh.
    """
    target = event.target
    return z3.And(
        after.exists(target),
        z3.Implies(z3.Not(before.exists(target)), z3.Not(after.marked(target))),
        object_is_valid(after, target),
        node_ports_are_allocated(before, after, event),
        addresses_are_allocated(before, after, event),
        _others_stay(before, after, target),
        unchanged(before, after, *OF_A_SERVICE, "pooled", "owned"),
    )


def object_is_valid(now: State, one: z3.ExprRef) -> z3.BoolRef:
    """What validation asks of every Service, old or new (API-F-08, -11, -12, -14, -23, API-TC-10)."""
    has_address = z3.And(z3.Not(now.external(one)), z3.Not(now.headless(one)))
    return z3.And(
        z3.Not(z3.And(now.external(one), z3.Or(now.node_type(one), now.headless(one)))),
        z3.Implies(now.balancer(one), now.node_type(one)),
        z3.Implies(now.checks(one), now.balancer(one)),
        z3.Not(z3.And(now.headless(one), now.node_type(one))),
        z3.ForAll(n, z3.Implies(now.carries(one, n), z3.Or(now.node_type(one), now.external(one)))),
        z3.Exists(n, now.health(one, n)) == now.checks(one),
        z3.ForAll([n, m], z3.Implies(z3.And(now.health(one, n), now.health(one, m)), n == m)),
        z3.Exists(a, now.primary(one, a)) == has_address,
        z3.ForAll(a, z3.Implies(now.secondary(one, a), has_address)),
        _at_most_one_of_a_family(now, one),
        z3.ForAll(k, z3.Implies(now.classed(one, k), now.balancer(one))),
    )


def _at_most_one_of_a_family(now: State, one: z3.ExprRef) -> z3.BoolRef:
    first, second = now.primary, now.secondary
    return z3.And(
        z3.ForAll([a, b], z3.Implies(z3.And(first(one, a), first(one, b)), a == b)),
        z3.ForAll([a, b], z3.Implies(z3.And(second(one, a), second(one, b)), a == b)),
        z3.ForAll(a, z3.Implies(first(one, a), IS_V4(a) == now.first_is_v4(one))),
        z3.ForAll(a, z3.Implies(second(one, a), IS_V4(a) != now.first_is_v4(one))),
    )


def change_is_valid(before: State, after: State, one: z3.ExprRef) -> z3.BoolRef:
    """What validation asks of a change (API-F-18, API-F-23, API-DS-06, API-TC-10)."""
    both_check = z3.And(before.checks(one), after.checks(one))
    both_balance = z3.And(before.balancer(one), after.balancer(one))
    by_name = z3.Or(before.external(one), after.external(one))
    headless = z3.And(before.headless(one), after.headless(one))
    return z3.And(
        z3.Implies(both_check, z3.ForAll(n, after.health(one, n) == before.health(one, n))),
        z3.Implies(both_balance, z3.ForAll(k, after.classed(one, k) == before.classed(one, k))),
        z3.Or(by_name, headless, _addresses_stay(before, after, one)),
    )


def _addresses_stay(before: State, after: State, one: z3.ExprRef) -> z3.BoolRef:
    """The first value, an address or the word None, is the same; the second goes only by SingleStack."""
    had, has = z3.Exists(a, before.secondary(one, a)), z3.Exists(a, after.secondary(one, a))
    return z3.And(
        after.headless(one) == before.headless(one),
        z3.ForAll(a, after.primary(one, a) == before.primary(one, a)),
        after.first_is_v4(one) == before.first_is_v4(one),
        z3.Implies(z3.And(had, has), z3.ForAll(a, after.secondary(one, a) == before.secondary(one, a))),
        z3.Implies(z3.And(had, z3.Not(has)), after.single(one)),
    )


def node_ports_are_allocated(before: State, after: State, event: Request) -> z3.BoolRef:
    """ALLOC-NP-02, -03, -05 to -09, -12, ALLOC-HC-01.

    A number that the stored Service carries is not taken again, even if nobody ever took
    it: the hole. Released is what it carries no more, whoever owns it.
    """
    target = event.target
    carried, carries = before.carries, after.carries

    def takes_health(number: z3.ExprRef) -> z3.BoolRef:
        return z3.And(after.health(target, number), z3.Not(before.checks(target)))

    def takes(number: z3.ExprRef) -> z3.BoolRef:
        return z3.Or(event.gained(number), takes_health(number))

    def released(number: z3.ExprRef) -> z3.BoolRef:
        dropped = z3.If(
            after.node_type(target),
            z3.And(carried(target, number), z3.Not(carries(target, number))),
            z3.And(carried(target, number), before.node_type(target)),
        )
        dropped_health = z3.And(
            before.health(target, number), before.checks(target), z3.Not(after.checks(target))
        )
        return z3.Or(dropped, dropped_health)

    drawn = z3.Or(
        z3.And(event.gained(n), z3.Not(event.asked(n))),
        z3.And(takes_health(n), z3.Not(event.asked_health(n))),
    )
    dynamic_is_full = z3.ForAll(
        m,
        z3.Implies(z3.And(IN_RANGE(m), z3.Not(STATIC(m))), z3.Or(is_pooled(before, m), event.gained(m))),
    )
    owner = z3.Or(before.pooled(n, t), z3.And(t == target, takes(n)))
    # What the request leaves out is carried over from a type that has node ports (API-PIPE-04).
    kept = z3.And(carried(target, n), z3.Or(event.asked(n), before.node_type(target)))
    return z3.And(
        # Only free numbers of the range are taken, and none of them twice.
        z3.ForAll(n, z3.Implies(takes(n), z3.And(IN_RANGE(n), z3.Not(is_pooled(before, n))))),
        z3.ForAll(n, z3.Not(z3.And(event.gained(n), takes_health(n)))),
        z3.ForAll(n, z3.Implies(z3.And(drawn, STATIC(n)), dynamic_is_full)),
        z3.ForAll(n, z3.Implies(event.gained(n), z3.And(carries(target, n), after.node_type(target)))),
        z3.Implies(
            after.node_type(target),
            z3.ForAll(
                n,
                z3.And(
                    z3.Implies(carries(target, n), z3.Or(kept, event.gained(n))),
                    z3.Implies(event.asked(n), carries(target, n)),
                ),
            ),
        ),
        z3.Implies(after.external(target), _as_asked_unless_wiped(before, after, event)),
        z3.ForAll([n, t], after.pooled(n, t) == z3.And(owner, z3.Not(released(n)))),
    )


def _as_asked_unless_wiped(before: State, after: State, event: Request) -> z3.BoolRef:
    """An ExternalName Service has the numbers it asks for; nobody allocates them (ALLOC-NP-09, API-TC-03)."""
    adds_none = z3.ForAll(m, z3.Implies(event.asked(m), before.carries(event.target, m)))
    wiped = z3.And(before.node_type(event.target), adds_none)
    return z3.ForAll(n, after.carries(event.target, n) == z3.And(event.asked(n), z3.Not(wiped)))


def addresses_are_allocated(before: State, after: State, event: Request) -> z3.BoolRef:
    """ALLOC-IP-04 to -07, API-DS-09: what is new is taken, what is gone is released."""
    target = event.target

    def takes(address: z3.ExprRef) -> z3.BoolRef:
        return z3.And(addresses(after, target, address), z3.Not(addresses(before, target, address)))

    def released(address: z3.ExprRef) -> z3.BoolRef:
        had = z3.And(addresses(before, target, address), z3.Not(addresses(after, target, address)))
        return z3.And(had, is_held(before, address))

    owner = z3.Or(before.owned(a, t), z3.And(t == target, takes(a)))
    return z3.And(
        z3.ForAll(a, z3.Implies(takes(a), z3.And(z3.Not(is_owned(before, a)), _is_given(before, event)))),
        z3.ForAll([a, t], after.owned(a, t) == z3.And(owner, z3.Not(released(a)))),
    )


def _is_given(before: State, event: Request) -> z3.BoolRef:
    """Some ready ServiceCIDR gives the address `a`: asked for, or its static band last."""
    dynamic_is_full = z3.ForAll(
        b,
        z3.Implies(z3.And(usable(d, b), z3.Not(STATIC_OF(d, b)), IS_V4(a) == IS_V4(b)), is_owned(before, b)),
    )
    by_chance = z3.Implies(STATIC_OF(d, a), dynamic_is_full)
    gives = z3.And(before.present(d), before.ready(d), usable(d, a))
    return z3.Exists(d, z3.And(gives, z3.Or(event.asked_address(a), by_chance)))


# --- Requests that end a Service


def delete(before: State, after: State, event: Request) -> z3.BoolRef:
    """The Service is gone, and all that it names is free, whoever owned it (API-TC-11, ALLOC-NP-09)."""
    target = event.target
    had_address = z3.And(z3.Not(before.external(target)), z3.Not(before.headless(target)))

    def released(number: z3.ExprRef) -> z3.BoolRef:
        by_health = z3.And(before.health(target, number), before.checks(target))
        return z3.Or(before.carries(target, number), by_health)

    released_address = z3.And(had_address, addresses(before, target, a), is_held(before, a))
    return z3.And(
        before.exists(target),
        _is_nothing(after, target),
        _others_stay(before, after, target),
        z3.ForAll([n, t], after.pooled(n, t) == z3.And(before.pooled(n, t), z3.Not(released(n)))),
        z3.ForAll([a, t], after.owned(a, t) == z3.And(before.owned(a, t), z3.Not(released_address))),
        unchanged(before, after, *OF_A_SERVICE, "pooled", "owned"),
    )


def _is_nothing(now: State, one: z3.ExprRef) -> z3.BoolRef:
    """No relation has anything of a Service that does not exist."""
    parts = []
    for name in OF_A_SERVICE:
        places = list(variables(SORTS[name]))[1:]
        nothing = z3.Not(getattr(now, name)(one, *places))
        parts.append(z3.ForAll(places, nothing) if places else nothing)
    return z3.And(parts)


def finish(before: State, after: State, event: Request) -> z3.BoolRef:
    """A marked Service loses its last finalizer, by a write of it or of its status (API-PIPE-03)."""
    return z3.And(before.marked(event.target), delete(before, after, event))


def mark(before: State, after: State, event: Request) -> z3.BoolRef:
    """A DELETE of a Service with finalizers: it keeps all it has."""
    return z3.And(
        before.exists(event.target),
        after.marked(event.target),
        _others_stay(before, after, event.target, *(name for name in OF_A_SERVICE if name != "marked")),
        unchanged(before, after, "marked"),
    )
