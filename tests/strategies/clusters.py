"""Small clusters at the corners of the Service contract.

Everything drawn is what an API server would have stored: cluster IPs and node ports are
unique, fields are set only on the types that have them. Addresses say what they are:
10.96.0.0/16 cluster IPs, 10.244.N.0/24 pods of node N, 10.32.1.1N nodes, 203.0.113.0/24
external and 192.0.2.0/24 load balancer addresses; IPv6 likewise.

Ports of services (53 to 443), of endpoints (5353 to 8444) and of nodes (from 30000) never
meet, so that one service's refusals in the filter table cannot hit what another one has
already translated: kube-proxy lets them, and the contract does not speak of it.
"""

from collections.abc import Iterator, Sequence

import attrs
from hypothesis import strategies as st

from model.addresses import Family
from model.node_config import NodeConfig, ProxyMode
from model.objects import (
    Cluster,
    Endpoint,
    EndpointPort,
    EndpointSlice,
    Ingress,
    Node,
    ObjectName,
    Service,
    ServicePort,
    ServiceType,
    TrafficPolicy,
)
from tests.strategies.nodes import NODES, ZONES, node_address, node_configs, pod_cidrs
from tests.strategies.objects import Drawn, drawn_services

_POD = {"IPv4": "10.244.{}.{}", "IPv6": "fd00:10:244:{}::{}"}
_CLUSTER_IP = {"IPv4": "10.96.0.{}", "IPv6": "fd00:10:96::{}"}
_EXTERNAL = {"IPv4": "203.0.113.{}", "IPv6": "2001:db8:e::{}"}
_BALANCER = {"IPv4": "192.0.2.{}", "IPv6": "2001:db8:b::{}"}
TARGETS = {80: 8080, 443: 8443, 53: 5353}
_SHARED = 99  # last number of an address that two services may claim


def clusters(
    *, clashes: bool = False, modes: Sequence[ProxyMode] = (ProxyMode.IPTABLES,)
) -> st.SearchStrategy[tuple[Cluster, NodeConfig]]:
    """Up to four services over three nodes, and kube-proxy on node-a in one of the modes.

    With `clashes` two services may claim one external or load balancer address, and an
    external IP may be another service's cluster IP (FWD-OBJ-08); without, nobody's frontends
    meet, except that an external IP may be a node's address (FWD-OBJ-07).
    """
    return st.builds(
        _assemble, st.lists(drawn_services(clashes), max_size=4), node_configs(modes), st.just(clashes)
    )


def _assemble(drawn: Sequence[Drawn], config: NodeConfig, clashes: bool) -> tuple[Cluster, NodeConfig]:
    """Give out names, addresses and node ports in order; an external IP already taken is dropped."""
    services: list[Service] = []
    slices: list[EndpointSlice] = []
    taken: set[tuple[str, int, str]] = set()
    for index, item in enumerate(drawn):
        service = _service(item, index, len(drawn))
        if not clashes:
            service = _without_claimed(service, taken)
            taken.update(*(_claims(service, ip) for ip in service.external_ips))
        services.append(service)
        for family in Family:
            slices += _slices(item, service, family.value)
    cluster = Cluster(
        services=tuple(services),
        slices=tuple(slices),
        nodes=tuple(_node(index, config.zone) for index in range(len(NODES))),
        service_cidrs=("10.96.0.0/16", "fd00:10:96::/112"),
    )
    return cluster, config


def _without_claimed(service: Service, taken: set[tuple[str, int, str]]) -> Service:
    """The service without external IPs that another one has; a ClusterIP one then has no external policy."""
    free = tuple(ip for ip in service.external_ips if not taken & _claims(service, ip))
    if free or service.type is not ServiceType.CLUSTER_IP:
        return attrs.evolve(service, external_ips=free)
    return attrs.evolve(service, external_ips=(), external_traffic_policy=TrafficPolicy.CLUSTER)


def _claims(service: Service, ip: str) -> set[tuple[str, int, str]]:
    return {(ip, port.port, port.protocol) for port in service.ports}


def _service(item: Drawn, index: int, among: int) -> Service:
    base = item.service
    is_name = base.type is ServiceType.EXTERNAL_NAME
    needs_health_check = (
        base.type is ServiceType.LOAD_BALANCER and base.external_traffic_policy is TrafficPolicy.LOCAL
    )
    policy = "RequireDualStack" if len(item.families) > 1 else "SingleStack"
    cluster_ips = tuple(_CLUSTER_IP[family].format(index + 10) for family in item.families)
    return attrs.evolve(
        base,
        name=ObjectName(base.name.namespace, f"svc-{index}"),
        ports=tuple(_ports(item, 30000 + 10 * index)),
        cluster_ips=base.cluster_ips or (() if is_name else cluster_ips),
        ip_families=() if is_name else item.families,
        ip_family_policy=None if is_name else policy,
        external_ips=tuple(_external_ips(item, index, among)),
        ingress=tuple(_ingress(item, index)),
        health_check_node_port=31000 + index if needs_health_check else 0,
    )


def _ports(item: Drawn, first_node_port: int) -> Iterator[ServicePort]:
    """The ports with node ports; under one number TCP and UDP share, two TCP ports never do."""
    ports = item.service.ports
    for at, port in enumerate(ports):
        same = [other for other in ports[:at] if other.protocol == port.protocol or not item.one_node_port]
        node_port = first_node_port + len(same) if item.has_node_ports else 0
        yield attrs.evolve(port, node_port=node_port, target_port=TARGETS[port.port])


def _external_ips(item: Drawn, index: int, among: int) -> Iterator[str]:
    """Addresses of both families, whichever of them the service has."""
    for kind in item.external:
        for family in ("IPv4", "IPv6"):
            match kind:
                case "own":
                    yield _EXTERNAL[family].format(index + 10)
                case "node":
                    yield node_address(0, family)
                case "peer":
                    yield node_address(1, family)
                case "shared":
                    yield _EXTERNAL[family].format(_SHARED)
                case "stolen" if among > 1:
                    yield _CLUSTER_IP[family].format((index + 1) % among + 10)


def _ingress(item: Drawn, index: int) -> Iterator[Ingress]:
    for at, kind in enumerate(item.ingress):
        family = item.families[at % len(item.families)]
        own = _BALANCER[family].format(10 * (index + 1) + at)
        match kind:
            case "vip":
                yield Ingress(own, ip_mode="VIP")
            case "unset":
                yield Ingress(own)
            case "proxy":
                yield Ingress(own, ip_mode="Proxy")
            case "name":
                yield Ingress(hostname="balancer.example")
            case "shared":
                yield Ingress(_BALANCER[family].format(_SHARED), ip_mode="VIP")


def _slices(item: Drawn, service: Service, family: str) -> Iterator[EndpointSlice]:
    """The service's slices of a family: one or two, the second with other port numbers (EPS-PORT-04)."""
    endpoints = tuple(
        attrs.evolve(entry, addresses=(_place(entry.addresses[0], family),)) for entry in item.endpoints
    )
    ports = tuple(
        EndpointPort(
            name="other" if item.flaw == "other port name" else port.name,
            protocol=port.protocol,
            port=None if item.flaw == "no port number" else TARGETS[port.port],
        )
        for port in service.ports
    )
    first = EndpointSlice(
        name=ObjectName(service.name.namespace, f"{service.name.name}-{family.lower()}-0"),
        service=service.name,
        address_type=family,
        endpoints=endpoints,
        ports=ports,
        headless=item.flaw == "headless slice" or service.cluster_ips == ("None",),
        managed_by="endpointslice-controller.k8s.io" if service.selector else "",
    )
    second = attrs.evolve(first, name=ObjectName(first.name.namespace, f"{first.name.name[:-1]}1"))
    if item.split:
        half = len(endpoints) // 2
        moved = tuple(attrs.evolve(port, port=port.port and port.port + 1) for port in ports)
        yield attrs.evolve(first, endpoints=endpoints[:half])
        yield attrs.evolve(second, endpoints=endpoints[half:], ports=moved)
        return
    if "twin" not in item.flaw or not endpoints:
        yield first
        return
    # One endpoint is in two slices while it moves (EPS-SL-02); the extra one may come first.
    twin = (_twin(endpoints[0], item.flaw),)
    yield attrs.evolve(first, endpoints=twin)
    yield attrs.evolve(second, endpoints=endpoints)


def _twin(entry: Endpoint, flaw: str) -> Endpoint:
    """The same endpoint once more; terminating only beside one that is not, so no tie arises (EPS-SL-08)."""
    if flaw == "draining twin" and not entry.terminating:
        return attrs.evolve(entry, ready=False, serving=True, terminating=True)
    return entry


def _place(template: str, family: str) -> str:
    kind, *numbers = template.split()
    return node_address(int(numbers[0]), family) if kind == "host" else _POD[family].format(*numbers)


def _node(index: int, zone: str | None) -> Node:
    """A node; the first carries a zone label only if kube-proxy there knows a zone."""
    has_zone = index > 0 or zone is not None
    return Node(
        name=NODES[index],
        addresses=tuple(("InternalIP", node_address(index, family.value)) for family in Family),
        pod_cidrs=pod_cidrs(index),
        labels=(("topology.kubernetes.io/zone", ZONES[index]),) if has_zone else (),
    )
