"""What a node's rules serve, service port by service port, read off the rules of any dialect.

It stands in for the objects of a moment where none were kept: a Service is named by what its
rules say of it (a chain's name, a comment), else by whose frontend it is in the objects that
are given, else by the frontend itself.
"""

from collections.abc import Iterator

import attrs

from model.addresses import Family
from model.frontends import NodeView, node_view
from model.node_config import NodeConfig
from model.objects import Cluster, ServicePortName
from model.packet import PROTOCOL_NAMES
from model.predicate import All, Field, Within
from model.proxy_endpoints import endpoint_text
from oracle.dialects.nftables.names import owner_of_chain
from oracle.history.services import Change, ChangeKind
from oracle.names import ChainOwners
from oracle.node_rules import NodeRules
from oracle.roles import ChainKind, Met, kind_of
from oracle.ruleset import Chain, Dialect, Dnat, Drop, Goto, Jump, Reject, Rule, Ruleset

_DISPATCHING = (ChainKind.ROOT, ChainKind.NODE_PORTS, ChainKind.OTHER)
_SETTING = "read off the rules: "


@attrs.frozen
class Served:
    """What the rules do for one service port: each frontend's treatment, and where packets may go.

    `frontends` are (frontend, treatment): "served", "served by local endpoints", "refused". One
    has several where it depends on the packet's source.
    """

    frontends: frozenset[tuple[str, str]] = frozenset()
    targets: frozenset[str] = frozenset()
    has_affinity: bool = False

    @property
    def treatments(self) -> dict[str, str]:
        """Each frontend's treatment in words."""
        found: dict[str, list[str]] = {}
        for frontend, treatment in sorted(self.frontends):
            found.setdefault(frontend, []).append(treatment)
        return {frontend: " or ".join(several) for frontend, several in found.items()}

    def joined(self, other: "Served") -> "Served":
        """Both together."""
        return Served(
            self.frontends | other.frontends,
            self.targets | other.targets,
            self.has_affinity or other.has_affinity,
        )


@attrs.frozen
class Reading:
    """What one dump's rules say: by service port or, without one, by frontend; and its settings."""

    served: dict[ServicePortName | str, Served]
    settings: frozenset[str]


def reading_of(node: NodeRules, cluster: Cluster) -> Reading:
    """What the node's rules serve, and the settings that they give away."""
    owners = ChainOwners(cluster.services)
    found: dict[ServicePortName | str, Served] = {}
    for family, rulesets in node.by_family.items():
        known = _known(node_view(cluster, node.config, family))
        for ruleset in rulesets:
            for met in _dispatches(ruleset):
                frontend = _frontend(met.rule, family)
                if frontend is None:
                    continue
                one = _served(met, frontend, family)
                if not one.frontends:
                    continue
                name = _owner(met, owners) or known.get(frontend) or known.get(_any_address(frontend))
                key = name or frontend
                found[key] = found.get(key, Served()).joined(one)
    return Reading(found, _settings(node.config))


def served_changes(before: Reading, after: Reading) -> tuple[Change, ...]:
    """What the rules of two dumps serve otherwise, service ports in the order of their names."""
    out: list[Change] = []
    for key in sorted(before.served.keys() | after.served.keys(), key=str):
        one, other = before.served.get(key), after.served.get(key)
        service = key.service if isinstance(key, ServicePortName) else None
        port = f"port {key.port_name}: " if isinstance(key, ServicePortName) and key.port_name else ""
        if one != other:
            out += [Change(service, kind, f"{port}{text}") for kind, text in _changes(one, other)]
    gone, new = sorted(before.settings - after.settings), sorted(after.settings - before.settings)
    out += [Change(None, ChangeKind.SETTING_READ, f"no longer: {text}") for text in gone]
    out += [Change(None, ChangeKind.SETTING_READ, f"now: {text}") for text in new]
    return tuple(out)


def _changes(one: Served | None, other: Served | None) -> Iterator[tuple[ChangeKind, str]]:
    old, new = one or Served(), other or Served()
    before, after = old.treatments, new.treatments
    for frontend in sorted(before.keys() | after.keys()):
        was, now = before.get(frontend), after.get(frontend)
        if was is None:
            kind = ChangeKind.SERVICE_ADDED if one is None else ChangeKind.ADDRESS_ADDED
            yield kind, f"{frontend} is now {now}"
        elif now is None:
            kind = ChangeKind.SERVICE_REMOVED if other is None else ChangeKind.ADDRESS_REMOVED
            yield kind, f"{frontend} is no longer {was}"
        elif was != now:
            yield ChangeKind.POLICY_CHANGED, f"{frontend} was {was}, is now {now}"
    if one is not None and other is not None and old.has_affinity is not new.has_affinity and new.targets:
        yield ChangeKind.POLICY_CHANGED, f"session affinity is now {'on' if new.has_affinity else 'off'}"
    for text in sorted(old.targets - new.targets):
        yield ChangeKind.ENDPOINT_REMOVED, f"endpoint {text} no longer used"
    for text in sorted(new.targets - old.targets):
        yield ChangeKind.ENDPOINT_ADDED, f"endpoint {text} now used"


def _settings(config: NodeConfig) -> frozenset[str]:
    return frozenset(text.removeprefix(_SETTING) for text in config.assumptions if text.startswith(_SETTING))


def _dispatches(ruleset: Ruleset) -> Iterator[Met]:
    """Kube-proxy's rules that decide about frontends."""
    for table, chains in ruleset.tables.items():
        for name, chain in chains.items():
            if kind_of(ruleset, table, name) in _DISPATCHING:
                yield from (Met(ruleset, table, name, rule) for rule in chain.rules)


def _frontend(rule: Rule, family: Family) -> str | None:
    """`10.96.0.10:53/UDP`, `node port 30080/TCP`; None for a rule that is not about one frontend."""
    single: dict[Field, int] = {}
    for part in rule.when.parts if isinstance(rule.when, All) else (rule.when,):
        if isinstance(part, Within) and len(part.values) == 1 and part.values[0][0] == part.values[0][1]:
            single[part.field] = part.values[0][0]
    if Field.PORT not in single or Field.PROTOCOL not in single:
        return None
    protocol = PROTOCOL_NAMES.get(single[Field.PROTOCOL], str(single[Field.PROTOCOL])).upper()
    address = single.get(Field.DESTINATION)
    if address is None:
        return f"node port {single[Field.PORT]}/{protocol}"
    return f"{endpoint_text(family, address, single[Field.PORT])}/{protocol}"


def _any_address(frontend: str) -> str:
    """The node port that an address and port may stand for."""
    return f"node port {frontend.rpartition(':')[2]}"


def _known(view: NodeView) -> dict[str, ServicePortName]:
    """Whose each frontend is, by the objects."""
    found: dict[str, ServicePortName] = {}
    for (protocol, port), owners in view.by_node_port.items():
        found[f"node port {port}/{PROTOCOL_NAMES.get(protocol, '').upper()}"] = owners[0][0].name
    for (address, protocol, port), owners in view.by_address.items():
        text = endpoint_text(view.family, address, port)
        found[f"{text}/{PROTOCOL_NAMES.get(protocol, '').upper()}"] = owners[0][0].name
    return found


def _owner(met: Met, owners: ChainOwners) -> ServicePortName | None:
    then = met.rule.then
    if met.ruleset.dialect is Dialect.IPTABLES:
        return owners.of_rule(met.rule.text)
    if met.ruleset.dialect is Dialect.NFTABLES and isinstance(then, Jump | Goto):
        return owner_of_chain(then.chain)
    return None


def _served(met: Met, frontend: str, family: Family) -> Served:
    """What becomes of the packets that the rule takes."""
    then = met.rule.then
    if isinstance(then, Reject | Drop):
        return Served(frozenset({(frontend, "refused")}))
    if not isinstance(then, Jump | Goto):
        return Served()
    chains = met.ruleset.tables[met.table]
    reached = list(_reached(chains, then.chain))
    rules = [rule for chain in reached for rule in chain.rules]
    targets = frozenset(
        endpoint_text(family, rule.then.address, rule.then.port or 0)
        for rule in rules
        if isinstance(rule.then, Dnat) and rule.then.address is not None
    )
    if not targets:
        refuses = any(isinstance(rule.then, Reject | Drop) for rule in rules)
        return Served(frozenset({(frontend, "refused")})) if refuses else Served()
    is_local = any(chain.name.startswith(("KUBE-SVL-", "KUBE-XLB-", "local-")) for chain in reached)
    how = "served by local endpoints" if is_local else "served"
    asks = any(Met(met.ruleset, met.table, "", rule).asks_memory for rule in rules)
    return Served(frozenset({(frontend, how)}), targets, asks)


def _reached(chains: dict[str, Chain], name: str) -> Iterator[Chain]:
    """The chain and all that it leads to."""
    pending, seen = [name], {name}
    while pending:
        chain = chains[pending.pop()]
        yield chain
        for rule in chain.rules:
            if isinstance(rule.then, Jump | Goto) and rule.then.chain not in seen:
                seen.add(rule.then.chain)
                pending.append(rule.then.chain)
