"""Virtual servers as chains of rules: the kernel's own choice, written down as rules are.

Law: chain `IPVS` sends a packet to the chain of its virtual server: one of its firewall mark
first, then one of its address, protocol and port, then one of every port. There each real
server with a weight takes its share of new connections (MODE-17), and one that a client is
remembered at takes all of that client's (MODE-18). Without any the packet is refused (MODE-09).

Shares are those in the long run: equal by rr and lc, by weight with wrr, wlc, sed and nq.
What chooses by a hash, or by how busy servers are, may choose any; shares are then assumed
equal, and a warning says so. Only Masq can be judged: other methods leave the destination as
it is for another host to take.

Source: 05-modes 1 and 3; ip_vs_core.c (ip_vs_schedule, ip_vs_leave), ip_vs_ctl.c (ip_vs_service_find).
"""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Final

import attrs

from model.addresses import Family, format_address
from model.intervals import single
from model.packet import SCTP, TCP, UDP
from model.predicate import ALWAYS, All, Fact, Field, Predicate, Within
from oracle.dialects.ipvs.records import IpvsDump, Method, RealServerEntry, VirtualServerEntry
from oracle.dialects.ipvs.table import named
from oracle.ruleset import Action, Chain, Dnat, Goto, Note, Reject, Rule, Unsupported

ROOT: Final = "IPVS"

_EQUAL: Final = {"rr", "lc"}
_BY_WEIGHT: Final = {"wrr", "wlc", "sed", "nq"}
_HIGHEST_WEIGHT: Final = "fo"
_HASHING: Final = {
    "sh": "by a hash of the source",
    "mh": "by a hash of the source",
    "dh": "by a hash of the destination",
    "lblc": "by what each destination was given before",
    "lblcr": "by what each destination was given before",
}
_REFUSAL: Final = {Family.IPV4: "icmp-port-unreachable", Family.IPV6: "icmp6-port-unreachable"}
_SCHEDULED: Final = ((TCP, TCP), (UDP, UDP), (SCTP, SCTP))


@attrs.frozen(eq=False)
class IpvsRules:
    """The chains of one family, `ROOT` first, and what of them could not be judged or is assumed."""

    chains: dict[str, Chain]
    unsupported: tuple[Note, ...]
    warnings: tuple[Note, ...]


def ipvs_chains(dump: IpvsDump, family: Family) -> dict[str, Chain]:
    """The chains of one family, "IPVS" first; it hangs nowhere yet."""
    return lower_ipvs(dump, family).chains


def lower_ipvs(dump: IpvsDump, family: Family) -> IpvsRules:
    """The chains of one family. Each rule has line and text of what it comes from in the dump."""
    own = [one for one in dump.virtual_servers if one.family is family]
    root = Chain(ROOT, [], own[0].line if own else 0)
    chains = {ROOT: root}
    unsupported: list[Note] = []
    for one in sorted(own, key=_turn):
        name = f"{ROOT} {named(one)}"
        root.rules.append(Rule(_condition(one), Goto(name), one.line, one.text))
        for chain in _chains(one, name):
            chains[chain.name] = chain
        unsupported += _not_judged(one)
    return IpvsRules(chains, tuple(unsupported), (*dump.warnings, *_assumed(own)))


def _turn(one: VirtualServerEntry) -> int:
    """The kernel's order: marks, then single ports, then all ports."""
    if one.frontend is None:
        return 0
    return 1 if one.frontend.port else 2


def _condition(one: VirtualServerEntry) -> Predicate:
    if one.frontend is None:
        mark = Fact("mark", f"{one.mark:#x}/0xffffffff")
        return All((Within(Field.PROTOCOL, _SCHEDULED), mark))
    literals = [
        Within(Field.DESTINATION, single(one.frontend.address)),
        Within(Field.PROTOCOL, single(one.frontend.protocol)),
    ]
    if one.frontend.port:
        literals.append(Within(Field.PORT, single(one.frontend.port)))
    return All(tuple(literals))


def _chains(one: VirtualServerEntry, name: str) -> Iterator[Chain]:
    """The chain of a virtual server, and where clients are remembered one for each real server."""
    serving = [real for real in one.real_servers if real.weight]
    chosen = _chosen(one, serving)
    if not serving:
        refusal = Reject(_REFUSAL[one.family])
        yield Chain(name, [Rule(ALWAYS, refusal, one.line, one.text)], one.line)
        return
    if not one.is_persistent:
        rules = [Rule(ALWAYS, _action(one, real), real.line, real.text, odds) for real, odds in chosen]
        yield Chain(name, rules, one.line)
        return
    if doubt := _doubt_of_memory(one):
        memory = f"{name} with its memory"
        rules = [Rule(All((doubt,)), Goto(memory), one.line, one.text)]
        rules += [Rule(ALWAYS, _action(one, real), real.line, real.text, odds) for real, odds in chosen]
        yield Chain(name, rules, one.line)
        yield Chain(memory, [Rule(ALWAYS, Unsupported(doubt.argument), one.line, one.text)], one.line)
        return
    places = {real: f"{name} -> {_place(real)}" for real in serving}
    rules = [
        Rule(All((Fact("recent", f"{place}/{one.timeout}"),)), Goto(place), real.line, real.text)
        for real, place in places.items()
    ]
    rules += [Rule(ALWAYS, Goto(places[real]), real.line, real.text, odds) for real, odds in chosen]
    yield Chain(name, rules, one.line)
    for real, place in places.items():
        translate = Rule(ALWAYS, _action(one, real), real.line, real.text, remember=place)
        yield Chain(place, [translate], real.line)


def _chosen(
    one: VirtualServerEntry, serving: Sequence[RealServerEntry]
) -> list[tuple[RealServerEntry, Fraction | None]]:
    """Who may be chosen, each with its chance once those before were not; None for the last."""
    if one.scheduler == _HIGHEST_WEIGHT and serving:
        highest = max(real.weight for real in serving)
        serving = [real for real in serving if real.weight == highest]
    shares = [real.weight if one.scheduler in _BY_WEIGHT else 1 for real in serving]
    left = sum(shares)
    found: list[tuple[RealServerEntry, Fraction | None]] = []
    for real, share in zip(serving, shares, strict=True):
        found.append((real, Fraction(share, left) if share < left else None))
        left -= share
    return found


def _action(one: VirtualServerEntry, real: RealServerEntry) -> Action:
    why = _not_followed(one, real)
    return Unsupported(why) if why else Dnat(real.address, real.port or None)


def _not_followed(one: VirtualServerEntry, real: RealServerEntry) -> str:
    if real.method is not Method.MASQ:
        return f"IPVS sends by method {real.method.value}, without a new destination"
    if real.family is not one.family:
        return f"IPVS sends {one.family.value} to a server of {real.family.value}"
    return ""


def _doubt_of_memory(one: VirtualServerEntry) -> Fact | None:
    """What stands for a memory whose clients or length nobody can tell, None for a plain one."""
    if one.timeout is None:
        return Fact("unsupported", "persistence in ticks of unknown length")
    if one.engine:
        return Fact("unsupported", f"persistence by engine {one.engine}")
    if one.mask != one.family.top:
        return Fact("unsupported", "persistence of whole networks of clients")
    return None


def _not_judged(one: VirtualServerEntry) -> Iterator[Note]:
    serving = [real for real in one.real_servers if real.weight]
    doubt = _doubt_of_memory(one) if one.is_persistent else None
    if doubt is not None and serving:
        yield Note(one.line, doubt.argument, one.text)
    for real in serving:
        why = _not_followed(one, real)
        if why:
            yield Note(real.line, why, real.text)


def _assumed(own: Sequence[VirtualServerEntry]) -> Iterator[Note]:
    """One warning for each scheduler that gives servers shares which nothing tells."""
    told: set[str] = set()
    for one in own:
        chosen = _chosen(one, [real for real in one.real_servers if real.weight])
        if one.scheduler in _EQUAL | _BY_WEIGHT | told or len(chosen) < 2:
            continue
        told.add(one.scheduler)
        how = _HASHING.get(one.scheduler, "in a way that is not judged")
        what = f"scheduler {one.scheduler} chooses {how}: any server is possible, equal shares are assumed"
        yield Note(one.line, what, one.text)


def _place(real: RealServerEntry) -> str:
    address = format_address(real.family, real.address)
    return f"[{address}]:{real.port}" if real.family is Family.IPV6 else f"{address}:{real.port}"
