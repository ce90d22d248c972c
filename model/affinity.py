"""Who is remembered where: ClientIP affinity of one node and family, one connection at a time.

Law: a memory only ever grows by a new connection and is asked before chance (AFF-03); it
ranks the endpoints that an outcome lists and adds none (AFF-06). Times are whole seconds
of one clock that does not run backward. How much a mode remembers is its `Retention`
(MODE-18); without one the memory is as large as it needs to be.
"""

import enum
from collections.abc import Iterator, Mapping
from fractions import Fraction

import attrs
from rpds import HashTrieMap

from model.frontends import NodeView
from model.node_config import ProxyMode
from model.objects import ServicePortName
from model.outcome import Leaf, Outcome, Target


@attrs.frozen
class Client:
    """Who is remembered: a source at a service port, by whichever frontend it came (AFF-01).

    `frontend` is (address, port) where each frontend remembers apart, as in ipvs (MODE-18),
    None elsewhere.
    """

    source: int  # as this node sees it, before it rewrites it
    service_port: ServicePortName
    frontend: tuple[int, int] | None = None


Entry = tuple[Client, Target]

Memory = Mapping[Entry, int]
"""When each client last made a new connection to each endpoint (AFF-04, AFF-07)."""


class WhenFull(enum.Enum):
    """What a list of sources does with one more than it can hold."""

    EVICTS = "the source that was silent longest is forgotten"  # xt_recent
    REFUSES = "the new source is not remembered"  # an nftables set


@attrs.frozen
class Retention:
    """How much is remembered (MODE-18): `most_sources` of an endpoint's list, None for all.

    `one_endpoint` says that a client is remembered on one endpoint only: the template of an
    ipvs virtual server, which is set anew.
    """

    most_sources: int | None = None
    when_full: WhenFull = WhenFull.EVICTS
    one_endpoint: bool = False


UNBOUNDED = Retention()
XT_RECENT_SOURCES = 100  # default of xt_recent's ip_list_tot
NFTABLES_SET_SIZE = 65_535  # of a dynamic set that gives no size


def retention(mode: ProxyMode, xt_recent_sources: int = XT_RECENT_SOURCES) -> Retention:
    """How much a mode remembers (MODE-18); `xt_recent_sources` is the module's ip_list_tot."""
    match mode:
        case ProxyMode.IPTABLES:
            return Retention(xt_recent_sources, WhenFull.EVICTS)
        case ProxyMode.NFTABLES:
            return Retention(NFTABLES_SET_SIZE, WhenFull.REFUSES)
        case ProxyMode.IPVS:
            return Retention(one_endpoint=True)


@attrs.frozen
class Connection:
    """A new connection: who asked when, what awaited a stranger, and where it went.

    `target` is None when it was not translated.
    """

    client: Client
    now: int
    outcome: Outcome
    target: Target | None


def remembered(outcome: Outcome, memory: Memory, client: Client, now: int) -> Target | None:
    """The endpoint that affinity holds the client to, None when chance is free to choose.

    The first live entry in the order of the outcome wins (AFF-03, AFF-07). An entry lives
    until more than the timeout has passed since its last new connection (AFF-04).
    """
    for asked in outcome.affinity:
        last = memory.get((client, asked.target))
        if last is not None and now - last <= asked.seconds:
            return asked.target
    return None


def connect(
    memory: Memory,
    client: Client,
    now: int,
    outcome: Outcome,
    chance: Fraction,
    kept: Retention = UNBOUNDED,
) -> tuple[Connection, Memory]:
    """One new connection, and the memory after it; `chance` in [0, 1) decides where memory does not.

    The endpoint that was taken has its entry set anew (AFF-03), if the outcome asks for it at
    all. `kept` says what else is forgotten for it.
    """
    target = remembered(outcome, memory, client, now) or drawn(outcome, chance).target
    seconds = {asked.target: asked.seconds for asked in outcome.affinity}
    if target in seconds:
        memory = _Lists.of(memory).with_entry(client, target, now, seconds[target], kept)
    return Connection(client, now, outcome, target), memory


def drawn(outcome: Outcome, chance: Fraction) -> Leaf:
    """The fate at that place of the distribution, for a client that no memory knows."""
    for leaf in outcome.leaves:
        chance -= leaf.odds
        if chance < 0:
            return leaf
    return outcome.leaves[-1]


def used(memory: Memory, client: Client, target: Target, now: int) -> Memory:
    """The memory after a packet of a connection that the entry led to (MODE-19).

    A template of ipvs counts from its last use, and lives while it controls a connection; the
    other modes are told of new connections only, so this is for ipvs.
    """
    if (client, target) not in memory:
        return memory
    return _Lists.of(memory).with_entry(client, target, now, 0, UNBOUNDED)


def forgetting(memory: Memory, view: NodeView) -> Memory:
    """What is still remembered once the node has applied `view`.

    An endpoint in no set that the node uses loses its memory, for good (AFF-05); so does
    every endpoint of a service port whose affinity is off (AFF-09).
    """
    lists = _Lists.of(memory)
    kept = {
        (one.name, Target(endpoint.address, endpoint.port))
        for one in view.service_ports
        if one.affinity_seconds is not None
        for sets in one.choices
        for endpoint in (*(sets.cluster or ()), *(sets.local or ()))
    }
    return lists.without(frozenset(lists.lists) - kept)


@attrs.frozen
class _Source:
    """Who an endpoint's list holds: Client without the service port, which the list has."""

    address: int
    frontend: tuple[int, int] | None


@attrs.frozen
class _Sources:
    """The sources of one endpoint, also in the order in which they were last set.

    A place is a number that only grows; `first` is no larger than the smallest one taken.
    """

    set_at: "HashTrieMap[_Source, tuple[int, int]]" = HashTrieMap()  # seconds, place
    at_place: "HashTrieMap[int, _Source]" = HashTrieMap()
    first: int = 0
    next: int = 0

    def with_source(self, source: _Source, now: int) -> "_Sources":
        """Set now, as the latest."""
        return _Sources(
            self.set_at.insert(source, (now, self.next)),
            self._without_place(source).insert(self.next, source),
            self.first,
            self.next + 1,
        )

    def without_source(self, source: _Source) -> "_Sources":
        return _Sources(self.set_at.discard(source), self._without_place(source), self.first, self.next)

    def oldest(self) -> tuple["_Sources", _Source]:
        """The source that was set before all others; each place is passed over once."""
        first = self.first
        while first not in self.at_place:
            first += 1
        return attrs.evolve(self, first=first), self.at_place[first]

    def with_room(self, source: _Source, now: int, seconds: int, kept: Retention) -> "_Sources | None":
        """With room for the source, None where it must go without."""
        sources = self
        most = kept.most_sources
        if most is None or source in self.set_at:
            return self
        while len(sources.set_at) >= most:
            sources, oldest = sources.oldest()
            is_live = now - sources.set_at[oldest][0] <= seconds
            if is_live and kept.when_full is WhenFull.REFUSES:
                return None
            sources = sources.without_source(oldest)
        return sources

    def _without_place(self, source: _Source) -> "HashTrieMap[int, _Source]":
        before = self.set_at.get(source)
        return self.at_place if before is None else self.at_place.discard(before[1])


_ListName = tuple[ServicePortName, Target]


@attrs.frozen(eq=False)
class _Lists(Mapping[Entry, int]):
    """A Memory of which a change costs time in the logarithm of its size, or nearly so.

    Equal to any mapping of the same items. `led_to` is kept for ipvs only.
    """

    lists: "HashTrieMap[_ListName, _Sources]" = HashTrieMap()
    led_to: "HashTrieMap[Client, Target]" = HashTrieMap()

    @staticmethod
    def of(memory: Memory) -> "_Lists":
        """The same memory; one written as a dictionary counts as set in the order of its times."""
        if isinstance(memory, _Lists):
            return memory
        found = _Lists()
        for (client, target), last in sorted(memory.items(), key=lambda item: item[1]):
            found = found.with_entry(client, target, last, 0, UNBOUNDED)
        return found

    def with_entry(self, client: Client, target: Target, now: int, seconds: int, kept: Retention) -> "_Lists":
        """The entry set now, if there is room for it; entries live for `seconds`."""
        lists, led_to = self.lists, self.led_to
        source = _Source(client.source, client.frontend)
        before = led_to.get(client)
        if kept.one_endpoint and before is not None and before != target:
            lists = _without(lists, (client.service_port, before), source)
        if kept.one_endpoint or before is not None:
            led_to = led_to.insert(client, target)
        sources = lists.get((client.service_port, target), _Sources())
        roomy = sources.with_room(source, now, seconds, kept)
        if roomy is None:
            return self
        return _Lists(lists.insert((client.service_port, target), roomy.with_source(source, now)), led_to)

    def without(self, names: frozenset[_ListName]) -> "_Lists":
        """None of these lists."""
        lists, led_to = self.lists, self.led_to
        for name in names:
            lists = lists.remove(name)
        for client, target in self.led_to.items() if names else ():
            if (client.service_port, target) in names:
                led_to = led_to.remove(client)
        return _Lists(lists, led_to)

    def __getitem__(self, entry: Entry) -> int:
        client, target = entry
        return self.lists[client.service_port, target].set_at[_Source(client.source, client.frontend)][0]

    def __iter__(self) -> Iterator[Entry]:
        for (service_port, target), sources in self.lists.items():
            for source in sources.set_at:
                yield Client(source.address, service_port, source.frontend), target

    def __len__(self) -> int:
        return sum(len(sources.set_at) for sources in self.lists.values())


def _without(
    lists: "HashTrieMap[_ListName, _Sources]", name: _ListName, source: _Source
) -> "HashTrieMap[_ListName, _Sources]":
    """The lists, of which the named one no longer holds the source."""
    sources = lists.get(name)
    return lists if sources is None else lists.insert(name, sources.without_source(source))


NO_MEMORY: Memory = _Lists()
