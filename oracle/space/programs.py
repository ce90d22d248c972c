"""All chains of a rule set, each made ready when it is first met.

Every destination set that a rule speaks of is registered at once, so that the packet
space can be cut before any chain is walked.
"""

from collections.abc import Iterable

from model.intervals import Intervals, complement, intersect
from model.odds import intern
from model.predicate import ALWAYS, All, Fact, Field, Not, Predicate, Within
from oracle.ruleset import Chain, Continue, Dnat, Drop, Goto, Jump, Redirect, Rule, Ruleset, SetMark
from oracle.space.ladder import Endpoint, Ladder, endpoint_of, ladder_of
from oracle.space.places import Places, Signature
from oracle.space.program import Program
from oracle.space.steps import OPEN, Guard, Step


class Programs:
    """All chains of one rule set. Every destination set is registered with `places`."""

    def __init__(self, ruleset: Ruleset, places: Places, local: Intervals) -> None:
        self.ruleset = ruleset
        self.interfaces: set[str] = set()
        self.out_interfaces: set[str] = set()
        self._places = places
        family = ruleset.family
        self._everything = family.everything
        outside = complement(local, family.top)
        self._localised: dict[Predicate, Predicate] = {
            Fact("source-local"): Within(Field.SOURCE, local),
            Fact("destination-local"): Within(Field.DESTINATION, local),
            Not(Fact("source-local")): Within(Field.SOURCE, outside),
            Not(Fact("destination-local")): Within(Field.DESTINATION, outside),
        }
        self._guards: dict[int, Guard] = {id(ALWAYS): OPEN}
        self._ready: dict[str, dict[str, Program]] = {table: {} for table in ruleset.tables}
        self._marks: dict[str, dict[str, SetMark]] = {
            table: {name: mark for name, chain in chains.items() if (mark := _pure_mark(chain))}
            for table, chains in ruleset.tables.items()
        }
        self._needs: dict[tuple[str, str], Signature | None] = {}
        self._loud: set[int] = set()  # conditions on more than source and protocol
        self._loud_rules: dict[tuple[str, str], list[Rule]] = {}
        self._register()

    def _register(self) -> None:
        """Registers what any rule says of destinations, and notes the interfaces asked for."""
        conditions = {
            id(rule[0]): rule[0]
            for chains in self.ruleset.tables.values()
            for chain in chains.values()
            for rule in chain.rules
        }
        for key, when in conditions.items():
            parts = when.parts if type(when) is All else (when,)
            for part in parts:
                if type(part) is Within:
                    if part.field is Field.SOURCE or part.field is Field.PROTOCOL:
                        continue
                    self._loud.add(key)
                    if part.field is not Field.DESTINATION:
                        continue
                else:
                    self._loud.add(key)
                self._guards[key] = self._guard(when)
                break

    @property
    def asks_interface(self) -> bool:
        """Whether any rule asks by which interface a packet comes or goes."""
        return bool(self.interfaces or self.out_interfaces)

    def program(self, table: str, name: str) -> Program:
        """A chain of a table, made ready."""
        ready = self._ready[table]
        found = ready.get(name)
        if found is None:
            found = ready[name] = self._program(table, self.ruleset.tables[table][name])
        return found

    def guard(self, rule: Rule) -> Guard:
        """The rule's condition in parts."""
        when = rule[0]
        found = self._guards.get(id(when))
        if found is None:
            found = self._guards[id(when)] = self._guard(when)
        return found

    def loud_rules(self, table: str, name: str) -> list[Rule]:
        """The chain's rules that ask for more than source and protocol, or lead to such."""
        known = self._loud_rules.get((table, name))
        if known is None:
            rules = self.ruleset.tables[table][name].rules
            known = [rule for rule in rules if self._is_loud(table, rule)]
            self._loud_rules[table, name] = known
        return known

    def _is_loud(self, table: str, rule: Rule) -> bool:
        then = rule[1]
        if id(rule[0]) in self._loud:
            return True
        if isinstance(then, Jump | Goto):
            return any(self._is_loud(table, one) for one in self.ruleset.tables[table][then.chain].rules)
        return isinstance(then, Redirect) or (isinstance(then, Dnat) and then.port is None)

    def places_below(self, roots: Iterable[tuple[str, Program]]) -> Signature:
        """The destination sets that any rule reached from these chains speaks of."""
        seen: set[tuple[str, str]] = set()
        out: set[int] = set()
        stack = [(table, program.name) for table, program in roots]
        while stack:
            at = stack.pop()
            if at in seen:
                continue
            seen.add(at)
            for step in self.program(*at).steps:
                out.update(step.guard.places)
                if isinstance(step.then, Jump | Goto):
                    stack.append((at[0], step.then.chain))
        return frozenset(out)

    def needs(self, table: str, name: str) -> Signature | None:
        """Destination sets without any of which no packet is touched by the chain.

        None where a rule acts on packets to anywhere.
        """
        key = (table, name)
        if key not in self._needs:
            self._needs[key] = self._needed(table, name)
        return self._needs[key]

    def _needed(self, table: str, name: str) -> Signature | None:
        chain = self.ruleset.tables[table][name]
        if isinstance(chain.policy, Drop):
            return None
        out: set[int] = set()
        for rule in chain.rules:
            then = rule.then
            places = self.guard(rule).places
            if places:
                out.add(places[0])
            elif isinstance(then, Jump) and not rule.remember and rule.odds is None:
                below = self.needs(table, then.chain)
                if below is None:
                    return None
                out |= below
            elif not isinstance(then, Continue) or rule.remember:
                return None
        return frozenset(out)

    def _program(self, table: str, chain: Chain) -> Program:
        marks = self._marks[table]

        def step_of(rule: Rule) -> Step:
            _, then, _, _, odds, _ = rule
            guard = self.guard(rule)
            if isinstance(then, Jump) and then.chain in marks:
                then = marks[then.chain]
            return Step(guard, then, None if odds is None else intern(odds), rule)

        def find_ladder() -> Ladder | None:
            if chain.policy is not None or chain.base is not None or not chain.rules:
                return None
            return ladder_of(chain.rules, marks, step_of, lambda name: self._endpoint(table, name))

        return Program(chain, find_ladder, step_of)

    def bare_places(self) -> Signature:
        """The destination sets that rules speak of without naming protocol or port."""
        out: set[int] = set()
        for guard in self._guards.values():
            if guard.protocols is None and guard.ports is None:
                out.update(guard.places)
        return frozenset(out)

    def _endpoint(self, table: str, name: str) -> Endpoint | None:
        chain: Chain | None = self.ruleset.tables[table].get(name)
        return endpoint_of(chain.rules, self._marks[table]) if chain is not None else None

    def _guard(self, when: Predicate) -> Guard:
        places: list[int] = []
        protocols: Intervals | None = None
        ports: Intervals | None = None
        source: Intervals | None = None
        rest: list[Predicate] = []
        for part in when.parts if isinstance(when, All) else (when,):
            literal = part if type(part) is Within else self._localised.get(part, part)
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
                    self._note_interfaces(literal)
        if source == self._everything:
            source = None
        return Guard(tuple(places), protocols, ports, source, tuple(rest))

    def _note_interfaces(self, literal: Predicate) -> None:
        inner = literal.part if isinstance(literal, Not) else literal
        if isinstance(inner, Fact) and inner.name == "in-interface":
            self.interfaces.add(inner.argument)
        elif isinstance(inner, Fact) and inner.name == "out-interface":
            self.out_interfaces.add(inner.argument)


def _pure_mark(chain: Chain) -> SetMark | None:
    """What calling the chain does when it does nothing but set the mark of every packet."""
    if not chain.rules or chain.policy or chain.base or not isinstance(chain.rules[0].then, SetMark):
        return None
    clear = flip = 0
    for rule in chain.rules:
        if not (isinstance(rule.then, SetMark) and rule.when == ALWAYS and rule.odds is None):
            return None
        clear, flip = clear | rule.then.clear, (flip & ~rule.then.clear) ^ rule.then.flip
    return SetMark(clear, flip)
