"""Two sides of one node: every class of packets with another fate, by Service and by cause."""

import gc
from collections.abc import Callable

import attrs

from model.addresses import Family
from oracle.difference.classes import Count, Open, Pair
from oracle.difference.explain import Explainer
from oracle.difference.groups import Group, Grouping, replayed
from oracle.difference.side import FamilySide, Side
from oracle.difference.subject import Subjects
from oracle.findings import NotJudged
from oracle.ruleset import Ruleset
from oracle.verdict.dataplanes import without_proxy


@attrs.frozen
class NodeDiff:
    """The answer for one node. `cells` counts (class of destinations, protocols, ports) by way in.

    `not_judged` holds what could not be compared; `assumptions` what was neither given nor
    certain, each after the name of its side.
    """

    node: str
    first: str
    second: str
    families: tuple[Family, ...]
    cells: int
    groups: tuple[Group, ...]
    not_judged: tuple[NotJudged, ...] = ()
    assumptions: tuple[str, ...] = ()

    @property
    def unexplained(self) -> tuple[Group, ...]:
        """The differences that no mode, setting or change of objects accounts for."""
        return tuple(one for one in self.groups if not one.cause.is_explained)

    @property
    def is_open(self) -> bool:
        """Whether some packet's fate could not be compared."""
        return any(item.matters for item in self.not_judged)


def diff_sides(first: Side, second: Side, progress: Callable[[str], None] | None = None) -> NodeDiff:
    """All differences between two sides, in every family that both have.

    `progress` is told now and then what is being done.
    """
    collecting = gc.isenabled()
    gc.disable()  # as in a check: millions of small objects and no cycle among them
    try:
        return _diff_sides(first, second, progress or (lambda _: None))
    finally:
        if collecting:
            gc.enable()


def _diff_sides(first: Side, second: Side, tell: Callable[[str], None]) -> NodeDiff:
    families: list[Family] = []
    groups: list[Group] = []
    not_judged: list[NotJudged] = [*first.not_read, *second.not_read]
    cells = 0
    for family in Family:
        one, other = first.in_family(family), second.in_family(family)
        if one is None or other is None:
            not_judged += _one_sided(one, other, first, second, family)
            continue
        if one.rulesets is None and other.rulesets is None and not _concerned(one, other):
            continue
        replaced = _replaced(one) or _replaced(other)
        if replaced is not None and first.is_contract is not second.is_contract:
            not_judged.append(replaced)
            continue
        tell(f"cutting the {family.value} packet space")
        families.append(family)
        found, undecided, count = _in_family(one, other, tell)
        cells += count
        groups += found
        not_judged += undecided
    said = [f"{name}: {text}" for name, side in (("A", first), ("B", second)) for text in side.assumptions]
    return NodeDiff(
        first.config.name or second.config.name,
        first.label,
        second.label,
        tuple(families),
        cells,
        tuple(groups),
        tuple(dict.fromkeys(not_judged)),
        tuple(said),
    )


def _in_family(
    one: FamilySide, other: FamilySide, tell: Callable[[str], None]
) -> tuple[list[Group], list[NotJudged], int]:
    """(differences, questions left open, cells compared) of one family."""
    pair = Pair(one, other)
    sides = (one, other)
    explainer, grouping, subjects = Explainer(one, other), Grouping(one.view), Subjects(sides)
    count = Count()
    hanging: dict[tuple[int, str, int], int] = {}
    for item in pair.differing(count, lambda cells: tell(f"{cells} cells compared")):
        if isinstance(item, Open):
            for line in item.unsure:
                hanging[line] = hanging.get(line, 0) + 1
        elif (cause := explainer.explained(item)) is not None:
            grouping.take(item, subjects.subject(item.packet, (*item.before, *item.after)), cause)
    total = 1 << (one.view.family.bits + 24)
    if count.covered != total:
        raise AssertionError(f"the cells cover {count.covered} of {total} destinations")
    if _same_rules(one, other):
        hanging = {}  # whatever these lines do, both sides do it
    tell("replaying")
    groups, doubts = replayed(grouping.groups, sides)
    return groups, [*_open_lines(sides, hanging), *doubts], count.cells


def _concerned(one: FamilySide, other: FamilySide) -> bool:
    """Whether two contracts have any frontend in the family."""
    return any(side.view.by_address or side.view.by_node_port for side in (one, other))


def _replaced(side: FamilySide) -> NotJudged | None:
    """What says that another dataplane serves in place of kube-proxy's rules."""
    return None if side.rulesets is None else without_proxy(side.view, side.rulesets)


def _one_sided(
    one: FamilySide | None, other: FamilySide | None, first: Side, second: Side, family: Family
) -> list[NotJudged]:
    """A family that only one side has rules of."""
    if one is None and other is None:
        return []
    lacking = first if one is None else second
    has = one if one is not None else other
    assert has is not None
    if not (has.view.by_address or has.view.by_node_port or has.rulesets):
        return []
    name = "A" if lacking is first else "B"
    why = f"{name} has no {family.value} rules, so that family is not compared"
    return [NotJudged(lacking.label, 0, "", why, matters=not lacking.is_one_file)]


def _open_lines(
    sides: tuple[FamilySide, FamilySide], hanging: dict[tuple[int, str, int], int]
) -> list[NotJudged]:
    """The lines on which it hangs whether the sides differ."""
    out: list[NotJudged] = []
    for (at, file, number), cells in hanging.items():
        text, why = "", "cannot be judged"
        for ruleset in sides[at].rulesets or ():
            if ruleset.file == file:
                why = next((note.what for note in ruleset.unsupported if note.line == number), why)
                text = _text_of(ruleset, number)
        hang = f"{why}; {cells} classes of packets hang on it"
        out.append(NotJudged(f"{'AB'[at]}: {file}", number, text, hang, True))
    return out


def _text_of(ruleset: Ruleset, line: int) -> str:
    rules = (rule for table in ruleset.tables.values() for chain in table.values() for rule in chain.rules)
    return next((rule.text for rule in rules if rule.line == line), "")


def _same_rules(one: FamilySide, other: FamilySide) -> bool:
    """Whether both sides hold the very same rules, for the same addresses."""
    if one.view.local_addresses != other.view.local_addresses:
        return False
    return one.rulesets is not None and other.rulesets is not None and _texts(one) == _texts(other)


def _texts(side: FamilySide) -> list[object]:
    return [
        {
            (table, chain.name): (chain.policy, [rule.text for rule in chain.rules])
            for table, chains in one.tables.items()
            for chain in chains.values()
        }
        for one in side.rulesets or ()
    ]
