"""One table's lines are its chains; each distinct text in them is read once.

A rule is cut into its match text and its target text, and both are looked up: equal match
texts give the identical condition, which later caches rely on. A text seen before without
quotes, tabs or comments needs no cut but at its ` -j `; all others are cut by `quick_cut`,
else by `cut`. That is what makes a quarter of a million lines a matter of half a second.
"""

import re
from collections.abc import Callable, Sequence
from itertools import islice

from model.addresses import Family
from model.errors import InputError
from oracle.dialects.iptables.foreign import is_tool_message, shown
from oracle.dialects.iptables.matches import parse_match
from oracle.dialects.iptables.names import BASE_CHAINS
from oracle.dialects.iptables.quick import is_plain, quick_chain, quick_cut, quick_match, quick_target
from oracle.dialects.iptables.reading import Condition
from oracle.dialects.iptables.targets import CONTINUE, parse_goto, parse_target
from oracle.dialects.iptables.tokens import MalformedError, cut
from oracle.ruleset import Accept, Action, Chain, Drop, Goto, Jump, Note, Rule, Unsupported

CHAIN_LINE = re.compile(r":(\S+) (\S+)(?: \[\d+:\d+\])?[ \t]*", re.ASCII)
_COUNTERS = re.compile(r"\[\d+:\d+\] (?=-A )", re.ASCII)

_POLICIES: dict[str, Accept | Drop | None] = {"ACCEPT": Accept(), "DROP": Drop(), "-": None}


class TableReader:
    """Reads tables of one file and family, sharing what it learnt about match texts.

    `unsupported` and `warnings` grow with each table read.
    """

    def __init__(self, file: str, family: Family) -> None:
        self.file = file
        self.family = family
        self.unsupported: list[Note] = []
        self.warnings: list[Note] = []
        self._plain: dict[str, Condition] = {}  # by match text
        self._trapped: dict[str, Condition] = {}  # by match texts that `is_plain` denies
        self._doubtful: list[Action] = []  # of this table: not judged, or perhaps to a missing chain

    def read(self, lines: Sequence[str], start: int, end: int) -> dict[str, Chain]:
        """The chains of lines[start:end], which lie between `*table` and COMMIT.

        Raises InputError for the first line that no iptables-save would have written.
        """
        number = start
        chains: dict[str, Chain] = {}
        actions: dict[str, Action] = {}
        self._doubtful = []
        plain, family = self._plain, self.family
        known_condition, known_action = plain.get, actions.get
        new: Callable[..., Rule] = tuple.__new__  # a third of the time of Rule(...)
        add: Callable[[Rule], object] = list[Rule]().append
        head, cut_at = "\n", 0  # `-A NAME ` of the chain last added to, and where its blank is
        try:
            for number, line in enumerate(islice(lines, start, end), start + 1):
                if line.startswith(head):
                    rest = line[cut_at:]
                else:
                    if line[:3] != "-A ":
                        declared = quick_chain(line)
                        if declared and declared not in chains and declared not in BASE_CHAINS:
                            chains[declared] = Chain(declared, [], number)
                            continue
                        counted = _COUNTERS.match(line)
                        if counted is None:
                            self._other_line(line, number, chains)
                            continue
                        line = line[counted.end() :]
                    blank = line.find(" ", 3)
                    name, rest = (line[3:blank], line[blank:]) if blank > 0 else (line[3:], "")
                    add = self._chain(chains, name).rules.append
                    head, cut_at = f"-A {name} ", len(name) + 3
                match, found, target = rest.partition(" -j ")
                condition = known_condition(match)
                if not found or (condition is None and not is_plain(match)):
                    match, flag, target = quick_cut(rest) or cut(rest)
                    condition = self._condition(match)
                    action = (
                        known_action(target) if flag == "-j" else self._goto(target) if flag else CONTINUE
                    )
                else:
                    if condition is None:
                        condition = plain[match] = quick_match(match, family) or parse_match(match, family)
                    action = known_action(target)
                if action is None:
                    action = quick_target(target, chains)  # not kept: most come once
                    if action is None:
                        action = actions[target] = parse_target(target, family, chains)
                        self._doubtful.append(action)
                when, odds, remember, notes = condition
                add(new(Rule, (when, action, number, line, odds, remember)))
                if notes:
                    self.unsupported.extend(Note(number, note, line) for note in notes)
        except MalformedError as fault:
            raise InputError(self.file, number, str(fault)) from None
        self._doubt_targets(chains)
        return chains

    def _condition(self, match: str) -> Condition:
        """What a match text cut out by either cut says, the same object each time."""
        known = self._plain if is_plain(match) else self._trapped
        condition = known.get(match)
        if condition is None:
            condition = known[match] = quick_match(match, self.family) or parse_match(match, self.family)
        return condition

    def _goto(self, target: str) -> Action:
        action = parse_goto(target)
        self._doubtful.append(action)
        return action

    def _chain(self, chains: dict[str, Chain], name: str) -> Chain:
        chain = chains.get(name)
        if chain is None:
            raise MalformedError(
                f"a rule for chain {shown(name)}, which the table does not declare; "
                "give the whole output of iptables-save"
            )
        return chain

    def _other_line(self, line: str, number: int, chains: dict[str, Chain]) -> None:
        """A chain, a comment or a message between the rules."""
        if not line or line.isspace():
            return
        if line[0] == ":":
            self._declare(line, number, chains)
        elif is_tool_message(line):
            self.warnings.append(Note(number, f"message in the dump: {line.removeprefix('# ')}", line))
        elif line[0] == "*":
            raise MalformedError(f"the table before {shown(line)} is cut off: it has no COMMIT")
        elif re.match(r"(?:\[\d+:\d+\] )?-[A-Z] ?", line):
            raise MalformedError(f"a command of iptables-restore, not a line of a dump: {shown(line)}")
        elif line[0] != "#":
            raise MalformedError(f"not a line of an iptables-save dump: {shown(line)}")

    def _declare(self, line: str, number: int, chains: dict[str, Chain]) -> None:
        found = CHAIN_LINE.fullmatch(line)
        if found is None or found[2] not in _POLICIES:
            raise MalformedError(f"not a chain and its policy: {shown(line)}")
        name, policy = found[1], _POLICIES[found[2]]
        if (policy is None) == (name in BASE_CHAINS):
            kind = "base chain without a policy" if policy is None else "policy for a chain of the user"
            raise MalformedError(f"{kind}: {shown(line)}")
        if name in chains:
            raise MalformedError(f"chain {shown(name)} is declared twice, first on line {chains[name].line}")
        chains[name] = Chain(name, [], number, policy)

    def _doubt_targets(self, chains: dict[str, Chain]) -> None:
        """Note every rule whose target cannot be judged; a missing chain is known only now."""
        doubts: dict[int, Unsupported] = {}
        for action in self._doubtful:
            if isinstance(action, Unsupported):
                doubts[id(action)] = action
            elif isinstance(action, Jump | Goto) and action.chain not in chains:
                doubts[id(action)] = Unsupported(f"jump to missing chain {action.chain}")
        if not doubts:
            return
        for chain in chains.values():
            for at, rule in enumerate(chain.rules):
                doubt = doubts.get(id(rule.then))
                if doubt is not None:
                    chain.rules[at] = rule._replace(then=doubt)
                    self.unsupported.append(Note(rule.line, doubt.why, rule.text))
