"""A table that a file lists twice must say the same twice."""

from model.errors import InputError
from oracle.dialects.nftables.expressions import Element
from oracle.dialects.nftables.statements import Counter
from oracle.dialects.nftables.syntax import Chain, NamedSet, Table, TableFamily


def add_table(tables: dict[tuple[TableFamily, str], Table], table: Table, file: str) -> None:
    """Add the table, or pass over a second reading of one.

    Raises InputError when the second says something else: nobody knows which is live.
    """
    key = table.family, table.name
    first = tables.setdefault(key, table)
    if first is not table and _content(first) != _content(table):
        what = f"table {table.family.value} {table.name} comes twice and says two things"
        raise InputError(file, table.line, f"{what} (first in {first.line})")


def _content(table: Table) -> object:
    """All that is not place, time or count."""
    return (
        table.flags,
        {name: _of_chain(chain) for name, chain in table.chains.items()},
        {name: _of_set(found) for name, found in table.sets.items()},
    )


def _of_chain(chain: Chain) -> object:
    rules = [
        ([part for part in rule.statements if not isinstance(part, Counter)], rule.comment)
        for rule in chain.rules
    ]
    return chain.hook, chain.type, chain.priority, chain.policy, chain.devices, rules


def _of_set(found: NamedSet) -> object:
    """What a set holds; elements that time out come and go between two listings."""
    lasting = (element for element in found.elements if element.expires is None)
    return found.key_types, found.value_types, found.timeout, frozenset(map(_key, lasting))


def _key(element: Element) -> object:
    return element.key, element.value, element.comment
