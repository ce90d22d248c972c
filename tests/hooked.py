"""Rule sets whose base chains hang where a test says, written as iptables rules."""

from collections.abc import Mapping

import attrs

from oracle.dialects.iptables import parse_iptables
from oracle.ruleset import Accept, Base, Chain, Dialect, Hookpoint, Ruleset
from tests.handmade import V4, tables

PRE, IN, FORWARD, OUT, POST = Hookpoint


def hooked(rules: str, bases: Mapping[str, Base], dialect: Dialect = Dialect.NFTABLES) -> Ruleset:
    """One rule set of the rules, in one table; the chains that `bases` names are base chains."""
    (parsed,) = parse_iptables(tables(nat=rules).encode(), dialect.value, V4)
    own = {name: chain for name, chain in parsed.tables["nat"].items() if chain.policy is None}
    placed = {name: _based(chain, bases.get(name)) for name, chain in own.items()}
    table = "ipvs" if dialect is Dialect.IPVS else "ip kube-proxy"
    return attrs.evolve(parsed, tables={table: placed}, dialect=dialect)


def _based(chain: Chain, base: Base | None) -> Chain:
    return chain if base is None else attrs.evolve(chain, base=base, policy=Accept())


def ipvs(rules: str) -> Ruleset:
    """Virtual servers: chain IPVS at input, just before source nat, and IPVS-OUT at output."""
    bases = {"IPVS": Base(IN, 99), "IPVS-OUT": Base(OUT, -98)}
    return hooked(rules, bases, Dialect.IPVS)
