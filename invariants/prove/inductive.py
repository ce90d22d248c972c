"""Claims about Services and their pools, proved of every cluster by induction.

The first state satisfies the invariant, and every class of events keeps it; so it holds in
every state that any history leads to, with any number of Services, ports and addresses.
Where a claim is not inductive by itself it is proved together with the lemmas it needs.
"""

from collections.abc import Callable, Iterator, Mapping

import attrs
import z3  # type: ignore[import-untyped]  # the package has no type information

from invariants.prove.allocation_machine import Transition, unchanged
from invariants.prove.machine_state import (
    IN_RANGE,
    IS_V4,
    OF_A_SERVICE,
    SORTS,
    SPANS,
    STATIC,
    STATIC_OF,
    Request,
    State,
    a,
    addresses,
    b,
    c,
    d,
    is_held,
    is_owned,
    is_pooled,
    k,
    m,
    n,
    numbers,
    request,
    s,
    state,
    t,
    usable,
    variables,
)
from invariants.prove.machine_witness import show
from invariants.prove.pool_machine import EVENTS
from invariants.prove.query import Query

StateFormula = Callable[[State], z3.BoolRef]
StepFormula = Callable[[State, State, Request], z3.BoolRef]

BEFORE, AFTER, EVENT = state("before"), state("after"), request()

RANGES = (z3.ForAll(n, z3.Implies(STATIC(n), IN_RANGE(n))),)
"""What is true of the ranges, whatever they are (ALLOC-NP-02)."""


def initial(now: State) -> z3.BoolRef:
    """No Service, nothing allocated; any ServiceCIDRs."""
    parts = []
    for name, sorts in SORTS.items():
        if name not in ("present", "ready"):
            places = list(variables(sorts))
            parts.append(z3.ForAll(places, z3.Not(getattr(now, name)(*places))))
    return z3.And(*parts, z3.ForAll(c, z3.Implies(now.ready(c), now.present(c))))


# --- Lemmas


def nothing_of_nobody(now: State) -> z3.BoolRef:
    """A Service that does not exist has nothing."""
    parts = []
    for name in OF_A_SERVICE:
        places = list(variables(SORTS[name]))
        parts.append(z3.ForAll(places, z3.Implies(getattr(now, name)(*places), now.exists(s))))
    return z3.And(parts)


def types_bound_what_a_service_has(now: State) -> z3.BoolRef:
    """INV-04, INV-06 and INV-08 as far as allocation rests on them."""
    return z3.And(
        z3.ForAll(s, z3.Not(z3.And(now.external(s), z3.Or(now.node_type(s), now.headless(s))))),
        z3.ForAll(s, z3.Implies(now.checks(s), now.balancer(s))),
        z3.ForAll(s, z3.Implies(now.balancer(s), now.node_type(s))),
        z3.ForAll([s, n], z3.Implies(now.carries(s, n), z3.Or(now.node_type(s), now.external(s)))),
        z3.ForAll([s, n], z3.Implies(now.health(s, n), now.checks(s))),
        z3.ForAll(
            [s, a],
            z3.Implies(addresses(now, s, a), z3.Not(z3.Or(now.external(s), now.headless(s)))),
        ),
        z3.ForAll([s, a], z3.Implies(now.primary(s, a), IS_V4(a) == now.first_is_v4(s))),
        z3.ForAll([s, a], z3.Implies(now.secondary(s, a), IS_V4(a) != now.first_is_v4(s))),
    )


def an_address_has_one_owner(now: State) -> z3.BoolRef:
    return z3.ForAll([a, s, t], z3.Implies(z3.And(now.owned(a, s), now.owned(a, t)), s == t))


def a_service_owns_its_addresses(now: State) -> z3.BoolRef:
    return z3.ForAll([s, a], z3.Implies(addresses(now, s, a), now.owned(a, s)))


def a_range_holds_what_is_owned(now: State) -> z3.BoolRef:
    return z3.And(
        z3.ForAll([a, s], z3.Implies(now.owned(a, s), is_held(now, a))),
        z3.ForAll(c, z3.Implies(now.ready(c), now.present(c))),
    )


def a_number_has_one_owner(now: State) -> z3.BoolRef:
    return z3.ForAll([n, s, t], z3.Implies(z3.And(now.pooled(n, s), now.pooled(n, t)), s == t))


def a_service_owns_its_numbers(now: State) -> z3.BoolRef:
    return z3.ForAll([s, n], z3.Implies(numbers(now, s, n), now.pooled(n, s)))


def numbers_are_in_range(now: State) -> z3.BoolRef:
    return z3.ForAll([s, n], z3.Implies(numbers(now, s, n), IN_RANGE(n)))


def a_health_check_has_its_own_number(now: State) -> z3.BoolRef:
    return z3.ForAll([s, n], z3.Not(z3.And(now.carries(s, n), now.health(s, n))))


def the_hole_is_closed(now: State) -> z3.BoolRef:
    """No ExternalName Service carries node ports (ALLOC-NP-09)."""
    return z3.ForAll([s, n], z3.Not(z3.And(now.external(s), now.carries(s, n))))


SHAPE: tuple[StateFormula, ...] = (nothing_of_nobody, types_bound_what_a_service_has)
OF_ADDRESSES: tuple[StateFormula, ...] = (
    *SHAPE,
    an_address_has_one_owner,
    a_service_owns_its_addresses,
    a_range_holds_what_is_owned,
)
OF_NUMBERS: tuple[StateFormula, ...] = (
    *SHAPE,
    a_number_has_one_owner,
    a_service_owns_its_numbers,
    numbers_are_in_range,
    a_health_check_has_its_own_number,
)


# --- Claims of a state


def cluster_ips_have_one_owner(now: State) -> z3.BoolRef:
    """INV-18."""
    both = z3.And(addresses(now, s, a), addresses(now, t, a))
    return z3.And(a_service_owns_its_addresses(now), z3.ForAll([s, t, a], z3.Implies(both, s == t)))


def node_ports_have_one_owner(now: State) -> z3.BoolRef:
    """INV-19."""
    both = z3.And(numbers(now, s, n), numbers(now, t, n))
    pooled = z3.ForAll([s, n], z3.Implies(numbers(now, s, n), is_pooled(now, n)))
    return z3.And(pooled, z3.ForAll([s, t, n], z3.Implies(both, s == t)))


def addresses_are_in_range(now: State) -> z3.BoolRef:
    """INV-20, its second half; `numbers_are_in_range` is the first."""
    return z3.ForAll([s, a], z3.Implies(addresses(now, s, a), is_held(now, a)))


def no_service_has_an_edge_of_its_range(now: State) -> z3.BoolRef:
    """INV-21: of the ServiceCIDRs around an address, it is not an edge of all."""
    around = z3.Exists(c, z3.And(now.present(c), SPANS(c, a)))
    return z3.ForAll([s, a], z3.Implies(z3.And(addresses(now, s, a), around), is_held(now, a)))


# --- Claims of a step


def the_primary_address_stays(before: State, after: State, _: Request) -> z3.BoolRef:
    """INV-12."""
    had, has = z3.Exists(a, before.primary(s, a)), z3.Exists(a, after.primary(s, a))
    by_name = z3.Or(before.external(s), after.external(s))
    same = z3.And(
        z3.ForAll(b, after.primary(s, b) == before.primary(s, b)),
        after.first_is_v4(s) == before.first_is_v4(s),
    )
    return z3.ForAll(s, z3.Or(z3.Not(had), z3.Not(has), by_name, same))


def the_second_address_goes_only_with_the_policy(before: State, after: State, _: Request) -> z3.BoolRef:
    """INV-13; the word None counts as one value."""
    stays = z3.And(before.exists(s), after.exists(s), z3.Not(after.external(s)))
    had = z3.Or(before.headless(s), z3.Exists(a, before.primary(s, a)))
    has = z3.Or(after.headless(s), z3.Exists(a, after.primary(s, a)))
    had_two, has_two = z3.Exists(a, before.secondary(s, a)), z3.Exists(a, after.secondary(s, a))
    fewer = z3.Or(z3.And(had, z3.Not(has)), z3.And(had_two, z3.Not(has_two)))
    return z3.ForAll(s, z3.Implies(z3.And(stays, fewer), after.single(s)))


def headless_stays_headless(before: State, after: State, _: Request) -> z3.BoolRef:
    """INV-14."""
    stays = z3.And(before.exists(s), after.exists(s))
    by_name = z3.Or(before.external(s), after.external(s))
    return z3.ForAll(s, z3.Implies(stays, z3.Or(by_name, after.headless(s) == before.headless(s))))


def refused_and_dry_requests_leave_nothing(before: State, after: State, event: Request) -> z3.BoolRef:
    """INV-16."""
    return z3.Implies(z3.Or(event.refused, event.dry), unchanged(before, after))


def what_a_balancer_was_given_stays(before: State, after: State, _: Request) -> z3.BoolRef:
    """INV-17."""
    checks = z3.And(before.checks(s), after.checks(s))
    balances = z3.And(before.balancer(s), after.balancer(s))
    return z3.And(
        z3.ForAll([s, n], z3.Implies(checks, after.health(s, n) == before.health(s, n))),
        z3.ForAll([s, k], z3.Implies(balances, after.classed(s, k) == before.classed(s, k))),
    )


def the_static_band_comes_last(before: State, after: State, event: Request) -> z3.BoolRef:
    """INV-22, of requests: nobody else draws."""
    # A number that is released in the write that draws it was in use when it was drawn.
    in_use = z3.Or(is_pooled(before, m), is_pooled(after, m), after.carries(event.target, m))
    full = z3.ForAll(m, z3.Implies(z3.And(IN_RANGE(m), z3.Not(STATIC(m))), in_use))
    asked = z3.Or(event.asked(n), event.asked_health(n))
    drawn = z3.And(is_pooled(after, n), z3.Not(is_pooled(before, n)), z3.Not(asked))
    dynamic = z3.And(usable(d, b), z3.Not(STATIC_OF(d, b)), IS_V4(b) == IS_V4(a))
    owned = z3.Or(is_owned(before, b), is_owned(after, b))
    gives = z3.And(before.present(d), before.ready(d), usable(d, a))
    rightly = z3.Implies(STATIC_OF(d, a), z3.ForAll(b, z3.Implies(dynamic, owned)))
    drawn_ip = z3.And(is_owned(after, a), z3.Not(is_owned(before, a)), z3.Not(event.asked_address(a)))
    return z3.And(
        z3.ForAll(n, z3.Implies(z3.And(drawn, STATIC(n)), full)),
        z3.ForAll(a, z3.Implies(drawn_ip, z3.Exists(d, z3.And(gives, rightly)))),
    )


def a_deleted_service_leaves_nothing_owned(before: State, after: State, _: Request) -> z3.BoolRef:
    """INV-24: what is not owned may be requested again."""
    gone = z3.And(before.exists(s), z3.Not(after.exists(s)))
    return z3.And(
        z3.ForAll([s, n], z3.Implies(z3.And(gone, numbers(before, s, n)), z3.Not(is_pooled(after, n)))),
        z3.ForAll([s, a], z3.Implies(z3.And(gone, addresses(before, s, a)), z3.Not(is_owned(after, a)))),
    )


# --- Questions


@attrs.frozen
class Inductive:
    """An invariant with its lemmas, `claims` that follow from it, and what is assumed of all states."""

    lemmas: tuple[StateFormula, ...]
    claims: tuple[StateFormula, ...] = ()
    assumes: tuple[StateFormula, ...] = ()

    def at(self, now: State) -> list[z3.BoolRef]:
        return [formula(now) for formula in (*self.assumes, *self.lemmas)]

    def queries(self, events: Mapping[str, Transition] = EVENTS) -> Iterator[Query]:
        """The first state, every event, and that the claims follow."""
        goal = z3.And([lemma(AFTER) for lemma in self.lemmas])
        yield Query("lemmas in the first state", (*RANGES, initial(AFTER)), goal, show(AFTER))
        for name, event in events.items():
            assumed = [formula(AFTER) for formula in self.assumes]
            premises = (*RANGES, *self.at(BEFORE), event(BEFORE, AFTER, EVENT), *assumed)
            words = show(BEFORE, AFTER, event=EVENT, name=name)
            yield Query(f"lemmas after {name}", premises, goal, words)
        for claim in self.claims:
            name = (claim.__name__).replace("_", " ")
            yield Query(name, (*RANGES, *self.at(AFTER)), claim(AFTER), show(AFTER))


def step_queries(
    claim: StepFormula, rests_on: tuple[StateFormula, ...], events: Mapping[str, Transition] = EVENTS
) -> Iterator[Query]:
    """A claim of a step, for every event in a state of which the lemmas hold."""
    given = [lemma(BEFORE) for lemma in rests_on]
    for name, event in events.items():
        premises = (*RANGES, *given, event(BEFORE, AFTER, EVENT))
        words = show(BEFORE, AFTER, event=EVENT, name=name)
        yield Query(f"claim at {name}", premises, claim(BEFORE, AFTER, EVENT), words)
