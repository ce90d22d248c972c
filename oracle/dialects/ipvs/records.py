"""What ipvsadm shows of a node: virtual servers with their real servers, both families at once.

Entries are as the dump has them, other owners' too. `model.ipvs` has the twins that say what
kube-proxy would write. Addresses are numbers of the entry's family; protocols are IP
protocol numbers.
"""

import enum

import attrs

from model.addresses import Family
from model.ipvs.records import Frontend
from oracle.ruleset import Note


class Form(enum.Enum):
    """Which way of printing a dump is in."""

    LIST = "ipvsadm -Ln"
    SAVE = "ipvsadm -Sn"
    PROC = "/proc/net/ip_vs"


class Method(enum.Enum):
    """How packets get to a real server, as ipvsadm lists it; kube-proxy's are all Masq (IPVS-02)."""

    MASQ = "Masq"
    ROUTE = "Route"
    TUNNEL = "Tunnel"
    LOCAL = "Local"
    BYPASS = "Bypass"


class SchedulerFlag(enum.Flag):
    """The flags of a virtual server that its scheduler gives a meaning, as the kernel numbers them.

    Of sh and mh the first is fallback (another server where the hashed one takes nothing),
    the second port (the source port is hashed too), which kube-proxy sets for mh.
    """

    NONE = 0
    FLAG_1 = 0x08
    FLAG_2 = 0x10
    FLAG_3 = 0x20


@attrs.frozen
class RealServerEntry:
    """One real server.

    `active` and `inactive` count connections, None where the form does not tell (-S). Port 0
    leaves a packet's port as it is. Entries are equal whatever line they stand on.
    """

    family: Family
    address: int
    port: int
    method: Method
    weight: int
    active: int | None = None
    inactive: int | None = None
    line: int = attrs.field(default=0, eq=False)
    text: str = attrs.field(default="", eq=False)


@attrs.frozen
class VirtualServerEntry:
    """One virtual server: of a frontend, or, where that is None, of a firewall mark.

    `timeout` is that of persistence in seconds, 0 without it (IPVS-01), None where the form
    does not tell it. `mask` is which bits of a client's address persistence goes by.
    `engine` names the persistence engine, "" for plain addresses; with `one_packet` each
    datagram is scheduled by itself.
    """

    family: Family
    frontend: Frontend | None
    mark: int = 0
    scheduler: str = "wlc"
    flags: SchedulerFlag = SchedulerFlag.NONE
    timeout: int | None = 0
    mask: int = 0
    engine: str = ""
    one_packet: bool = False
    real_servers: tuple[RealServerEntry, ...] = ()
    line: int = attrs.field(default=0, eq=False)
    text: str = attrs.field(default="", eq=False)

    @property
    def is_persistent(self) -> bool:
        return self.timeout != 0


@attrs.frozen(eq=False)
class IpvsDump:
    """All virtual servers of a node, in the order of the dump; each is there once."""

    file: str
    form: Form
    virtual_servers: tuple[VirtualServerEntry, ...]
    warnings: tuple[Note, ...] = ()
