"""One node's view of the Services of a family: service ports, frontends, node ports.

The view is what the proxy on that node has applied once it has synced (SYNC-02); it
holds numbers where the objects held text. Nothing here decides a packet's fate.
"""

import enum
from collections.abc import Iterable
from functools import cached_property

import attrs

from model.addresses import Family
from model.eligibility import EndpointSets, endpoint_sets, version_matters
from model.intervals import EMPTY, Intervals, contains, normalise, union
from model.ipvs.node_addresses import node_addresses, node_port_servers
from model.ipvs.records import DUMMY_DEVICE
from model.node_config import DetectLocalMode, NodeConfig, ProxyMode
from model.node_ports import node_port_addresses, serves_localhost
from model.objects import (
    Cluster,
    EndpointSlice,
    ObjectName,
    Service,
    ServicePort,
    ServicePortName,
    ServiceType,
    SessionAffinity,
    TrafficPolicy,
)
from model.packet import PROTOCOL_NUMBERS
from model.proxy_endpoints import EndpointList, merge_slices
from model.proxy_version import Quirk
from model.written_addresses import allowed_sources, of_family, ranges_of_family

PROXY_NAME_LABEL = "service.kubernetes.io/service-proxy-name"


class FrontendKind(enum.Enum):
    """The four kinds of frontend (FWD-OBJ-03)."""

    CIP = "CIP"
    EXT = "EXT"
    LBV = "LBV"
    NP = "NP"


@attrs.frozen(eq=False)
class ServicePortView:
    """One service port on one node, in one family.

    `allowed_sources` is None when load balancer frontends take every source
    (FWD-LBSR-01, -02, -04 folded in). `endpoint_choices` and `choices` hold one entry
    unless slices tie (EPS-SL-08) or the version of kube-proxy that reads them is not
    known; the two run in step. `uses_cluster` is FWD-EP-01; `closed_to_node` says that there
    are source ranges and none holds the node's own address.
    """

    name: ServicePortName
    protocol: int
    port: int
    node_port: int
    cluster_ip: int
    external_ips: tuple[int, ...]
    vips: tuple[int, ...]
    internal_policy: TrafficPolicy
    external_policy: TrafficPolicy
    allowed_sources: Intervals | None
    affinity_seconds: int | None
    endpoint_choices: tuple[EndpointList, ...]
    choices: tuple[EndpointSets, ...]
    health_check_node_port: int = 0
    uses_cluster: bool = True
    closed_to_node: bool = False

    @property
    def addresses(self) -> Iterable[tuple[FrontendKind, int]]:
        """Each address frontend with its kind."""
        yield FrontendKind.CIP, self.cluster_ip
        for address in self.external_ips:
            yield FrontendKind.EXT, address
        for address in self.vips:
            yield FrontendKind.LBV, address


Owner = tuple[ServicePortView, FrontendKind]


@attrs.frozen(eq=False)
class NodeView:
    """Everything a family's traffic depends on at one node.

    `by_address` maps (address, protocol, port) to its owners: several where Services
    clash (FWD-OBJ-08). `by_node_port` maps (protocol, node port). `pod_sources` is
    None when the detector goes by interface. `cluster_ips` are those of every service port;
    `service_ranges` those of the cluster's ServiceCIDR objects, empty where none are known.
    `bound` are the addresses on the dummy device of ipvs mode, empty in other modes; they are
    among `local_addresses` (MODE-04).
    """

    family: Family
    config: NodeConfig
    service_ports: tuple[ServicePortView, ...]
    by_address: dict[tuple[int, int, int], tuple[Owner, ...]]
    by_node_port: dict[tuple[int, int], tuple[Owner, ...]]
    local_addresses: Intervals
    node_port_addresses: Intervals
    pod_sources: Intervals | None
    detector: bool
    guards_loopback: bool
    health_check_ports: frozenset[int]
    cluster_ips: frozenset[int]
    service_ranges: Intervals
    bound: frozenset[int] = frozenset()

    @cached_property
    def cluster_ips_at(self) -> dict[tuple[int, int], Intervals]:
        """The cluster IPs that have a frontend at each (protocol, port)."""
        found: dict[tuple[int, int], list[int]] = {}
        for one in self.service_ports:
            found.setdefault((one.protocol, one.port), []).append(one.cluster_ip)
        return {place: normalise((ip, ip) for ip in ips) for place, ips in found.items()}

    def owners(self, destination: int, protocol: int, port: int) -> tuple[Owner, ...]:
        """Who owns the frontend; address frontends come before node ports (FWD-OBJ-07).

        A refusal acts only on what no translation caught, so where an address frontend has
        no endpoints a node port of the same number may answer in its place. In iptables mode
        refusals of node ports match every address of the node (MODE-11).
        """
        found = self.by_address.get((destination, protocol, port), ())
        if found and all(choice.has for one, _ in found for choice in one.choices):
            return found
        is_iptables = self.config.mode is ProxyMode.IPTABLES
        if contains(self.local_addresses if is_iptables else self.node_port_addresses, destination):
            return (*found, *self.by_node_port.get((protocol, port), ()))
        return found

    def is_pod_interface(self, in_interface: str | None) -> bool:
        """Whether an interface detector takes what comes in here for a pod's (SRC-02)."""
        if in_interface is None:
            return False
        if self.config.detect_local is DetectLocalMode.BRIDGE_INTERFACE:
            return in_interface == self.config.bridge_interface
        return in_interface.startswith(self.config.interface_name_prefix)


def node_view(cluster: Cluster, config: NodeConfig, family: Family) -> NodeView:
    """What the node `config.name` does its forwarding from, in one family."""
    slices = _slices_by_service(cluster.slices)
    views: list[ServicePortView] = []
    for service in cluster.services:
        views.extend(_service_ports(service, slices.get(service.name, ()), config, family))

    by_address: dict[tuple[int, int, int], tuple[Owner, ...]] = {}
    by_node_port: dict[tuple[int, int], tuple[Owner, ...]] = {}
    for view in views:
        for kind, address in view.addresses:
            key = (address, view.protocol, view.port)
            owners = by_address.get(key, ())
            if not any(owner is view and held is kind for owner, held in owners):
                by_address[key] = (*owners, (view, kind))
        if view.node_port:
            node_key = (view.protocol, view.node_port)
            by_node_port[node_key] = (*by_node_port.get(node_key, ()), (view, FrontendKind.NP))

    cidr_detector = config.detect_local in (DetectLocalMode.CLUSTER_CIDR, DetectLocalMode.NODE_CIDR)
    pod_sources = config.detector_cidr(family) if cidr_detector else None
    detector = config.detect_local is not DetectLocalMode.NONE and pod_sources != EMPTY
    if not detector:
        pod_sources = EMPTY
    localhost = serves_localhost(config, family)
    local, bound = config.local_addresses(family), frozenset[int]()
    served = node_port_addresses(config, family)
    if config.mode is ProxyMode.IPVS:
        elsewhere = node_addresses(config, family)
        bound = frozenset(_bound(views, elsewhere))
        others = [one for one in config.addresses if one.interface != DUMMY_DEVICE]
        local = attrs.evolve(config, addresses=tuple(others)).local_addresses(family)
        local = union(local, normalise((address, address) for address in bound))
        served = normalise((address, address) for address in node_port_servers(config, family))
    return NodeView(
        family=family,
        config=config,
        service_ports=tuple(views),
        by_address=by_address,
        by_node_port=by_node_port,
        local_addresses=local,
        node_port_addresses=served,
        pod_sources=pod_sources,
        detector=detector,
        guards_loopback=localhost and Quirk.UNGUARDED not in config.quirks,
        health_check_ports=frozenset(
            view.health_check_node_port for view in views if view.health_check_node_port
        ),
        cluster_ips=frozenset(view.cluster_ip for view in views),
        service_ranges=ranges_of_family(cluster.service_cidrs, family),
        bound=bound,
    )


def _bound(views: Iterable[ServicePortView], elsewhere: frozenset[int]) -> Iterable[int]:
    """MODE-04: each cluster IP, and what else is an address of no other device of the node."""
    for view in views:
        yield view.cluster_ip
        yield from (address for address in (*view.external_ips, *view.vips) if address not in elsewhere)


def _slices_by_service(slices: Iterable[EndpointSlice]) -> dict[ObjectName, list[EndpointSlice]]:
    out: dict[ObjectName, list[EndpointSlice]] = {}
    for one in slices:
        if one.service is not None and not one.headless:  # FWD-OBJ-02
            out.setdefault(one.service, []).append(one)
    return out


def _service_ports(
    service: Service, slices: Iterable[EndpointSlice], config: NodeConfig, family: Family
) -> Iterable[ServicePortView]:
    """The service ports of one Service, none where FWD-OBJ-02 says so."""
    if service.type is ServiceType.EXTERNAL_NAME or PROXY_NAME_LABEL in service.label_map:
        return
    cluster_ip = next(iter(of_family(service.cluster_ips, family)), None)
    if cluster_ip is None:
        return
    external_ips = tuple(of_family(service.external_ips, family))
    vips = tuple(of_family((i.ip for i in service.ingress if i.ip and (i.ip_mode or "VIP") == "VIP"), family))
    primary = config.primary_address(family)
    allowed = allowed_sources(service.load_balancer_source_ranges, vips, config, family)
    external_local = service.external_traffic_policy is TrafficPolicy.LOCAL and (
        service.type in (ServiceType.NODE_PORT, ServiceType.LOAD_BALANCER) or bool(service.external_ips)
    )
    needs_health_check = external_local and service.type is ServiceType.LOAD_BALANCER  # HC-01
    merged = merge_slices(slices, family, config.name)
    for port in service.ports:
        protocol = PROTOCOL_NUMBERS.get(port.protocol.lower())
        if protocol is None:
            continue
        external = bool(port.node_port or external_ips or vips)
        internal_local = service.internal_traffic_policy is TrafficPolicy.LOCAL
        uses_cluster = not internal_local or external  # FWD-EP-01
        pairs = _choices(
            merged.get((port.name, port.protocol), ((),)),
            config,
            service,
            uses_cluster=uses_cluster,
            uses_local=internal_local or (external_local and external),
        )
        yield ServicePortView(
            name=_port_name(service, port),
            protocol=protocol,
            port=port.port,
            node_port=port.node_port,
            cluster_ip=cluster_ip,
            external_ips=external_ips,
            vips=vips,
            internal_policy=service.internal_traffic_policy,
            external_policy=TrafficPolicy.LOCAL if external_local else TrafficPolicy.CLUSTER,
            allowed_sources=allowed,
            affinity_seconds=(
                service.affinity_seconds if service.session_affinity is SessionAffinity.CLIENT_IP else None
            ),
            endpoint_choices=tuple(endpoints for endpoints, _ in pairs),
            choices=tuple(sets for _, sets in pairs),
            health_check_node_port=service.health_check_node_port if needs_health_check else 0,
            uses_cluster=uses_cluster,
            closed_to_node=allowed is not None and (primary is None or not contains(allowed, primary)),
        )


def _choices(
    lists: tuple[EndpointList, ...],
    config: NodeConfig,
    service: Service,
    *,
    uses_cluster: bool,
    uses_local: bool,
) -> tuple[tuple[EndpointList, EndpointSets], ...]:
    """Each endpoint list with each way to read it, equal ones once."""
    found: list[tuple[EndpointList, EndpointSets]] = []
    for endpoints in lists:
        readings = config.readings if version_matters(endpoints) else config.readings[:1]
        for reading in readings:
            sets = endpoint_sets(
                endpoints,
                uses_cluster=uses_cluster,
                uses_local=uses_local,
                node_name=config.name,
                zone=config.zone,
                reading=reading,
                annotations=dict(service.annotations),
            )
            found.append((endpoints, sets))
    return tuple(found) if len(found) == 1 else tuple(dict.fromkeys(found))


def _port_name(service: Service, port: ServicePort) -> ServicePortName:
    return ServicePortName(service.name, port.name, port.protocol)
