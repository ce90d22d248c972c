"""Clusters of any size with a realistic mix of Services, and one node's bundle of them.

Of 20 services, 14 are ClusterIP (4 with two named ports, 2 with affinity), 1 has no
endpoints, 2 are NodePort and 3 LoadBalancer (with source ranges; policy Local with
affinity; plain). kube-proxy writes about 53 lines a service for that at 10 endpoints.
"""

import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import attrs
import click
import msgspec
import yaml

from benchmarks.kube_proxy_nft import write_nftables
from benchmarks.kube_proxy_rules import write_iptables
from benchmarks.manifests import cluster_list, proxy_config
from model.addresses import Family, format_address, parse_address
from model.node_config import InterfaceAddress, NodeConfig, ProxyMode
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
    SessionAffinity,
    TrafficPolicy,
)

SERVICE_CIDR = "10.96.0.0/12"
POD_CIDR = "10.128.0.0/12"  # one /16 a node
NODES = 10
MOST_SERVICES = (65536 - 30000) // 6 * 20  # 6 node ports for each round of 20 services
ENDPOINTS_PER_SLICE = 100  # the endpoint slice controller's default (EPS-SL-01)

_NAMESPACES = ("billing", "checkout", "media", "search", "shop")
_HTTP = (ServicePort("", "TCP", 80, target_port=8080),)
_HTTP_AND_METRICS = (
    ServicePort("http", "TCP", 80, target_port="http"),
    ServicePort("metrics", "TCP", 9090, target_port="metrics"),
)
_TARGETS = {80: 8080, 9090: 9100}


def generate_cluster(services: int, endpoints: int, seed: int = 1) -> tuple[Cluster, NodeConfig]:
    """A cluster of so many services, each with so many pods of its own, and the node to judge.

    The kind of the i-th service is fixed; `seed` decides addresses and on which node each
    pod runs. IPv4 only. Raises ValueError when addresses or node ports run out.
    """
    if services > MOST_SERVICES:
        raise ValueError(f"{services} services need more node ports than there are: at most {MOST_SERVICES}")
    rng = random.Random(seed)
    nodes = tuple(_node(index) for index in range(NODES))
    pods = _pods(rng)
    cluster_ips = iter(rng.sample(range(256, 1 << 20), services))
    node_ports = iter(range(30000, 1 << 16))
    made: list[Service] = []
    slices: list[EndpointSlice] = []
    for index in range(services):
        address = format_address(Family.IPV4, parse_address("10.96.0.0")[1] + next(cluster_ips))
        service = _service(index, address, node_ports)
        made.append(service)
        backing = [next(pods) for _ in range(endpoints if _has_endpoints(index) else 0)]
        slices += _slices(service, backing)
    cluster = Cluster(services=tuple(made), slices=tuple(slices), nodes=nodes, service_cidrs=(SERVICE_CIDR,))
    return cluster, _config(nodes[0])


def _service(index: int, cluster_ip: str, node_ports: Iterator[int]) -> Service:
    """The index-th service; its place in a round of 20 decides what it is."""
    name = ObjectName(_NAMESPACES[index % len(_NAMESPACES)], f"svc-{index:05}")
    plain = Service(
        name=name,
        ports=_HTTP,
        cluster_ips=(cluster_ip,),
        selector=(("app", name.name),),
        labels=(("app", name.name),),
        ip_families=("IPv4",),
        ip_family_policy="SingleStack",
    )
    match index % 20:
        case 1 | 6 | 11 | 16:
            return attrs.evolve(plain, ports=_HTTP_AND_METRICS)
        case 3 | 13:
            return attrs.evolve(plain, session_affinity=SessionAffinity.CLIENT_IP)
        case 5 | 15:
            return _with_node_ports(plain, ServiceType.NODE_PORT, node_ports)
        case 8:
            ranges = ("203.0.113.0/24", f"198.51.100.{index % 256}/32")
            return attrs.evolve(_balanced(plain, index, node_ports), load_balancer_source_ranges=ranges)
        case 12:
            return attrs.evolve(
                _balanced(plain, index, node_ports),
                external_traffic_policy=TrafficPolicy.LOCAL,
                health_check_node_port=next(node_ports),
                session_affinity=SessionAffinity.CLIENT_IP,
            )
        case 18:
            return _balanced(plain, index, node_ports)
        case _:
            return plain


def _with_node_ports(service: Service, kind: ServiceType, node_ports: Iterator[int]) -> Service:
    ports = tuple(attrs.evolve(port, node_port=next(node_ports)) for port in service.ports)
    return attrs.evolve(service, type=kind, ports=ports)


def _balanced(service: Service, index: int, node_ports: Iterator[int]) -> Service:
    address = format_address(Family.IPV4, parse_address("198.18.0.0")[1] + index)
    return attrs.evolve(
        _with_node_ports(service, ServiceType.LOAD_BALANCER, node_ports),
        ingress=(Ingress(address, ip_mode="VIP"),),
        allocate_load_balancer_node_ports=True,
    )


def _has_endpoints(index: int) -> bool:
    return index % 20 != 9


def _pods(rng: random.Random) -> Iterator[tuple[str, str]]:
    """Address and node of one pod after the other, each on a node drawn anew; addresses never repeat."""
    used = [1] * NODES  # the first address of a pod CIDR belongs to the node
    base = parse_address("10.128.0.0")[1]
    while True:
        node = rng.randrange(NODES)
        used[node] += 1
        if used[node] == (1 << 16) - 1:
            raise ValueError(f"{POD_CIDR} has no addresses for so many endpoints")
        yield format_address(Family.IPV4, base + (node << 16) + used[node]), _node_name(node)


def _slices(service: Service, backing: Sequence[tuple[str, str]]) -> Iterator[EndpointSlice]:
    """The service's slices as the controller cuts them; one empty placeholder without pods (EPS-SL-03)."""
    ports = tuple(EndpointPort(port.name, port.protocol, _TARGETS[port.port]) for port in service.ports)
    for number, start in enumerate(range(0, max(len(backing), 1), ENDPOINTS_PER_SLICE)):
        part = backing[start : start + ENDPOINTS_PER_SLICE]
        yield EndpointSlice(
            name=ObjectName(service.name.namespace, f"{service.name.name}-{number:05}"),
            service=service.name,
            address_type="IPv4",
            endpoints=tuple(_endpoint(service, start + at, *pod) for at, pod in enumerate(part)),
            ports=ports if part else (),
            managed_by="endpointslice-controller.k8s.io",
        )


def _endpoint(service: Service, number: int, address: str, node: str) -> Endpoint:
    return Endpoint(
        addresses=(address,),
        ready=True,
        serving=True,
        terminating=False,
        node_name=node,
        zone=_zone(node),
        target=ObjectName(service.name.namespace, f"{service.name.name}-{number}"),
    )


def _node_name(index: int) -> str:
    return f"node-{index:02}"


def _zone(node: str) -> str:
    return f"zone-{int(node[-2:]) % 3}"


def _node(index: int) -> Node:
    name = _node_name(index)
    return Node(
        name=name,
        addresses=(("InternalIP", f"10.32.1.{index + 10}"), ("Hostname", name)),
        pod_cidrs=(f"10.{128 + index}.0.0/16",),
        labels=(("kubernetes.io/hostname", name), ("topology.kubernetes.io/zone", _zone(name))),
    )


def _config(node: Node) -> NodeConfig:
    """kube-proxy's defaults on that node, with cluster CIDR detection."""
    address = parse_address(node.addresses[0][1])[1]
    return NodeConfig(
        name=node.name,
        cluster_cidrs=(POD_CIDR,),
        pod_cidrs=node.pod_cidrs,
        addresses=(
            InterfaceAddress("lo", Family.IPV4, parse_address("127.0.0.1")[1], 8),
            InterfaceAddress("eth0", Family.IPV4, address, 24),
        ),
        addresses_are_complete=True,
        primary=((Family.IPV4, address),),
        zone=node.zone,
    )


def in_mode(config: NodeConfig, mode: ProxyMode) -> NodeConfig:
    """The configuration of the same node whose kube-proxy runs in that mode, by its defaults."""
    addresses = config.node_port_addresses or (("primary",) if mode is ProxyMode.NFTABLES else ())
    return attrs.evolve(config, mode=mode, node_port_addresses=addresses)


def write_bundle(directory: Path, cluster: Cluster, config: NodeConfig) -> None:
    """Write cluster.json and the node's rules, settings and addresses as a bundle folder.

    The rules are those of the configuration's mode, iptables or nftables; a family's are
    written where the node has a primary address of it. Files that are already there are
    replaced. Raises OSError when the folder cannot be written.
    """
    node = directory / "nodes" / config.name
    node.mkdir(parents=True, exist_ok=True)
    encoded = msgspec.json.encode(cluster_list(cluster))
    (directory / "cluster.json").write_bytes(msgspec.json.format(encoded, indent=1) + b"\n")
    (node / "kube-proxy-config.yaml").write_text(yaml.safe_dump(proxy_config(config), sort_keys=False))
    (node / "ip-addr.json").write_bytes(
        msgspec.json.format(msgspec.json.encode(_interfaces(config)), indent=1)
    )
    if config.mode is ProxyMode.NFTABLES:
        families = [family for family, _ in config.primary]
        (node / "nft").write_text(write_nftables(cluster, config, families))
        return
    for family, _ in config.primary:
        tool = "iptables-save" if family is Family.IPV4 else "ip6tables-save"
        (node / tool).write_text(write_iptables(cluster, config, family))


def _interfaces(config: NodeConfig) -> list[dict[str, object]]:
    """The addresses as `ip -j addr` lists them, grouped by interface."""
    grouped: dict[str, list[dict[str, object]]] = {}
    for item in config.addresses:
        grouped.setdefault(item.interface, []).append(
            {
                "family": "inet" if item.family is Family.IPV4 else "inet6",
                "local": format_address(item.family, item.address),
                "prefixlen": item.prefix_length,
            }
        )
    return [{"ifname": name, "addr_info": addresses} for name, addresses in grouped.items()]


@click.command()
@click.option("--services", type=click.IntRange(min=0), default=1000, show_default=True)
@click.option("--endpoints", type=click.IntRange(min=0), default=5, show_default=True, help="A service.")
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--mode", type=click.Choice(["iptables", "nftables"]), default="iptables", show_default=True)
@click.argument("out", type=click.Path(path_type=Path, file_okay=False))
def main(services: int, endpoints: int, seed: int, mode: str, out: Path) -> None:
    """Write a generated cluster and the rules of one of its nodes to the folder OUT."""
    try:
        cluster, config = generate_cluster(services, endpoints, seed)
        write_bundle(out, cluster, in_mode(config, ProxyMode(mode)))
    except (ValueError, OSError) as error:
        raise click.UsageError(str(error)) from None


if __name__ == "__main__":
    main()
