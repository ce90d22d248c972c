"""A cluster's objects, looked up by the keys that questions have: built once, then no scans.

Only Services, EndpointSlices and Pods are read; legacy Endpoints objects are not (EPS-EP-05).
Namespace objects are not among a cluster's objects: a namespace exists here when any object
is in it, when it is one of those that every cluster has, or when the configuration names it.
"""

from collections import defaultdict
from collections.abc import Iterator

import attrs

from model.dns.config import DnsConfig
from model.dns.names import MOST_LABEL, Address, absolute, endpoint_hostname, parse_host
from model.objects import Cluster, EndpointPort, ObjectName, Pod, Service

ALWAYS_THERE = frozenset(("default", "kube-node-lease", "kube-public", "kube-system"))
"""Namespaces that the API server makes."""

DNS_SERVICE = ObjectName("kube-system", "kube-dns")

_FINISHED = ("Succeeded", "Failed", "Unknown")


@attrs.frozen
class PublishedEndpoint:
    """One address of a ready endpoint; no `ports` when its slice declares none."""

    service: ObjectName
    hostname: str
    address: str
    ports: tuple[EndpointPort, ...]


@attrs.frozen
class ClusterIndex:
    """The maps. Addresses are keyed by number, so every spelling of one is the same.

    CoreDNS compares the text and misses the PTR of an address that is not spelled canonically.
    """

    services: dict[ObjectName, Service]
    endpoints: dict[ObjectName, tuple[PublishedEndpoint, ...]]
    namespaces: frozenset[str]
    namespaces_by_service: dict[str, tuple[str, ...]]
    service_by_cluster_ip: dict[Address, ObjectName]
    endpoints_by_address: dict[Address, tuple[PublishedEndpoint, ...]]
    pod_addresses: frozenset[tuple[str, str]]  # (namespace, status.podIP as it is written)


def index_cluster(cluster: Cluster, config: DnsConfig) -> ClusterIndex:
    """The index of a cluster under a configuration."""
    endpoints: defaultdict[ObjectName, list[PublishedEndpoint]] = defaultdict(list)
    by_address: defaultdict[Address, list[PublishedEndpoint]] = defaultdict(list)
    services = [service for service in cluster.services if _can_be_asked(service.name)]
    for endpoint in _published(cluster, pod_names=config.endpoint_pod_names):
        endpoints[endpoint.service].append(endpoint)
        if (address := parse_host(endpoint.address)) is not None:
            by_address[address].append(endpoint)
    by_cluster_ip: dict[Address, ObjectName] = {}
    for service in services:
        for text in service.cluster_ips:
            if (address := parse_host(text)) is not None:
                by_cluster_ip.setdefault(address, service.name)
    by_name: defaultdict[str, list[str]] = defaultdict(list)
    for service in services:
        by_name[service.name.name].append(service.name.namespace)
    return ClusterIndex(
        services={service.name: service for service in services},
        endpoints={name: tuple(found) for name, found in endpoints.items()},
        namespaces=frozenset((*ALWAYS_THERE, *config.namespaces, *_namespaces(cluster))),
        namespaces_by_service={name: tuple(found) for name, found in by_name.items()},
        service_by_cluster_ip=by_cluster_ip,
        endpoints_by_address={address: tuple(found) for address, found in by_address.items()},
        pod_addresses=frozenset(_pod_addresses(cluster.pods)),
    )


def is_headless(service: Service) -> bool:
    return service.cluster_ips[:1] == ("None",)


def _published(cluster: Cluster, *, pod_names: bool) -> Iterator[PublishedEndpoint]:
    """Addresses whose condition ready is true or unset (DNS-A-04)."""
    for piece in cluster.slices:
        if piece.service is None or not _can_be_asked(piece.service):
            continue
        for endpoint in piece.endpoints:
            if endpoint.ready is False:
                continue
            for address in endpoint.addresses:
                hostname = endpoint_hostname(endpoint, address, pod_names=pod_names)
                if absolute(hostname) is not None:
                    yield PublishedEndpoint(piece.service, hostname, address, piece.ports)


def _can_be_asked(name: ObjectName) -> bool:
    """Whether namespace and name fit labels, as the API server sees to (API-F-01)."""
    return all(0 < len(label) <= MOST_LABEL for label in (name.namespace, name.name))


def _namespaces(cluster: Cluster) -> Iterator[str]:
    for kind in (cluster.services, cluster.slices, cluster.endpoints, cluster.pods):
        yield from (item.name.namespace for item in kind)


def _pod_addresses(pods: tuple[Pod, ...]) -> Iterator[tuple[str, str]]:
    """The primary address of each pod that CoreDNS watches: not of finished or terminating ones.

    Text, as CoreDNS compares it: another spelling of a pod's IPv6 address is no name of the pod.
    """
    for pod in pods:
        if not pod.terminating and pod.phase not in _FINISHED:
            yield from ((pod.name.namespace, text) for text in pod.ips[:1])
