"""A node in ipvs mode of which not everything was collected: judged as far as what is there goes.

A full picture takes ipvsadm, ipset, iptables-save and `ip -j addr`. Virtual servers alone tell
frontends, targets, odds and affinity. What the missing part would tell is left out of the
contract and of the rules alike, so that it makes no difference, and is said as not judged:

| missing | not judged |
|---|---|
| ipvsadm | anything |
| iptables-save | source translation, source ranges, ports of the host behind Services' addresses |
| ipset | the same, but for what keeps the node itself from a balancer's address |
| `ip -j addr` | whether the Services' addresses are bound to kube-ipvs0 |

Source: rules-ipvs (a full picture of one node), 1 and 7.
"""

from collections.abc import Iterator, Sequence

import attrs

from model.expectation import Expectation, expect
from model.expected import Contract
from model.fate import Fate, Fates
from model.frontends import NodeView, Owner, ServicePortView
from model.intervals import EMPTY
from model.ipvs.records import DUMMY_DEVICE
from model.node_config import InterfaceAddress, ProxyMode
from model.outcome import Outcome
from model.packet import Origin, Packet
from model.predicate import All, Fact, Not
from oracle.findings import NotJudged
from oracle.ruleset import Chain, Dialect, Rule, Ruleset

_SET = "-m set "


@attrs.frozen(eq=False)
class Narrowed:
    """What is left to judge: view and rule sets without what nothing tells.

    `has_servers` is False where nothing is left; `tells_sources` says whether it is known
    whose source is rewritten.
    """

    view: NodeView
    rulesets: tuple[Ruleset, ...]
    has_servers: bool = True
    tells_sources: bool = True
    not_judged: tuple[NotJudged, ...] = ()


def as_far_as_given(view: NodeView, rulesets: tuple[Ruleset, ...]) -> Narrowed:
    """What can be judged of one family; all of it in other modes, and where all was collected."""
    if view.config.mode is not ProxyMode.IPVS:
        return Narrowed(view, rulesets)
    count = len(view.by_address) + len(view.by_node_port)
    if not any(one.dialect is Dialect.IPVS for one in rulesets):
        why = f"{count} {view.family.value} frontends, and no virtual servers given: run ipvsadm -Sn"
        return Narrowed(
            view, rulesets, has_servers=False, not_judged=(_left_open(view, why),) if count else ()
        )
    has_rules = any(one.dialect is not Dialect.IPVS for one in rulesets)
    has_sets = has_rules and not _asks_in_vain(rulesets)
    open_questions: list[NotJudged] = []
    of = f"of {count} {view.family.value} frontends"
    if not has_sets:
        tool = "ipset save" if has_rules else _tool(view)
        what = "source translation, source ranges and ports of the host behind their addresses"
        open_questions.append(_left_open(view, f"{what} are not judged {of}: run {tool}"))
        view = _without_what_sets_tell(view, has_rules=has_rules)
        rulesets = tuple(_without_sets(one) for one in rulesets)
    if not view.config.addresses_are_complete:
        what = "whether their addresses are bound to kube-ipvs0 is not judged"
        open_questions.append(_left_open(view, f"{what} {of}: run ip -j addr"))
        view = _with_all_bound(view)
    return Narrowed(view, rulesets, tells_sources=has_sets, not_judged=tuple(open_questions) if count else ())


class WithoutSources(Contract):
    """The contract without what it demands of source addresses."""

    def allowed(
        self, destination: int, protocol: int, port: int, origin: Origin, *, from_pod_interface: bool
    ) -> tuple[tuple[Owner, ...], tuple[Fates, ...]]:
        owners, allowed = super().allowed(
            destination, protocol, port, origin, from_pod_interface=from_pod_interface
        )
        return owners, tuple(tuple(_fate(fate) for fate in fates) for fates in allowed)


def expect_without_sources(view: NodeView, packet: Packet) -> Expectation:
    """What the node must do with a packet, whatever becomes of its source."""
    found = expect(view, packet)
    return attrs.evolve(found, allowed=tuple(dict.fromkeys(_outcome(one) for one in found.allowed)))


def _fate(fate: Fate) -> Fate:
    leaves = tuple(leaf._replace(masquerade=EMPTY) for leaf in fate.leaves)
    return Fate(fate.sources, leaves, tuple(one._replace(masquerade=EMPTY) for one in fate.memories))


def _outcome(one: Outcome) -> Outcome:
    leaves = tuple(attrs.evolve(leaf, masquerade=False) for leaf in one.leaves)
    return Outcome(leaves, tuple(attrs.evolve(memory, masquerade=False) for memory in one.affinity))


def _left_open(view: NodeView, why: str) -> NotJudged:
    return NotJudged(f"nodes/{view.config.name}", 0, "", why, matters=True)


def _tool(view: NodeView) -> str:
    return "iptables-save and ipset save" if view.family.bits == 32 else "ip6tables-save and ipset save"


def _asks_in_vain(rulesets: Sequence[Ruleset]) -> bool:
    """Whether rules ask for kube-proxy's sets and none of these is known: no ipset was given."""
    asking = [rule for one in rulesets for rule in _rules(one) if f"{_SET}--match-set KUBE-" in rule.text]
    return bool(asking) and all(_is_open(rule) for rule in asking)


def _rules(ruleset: Ruleset) -> Iterator[Rule]:
    for chains in ruleset.tables.values():
        for chain in chains.values():
            yield from chain.rules


def _is_open(rule: Rule) -> bool:
    """Whether the rule's condition hangs on a set that nobody knows."""
    for part in rule.when.parts if isinstance(rule.when, All) else (rule.when,):
        inner = part.part if isinstance(part, Not) else part
        if isinstance(inner, Fact) and inner.name == "unsupported" and inner.argument.startswith(_SET):
            return True
    return False


def _without_sets(ruleset: Ruleset) -> Ruleset:
    """The rule set without rules of kube-proxy's that ask for unknown sets."""
    gone = {rule.line for rule in _rules(ruleset) if "--match-set KUBE-" in rule.text and _is_open(rule)}
    if not gone:
        return ruleset

    def kept(chain: Chain) -> Chain:
        return attrs.evolve(chain, rules=[rule for rule in chain.rules if rule.line not in gone])

    tables = {
        table: {name: kept(chain) for name, chain in chains.items()}
        for table, chains in ruleset.tables.items()
    }
    notes = tuple(note for note in ruleset.unsupported if note.line not in gone)
    return attrs.evolve(ruleset, tables=tables, unsupported=notes)


def _without_what_sets_tell(view: NodeView, *, has_rules: bool) -> NodeView:
    """The view without source ranges, and with addresses that no filter guards.

    The rule that keeps the node from a balancer's address needs no set, so it is judged
    where there are rules.
    """
    ports = {
        id(one): attrs.evolve(one, allowed_sources=None, closed_to_node=one.closed_to_node and has_rules)
        for one in view.service_ports
    }

    def told(owners: tuple[Owner, ...]) -> tuple[Owner, ...]:
        return tuple((ports[id(one)], kind) for one, kind in owners)

    service_ports: tuple[ServicePortView, ...] = tuple(ports.values())
    return attrs.evolve(
        view,
        service_ports=service_ports,
        by_address={place: told(owners) for place, owners in view.by_address.items()},
        by_node_port={place: told(owners) for place, owners in view.by_node_port.items()},
        health_check_ports=frozenset(),
        bound=frozenset(),
    )


def _with_all_bound(view: NodeView) -> NodeView:
    """The view of a node whose addresses are all where they should be."""
    family = view.family
    elsewhere = [
        one for one in view.config.addresses if one.interface != DUMMY_DEVICE or one.family is not family
    ]
    bound = [
        InterfaceAddress(DUMMY_DEVICE, family, address, family.bits)
        for low, high in view.local_addresses
        if not (family.loopback[0][0] <= low <= family.loopback[0][1])
        for address in range(low, high + 1)
        if all(one.address != address for one in elsewhere if one.family is family)
    ]
    return attrs.evolve(view, config=attrs.evolve(view.config, addresses=(*elsewhere, *bound)))
