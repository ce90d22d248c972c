"""What a table's family implies for statements that do not say it.

Law: `reject` alone is the error of its family's port-unreachable; an address or port that is
translated without a family belongs to the table's, where that is `ip` or `ip6`.

Source: nft(8), REJECT STATEMENT and NAT STATEMENTS.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from model.addresses import Family
from oracle.dialects.nftables.datatypes import Types
from oracle.dialects.nftables.expressions import Address, Expression, Range
from oracle.dialects.nftables.statements import Reject
from oracle.dialects.nftables.symbols import BRIDGE_PRIORITIES, PRIORITIES
from oracle.dialects.nftables.syntax import TableFamily

FAMILIES: Final = {"ip": Family.IPV4, "ip6": Family.IPV6}

_DEFAULT_REJECT: Final = {TableFamily.IP: "icmp", TableFamily.IP6: "icmpv6"}


def default_reject(family: TableFamily) -> Reject:
    """What a bare `reject` sends in a table of this family."""
    return Reject(_DEFAULT_REJECT.get(family, "icmpx"), "port-unreachable")


def nat_family(said: Family | None, address: Expression | None, table: TableFamily) -> Family | None:
    """The family of a translation: what it says, its address's, else the table's."""
    if said is not None:
        return said
    first = address.low if isinstance(address, Range) else address
    return first.family if isinstance(first, Address) else FAMILIES.get(table.value)


def nat_types(family: Family | None) -> Types:
    """The types of an address and port that a map may give together."""
    if family is None:
        return ("", "inet_service")
    return ("ipv4_addr" if family is Family.IPV4 else "ipv6_addr", "inet_service")


def nat_flags(words: Iterable[str]) -> tuple[str, ...]:
    """Flags in the order of their names, each once."""
    return tuple(sorted(set(words)))


def priorities(family: TableFamily) -> Mapping[str, int]:
    """The names of priorities; in the bridge family they mean other numbers."""
    return BRIDGE_PRIORITIES if family is TableFamily.BRIDGE else PRIORITIES
