"""What must be equal in the text and the JSON of one ruleset: all but what one of them lacks.

Left aside: lines and handles, the texts of rules and of what is known by its kind alone,
counts, what is left of a timeout, the order of elements, the flag `dynamic` of sets, and
comments of sets, chains and tables and the device of a chain (nft 1.0.6 leaves these out of JSON).
"""

from collections.abc import Iterable

import attrs

from oracle.dialects.nftables.expressions import Element, SetLiteral
from oracle.dialects.nftables.statements import Counter, Match, Opaque, SetUpdate, Statement, VerdictMap
from oracle.dialects.nftables.syntax import Chain, Dump, NamedObject, NamedSet, Rule, Table, TableFamily


def essence(dump: Dump) -> dict[tuple[TableFamily, str], object]:
    """The tables, without what one of the two forms lacks."""
    return {(table.family, table.name): of_table(table) for table in dump.tables}


def of_table(table: Table) -> object:
    return (
        table.flags,
        {name: of_set(found) for name, found in table.sets.items()},
        {name: of_chain(chain) for name, chain in table.chains.items()},
        sorted(named(item) for item in table.objects),
    )


def named(item: NamedObject) -> tuple[str, str]:
    return item.kind, item.name


def of_set(found: NamedSet) -> object:
    flags = tuple(flag for flag in found.flags if flag != "dynamic")
    return attrs.evolve(found, line=0, flags=flags, elements=in_order(found.elements))


def in_order(elements: Iterable[Element]) -> tuple[Element, ...]:
    bare = (element._replace(expires=None, line=0) for element in elements)
    return tuple(sorted(bare, key=repr))


def of_chain(chain: Chain) -> object:
    return attrs.evolve(chain, line=0, devices=(), rules=tuple(of_rule(rule) for rule in chain.rules))


def of_rule(rule: Rule) -> Rule:
    return Rule(tuple(of_statement(part) for part in rule.statements), 0, "", rule.comment, 0)


def of_statement(part: Statement) -> Statement:
    match part:
        case Counter():
            return Counter()
        case Opaque(kind, _):
            return Opaque(kind, "")
        case SetUpdate():
            return attrs.evolve(part, statements=tuple(map(of_statement, part.statements)))
        case Match(_, _, SetLiteral(elements)):
            return attrs.evolve(part, right=SetLiteral(in_order(elements)))
        case VerdictMap(_, SetLiteral(elements)):
            return attrs.evolve(part, data=SetLiteral(in_order(elements)))
        case _:
            return part
