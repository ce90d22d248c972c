"""What the contract demands of all packets to one place, as fates over their sources.

The same tables as `model.expectation`, read for every source at once: facts about the
service are settled first (they take few values, so each combination is worked out
once), what is left speaks of the source and becomes a region. A test holds this
reading equal to the concrete one.
"""

from typing import NamedTuple, assert_never

import attrs

from model.eligibility import EndpointSets
from model.fate import Fate, Fates, LeafFate, Memory, settled
from model.forwarding import (
    DESTINATION_LOCAL,
    DETECTOR_PRESENT,
    ENDS_ON_NODE,
    EXTERNAL_LOCAL,
    FROM_HOST,
    FROM_LOOPBACK,
    FROM_POD,
    HAIRPIN,
    HAS_USABLE,
    INTERNAL_LOCAL,
    IS_CIP,
    IS_EXT,
    IS_LBV,
    IS_NP,
    LOCAL_SET_EMPTY,
    LOOPBACK_GUARDED,
    MASQUERADE_ALL,
    ON_NODE_PORT_ADDRESS,
    OUTSIDE_RANGES,
    SENT_BY_NODE,
    TO_LOOPBACK,
    UNOWNED,
    Decision,
)
from model.frontends import FrontendKind, NodeView, Owner, ServicePortView
from model.intervals import (
    EMPTY,
    Intervals,
    complement,
    contains,
    intersect,
    subtract,
    union,
    with_member,
    without_member,
)
from model.modes import masquerade_rows, verdict_rows
from model.objects import TrafficPolicy
from model.odds import share
from model.older_layouts import older_fates
from model.outcome import Verdict
from model.packet import Origin
from model.predicate import Fact
from model.source_regions import Known, sources_where

KIND_FACTS = {
    FrontendKind.CIP: IS_CIP,
    FrontendKind.EXT: IS_EXT,
    FrontendKind.LBV: IS_LBV,
    FrontendKind.NP: IS_NP,
}


class _Part(NamedTuple):
    """The sources that one row decides for, and which of them are rewritten.

    `masquerade` is indexed by (ends on the node, hairpin).
    """

    sources: Intervals
    decision: Decision
    masquerade: dict[tuple[bool, bool], Intervals]


@attrs.frozen(eq=False)
class Contract:
    """The contract of one node and family, ready to be asked about many places.

    `from_pod_interface` says that packets from the wire came in by an interface that
    an interface detector takes for a pod's.
    """

    view: NodeView
    _parts: dict[tuple[object, ...], tuple[_Part, ...]] = attrs.field(factory=dict, init=False)
    _fates: dict[tuple[object, ...], Fates] = attrs.field(factory=dict, init=False)
    _rewritten: dict[tuple[Intervals, Intervals, int], Intervals] = attrs.field(factory=dict, init=False)

    def sources(self, origin: Origin) -> Intervals:
        """The sources a packet of this origin may have: the node sends as itself only."""
        return self.view.family.everything if origin is Origin.WIRE else self.view.local_addresses

    def allowed(
        self, destination: int, protocol: int, port: int, origin: Origin, *, from_pod_interface: bool
    ) -> tuple[tuple[Owner, ...], tuple[Fates, ...]]:
        """The owners of the place, and every treatment of packets to it that is allowed.

        A treatment covers all sources of the origin, except that the last one may cover
        only loopback traffic from elsewhere, which a guard may always drop.
        """
        view = self.view
        owners = view.owners(destination, protocol, port)
        allowed: list[Fates] = []
        for owner in owners:
            for choice in range(len(owner[0].choices)):
                fates = self._owned(owner, choice, destination, origin, from_pod_interface)
                allowed.append(fates)
                if view.config.quirks:
                    allowed += older_fates(view, owner[1], fates, destination, origin, default_reject(view))
        loopback = view.family.loopback
        on_loopback = contains(loopback, destination)
        if not owners:
            key = (origin, on_loopback)
            unowned = self._fates.get(key)
            if unowned is None:
                unowned = self._fates[key] = self._unowned(destination, origin)
            allowed.append(unowned)
        if on_loopback:
            outside = subtract(self.sources(origin), loopback)
            for fates in tuple(allowed):
                for fate in fates:
                    if fate.leaves[0].verdict != Verdict.DNAT.value:
                        guarded = intersect(fate.sources, outside)
                        if guarded:
                            allowed.append((settled(guarded, Verdict.DROP),))
        return owners, tuple(allowed)

    def _unowned(self, destination: int, origin: Origin) -> Fates:
        view = self.view
        known: Known = {
            TO_LOOPBACK: contains(view.family.loopback, destination),
            FROM_LOOPBACK: view.family.loopback,
            LOOPBACK_GUARDED: view.guards_loopback,
        }
        left = self.sources(origin)
        out: list[Fate] = []
        for row in UNOWNED:
            here = sources_where(row.when, known, left)
            left = subtract(left, here)
            if here:
                out.append(settled(here, Verdict.DROP if row.then is Decision.DROP else Verdict.PASS))
        return tuple(out)

    def _owned(
        self, owner: Owner, choice: int, destination: int, origin: Origin, from_pod_interface: bool
    ) -> Fates:
        one, kind = owner
        on_node_port = kind is FrontendKind.NP and contains(self.view.node_port_addresses, destination)
        local = contains(self.view.local_addresses, destination)
        key = (id(one), choice, kind, origin, from_pod_interface, on_node_port, local)
        found = self._fates.get(key)
        if found is None:
            sets = one.choices[choice]
            parts = self._parts_of(one, sets, kind, origin, from_pod_interface, on_node_port, local)
            found = tuple(sorted(self._fate(one, sets, part, origin) for part in parts))
            self._fates[key] = found
        return found

    def _parts_of(
        self,
        one: ServicePortView,
        sets: EndpointSets,
        kind: FrontendKind,
        origin: Origin,
        from_pod_interface: bool,
        on_node_port: bool,
        local: bool,
    ) -> tuple[_Part, ...]:
        internal_local = one.internal_policy is TrafficPolicy.LOCAL
        external_local = one.external_policy is TrafficPolicy.LOCAL
        allowed = one.allowed_sources if kind is FrontendKind.LBV else None
        key = (
            kind,
            internal_local,
            external_local,
            sets.has,
            not sets.local,
            allowed,
            origin,
            from_pod_interface,
            on_node_port,
            local,
        )
        found = self._parts.get(key)
        if found is not None:
            return found
        view = self.view
        everything = self.sources(origin)
        known: dict[Fact, bool | Intervals] = {fact: kind is of for of, fact in KIND_FACTS.items()}
        known |= {
            INTERNAL_LOCAL: internal_local,
            EXTERNAL_LOCAL: external_local,
            HAS_USABLE: sets.has,
            LOCAL_SET_EMPTY: not sets.local,
            ON_NODE_PORT_ADDRESS: on_node_port,
            DESTINATION_LOCAL: local,
            SENT_BY_NODE: origin is Origin.NODE,
            FROM_POD: view.pod_sources
            if view.pod_sources is not None
            else (from_pod_interface and origin is Origin.WIRE),
            FROM_HOST: view.local_addresses,
            OUTSIDE_RANGES: complement(allowed, view.family.top) if allowed is not None else False,
            DETECTOR_PRESENT: view.detector,
            MASQUERADE_ALL: view.config.masquerade_all,
        }
        left = everything
        parts: list[_Part] = []
        for row in verdict_rows(view.config.mode):
            here = sources_where(row.when, known, left)
            if here:
                left = subtract(left, here)
                parts.append(_Part(here, row.then, self._masquerade(known, here)))
        if left:
            raise AssertionError(f"no row of the contract covers {one.name} {kind.value}")
        found = self._parts[key] = tuple(parts)
        return found

    def _masquerade(self, known: Known, sources: Intervals) -> dict[tuple[bool, bool], Intervals]:
        out: dict[tuple[bool, bool], Intervals] = {}
        for ends in (False, True):
            for hairpin in (False, True):
                facts = {**known, ENDS_ON_NODE: ends, HAIRPIN: hairpin}
                left, rewritten = sources, EMPTY
                for row in masquerade_rows(self.view.config.mode):
                    here = sources_where(row.when, facts, left)
                    left = subtract(left, here)
                    if row.then:
                        rewritten = union(rewritten, here)
                out[ends, hairpin] = rewritten
        return out

    def _fate(self, one: ServicePortView, sets: EndpointSets, part: _Part, origin: Origin) -> Fate:
        match part.decision:
            case Decision.REJECT:
                return settled(part.sources, Verdict.REJECT, default_reject(self.view))
            case Decision.DROP:
                return settled(part.sources, Verdict.DROP)
            case Decision.PASS:
                return settled(part.sources, Verdict.PASS)
            case Decision.TO_CLUSTER:
                chosen = sets.cluster or ()
            case Decision.TO_LOCAL:
                chosen = sets.local or ()
            case _:
                assert_never(part.decision)
        if not chosen:
            raise AssertionError(f"the contract sends {one.name} to an empty set")
        odds = share(len(chosen))
        seconds = one.affinity_seconds
        local = self.view.local_addresses
        from_wire = origin is Origin.WIRE
        leaves: list[LeafFate] = []
        memories: list[Memory] = []
        verdict = Verdict.DNAT.value
        for endpoint in chosen:
            ends = from_wire and contains(local, endpoint.address)
            rewritten = self._with_hairpin(
                part.masquerade[ends, False], part.masquerade[ends, True], endpoint.address
            )
            leaves.append(LeafFate(endpoint.address, endpoint.port, verdict, odds, rewritten))
            if seconds is not None:
                memories.append(Memory(endpoint.address, endpoint.port, seconds, rewritten))
        leaves.sort()
        return Fate(part.sources, tuple(leaves), tuple(memories))

    def _with_hairpin(self, otherwise: Intervals, hairpin: Intervals, address: int) -> Intervals:
        """`otherwise`, except at the endpoint's own address, where `hairpin` decides."""
        key = (otherwise, hairpin, address)
        found = self._rewritten.get(key)
        if found is None:
            change = with_member if contains(hairpin, address) else without_member
            found = change(otherwise, address)
            self._rewritten[key] = found
        return found


def default_reject(view: NodeView) -> str:
    """The error that a refusal answers with, as iptables names it (FWD-REJ-01)."""
    return "icmp-port-unreachable" if view.family.bits == 32 else "icmp6-port-unreachable"
