"""A dump of nft as rule sets: one of each family, whose rules mean what the kernel does.

Tables of `inet` belong to both families. Chains at other hooks than the five of IP (ingress,
and all of bridge, arp and netdev) are not walked; one that may drop packets is warned of.
An auxiliary chain stands beside the chain whose rule it continues (see `lower_rule`).

Sources: rules-nftables 1, 4, 5 and 7; MODE-35; BZ-43 and BZ-44 for hooks and priorities.
"""

import gc
from collections.abc import Collection, Iterator
from typing import Final

from model.addresses import Family
from oracle.dialects.nftables.expressions import SetLiteral, SetReference, Unknown, Verdict, VerdictKind
from oracle.dialects.nftables.lower_rule import RuleWriter
from oracle.dialects.nftables.lower_scope import Scope
from oracle.dialects.nftables.lower_statements import steps
from oracle.dialects.nftables.lower_text import rendered
from oracle.dialects.nftables.statements import Opaque, Reject, Statement, VerdictMap, Xt
from oracle.dialects.nftables.syntax import Chain as NftChain
from oracle.dialects.nftables.syntax import ChainType, Dump, Hook, Table, TableFamily
from oracle.ruleset import Accept, Base, Chain, Dialect, Drop, Hookpoint, Note, Ruleset

_FAMILIES: Final = {Family.IPV4: TableFamily.IP, Family.IPV6: TableFamily.IP6}
_POINTS: Final = {Hook(point.value): point for point in Hookpoint}
_POLICIES: Final[dict[VerdictKind, Accept | Drop]] = {VerdictKind.ACCEPT: Accept(), VerdictKind.DROP: Drop()}


def lowered(dump: Dump, *, without: Collection[str] = ()) -> tuple[Ruleset, ...]:
    """The rule sets of IPv4 and IPv6, in this order, also where a family has no table.

    `without` names tables that are judged from another dump ("ip nat"), as those of
    iptables-nft should be: nft shows their meaning only in part.
    """
    was_enabled = gc.isenabled()
    gc.disable()  # hundreds of thousands of tuples and no cycle: collecting only costs time
    try:
        return tuple(_ruleset(dump, family, without) for family in Family)
    finally:
        if was_enabled:
            gc.enable()


def table_name(table: Table) -> str:
    """A table's name in a rule set.

    >>> table_name(Table(TableFamily.IP, "kube-proxy", 1, {}, {}))
    'ip kube-proxy'
    """
    return f"{table.family.value} {table.name}"


def managed_tables(dump: Dump) -> frozenset[str]:
    """The tables that the listing says are iptables-nft's, by the names that rule sets use."""
    return frozenset(f"{family.value} {name}" for family, name in dump.managed_by_iptables)


def _ruleset(dump: Dump, family: Family, without: Collection[str]) -> Ruleset:
    tables: dict[str, dict[str, Chain]] = {}
    unsupported: list[Note] = []
    warnings: list[Note] = []
    managed = managed_tables(dump)
    for table in dump.tables:
        name = table_name(table)
        if name in without:
            continue
        if table.family in (_FAMILIES[family], TableFamily.INET):
            tables[name] = _chains(table, family, unsupported, is_managed=name in managed)
        warnings.extend(_not_walked(table, family))
    return Ruleset(family, dump.file, tables, tuple(unsupported), tuple(warnings), dialect=Dialect.NFTABLES)


def _chains(table: Table, family: Family, notes: list[Note], *, is_managed: bool) -> dict[str, Chain]:
    """A table's chains, auxiliary ones included, as one family meets them."""
    scope = Scope(table, family, is_managed=is_managed)
    found: dict[str, Chain] = {}
    writer = RuleWriter(scope, found, notes)
    hooked = "dormant" not in table.flags
    for chain in table.chains.values():
        base = _base(chain) if hooked else None
        policy = _POLICIES[chain.policy or VerdictKind.ACCEPT] if base else None
        lower = found[chain.name] = Chain(chain.name, [], chain.line, policy, base)
        for rule in chain.rules:
            text = rule.text or rendered(rule)
            writer.write(steps(rule.statements, scope, table.chains), lower, rule.line, text)
    return found


def _base(chain: NftChain) -> Base | None:
    """Where a chain hangs; None for ordinary chains and for hooks that are not walked."""
    point = _POINTS.get(chain.hook) if chain.hook else None
    if point is None:
        return None
    return Base(point, chain.priority or 0, is_nat=chain.type is ChainType.NAT)


def _not_walked(table: Table, family: Family) -> Iterator[Note]:
    """Chains that the kernel asks and the walk does not, if they may drop packets of IP."""
    if table.family is TableFamily.ARP:
        return
    of_both = table.family in (TableFamily.INET, TableFamily.BRIDGE, TableFamily.NETDEV)
    if not of_both and table.family is not _FAMILIES[family]:
        return
    if "dormant" in table.flags:
        if any(chain.hook for chain in table.chains.values()):
            yield Note(table.line, f"table {table_name(table)} is dormant: none of its rules is asked")
        return
    for chain in table.chains.values():
        if chain.hook is None:
            continue
        is_walked = table.family not in (TableFamily.BRIDGE, TableFamily.NETDEV) and chain.hook in _POINTS
        if not is_walked and _may_drop(table, chain):
            what = f"chain {chain.name} of table {table_name(table)} may drop packets"
            yield Note(chain.line, f"{what} at hook {chain.hook.value}, where rules are not judged")


def _may_drop(table: Table, first: NftChain) -> bool:
    """Whether a chain, or one that it leads to, has a rule that may end a packet's way."""
    seen: set[str] = set()
    pending = [first]
    if first.policy is VerdictKind.DROP:
        return True
    while pending:
        chain = pending.pop()
        if chain.name in seen:
            continue
        seen.add(chain.name)
        for rule in chain.rules:
            for statement in rule.statements:
                for verdict in _verdicts(statement, table):
                    if verdict is None or verdict.kind is VerdictKind.DROP:
                        return True
                    if verdict.chain in table.chains:
                        pending.append(table.chains[verdict.chain])
    return False


def _verdicts(statement: Statement, table: Table) -> Iterator[Verdict | None]:
    """The verdicts that a statement may give; None for one that is not known to let pass."""
    match statement:
        case Verdict():
            yield statement
        case Reject() | Unknown():
            yield None
        case Xt(kind, name) if kind != "match" or not name:
            yield None
        case Opaque(kind, _) if kind in ("queue", "synproxy", "fwd"):
            yield None
        case VerdictMap(_, SetLiteral(elements)):
            yield from (one.value if isinstance(one.value, Verdict) else None for one in elements)
        case VerdictMap(_, SetReference(name)) if name in table.sets:
            yield from (
                one.value if isinstance(one.value, Verdict) else None for one in table.sets[name].elements
            )
        case VerdictMap():
            yield None
