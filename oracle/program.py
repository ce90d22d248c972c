"""A rule set made ready to walk: conditions split by what they speak of, chains indexed.

The meaning of every rule stays that of its `when`; here the conjunction is only sorted
into the part on destination, protocol and port (constant in a cell), the part on the
source (a region), and the rest. Chains of many rules are indexed by the first part, so
that the rules a packet can meet are found without trying the others.
"""

from collections.abc import Iterable
from fractions import Fraction
from typing import NamedTuple

import attrs

from model.addresses import Family
from model.intervals import Intervals, complement, contains, intersect
from model.odds import intern
from model.predicate import All, Fact, Field, Not, Predicate, Within
from oracle.places import Places, Signature
from oracle.ruleset import Accept, Action, Chain, Drop, Goto, Jump, Rule, Ruleset, SetMark

INDEX_FROM = 16  # rules in a chain from which an index is worth its making


class Guard(NamedTuple):
    """A condition in parts; None where it does not speak of the thing.

    `places` are numbers of `Places`, all of which the destination must be in. `rest` is
    what is left: facts that depend on the hook or on the packet's state.
    """

    places: tuple[int, ...]
    protocols: Intervals | None
    ports: Intervals | None
    source: Intervals | None
    rest: tuple[Predicate, ...]

    def admits(self, signature: Signature, protocol: int, port: int) -> bool:
        """Whether the cell part holds in a cell."""
        for place in self.places:
            if place not in signature:
                return False
        if self.protocols is not None and not contains(self.protocols, protocol):
            return False
        return self.ports is None or contains(self.ports, port)

    @property
    def is_open(self) -> bool:
        """Whether the cell part holds everywhere."""
        return not self.places and self.protocols is None and self.ports is None


class Step(NamedTuple):
    """One rule, ready: `then` is its action with pure mark chains called in place."""

    guard: Guard
    then: Action
    odds: Fraction | None
    rule: Rule


_Key = tuple[int | None, int | None, int | None]


@attrs.define(eq=False, slots=False)
class Program:
    """A chain, ready. `index` is None for short chains, which are tried in order.

    `tested` are the cell conditions met anywhere below this chain, None when there are
    too many to be worth remembering; `steady` says that nothing below depends on the hook.
    """

    name: str
    steps: list[Step]
    policy: Accept | Drop | None
    index: dict[_Key, list[int]] | None = None
    by_place: dict[int | None, list[int]] = attrs.field(factory=dict)
    unindexed: list[int] = attrs.field(factory=list)
    tested: tuple[Guard, ...] | None = None
    steady: bool = False
    calls: bool = False  # some step goes through another chain

    def candidates(self, signature: Signature, protocol: int, port: int) -> Iterable[Step]:
        """The steps whose cell part may hold in a cell, in order; a superset of those that do."""
        if self.index is None:
            return self.steps
        get = self.index.get
        found = list(self.unindexed)
        for place in (*signature, None):
            for key in ((place, protocol, port), (place, protocol, None), (place, None, None)):
                hit = get(key)
                if hit:
                    found += hit
        if len(found) > 1:
            found.sort()
        steps = self.steps
        return [steps[at] for at in found]

    def at_class(self, signature: Signature) -> Iterable[Step]:
        """The steps whose condition on the destination holds in a class of destinations."""
        if self.index is None:
            return [step for step in self.steps if signature.issuperset(step.guard.places)]
        steps, get = self.steps, self.by_place.get
        found = [at for place in (*signature, None) for at in get(place, ())]
        return [steps[at] for at in found if signature.issuperset(steps[at].guard.places)]


MAX_TESTED = 12  # cell conditions below a chain, from which its walks are not remembered


class Programs:
    """All chains of one rule set. Every destination set is registered with `places`."""

    def __init__(self, ruleset: Ruleset, places: Places, local: Intervals) -> None:
        self.ruleset = ruleset
        self._family: Family = ruleset.family
        self._places = places
        self._local = local
        self._guards: dict[int, Guard] = {}
        self.interfaces: set[str] = set()
        self.tables: dict[str, dict[str, Program]] = {}
        for table, chains in ruleset.tables.items():
            marks = {name: mark for name, chain in chains.items() if (mark := _pure_mark(chain))}
            ready = {name: self._program(chain, marks) for name, chain in chains.items()}
            self.tables[table] = ready
            summaries: dict[str, tuple[dict[Guard, None] | None, bool]] = {}
            for name in ready:
                _summarise(name, ready, summaries)

    def _program(self, chain: Chain, marks: dict[str, SetMark]) -> Program:
        guards = self._guards
        steps: list[Step] = []
        for rule in chain.rules:
            when, then, _, _, odds, _ = rule
            guard = guards.get(id(when))
            if guard is None:
                guard = guards[id(when)] = self._guard(when)
            if type(then) is Jump and then.chain in marks:
                then = marks[then.chain]
            steps.append(Step(guard, then, None if odds is None else intern(odds), rule))
        program = Program(chain.name, steps, chain.policy)
        program.calls = any(type(step.then) in (Jump, Goto) for step in steps)
        if len(steps) >= INDEX_FROM:
            _index(program)
        return program

    def _guard(self, when: Predicate) -> Guard:
        family = self._family
        places: list[int] = []
        protocols: Intervals | None = None
        ports: Intervals | None = None
        source: Intervals | None = None
        rest: list[Predicate] = []
        for part in when.parts if isinstance(when, All) else (when,):
            literal = self._localised(part)
            match literal:
                case Within(Field.DESTINATION, values):
                    places.append(self._places.register(values))
                case Within(Field.SOURCE, values):
                    source = values if source is None else intersect(source, values)
                case Within(Field.PROTOCOL, values):
                    protocols = values if protocols is None else intersect(protocols, values)
                case Within(Field.PORT, values):
                    ports = values if ports is None else intersect(ports, values)
                case _:
                    rest.append(literal)
                    self.interfaces.update(_interfaces(literal))
        if source == family.everything:
            source = None
        return Guard(tuple(places), protocols, ports, source, tuple(rest))

    def _localised(self, part: Predicate) -> Predicate:
        """addrtype LOCAL as the set of addresses it means on this node."""
        match part:
            case Fact("source-local"):
                return Within(Field.SOURCE, self._local)
            case Fact("destination-local"):
                return Within(Field.DESTINATION, self._local)
            case Not(Fact("source-local")):
                return Within(Field.SOURCE, complement(self._local, self._family.top))
            case Not(Fact("destination-local")):
                return Within(Field.DESTINATION, complement(self._local, self._family.top))
        return part


def _interfaces(literal: Predicate) -> Iterable[str]:
    inner = literal.part if isinstance(literal, Not) else literal
    if isinstance(inner, Fact) and inner.name == "in-interface":
        yield inner.argument


def _pure_mark(chain: Chain) -> SetMark | None:
    """What calling the chain does when it does nothing but set the mark of every packet."""
    clear = flip = 0
    for rule in chain.rules:
        if not (isinstance(rule.then, SetMark) and rule.when == All() and rule.odds is None):
            return None
        clear, flip = clear | rule.then.clear, (flip & ~rule.then.clear) ^ rule.then.flip
    return SetMark(clear, flip) if chain.rules and chain.policy is None else None


def _index(program: Program) -> None:
    index: dict[_Key, list[int]] = {}
    for at, step in enumerate(program.steps):
        guard = step.guard
        place = guard.places[0] if guard.places else None
        program.by_place.setdefault(place, []).append(at)
        protocol = _only(guard.protocols)
        port = _only(guard.ports)
        if place is None and protocol is None:
            program.unindexed.append(at)
        elif protocol is None:
            index.setdefault((place, None, None), []).append(at)
        else:
            index.setdefault((place, protocol, port), []).append(at)
    program.index = index


def _only(values: Intervals | None) -> int | None:
    """The one value of a set that has one."""
    if values is not None and len(values) == 1 and values[0][0] == values[0][1]:
        return values[0][0]
    return None


_HOOK_FACTS = frozenset({"in-interface", "out-interface", "ctstate"})


def _summarise(
    name: str,
    programs: dict[str, Program],
    done: dict[str, tuple[dict[Guard, None] | None, bool]],
) -> tuple[dict[Guard, None] | None, bool]:
    """(the cell conditions below a chain, or None for too many; whether it is steady)."""
    if name in done:
        return done[name]
    done[name] = (None, False)  # a loop of chains is never remembered
    program = programs[name]
    tested: dict[Guard, None] | None = {}
    steady = True
    for step in program.steps:
        guard = step.guard
        if guard.rest:
            steady = steady and not any(_depends_on_hook(part) for part in guard.rest)
        if tested is not None and not guard.is_open:
            tested[guard._replace(source=None, rest=())] = None
        if isinstance(step.then, Jump | Goto) and step.then.chain in programs:
            below, calm = _summarise(step.then.chain, programs, done)
            steady = steady and calm
            if below is None or tested is None:
                tested = None
            else:
                tested.update(below)
        if tested is not None and len(tested) > MAX_TESTED:
            tested = None
    program.tested = None if tested is None else tuple(tested)
    program.steady = steady
    done[name] = (tested, steady)
    return done[name]


def _depends_on_hook(part: Predicate) -> bool:
    match part:
        case Fact(name):
            return name in _HOOK_FACTS
        case Not(inner):
            return _depends_on_hook(inner)
        case Within():
            return False
    return True
