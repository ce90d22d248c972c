"""What stands around the Services' rules: claims that clash, rules that hide kube-proxy's.

Each check here looks at the dump as a whole and not at packets of one Service.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

from model.addresses import Family, format_address
from model.expectation import expect
from model.frontends import NodeView
from model.node_ports import serves_localhost
from model.packet import PROTOCOL_NAMES, TCP, Origin, Packet
from model.predicate import All, Fact, Not, Predicate
from model.proxy_version import Quirk
from oracle.findings import Difference, Kind, Line
from oracle.names import is_kube_proxy_rule
from oracle.plain import trace
from oracle.ruleset import Dialect, Drop, Reject, Rule, Ruleset

MANY_COPIES = 10  # equal rules of one chain, from where they are remarked on


def remarks(view: NodeView, rulesets: Sequence[Ruleset]) -> Iterator[str]:
    """Warnings: Services that claim one frontend, and what the dump itself warns of."""
    for (address, protocol, port), owners in view.by_address.items():
        if len(owners) > 1 and len({one.name for one, _ in owners}) > 1:
            names = " and ".join(dict.fromkeys(str(one.name) for one, _ in owners))
            place = f"{format_address(view.family, address)} port {port}/{PROTOCOL_NAMES[protocol].upper()}"
            yield f"{place} is claimed by {names}: either may get the traffic (FWD-OBJ-08)"
    for (protocol, port), owners in view.by_node_port.items():
        if len(owners) > 1:
            names = " and ".join(str(one.name) for one, _ in owners)
            yield f"node port {port}/{PROTOCOL_NAMES[protocol].upper()} is claimed by {names} (ALLOC-NP-09)"
    if Quirk.UNGUARDED in view.config.quirks and serves_localhost(view.config, view.family):
        yield (
            "no chain KUBE-FIREWALL: node ports are served on loopback, and nothing in this dump keeps"
            " neighbours from the node's own loopback ports (BZ-01)"
        )
    for ruleset in rulesets:
        for note in ruleset.warnings:
            yield f"{ruleset.file}:{note.line}: {note.what}"
        yield from _copies(ruleset)


def _copies(ruleset: Ruleset) -> Iterator[str]:
    """Rules that some tool adds anew each time it looks for them and fails (BZ-53, BZ-54, BZ-55)."""
    if ruleset.dialect is not Dialect.IPTABLES:
        return
    for table, chains in ruleset.tables.items():
        for chain in chains.values():
            if len(chain.rules) < MANY_COPIES:
                continue
            text, count = Counter(rule.text for rule in chain.rules).most_common(1)[0]
            if count >= MANY_COPIES:
                line = next(rule.line for rule in chain.rules if rule.text == text)
                yield (
                    f"{ruleset.file}:{line}: {table}/{chain.name} holds this rule {count} times,"
                    f" added over and over (BZ-53): {text}"
                )


def hidden_chains(view: NodeView, rulesets: Sequence[Ruleset]) -> Iterator[Difference]:
    """Rules of other owners that refuse every packet before it meets kube-proxy's entry."""
    for ruleset in rulesets:
        for chain in ruleset.tables.get("filter", {}).values():
            if chain.policy is None:
                continue
            blocking: Rule | None = None
            for rule in chain.rules:
                if blocking is not None and is_kube_proxy_rule(rule.text):
                    yield from _hidden(view, rulesets, ruleset, chain.name, blocking, rule)
                    break
                if blocking is None and _refuses_everything(rule):
                    blocking = rule


def _refuses_everything(rule: Rule) -> bool:
    """Whether no new packet gets past the rule."""
    parts = rule.when.parts if isinstance(rule.when, All) else (rule.when,)
    refuses = isinstance(rule.then, Drop | Reject) and rule.odds is None
    return refuses and all(_true_of_new(part) for part in parts)


def _true_of_new(part: Predicate) -> bool:
    match part:
        case Fact("ctstate", "NEW"):
            return True
        case Not(Fact("ctstate", "INVALID" | "UNTRACKED" | "ESTABLISHED" | "RELATED")):
            return True
    return False


def _hidden(
    view: NodeView,
    rulesets: Sequence[Ruleset],
    ruleset: Ruleset,
    chain: str,
    blocking: Rule,
    hidden: Rule,
) -> Iterator[Difference]:
    """The difference, with a packet that is no Service's and should have been left alone."""
    outside = 0xCB007102 if view.family is Family.IPV4 else 0x20010DB8 << 96 | 0x99
    node = view.config.primary_address(view.family) or view.family.loopback[0][0] | 1
    origin = Origin.NODE if chain == "OUTPUT" else Origin.WIRE
    source = node if origin is Origin.NODE else outside
    destination = node if chain == "INPUT" else outside + 1
    packet = Packet(view.family, origin, source, destination, TCP, 10250)
    expectation = expect(view, packet)
    found = trace(rulesets, view.config, packet).outcome
    if found in expectation.allowed:
        return
    host = format_address(view.family, destination)
    yield Difference(
        Kind.UNREACHABLE_RULE,
        view.family,
        None,
        None,
        "TCP",
        f"{host}:10250" if view.family is Family.IPV4 else f"[{host}]:10250",
        packet,
        expectation.allowed,
        found,
        (
            Line(ruleset.file, blocking.line, blocking.text),
            Line(ruleset.file, hidden.line, hidden.text),
        ),
        ("FWD-OBJ-09",),
        f"a rule of {chain} refuses every packet before kube-proxy's own rules are met",
    )
