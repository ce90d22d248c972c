"""Rules that do on one node what the contract demands: a layout of our own, not kube-proxy's.

`nat` translates (`frontends`); `filter` refuses what nat left alone. Each is entered by one chain
for each way that packets come, and ways of the same content share it. Every rule's comment names
the rows of the contract that it carries out.

Entry chains and the chains of Services bear names that kube-proxy's operators know, so that what
looks for a dataplane finds one; behind them stands a digest of the chain's content, so two
renderings differ only where their rules do.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping

import attrs

from model.addresses import Family
from model.expected import Contract
from model.fate import Fate
from model.frontends import NodeView, node_view
from model.node_config import NodeConfig, ProxyMode
from model.objects import Cluster
from model.outcome import Verdict
from model.predicate import Fact, Not
from oracle.ruleset import (
    Action,
    Chain,
    Dialect,
    Drop,
    Hookpoint,
    Jump,
    Masquerade,
    Reject,
    Return,
    Rule,
    Ruleset,
    SetMark,
)
from oracle.writing.conditions import Conditions, Literals, rule
from oracle.writing.frontends import FrontendWriter
from oracle.writing.names import IptablesNames, Names, NftNames, Part
from oracle.writing.places import (
    NODE,
    POD_INTERFACE,
    WIRE,
    Place,
    Way,
    is_refusal,
    merged,
    owned_places,
    unowned_places,
    ways,
)

_NEW, _TRANSLATED = Fact("ctstate", "NEW"), Fact("ctstate", "DNAT")


def rules_for(cluster: Cluster, config: NodeConfig, family: Family) -> Ruleset:
    """The rules of one family for the node `config.name`, in the mode that `config` says.

    They are of the newest version: what only old ones do (`config.quirks`) is not written.
    A rule's `text` is its comment; `line` is 0. Raises ValueError for ipvs mode.
    """
    view = node_view(cluster, attrs.evolve(config, quirks=frozenset()), family)
    match config.mode:
        case ProxyMode.IPTABLES:
            return _ruleset(view, IptablesNames())
        case ProxyMode.NFTABLES:
            return _ruleset(view, NftNames(family))
        case ProxyMode.IPVS:
            raise ValueError("virtual servers of ipvs mode are not written")


def _ruleset(view: NodeView, names: Names) -> Ruleset:
    conditions = Conditions(view, names.holds_sets)
    contract = Contract(view)
    owned = tuple(owned_places(view, contract))
    unowned = merged(unowned_places(view, contract))

    writer = FrontendWriter(conditions, names)
    translate = _shared(names.dispatch, {way: writer.dispatch(owned, way) for way in ways(view)})
    after = Chain(names.postrouting, list(_postrouting(1 << view.config.masquerade_bit)), 0)
    nat = Part(
        {
            Hookpoint.PREROUTING: _enter(conditions, translate, WIRE),
            Hookpoint.OUTPUT: _enter(conditions, translate, NODE),
            Hookpoint.POSTROUTING: [rule((), Jump(after.name))],
        },
        (*_once(translate), *writer.chains.values(), after),
    )
    guard = _shared(names.guards, {way: _refusing(conditions, unowned, way) for way in ways(view)})
    refuse = {way: _refusing(conditions, owned, way) for way in ways(view)}
    for way, rules in refuse.items():
        rules.insert(0, rule((_TRANSLATED,), Return(), "on its way to an endpoint"))
        rules.append(rule((), Jump(guard[way].name), "no Service's"))
    checks = _shared(names.refusals, refuse)
    # What the node sends to itself comes in again, and was asked already.
    back = rule((Fact("in-interface", "lo"),), Return(), "asked at output")
    from_wire = _enter(conditions, checks, WIRE)
    filter_ = Part(
        {
            Hookpoint.INPUT: [back, *from_wire],
            Hookpoint.FORWARD: from_wire,
            Hookpoint.OUTPUT: _enter(conditions, checks, NODE),
        },
        (*_once(checks), *_once(guard)),
    )
    backend = "nft" if names.dialect is Dialect.IPTABLES else ""
    return Ruleset(view.family, "", names.tables(nat, filter_), (), (), backend, names.dialect)


def _shared(name: Callable[[Way], str], content: Mapping[Way, list[Rule]]) -> dict[Way, Chain]:
    """A chain for each way; ways of the same content have the same."""
    held: dict[Way, Chain] = {}
    for way in sorted(content, key=lambda one: one is not WIRE):
        same = next((chain for chain in held.values() if chain.rules == content[way]), None)
        held[way] = same or Chain(name(way), content[way], 0)
    return held


def _once(held: Mapping[Way, Chain]) -> list[Chain]:
    return list({chain.name: chain for chain in held.values()}.values())


def _enter(conditions: Conditions, held: Mapping[Way, Chain], way: Way) -> list[Rule]:
    """The jumps that lead new packets of an origin into their entry chains."""
    if way is NODE or POD_INTERFACE not in held or held[POD_INTERFACE] is held[WIRE]:
        return [rule((_NEW,), Jump(held[way].name))]
    from_pod = conditions.pod_interface()
    return [
        rule((from_pod, _NEW), Jump(held[POD_INTERFACE].name), "from a pod [SRC-02]"),
        rule((Not(from_pod), _NEW), Jump(held[WIRE].name), "not from a pod [SRC-02]"),
    ]


def _postrouting(mark: int) -> Iterator[Rule]:
    yield rule((Not(Fact("mark", f"{mark:#x}/{mark:#x}")),), Return())
    yield rule((), SetMark(mark, 0), "what goes on in a tunnel is rewritten once")
    yield rule((), Masquerade(), "the source becomes the node's")


def _refusing(conditions: Conditions, places: Iterable[Place], way: Way) -> list[Rule]:
    """What becomes of the packets of a way that nat left alone."""
    return [one for place in places for one in _refusals(conditions, place, way)]


def _refusals(conditions: Conditions, place: Place, way: Way) -> Iterator[Rule]:
    """Rules for one place, none where all its packets are translated."""
    fates = sorted(place.fates[way], key=lambda fate: len(fate.sources))
    if all(fate.leaves[0].verdict == Verdict.DNAT.value for fate in fates):
        return
    for fate in fates:
        then = _action(fate)
        # A frontend's packets meet no rule about others; a place of no Service speaks of some only.
        if isinstance(then, Return) and place.owner is None:
            continue
        of_others: list[Literals] = [()]
        is_last = fate is fates[-1] and (place.owner is not None or len(fates) == 1)
        comment = conditions.verdict(place, way, fate.sources[0][0])
        for source in of_others if is_last else conditions.sources(fate.sources):
            for target in conditions.targets(place):
                yield rule((*source, *target), then, comment)


def _action(fate: Fate) -> Action:
    leaf = fate.leaves[0]
    if not is_refusal(leaf):
        return Return()
    return Drop() if leaf.verdict == Verdict.DROP.value else Reject(leaf.reject_with)
