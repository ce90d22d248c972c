"""On which packets two proxy modes differ, and which of the modes' rules make them differ.

Both modes are asked about one circumstance: a packet, the node it meets, the service port
it is for and the endpoint that is chosen. What a mode makes of the circumstance on the way (on
which addresses node ports answer, which addresses are the node's) is `derived`; its tables
are the model's own. A rule MODE-nn is a cause of a difference if both modes would treat
the packet otherwise without it; where no rule is one alone, those are that are so in pairs.
Versions are the newest ones. A circumstance is read by a solver; a test reads
every combination of facts without one and comes to the same list.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

import attrs
import z3  # type: ignore[import-untyped]  # the package has no type information

from invariants.prove.tables import KINDS
from model.forwarding import (
    DESTINATION_LOCAL,
    DETECTOR_PRESENT,
    ENDPOINT_ON_NODE,
    ENDS_ON_NODE,
    FROM_HOST,
    FROM_LOOPBACK,
    FROM_POD,
    HAIRPIN,
    HAS_USABLE,
    IS_CIP,
    IS_ICMP,
    IS_NP,
    LOCAL_SET_EMPTY,
    LOOPBACK_GUARDED,
    MASQUERADE,
    ON_NODE_PORT_ADDRESS,
    SENT_BY_NODE,
    TO_CLUSTER_IP,
    TO_LOOPBACK,
    TO_SERVICE_RANGE,
    UNOWNED,
    VERDICTS,
    Decision,
    MasqueradeRow,
    Row,
)
from model.modes import VERSION_FACTS, masquerade_rows, unowned_rows, verdict_rows
from model.node_config import ProxyMode
from model.predicate import NEVER, All, Any, Fact, Not, Predicate, resolve
from model.symbolic import formula, symbols_of

ON_INTERFACE = Fact("destination is an address of an interface of the node")
ON_PRIMARY = Fact("destination is the node's primary address")
ADDRESSES_UNSET = Fact("nodePortAddresses is unset")
ADDRESS_LISTED = Fact("nodePortAddresses lists the destination, or nothing of its family")
LOOPBACK_ASKED = Fact("localhostNodePorts, in IPv4, and nodePortAddresses leaves loopback in")

Ids = frozenset[str]
NONE: Ids = frozenset()

Rules = tuple[str, ...]

R = TypeVar("R", Row, MasqueradeRow)


def _if(one: Predicate, then: Predicate) -> Predicate:
    return Any((Not(one), then))


CIRCUMSTANCES: tuple[Predicate, ...] = (
    *(Not(All(pair)) for pair in itertools.combinations(KINDS, 2)),  # FWD-OBJ-03, or nobody's
    _if(IS_ICMP, Not(Any(KINDS))),  # FWD-OBJ-05
    _if(IS_CIP, TO_CLUSTER_IP),
    _if(IS_NP, ON_INTERFACE),  # NP-01
    _if(Any((TO_LOOPBACK, ON_PRIMARY)), ON_INTERFACE),
    Not(All((TO_LOOPBACK, ON_PRIMARY))),
    Not(All((ON_INTERFACE, Any((TO_CLUSTER_IP, TO_SERVICE_RANGE))))),  # ranges and nodes lie apart
    _if(Not(HAS_USABLE), LOCAL_SET_EMPTY),  # FWD-EP-04
    _if(Any((SENT_BY_NODE, FROM_LOOPBACK)), FROM_HOST),  # SRC-01
    _if(FROM_POD, DETECTOR_PRESENT),  # SRC-02
    _if(ENDS_ON_NODE, Not(SENT_BY_NODE)),  # MASQ-09
    _if(All((ENDS_ON_NODE, HAIRPIN)), FROM_HOST),
)
"""What is so in every circumstance, whatever the mode."""


@attrs.frozen
class ModeDifference:
    """One class of packets, those for which `when` holds, and what each mode does with them.

    `ids` are the rules that cause it, in order. Where `first` or `second` is a choice of
    endpoints it speaks of one endpoint that is chosen, and `when` may as well.
    """

    ids: tuple[str, ...]
    when: Predicate
    first: str
    second: str


OUTCOMES: Mapping[tuple[Decision, bool], str] = {
    (Decision.PASS, False): "left alone",
    (Decision.REJECT, False): "refused",
    (Decision.DROP, False): "dropped",
    (Decision.TO_CLUSTER, False): "cluster set, source kept",
    (Decision.TO_CLUSTER, True): "cluster set, source replaced",
    (Decision.TO_LOCAL, False): "local set, source kept",
    (Decision.TO_LOCAL, True): "local set, source replaced",
}


@attrs.frozen
class Ways:
    """What one mode does, as tables that ask nothing but circumstances.

    `rows` decide every packet, `masquerade` every one that is sent to an endpoint.
    """

    rows: tuple[Row, ...]
    masquerade: tuple[MasqueradeRow, ...]


RULES: Mapping[ProxyMode, tuple[str, ...]] = {
    ProxyMode.IPTABLES: ("MODE-02", "MODE-10", "MODE-11", "MODE-12"),
    ProxyMode.NFTABLES: ("MASQ-02", "MODE-01", "MODE-05", "MODE-06", "MODE-07", "MODE-21"),
}
"""The rules by which each mode departs from the contract; MASQ-02 where it marks by address (FWD-OBJ-08)."""

_EXCHANGED: Mapping[tuple[ProxyMode, str], str] = {
    (ProxyMode.IPTABLES, "MODE-12"): "FWD-REJ-01",
    (ProxyMode.NFTABLES, "MODE-21"): "MASQ-08",
}
"""The row of the contract that a rule moves or exchanges; other rules add rows of their own id."""


def derived(mode: ProxyMode, without: Ids = NONE) -> Mapping[Fact, Predicate]:
    """What the mode's facts are in terms of circumstances, but for the rules in `without`."""
    primary_only = mode is ProxyMode.NFTABLES and "MODE-01" not in without
    loopback = LOOPBACK_ASKED if mode is ProxyMode.IPTABLES and "MODE-02" not in without else NEVER
    listed = All((Not(ADDRESSES_UNSET), ADDRESS_LISTED))
    by_default = All((ADDRESSES_UNSET, ON_PRIMARY if primary_only else All()))
    return {
        ON_NODE_PORT_ADDRESS: All(
            (ON_INTERFACE, Any((by_default, listed)), Any((Not(TO_LOOPBACK), loopback)))
        ),
        DESTINATION_LOCAL: ON_INTERFACE,
        LOOPBACK_GUARDED: loopback,
    }


def ways(mode: ProxyMode, without: Ids = NONE) -> Ways:
    """The mode's tables, as the contract has them where a rule in `without` departs from it."""
    known: dict[Fact, bool | Predicate] = {**dict.fromkeys(VERSION_FACTS, False), **derived(mode, without)}
    # In iptables mode refusals of node ports match every address of the node (MODE-11).
    node_port = IS_NP if mode is ProxyMode.IPTABLES else All((IS_NP, ON_NODE_PORT_ADDRESS))
    owned = Any((*(kind for kind in KINDS if kind != IS_NP), node_port))
    rows = (
        *(_under(owned, row) for row in _restored(mode, verdict_rows(mode), VERDICTS, without)),
        *(_under(Not(owned), row) for row in _restored(mode, unowned_rows(mode), UNOWNED, without)),
    )
    masquerade = _restored(mode, masquerade_rows(mode), MASQUERADE, without)
    return Ways(
        tuple(attrs.evolve(row, when=resolve(row.when, known)) for row in rows),
        tuple(attrs.evolve(row, when=resolve(row.when, known)) for row in masquerade),
    )


def _under(condition: Predicate, row: Row) -> Row:
    return attrs.evolve(row, when=All((condition, row.when)))


def _restored(mode: ProxyMode, rows: Sequence[R], contract: Sequence[R], without: Ids) -> tuple[R, ...]:
    """The table without the rows that these rules add, the contract's put back where one was exchanged."""
    original = {row.id: row for row in contract}
    exchanged = {row for (of, id), row in _EXCHANGED.items() if of is mode and id in without}
    out: list[R] = []
    for row in rows:
        if row.id in exchanged & original.keys() and row not in contract:
            row = original[row.id]
        if row.id not in without or row in contract:
            out.append(row)
    if exchanged & original.keys():  # moved back as well
        out.sort(key=lambda row: contract.index(row) if row in contract else -1)
    return tuple(out)


def outcomes(of: Ways) -> Mapping[str, Predicate]:
    """When each outcome is the mode's; one of them is in every circumstance."""
    rewrites = Any(
        tuple(turn for turn, row in zip(_turns(of.masquerade), of.masquerade, strict=True) if row.then)
    )
    when: dict[str, Predicate] = {}
    for (decision, is_rewritten), text in OUTCOMES.items():
        turns = Any(
            tuple(turn for turn, row in zip(_turns(of.rows), of.rows, strict=True) if row.then is decision)
        )
        is_sent = decision in (Decision.TO_CLUSTER, Decision.TO_LOCAL)
        when[text] = All((turns, rewrites if is_rewritten else Not(rewrites))) if is_sent else turns
    return when


def _turns(rows: Sequence[Row | MasqueradeRow]) -> list[Predicate]:
    """For each row, that it is the first that holds."""
    conditions = [row.when for row in rows]
    return [All((one, Not(Any(tuple(conditions[:at]))))) for at, one in enumerate(conditions)]


def circumstances(first: Ways, second: Ways) -> Predicate:
    """What is so in every circumstance that both modes are asked about: the endpoint is one of theirs."""
    to_local = (name for name in OUTCOMES.values() if name.startswith("local"))
    sent = Any(tuple(outcomes(of)[name] for name in to_local for of in (first, second)))
    return All((*CIRCUMSTANCES, _if(sent, ENDPOINT_ON_NODE)))


def causes(first: ProxyMode, second: ProxyMode) -> tuple[dict[Rules, Predicate], dict[Rules, Predicate]]:
    """When each rule changes something alone, and when two of one mode do together."""
    rules = sorted({*RULES[first], *RULES[second]})
    pairs = {pair for mode in (first, second) for pair in itertools.combinations(sorted(RULES[mode]), 2)}
    return (
        {(id,): changes(first, second, frozenset((id,))) for id in rules},
        {pair: changes(first, second, frozenset(pair)) for pair in sorted(pairs)},
    )


def changes(first: ProxyMode, second: ProxyMode, without: Ids) -> Predicate:
    """That without these rules one of the modes does otherwise than with them."""
    changed: list[Predicate] = []
    for mode in (first, second):
        usual, other = outcomes(ways(mode)), outcomes(ways(mode, without))
        if usual != other:
            changed += [All((usual[name], Not(other[name]))) for name in OUTCOMES.values()]
    return Any(tuple(changed))


def mode_differences(first: ProxyMode, second: ProxyMode) -> tuple[ModeDifference, ...]:
    """Every class of packets that the modes treat differently, by cause and outcomes.

    Classes are disjoint, and a packet that is in none fares alike in both. A class without
    `ids` is one that no rule explains. Raises KeyError for a mode that is not modelled.
    """
    one, other = outcomes(ways(first)), outcomes(ways(second))
    always = circumstances(ways(first), ways(second))
    differs = All((always, *(Not(All((one[name], other[name]))) for name in OUTCOMES.values())))
    alone, pairs = causes(first, second)
    none_alone = Not(Any(tuple(alone.values())))
    found = [
        *_classes(All((differs, Not(none_alone))), one, other, alone),
        *_classes(All((differs, none_alone)), one, other, pairs),
    ]
    return tuple(sorted(found, key=lambda each: (each.ids, each.first, each.second)))


def _classes(
    among: Predicate,
    one: Mapping[str, Predicate],
    other: Mapping[str, Predicate],
    causes: Mapping[Rules, Predicate],
) -> Iterator[ModeDifference]:
    """Each combination of outcomes and causes that there is among these circumstances."""
    symbols = symbols_of((among, *one.values(), *other.values(), *causes.values()))
    marks = {when: formula(when, symbols) for each in (one, other, causes) for when in each.values()}
    solver = z3.Solver()
    solver.add(formula(among, symbols))
    while solver.check() == z3.sat:
        witness = solver.model()
        true = {when: z3.is_true(witness.eval(mark, model_completion=True)) for when, mark in marks.items()}
        solver.add(z3.Or(*(mark != true[when] for when, mark in marks.items())))
        yield _difference(
            among,
            [(name, when, true[when]) for name, when in one.items()],
            [(name, when, true[when]) for name, when in other.items()],
            [(rules, when, true[when]) for rules, when in causes.items()],
        )


def _difference(
    among: Predicate,
    one: Sequence[tuple[str, Predicate, bool]],
    other: Sequence[tuple[str, Predicate, bool]],
    causes: Sequence[tuple[Rules, Predicate, bool]],
) -> ModeDifference:
    ((first, when_first),) = ((name, when) for name, when, truth in one if truth)
    ((second, when_second),) = ((name, when) for name, when, truth in other if truth)
    ids = {id for rules, _, truth in causes if truth for id in rules}
    exactly = (when if truth else Not(when) for _, when, truth in causes)
    return ModeDifference(tuple(sorted(ids)), All((among, when_first, when_second, *exactly)), first, second)
