"""Arithmetic for every number: the odds of a chain of rules, and the bands of a range.

A chain of n rules, of which the k-th takes 1/(n-k+1) of what comes to it, is proved to give
each endpoint 1/n by induction over k; that is algebra over the reals, for every n at once.
"""

import z3  # type: ignore[import-untyped]  # the package has no type information

from invariants.prove.query import Method, Proof, Query

DIGITS = 10
"""The decimals that kube-proxy prints of a probability (FWD-LB-01)."""


def chance(count: z3.ArithRef, at: z3.ArithRef) -> z3.ArithRef:
    """What the rule `at`, counted from 1, of `count` takes of the packets that come to it."""
    return 1 / (count - at + 1)


def onward(reached: z3.ArithRef, taken: z3.ArithRef) -> z3.ArithRef:
    """The odds of coming to the next rule, where one that is reached so takes so much."""
    return reached * (1 - taken)


def each_endpoint_has_an_equal_share() -> tuple[Query, ...]:
    """INV-56."""
    count, at, reached = z3.Reals("n k reached")
    inside = (count >= 1, at >= 1, at <= count)
    comes = (count - at + 1) / count  # the induction's claim about coming to rule k
    last = z3.substitute(chance(count, at), (at, count))
    return (
        Query("to the first rule all come", (count >= 1,), z3.substitute(comes, (at, z3.RealVal(1))) == 1),
        Query(
            "if so many come to a rule, so many come to the next",
            (*inside, at + 1 <= count, reached == comes),
            onward(reached, chance(count, at)) == z3.substitute(comes, (at, at + 1)),
        ),
        Query("each takes 1/n", (*inside, reached == comes), reached * chance(count, at) == 1 / count),
        Query("the last takes all that come", (count >= 1,), last == 1),
    )


def printed_odds_are_nearly_equal() -> tuple[Query, ...]:
    """INV-56 of decimals, each rounded by half a unit of the last digit at most: within n times that.

    With `drift` between the odds of coming to rule k as printed and as meant, and `rounding`
    between what it takes as printed and as meant: the drift grows by a unit a rule.
    """
    reached, share, drift, rounding = z3.Reals("reached share drift rounding")
    factor, size, most, at, count = z3.Reals("factor size most k n")
    unit = z3.Q(1, 2 * 10**DIGITS)

    def within(number: z3.ArithRef, bound: z3.ArithRef) -> z3.BoolRef:
        return z3.And(number <= bound, -number <= bound)

    part = (factor >= 0, factor <= 1, within(size, most))
    printed = share + rounding
    onward_drift = onward(reached + drift, printed) - onward(reached, share)
    share_drift = (reached + drift) * printed - reached * share
    of_drift, of_rounding = z3.Reals("of_drift of_rounding")
    bounded = (within(of_drift, (at - 1) * unit), within(of_rounding, unit), at >= 1, at <= count)
    return (
        Query("a part of a number is no further from 0", part, within(factor * size, most)),
        Query("drift of the next rule", (), onward_drift == drift * (1 - printed) - reached * rounding),
        Query("drift of a share", (), share_drift == drift * printed + reached * rounding),
        Query("the drift grows by a unit a rule", bounded, within(of_drift - of_rounding, at * unit)),
        Query("each share is within n units", bounded, within(of_drift + of_rounding, count * unit)),
    )


def static_size(size: z3.ArithRef, step: int, most: int) -> z3.ArithRef:
    """The size of the lower band of `size` values (ALLOC-IP-03, ALLOC-NP-02)."""
    part = size / step  # whole numbers: rounded down
    bounded = z3.If(part < 16, 16, z3.If(part > most, most, part))
    return z3.If(size <= 16, 0, bounded)


def bands_divide_a_range() -> tuple[Query, ...]:
    """INV-23, for addresses and for node ports."""
    return (
        *_band("addresses", 16, 256),
        *_band("ports", 32, 128),
        _room("ports", 32, 128, edges=0),
        # A CIDR's size is a power of two, so it is at most 16 or at least 32.
        _no_cidr_between(),
        _room("IPv6 addresses", 16, 256, edges=1),
        _room("IPv4 addresses", 16, 256, edges=2),
    )


def _band(name: str, step: int, most: int) -> tuple[Query, ...]:
    size = z3.Int("n")
    static = static_size(size, step, most)
    return (
        Query(f"{name}: bounds", (size >= 1,), z3.And(static >= 0, static <= most)),
        Query(f"{name}: none exactly up to 16", (size >= 1,), (static == 0) == (size <= 16)),
        Query(f"{name}: never less of more", (size >= 1,), static <= static_size(size + 1, step, most)),
    )


def _room(name: str, step: int, most: int, *, edges: int) -> Query:
    """Something is left for the upper band wherever something is usable."""
    size = z3.Int("n")
    sizes = z3.Or(size <= 16, size >= 32) if edges else z3.BoolVal(True)
    static = static_size(size, step, most)
    return Query(f"{name}: room for the upper band", (size > edges, sizes), static < size - edges)


def _no_cidr_between() -> Query:
    size = z3.BitVec("size", 130)
    power = z3.And(size != 0, size & (size - 1) == 0)
    return Query("no CIDR has 17 to 31", (power,), z3.Or(z3.ULE(size, 16), z3.UGE(size, 32)))


PROOFS: tuple[Proof, ...] = (
    Proof(
        "INV-23",
        Method.UNBOUNDED,
        "every size of a range",
        bands_divide_a_range,
        sentence="The static band is smaller than what is usable, none exactly up to 16 values, bounded, and "
        "never smaller in a larger range.",
    ),
    Proof(
        "INV-56",
        Method.INDUCTIVE,
        "every number of endpoints, exact odds",
        each_endpoint_has_an_equal_share,
        sentence="Without affinity each endpoint has the same odds, exactly 1/n.",
        part="exact odds",
    ),
    Proof(
        "INV-56",
        Method.INDUCTIVE,
        f"every number of endpoints, odds printed with {DIGITS} decimals",
        printed_odds_are_nearly_equal,
        sentence="As printed, each endpoint's odds are within n times half a unit of the last digit of 1/n.",
        part="odds as printed",
    ),
)
