"""What the contract demands of all packets to one place, as fates over their sources.

The same tables as `model.expectation`, read for every source at once: facts about the
service are settled first (they take few values, so each combination is worked out
once), what is left speaks of the source and becomes a region. A test holds this
reading equal to the concrete one.
"""

import itertools
from typing import NamedTuple, assert_never

import attrs

from model.eligibility import EndpointSets
from model.fate import Fate, Fates, LeafFate, Memory, settled
from model.forwarding import (
    CLOSED_TO_NODE,
    ENDPOINT_ON_NODE,
    ENDS_ON_NODE,
    EXTERNAL_LOCAL,
    FROM_POD,
    HAIRPIN,
    HAS_USABLE,
    INTERNAL_LOCAL,
    IS_CIP,
    IS_EXT,
    IS_LBV,
    IS_NP,
    LOCAL_SET_EMPTY,
    OUTSIDE_RANGES,
    USES_CLUSTER_SET,
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
from model.known_facts import KnownFacts, node_facts, place_facts
from model.modes import masquerade_rows, unowned_rows, verdict_rows
from model.node_config import ProxyMode
from model.objects import TrafficPolicy
from model.odds import share
from model.older_layouts import older_fates
from model.outcome import Verdict
from model.packet import Origin
from model.source_regions import Known, sources_where

KIND_FACTS = {
    FrontendKind.CIP: IS_CIP,
    FrontendKind.EXT: IS_EXT,
    FrontendKind.LBV: IS_LBV,
    FrontendKind.NP: IS_NP,
}


VERDICT_OF = {
    Decision.REJECT: Verdict.REJECT,
    Decision.DROP: Verdict.DROP,
    Decision.PASS: Verdict.PASS,
}
"""What becomes of a packet that is sent to no endpoint."""


class _Part(NamedTuple):
    """The sources that one row decides for, and which of them are rewritten.

    `masquerade` is indexed by (ends on the node, hairpin, the endpoint is on the node).
    """

    sources: Intervals
    decision: Decision
    masquerade: dict[tuple[bool, bool, bool], Intervals]


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
                fates = self._owned(owner, choice, destination, port, origin, from_pod_interface)
                allowed.append(fates)
                if view.config.quirks:
                    allowed += older_fates(view, owner[1], fates, destination, origin, default_reject(view))
        loopback = view.family.loopback
        on_loopback = contains(loopback, destination)
        if not owners:
            allowed.append(self._unowned(destination, protocol, port, origin))
        if on_loopback:
            outside = subtract(self.sources(origin), loopback)
            for fates in tuple(allowed):
                for fate in fates:
                    if fate.leaves[0].verdict != Verdict.DNAT.value:
                        guarded = intersect(fate.sources, outside)
                        if guarded:
                            allowed.append((settled(guarded, Verdict.DROP),))
        return owners, tuple(allowed)

    def unowned_key(self, destination: int, protocol: int, port: int) -> object:
        """What places of no Service share where the contract treats their packets alike."""
        if self.view.config.mode is ProxyMode.IPTABLES:  # whose table asks for no more (MODE-02)
            return contains(self.view.family.loopback, destination)
        return tuple(place_facts(self.view, destination, protocol, port, Origin.WIRE).values())

    def _unowned(self, destination: int, protocol: int, port: int, origin: Origin) -> Fates:
        known = place_facts(self.view, destination, protocol, port, origin)
        key = (origin, *known.values())
        found = self._fates.get(key)
        if found is not None:
            return found
        known |= node_facts(self.view)
        left = self.sources(origin)
        out: list[Fate] = []
        for row in unowned_rows(self.view.config.mode):
            here = sources_where(row.when, known, left)
            left = subtract(left, here)
            if here:
                out.append(self._settled(here, row.then))
        self._fates[key] = tuple(out)
        return self._fates[key]

    def _owned(
        self,
        owner: Owner,
        choice: int,
        destination: int,
        port: int,
        origin: Origin,
        from_pod_interface: bool,
    ) -> Fates:
        one, kind = owner
        of_place = place_facts(self.view, destination, one.protocol, port, origin)
        key = (id(one), choice, kind, from_pod_interface, *of_place.values())
        found = self._fates.get(key)
        if found is None:
            sets = one.choices[choice]
            parts = self._parts_of(one, sets, kind, origin, from_pod_interface, of_place)
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
        of_place: KnownFacts,
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
            one.uses_cluster,
            one.closed_to_node,
            allowed,
            origin,
            from_pod_interface,
            *of_place.values(),
        )
        found = self._parts.get(key)
        if found is not None:
            return found
        view = self.view
        everything = self.sources(origin)
        known = node_facts(view) | of_place | {fact: kind is of for of, fact in KIND_FACTS.items()}
        known |= {
            INTERNAL_LOCAL: internal_local,
            EXTERNAL_LOCAL: external_local,
            HAS_USABLE: sets.has,
            LOCAL_SET_EMPTY: not sets.local,
            USES_CLUSTER_SET: one.uses_cluster,
            CLOSED_TO_NODE: one.closed_to_node,
            FROM_POD: view.pod_sources
            if view.pod_sources is not None
            else (from_pod_interface and origin is Origin.WIRE),
            OUTSIDE_RANGES: complement(allowed, view.family.top) if allowed is not None else False,
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

    def _masquerade(self, known: Known, sources: Intervals) -> dict[tuple[bool, bool, bool], Intervals]:
        out: dict[tuple[bool, bool, bool], Intervals] = {}
        for ends, hairpin, here in itertools.product((False, True), repeat=3):
            facts = {**known, ENDS_ON_NODE: ends, HAIRPIN: hairpin, ENDPOINT_ON_NODE: here}
            left, rewritten = sources, EMPTY
            for row in masquerade_rows(self.view.config.mode):
                taken = sources_where(row.when, facts, left)
                left = subtract(left, taken)
                if row.then:
                    rewritten = union(rewritten, taken)
            out[ends, hairpin, here] = rewritten
        return out

    def _settled(self, sources: Intervals, decision: Decision) -> Fate:
        """The fate of sources that are sent nowhere."""
        verdict = VERDICT_OF[decision]
        return settled(sources, verdict, default_reject(self.view) if verdict is Verdict.REJECT else "")

    def _fate(self, one: ServicePortView, sets: EndpointSets, part: _Part, origin: Origin) -> Fate:
        match part.decision:
            case Decision.REJECT | Decision.DROP | Decision.PASS:
                return self._settled(part.sources, part.decision)
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
            here = endpoint.local
            rewritten = self._with_hairpin(
                part.masquerade[ends, False, here], part.masquerade[ends, True, here], endpoint.address
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
    """The error that a refusal answers with, as iptables names it (FWD-REJ-01); in every mode the same."""
    return "icmp-port-unreachable" if view.family.bits == 32 else "icmp6-port-unreachable"
