"""What has no effect on a packet: other policies, families, Services, ports and nodes."""

from collections.abc import Callable

import attrs

from invariants.invariant import CONTRACT_MODES, Kind, Violation, invariant
from invariants.packets import has_usable, is_shut_out
from invariants.places import ownerships
from invariants.topology import TopologyMode, topology_modes
from invariants.worlds import Objects, World, difference, is_same_question, objects
from model.addresses import Family, parse_address
from model.frontends import PROXY_NAME_LABEL, FrontendKind
from model.intervals import contains
from model.objects import Cluster, EndpointSlice, ObjectName, Service, ServiceType, TrafficPolicy
from model.outcome import Outcome

_NO_CLUSTER_IP = ((), ("",), ("None",))


@invariant(
    "INV-44",
    "Another external policy changes nothing for packets to cluster IPs, another internal policy nothing "
    "for packets to external frontends.",
    kind=Kind.WORLDS,
    source=("FWD-ETP-06",),
    modes=CONTRACT_MODES,
)
def each_policy_governs_its_own_frontends(before: World, after: World) -> Violation | None:
    if not is_same_question(before, after) or not before.kinds:
        return None
    if before.kinds == {FrontendKind.CIP}:
        blank: Callable[[Service], Service] = _without_external_policy
    elif FrontendKind.CIP not in before.kinds:
        blank = _without_internal_policy
    else:
        return None
    if objects(before.cluster, blank) != objects(after.cluster, blank):
        return None
    return difference(before, after)


def _without_external_policy(service: Service) -> Service:
    """The health check's number comes and goes with the policy (API-F-23)."""
    return attrs.evolve(service, external_traffic_policy=TrafficPolicy.CLUSTER, health_check_node_port=0)


def _without_internal_policy(service: Service) -> Service:
    return attrs.evolve(service, internal_traffic_policy=TrafficPolicy.CLUSTER)


@invariant(
    "INV-45",
    "External IPs, load balancer addresses that let the source in, and node ports of one service port "
    "treat a source alike, as long as an endpoint is usable.",
    kind=Kind.WORLDS,
    source=("FWD-ETP-01", "FWD-ETP-02", "FWD-ETP-03", "FWD-ETP-04", "FWD-ETP-05", "MASQ-04"),
    modes=CONTRACT_MODES,
)
def external_frontends_are_alike(before: World, after: World) -> Violation | None:
    """Where nothing is usable INV-40 speaks: MODE-10 treats node ports otherwise than addresses."""
    moved = attrs.evolve(before.packet, destination=after.packet.destination, port=after.packet.port)
    if before.config != after.config or moved != after.packet:
        return None
    if objects(before.cluster) != objects(after.cluster):
        return None
    names = set()
    for world in (before, after):
        for owned in ownerships(world.view, world.packet):
            if owned.kind is FrontendKind.CIP or is_shut_out(world.packet, owned) or not has_usable(owned):
                return None
        names.add(frozenset(one.name for one, _ in world.owners))
    one_service_port = len(names) == 1 and all(len(each) == 1 for each in names)
    return difference(before, after) if one_service_port else None


@invariant(
    "INV-49",
    "A packet is sent only to endpoints of its own family, and Services' addresses and slices of the "
    "other family change nothing for it.",
    kind=Kind.WORLDS,
    source=("FWD-OBJ-01", "FWD-LBSR-02", "EPS-SL-05"),
    modes=CONTRACT_MODES,
)
def families_are_apart(before: World, after: World) -> Violation | None:
    """Whether a Service has external IPs at all may tell its type's policy, of either family (API-F-22).

    The API stores no such Service of type ClusterIP with load balancer addresses, where it would show.
    """
    own = {address for piece in after.cluster.slices for address in _addresses(piece, after.family)}
    used = {leaf.target.address for one in after.outcomes for leaf in one.leaves if leaf.target is not None}
    if not used <= own:
        return Violation(f"{after.packet} goes to an address that no {after.family.value} slice lists")
    if not is_same_question(before, after):
        return None
    if _of_family(before.cluster, before.family) != _of_family(after.cluster, after.family):
        return None
    return difference(before, after)


def _addresses(piece: EndpointSlice, family: Family) -> set[int]:
    if piece.address_type != family.value:
        return set()
    return {parse_address(one.addresses[0])[1] for one in piece.endpoints if one.addresses}


def _of_family(cluster: Cluster, family: Family) -> Objects:
    """What a node reads, without all that is of the other family."""

    def is_own(text: str) -> bool:
        return (":" in text) is (family is Family.IPV6)

    def blank(service: Service) -> Service:
        return attrs.evolve(
            service,
            cluster_ips=tuple(ip for ip in service.cluster_ips if ip in ("", "None") or is_own(ip)),
            external_ips=tuple(filter(is_own, service.external_ips)),
            ingress=tuple(one for one in service.ingress if one.ip and is_own(one.ip)),
            load_balancer_source_ranges=tuple(filter(is_own, service.load_balancer_source_ranges)),
            ip_families=(),
            ip_family_policy=None,
        )

    slices = frozenset(piece for piece in cluster.slices if piece.address_type == family.value)
    return objects(cluster, blank)[0], slices


@invariant(
    "INV-50",
    "What is added to, changed in or removed from other Services changes nothing for the frontends of a "
    "Service, unless one of them claims the same place.",
    kind=Kind.WORLDS,
    source=("FWD-OBJ-01", "FWD-OBJ-07", "FWD-OBJ-08"),
    modes=CONTRACT_MODES,
)
def services_mind_their_own_frontends(before: World, after: World) -> Violation | None:
    names = before.service_names
    if not names or _is_claimed_by_others(before, names) or _is_claimed_by_others(after, names):
        return None
    return others_change_nothing(before, after)


def others_change_nothing(before: World, after: World) -> Violation | None:
    """The claim without its proviso."""
    names = before.service_names
    if not names or not is_same_question(before, after):
        return None
    if _only(before.cluster, names) != _only(after.cluster, names):
        return None
    return difference(before, after)


def _is_claimed_by_others(world: World, names: frozenset[ObjectName]) -> bool:
    """As an address, or by a node port that answers where an address has no endpoints (FWD-OBJ-07)."""
    packet, view = world.packet, world.view
    if world.service_names - names:
        return True
    return contains(view.local_addresses, packet.destination) and any(
        one.node_port == packet.port and one.protocol == packet.protocol
        for one in view.service_ports
        if one.name.service not in names
    )


def _only(cluster: Cluster, names: frozenset[ObjectName]) -> Objects:
    services = frozenset(one for one in cluster.services if one.name in names)
    return services, frozenset(piece for piece in cluster.slices if piece.service in names)


@invariant(
    "INV-51",
    "Another number, node port or other endpoints of one port of a Service change nothing for its other "
    "ports.",
    kind=Kind.WORLDS,
    source=("FWD-OBJ-01", "EPS-PORT-05"),
    modes=CONTRACT_MODES,
)
def ports_of_a_service_are_apart(before: World, after: World) -> Violation | None:
    names = {one.name for world in (before, after) for one, _ in world.owners}
    if len(names) != 1 or not before.owners or not after.owners or not is_same_question(before, after):
        return None
    (name,) = names
    key = (name.port_name, name.protocol)

    def blank(service: Service) -> Service:
        if service.name != name.service:
            return service
        kept = tuple(port for port in service.ports if (port.name, port.protocol) == key)
        return attrs.evolve(service, ports=kept)

    def of_the_port(cluster: Cluster) -> frozenset[EndpointSlice]:
        kept = []
        for piece in cluster.slices:
            if piece.service == name.service:
                ports = tuple(port for port in piece.ports if (port.name, port.protocol) == key)
                if not ports:
                    continue
                piece = attrs.evolve(piece, ports=ports)
            kept.append(piece)
        return frozenset(kept)

    services = [objects(world.cluster, blank)[0] for world in (before, after)]
    if services[0] != services[1] or of_the_port(before.cluster) != of_the_port(after.cluster):
        return None
    return difference(before, after)


@invariant(
    "INV-52",
    "While no hints count, a packet to a cluster IP under internal policy Cluster may go to the same "
    "endpoints, and with the same odds, on every node that sees the same objects.",
    kind=Kind.WORLDS,
    source=("FWD-CIP-01", "FWD-TOPO-01"),
    modes=CONTRACT_MODES,
)
def cluster_ips_are_alike_on_every_node(before: World, after: World) -> Violation | None:
    """Affinity remembers on each node, and whose source is replaced is each node's to tell."""
    if before.packet != after.packet or objects(before.cluster) != objects(after.cluster):
        return None
    if before.config.readings != after.config.readings or before.config.mode is not after.config.mode:
        return None
    for world in (before, after):
        seen = list(ownerships(world.view, world.packet))
        for owned in seen:
            modes = topology_modes(owned.endpoints.values(), world.config)
            is_local = owned.service_port.internal_policy is TrafficPolicy.LOCAL
            if owned.kind is not FrontendKind.CIP or is_local or modes != {TopologyMode.NONE}:
                return None
        if not seen:
            return None
    if _odds(before) == _odds(after):
        return None
    return Violation(f"{before.packet} fares otherwise on {after.config.name} than on {before.config.name}")


def _odds(world: World) -> set[frozenset[object]]:
    """What may become of the packet, whoever's source is replaced."""

    def of(outcome: Outcome) -> frozenset[object]:
        return frozenset((leaf.verdict, leaf.target, leaf.odds) for leaf in outcome.leaves)

    return {of(outcome) for outcome in world.outcomes}


@invariant(
    "INV-53",
    "Headless and ExternalName Services and those of other proxies change nothing for any packet.",
    kind=Kind.WORLDS,
    source=("FWD-OBJ-02",),
    modes=CONTRACT_MODES,
)
def services_without_frontends_change_nothing(before: World, after: World) -> Violation | None:
    if not is_same_question(before, after):
        return None
    if _only(before.cluster, _served(before)) != _only(after.cluster, _served(after)):
        return None
    return difference(before, after)


def _served(world: World) -> frozenset[ObjectName]:
    """The Services that kube-proxy serves in some family."""
    return frozenset(
        service.name
        for service in world.cluster.services
        if service.type is not ServiceType.EXTERNAL_NAME
        and service.cluster_ips not in _NO_CLUSTER_IP
        and PROXY_NAME_LABEL not in service.label_map
    )
