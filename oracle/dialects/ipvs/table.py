"""Virtual servers while a dump is being read: each frontend and mark once, each real server once.

The kernel keeps them so; a dump that has one twice was put together from two.
"""

import attrs

from model.addresses import Family, format_address
from model.errors import InputError
from model.packet import PROTOCOL_NAMES
from oracle.dialects.ipvs.records import RealServerEntry, VirtualServerEntry
from oracle.dialects.ipvs.words import Fault, shown

Key = tuple[Family | None, int, int, int, int]
"""(family, mark, address, protocol, port); of a firewall mark the last three are 0."""


class Table:
    """What was read so far of one file."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._heads: dict[Key, VirtualServerEntry] = {}
        self._reals: dict[Key, dict[tuple[Family, int, int], RealServerEntry]] = {}
        self.unknown_family: set[Key] = set()

    def __len__(self) -> int:
        return len(self._heads)

    def begin(self, one: VirtualServerEntry) -> Key:
        """Add a virtual server without real ones. Raises Fault when it is there already."""
        key = key_of(one)
        before = self._heads.get(key)
        if before is not None:
            raise Fault(f"{shown(one.text)}: the same virtual server as in line {before.line}")
        self._heads[key] = one
        self._reals[key] = {}
        return key

    def add(self, key: Key | None, real: RealServerEntry) -> None:
        """Add a real server. Raises Fault when it has no virtual server, or is there already."""
        if key is None or key not in self._reals:
            raise Fault(f"{shown(real.text)}: a real server without its virtual server")
        found = self._reals[key]
        place = (real.family, real.address, real.port)
        if place in found:
            raise Fault(f"{shown(real.text)}: the same real server as in line {found[place].line}")
        found[place] = real

    def entries(self) -> tuple[VirtualServerEntry, ...]:
        """All virtual servers, in the order in which they were begun.

        Raises InputError for one of a firewall mark of which nothing says the family.
        """
        out = []
        for key, head in self._heads.items():
            reals = tuple(self._reals[key].values())
            if key in self.unknown_family:
                families = {real.family for real in reals}
                if len(families) != 1:
                    what = "does not say whether it is of IPv4 or IPv6; give the output of ipvsadm -Ln"
                    raise InputError(self._file, head.line, f"{shown(head.text)}: {what}")
                family = families.pop()
                head = attrs.evolve(head, family=family, mask=family.top)
            out.append(attrs.evolve(head, real_servers=reals))
        return tuple(out)


def key_of(one: VirtualServerEntry) -> Key:
    """What tells a virtual server from every other of a node."""
    if one.frontend is None:
        return one.family, one.mark, 0, 0, 0
    return one.family, 0, one.frontend.address, one.frontend.protocol, one.frontend.port


def named(one: VirtualServerEntry) -> str:
    """Protocol, address and port, or the mark, as a reader knows them."""
    if one.frontend is None:
        return f"fwmark {one.mark} {one.family.value}"
    address = format_address(one.family, one.frontend.address)
    host = f"[{address}]" if one.family is Family.IPV6 else address
    return f"{PROTOCOL_NAMES[one.frontend.protocol]} {host}:{one.frontend.port}"
