"""What kind of difference a packet's two fates make, and which lines are to blame.

Works on one packet at a time: what the contract allows, what the plain walk found, and
the ways the walk took. Consequences are not reported beside their cause: when the sets of
targets differ, uneven odds say nothing new.
"""

from collections.abc import Sequence
from fractions import Fraction

from model.expectation import Expectation
from model.frontends import FrontendKind, Owner
from model.outcome import Outcome, Target, Verdict
from model.packet import Packet
from oracle.findings import Kind
from oracle.plain import End
from oracle.roles import ChainKind, Met
from oracle.ruleset import Accept, Masquerade, SetMark
from oracle.verdict.blame import (
    MAX_LINES,
    choosing,
    cited,
    deciding,
    entries,
    is_egress_of_others,
    is_guarded,
    is_proxys_doing,
    is_translated_by_proxy,
    let_through,
    replacing_source,
    sent_to,
    unknown_targets,
    way_in,
)
from oracle.verdict.fault import Evidence, Fault


def faults(
    packet: Packet,
    owners: tuple[Owner, ...],
    expectation: Expectation,
    found: Outcome,
    ends: Sequence[End],
    met: Sequence[Met],
    *,
    from_attached: bool,
) -> list[Fault]:
    """Every kind of difference between what is allowed for a packet and what was found."""
    expected = _closest(expectation.allowed, found)
    case = Evidence(packet, owners, expectation, expected, found, ends, met, from_attached)
    translated = any(leaf.verdict is Verdict.DNAT for leaf in found.leaves)
    if expected.verdict is Verdict.DNAT:
        return _other_targets(case) if translated else [_not_translated(case)]
    if translated:
        if not owners and not is_translated_by_proxy(ends):
            return []  # a published container port, say: nobody's Service
        return [_translated_anyway(case)]
    # Where the proxy must refuse what is no Service's (MODE-02, -05 to -07), passing is its fault too.
    lets_through = found.verdict is Verdict.PASS and expected.verdict is not Verdict.PASS
    if not owners and not lets_through and not is_proxys_doing(packet, ends):
        return []
    return [_other_verdict(case)]


def _closest(allowed: Sequence[Outcome], found: Outcome) -> Outcome:
    """The allowed outcome that the one found is likest to."""

    def likeness(outcome: Outcome) -> tuple[bool, int]:
        return outcome.verdict is found.verdict, len(_targets(outcome) & _targets(found))

    return max(allowed, key=likeness)


def _targets(outcome: Outcome) -> set[Target]:
    return {leaf.target for leaf in outcome.leaves if leaf.target is not None}


def _not_translated(case: Evidence) -> Fault:
    found = case.found
    if found.verdict is Verdict.PASS or (found.verdict is Verdict.DROP and is_guarded(case.packet)):
        return Fault(
            Kind.MISSING_FRONTEND,
            way_in(case.met),
            "no rule translates packets to this frontend",
        )
    lines = deciding(case.ends, found.verdict)
    if any(met.refuses_leftovers for end in case.ends for met in end.state.trail):
        return Fault(
            Kind.MISSING_FRONTEND,
            lines,
            "no rule translates packets to this frontend, so they are refused as for no Service's address",
        )
    by_range = found.verdict is Verdict.DROP and any(
        kind is FrontendKind.LBV and one.allowed_sources is not None for one, kind in case.owners
    )
    if by_range:
        return Fault(Kind.SOURCE_RANGE, lines, "a source that loadBalancerSourceRanges allows is dropped")
    return Fault(
        Kind.WRONG_VERDICT, lines, f"packets that should reach an endpoint meet a {found.verdict.name}"
    )


def _translated_anyway(case: Evidence) -> Fault:
    """Translated although the contract refuses it or leaves it alone."""
    ends, expected = case.ends, case.expected
    lines = sent_to(ends, _targets(case.found))
    jumps = entries(ends)
    if expected.verdict is Verdict.PASS or not case.owners:
        return Fault(Kind.UNEXPECTED_FRONTEND, (*jumps, *lines)[:MAX_LINES], "no Service has this frontend")
    if not {"FWD-LBSR-01", "MODE-13"}.isdisjoint(case.expectation.cites):
        return Fault(
            Kind.SOURCE_RANGE,
            (*let_through(ends), *jumps, *lines)[:MAX_LINES],
            "a source outside loadBalancerSourceRanges gets through",
        )
    stale = unknown_targets(case.owners, [end for end in ends if end.verdict is Verdict.DNAT])
    if stale:
        return Fault(
            Kind.STALE_TARGET, lines, "packets are sent to an endpoint that the Service no longer has"
        )
    return Fault(
        Kind.INELIGIBLE_TARGET,
        lines,
        f"packets reach an endpoint where the contract says {expected.verdict.name}",
    )


def _other_targets(case: Evidence) -> list[Fault]:
    """Both translate: the sets, then the odds, the source and the memory."""
    ends, found = case.ends, case.found
    wanted, got = _targets(case.expected), _targets(found)
    missing, extra = wanted - got, got - wanted
    out: list[Fault] = []
    moved = {target for target in extra if any(target.address == other.address for other in missing)}
    if moved:
        missing = {t for t in missing if all(t.address != other.address for other in moved)}
        out.append(
            Fault(
                Kind.WRONG_PORT, sent_to(ends, moved), "an endpoint is reached at a port that is not its own"
            )
        )
    extra -= moved
    unknown = {Target(e.state.destination, e.state.port) for e in unknown_targets(case.owners, ends)}
    stale = extra & unknown
    if stale:
        out.append(
            Fault(
                Kind.STALE_TARGET,
                sent_to(ends, stale),
                "packets are sent to an endpoint that the Service no longer has",
            )
        )
    if extra - stale:
        out.append(
            Fault(
                Kind.INELIGIBLE_TARGET,
                sent_to(ends, extra - stale),
                "packets are sent to an endpoint that must get none here",
            )
        )
    if missing:
        out.append(Fault(Kind.MISSING_TARGET, choosing(case.met), "an eligible endpoint is never chosen"))
    astray = [leaf for leaf in found.leaves if leaf.verdict is not Verdict.DNAT]
    if astray and not out:
        verdict = astray[0].verdict
        out.append(
            Fault(Kind.WRONG_VERDICT, deciding(ends, verdict), f"some packets meet {verdict.name} instead")
        )
    if out:
        return out
    return [
        *_odds(case),
        *_masquerade(case),
        *_affinity(case),
    ]


def _odds(case: Evidence) -> list[Fault]:
    wanted = {leaf.target: leaf.odds for leaf in case.expected.leaves}
    if wanted == _shares(case.found):
        return []
    return [Fault(Kind.UNEVEN_ODDS, choosing(case.met), "the endpoints do not get equal shares")]


def _shares(outcome: Outcome) -> dict[Target | None, Fraction]:
    """Odds by target; a target may be reached with and without masquerade."""
    out: dict[Target | None, Fraction] = {}
    for leaf in outcome.leaves:
        out[leaf.target] = out.get(leaf.target, Fraction(0)) + leaf.odds
    return out


def _masquerade(case: Evidence) -> list[Fault]:
    expected, found, ends = case.expected, case.found, case.ends
    wanted = {leaf.target: leaf.masquerade for leaf in expected.leaves}
    lacks = {
        leaf.target for leaf in found.leaves if leaf.target and not leaf.masquerade and wanted[leaf.target]
    }
    gains = {
        leaf.target for leaf in found.leaves if leaf.target and leaf.masquerade and not wanted[leaf.target]
    }
    out: list[Fault] = []
    if lacks:
        out.append(
            Fault(
                Kind.MASQUERADE_MISSING,
                sent_to(ends, lacks),
                "the client's address is kept where it must be replaced, so replies bypass this node",
            )
        )
    if gains and not is_egress_of_others(case.expectation.cites, ends, from_attached=case.from_attached):
        marking: list[Met] = []
        for end in ends:
            if end.state.masqueraded:
                marking += [
                    met
                    for met in end.state.trail
                    if isinstance(met.rule.then, SetMark | Masquerade) or met.leads_to is ChainKind.MARK
                ]
        out.append(
            Fault(
                Kind.MASQUERADE_UNEXPECTED,
                cited(marking),
                "the client's address is replaced where it must be kept",
            )
        )
    return out


def _affinity(case: Evidence) -> list[Fault]:
    expected, found = case.expected, case.found
    if expected.affinity == found.affinity:
        return []
    asking = cited([met for met in case.met if met.asks_memory][:MAX_LINES]) or choosing(case.met)
    if not expected.affinity:
        return [
            Fault(Kind.AFFINITY_UNEXPECTED, asking, "clients are held to an endpoint without sessionAffinity")
        ]
    wanted = [memory.target for memory in expected.affinity]
    got = [memory.target for memory in found.affinity]
    if wanted == got:
        seconds = sorted({memory.seconds for memory in found.affinity})
        if seconds == [expected.affinity_seconds]:
            missing = any(memory.masquerade for memory in expected.affinity)
            kind = Kind.MASQUERADE_MISSING if missing else Kind.MASQUERADE_UNEXPECTED
            return [Fault(kind, asking, "remembered clients are not masqueraded as they must be")]
        times = ", ".join(map(str, seconds))
        return [
            Fault(Kind.AFFINITY_TIMEOUT, asking, f"affinity of {times} s, not {expected.affinity_seconds} s")
        ]
    strangers = set(got) - set(wanted) - {Target(0, 0)}
    if strangers:
        what = "clients remembered at an endpoint that must get none are still sent there"
        return [Fault(Kind.INELIGIBLE_TARGET, asking, what)]
    if sorted(wanted) == sorted(got):
        return [
            Fault(Kind.AFFINITY_UNEXPECTED, asking, "endpoints are asked in another order than they sort")
        ]
    return [Fault(Kind.AFFINITY_MISSING, asking, "sessionAffinity ClientIP is not kept for every endpoint")]


def _other_verdict(case: Evidence) -> Fault:
    """Neither translates, and still they differ."""
    expected, found, ends = case.expected, case.found, case.ends
    if found.verdict is Verdict.PASS and expected.verdict is Verdict.PASS:
        return Fault(
            Kind.MASQUERADE_UNEXPECTED,
            replacing_source(ends),
            "traffic that is no Service's gets another source (MASQ-10)",
        )
    if found.verdict is Verdict.PASS:
        what = f"packets pass where the contract says {expected.verdict.name}"
        accepting = cited(
            end.state.trail[-1]
            for end in ends
            if end.state.trail and isinstance(end.state.trail[-1].rule.then, Accept)
        )
        return Fault(Kind.WRONG_VERDICT, accepting or way_in(case.met), what)
    lines = deciding(ends, found.verdict)
    if expected.verdict is Verdict.PASS:
        refused = any(met.refuses_without_endpoints for end in ends for met in end.state.trail)
        kind = Kind.UNEXPECTED_FRONTEND if refused else Kind.WRONG_VERDICT
        return Fault(kind, lines, "packets are refused here though no Service has this frontend")
    if found.verdict is Verdict.DROP and any(
        met.refuses_leftovers for end in ends for met in end.state.trail
    ):
        what = "the rules do not know this cluster IP, so packets are dropped as for an unallocated address"
        return Fault(Kind.MISSING_FRONTEND, lines, what)
    if found.verdict is expected.verdict:
        return Fault(Kind.WRONG_VERDICT, lines, "the refusal answers with another error than it should")
    what = f"the contract says {expected.verdict.name}, the rules {found.verdict.name}"
    return Fault(Kind.WRONG_VERDICT, lines, what)
