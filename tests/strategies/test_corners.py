"""Drawn clusters and packets lie at the corners of the contract often enough to try what holds there.

A claim may hold of a thousand clusters and fail where nobody looked; so each corner is counted,
over the same examples on every run.
"""

from collections.abc import Callable, Iterable
from itertools import combinations

import pytest

from model.addresses import Family, parse_address
from model.frontends import FrontendKind, node_view
from model.node_config import NodeConfig
from model.objects import Cluster, Endpoint, Service, ServiceType, SessionAffinity, TrafficPolicy
from model.packet import Origin, Packet
from tests.strategies.aimed import questions
from tests.strategies.clusters import clusters
from tests.strategies.search import sample

EXAMPLES = 400
LEAST = 0.03  # of the examples, for each corner

Question = tuple[Cluster, NodeConfig, Packet]


@pytest.fixture(scope="module")
def drawn() -> list[Cluster]:
    return [cluster for cluster, _ in sample(clusters(), EXAMPLES)]


@pytest.fixture(scope="module")
def clashing() -> list[Cluster]:
    return [cluster for cluster, _ in sample(clusters(clashes=True), EXAMPLES)]


@pytest.fixture(scope="module")
def asked() -> list[Question]:
    return sample(questions(), EXAMPLES)


def share(examples: Iterable[bool]) -> float:
    seen = list(examples)
    return sum(seen) / len(seen)


# --- Endpoints of one service


def served(cluster: Cluster) -> list[Service]:
    """The Services that kube-proxy could serve: neither headless nor ExternalName."""
    return [
        one
        for one in cluster.services
        if one.type is not ServiceType.EXTERNAL_NAME and one.cluster_ips != ("None",)
    ]


def endpoints(cluster: Cluster, service: Service) -> set[Endpoint]:
    """Those of its first family."""
    return {
        endpoint
        for piece in cluster.slices
        if piece.service == service.name and piece.address_type == service.ip_families[0]
        for endpoint in piece.endpoints
    }


def is_ready(one: Endpoint) -> bool:
    """Left open counts as ready (EPS-COND-03)."""
    return one.ready is not False


def of_any(wanted: Callable[[set[Endpoint]], bool]) -> Callable[[Cluster], bool]:
    """Whether some Service's endpoints are as wanted."""
    return lambda cluster: any(wanted(endpoints(cluster, one)) for one in served(cluster))


# --- Two services


def shared_numbers(cluster: Cluster) -> bool:
    """Two Services listen on one number and protocol."""
    return any(
        {(port.port, port.protocol) for port in one.ports}
        & {(port.port, port.protocol) for port in other.ports}
        & {(port.port, port.protocol) for port in other.ports}
        for one, other in combinations(served(cluster), 2)
    )


def one_number_two_protocols(cluster: Cluster) -> bool:
    """A Service has a node port for TCP and UDP (FWD-OBJ-03)."""
    return any(
        len({port.node_port for port in one.ports}) < len(one.ports) and one.ports[0].node_port
        for one in served(cluster)
    )


def claims(service: Service, addresses: Iterable[str]) -> set[tuple[str, int, str]]:
    return {(address, port.port, port.protocol) for address in addresses for port in service.ports}


def one_external_ip_twice(cluster: Cluster) -> bool:
    """Two Services claim an external IP with port and protocol (FWD-OBJ-08)."""
    return any(
        claims(one, one.external_ips) & claims(other, other.external_ips)
        for one, other in combinations(served(cluster), 2)
    )


def one_balancer_twice(cluster: Cluster) -> bool:
    """Two Services claim a load balancer's address with port and protocol (FWD-OBJ-08)."""
    return any(
        claims(one, filter(None, (entry.ip for entry in one.ingress)))
        & claims(other, filter(None, (entry.ip for entry in other.ingress)))
        for one, other in combinations(served(cluster), 2)
    )


def stolen_cluster_ip(cluster: Cluster) -> bool:
    """An external IP is another Service's cluster IP (FWD-OBJ-08)."""
    return any(
        {*one.external_ips} & {*other.cluster_ips}
        for one in served(cluster)
        for other in served(cluster)
        if one is not other
    )


CORNERS: dict[str, Callable[[Cluster], bool]] = {
    "no service": lambda cluster: not cluster.services,
    "no endpoints": of_any(lambda found: not found),
    "one endpoint": of_any(lambda found: len(found) == 1),
    "one that is ready, among others": of_any(
        lambda found: len(found) > 1 and sum(map(is_ready, found)) == 1
    ),
    "none ready": of_any(lambda found: bool(found) and not any(map(is_ready, found))),
    "all terminating": of_any(lambda found: bool(found) and all(one.terminating for one in found)),
    "all terminating, none serving": of_any(
        lambda found: bool(found) and all(one.terminating and not one.serving for one in found)
    ),
    "two families": lambda cluster: any(len(one.ip_families) == 2 for one in served(cluster)),
    "IPv6 alone": lambda cluster: any(one.ip_families == ("IPv6",) for one in served(cluster)),
    "shared ports": shared_numbers,
    "one node port, two protocols": one_number_two_protocols,
    "an external IP that is a node's": lambda cluster: any(
        ip.startswith("10.32.") for one in served(cluster) for ip in one.external_ips
    ),
    "headless": lambda cluster: any(one.cluster_ips == ("None",) for one in cluster.services),
    "ExternalName": lambda cluster: any(one.type is ServiceType.EXTERNAL_NAME for one in cluster.services),
    "policy Local outside": lambda cluster: any(
        one.external_traffic_policy is TrafficPolicy.LOCAL for one in served(cluster)
    ),
    "policy Local inside": lambda cluster: any(
        one.internal_traffic_policy is TrafficPolicy.LOCAL for one in served(cluster)
    ),
    "affinity": lambda cluster: any(
        one.session_affinity is SessionAffinity.CLIENT_IP for one in served(cluster)
    ),
    "source ranges": lambda cluster: any(one.load_balancer_source_ranges for one in served(cluster)),
    "hints": of_any(lambda found: any(one.zone_hints for one in found)),
}

CLASHES: dict[str, Callable[[Cluster], bool]] = {
    "an external IP twice": one_external_ip_twice,
    "a balancer's address twice": one_balancer_twice,
    "a cluster IP stolen": stolen_cluster_ip,
}


@pytest.mark.parametrize("corner", CORNERS)
def test_clusters_lie_at_the_corner(drawn: list[Cluster], corner: str) -> None:
    assert share(map(CORNERS[corner], drawn)) >= LEAST


@pytest.mark.parametrize("clash", CLASHES)
def test_services_clash_where_they_may(clashing: list[Cluster], clash: str) -> None:
    assert share(map(CLASHES[clash], clashing)) >= LEAST


@pytest.mark.parametrize("clash", CLASHES)
def test_services_clash_nowhere_else(drawn: list[Cluster], clash: str) -> None:
    assert share(map(CLASHES[clash], drawn)) == 0


# --- Packets


def is_for(kind: FrontendKind) -> Callable[[Question], bool]:
    def answer(question: Question) -> bool:
        cluster, config, packet = question
        view = node_view(cluster, config, packet.family)
        return kind in [one for _, one in view.owners(packet.destination, packet.protocol, packet.port)]

    return answer


def comes_from_an_endpoint(question: Question) -> bool:
    """So it may be sent back to where it came from (MASQ-08)."""
    cluster, _, packet = question
    return packet.source in {
        parse_address(address)[1]
        for piece in cluster.slices
        for endpoint in piece.endpoints
        for address in endpoint.addresses
    }


PACKETS: dict[str, Callable[[Question], bool]] = {
    **{f"for a frontend {kind.value}": is_for(kind) for kind in FrontendKind},
    "over IPv6": lambda question: question[2].family is Family.IPV6,
    "from the node itself": lambda question: question[2].origin is Origin.NODE,
    "from an endpoint": comes_from_an_endpoint,
}


@pytest.mark.parametrize("corner", PACKETS)
def test_packets_lie_at_the_corner(asked: list[Question], corner: str) -> None:
    assert share(map(PACKETS[corner], asked)) >= LEAST
