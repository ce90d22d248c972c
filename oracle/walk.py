"""All packets of a cell through the rules at once: the walk of the comparison.

The same walk as `oracle.plain`, with destination, protocol and port fixed and the source
a region. What does not depend on the cell's numbers is worked out once: a chain below
which the same conditions hold ends in the same way. A test holds both walks equal.
"""

from collections.abc import Sequence
from typing import NamedTuple

from model.addresses import Family
from model.intervals import Intervals, contains, intersect, subtract, union
from model.node_config import NodeConfig
from model.odds import left, taken
from model.outcome import Verdict
from model.predicate import All, Any, Fact, Field, Not, Predicate, Within
from oracle.flow import Flow, joined, marked, narrowed, whole
from oracle.hooks import Hook, connected_interface, interface_matches, later_hooks, start_hooks
from oracle.places import Places, Signature
from oracle.program import Program, Programs, Step
from oracle.ruleset import (
    Accept,
    Continue,
    Dnat,
    Drop,
    Goto,
    Jump,
    Masquerade,
    Redirect,
    Reject,
    Return,
    SetMark,
    Unsupported,
    Untrack,
)


class End(NamedTuple):
    """Packets whose walk through the hooks so far is over.

    For DNAT the walk goes on at the new `address` and `port`; REDIRECT has None. `stuck`
    says that a target which cannot be judged decided.
    """

    flow: Flow
    verdict: Verdict
    address: int | None = None
    port: int | None = None
    reject_with: str = ""
    stuck: bool = False


class Cell(NamedTuple):
    """One class of (destination, protocol, port), by numbers that stand for it."""

    signature: Signature
    destination: int
    protocol: int
    port: int


class _At(NamedTuple):
    """Where a walk is: the cell as it looks by now, and what its hook knows."""

    signature: Signature
    protocol: int
    port: int
    translated: bool
    inward: str | None  # interface the packet came in by, "" for none
    outward: str | None  # interface it leaves by, "" for none, None where unknown


class _Result(NamedTuple):
    fell: list[Flow]
    ends: list[End]
    through: list[Flow]


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
        self._chains: dict[tuple[object, ...], _Result] = {}
        self._later: dict[tuple[object, ...], list[tuple[Flow, Verdict, str, bool]]] = {}

    def start(self, cell: Cell, from_wire: bool, in_interface: str | None) -> tuple[list[End], list[Flow]]:
        """(ends up to destination nat, flows that go on untranslated), for every source."""
        ends: list[End] = []
        flows = [whole(self._family.everything)]
        at = _At(cell.signature, cell.protocol, cell.port, False, "", None)
        for hook in start_hooks(from_wire):
            flows = self._hook(hook, at, in_interface, cell.destination, flows, ends)
            if not flows:
                break
        return ends, flows

    def later(
        self,
        destination: int,
        protocol: int,
        port: int,
        mark: int,
        *,
        translated: bool,
        untracked: bool,
        from_wire: bool,
        in_interface: str | None,
    ) -> list[tuple[Flow, Verdict, str, bool]]:
        """After destination nat: (flow, verdict, reject error, stuck) for every source."""
        signature = self._places.signature(destination)
        to_node = contains(self._local, destination)
        outward = connected_interface(self._config, self._family, destination)
        key = (signature, protocol, port, mark, translated, untracked, from_wire, in_interface, outward)
        found = self._later.get(key)
        if found is not None:
            return found
        ends: list[End] = []
        flows = [whole(self._family.everything, mark)._replace(untracked=untracked)]
        at = _At(signature, protocol, port, translated, "", None)
        for hook in later_hooks(from_wire, to_node):
            flows = self._hook(hook, at, in_interface, destination, flows, ends)
        out = [(end.flow, end.verdict, end.reject_with, end.stuck) for end in ends]
        out += [(flow, Verdict.PASS, "", False) for flow in flows]
        self._later[key] = out
        return out

    def _hook(
        self,
        hook: Hook,
        at: _At,
        in_interface: str | None,
        destination: int,
        flows: list[Flow],
        ends: list[End],
    ) -> list[Flow]:
        """The flows that a hook's base chains let on; walks that end are added to `ends`."""
        for programs in self._programs:
            chain = programs.tables.get(hook.table, {}).get(hook.chain)
            if chain is None or (not chain.steps and not isinstance(chain.policy, Drop)):
                continue
            nat = hook.table == "nat"
            going = [f for f in flows if not (nat and (f.untracked or f.masqueraded))]
            if not going:
                continue
            aside = [f for f in flows if nat and (f.untracked or f.masqueraded)]
            here = at._replace(
                inward=in_interface if hook.inward is None else hook.inward,
                outward=self._outward(hook, destination),
            )
            through: list[Flow] = []
            fell = self._run(programs, hook.table, chain, here, going, ends, through)
            if isinstance(chain.policy, Drop):
                ends.extend(End(flow, Verdict.DROP) for flow in fell)
                fell = []
            flows = joined([*aside, *through, *fell])
        return flows

    def _outward(self, hook: Hook, destination: int) -> str | None:
        if not hook.leaves:
            return ""
        if contains(self._local, destination):
            return "lo"
        return connected_interface(self._config, self._family, destination)

    def _run(
        self,
        programs: Programs,
        table: str,
        program: Program,
        at: _At,
        flows: list[Flow],
        ends: list[End],
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
        self, programs: Programs, step: Step, at: _At, flow: Flow
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
        for literal in guard.rest:
            answer = self._judge(literal, at, one)
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
        at: _At,
        flow: Flow,
        ends: list[End],
        through: list[Flow],
        fell: list[Flow],
    ) -> list[Flow]:
        """The flows that go on to the next rule; the others are put where they belong."""
        then = step.then
        match then:
            case Jump(name):
                return self._call(programs, table, name, at, flow, ends, through)
            case Dnat(address, port):
                ends.append(End(flow, Verdict.DNAT, address, port))
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
                ends.append(End(flow, Verdict.DNAT, self._own_address(at), port))
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
        at: _At,
        flow: Flow,
        ends: list[End],
        through: list[Flow],
    ) -> list[Flow]:
        """The flows that come back from a chain."""
        chain = programs.tables[table][name]
        tested = chain.tested
        if tested is None or not chain.steady or not chain.calls or flow[2:] != _UNMARKED:
            return self._run(programs, table, chain, at, [flow], ends, through)
        truths = tuple(guard.admits(at.signature, at.protocol, at.port) for guard in tested)
        key = (id(chain), flow.sources, flow.pieces, truths)
        found = self._chains.get(key)
        if found is None:
            found = _Result([], [], [])
            found.fell.extend(self._run(programs, table, chain, at, [flow], found.ends, found.through))
            self._chains[key] = found
        ends += found.ends
        through += found.through
        return found.fell

    def _own_address(self, at: _At) -> int:
        """Where REDIRECT sends to: loopback for the node's own packets, else its address."""
        primary = self._config.primary_address(self._family)
        if at.inward == "" or primary is None:
            return 0x7F000001 if self._family is Family.IPV4 else 1
        return primary

    def _judge(self, literal: Predicate, at: _At, flow: Flow) -> bool | str | Intervals:
        """True, False, "unsure", a memory that was asked ("!" before it: negated), or sources."""
        match literal:
            case Not(part):
                inner = self._judge(part, at, flow)
                if isinstance(inner, bool):
                    return not inner
                if isinstance(inner, tuple):
                    return subtract(flow.sources, inner)
                return inner if inner == "unsure" else f"!{inner}"
            case Fact("mark", argument):
                value, _, mask = argument.partition("/")
                wanted, bits = int(value, 16), int(mask, 16)
                inside: Intervals = ()
                for part_sources, mark in flow.pieces:
                    if mark & bits == wanted:
                        inside = union(inside, part_sources)
                return flow.sources if inside == flow.sources else inside
            case Fact("ctstate", argument):
                return _ctstate(argument, at, flow)
            case Fact("in-interface", argument):
                if at.inward is None:
                    return False if argument == "lo" else "unsure"
                return interface_matches(argument, at.inward)
            case Fact("out-interface", argument):
                if at.outward is None:
                    return False if argument == "lo" else "unsure"
                return interface_matches(argument, at.outward)
            case Fact("recent", argument):
                return argument
            case Any(parts):
                answers = [self._judge(part, at, flow) for part in parts]
                if any(answer is True for answer in answers):
                    return True
                return False if all(answer is False for answer in answers) else "unsure"
            case All(parts):
                answers = [self._judge(part, at, flow) for part in parts]
                if any(answer is False for answer in answers):
                    return False
                return True if all(answer is True for answer in answers) else "unsure"
            case Within(Field.PROTOCOL, values):
                return contains(values, at.protocol)
            case Within(Field.PORT, values):
                return contains(values, at.port)
        return "unsure"


_UNMARKED = whole(())[2:]


def _ctstate(name: str, at: _At, flow: Flow) -> bool:
    """Conntrack state and status of a connection's first packet."""
    match name:
        case "NEW":
            return not flow.untracked
        case "UNTRACKED":
            return flow.untracked
        case "DNAT":
            return at.translated
        case "SNAT":
            return flow.masqueraded
    return False
