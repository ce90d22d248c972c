"""Two modes differ on just the packets that the documentation lists, for just the rules it names."""

import functools
import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from invariants.prove.mode_differences import Ask, ModeDifference, causes, mode_differences
from invariants.prove.mode_ways import (
    ADDRESS_LISTED,
    ADDRESSES_UNSET,
    CIRCUMSTANCES,
    FATES,
    LINK_LOCAL,
    LOOPBACK_ASKED,
    ON_DUMMY,
    ON_INTERFACE,
    ON_PRIMARY,
    RULES,
    SOURCES,
    Rules,
    Ways,
    circumstances,
    derived,
    fates,
    sent,
    sources,
    ways,
)
from invariants.prove.tables import KINDS
from model.addresses import Family, parse_cidr
from model.forwarding import (
    DETECTOR_PRESENT,
    ENDPOINT_ON_NODE,
    EXTERNAL_LOCAL,
    FROM_HOST,
    HAIRPIN,
    HAS_USABLE,
    INTERNAL_LOCAL,
    IS_CIP,
    IS_EXT,
    IS_ICMP,
    IS_LBV,
    IS_NP,
    LOCAL_SET_EMPTY,
    LOOPBACK_GUARDED,
    ON_NODE_PORT_ADDRESS,
    OUTSIDE_RANGES,
    SENT_BY_NODE,
    TO_CLUSTER_IP,
    TO_HEALTH_CHECK,
    TO_LOOPBACK,
    TO_SERVICE_RANGE,
)
from model.frontends import node_view
from model.intervals import contains
from model.modes import masquerade_rows, unowned_rows, verdict_rows
from model.node_config import ProxyMode
from model.node_ports import serves_localhost
from model.objects import Cluster
from model.predicate import All, Any, Fact, Not, Predicate, Within, resolve
from tests.strategies.clusters import clusters

PAGE = Path(__file__).parents[3] / "docs" / "modes.md"
PAIRS = list(itertools.combinations(ProxyMode, 2))
both = pytest.mark.parametrize(
    ("first", "second"), PAIRS, ids=[f"{one.value}-{other.value}" for one, other in PAIRS]
)

Told = tuple[tuple[str, ...], str, str]


@cache
def found(first: ProxyMode, second: ProxyMode) -> tuple[ModeDifference, ...]:
    return mode_differences(first, second)


def written(first: ProxyMode, second: ProxyMode) -> Iterator[Told]:
    """The rows of the page's table for the two modes."""
    section = PAGE.read_text().partition(f"\n### {first.value} and {second.value}\n")[2].partition("\n#")[0]
    for line in section.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if line.startswith("| M"):
            yield tuple(cells[0].split(", ")), cells[2], cells[3].removesuffix(" |")


@both
def test_the_page_lists_every_difference_and_no_other(first: ProxyMode, second: ProxyMode) -> None:
    """The page is derived by hand from the rules of the modes, the list from the model's tables."""
    listed = sorted(written(first, second))

    assert [(each.ids, each.first, each.second) for each in found(first, second)] == listed
    assert len(set(listed)) == len(listed)


# --- what the solver found, once more without one


def atoms(predicate: Predicate) -> Iterator[Fact]:
    match predicate:
        case Fact():
            yield predicate
        case All(parts) | Any(parts):
            for part in parts:
                yield from atoms(part)
        case Not(part):
            yield from atoms(part)
        case Within():
            raise AssertionError("modes differ by facts alone")


class TruthTables:
    """Predicates as numbers: bit n says whether they hold in the n-th combination of the facts.

    What is asked for, and its largest parts, is remembered: the classes have them in common.
    """

    def __init__(self, facts: Sequence[Fact], fixed: Mapping[Fact, bool]) -> None:
        self.size = 1 << len(facts)
        self.every = (1 << self.size) - 1
        self.bits = {fact: self.every if truth else 0 for fact, truth in fixed.items()}
        self.remembered: dict[int, tuple[Predicate, int]] = {}
        for at, fact in enumerate(facts):
            width = 2 << at  # false for half of it, then true
            pattern = ((1 << width // 2) - 1) << width // 2
            while width < self.size:
                pattern |= pattern << width
                width *= 2
            self.bits[fact] = pattern

    def __call__(self, predicate: Predicate, depth: int = 0) -> int:
        if depth > DEEPEST_REMEMBERED:
            return self._worked_out(predicate, depth)
        held = self.remembered.get(id(predicate))
        if held is None:
            held = self.remembered[id(predicate)] = predicate, self._worked_out(predicate, depth)
        return held[1]

    def _worked_out(self, predicate: Predicate, depth: int) -> int:
        match predicate:
            case Fact():
                return self.bits[predicate]
            case All(parts):
                return functools.reduce(int.__and__, (self(part, depth + 1) for part in parts), self.every)
            case Any(parts):
                return functools.reduce(int.__or__, (self(part, depth + 1) for part in parts), 0)
            case Not(part):
                return self.every ^ self(part, depth + 1)
            case Within():
                raise AssertionError("modes differ by facts alone")


DEEPEST_REMEMBERED = 3


PLACES = frozenset((ON_PRIMARY, ADDRESSES_UNSET, ADDRESS_LISTED, TO_LOOPBACK, LOOPBACK_ASKED, LINK_LOCAL))
"""Where node ports answer, which no source translation asks: one address that serves stands for all."""


@cache
def tables(first: ProxyMode, second: ProxyMode, ask: Ask) -> tuple[TruthTables, ...]:
    """The truth tables of packets to each kind of frontend, and to none."""
    rows = asked_rows(first, ask) + asked_rows(second, ask)
    settled = PLACES if ask is sources else frozenset[Fact]()
    return tuple(table_of(kind, rows, settled) for kind in (*KINDS, None))


def asked_rows(mode: ProxyMode, ask: Ask) -> list[Predicate]:
    """All that the mode asks to come to its outcomes, with its rules and without."""
    found: list[Predicate] = []
    for of in (ways(mode), ways(mode, frozenset(RULES[mode]))):
        found += [row.when for row in of.rows]
        found += [row.when for row in of.masquerade if ask is sources]
    return found


def table_of(kind: Fact | None, rows: Sequence[Predicate], settled: frozenset[Fact]) -> TruthTables:
    """All combinations of the facts that are asked about such packets, but for those that are settled.

    The other facts are such that they leave the asked ones free to be what they can be.
    """
    fixed = {each: each == kind for each in KINDS}
    asked = {atom for when in rows for atom in atoms(resolve(when, fixed))} - set(KINDS) - settled
    if TO_LOOPBACK in asked:
        asked.add(ON_INTERFACE)
    if ON_INTERFACE in asked:
        asked.add(ON_DUMMY)  # never both
    every = {atom for when in (*rows, *CIRCUMSTANCES, ENDPOINT_ON_NODE) for atom in atoms(when)}
    true = (FROM_HOST, DETECTOR_PRESENT, LOCAL_SET_EMPTY, ENDPOINT_ON_NODE, ADDRESSES_UNSET)
    likely = {
        **dict.fromkeys(true, True),
        ON_INTERFACE: kind == IS_NP,
        ON_PRIMARY: kind == IS_NP and ON_PRIMARY in settled,
        TO_CLUSTER_IP: kind == IS_CIP,
        ON_DUMMY: kind in (IS_CIP, IS_EXT, IS_LBV),
    }
    values = {fact: likely.get(fact, False) for fact in every - asked - set(KINDS)}
    return TruthTables(sorted(asked, key=str), fixed | values)


@pytest.mark.thorough
@both
def test_every_combination_of_facts_comes_to_the_same_classes(first: ProxyMode, second: ProxyMode) -> None:
    """Rows tried in order for all combinations at once: the same outcomes, causes and members."""
    one, other = ways(first), ways(second)
    told = [(each.ids, each.first, each.second) for each in found(first, second)]
    seen: set[Told] = set()
    for ask in (fates, sources):
        alone, pairs = causes(ask, first, second)
        for table in tables(first, second, ask):
            among = table(circumstances(one, other))
            among &= table(sent(one, other)) if ask is sources else table.every
            members: Counter[Told] = Counter()
            for (name, these), (another, those) in itertools.product(
                decided(table, ask, one).items(), decided(table, ask, other).items()
            ):
                if name != another and (where := among & these & those):
                    for ids, part in by_cause(table, where, alone, pairs):
                        members[ids, name, another] |= part
            for each, key in zip(found(first, second), told, strict=True):
                if (each.first in SOURCES.values()) is (ask is sources):
                    assert table(each.when) == members[key], key
            seen |= {key for key, where in members.items() if where}

    assert sorted(seen) == told


def decided(table: TruthTables, ask: Ask, of: Ways) -> dict[str, int]:
    """For each outcome the combinations that come to it, row by row."""
    decisions: list[tuple[Predicate, str]]
    if ask is fates:
        decisions = [(row.when, FATES[row.then]) for row in of.rows]
    else:
        decisions = [(row.when, SOURCES[row.then]) for row in of.masquerade]
    out: Counter[str] = Counter()
    left = table.every
    for when, text in decisions:
        out[text] |= left & table(when)
        left &= ~table(when)
    assert left == 0 or ask is sources  # what belongs to no frontend is sent nowhere
    return out


def by_cause(
    table: TruthTables, where: int, alone: Mapping[Rules, Predicate], pairs: Mapping[Rules, Predicate]
) -> Iterator[tuple[tuple[str, ...], int]]:
    """The combinations, split by the rules that cause what they differ in."""
    without = where
    for when in alone.values():
        without &= ~table(when)
    for among, causing in ((where & ~without, alone), (without, pairs)):
        split: dict[frozenset[str], int] = {frozenset(): among}
        for ids, when in causing.items():
            further: Counter[frozenset[str]] = Counter()
            for before, members in split.items():
                further[before | {*ids}] |= members & table(when)
                further[before] |= members & ~table(when)
            split = {key: members for key, members in further.items() if members}
        yield from ((tuple(sorted(ids)), members) for ids, members in split.items())


# --- the rules, one by one

SERVED_BY_IPTABLES = All(
    (
        IS_NP,
        Any((ADDRESSES_UNSET, ADDRESS_LISTED)),
        Any((Not(TO_LOOPBACK), LOOPBACK_ASKED)),
    )
)
REFUSED = Not(HAS_USABLE)
FOR_NOBODY = Not(Any(KINDS))
UNALLOCATED = All((FOR_NOBODY, TO_SERVICE_RANGE, Not(TO_CLUSTER_IP)))
FILTERED_OUT = All((IS_LBV, OUTSIDE_RANGES))
NODES_OWN = All((SENT_BY_NODE, Not(ON_INTERFACE)))

WHEN: dict[tuple[ProxyMode, ProxyMode], dict[tuple[str, ...], Predicate]] = {
    (ProxyMode.IPTABLES, ProxyMode.NFTABLES): {
        ("MODE-01",): All((IS_NP, ADDRESSES_UNSET, Not(ON_PRIMARY), Not(TO_LOOPBACK))),
        ("MODE-05",): All((FOR_NOBODY, TO_CLUSTER_IP, Not(IS_ICMP))),
        ("MODE-07",): All((FOR_NOBODY, TO_CLUSTER_IP, IS_ICMP)),
        ("MODE-06",): All((FOR_NOBODY, TO_SERVICE_RANGE, Not(TO_CLUSTER_IP))),
        ("MODE-10",): All((Any((IS_EXT, IS_LBV)), REFUSED, NODES_OWN)),
        ("MODE-11",): All(
            (
                IS_NP,
                Not(SERVED_BY_IPTABLES),
                Any((REFUSED, All((EXTERNAL_LOCAL, LOCAL_SET_EMPTY)))),
            )
        ),
        ("MODE-12",): All((IS_LBV, REFUSED, OUTSIDE_RANGES, Not(NODES_OWN))),
    },
    (ProxyMode.IPTABLES, ProxyMode.IPVS): {
        ("MODE-01",): All((IS_NP, ADDRESSES_UNSET, LINK_LOCAL)),
        ("MODE-05",): All((FOR_NOBODY, TO_CLUSTER_IP, Not(IS_ICMP), Not(TO_HEALTH_CHECK))),
        ("MODE-07",): All((FOR_NOBODY, TO_CLUSTER_IP, IS_ICMP)),
        ("MODE-08",): All((FOR_NOBODY, ON_DUMMY, Not(TO_CLUSTER_IP), Not(TO_HEALTH_CHECK))),
        ("MODE-10",): All((Any((IS_EXT, IS_LBV)), REFUSED, NODES_OWN, Not(FILTERED_OUT))),
        ("MODE-10", "MODE-13"): All((FILTERED_OUT, REFUSED, NODES_OWN)),
        ("MODE-12",): All((FILTERED_OUT, REFUSED, Not(SENT_BY_NODE))),
        ("MODE-14",): All((IS_CIP, INTERNAL_LOCAL, LOCAL_SET_EMPTY, HAS_USABLE)),
    },
    (ProxyMode.NFTABLES, ProxyMode.IPVS): {
        ("MODE-05",): All((FOR_NOBODY, TO_CLUSTER_IP, TO_HEALTH_CHECK)),
        ("MODE-06",): All((UNALLOCATED, Any((Not(ON_DUMMY), TO_HEALTH_CHECK)))),
        ("MODE-06", "MODE-08"): All((UNALLOCATED, ON_DUMMY, Not(TO_HEALTH_CHECK))),
        ("MODE-08",): All(
            (FOR_NOBODY, ON_DUMMY, Not(TO_CLUSTER_IP), Not(TO_SERVICE_RANGE), Not(TO_HEALTH_CHECK))
        ),
        ("MODE-14",): All((IS_CIP, INTERNAL_LOCAL, LOCAL_SET_EMPTY, HAS_USABLE)),
    },
}


@pytest.mark.parametrize(
    ("pair", "ids", "when"),
    [(pair, ids, when) for pair, by_ids in WHEN.items() for ids, when in by_ids.items()],
    ids=lambda value: "+".join(value) if isinstance(value, tuple) and isinstance(value[0], str) else "",
)
def test_a_rule_causes_differences_just_where_it_says(
    pair: tuple[ProxyMode, ProxyMode], ids: tuple[str, ...], when: Predicate
) -> None:
    """Nowhere else, and everywhere that it speaks of."""
    always = circumstances(ways(pair[0]), ways(pair[1]))
    for table in tables(*pair, fates):
        caused = [table(each.when) for each in found(*pair) if each.ids == ids]

        assert functools.reduce(int.__or__, caused) == table(always) & table(when)


def test_remote_hairpins_are_the_only_ones_that_differ() -> None:
    """MODE-21."""
    pair = (ProxyMode.IPTABLES, ProxyMode.NFTABLES)
    (hairpin,) = [each for each in found(*pair) if each.ids == ("MODE-21",)]

    for table in tables(*pair, sources):
        assert not table(hairpin.when) & ~table(All((HAIRPIN, Not(ENDPOINT_ON_NODE))))


# --- that the list could not be silent


@pytest.mark.parametrize("mode", RULES, ids=lambda mode: mode.value)
def test_every_row_that_a_mode_adds_is_counted_among_its_rules(mode: ProxyMode) -> None:
    """Else a difference would have no cause."""
    own = {row.id for row in (*verdict_rows(mode), *unowned_rows(mode))}
    own |= {row.id for row in masquerade_rows(mode)}

    assert {id for id in own if id.startswith("MODE-")} <= set(RULES[mode])


@both
def test_without_their_rules_two_modes_are_one(first: ProxyMode, second: ProxyMode) -> None:
    """What is left is the contract."""
    bare = [ways(mode, frozenset(RULES[mode])) for mode in (first, second)]
    for ask in (fates, sources):
        for table in tables(first, second, ask):
            among = table(circumstances(*bare))
            among &= table(sent(*bare)) if ask is sources else table.every
            one, other = (decided(table, ask, of) for of in bare)
            assert [name for name in one if among & (one[name] ^ other[name])] == []


@pytest.mark.parametrize(("mode", "id"), [(mode, id) for mode, ids in RULES.items() for id in ids])
def test_a_mode_is_another_one_without_any_of_its_rules(mode: ProxyMode, id: str) -> None:
    """No rule stands in vain."""
    changed = [
        table(circumstances(ways(mode), ways(mode))) & table(causes(ask, mode, mode)[0][(id,)])
        for ask in (fates, sources)
        for table in tables(mode, mode, ask)
    ]

    assert any(changed)


@given(st.data())
def test_what_is_derived_is_what_a_node_has(data: st.DataObject) -> None:
    """NP-01..03, MODE-01, MODE-02: node port addresses by their facts are those of drawn nodes."""
    _, config = data.draw(clusters(modes=tuple(RULES)))
    family = data.draw(st.sampled_from(Family))
    view = node_view(Cluster(), config, family)
    own = [one.address for one in config.addresses if one.family is family]
    address = data.draw(st.sampled_from(own))
    listed = [parse_cidr(text) for text in config.node_port_addresses if text != "primary"]
    ranges = [values for of, values in listed if of is family]
    known = {
        ON_INTERFACE: True,
        TO_LOOPBACK: contains(family.loopback, address),
        ON_PRIMARY: address == config.primary_address(family),
        ADDRESSES_UNSET: not config.node_port_addresses,
        ADDRESS_LISTED: (
            any(contains(values, address) for values in ranges)
            or (bool(listed) and not ranges)
            or (config.node_port_addresses == ("primary",) and address == config.primary_address(family))
        ),
        LINK_LOCAL: False,  # none is drawn
        ON_DUMMY: False,
        LOOPBACK_ASKED: serves_localhost(attrs.evolve(config, mode=ProxyMode.IPTABLES), family),
    }
    facts = derived(config.mode)

    assert (resolve(facts[ON_NODE_PORT_ADDRESS], known) == All()) == contains(
        view.node_port_addresses, address
    )
    assert (resolve(facts[LOOPBACK_GUARDED], known) == All()) == view.guards_loopback
