"""Steps of one rule as rules of the rule set, in the chain where it stands.

Conditions are conjunctions, so a guard with alternatives and a map become one rule each,
all with the line and text of the rule. Where what a rule does could change its own
conditions, or where it draws odds for several actions, the rest of it goes to an auxiliary
chain, whose name no table can hold. A rule that does several things and leaves its chain in
only some of its ways cannot be written so; it is not judged.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import Final

from model.predicate import Fact
from oracle.dialects.nftables.lower_maps import Case, Choose
from oracle.dialects.nftables.lower_match import Chance, Guard
from oracle.dialects.nftables.lower_scope import ALWAYS_TRUE, Alternatives, NotJudgedError, Scope
from oracle.dialects.nftables.lower_statements import Do, Step
from oracle.ruleset import (
    Action,
    Chain,
    Continue,
    Goto,
    Jump,
    Note,
    Return,
    Rule,
    SetMark,
    Unsupported,
    Untrack,
)

_MOST_RULES: Final = 1 << 18  # that one rule may become
_PASSING: Final = (SetMark, Untrack, Continue)


class RuleWriter:
    """Writes rules of one table; `chains` grows with the auxiliary ones, `notes` with doubts."""

    def __init__(self, scope: Scope, chains: dict[str, Chain], notes: list[Note]) -> None:
        self._scope = scope
        self._chains = chains
        self._notes = notes
        self._line = 0
        self._text = ""

    def write(self, steps: Sequence[Step], chain: Chain, line: int, text: str) -> None:
        """Appends to the chain what the steps say. Law: see this module."""
        self._line, self._text = line, text
        before, others = len(chain.rules), len(self._chains)
        try:
            self._steps(steps, ALWAYS_TRUE, None, chain)
        except NotJudgedError as fault:
            del chain.rules[before:]
            for name in list(self._chains)[others:]:
                del self._chains[name]
            self._put(chain, ALWAYS_TRUE, Unsupported(str(fault)))
        written = chain.rules[before:]
        if len(self._chains) > others:
            for name in list(self._chains)[others:]:
                written += self._chains[name].rules
        self._note(written)

    def _note(self, written: Sequence[Rule]) -> None:
        """Lists what of the rule cannot be judged, once each."""
        said = {rule[1].why: None for rule in written if type(rule[1]) is Unsupported}
        if self._scope.doubts:
            for rule in written:
                for part in getattr(rule.when, "parts", ()):
                    for fact in getattr(part, "parts", (part,)):
                        if isinstance(fact, Fact) and fact.name == "unsupported":
                            said[f"match not judged: {fact.argument}"] = None
            self._scope.doubts.clear()
        self._notes.extend(Note(self._line, what, self._text) for what in said)

    def _steps(self, steps: Sequence[Step], met: Alternatives, odds: Fraction | None, chain: Chain) -> None:
        """Writes the steps for packets that meet one of the alternatives, with these odds."""
        can_change = False
        for at, step in enumerate(steps):
            is_last = at == len(steps) - 1
            match step:
                case Guard(is_negated=False):
                    met = self._scope.product(met, step.alternatives)
                    if len(met) > _MOST_RULES:
                        raise NotJudgedError("too many combinations of elements")
                    if not met:
                        return
                    can_change = can_change or step.can_change
                case Chance(chance):
                    odds = chance if odds is None else odds * chance
                case Do(action, remember) if is_last:
                    self._put(chain, met, action, odds, remember)
                    return
                case Do(action, remember) if odds is None and not can_change:
                    if action != Continue() or remember:
                        self._put(chain, met, action, None, remember)
                case Choose() if is_last and odds is None and not _needs_one_look(step):
                    self._cases(step.cases, met, chain)
                    return
                case _:
                    self._aside(steps[at:], met, odds, chain)
                    return
        self._put(chain, met, Continue(), odds)

    def _aside(self, steps: Sequence[Step], met: Alternatives, odds: Fraction | None, chain: Chain) -> None:
        """Writes the steps into a chain of their own, entered by the packets that get so far."""
        first = steps[0]
        leaves = _leaves(steps)
        if leaves and not _is_definite(steps):
            raise NotJudgedError("several effects, and a chain that is left in some ways only")
        name = f"{chain.name} (rule {self._line}, part {len(self._chains)})"
        aside = self._chains[name] = Chain(name, [], self._line)
        self._put(chain, met, Goto(name) if leaves else Jump(name), odds)
        if isinstance(first, Guard):
            self._put(aside, first.alternatives, Return())
            self._steps(steps[1:], ALWAYS_TRUE, None, aside)
        elif isinstance(first, Choose):
            if len(steps) > 1:
                raise NotJudgedError("something is done after a map")
            cases = first.cases
            if leaves and _comes_back(cases):
                raise NotJudgedError("a map that leaves the chain for some packets and returns for others")
            if not leaves:  # back from there is back to where this chain was entered from
                cases = tuple((when, share, _at_once(action)) for when, share, action in cases)
            self._cases(cases, ALWAYS_TRUE, aside)
        else:
            self._steps(steps, ALWAYS_TRUE, None, aside)

    def _cases(self, cases: Sequence[Case], met: Alternatives, chain: Chain) -> None:
        scope, line, text, rules = self._scope, self._line, self._text, chain.rules
        if len(met) * len(cases) > _MOST_RULES:
            raise NotJudgedError("too many combinations of elements")
        for before in met:
            for literals, odds, action in cases:
                both = scope.joined(before, literals) if literals else before
                if both is not None:
                    rules.append(Rule(scope.conjunction(both), action, line, text, odds))

    def _put(
        self,
        chain: Chain,
        met: Alternatives,
        action: Action,
        odds: Fraction | None = None,
        remember: str = "",
    ) -> None:
        for literals in met:
            when = self._scope.conjunction(literals)
            chain.rules.append(Rule(when, action, self._line, self._text, odds, remember))


def _at_once(action: Action) -> Action:
    """The action with no other case behind it, in a chain entered by a jump."""
    if isinstance(action, Continue):
        return Return()
    return Goto(action.chain) if isinstance(action, Jump) else action


def _needs_one_look(step: Choose) -> bool:
    """Whether a packet that comes back from one case could be taken by another."""
    return step.is_exclusive and _comes_back(step.cases[:-1])


def _comes_back(cases: Sequence[Case]) -> bool:
    """Whether a packet goes on behind the rule after one of the cases."""
    return any(isinstance(action, (Jump, *_PASSING)) for _, _, action in cases)


def _leaves(steps: Sequence[Step]) -> bool:
    """Whether some way through the steps leaves the chain that the rule stands in."""
    for step in steps:
        if isinstance(step, Do) and isinstance(step.action, Goto | Return):
            return True
        if isinstance(step, Choose) and any(isinstance(action, Goto | Return) for _, _, action in step.cases):
            return True
    return False


def _is_definite(steps: Sequence[Step]) -> bool:
    """Whether every way through the steps leaves the chain, or ends the walk of the table."""
    *passing, last = steps
    if not all(isinstance(step, Do) and isinstance(step.action, _PASSING) for step in passing):
        return False
    if isinstance(last, Do):
        return True
    if not isinstance(last, Choose) or not last.is_total:
        return False
    return not any(isinstance(action, (Jump, *_PASSING)) for _, _, action in last.cases)
