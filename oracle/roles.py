"""What a rule is there for: whose chain it stands in, and what kind of chain it leads to.

The reports speak of rules by these roles, so that they say the same of every dialect.
"""

import enum
import re
from collections.abc import Iterator
from typing import NamedTuple

from model.predicate import All, Fact, Not, Predicate
from oracle.findings import Line
from oracle.names import is_said_to_be_kube_proxys
from oracle.ruleset import Dialect, Dnat, Drop, Goto, Jump, Redirect, Reject, Rule, Ruleset


class ChainKind(enum.Enum):
    """What a chain of kube-proxy's is for; others' chains have none."""

    ROOT = "where all Services' traffic is dispatched"
    NODE_PORTS = "where node ports are dispatched"
    SERVICE = "a service port's own"
    ENDPOINT = "an endpoint's own"
    MARK = "marks for masquerade"
    OTHER = "another one of kube-proxy's"


class Met(NamedTuple):
    """A rule that a packet met, and where it stands."""

    ruleset: Ruleset
    table: str
    chain: str
    rule: Rule

    @property
    def line(self) -> Line:
        """The rule as evidence."""
        return Line(self.ruleset.file, self.rule.line, self.rule.text)

    @property
    def chains(self) -> tuple[str, ...]:
        """The names of the chain that the rule is in and of the one it leads to."""
        then = self.rule.then
        return (self.chain, then.chain) if isinstance(then, Jump | Goto) else (self.chain,)

    @property
    def leads_to(self) -> ChainKind | None:
        """The kind of chain that the rule sends packets to."""
        then = self.rule.then
        return kind_of(self.ruleset, self.table, then.chain) if isinstance(then, Jump | Goto) else None

    @property
    def stands_in(self) -> ChainKind | None:
        """The kind of chain that the rule is in."""
        return kind_of(self.ruleset, self.table, self.chain)

    @property
    def is_proxys(self) -> bool:
        """Whether the rule is kube-proxy's: by its chain, by where it leads, or by what it says."""
        if self.stands_in is not None or self.leads_to is not None:
            return True
        return self.ruleset.dialect is Dialect.IPTABLES and is_said_to_be_kube_proxys(self.rule.text)

    @property
    def chooses(self) -> bool:
        """Whether the rule takes part in the choice of an endpoint."""
        if self.leads_to is ChainKind.ENDPOINT:
            return True
        return isinstance(self.rule.then, Dnat) and self.stands_in is ChainKind.SERVICE

    @property
    def translates(self) -> bool:
        """Whether the rule gives packets another destination."""
        return isinstance(self.rule.then, Dnat | Redirect)

    @property
    def asks_memory(self) -> bool:
        """Whether the rule asks for or enters a remembered client."""
        when = self.rule.when
        parts = when.parts if isinstance(when, All) else (when,)
        return bool(self.rule.remember) or any(_is_memory(part) for part in parts)

    @property
    def refuses_leftovers(self) -> bool:
        """Whether the rule refuses what is for the service ranges and was not translated (MODE-05, -06)."""
        is_check = self.chain.startswith("cluster-ips-check") and self.stands_in is not None
        return is_check and isinstance(self.rule.then, Drop | Reject | Goto | Jump)

    @property
    def refuses_without_endpoints(self) -> bool:
        """Whether the rule refuses a frontend because it has no endpoints, or none here."""
        if not isinstance(self.rule.then, Drop | Reject):
            return False
        if self.ruleset.dialect is Dialect.IPTABLES:
            return "no endpoints" in self.rule.text or "local endpoints" in self.rule.text
        return self.stands_in is not None and not self.chain.startswith(("firewall-", "cluster-ips-check"))


_IPTABLES = (
    (re.compile(r"KUBE-(SERVICES|PORTALS-(CONTAINER|HOST))$"), ChainKind.ROOT),
    (re.compile(r"KUBE-NODEPORTS$"), ChainKind.NODE_PORTS),
    (re.compile(r"KUBE-(SVC|SVL|EXT|FW|XLB)-[A-Z2-7]{16}$"), ChainKind.SERVICE),
    (re.compile(r"KUBE-SEP-[A-Z2-7]{16}$"), ChainKind.ENDPOINT),
    (re.compile(r"KUBE-MARK-(MASQ|DROP)$"), ChainKind.MARK),
    (
        re.compile(r"KUBE-(EXTERNAL-SERVICES|PROXY-FIREWALL|FORWARD|FIREWALL|POSTROUTING)$"),
        ChainKind.OTHER,
    ),
    (  # of ipvs mode
        re.compile(r"KUBE-(LOAD-BALANCER(-FW)?|NODE-PORT|SOURCE-RANGES-FIREWALL|IPVS-(OUT-)?FILTER)$"),
        ChainKind.OTHER,
    ),
)
# A per-service chain has slashes in its name: service-ULMVA6XW-ns1/svc1/tcp/p80.
_NFTABLES = (
    (re.compile(r"services$"), ChainKind.ROOT),
    (re.compile(r"(service|local|external|firewall)-[A-Z2-7]{8}-.*/"), ChainKind.SERVICE),
    (re.compile(r"endpoint-[A-Z2-7]{8}-.*/"), ChainKind.ENDPOINT),
    (re.compile(r"mark-for-masquerade$"), ChainKind.MARK),
    (re.compile(r""), ChainKind.OTHER),
)
IPVS_ROOTS = ("IPVS", "IPVS of the node")
_NAMES = {Dialect.IPTABLES: _IPTABLES, Dialect.NFTABLES: _NFTABLES}


def kind_of(ruleset: Ruleset, table: str, chain: str) -> ChainKind | None:
    """What a chain is for, None where it is not kube-proxy's."""
    match ruleset.dialect:
        case Dialect.IPVS:
            return ChainKind.ROOT if chain in IPVS_ROOTS else _kind_of_ipvs(chain)
        case Dialect.NFTABLES if not table.endswith(" kube-proxy"):
            return None
    found = (kind for pattern, kind in _NAMES[ruleset.dialect] if pattern.match(chain))
    return next(found, None)


def every_rule(ruleset: Ruleset) -> Iterator[Met]:
    """All rules of a rule set, each with where it stands."""
    for table, chains in ruleset.tables.items():
        for chain in chains.values():
            for rule in chain.rules:
                yield Met(ruleset, table, chain.name, rule)


def _kind_of_ipvs(chain: str) -> ChainKind:
    """A virtual server's chain, or one of its real servers' behind an arrow."""
    return ChainKind.ENDPOINT if " -> " in chain else ChainKind.SERVICE


def _is_memory(part: Predicate) -> bool:
    inner = part.part if isinstance(part, Not) else part
    return isinstance(inner, Fact) and inner.name == "recent"
