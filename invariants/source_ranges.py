"""Whom loadBalancerSourceRanges keep out, and that they touch nothing else."""

import attrs

from invariants.invariant import CONTRACT_MODES, Kind, Violation, invariant
from invariants.packets import has_usable, is_shut_out, unless_some_owner_allows
from invariants.places import Ownership, escapes_refusal
from invariants.worlds import World, difference, is_same_question, objects
from model.addresses import Family, parse_cidr
from model.frontends import FrontendKind, NodeView
from model.intervals import EMPTY, Intervals, subtract, union
from model.objects import Service
from model.outcome import Outcome, Verdict
from model.packet import Packet


@invariant(
    "INV-46",
    "A packet to a load balancer address from outside the source ranges of its family is swallowed or "
    "refused, up to MODE-10 while no endpoint is usable.",
    kind=Kind.PACKET,
    source=("FWD-LBSR-01", "FWD-LBSR-04", "MODE-10", "MODE-12"),
    modes=CONTRACT_MODES,
)
def strangers_never_pass_source_ranges(view: NodeView, packet: Packet, outcome: Outcome) -> Violation | None:
    def wrong(owned: Ownership) -> str | None:
        if not is_shut_out(packet, owned):
            return None
        right = {Verdict.DROP, Verdict.REJECT}
        if escapes_refusal(view, packet, owned) and not has_usable(owned):
            right.add(Verdict.PASS)
        odd = [leaf.verdict.value for leaf in outcome.leaves if leaf.verdict not in right]
        return f"gets {odd[0]}, from outside the source ranges" if odd else None

    return unless_some_owner_allows(view, packet, wrong)


@invariant(
    "INV-47",
    "Other source ranges change nothing for packets to cluster IPs, external IPs and node ports.",
    kind=Kind.WORLDS,
    source=("FWD-LBSR-03", "NP-04"),
    modes=CONTRACT_MODES,
)
def ranges_are_for_balancers_only(before: World, after: World) -> Violation | None:
    if not is_same_question(before, after) or not before.kinds or FrontendKind.LBV in before.kinds:
        return None
    if objects(before.cluster, _without_ranges) != objects(after.cluster, _without_ranges):
        return None
    return difference(before, after)


@invariant(
    "INV-48",
    "Whoever passes source ranges passes wider ones too, and fares alike; the first range of a family is "
    "another matter, for it shuts the rest of the world out.",
    kind=Kind.WORLDS,
    source=("FWD-LBSR-01", "FWD-LBSR-02"),
    modes=CONTRACT_MODES,
)
def wider_ranges_let_no_fewer_in(before: World, after: World) -> Violation | None:
    if not has_wider_ranges(before, after):
        return None
    for name in before.service_names:
        for world in (before, after):
            if not ranges(_service(world, name), world.family):
                return None
    return keeps_those_inside(before, after)


def has_wider_ranges(before: World, after: World) -> bool:
    """Whether only ranges differ, and those of the load balancer address's owners got no narrower."""
    if not is_same_question(before, after) or before.kinds != {FrontendKind.LBV}:
        return False
    if objects(before.cluster, _without_ranges) != objects(after.cluster, _without_ranges):
        return False
    family = before.family
    return not any(
        subtract(ranges(_service(before, name), family), ranges(_service(after, name), family))
        for name in before.service_names
    )


def keeps_those_inside(before: World, after: World) -> Violation | None:
    """Whether a packet that was let through fares as before."""
    passes = any(leaf.verdict is Verdict.DNAT for outcome in before.outcomes for leaf in outcome.leaves)
    return difference(before, after) if passes else None


def ranges(service: Service, family: Family) -> Intervals:
    """The source ranges of a family; text that is no CIDR is none (API-F-17)."""
    found = EMPTY
    for text in service.load_balancer_source_ranges:
        try:
            of, values = parse_cidr(text.strip())
        except ValueError:
            continue
        if of is family:
            found = union(found, values)
    return found


def _service(world: World, name: object) -> Service:
    return next(one for one in world.cluster.services if one.name == name)


def _without_ranges(service: Service) -> Service:
    return attrs.evolve(service, load_balancer_source_ranges=())
