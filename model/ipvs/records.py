"""The things that ipvs mode writes: virtual servers, real servers, sets, bound addresses.

Addresses are numbers of the family that the state is of; protocols are IP protocol numbers.
Members of sets are text, as `ipset` prints them.
"""

import enum
from collections.abc import Iterable

import attrs

from model.addresses import Family

DUMMY_DEVICE = "kube-ipvs0"
MOST_SET_NAME = 31  # characters of a set's name that the kernel takes


class ServerFlag(enum.Flag):
    """Flags of a virtual server, with the values that the kernel gives them."""

    NONE = 0
    PERSISTENT = 0x1  # `persistent`: a client stays with its real server
    SOURCE_HASH = 0x10  # of scheduler mh: the source port is hashed too


class SetType(enum.Enum):
    """What a set's members are made of, as `ipset` names it."""

    HASH_IP = "hash:ip"
    HASH_IP_PORT = "hash:ip,port"
    HASH_IP_PORT_IP = "hash:ip,port,ip"
    HASH_IP_PORT_NET = "hash:ip,port,net"
    BITMAP_PORT = "bitmap:port"


class SetName(enum.Enum):
    """The sets of ipvs mode, by their IPv4 names."""

    LOOP_BACK = "KUBE-LOOP-BACK"
    CLUSTER_IP = "KUBE-CLUSTER-IP"
    EXTERNAL_IP = "KUBE-EXTERNAL-IP"
    EXTERNAL_IP_LOCAL = "KUBE-EXTERNAL-IP-LOCAL"
    LOAD_BALANCER = "KUBE-LOAD-BALANCER"
    LOAD_BALANCER_FW = "KUBE-LOAD-BALANCER-FW"
    LOAD_BALANCER_LOCAL = "KUBE-LOAD-BALANCER-LOCAL"
    LOAD_BALANCER_SOURCE_IP = "KUBE-LOAD-BALANCER-SOURCE-IP"
    LOAD_BALANCER_SOURCE_CIDR = "KUBE-LOAD-BALANCER-SOURCE-CIDR"
    NODE_PORT_TCP = "KUBE-NODE-PORT-TCP"
    NODE_PORT_LOCAL_TCP = "KUBE-NODE-PORT-LOCAL-TCP"
    NODE_PORT_UDP = "KUBE-NODE-PORT-UDP"
    NODE_PORT_LOCAL_UDP = "KUBE-NODE-PORT-LOCAL-UDP"
    NODE_PORT_SCTP = "KUBE-NODE-PORT-SCTP-HASH"
    NODE_PORT_LOCAL_SCTP = "KUBE-NODE-PORT-LOCAL-SCTP-HASH"
    HEALTH_CHECK_NODE_PORT = "KUBE-HEALTH-CHECK-NODE-PORT"
    IPVS_IPS = "KUBE-IPVS-IPS"

    @property
    def type(self) -> SetType:
        return _TYPES.get(self, SetType.HASH_IP_PORT)

    def of(self, family: Family) -> str:
        """The name on the node: IPv6 has names of its own, cut to what the kernel takes (MODE-34).

        >>> SetName.LOAD_BALANCER_SOURCE_CIDR.of(Family.IPV6)
        'KUBE-6-LOAD-BALANCER-SOURCE-CID'
        """
        if family is Family.IPV4:
            return self.value
        return self.value.replace("KUBE-", "KUBE-6-", 1)[:MOST_SET_NAME]


_TYPES = {
    SetName.LOOP_BACK: SetType.HASH_IP_PORT_IP,
    SetName.LOAD_BALANCER_SOURCE_IP: SetType.HASH_IP_PORT_IP,
    SetName.LOAD_BALANCER_SOURCE_CIDR: SetType.HASH_IP_PORT_NET,
    SetName.NODE_PORT_TCP: SetType.BITMAP_PORT,
    SetName.NODE_PORT_LOCAL_TCP: SetType.BITMAP_PORT,
    SetName.NODE_PORT_UDP: SetType.BITMAP_PORT,
    SetName.NODE_PORT_LOCAL_UDP: SetType.BITMAP_PORT,
    SetName.HEALTH_CHECK_NODE_PORT: SetType.BITMAP_PORT,
    SetName.IPVS_IPS: SetType.HASH_IP,
}


@attrs.frozen
class IpvsSettings:
    """The section `ipvs` of kube-proxy's configuration, as far as virtual servers depend on it.

    `exclude_cidrs` are those whose virtual servers kube-proxy leaves alone (MODE-33).
    """

    scheduler: str = "rr"  # of every virtual server (MODE-17)
    exclude_cidrs: tuple[str, ...] = ()


@attrs.frozen(order=True)
class Frontend:
    """What tells one virtual server of a family from another."""

    address: int
    protocol: int
    port: int


@attrs.frozen(order=True)
class RealServer:
    """One endpoint behind a virtual server; weight 1 takes new connections, 0 does not (IPVS-02)."""

    address: int
    port: int
    weight: int = 1


@attrs.frozen
class VirtualServer:
    """One frontend with its real servers, in the order of their addresses.

    `timeout` is that of persistence in seconds, 0 without (IPVS-01).
    """

    frontend: Frontend
    scheduler: str = "rr"
    flags: ServerFlag = ServerFlag.NONE
    timeout: int = 0
    real_servers: tuple[RealServer, ...] = ()


@attrs.frozen
class IpSet:
    """One set with its members.

    `uncertain` may be members too: what slices that tie leave open (EPS-SL-08).
    """

    name: SetName
    family: Family
    entries: frozenset[str] = frozenset()
    uncertain: frozenset[str] = frozenset()


@attrs.frozen
class IpvsState:
    """All that one family's proxy wants on its node.

    There are several virtual servers of one frontend where Services clash (FWD-OBJ-08) or
    slices tie (EPS-SL-08): the node has one of them. `bound` are the addresses of the dummy
    device. `closed_to_node` are the load balancer frontends that a host process may not reach
    from the address of the frontend itself (MODE-13).
    """

    family: Family
    virtual_servers: tuple[VirtualServer, ...]
    sets: tuple[IpSet, ...]
    bound: frozenset[int]
    closed_to_node: frozenset[Frontend] = frozenset()

    def at(self, frontend: Frontend) -> tuple[VirtualServer, ...]:
        """The virtual servers that the node may have for a frontend."""
        return tuple(one for one in self.virtual_servers if one.frontend == frontend)

    def entries(self, name: SetName) -> frozenset[str]:
        """The certain members of a set."""
        return next(one.entries for one in self.sets if one.name is name)


def real_servers(endpoints: Iterable[tuple[int, int]]) -> tuple[RealServer, ...]:
    """Each (address, port) once, with weight 1."""
    return tuple(sorted({RealServer(address, port) for address, port in endpoints}))
