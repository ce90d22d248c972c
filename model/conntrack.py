"""The connections a node remembers, and what ends them: time, closing, and kube-proxy's clean-up of UDP.

Law: a flow keeps the translation of its first packet until its entry goes (CT-01, CT-08); an
entry goes by time, or by a clean-up, which takes UDP entries only (CT-06). Times are whole
seconds of one clock that does not run backward. Left out: a full table, and that the kernel
lets two flows have one reply tuple only.
"""

import enum
from collections.abc import Iterable, Mapping

import attrs
from rpds import HashTrieMap

from model.addresses import Family
from model.frontends import NodeView, ServicePortView
from model.node_config import ProxyMode
from model.objects import ServicePortName
from model.outcome import Target
from model.packet import SCTP, TCP, UDP

STREAM_SECONDS = 2  # a UDP flow still in use after more than this is a stream

_ICMP = frozenset({1, 58})


@attrs.frozen(order=True)
class FlowKey:
    """The five-tuple of a connection as its first packet had it; addresses are numbers of `family`."""

    family: Family
    protocol: int
    source: int
    source_port: int
    destination: int
    port: int


class FlowState(enum.Enum):
    """How far a connection has come, as far as its timeout depends on it."""

    OPENING = "nothing came back yet"
    ESTABLISHED = "both sides have sent"
    HALF_CLOSED = "one side has closed"
    CLOSED = "both sides have closed"
    RESET = "one side broke it off"


ENDED = frozenset({FlowState.CLOSED, FlowState.RESET})
"""States in which the next first packet of the same five-tuple opens a new connection."""


@attrs.frozen
class Flow:
    """One entry. `target` is None where the packet was not translated (`service_port` then too).

    `opened` and `seen` are the seconds of the first and of the latest packet.
    """

    original: FlowKey
    target: Target | None
    masqueraded: bool
    service_port: ServicePortName | None
    opened: int
    seen: int
    state: FlowState = FlowState.OPENING

    @property
    def reply_source(self) -> Target:
        """Where answers come from: the endpoint, or the destination where nothing was translated."""
        return self.target or Target(self.original.destination, self.original.port)


Flows = Mapping[FlowKey, Flow]
NO_FLOWS: "HashTrieMap[FlowKey, Flow]" = HashTrieMap()


@attrs.frozen
class Timeouts:
    """Seconds without a packet after which an entry goes; the defaults are the kernel's.

    The names are those of the sysctls net.netfilter.nf_conntrack_*.
    """

    tcp_syn_sent: int = 120
    tcp_established: int = 432_000
    tcp_close_wait: int = 60
    tcp_time_wait: int = 120
    tcp_close: int = 10
    udp: int = 30
    udp_stream: int = 120
    sctp_cookie_wait: int = 3
    sctp_established: int = 210
    sctp_shutdown: int = 3
    sctp_closed: int = 10
    icmp: int = 30
    generic: int = 600


KUBE_PROXY_TIMEOUTS = Timeouts(tcp_established=86_400, tcp_close_wait=3_600)
"""The kernel's, with those that kube-proxy sets by default when it starts (CT-01)."""


def timeout(flow: Flow, timeouts: Timeouts) -> int:
    """How many seconds after its latest packet the entry goes."""
    if flow.original.protocol == TCP:
        return {
            FlowState.OPENING: timeouts.tcp_syn_sent,
            FlowState.ESTABLISHED: timeouts.tcp_established,
            FlowState.HALF_CLOSED: timeouts.tcp_close_wait,
            FlowState.CLOSED: timeouts.tcp_time_wait,
            FlowState.RESET: timeouts.tcp_close,
        }[flow.state]
    if flow.original.protocol == SCTP:
        return {
            FlowState.OPENING: timeouts.sctp_cookie_wait,
            FlowState.ESTABLISHED: timeouts.sctp_established,
            FlowState.HALF_CLOSED: timeouts.sctp_shutdown,
        }.get(flow.state, timeouts.sctp_closed)
    if flow.original.protocol == UDP:
        both_ways = flow.state is not FlowState.OPENING
        is_stream = both_ways and flow.seen - flow.opened > STREAM_SECONDS
        return timeouts.udp_stream if is_stream else timeouts.udp
    return timeouts.icmp if flow.original.protocol in _ICMP else timeouts.generic


def is_expired(flow: Flow, now: int, timeouts: Timeouts = KUBE_PROXY_TIMEOUTS) -> bool:
    """Whether the entry is gone by time at `now`."""
    return now - flow.seen >= timeout(flow, timeouts)


def lookup(flows: Flows, key: FlowKey, now: int, timeouts: Timeouts = KUBE_PROXY_TIMEOUTS) -> Flow | None:
    """The live entry that a packet of this five-tuple belongs to.

    None where it would open a connection: nothing known, gone by time, or ended.
    """
    flow = flows.get(key)
    if flow is None or flow.state in ENDED or is_expired(flow, now, timeouts):
        return None
    return flow


def unexpired(
    flows: "HashTrieMap[FlowKey, Flow]", now: int, timeouts: Timeouts = KUBE_PROXY_TIMEOUTS
) -> "HashTrieMap[FlowKey, Flow]":
    """The entries that time has left at `now`."""
    for key, flow in flows.items():
        if is_expired(flow, now, timeouts):
            flows = flows.remove(key)
    return flows


def drops_invalid(mode: ProxyMode, *, be_liberal: bool = False) -> bool:
    """Whether the node drops forwarded packets that conntrack calls INVALID (CT-07, MODE-26).

    `be_liberal` is whether nf_conntrack_tcp_be_liberal was set when kube-proxy started.
    """
    return mode is ProxyMode.IPTABLES and not be_liberal


class Cleanup(enum.Enum):
    """What a clean-up of UDP entries does with a service port that no endpoint serves."""

    SKIPS_UNSERVED = "its entries stay, however stale"  # CT-04, 1.32 to 1.36.2
    COMPLETE = "all of its entries go"  # after 1.36.2


def cleanup_of(minor: int, patch: int = 0) -> Cleanup:
    """The clean-up of kube-proxy 1.`minor`.`patch`.

    Raises NotImplementedError for versions before 1.32, which cleaned up after events.
    """
    if minor < 32:
        raise NotImplementedError(f"the clean-up of kube-proxy 1.{minor} goes by events, it is not modelled")
    return Cleanup.COMPLETE if (minor, patch) > (36, 2) else Cleanup.SKIPS_UNSERVED


def stale(
    flows: Iterable[Flow],
    view: NodeView,
    cleanup: Cleanup = Cleanup.SKIPS_UNSERVED,
    *,
    choice: int = 0,
) -> tuple[Flow, ...]:
    """The entries that a clean-up takes for stale, in the order given (CT-02, CT-03).

    They are UDP entries of the view's family to an address frontend of a UDP service port, or
    to **any** address by the number of its node port, whose answers do not come from one of
    its serving endpoints. `choice` says which endpoint list the proxy holds where slices tie.
    Where two service ports hold one address and port, the later in the view counts: the
    real order is random.
    """
    by_address: dict[tuple[int, int], frozenset[Target]] = {}
    by_node_port: dict[int, frozenset[Target]] = {}
    for one in view.service_ports:
        if one.protocol != UDP:
            continue
        serving = _serving(one, choice)
        if not serving and cleanup is Cleanup.SKIPS_UNSERVED:
            continue
        for _, address in one.addresses:
            by_address[address, one.port] = serving
        if one.node_port:
            by_node_port[one.node_port] = serving

    def is_stale(flow: Flow) -> bool:
        key = flow.original
        if key.protocol != UDP or key.family is not view.family:
            return False
        owners = (by_address.get((key.destination, key.port)), by_node_port.get(key.port))
        return any(serving is not None and flow.reply_source not in serving for serving in owners)

    return tuple(flow for flow in flows if is_stale(flow))


def cleaned(
    flows: "HashTrieMap[FlowKey, Flow]",
    view: NodeView,
    cleanup: Cleanup = Cleanup.SKIPS_UNSERVED,
    *,
    choice: int = 0,
) -> "HashTrieMap[FlowKey, Flow]":
    """The entries that a clean-up leaves."""
    for flow in stale(flows.values(), view, cleanup, choice=choice):
        flows = flows.remove(flow.original)
    return flows


def _serving(one: ServicePortView, choice: int) -> frozenset[Target]:
    """Endpoints that serve, whatever else is true of them and whatever the policies say (CT-03)."""
    endpoints = one.endpoint_choices[choice % len(one.endpoint_choices)]
    return frozenset(Target(e.address, e.port) for e in endpoints if e.serving)
