"""Sets that rules fill as packets pass: which sources they remember, and for how long.

A set is a memory when every rule that touches it enters the packet's source, all with the
same life time. Its elements in the dump are the clients known at that moment: they say
nothing of what the rules mean, and are given apart, by `remembered`.

Sources: MODE-18, MODE-19, AFF-03, AFF-04; nft(8) SET STATEMENT (`add` does not refresh).
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from oracle.dialects.nftables.expressions import Address, Payload
from oracle.dialects.nftables.statements import SetOp, SetUpdate
from oracle.dialects.nftables.syntax import Dump, NamedSet, Table

KUBE_PROXY = "kube-proxy"
_SOURCES = {"ipv4_addr": Payload("ip", "saddr"), "ipv6_addr": Payload("ip6", "saddr")}


class Memory(NamedTuple):
    """A list of sources; `seconds` is how long an entry lives, 0 for ever."""

    name: str
    seconds: int

    @property
    def argument(self) -> str:
        """The memory as the fact `recent` names it."""
        return f"{self.name}/{self.seconds}"


def memories(table: Table) -> tuple[dict[str, Memory], frozenset[str]]:
    """A table's memories by set, and the sets and maps that rules change in other ways."""
    touched: dict[str, list[SetUpdate]] = {}
    for update in _updates(table):
        touched.setdefault(update.name, []).append(update)
    found: dict[str, Memory] = {}
    learnt: set[str] = set()
    for name, updates in touched.items():
        memory = _memory(table, table.sets.get(name), updates)
        if memory is None:
            learnt.add(name)
        else:
            found[name] = memory
    return found, frozenset(learnt)


def _updates(table: Table) -> Iterator[SetUpdate]:
    for chain in table.chains.values():
        for rule in chain.rules:
            for statement in rule.statements:
                if type(statement) is SetUpdate:
                    yield statement


def _memory(table: Table, named: NamedSet | None, updates: list[SetUpdate]) -> Memory | None:
    if named is None or len(named.key_types) != 1 or named.value_types:
        return None
    source = _SOURCES.get(named.key_types[0])
    times = {named.timeout if one.timeout is None else one.timeout for one in updates}
    seconds = times.pop()
    if times or source is None or any(one.key != source or one.value is not None for one in updates):
        return None
    if seconds is not None and seconds != int(seconds):
        return None
    # Only `update` starts the time anew; what `add` entered is forgotten while it is in use.
    refreshes = SetOp.UPDATE if seconds else SetOp.ADD
    if any(one.op not in (SetOp.UPDATE, refreshes) for one in updates):
        return None
    name = named.name if table.name == KUBE_PROXY else f"{table.family.value} {table.name} {named.name}"
    return Memory(name, int(seconds or 0))


def remembered(dump: Dump) -> Mapping[str, tuple[tuple[int, float], ...]]:
    """The sources that each memory of a dump holds, with the seconds for which it still does.

    Sources that never expire are given the life time of the set, 0 where it has none.
    """
    found: dict[str, tuple[tuple[int, float], ...]] = {}
    for table in dump.tables:
        known, _ = memories(table)
        for name, memory in known.items():
            entries = [
                (element.key.value, float(memory.seconds if element.expires is None else element.expires))
                for element in table.sets[name].elements
                if isinstance(element.key, Address)
            ]
            found[memory.name] = (*found.get(memory.name, ()), *entries)
    return found
