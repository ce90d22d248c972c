"""Suspicions become differences only after the plain walk of their packet confirms them.

On a node where more Services differ than are told one by one, the service ports beyond
those are counted and not replayed: what is reported of them is their number and names.
"""

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction

from model.addresses import Family, format_address
from model.expectation import Expectation, expect
from model.frontends import NodeView
from model.intervals import contains
from model.ipvs.beside import may_be_dropped, may_be_masqueraded
from model.objects import ServicePortName
from model.outcome import Leaf, Outcome, Verdict
from model.packet import PROTOCOL_NAMES, Packet
from oracle.dialects.nftables.names import owner_of_chain
from oracle.findings import Difference, Line, NotJudged, Trace
from oracle.hooks import is_attached
from oracle.names import ChainOwners
from oracle.plain import End, Walk, traced
from oracle.ruleset import Ruleset
from oracle.space.compare import Suspicion
from oracle.verdict.classify import faults
from oracle.verdict.fault import Fault
from oracle.verdict.grouping import MANY

# Passed on with another source, and nothing else.
MASQUERADED_ONLY = Outcome((Leaf(Verdict.PASS, Fraction(1), None, masquerade=True),))
ENOUGH = 40  # packets replayed for one service port; more would tell the same again


class Replay:
    """Takes suspicions and keeps the differences that they prove to be.

    `doubts` are suspicions that the plain walk does not share: a fault of the comparison itself,
    told as not judged rather than as either verdict.
    """

    def __init__(
        self,
        view: NodeView,
        rulesets: tuple[Ruleset, ...],
        owners: ChainOwners,
        demanded: Callable[[NodeView, Packet], Expectation] = expect,
    ) -> None:
        self._view = view
        self._demanded = demanded
        self._rulesets = rulesets
        self._owners = owners
        self._replayed: dict[ServicePortName | None, int] = {}
        self.differences: list[Difference] = []
        self._suspected: dict[ServicePortName, set[tuple[int, int]]] = {}
        self.doubts: list[NotJudged] = []

    def take(self, item: Suspicion) -> None:
        """Replays the suspicion's packet, unless enough of its kind have been."""
        name = item.owners[0][0].name if item.owners else None
        count = self._replayed.get(name, 0)
        if count >= ENOUGH:
            return
        if not count and name is not None and len(self._replayed) > MANY:
            self._suspected.setdefault(name, set()).add((item.packet.destination, item.packet.port))
            return
        self._replayed[name] = count + 1
        self.differences += self._confirmed(item)

    @property
    def unreplayed(self) -> dict[ServicePortName, int]:
        """Service ports that were only suspected, with their number of frontends."""
        return {name: len(frontends) for name, frontends in self._suspected.items()}

    def _confirmed(self, item: Suspicion) -> Iterator[Difference]:
        view, rulesets, packet = self._view, self._rulesets, item.packet
        expectation = self._demanded(view, packet)
        walk = Walk(rulesets, view.config, packet)
        trace = traced(walk)
        if tolerated(view, packet, trace):
            return
        if trace.outcome in expectation.allowed:
            why = f"svcproof's own two readings of the rules disagree about {packet}: please report this"
            self.doubts.append(NotJudged(rulesets[0].file, 0, "", why, matters=True))
            return
        attached = is_attached(view.config, view.family, packet.source)
        found = trace.outcome
        for fault in faults(
            packet,
            item.owners,
            expectation,
            found,
            walk.ends,
            tuple(walk.met.values()),
            from_attached=attached,
        ):
            name, port = _service_of(view, item, fault, walk.ends, self._owners)
            yield Difference(
                fault.kind,
                view.family,
                name,
                port if port is not None else packet.port,
                PROTOCOL_NAMES.get(packet.protocol, str(packet.protocol)).upper(),
                _frontend(packet),
                packet,
                expectation.allowed,
                found,
                fault.lines or _base_lines(rulesets),
                expectation.cites,
                fault.explanation,
            )


def tolerated(view: NodeView, packet: Packet, trace: Trace) -> bool:
    """Deviations that are no fault: a cache of this node answers for the Service, or rules of
    ipvs mode do something beside their purpose.

    A node-local DNS cache takes the cluster IP as an address of the node and switches
    connection tracking off for it, so the packet is meant to stay untranslated.
    """
    outcome = trace.outcome
    place = (packet.destination, packet.protocol, packet.port)
    if view.owners(*place):
        dropped = contains(may_be_dropped(view, *place, packet.origin), packet.source)
        if dropped and outcome.verdict is Verdict.DROP:
            return True
    elif outcome == MASQUERADED_ONLY and contains(
        may_be_masqueraded(view, *place, packet.origin), packet.source
    ):
        return True
    untracked = any("-j NOTRACK" in line.text or "-j CT --notrack" in line.text for line in trace.path)
    at_home = contains(view.local_addresses, packet.destination) or not view.config.addresses_are_complete
    return outcome.verdict is Verdict.PASS and untracked and at_home


def _service_of(
    view: NodeView, item: Suspicion, fault: Fault, ends: Sequence[End], owners: ChainOwners
) -> tuple[ServicePortName | None, int | None]:
    """The service port concerned, by the objects, or else by the names in the rules that acted."""
    if item.owners:
        one = item.owners[0][0]
        return one.name, one.port
    by_chain = (owner_of_chain(name) for end in ends for met in end.state.trail for name in met.chains)
    by_line = (owners.of_rule(line.text) for line in fault.lines)
    for name in (*by_line, *by_chain):
        if name is not None:
            return name, owners.port(name)
    destination = item.packet.destination
    if destination in view.cluster_ips:  # at a port that is none of the Service's
        return next((one.name, one.port) for one in view.service_ports if one.cluster_ip == destination)
    return None, None


def _frontend(packet: Packet) -> str:
    host = format_address(packet.family, packet.destination)
    return f"{host}:{packet.port}" if packet.family is Family.IPV4 else f"[{host}]:{packet.port}"


def _base_lines(rulesets: tuple[Ruleset, ...]) -> tuple[Line, ...]:
    """Where the rules should have begun: the first base chain of nat."""
    for ruleset in rulesets:
        chain = ruleset.tables.get("nat", {}).get("PREROUTING")
        if chain is not None:
            return (Line(ruleset.file, chain.line, f":{chain.name}"),)
    return (Line(rulesets[0].file, 0, ""),)
