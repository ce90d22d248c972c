"""What loadBalancerSourceRanges keep out and what they never touch, for every address and set of ranges.

The source is a bit vector of 32 or 128 bits. The ranges of a family are any set of addresses
at all, CIDRs or not: what is proved of every set is proved of every list of CIDRs.
"""

from collections.abc import Callable

import attrs
import z3  # type: ignore[import-untyped]  # the package has no type information

from invariants.prove.claims_verdicts import PACKETS
from invariants.prove.query import Method, Proof, Query
from invariants.prove.tables import Tables, rewrites
from invariants.prove.world import World, altered, over, query, same_fate
from model.addresses import Family, format_address
from model.forwarding import IS_LBV, OUTSIDE_RANGES, Decision
from model.predicate import Not


@attrs.frozen
class Ranges:
    """The ranges of one family on one node; `has` and `is_vip` speak of an address.

    `some` says that the list has any of this family, `all_in` that one of them is /0;
    `primary` is the node's primary address, where `has_primary` says that it has one.
    """

    has: Callable[[z3.BitVecRef], z3.BoolRef]
    some: z3.BoolRef
    all_in: z3.BoolRef
    is_vip: Callable[[z3.BitVecRef], z3.BoolRef]
    primary: z3.BitVecRef
    has_primary: z3.BoolRef


def allows(ranges: Ranges, source: z3.BitVecRef) -> z3.BoolRef:
    """FWD-LBSR-01, -02 and -04."""
    by_vip = z3.And(ranges.has_primary, ranges.has(ranges.primary), ranges.is_vip(source))
    return z3.Or(z3.Not(ranges.some), ranges.all_in, ranges.has(source), by_vip)


def any_ranges(family: Family, suffix: str = "") -> Ranges:
    """Any set of addresses; two of different suffix are of one service and node."""
    address = z3.BitVecSort(family.bits)
    return Ranges(
        z3.Function(f"in ranges{suffix}", address, z3.BoolSort()),
        z3.Bool(f"there are ranges{suffix}"),
        z3.Bool(f"one range is everything{suffix}"),
        z3.Function("is a balancer address", address, z3.BoolSort()),
        z3.BitVec("primary address", family.bits),
        z3.Bool("the node has a primary address"),
    )


def _source(family: Family) -> z3.BitVecRef:
    return z3.BitVec("source", family.bits)


def _make_sense(ranges: Ranges, family: Family) -> z3.BoolRef:
    """No range is empty, and /0 holds everything."""
    address = z3.BitVec("x", family.bits)
    inside = ranges.has(address)
    return z3.And(
        ranges.some == z3.Exists([address], inside), z3.Implies(ranges.all_in, z3.ForAll([address], inside))
    )


def the_firewall_keeps_out_whom_the_ranges_leave_out(tables: Tables, world: World) -> tuple[Query, ...]:
    """INV-46."""
    return tuple(_keeps_out(tables, world, family) for family in Family)


def _keeps_out(tables: Tables, world: World, family: Family) -> Query:
    source, ranges = _source(family), any_ranges(family)
    outside = z3.And(
        ranges.some,
        z3.Not(ranges.has(source)),
        z3.Not(z3.And(ranges.is_vip(source), ranges.has_primary, ranges.has(ranges.primary))),
    )
    given = (
        _make_sense(ranges, family),
        world.facts[OUTSIDE_RANGES] == z3.Not(allows(ranges, source)),
        world.is_(IS_LBV),
        outside,
        z3.Not(world.escapes_refusal(tables)),
    )
    goal = world.decides(tables, Decision.DROP, Decision.REJECT)
    return query(f"never let in, {family.value}", tables, world, given, goal)


def ranges_concern_balancer_addresses_only(tables: Tables, world: World) -> tuple[Query, ...]:
    """INV-47: with any other ranges the fate is the same, source translation included."""
    return tuple(_leaves_alone(tables, world, family) for family in Family)


def _leaves_alone(tables: Tables, world: World, family: Family) -> Query:
    source, ranges, others = _source(family), any_ranges(family), any_ranges(family, " (other)")
    other = altered(world, {OUTSIDE_RANGES: z3.Not(allows(others, source))})
    given = (
        *other.premises,
        world.facts[OUTSIDE_RANGES] == z3.Not(allows(ranges, source)),
        *(_make_sense(each, family) for each in (ranges, others)),
        world.is_(Not(IS_LBV)),
    )
    same = z3.And(
        same_fate(tables, world, other), world.rewrites(tables) == rewrites(tables.masquerade, other.facts)
    )
    return query(f"unchanged, {family.value}", tables, world, given, same)


def _wider(family: Family) -> tuple[Ranges, Ranges, tuple[z3.BoolRef, ...]]:
    """Two sets of ranges, the second of which has all that the first has."""
    ranges, others = any_ranges(family), any_ranges(family, " (other)")
    address = z3.BitVec("y", family.bits)
    subset = z3.ForAll([address], z3.Implies(ranges.has(address), others.has(address)))
    return ranges, others, (*(_make_sense(each, family) for each in (ranges, others)), subset)


def wider_ranges_allow_more() -> tuple[Query, ...]:
    """INV-48."""
    return tuple(_allows_more(family, from_nothing=False) for family in Family)


def ranges_out_of_nothing_allow_more() -> tuple[Query, ...]:
    """INV-48 where the first list has none of the family: false, since no ranges let everybody in."""
    return tuple(_allows_more(family, from_nothing=True) for family in Family)


def _allows_more(family: Family, *, from_nothing: bool) -> Query:
    source = _source(family)
    ranges, others, premises = _wider(family)
    some = z3.Not(ranges.some) if from_nothing else ranges.some
    goal = z3.Implies(allows(ranges, source), allows(others, source))
    name = f"whom the first lets in the second does, {family.value}"
    return Query(
        name,
        (*premises, some, others.some),
        goal,
        show=lambda found: (
            f"from {'no' if from_nothing else 'some'} ranges to some without {_place(found, family)}"
        ),
    )


def _place(found: z3.ModelRef, family: Family) -> str:
    return format_address(family, found.eval(_source(family), model_completion=True).as_long())


ADDRESSES = f"{PACKETS}, every source address, any set of ranges"

PROOFS: tuple[Proof, ...] = (
    Proof(
        "INV-46",
        Method.UNBOUNDED,
        ADDRESSES,
        over(the_firewall_keeps_out_whom_the_ranges_leave_out),
        sentence="A source outside a family's ranges is dropped or refused at balancers, up to MODE-10.",
    ),
    Proof(
        "INV-47",
        Method.UNBOUNDED,
        ADDRESSES,
        over(ranges_concern_balancer_addresses_only),
        sentence="Ranges change nothing at cluster IPs, external IPs and node ports.",
    ),
    Proof(
        "INV-48",
        Method.UNBOUNDED,
        ADDRESSES,
        wider_ranges_allow_more,
        sentence="Wider ranges let in whomever narrower ones do, unless there were none.",
    ),
    Proof(
        "INV-48",
        Method.UNBOUNDED,
        "a list that had no range of the family",
        ranges_out_of_nothing_allow_more,
        refuted=True,
        sentence="Wider ranges let in whomever narrower ones do, even where there were none.",
        part="without its proviso",
    ),
)
