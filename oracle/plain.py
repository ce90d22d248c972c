"""One packet through the rules, read as plainly as the kernel does: the reference walk.

No index, no cache, no sets: every chain is walked rule by rule. The walk splits only
where the packet alone does not decide (chance, affinity memory, a condition that cannot
be judged) and joins again where the split made no difference. Every faster walk is held
equal to this one, and every difference that is reported was replayed by it.
"""
# long file: the reference walk is to be read in one go, from a packet to its outcome.

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import cached_property
from itertools import product
from typing import assert_never

import attrs

from model.addresses import Family
from model.intervals import Intervals, contains
from model.node_config import NodeConfig
from model.outcome import Leaf, Outcome, Remembered, Target, Verdict
from model.packet import Origin, Packet
from model.predicate import All, Any, Fact, Field, Not, Predicate, Within
from oracle.findings import NotJudged, Trace
from oracle.hooks import (
    IPVS_OUT,
    Hook,
    Stop,
    first_hook,
    interface_matches,
    later_hooks,
    leaves_by,
    stops,
)
from oracle.roles import Met
from oracle.ruleset import (
    Accept,
    Chain,
    Continue,
    Dnat,
    Drop,
    Goto,
    Hookpoint,
    Jump,
    Masquerade,
    Redirect,
    Reject,
    Return,
    Rule,
    Ruleset,
    SetMark,
    Unsupported,
    Untrack,
)

MAX_UNSURE = 6  # lines that cannot be judged on one packet's way, beyond which it is given up


@attrs.frozen
class State:
    """A packet on its way, with what was assumed to bring it here.

    `translated` says that its destination was replaced, `by_ipvs` that IPVS did it. `asked`
    holds the affinity memories that were consulted and their answers, `unsure` the lines
    that could not be judged and what was taken of them. `trail` is the rules that took
    effect; it does not make two states different.
    """

    destination: int
    port: int
    mark: int = 0
    odds: Fraction = Fraction(1)
    translated: bool = False
    by_ipvs: bool = False
    masqueraded: bool = False
    untracked: bool = False
    remembers: tuple[str, ...] = ()
    asked: tuple[tuple[str, bool], ...] = ()
    unsure: tuple[tuple[tuple[str, int], bool], ...] = ()
    trail: tuple[Met, ...] = attrs.field(default=(), eq=False)


@attrs.frozen
class End:
    """A walk that is over: its last state and the verdict that ended it."""

    state: State
    verdict: Verdict
    reject_with: str = ""


_Answer = bool | str  # a truth, or what it depends on: "unsure" or a `recent` argument


class Walk:
    """The walk of one packet through the rule sets of its family."""

    def __init__(self, rulesets: Sequence[Ruleset], config: NodeConfig, packet: Packet) -> None:
        self._rulesets = rulesets
        self._config = config
        self._packet = packet
        self._local: Intervals = config.local_addresses(packet.family)
        self._ends: list[End] = []
        self._sent_on: list[State] = []  # by IPVS, to other hosts
        self.met: dict[tuple[str, int], Met] = {}

    @cached_property
    def ends(self) -> list[End]:
        """Every way the walk can end."""
        packet = self._packet
        from_wire = packet.origin is Origin.WIRE
        states = self._hook(first_hook(from_wire), [State(packet.destination, packet.port)])
        for to_node in (False, True):
            going = [s for s in states if contains(self._local, s.destination) is to_node]
            for hook in later_hooks(from_wire, to_node):
                going = self._hook(hook, going)
            self._finish(going)
        sent_on, self._sent_on = _joined(self._sent_on), []
        for hook in IPVS_OUT:
            sent_on = self._hook(hook, sent_on)
        self._finish(sent_on)
        return self._ends

    def _finish(self, states: Iterable[State]) -> None:
        for state in states:
            verdict = Verdict.DNAT if state.translated else Verdict.PASS
            self._ends.append(End(state, verdict))

    def _hook(self, hook: Hook, states: list[State]) -> list[State]:
        """The states that a hook's base chains let on."""
        for stop in stops(self._rulesets, hook):
            skipped = [s for s in states if self._skips(stop, s)]
            walked = [s for s in states if s not in skipped]
            fell, accepted = self._chain(stop, stop.chain, walked)
            if isinstance(stop.chain.policy, Drop):
                for state in fell:
                    self._ends.append(End(state, Verdict.DROP))
                fell = []
            states = _joined([*skipped, *accepted, *fell])
        return states

    def _skips(self, stop: Stop, state: State) -> bool:
        """Untracked packets have no nat; a second translator finds the translation made."""
        if stop.is_ipvs:
            return state.by_ipvs
        if not stop.is_nat:
            return False
        if state.untracked:
            return True
        is_source_nat = stop.hook.point in (Hookpoint.POSTROUTING, Hookpoint.INPUT)
        return state.masqueraded if is_source_nat else state.translated

    def _chain(self, stop: Stop, chain: Chain, states: list[State]) -> tuple[list[State], list[State]]:
        """(states that fall off or return, states that the table accepts)."""
        fell: list[State] = []
        accepted: list[State] = []
        for rule in chain.rules:
            if len(states) == 1 and self._judge(rule.when, stop.hook, states[0]) is False:
                continue
            going: list[State] = []
            for state in states:
                taken, passed = self._split(stop, chain, rule, state)
                for one in taken:
                    on, back, through = self._act(stop, rule, one)
                    if on == [one] and passed and not rule.remember:
                        going.append(attrs.evolve(state, trail=on[0].trail))  # no difference made
                        passed = []
                    else:
                        going.extend(on)
                    fell.extend(back)
                    accepted.extend(through)
                going.extend(passed)
            states = _joined(going)
            if not states:
                break
        return _joined([*states, *fell]), accepted

    def _split(self, stop: Stop, chain: Chain, rule: Rule, state: State) -> tuple[list[State], list[State]]:
        """(states in which the rule takes the packet, states in which it does not)."""
        parts = rule.when.parts if isinstance(rule.when, All) else (rule.when,)
        answers = [self._judge(part, stop.hook, state) for part in parts]
        if False in answers:
            return [], [state]
        place = (stop.ruleset.file, rule.line)
        one, passed = state, []
        if "unsure" in answers:
            assumed = dict(one.unsure).get(place)
            if assumed is False:
                return [], [state]
            if assumed is None:
                passed.append(attrs.evolve(one, unsure=(*one.unsure, (place, False))))
                one = attrs.evolve(one, unsure=(*one.unsure, (place, True)))
        for answer in answers:
            if not isinstance(answer, str) or answer == "unsure":
                continue
            name, hit = answer.removeprefix("!"), not answer.startswith("!")
            known = dict(one.asked).get(name)
            if known is None:
                passed.append(attrs.evolve(one, asked=(*one.asked, (name, not hit))))
                one = attrs.evolve(one, asked=(*one.asked, (name, hit)))
            elif known is not hit:
                return [], [state]
        taken = [one]
        if rule.odds is not None:
            passed += [attrs.evolve(s, odds=s.odds * (1 - rule.odds)) for s in taken]
            taken = [attrs.evolve(s, odds=s.odds * rule.odds) for s in taken]
        met = Met(stop.ruleset, stop.table, chain.name, rule)
        self.met.setdefault(place, met)
        lists = (rule.remember,) if rule.remember else ()
        taken = [attrs.evolve(s, trail=(*s.trail, met), remembers=(*s.remembers, *lists)) for s in taken]
        return taken, [s for s in passed if s.odds]

    def _act(self, stop: Stop, rule: Rule, state: State) -> tuple[list[State], list[State], list[State]]:
        """(states that go on to the next rule, that return, that the table accepts)."""
        match rule.then:
            case Jump(name) | Goto(name):
                chain = stop.ruleset.tables[stop.table][name]
                fell, accepted = self._chain(stop, chain, [state])
                return (fell, [], accepted) if isinstance(rule.then, Jump) else ([], fell, accepted)
            case Accept():
                return [], [], [state]
            case Drop():
                self._ends.append(End(state, Verdict.DROP))
            case Reject(with_):
                self._ends.append(End(state, Verdict.REJECT, with_))
            case Return():
                return [], [state], []
            case Dnat(address, port):
                to = state.destination if address is None else address
                new = self._translate(state, to, state.port if port is None else port)
                if not stop.is_ipvs:
                    return [], [], [new]
                new = attrs.evolve(new, by_ipvs=True)
                if contains(self._local, to):
                    return [], [], [new]
                self._sent_on.append(new)
            case Redirect(port):
                own = self._own_address()
                return [], [], [self._translate(state, own, state.port if port is None else port)]
            case Masquerade():
                return [], [], [attrs.evolve(state, masqueraded=True)]
            case SetMark(clear, flip):
                return [attrs.evolve(state, mark=(state.mark & ~clear) ^ flip)], [], []
            case Untrack():
                return [attrs.evolve(state, untracked=True)], [], []
            case Continue():
                return [state], [], []
            case Unsupported():
                # It may end the walk in any way: go on, and say that this was taken.
                place = (stop.ruleset.file, rule.line)
                if dict(state.unsure).get(place) is None:
                    return [attrs.evolve(state, unsure=(*state.unsure, (place, False)))], [], []
                return [state], [], []
            case _:
                assert_never(rule.then)
        return [], [], []

    def _translate(self, state: State, address: int, port: int) -> State:
        return attrs.evolve(state, destination=address, port=port, translated=True)

    def _own_address(self) -> int:
        """Where REDIRECT sends to: loopback for the node's own packets, else its address."""
        family = self._packet.family
        primary = self._config.primary_address(family)
        if self._packet.origin is Origin.NODE or primary is None:
            return 0x7F000001 if family is Family.IPV4 else 1
        return primary

    def _judge(self, predicate: Predicate, hook: Hook, state: State) -> _Answer:
        """True, False, or what the answer depends on."""
        match predicate:
            case Within(field, values):
                if field is Field.SOURCE_PORT:
                    return "unsure"
                return contains(values, self._field(field, state))
            case Fact():
                return self._fact(predicate, hook, state)
            case Not(part):
                inner = self._judge(part, hook, state)
                if isinstance(inner, bool):
                    return not inner
                return inner if inner == "unsure" else f"!{inner}"
            case All(parts):
                open_: list[str] = []
                for part in parts:
                    answer = self._judge(part, hook, state)
                    if answer is False:
                        return False
                    if isinstance(answer, str):
                        open_.append(answer)
                return open_[0] if len(open_) == 1 else ("unsure" if open_ else True)
            case Any(parts):
                some = [self._judge(part, hook, state) for part in parts]
                if True in some:
                    return True
                undecided = [answer for answer in some if answer is not False]
                return undecided[0] if len(undecided) == 1 else ("unsure" if undecided else False)
            case _:
                assert_never(predicate)

    def _field(self, field: Field, state: State) -> int:
        return {
            Field.SOURCE: self._packet.source,
            Field.DESTINATION: state.destination,
            Field.PROTOCOL: self._packet.protocol,
            Field.PORT: state.port,
        }[field]

    def _fact(self, fact: Fact, hook: Hook, state: State) -> _Answer:
        match fact.name:
            case "source-local":
                return contains(self._local, self._packet.source)
            case "destination-local":
                return contains(self._local, state.destination)
            case "in-interface":
                return self._in_interface(fact.argument, hook)
            case "out-interface":
                return self._out_interface(fact.argument, hook, state)
            case "ctstate":
                return _ctstate(fact.argument, state)
            case "mark":
                value, _, mask = fact.argument.partition("/")
                return state.mark & int(mask, 16) == int(value, 16)
            case "recent":
                return fact.argument
        return "unsure"

    def _in_interface(self, pattern: str, hook: Hook) -> _Answer:
        interface = self._packet.in_interface if hook.inward is None else hook.inward
        if interface is None:
            return False if pattern == "lo" else "unsure"
        return interface_matches(pattern, interface)

    def _out_interface(self, pattern: str, hook: Hook, state: State) -> _Answer:
        if not hook.leaves:
            return False
        if contains(self._local, state.destination):
            return interface_matches(pattern, "lo")
        known = leaves_by(self._config, self._packet.family, pattern, state.destination)
        return "unsure" if known is None else known


def _ctstate(name: str, state: State) -> bool:
    """Conntrack state and status of a connection's first packet."""
    match name:
        case "NEW":
            return not state.untracked
        case "UNTRACKED":
            return state.untracked
        case "DNAT":
            return state.translated and not state.by_ipvs
        case "SNAT":
            return state.masqueraded
    return False


def _joined(states: Iterable[State]) -> list[State]:
    """Equal states as one, their odds added."""
    listed = list(states)
    if len(listed) < 2:
        return listed
    out: dict[State, State] = {}
    for state in listed:
        key = attrs.evolve(state, odds=Fraction(0))
        before = out.get(key)
        out[key] = state if before is None else attrs.evolve(before, odds=before.odds + state.odds)
    return list(out.values())


def trace(rulesets: Sequence[Ruleset], config: NodeConfig, packet: Packet) -> Trace:
    """One packet through the rule sets of its family: outcome, rules met, what is unsure.

    `rulesets` are all those of the packet's family on the node, in the order the kernel
    asks them.
    """
    return traced(Walk(rulesets, config, packet))


def traced(walk: Walk) -> Trace:
    """What a walk came to, run first if it has not been."""
    ends = walk.ends
    worlds = list(_worlds(ends))
    outcomes = [_outcome(world) for world in worlds]
    unsure: tuple[NotJudged, ...] = ()
    if len(set(outcomes)) > 1 or _stuck(ends):
        places = dict.fromkeys(place for end in ends for place, _ in end.state.unsure)
        unsure = tuple(
            NotJudged(place[0], place[1], walk.met[place].rule.text, "cannot be judged", True)
            for place in places
        )
    return Trace(outcomes[0], tuple(met.line for met in walk.met.values()), unsure)


def _stuck(ends: Sequence[End]) -> bool:
    """Whether some way met a target that cannot be judged, or there are too many worlds."""
    stuck = any(isinstance(met.rule.then, Unsupported) for end in ends for met in end.state.trail)
    return stuck or len({place for end in ends for place, _ in end.state.unsure}) > MAX_UNSURE


def _worlds(ends: Sequence[End]) -> Iterator[list[End]]:
    """The ends that go together, for each way to settle what is unsure; all-not-met first."""
    places = list(dict.fromkeys(place for end in ends for place, _ in end.state.unsure))
    for truths in product((False, True), repeat=min(len(places), MAX_UNSURE)):
        world = dict(zip(places, truths, strict=False))
        yield [
            end for end in ends if all(world.get(place, False) is truth for place, truth in end.state.unsure)
        ] or list(ends)


def _outcome(ends: Sequence[End]) -> Outcome:
    """The distribution of one world: fresh clients' leaves, then the memories."""
    fresh: list[End] = []
    known: dict[str, list[End]] = {}  # ways of a client that one memory alone knows
    for end in ends:
        hits = [name for name, hit in end.state.asked if hit]
        if not hits:
            fresh.append(end)
        elif len(hits) == 1:
            known.setdefault(hits[0], []).append(end)
    leaves = _leaves(fresh)
    return Outcome(leaves, _memories(known, fresh, leaves))


def _leaves(ends: Sequence[End]) -> tuple[Leaf, ...]:
    odds: dict[Leaf, Fraction] = {}
    for end in ends:
        leaf = _leaf(end)
        odds[leaf] = odds.get(leaf, Fraction(0)) + end.state.odds
    ordered = sorted(odds, key=lambda leaf: (leaf.target or Target(0, 0), leaf.verdict.value))
    return tuple(attrs.evolve(leaf, odds=odds[leaf]) for leaf in ordered)


def _leaf(end: End) -> Leaf:
    if end.verdict is Verdict.DNAT:
        target = Target(end.state.destination, end.state.port)
        return Leaf(Verdict.DNAT, Fraction(0), target, end.state.masqueraded)
    masquerade = end.verdict is Verdict.PASS and end.state.masqueraded
    return Leaf(end.verdict, Fraction(0), None, masquerade, end.reject_with)


def _memories(
    known: Mapping[str, list[End]], fresh: Sequence[End], leaves: tuple[Leaf, ...]
) -> tuple[Remembered, ...]:
    """The memories that a client may be known to, in the order asked.

    One that nobody is entered in, or that changes nothing, is none. One leads to its
    endpoint only while that endpoint and no other enters clients in it; otherwise it keeps
    nobody where he was and counts as one of nowhere, Target(0, 0).
    """
    setters: dict[str, set[Target]] = {}
    for end in fresh:
        if end.verdict is Verdict.DNAT:
            for name in end.state.remembers:
                setters.setdefault(name, set()).add(Target(end.state.destination, end.state.port))
    out: list[tuple[int, Remembered]] = []
    for asked, ends in known.items():
        name, _, seconds = asked.rpartition("/")
        entered = setters.get(name, set())
        if not entered and not any(name in end.state.remembers for end in ends):
            continue
        first = ends[0]
        target = Target(first.state.destination, first.state.port)
        keeps = len(ends) == 1 and first.verdict is Verdict.DNAT and name in first.state.remembers
        remembered = Remembered(Target(0, 0), int(seconds))
        if keeps and entered <= {target}:
            remembered = Remembered(target, int(seconds), first.state.masqueraded)
        elif _leaves(ends) == leaves:
            continue
        place = next(at for at, (_, hit) in enumerate(first.state.asked) if hit)
        out.append((place, remembered))
    return tuple(memory for _, memory in sorted(out, key=lambda item: item[0]))
