"""The dataplanes that rule sets hold: kube-proxy's service rules in one mode, and where they begin."""

from collections.abc import Sequence

import attrs

from model.node_config import ProxyMode
from oracle.findings import Line
from oracle.roles import ChainKind, kind_of
from oracle.ruleset import Chain, Dialect, Goto, Jump, Ruleset

MODES = {
    Dialect.IPTABLES: ProxyMode.IPTABLES,
    Dialect.NFTABLES: ProxyMode.NFTABLES,
    Dialect.IPVS: ProxyMode.IPVS,
}


@attrs.frozen
class Dataplane:
    """One mode's service rules, in one rule set: where packets enter them."""

    ruleset: Ruleset
    entry: Chain

    @property
    def mode(self) -> ProxyMode:
        """The mode of kube-proxy that writes such rules."""
        return MODES[self.ruleset.dialect]

    @property
    def name(self) -> str:
        """`iptables (legacy)`, `nftables`, `ipvs`."""
        backend = self.ruleset.backend
        return f"{self.ruleset.dialect.value} ({backend})" if backend else self.ruleset.dialect.value

    @property
    def line(self) -> Line:
        """The entry as evidence."""
        return Line(self.ruleset.file, self.entry.line, f":{self.entry.name}")


def live(rulesets: Sequence[Ruleset]) -> tuple[Dataplane, ...]:
    """Those that serve some frontend: their entry leads to a service port's own chain."""
    return tuple(found for ruleset in rulesets if (found := _live(ruleset)) is not None)


def _live(ruleset: Ruleset) -> Dataplane | None:
    for table, chains in ruleset.tables.items():
        for chain in chains.values():
            if kind_of(ruleset, table, chain.name) not in (ChainKind.ROOT, ChainKind.NODE_PORTS):
                continue
            for rule in chain.rules:
                then = rule.then
                if (
                    isinstance(then, Jump | Goto)
                    and kind_of(ruleset, table, then.chain) is ChainKind.SERVICE
                    and chains[then.chain].rules
                ):
                    return Dataplane(ruleset, chain)
    return None
