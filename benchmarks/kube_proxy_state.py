"""The service ports and endpoints that kube-proxy 1.36 makes of the stored objects.

A second reading of FWD-OBJ, FWD-EP, FWD-TOPO and EPS, written without the project's
model of forwarding so that the two can be held against each other.

Where kube-proxy's own result depends on the order of a map (two entries of one
`ip:port` that differ, EPS-SL-08) the first in slice-name order counts here.
"""

from collections.abc import Callable, Iterable, Iterator

import attrs

from model.addresses import Family, format_address, parse_address, parse_cidr
from model.intervals import Intervals
from model.node_config import NodeConfig
from model.objects import (
    Cluster,
    Endpoint,
    ObjectName,
    Service,
    ServicePort,
    ServiceType,
    SessionAffinity,
    TrafficPolicy,
)

SERVICE_PROXY_NAME = "service.kubernetes.io/service-proxy-name"


@attrs.frozen
class Backend:
    """One merged endpoint of a service port; `text` is `ip:port`, `[ip6]:port` for IPv6."""

    ip: str
    text: str
    is_local: bool
    ready: bool
    serving: bool
    terminating: bool
    zone_hints: tuple[str, ...]
    node_hints: tuple[str, ...]

    @property
    def is_draining(self) -> bool:
        """Serving and terminating: what is used when nothing is ready (FWD-EP-02)."""
        return self.serving and self.terminating


@attrs.frozen
class Portal:
    """One service port of one family: the unit that kube-proxy writes chains for (FWD-OBJ-01).

    `title` is `namespace/name`, with `:port name` where the port has a name; `source_ranges`
    are CIDR texts of the family, none when one of them is a /0.
    """

    service: ObjectName
    port_name: str
    protocol: str  # lower case
    cluster_ip: str
    port: int
    node_port: int
    external_ips: tuple[str, ...]
    ingress_vips: tuple[str, ...]
    source_ranges: tuple[str, ...]
    internal_local: bool
    external_local: bool
    affinity_seconds: int | None
    health_check_node_port: int

    @property
    def title(self) -> str:
        return f"{self.service}:{self.port_name}" if self.port_name else str(self.service)

    @property
    def has_external_frontend(self) -> bool:
        return bool(self.node_port or self.external_ips or self.ingress_vips)

    @property
    def uses_cluster_endpoints(self) -> bool:
        return not self.internal_local or self.has_external_frontend

    @property
    def uses_local_endpoints(self) -> bool:
        return self.internal_local or (self.external_local and self.has_external_frontend)


@attrs.frozen
class Choice:
    """Where a service port may send traffic on one node (FWD-EP-02 to FWD-EP-04).

    `reachable` holds every endpoint that either policy may choose.
    """

    cluster: tuple[Backend, ...] = ()
    local: tuple[Backend, ...] = ()
    reachable: tuple[Backend, ...] = ()
    has_endpoints: bool = False


PortKey = tuple[ObjectName, str, str]
"""Service, port name, protocol in upper case: how ports of slices and services meet (EPS-PORT-05)."""


def portals(cluster: Cluster, family: Family) -> Iterator[Portal]:
    """Every service port of the family, in the order of the objects."""
    for service in cluster.services:
        cluster_ip = next(iter(_of_family(service.cluster_ips, family)), None)
        skipped = service.type is ServiceType.EXTERNAL_NAME or SERVICE_PROXY_NAME in dict(service.labels)
        if cluster_ip is not None and not skipped:
            for port in service.ports:
                yield _portal(service, port, cluster_ip, family)


def _portal(service: Service, port: ServicePort, cluster_ip: str, family: Family) -> Portal:
    vips = [entry.ip for entry in service.ingress if entry.ip and entry.ip_mode in (None, "VIP")]
    external_local = service.external_traffic_policy is TrafficPolicy.LOCAL and (
        service.type in (ServiceType.NODE_PORT, ServiceType.LOAD_BALANCER) or bool(service.external_ips)
    )
    needs_health_check = external_local and service.type is ServiceType.LOAD_BALANCER
    has_affinity = service.session_affinity is SessionAffinity.CLIENT_IP
    return Portal(
        service=service.name,
        port_name=port.name,
        protocol=port.protocol.lower(),
        cluster_ip=cluster_ip,
        port=port.port,
        node_port=port.node_port,
        external_ips=tuple(_of_family(service.external_ips, family)),
        ingress_vips=tuple(_of_family(vips, family)),
        source_ranges=_source_ranges(service, family),
        internal_local=service.internal_traffic_policy is TrafficPolicy.LOCAL,
        external_local=external_local,
        affinity_seconds=service.affinity_seconds if has_affinity else None,
        health_check_node_port=service.health_check_node_port if needs_health_check else 0,
    )


def _of_family(texts: Iterable[str], family: Family) -> Iterator[str]:
    for text in texts:
        try:
            of, address = parse_address(text)
        except ValueError:  # "None" of a headless service, or text stored before it was checked
            continue
        if of is family:
            yield format_address(family, address)


def _source_ranges(service: Service, family: Family) -> tuple[str, ...]:
    texts: list[str] = []
    for text in service.load_balancer_source_ranges:
        of, span = parse_cidr(text.strip())
        if of is not family:
            continue
        if span == family.everything:  # one /0 means no restriction at all
            return ()
        texts.append(cidr_text(family, span))
    return tuple(texts)


def cidr_text(family: Family, span: Intervals) -> str:
    """A CIDR given as its span, in the form iptables prints: network address and length."""
    low, high = span[0]
    return f"{format_address(family, low)}/{family.bits - (high - low).bit_length()}"


def backends(cluster: Cluster, config: NodeConfig, family: Family) -> dict[PortKey, tuple[Backend, ...]]:
    """The endpoints of every service port, merged over all slices and in string order of `ip:port`.

    A non-terminating entry beats a terminating one of the same text (EPS-SL-08).
    """
    merged: dict[PortKey, dict[str, Backend]] = {}
    for piece in sorted(cluster.slices, key=lambda s: s.name):
        if piece.service is None or piece.headless or piece.address_type != family.value:
            continue
        for port in piece.ports:
            if not port.port:  # absent or 0: kube-proxy has no number to send to (EPS-PORT-06)
                continue
            known = merged.setdefault((piece.service, port.name, port.protocol), {})
            for endpoint in piece.endpoints:
                _merge(known, endpoint, port.port, config.name, family)
    return {key: tuple(known[text] for text in sorted(known)) for key, known in merged.items()}


def _merge(known: dict[str, Backend], endpoint: Endpoint, port: int, node: str, family: Family) -> None:
    ip = next(_of_family(endpoint.addresses[:1], family), None)  # only the first counts (EPS-SEL-06)
    if ip is None:
        return
    backend = Backend(
        ip=ip,
        text=f"[{ip}]:{port}" if family is Family.IPV6 else f"{ip}:{port}",
        is_local=endpoint.node_name == node,
        ready=endpoint.ready is not False,
        serving=endpoint.serving is not False,
        terminating=endpoint.terminating is True,
        zone_hints=endpoint.zone_hints,
        node_hints=endpoint.node_hints,
    )
    earlier = known.get(backend.text)
    if earlier is None or (earlier.terminating and not backend.terminating):
        known[backend.text] = backend


def choose(found: tuple[Backend, ...], portal: Portal, config: NodeConfig) -> Choice:
    """Which endpoints each policy uses on the node, terminating ones when nothing is ready."""
    cluster: tuple[Backend, ...] = ()
    local: tuple[Backend, ...] = ()
    if portal.uses_cluster_endpoints:
        near = _topology(found, config)
        cluster = tuple(b for b in found if b.ready and near(b))
        cluster = cluster or tuple(b for b in found if b.is_draining)
    if portal.uses_local_endpoints:
        here = tuple(b for b in found if b.is_local)
        local = tuple(b for b in here if b.ready) or tuple(b for b in here if b.is_draining)
    chosen = {*cluster, *local}
    anywhere = portal.uses_local_endpoints and any(b.ready or b.is_draining for b in found)
    return Choice(
        cluster=cluster,
        local=local,
        reachable=tuple(b for b in found if b in chosen),
        has_endpoints=bool(cluster) or anywhere,
    )


def _topology(found: tuple[Backend, ...], config: NodeConfig) -> Callable[[Backend], bool]:
    """Whether a ready endpoint is near enough, by hints that all ready ones must carry (FWD-TOPO)."""
    node, zone = config.name, config.zone
    ready = [b for b in found if b.ready]
    if all(b.node_hints for b in ready) and any(node in b.node_hints for b in ready):
        return lambda b: node in b.node_hints
    if zone and all(b.zone_hints for b in ready) and any(zone in b.zone_hints for b in ready):
        return lambda b: zone in b.zone_hints
    return lambda _: True
