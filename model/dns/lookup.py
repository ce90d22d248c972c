"""Which addresses, ports and targets a name of the cluster has, before any record is made of them.

An `Entry` is what CoreDNS calls a service message. A lookup gives a tuple of them, empty
where the name exists and has none (NODATA), None where there is no such name (NXDOMAIN).
"""

from collections.abc import Iterable, Iterator

import attrs
import dns.exception
import dns.name
import dns.reversename

from model.dns.config import DnsConfig, PodRecords
from model.dns.index import ClusterIndex, PublishedEndpoint, is_headless
from model.dns.names import (
    PODS,
    Branch,
    PodName,
    ServiceName,
    absolute,
    parse_host,
    parse_name,
    undashed,
)
from model.objects import EndpointPort, ObjectName, Service, ServicePort, ServiceType


@attrs.frozen
class Entry:
    """Something that a name stands for.

    `host` is an address or, for an ExternalName, a name; `owner` is the name that an SRV
    record of this entry points at; `port` is None where no port is declared (DNS-A-05).
    """

    owner: dns.name.Name
    host: str
    port: int | None = None


def find(index: ClusterIndex, config: DnsConfig, name: dns.name.Name) -> tuple[Entry, ...] | None:
    """The entries of a name in the cluster's zone (DNS-A-*, DNS-EP-*, DNS-SRV-*, DNS-POD-01)."""
    match asked(config, name):
        case None:
            return None
        case Branch(kind, namespace):
            return () if _branch_exists(index, config, kind, namespace) else None
        case PodName(namespace, pod):
            return _find_pod(index, config, namespace, pod)
        case ServiceName() as question:
            return _find_service(index, config, question)


def asked(config: DnsConfig, name: dns.name.Name) -> Branch | ServiceName | PodName | None:
    """What a name below the zone asks for."""
    labels = name.relativize(config.origin).labels
    return parse_name(tuple(label.decode("latin-1").lower() for label in labels))


def service_domain(config: DnsConfig, service: ObjectName) -> dns.name.Name:
    """`<service>.<ns>.svc.<zone>.`"""
    return dns.name.Name((service.name.encode(), service.namespace.encode(), b"svc", *config.origin.labels))


def endpoint_domain(config: DnsConfig, endpoint: PublishedEndpoint) -> dns.name.Name:
    """`<hostname>.<service>.<ns>.svc.<zone>.`; a pod's name may hold dots."""
    below = dns.name.from_text(endpoint.hostname, origin=None)
    return below.concatenate(service_domain(config, endpoint.service))


def find_reverse(
    index: ClusterIndex, config: DnsConfig, name: dns.name.Name
) -> tuple[dns.name.Name, ...] | None:
    """Where the PTR records of a reverse name point (DNS-PTR-01, DNS-PTR-02); None without any.

    A cluster IP wins over endpoints. Without CoreDNS's extras only endpoints of headless
    services count.
    """
    try:
        address = parse_host(dns.reversename.to_address(name))
    except (dns.exception.DNSException, ValueError):
        return None
    if address is None:
        return None
    if (service := index.service_by_cluster_ip.get(address)) is not None:
        return (service_domain(config, service),)
    targets = (
        endpoint_domain(config, endpoint)
        for endpoint in index.endpoints_by_address.get(address, ())
        if config.has_extras or _is_of_headless(index, endpoint)
    )
    return tuple(dict.fromkeys(targets)) or None


def _is_of_headless(index: ClusterIndex, endpoint: PublishedEndpoint) -> bool:
    service = index.services.get(endpoint.service)
    return service is not None and is_headless(service)


def _branch_exists(index: ClusterIndex, config: DnsConfig, kind: str, namespace: str | None) -> bool:
    """The zone and `svc` exist, and namespaces in them (DNS-A-07); below `pod` as its mode says."""
    if kind == PODS:
        if namespace is None:
            return config.has_extras
        return _has_pods(config) and namespace in index.namespaces
    return namespace is None or namespace in index.namespaces


def _has_pods(config: DnsConfig) -> bool:
    return config.has_extras and config.pods is not PodRecords.DISABLED


def _find_pod(index: ClusterIndex, config: DnsConfig, namespace: str, pod: str) -> tuple[Entry, ...] | None:
    if not _has_pods(config) or namespace not in index.namespaces:
        return None
    text = undashed(pod)
    if parse_host(text) is None:
        return None
    if config.pods is PodRecords.VERIFIED and (namespace, text) not in index.pod_addresses:
        return None
    owner = dns.name.Name((pod.encode("latin-1"), namespace.encode("latin-1"), b"pod", *config.origin.labels))
    return (Entry(owner, text),)


def _find_service(index: ClusterIndex, config: DnsConfig, question: ServiceName) -> tuple[Entry, ...] | None:
    name = ObjectName(question.namespace, question.service)
    service = index.services.get(name)
    if service is None:
        return None
    if not config.has_extras and question.port_label is not None and not question.has_underscores:
        return None
    if service.type is ServiceType.EXTERNAL_NAME:
        # Neither endpoints nor ports of it are known (CoreDNS, kubernetes.go findServices).
        return _external(config, service) if question.is_bare else None
    if is_headless(service) or (question.endpoint is not None and config.has_extras):
        return _endpoint_entries(config, index.endpoints.get(name, ()), question)
    if question.endpoint is not None:
        return None
    return _cluster_ip_entries(config, service, question)


def _external(config: DnsConfig, service: Service) -> tuple[Entry, ...] | None:
    """The name it points at; no name at all when that is an address (DNS-EXT-01, DNS-EXT-05)."""
    if parse_host(service.external_name) is not None:
        return None
    if absolute(service.external_name) is None:
        return ()
    return (Entry(service_domain(config, service.name), service.external_name),)


def _cluster_ip_entries(
    config: DnsConfig, service: Service, question: ServiceName
) -> tuple[Entry, ...] | None:
    """Every cluster IP with every port asked for; without such a port there is no such name."""
    ports: Iterable[ServicePort | None] = service.ports or (None,)
    found = [port for port in ports if has_asked_port(port, question)]
    if not found:
        return None
    owner = service_domain(config, service.name)
    return tuple(
        Entry(owner, ip, port.port if port else None)
        for port in found
        for ip in service.cluster_ips
        if parse_host(ip) is not None
    )


def _endpoint_entries(
    config: DnsConfig, endpoints: tuple[PublishedEndpoint, ...], question: ServiceName
) -> tuple[Entry, ...] | None:
    """Every ready endpoint asked for with its own, resolved port (DNS-A-03, DNS-SRV-02)."""
    return tuple(_each_endpoint(config, endpoints, question)) or None


def _each_endpoint(
    config: DnsConfig, endpoints: tuple[PublishedEndpoint, ...], question: ServiceName
) -> Iterator[Entry]:
    for endpoint in endpoints:
        if question.endpoint is not None and endpoint.hostname.lower() != question.endpoint:
            continue
        ports: Iterable[EndpointPort | None] = endpoint.ports or (None,)
        for port in ports:
            if has_asked_port(port, question):
                number = port.port if port else None
                yield Entry(endpoint_domain(config, endpoint), endpoint.address, number)


def has_asked_port(port: ServicePort | EndpointPort | None, question: ServiceName) -> bool:
    """Whether the port and protocol labels, if there are any, are those of the port.

    An unnamed port has no label (DNS-SRV-03). A lone underscore is any port to CoreDNS.
    """
    name, protocol = (port.name, port.protocol) if port else ("", "")
    pairs = ((question.port_label, name), (question.protocol_label, protocol))
    return all(
        label is None or (wanted := label.removeprefix("_")) == "" or wanted == of.lower()
        for label, of in pairs
    )
