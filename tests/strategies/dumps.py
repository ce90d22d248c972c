"""What dumps of a node hold: the virtual servers that ipvsadm prints and the entries of an ipset."""

from hypothesis import strategies as st

from model.addresses import Family, parse_address
from model.ipvs.records import Frontend
from model.packet import SCTP, TCP, UDP
from oracle.dialects.ipvs.records import Method, RealServerEntry, SchedulerFlag, VirtualServerEntry

LISTED = {TCP: "TCP", UDP: "UDP", SCTP: "SCTP"}
# Saved, a server on the node itself is written like one that is routed to.
METHODS = {Method.MASQ: "-m", Method.ROUTE: "-g", Method.TUNNEL: "-i"}

HERE = parse_address("10.0.0.0")[1]


@st.composite
def virtual_servers(draw: st.DrawFn) -> VirtualServerEntry:
    """Any virtual server that ipvsadm can print, by its place or by a firewall mark."""
    family = draw(st.sampled_from(Family))
    addresses, ports = st.integers(0, family.top), st.integers(0, 0xFFFF)
    reals = draw(
        st.lists(
            st.builds(
                RealServerEntry,
                st.just(family),
                addresses,
                ports,
                st.sampled_from(list(METHODS)),
                st.integers(0, 0xFFFF),
                st.integers(0, 10**9),
                st.integers(0, 10**9),
            ),
            max_size=3,
            unique_by=lambda real: (real.address, real.port),
        )
    )
    timeout = draw(st.just(0) | st.integers(1, 86400))
    length = draw(st.integers(1, family.bits)) if timeout else family.bits
    by_mark = draw(st.booleans())
    return VirtualServerEntry(
        family,
        None if by_mark else Frontend(draw(addresses), draw(st.sampled_from(list(LISTED))), draw(ports)),
        draw(st.integers(1, 2**31 - 1)) if by_mark else 0,
        draw(st.sampled_from(["rr", "wrr", "lc", "sh", "mh", "own"])),
        draw(st.sampled_from([SchedulerFlag(bits << 3) for bits in range(8)])),
        timeout,
        family.top >> (family.bits - length) << (family.bits - length),
        draw(st.sampled_from(["", "sip"])) if timeout else "",
        draw(st.booleans()),
        tuple(reals),
    )


def _which(one: VirtualServerEntry) -> object:
    return one.family, one.frontend, one.mark


STATES = st.lists(virtual_servers(), min_size=1, max_size=4, unique_by=_which).map(tuple)
"""What a node has: virtual servers, no two of one place or mark."""


_NETS = st.tuples(st.integers(0, 7), st.integers(29, 32)).map(
    lambda drawn: ((HERE + drawn[0]) >> (32 - drawn[1]) << (32 - drawn[1]), drawn[1])
)
_PORTS = st.sampled_from([(TCP, 1), (TCP, 2), (UDP, 1)])
ENTRIES = st.dictionaries(st.tuples(_NETS, _PORTS, _NETS.map(lambda net: net[0])), st.booleans(), max_size=6)
"""Entries of a hash:net,port,ip in one /29: net and length, protocol and port, address; excluded or not."""
