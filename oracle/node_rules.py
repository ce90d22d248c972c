"""One node's rule sets and configuration, read from its evidence."""

from collections.abc import Mapping, Sequence

import attrs

from model.addresses import Family
from model.errors import InputError
from model.node_config import NodeConfig
from model.objects import Cluster
from oracle.bundle import NodeEvidence, node_config
from oracle.dialects.iptables import parse_iptables
from oracle.findings import NotJudged
from oracle.infer import inferred
from oracle.ruleset import Chain, Goto, Jump, Ruleset

_OTHER_DIALECTS = {
    "nft": "nftables rules are not read yet",
    "nft.json": "nftables rules are not read yet",
    "ipvsadm": "ipvs state is not read yet",
    "ipset": "ipset contents are not read yet",
}

_DEEPEST = 200  # calls; what reads chains recurses


@attrs.frozen
class NodeRules:
    """Rule sets by family, in the order the kernel asks them, and what was not read."""

    config: NodeConfig
    by_family: Mapping[Family, tuple[Ruleset, ...]]
    not_read: tuple[NotJudged, ...] = ()


def read_node(evidence: NodeEvidence, cluster: Cluster | None) -> NodeRules:
    """Parses every dump of the node and settles its configuration.

    Raises InputError when a dump cannot be read, or when the node has none that can.
    """
    found: dict[Family, list[Ruleset]] = {}
    not_read: list[NotJudged] = []
    for file in evidence.rules:
        kind = file.label.rsplit("/", 1)[-1]
        if kind in _OTHER_DIALECTS:
            not_read.append(NotJudged(file.label, 0, "", _OTHER_DIALECTS[kind], matters=False))
            continue
        read = parse_iptables(file.data, file.label)
        if kind == "iptables-save" and all(one.family is Family.IPV6 for one in read):
            what = "wrong family: IPv6 rules in a file named iptables-save; name it ip6tables-save"
            raise InputError(file.label, 1, what)
        for ruleset in read:
            _refuse_loops(ruleset)
            for other in found.get(ruleset.family, ()):
                if other.backend == ruleset.backend and set(other.tables) & set(ruleset.tables):
                    raise InputError(
                        ruleset.file, 0, f"the same tables as {other.file}: give one dump of each family"
                    )
            found.setdefault(ruleset.family, []).append(ruleset)
    if not found:
        name = evidence.name or "the node"
        what = "; ".join(dict.fromkeys(f"{one.file}: {one.why}" for one in not_read)) or "no rules given"
        raise InputError(f"nodes/{name}", 0, f"no iptables dump to judge ({what})")
    config, unset = node_config(evidence, cluster)
    # Both back ends hook in at the same priority; nft is asked first where both are live.
    ordered = {
        family: tuple(sorted(sets, key=lambda one: one.backend != "nft")) for family, sets in found.items()
    }
    return NodeRules(inferred(config, unset, ordered, cluster), ordered, tuple(not_read))


def _refuse_loops(ruleset: Ruleset) -> None:
    """A chain that leads back to itself cannot be loaded, so no kernel gave such a dump.

    Chains are settled from the leaves up, in as many rounds as they call each other deep
    at the most; what no round settles leads into a loop.
    """
    for chains in ruleset.tables.values():
        depth: dict[str, int] = {}
        pending = list(chains.values())
        while pending:
            left: list[Chain] = []
            for chain in pending:
                calls = 0
                for rule in chain.rules:
                    then = rule.then
                    if type(then) is Jump or type(then) is Goto:
                        below = depth.get(then.chain)
                        if below is None:
                            left.append(chain)
                            break
                        if below >= calls:
                            calls = below + 1
                            if calls > _DEEPEST:
                                what = f"chains call each other more than {_DEEPEST} deep"
                                raise InputError(ruleset.file, rule.line, what)
                else:
                    depth[chain.name] = calls
            if len(left) == len(pending):
                raise _loop(left, ruleset.file)
            pending = left


def _loop(chains: Sequence[Chain], file: str) -> InputError:
    """The first loop among chains each of which has an exit to another of them."""
    exits = {
        chain.name: {rule.then.chain: rule.line for rule in chain.rules if isinstance(rule.then, Jump | Goto)}
        for chain in chains
    }
    to, seen = chains[0].name, set[str]()
    while to not in seen:
        seen.add(to)
        to, line = next((to, line) for to, line in exits[to].items() if to in exits)
    return InputError(file, line, f"chain {to} leads back to itself")
