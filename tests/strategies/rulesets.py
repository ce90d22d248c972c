"""Rule sets that iptables or nft can hold, of either family: simple chains are the simplest."""

from fractions import Fraction

from hypothesis import strategies as st

from model.addresses import Family
from model.intervals import Intervals, complement, normalise
from model.packet import SCTP, TCP, UDP
from model.predicate import All, Any, Fact, Field, Not, Predicate, Within
from oracle.ruleset import (
    Accept,
    Action,
    Base,
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
    Rule,
    Ruleset,
    SetMark,
    Untrack,
)

_CHAINS = ("one", "two", "three")
_MEMORIES = (("clients-1", 60), ("clients-2", 10800), ("clients-3", 0))
_STATES = ("NEW", "ESTABLISHED", "RELATED", "INVALID")
_WORD = {Family.IPV4: "ip", Family.IPV6: "ip6"}


@st.composite
def rulesets(draw: st.DrawFn, dialect: Dialect) -> Ruleset:
    """A rule set of the dialect, with every condition and action that its writer has words for."""
    family = draw(st.sampled_from(Family))
    rules = _rules(family, dialect)
    own = [Chain(name, draw(st.lists(rules, max_size=3)), 0) for name in _CHAINS]
    # Nobody is known to a list that no rule enters.
    own[0].rules.extend(Rule(All(), Continue(), 0, "", None, name) for name, _ in _MEMORIES)
    policies: tuple[Accept | Drop, ...] = (Accept(), Drop())
    policy = draw(st.sampled_from(policies))
    if dialect is Dialect.IPTABLES:
        base = Chain("PREROUTING", draw(st.lists(rules, max_size=2)), 0, policy)
        backend = draw(st.sampled_from(("", "nft", "legacy")))
        tables = {"nat": {chain.name: chain for chain in (base, *own)}}
        return Ruleset(family, "drawn", tables, backend=backend, dialect=dialect)
    at = Base(draw(st.sampled_from(Hookpoint)), draw(st.integers(-300, 300)), is_nat=draw(st.booleans()))
    base = Chain("base", draw(st.lists(rules, max_size=2)), 0, policy, at)
    chains = {chain.name: chain for chain in (base, *own)}
    return Ruleset(family, "drawn", {f"{_WORD[family]} kube-proxy": chains}, dialect=dialect)


@st.composite
def _rules(draw: st.DrawFn, family: Family, dialect: Dialect) -> Rule:
    parts: list[Predicate] = []
    for field in (Field.SOURCE, Field.DESTINATION):
        if draw(st.booleans()):
            most = 1 if dialect is Dialect.IPTABLES else 3
            parts.append(Within(field, draw(_sets(family.top, most))))
    if draw(st.booleans()):
        parts += draw(_of_protocol())
    parts += draw(st.lists(_facts(), max_size=2, unique_by=_kind))
    odds = draw(st.none() | st.integers(2, 1000).map(lambda ways: Fraction(1, ways)))
    remember = draw(st.sampled_from(("", "", *(name for name, _ in _MEMORIES))))
    then = Continue() if remember else draw(_actions(family))
    return Rule(
        All(tuple(parts)), then, 0, draw(st.sampled_from(("", "shop/web CIP [FWD-CIP-01]"))), odds, remember
    )


@st.composite
def _sets(draw: st.DrawFn, top: int, most: int) -> Intervals:
    """Neither nothing nor everything: networks, spans, or all but them."""
    ends = draw(st.lists(st.tuples(st.integers(0, top), st.integers(0, 9)), min_size=1, max_size=most))
    spans = []
    for start, bits in ends:
        size = 1 << bits
        low = start // size * size if draw(st.booleans()) else start
        spans.append((low, min(top, low + size - 1)))
    values = normalise(spans)
    return complement(values, top) if draw(st.booleans()) else values


@st.composite
def _of_protocol(draw: st.DrawFn) -> list[Predicate]:
    number = draw(st.sampled_from((TCP, UDP, SCTP, 1, 47, 58)))
    if number not in (TCP, UDP, SCTP):
        values: Intervals = ((number, number),)
        return [Within(Field.PROTOCOL, complement(values, 0xFF) if draw(st.booleans()) else values)]
    parts: list[Predicate] = [Within(Field.PROTOCOL, ((number, number),))]
    for field in (Field.PORT, Field.SOURCE_PORT):
        if draw(st.booleans()):
            parts.append(Within(field, draw(_sets(0xFFFF, 3))))
    return parts


@st.composite
def _facts(draw: st.DrawFn) -> Predicate:
    mask = draw(st.integers(1, 0xFFFFFFFF))
    states = draw(st.lists(st.sampled_from(_STATES), min_size=1, max_size=3, unique=True))
    each = tuple(Fact("ctstate", name) for name in states)
    name, seconds = draw(st.sampled_from(_MEMORIES))
    fact = draw(
        st.sampled_from(
            (
                each[0] if len(each) == 1 else Any(each),
                Fact("ctstate", "DNAT"),
                Fact("in-interface", "eth0"),
                Fact("in-interface", "cali+"),
                Fact("out-interface", "lo"),
                Fact("source-local"),
                Fact("destination-local"),
                Fact("mark", f"{draw(st.integers(0, 0xFFFFFFFF)) & mask:#x}/{mask:#x}"),
                Fact("recent", f"{name}/{seconds}"),
            )
        )
    )
    return Not(fact) if draw(st.booleans()) else fact


def _kind(fact: Predicate) -> str:
    """What a fact is about: iptables asks each thing once a rule."""
    inner = fact.part if isinstance(fact, Not) else fact
    return inner.name if isinstance(inner, Fact) else "ctstate"


@st.composite
def _actions(draw: st.DrawFn, family: Family) -> Action:
    address = draw(st.none() | st.integers(1, family.top))
    port = draw(st.integers(1, 0xFFFF) if address is None else st.none() | st.integers(1, 0xFFFF))
    bits = st.integers(0, 0xFFFFFFFF)
    kind = "icmp" if family is Family.IPV4 else "icmp6"
    chain = draw(st.sampled_from(_CHAINS))
    actions: tuple[Action, ...] = (
        *(Accept(), Drop(), Return(), Continue(), Masquerade(), Untrack()),
        *(Jump(chain), Goto(chain), Dnat(address, port)),
        *(Reject(f"{kind}-port-unreachable"), Redirect(draw(st.none() | st.integers(1, 0xFFFF)))),
        SetMark(draw(bits), draw(bits)),
        SetMark(0x4000, 0x4000),
    )
    return draw(st.sampled_from(actions))
