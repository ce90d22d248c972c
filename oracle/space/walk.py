"""All packets of a cell through the rules at once: the walk of the comparison.

The same walk as `oracle.plain`, with destination, protocol and port fixed and the source
a region. What does not depend on the cell's numbers is worked out once: a chain below
which the same conditions hold ends in the same way. A test holds both walks equal.
"""
# long file: one walk, whose steps share what the class has worked out.

from collections.abc import Sequence
from functools import cached_property

from model.addresses import Family
from model.intervals import Intervals, contains, intersect, subtract
from model.node_config import NodeConfig
from model.odds import left, taken
from model.outcome import Verdict
from model.predicate import Fact, Not, Predicate
from oracle.hooks import Stop, base_of, interface_matches, later_stops, leaves_by, start_stops
from oracle.ruleset import (
    Accept,
    Chain,
    Continue,
    Dialect,
    Dnat,
    Drop,
    Goto,
    Hookpoint,
    Jump,
    Masquerade,
    Redirect,
    Reject,
    Return,
    SetMark,
    Unsupported,
    Untrack,
)
from oracle.space.ends import OWN, Cell, Destination, End, Ends, Group, Later, Outward
from oracle.space.flow import Flow, joined, marked, narrowed, whole
from oracle.space.judging import At, judge
from oracle.space.places import Places, Signature
from oracle.space.program import Program
from oracle.space.programs import Programs
from oracle.space.steps import Step

# Base chains, each with the destination sets without which it does nothing (None: it always may).
Stage = list[tuple[Stop, Programs, Program, Signature | None]]


class Walker:
    """Walks cells through the rule sets of one family on one node.

    `in_interface` is the interface by which packets from the wire come in, None when no
    rule asks.
    """

    def __init__(
        self,
        programs: Sequence[Programs],
        places: Places,
        config: NodeConfig,
        family: Family,
        local: Intervals,
    ) -> None:
        self._programs = programs
        self._places = places
        self._config = config
        self._family = family
        self._local = local
        self.fresh = whole(family.everything)
        self._rulesets = tuple(one.ruleset for one in programs)
        self._programs_of = {id(one.ruleset): one for one in programs}
        self._has_ipvs = any(one.dialect is Dialect.IPVS for one in self._rulesets)
        self._starts: dict[tuple[bool, bool], Stage] = {}
        self._rests: dict[tuple[bool, bool, int], Stage] = {}
        self._asked_out = sorted({name for one in programs for name in one.out_interfaces})
        roots = [
            [
                (table, one.program(table, chain.name))
                for table, chain in one.ruleset.base_chains
                if not _translates_first(table, chain)
            ]
            for one in programs
        ]
        below = [one.places_below(bases) for one, bases in zip(programs, roots, strict=True)]
        self.bare_places: Signature = frozenset().union(*(one.bare_places() for one in programs))
        self._later_places: Signature = frozenset().union(*below)
        self._destinations: dict[int, Destination] = {}
        self._kinds: dict[Destination, Destination] = {}
        self._later: dict[tuple[object, ...], list[Later]] = {}
        self._groups: dict[tuple[object, ...], Group] = {}
        self._last: tuple[Cell | None, tuple[Ends, list[Flow]]] = (None, ([], []))

    def start(self, cell: Cell, from_wire: bool, in_interface: str | None) -> tuple[Ends, list[Flow]]:
        """(ends up to destination nat, flows that go on untranslated), for every source."""
        if cell is self._last[0] and self._starts_alike:
            return self._last[1]
        ends: Ends = []
        flows = [self.fresh]
        to_node = self._has_ipvs and contains(self._local, cell.destination)
        stage = self._start(from_wire, to_node)
        if stage:
            at = At(cell.signature, cell.protocol, cell.port, False, "", None, None)
            outward = self.destination(cell.destination).outward
            for stop, programs, program, needs in stage:
                if needs is not None and needs.isdisjoint(cell.signature):
                    continue
                here = _place(stop, at, in_interface, outward)
                flows = self._hook(stop, programs, program, here, flows, ends)
        self._last = (cell, (ends, flows))
        return ends, flows

    @cached_property
    def _starts_alike(self) -> bool:
        """Whether the rules up to destination nat are the same for wire and node alike."""
        if self._has_ipvs or any(one.asks_interface for one in self._programs):
            return False
        wire, node = self._start(from_wire=True, to_node=False), self._start(from_wire=False, to_node=False)
        return len(wire) == len(node) and all(
            first.is_nat == other.is_nat and one is same and _says(program) == _says(twin)
            for (first, one, program, _), (other, same, twin, _) in zip(wire, node, strict=True)
        )

    def later(
        self,
        destination: Destination,
        protocol: int,
        port: int,
        mark: int,
        *,
        after: Stop | None,
        untracked: bool,
        from_wire: bool,
        in_interface: str | None,
    ) -> list[Later]:
        """What becomes of every source's packets behind the chain that translated them.

        `after` is None for packets that nothing has translated.
        """
        key = (destination, protocol, port, mark, id(after), untracked, from_wire, in_interface)
        found = self._later.get(key)
        if found is not None:
            return found
        ends: Ends = []
        flows = [whole(self._family.everything, mark)._replace(untracked=untracked)]
        by_nat = after is not None and after.is_nat
        at = At(destination.signature, protocol, port, by_nat, "", None, None)
        for stop, programs, program, needs in self._rest(from_wire, destination.to_node, after):
            if needs is not None and needs.isdisjoint(destination.signature):
                continue
            here = _place(stop, at, in_interface, destination.outward)
            flows = self._hook(stop, programs, program, here, flows, ends)
        out = [
            Later(end.flow, end.verdict, end.reject_with, end.stuck)
            if isinstance(end, End)
            else Later(end.flow, Verdict.PASS, "", stuck=True)  # no destination nat happens here
            for end in ends
        ]
        out += [Later(flow, Verdict.PASS, "", False) for flow in flows]
        self._later[key] = out
        return out

    def destination(self, address: int) -> Destination:
        """What the later hooks tell apart at an address; one object for each kind."""
        found = self._destinations.get(address)
        if found is None:
            to_node = contains(self._local, address)
            outward: Outward = ()
            if to_node:
                outward = tuple((name, interface_matches(name, "lo")) for name in self._asked_out)
            elif self._asked_out:
                answers = (
                    (name, leaves_by(self._config, self._family, name, address)) for name in self._asked_out
                )
                outward = tuple((name, answer) for name, answer in answers if answer is not None)
            signature = self._places.signature(address) & self._later_places
            kind = Destination(signature, to_node, outward)
            found = self._destinations[address] = self._kinds.setdefault(kind, kind)
        return found

    def _start(self, from_wire: bool, to_node: bool) -> Stage:
        """The base chains that have something to say, up to the last that translates destinations."""
        key = (from_wire, to_node)
        found = self._starts.get(key)
        if found is None:
            found = self._starts[key] = self._stage(start_stops(self._rulesets, from_wire, to_node))
        return found

    def _rest(self, from_wire: bool, to_node: bool, after: Stop | None) -> Stage:
        """The base chains that have something to say behind that one."""
        key = (from_wire, to_node, id(after))
        found = self._rests.get(key)
        if found is None:
            if after is not None and not from_wire and self._starts_alike:
                after = self._twin(after)
            way = later_stops(self._rulesets, from_wire, to_node, after)
            found = self._rests[key] = self._stage(way)
        return found

    def _twin(self, after: Stop) -> Stop:
        """The chain that the node's packets meet where those from the wire meet this one."""
        wire, node = self._start(from_wire=True, to_node=False), self._start(from_wire=False, to_node=False)
        pairs = zip(wire, node, strict=True)
        return next(other for (first, *_), (other, *_) in pairs if after in (first, other))

    def _stage(self, way: Sequence[Stop]) -> Stage:
        out: Stage = []
        for stop in way:
            programs = self._programs_of[id(stop.ruleset)]
            program = programs.program(stop.table, stop.chain.name)
            if program.rules or isinstance(program.policy, Drop):
                needs = programs.needs(stop.table, stop.chain.name)
                out.append((stop, programs, program, needs))
        return out

    def _hook(
        self,
        stop: Stop,
        programs: Programs,
        program: Program,
        at: At,
        flows: list[Flow],
        ends: Ends,
    ) -> list[Flow]:
        """The flows that a base chain lets on; walks that end are added to `ends`."""
        aside: list[Flow] = []
        if stop.is_nat:
            aside = [flow for flow in flows if flow.untracked or flow.masqueraded]
            if aside:
                flows = [flow for flow in flows if not (flow.untracked or flow.masqueraded)]
        if not flows:
            return aside
        through: list[Flow] = []
        fell = self._run(programs, stop.table, program, at, flows, ends, through)
        if isinstance(program.policy, Drop):
            ends.extend(End(flow, Verdict.DROP) for flow in fell)
            fell = []
        if aside or through:
            return joined([*aside, *through, *fell])
        return fell

    def _run(
        self,
        programs: Programs,
        table: str,
        program: Program,
        at: At,
        flows: list[Flow],
        ends: Ends,
        through: list[Flow],
    ) -> list[Flow]:
        """The flows that fall off the chain's end or return from it."""
        fell: list[Flow] = []
        signature, protocol, port = at.signature, at.protocol, at.port
        for step in program.candidates(signature, protocol, port):
            guard, then, odds, rule = step
            if not guard.admits(signature, protocol, port):
                continue
            if type(then) is SetMark and odds is None and not guard.rest and not rule.remember:
                flows = [marked(flow, guard.source, then) for flow in flows]
                continue
            going: list[Flow] = []
            for flow in flows:
                one, others, forked = self._split(programs, step, at, flow)
                if one is None:
                    going.append(flow)
                    continue
                on = self._act(programs, table, step, at, one, ends, through, fell)
                if not others:
                    going += on
                elif len(on) == 1 and on[0] is one:
                    going.append(flow)  # the rule made no difference
                elif forked:
                    going += others
                    going += on
                else:
                    going += joined([*others, *on])
            flows = going
            if not flows:
                break
        if fell:
            return joined([*flows, *fell])
        return flows

    def _split(
        self, programs: Programs, step: Step, at: At, flow: Flow
    ) -> tuple[Flow | None, list[Flow], bool]:
        """(the part that the rule takes, the parts that it does not, whether by more than source)."""
        guard, _, odds, rule = step
        one, others, forked = flow, [], False
        if guard.source is not None:
            inside = intersect(flow.sources, guard.source)
            if not inside:
                return None, [], False
            if inside != flow.sources:
                one = narrowed(flow, inside)
                others = [narrowed(flow, subtract(flow.sources, inside))]
        for literal in sorted(guard.rest, key=_asks_memory) if len(guard.rest) > 1 else guard.rest:
            answer = judge(literal, at, one)
            if answer is True:
                continue
            if answer is False:
                return None, [], False
            if isinstance(answer, tuple):  # a region of sources
                if answer == one.sources:
                    continue
                if not answer:
                    return None, [], False
                others.append(narrowed(one, subtract(one.sources, answer)))
                one = narrowed(one, answer)
                continue
            forked = True
            if answer == "unsure":
                place = (programs.ruleset.file, rule.line)
                known = dict(one.unsure).get(place)
                if known is None:
                    others.append(one._replace(unsure=(*one.unsure, (place, False))))
                    one = one._replace(unsure=(*one.unsure, (place, True)))
                elif not known:
                    return None, [], False
                continue
            name, wanted = answer.removeprefix("!"), not answer.startswith("!")
            known = dict(one.asked).get(name)
            if known is None:
                others.append(one._replace(asked=(*one.asked, (name, not wanted))))
                one = one._replace(asked=(*one.asked, (name, wanted)))
            elif known is not wanted:
                return None, [], False
        if odds is not None:
            forked = True
            others.append(one._replace(odds=left(one.odds, odds)))
            one = one._replace(odds=taken(one.odds, odds))
            others = [other for other in others if other.odds]
        if rule.remember:
            one = one._replace(lists=(*one.lists, rule.remember))
        return one, others, forked

    def _act(
        self,
        programs: Programs,
        table: str,
        step: Step,
        at: At,
        flow: Flow,
        ends: Ends,
        through: list[Flow],
        fell: list[Flow],
    ) -> list[Flow]:
        """The flows that go on to the next rule; the others are put where they belong."""
        then = step.then
        match then:
            case Jump(name):
                return self._call(programs, table, name, at, flow, ends, through)
            case Dnat(address, port):
                ends.append(End(flow, Verdict.DNAT, address, port, turn=at.stop))
            case Goto(name):
                fell += self._call(programs, table, name, at, flow, ends, through)
            case Accept():
                through.append(flow)
            case Drop():
                ends.append(End(flow, Verdict.DROP))
            case Reject(with_):
                ends.append(End(flow, Verdict.REJECT, reject_with=with_))
            case Return():
                fell.append(flow)
            case Redirect(port):
                ends.append(End(flow, Verdict.DNAT, OWN, port, turn=at.stop))
            case Masquerade():
                through.append(flow._replace(masqueraded=True))
            case SetMark():
                return [marked(flow, None, then)]
            case Untrack():
                return [flow._replace(untracked=True)]
            case Continue():
                return [flow]
            case Unsupported():
                place = (programs.ruleset.file, step.rule.line)
                stuck = flow._replace(unsure=(*flow.unsure, (place, True)))
                ends.append(End(stuck, Verdict.PASS, stuck=True))
        return []

    def _call(
        self,
        programs: Programs,
        table: str,
        name: str,
        at: At,
        flow: Flow,
        ends: Ends,
        through: list[Flow],
    ) -> list[Flow]:
        """The flows that come back from a chain."""
        chain = programs.program(table, name)
        ladder = chain.ladder
        if ladder is not None and flow[2:] == _UNMARKED and ladder.admits(at.protocol):
            for guard, then, _, _ in ladder.leading:
                if guard.admits(at.signature, at.protocol, at.port):
                    assert isinstance(then, SetMark)
                    flow = marked(flow, guard.source, then)
            assert at.stop is not None
            key = (id(ladder), flow.sources, flow.pieces, id(at.stop))
            group = self._groups.get(key)
            if group is None:
                group = self._groups[key] = Group(flow, ladder, at.stop)
            ends.append(group)
            return []
        return self._run(programs, table, chain, at, [flow], ends, through)

    def own_address(self, from_wire: bool) -> int:
        """Where REDIRECT sends to: loopback for the node's own packets, else its address."""
        primary = self._config.primary_address(self._family)
        if not from_wire or primary is None:
            return 0x7F000001 if self._family is Family.IPV4 else 1
        return primary


_UNMARKED = whole(())[2:]


def _translates_first(table: str, chain: Chain) -> bool:
    """Whether no packet meets the chain after its destination was translated."""
    base = base_of(table, chain)
    return base.is_nat and base.point in (Hookpoint.PREROUTING, Hookpoint.OUTPUT)


def _asks_memory(literal: Predicate) -> bool:
    inner = literal.part if isinstance(literal, Not) else literal
    return isinstance(inner, Fact) and inner.name == "recent"


def _says(program: Program) -> list[tuple[object, ...]]:
    """What a base chain does, without where its lines stand."""
    return [(step.guard, step.then, step.odds, step.rule.remember, program.policy) for step in program.steps]


def _place(stop: Stop, at: At, in_interface: str | None, outward: Outward) -> At:
    """Where a walk is at a base chain."""
    hook = stop.hook
    return at._replace(
        inward=in_interface if hook.inward is None else hook.inward,
        outward=outward if hook.leaves else None,
        stop=stop,
    )
