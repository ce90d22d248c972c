"""What the contract demands of one packet: the plain reading of the tables.

Each fact of the packet is worked out by its definition and the rows are tried in order
with `holds`. `model.expected` reads the same tables for all sources at once.
"""

from collections.abc import Iterable, Iterator, Mapping

import attrs

from model.addresses import Family
from model.expected import KIND_FACTS, VERDICT_OF, default_reject
from model.forwarding import (
    CLOSED_TO_NODE,
    DESTINATION_LOCAL,
    DETECTOR_PRESENT,
    ENDPOINT_ON_NODE,
    ENDS_ON_NODE,
    EXTERNAL_LOCAL,
    FROM_CLUSTER_IP,
    FROM_DESTINATION,
    FROM_HOST,
    FROM_LOOPBACK,
    FROM_POD,
    HAIRPIN,
    HAS_USABLE,
    INTERNAL_LOCAL,
    IS_ICMP,
    LOCAL_SET_EMPTY,
    LOOPBACK_GUARDED,
    MASQUERADE_ALL,
    ON_NODE_PORT_ADDRESS,
    OUTSIDE_RANGES,
    SENT_BY_NODE,
    TO_BOUND,
    TO_CLUSTER_IP,
    TO_HEALTH_CHECK,
    TO_LOOPBACK,
    TO_SERVICE_RANGE,
    USES_CLUSTER_SET,
    Decision,
    Row,
)
from model.frontends import FrontendKind, NodeView, ServicePortView, node_view
from model.intervals import contains
from model.modes import VERSION_FACTS, masquerade_rows, unowned_rows, verdict_rows
from model.node_config import NodeConfig, ProxyMode
from model.objects import Cluster, TrafficPolicy
from model.odds import ONE, share
from model.older_layouts import instead
from model.outcome import Leaf, Outcome, Remembered, Target, Verdict
from model.packet import ICMP, TCP, UDP, Origin, Packet
from model.predicate import Fact, Field, holds


@attrs.frozen
class Expectation:
    """Every outcome the contract allows for a packet, and why.

    More than one is allowed only where Services clash (FWD-OBJ-08), slices tie
    (EPS-SL-08), or kube-proxy is old or of unknown version. `cites` are the rows that
    decided, in order; `service_ports` the owners of the frontend, empty when the packet
    is for none.
    """

    allowed: tuple[Outcome, ...]
    cites: tuple[str, ...]
    service_ports: tuple[str, ...]


@attrs.frozen
class _Case:
    fields: Mapping[Field, int]
    facts: Mapping[Fact, bool]


def expect_packets(cluster: Cluster, config: NodeConfig, packets: Iterable[Packet]) -> Iterator[Expectation]:
    """What the node must do with each packet, in order."""
    views: dict[Family, NodeView] = {}
    for packet in packets:
        if packet.family not in views:
            views[packet.family] = node_view(cluster, config, packet.family)
        yield expect(views[packet.family], packet)


def expect(view: NodeView, packet: Packet) -> Expectation:
    """What the node must do with one packet."""
    owners = view.owners(packet.destination, packet.protocol, packet.port)
    if not owners:
        row = _first(unowned_rows(view.config.mode), _case(_packet_facts(view, packet)))
        return Expectation((_settled(view, row.then),), (row.id,), ())
    allowed: list[Outcome] = []
    cites: list[str] = []
    for one, kind in owners:
        for choice in range(len(one.choices)):
            outcome, ids = _owned(view, packet, one, kind, choice)
            allowed.append(outcome)
            allowed.extend(_instead(view, packet, kind, outcome))
            cites.extend(ids)
    return Expectation(
        tuple(dict.fromkeys(allowed)),
        tuple(dict.fromkeys(cites)),
        tuple(str(one.name) for one, _ in owners),
    )


def _instead(view: NodeView, packet: Packet, kind: FrontendKind, outcome: Outcome) -> Iterator[Outcome]:
    """What an old layout may do in place of the outcome."""
    for verdict, masquerade in instead(
        view.config.quirks,
        kind,
        outcome.verdict,
        packet.origin,
        source_local=contains(view.local_addresses, packet.source),
        destination_local=contains(view.local_addresses, packet.destination),
    ):
        error = default_reject(view) if verdict is Verdict.REJECT else ""
        yield Outcome((Leaf(verdict, ONE, None, masquerade, error),))


def _case(facts: Mapping[Fact, bool]) -> _Case:
    return _Case({}, facts)


def _first(rows: Iterable[Row], case: _Case) -> Row:
    """The first row that holds; the tables are total, so there is one."""
    return next(row for row in rows if holds(row.when, case))


def _packet_facts(view: NodeView, packet: Packet) -> dict[Fact, bool]:
    if view.pod_sources is not None:
        from_pod = contains(view.pod_sources, packet.source)
    else:
        from_pod = packet.origin is Origin.WIRE and view.is_pod_interface(packet.in_interface)
    return {
        FROM_POD: from_pod,
        FROM_HOST: contains(view.local_addresses, packet.source),
        SENT_BY_NODE: packet.origin is Origin.NODE,
        DESTINATION_LOCAL: contains(view.local_addresses, packet.destination),
        ON_NODE_PORT_ADDRESS: contains(view.node_port_addresses, packet.destination),
        TO_LOOPBACK: contains(view.family.loopback, packet.destination),
        FROM_LOOPBACK: contains(view.family.loopback, packet.source),
        LOOPBACK_GUARDED: view.guards_loopback,
        TO_CLUSTER_IP: packet.destination in view.cluster_ips,
        TO_SERVICE_RANGE: contains(view.service_ranges, packet.destination),
        IS_ICMP: packet.protocol in ICMP,
        TO_BOUND: packet.destination in view.bound,
        TO_HEALTH_CHECK: packet.protocol in (TCP, UDP) and packet.port in view.health_check_ports,
        FROM_DESTINATION: packet.source == packet.destination,
        FROM_CLUSTER_IP: view.config.mode is ProxyMode.IPVS  # asked nowhere else, and slow
        and any(
            (one.cluster_ip, one.protocol, one.port) == (packet.source, packet.protocol, packet.port)
            for one in view.service_ports
        ),
        DETECTOR_PRESENT: view.detector,
        MASQUERADE_ALL: view.config.masquerade_all,
        **{fact: quirk in view.config.quirks for fact, quirk in VERSION_FACTS.items()},
    }


def _owned(
    view: NodeView, packet: Packet, one: ServicePortView, kind: FrontendKind, choice: int
) -> tuple[Outcome, tuple[str, ...]]:
    """The outcome and the deciding rows when `one` owns the frontend."""
    sets = one.choices[choice]
    allowed = one.allowed_sources
    facts = _packet_facts(view, packet) | {fact: kind is of for of, fact in KIND_FACTS.items()}
    facts |= {
        INTERNAL_LOCAL: one.internal_policy is TrafficPolicy.LOCAL,
        EXTERNAL_LOCAL: one.external_policy is TrafficPolicy.LOCAL,
        HAS_USABLE: sets.has,
        LOCAL_SET_EMPTY: not sets.local,
        USES_CLUSTER_SET: one.uses_cluster,
        CLOSED_TO_NODE: one.closed_to_node,
        OUTSIDE_RANGES: allowed is not None and not contains(allowed, packet.source),
    }
    row = _first(verdict_rows(view.config.mode), _case(facts))
    if row.then in VERDICT_OF:
        return _settled(view, row.then), (row.id,)
    chosen = (sets.cluster if row.then is Decision.TO_CLUSTER else sets.local) or ()
    cites = [row.id]
    leaves: list[Leaf] = []
    for endpoint in chosen:
        facts[HAIRPIN] = endpoint.address == packet.source
        facts[ENDPOINT_ON_NODE] = endpoint.local
        facts[ENDS_ON_NODE] = packet.origin is Origin.WIRE and contains(
            view.local_addresses, endpoint.address
        )
        rewrite = next(r for r in masquerade_rows(view.config.mode) if holds(r.when, _case(facts)))
        cites.append(rewrite.id)
        target = Target(endpoint.address, endpoint.port)
        leaves.append(Leaf(Verdict.DNAT, share(len(chosen)), target, rewrite.then))
    affinity: tuple[Remembered, ...] = ()
    if one.affinity_seconds is not None:
        cites.append("MODE-18" if view.config.mode is ProxyMode.IPVS else "AFF-03")
        affinity = tuple(
            Remembered(leaf.target, one.affinity_seconds, leaf.masquerade)
            for leaf in leaves
            if leaf.target is not None
        )
    ordered = sorted(leaves, key=lambda leaf: leaf.target or Target(0, 0))
    return Outcome(tuple(ordered), affinity), tuple(dict.fromkeys(cites))


def _settled(view: NodeView, decision: Decision) -> Outcome:
    verdict = VERDICT_OF[decision]
    error = default_reject(view) if verdict is Verdict.REJECT else ""
    return Outcome((Leaf(verdict, ONE, reject_with=error),))
