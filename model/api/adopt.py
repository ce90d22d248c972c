"""A registry that holds Services as a cluster's dump has them.

For objects that some server accepted long ago: nothing is defaulted, validated or
allocated. What they carry is entered into the pools, where two of them may clash.
"""

from collections.abc import Iterable, Iterator

import attrs

from model.api.allocation.cluster_ips import canonical_text
from model.api.needs import EXTERNAL_NAME, node_ports
from model.api.objects import HEADLESS, Service, ServiceSpec
from model.api.registry import Registry, written
from model.api.validation.ip_text import parse_ip


def adopt(registry: Registry, services: Iterable[Service]) -> Registry:
    """The registry with these Services stored with exactly these values.

    Each address and number belongs to the first Service that carries it; those that an
    ExternalName Service carries belong to nobody (ALLOC-NP-09). A resource version is
    kept; a Service without one gets that of its write.
    """
    for service in services:
        name = service.object_name
        owners, ports = registry.ip_owners, registry.node_ports
        for address in _addresses(service.spec):
            owners = owners if address in owners else owners.insert(address, name)
        for port in _node_ports(service.spec):
            ports = ports if port in ports else ports.insert(port, name)
        registry, _ = written(attrs.evolve(registry, ip_owners=owners, node_ports=ports), service)
        if service.metadata.resource_version:
            registry = attrs.evolve(registry, services=registry.services.insert(name, service))
    return registry


def _addresses(spec: ServiceSpec) -> Iterator[str]:
    if spec.type == EXTERNAL_NAME:
        return
    for address in spec.cluster_ips or (spec.cluster_ip,):
        if address != HEADLESS and parse_ip(address) is not None:
            yield canonical_text(address)


def _node_ports(spec: ServiceSpec) -> Iterator[int]:
    if spec.type != EXTERNAL_NAME:
        yield from node_ports(spec)
        if spec.health_check_node_port:
            yield spec.health_check_node_port
