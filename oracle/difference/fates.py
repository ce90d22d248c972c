"""The two fates of a packet in words, so chosen that equal kinds of difference read alike."""

from fractions import Fraction

from model.addresses import Family, format_address
from model.outcome import Outcome, Target, Verdict
from model.packet import Packet

_WORDS = {Verdict.REJECT: "refused", Verdict.DROP: "dropped", Verdict.PASS: "left alone"}
_TARGETS_SHOWN = 3


def fates(before: Outcome, after: Outcome, packet: Packet) -> tuple[str, str]:
    """What becomes of a packet on either side, as far as it is not the same.

    `("refused", "left alone")`, `("delivered, source kept", "delivered, source replaced")`,
    `("delivered, also to 10.244.1.10:8080", "delivered")`.
    """
    if _is_delivered(before) and _is_delivered(after):
        return _deliveries(before, after, packet)
    first, second = _in_short(before), _in_short(after)
    if first != second:
        return first, second
    return _rest(before), _rest(after)


def _is_delivered(outcome: Outcome) -> bool:
    return all(leaf.verdict is Verdict.DNAT for leaf in outcome.leaves)


def _in_short(outcome: Outcome) -> str:
    verdicts = sorted({leaf.verdict for leaf in outcome.leaves}, key=lambda one: one is not Verdict.DNAT)
    return " or ".join("delivered" if one is Verdict.DNAT else _WORDS[one] for one in verdicts)


def _rest(outcome: Outcome) -> str:
    """An outcome whose verdict says too little."""
    said = [_in_short(outcome)]
    errors = sorted({leaf.reject_with for leaf in outcome.leaves if leaf.reject_with})
    said += [f"with {error}" for error in errors]
    if any(leaf.verdict is Verdict.PASS for leaf in outcome.leaves):
        rewritten = any(leaf.masquerade for leaf in outcome.leaves)
        said.append(f"source {'replaced' if rewritten else 'kept'}")
    odds = sorted((leaf.odds for leaf in outcome.leaves), reverse=True)
    if len(odds) > 1:
        said.append("at odds " + ", ".join(map(str, odds[:_TARGETS_SHOWN])))
    return ", ".join(said)


def _deliveries(before: Outcome, after: Outcome, packet: Packet) -> tuple[str, str]:
    family = packet.family
    one, other = _shares(before), _shares(after)
    first, second = ["delivered"], ["delivered"]
    if set(one) != set(other):
        for said, mine, theirs in ((first, one, other), (second, other, one)):
            own = sorted(set(mine) - set(theirs))
            if own:
                also = "also to" if set(mine) & set(theirs) else "to"
                said[0] += f" {also} {_listed(own, family)}" if also == "to" else ""
                said += [] if also == "to" else [f"{also} {_listed(own, family)}"]
        return ", ".join(first), ", ".join(second)
    for said, mine in ((first, one), (second, other)):
        if one != other:
            said.append("evenly" if len(set(mine.values())) == 1 else f"unevenly ({_odds(mine)})")
    rewritten = [_rewritten(outcome) for outcome in (before, after)]
    if rewritten[0] != rewritten[1]:
        to_itself = {target.address for target in rewritten[0] ^ rewritten[1]} == {packet.source}
        for said, all_of, mine_ in ((first, one, rewritten[0]), (second, other, rewritten[1])):
            said += _source(set(all_of), mine_, packet) if not to_itself else _hairpin(mine_, packet)
    if before.affinity != after.affinity:
        first.append(_affinity(before, after))
        second.append(_affinity(after, before))
    return ", ".join(first), ", ".join(second)


def _source(targets: set[Target], rewritten: set[Target], packet: Packet) -> list[str]:
    if rewritten and rewritten != targets:
        return [f"source replaced on the way to {_listed(sorted(rewritten), packet.family)}"]
    return ["source replaced" if rewritten else "source kept"]


def _hairpin(rewritten: set[Target], packet: Packet) -> list[str]:
    back = any(target.address == packet.source for target in rewritten)
    return [f"source {'replaced' if back else 'kept'} when sent back to its sender"]


def _shares(outcome: Outcome) -> dict[Target, Fraction]:
    out: dict[Target, Fraction] = {}
    for leaf in outcome.leaves:
        if leaf.target is not None:
            out[leaf.target] = out.get(leaf.target, Fraction(0)) + leaf.odds
    return out


def _odds(shares: dict[Target, Fraction]) -> str:
    return ", ".join(str(shares[target]) for target in sorted(shares)[:_TARGETS_SHOWN])


def _rewritten(outcome: Outcome) -> set[Target]:
    return {leaf.target for leaf in outcome.leaves if leaf.masquerade and leaf.target is not None}


def _affinity(outcome: Outcome, other: Outcome) -> str:
    if not outcome.affinity:
        return "clients not held"
    seconds = " and ".join(str(one) for one in sorted({one.seconds for one in outcome.affinity}))
    if not other.affinity or outcome.affinity_seconds != other.affinity_seconds:
        return f"clients held {seconds} s"
    return f"clients held at {len(outcome.affinity)} endpoints, asked in their order"


def _listed(targets: list[Target], family: Family) -> str:
    shown = [_target(one, family) for one in targets[:_TARGETS_SHOWN]]
    left = len(targets) - len(shown)
    return ", ".join(shown) + (f" and {left} more" if left else "")


def _target(target: Target, family: Family) -> str:
    address = format_address(family, target.address)
    return f"{address}:{target.port}" if family is Family.IPV4 else f"[{address}]:{target.port}"
